//! Makes the rows of tables those of a backup again, which is attached beside the database.

use super::location::{Fault, Location, Tried};
use super::open::{self, Start};
use super::reader::Open;
use super::{audit, sql, survey};
use crate::database::Mode;
use crate::database::order::{Kept, PutRowsBack};
use crate::database::rows_back::{self, Declared, Putting, TableBack};
use crate::error::Error;
use crate::table::{Schema, Table};
use rusqlite::Connection;

/// The name of the attached backup.
const KEPT: &str = "treelift_kept";

/// Carries the order out, in one transaction.
pub(super) fn put_back(location: &Location, order: &PutRowsBack<'_>) -> Tried<Vec<TableBack>> {
    let Kept::File(file) = order.from else {
        return Err(Error::bug("the backup of a file is none of a file").into());
    };
    let (store, mut conn) = open::begin(location, &Start { mode: order.mode, run_id: order.run_id, bytes: 0 })?;
    conn.execute(&format!("ATTACH ?1 AS {KEPT}"), [file.to_string_lossy()])?;
    let done = work(&mut Engine { conn: &mut conn, location }, order);
    match done {
        Ok(backs) if order.mode == Mode::Real && backs.iter().any(TableBack::is_change) => {
            open::commit(location, store, conn)?.iter().for_each(order.warn);
            Ok(backs)
        }
        other => {
            open::roll_back(store, conn)?;
            other
        }
    }
}

fn work(engine: &mut Engine<'_>, order: &PutRowsBack<'_>) -> Tried<Vec<TableBack>> {
    let backs = rows_back::put_back(engine, order.tables)?;
    (order.look)(engine)?;
    audit::write(engine.conn, order.entry, order.audit)?;
    Ok(backs)
}

struct Engine<'e> {
    conn: &'e mut Connection,
    location: &'e Location,
}

impl Open for Engine<'_> {
    fn at(&self) -> (&Connection, &Location) {
        (self.conn, self.location)
    }

    fn at_mut(&mut self) -> (&mut Connection, &Location) {
        (self.conn, self.location)
    }
}

impl Putting for Engine<'_> {
    type Fault = Fault;
    const GIVEN: &'static str = "";

    fn place(&self) -> &str {
        &self.location.shown
    }

    fn live(&self) -> Tried<Schema> {
        Ok(survey::live(self.conn, self.location)?.schema)
    }

    fn keep(&mut self, table: &Table) -> Tried<(String, Declared)> {
        let columns = "SELECT name, type FROM pragma_table_info(?1, ?2)";
        let columns = sql::all(self.conn, columns, [table.name.as_str(), KEPT])?;
        Ok((format!("{KEPT}.{}", sql::name(&table.name)), columns))
    }

    fn fixed(&self, _table: &Table) -> Tried<Vec<String>> {
        Ok(Vec::new())
    }

    /// An integer equals a double of its value, and a text one in another case where its column says so: they are other values.
    fn differs(&self, column: &str) -> String {
        let column = sql::name(column);
        format!("t.{column} COLLATE BINARY IS NOT k.{column} OR typeof(t.{column}) <> typeof(k.{column})")
    }

    fn run(&mut self, sql: &str) -> Tried<u64> {
        Ok(self.conn.execute(sql, [])? as u64)
    }

    fn number(&mut self, sql: &str) -> Tried<u64> {
        Ok(self.conn.query_row(sql, [], |row| row.get(0))?)
    }

    /// SQLite counts on from the greatest by itself ("SQLite Autoincrement").
    fn finish(&mut self, _table: &Table) -> Tried<()> {
        Ok(())
    }
}
