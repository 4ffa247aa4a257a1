//! What SQLite does to move orphans aside. Foreign keys are off, so that each is moved at once.

use super::location::{Fault, Location, Tried};
use super::open::{self, Start};
use super::{audit, catalog, ledger_tables, record, references, sql, times};
use crate::database::Mode;
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::orphans::{self, Leading, Moving};
use crate::database::upkeep::{MoveOrphans, Moved};
use crate::table::ForeignKey;
use rusqlite::Connection;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS treelift_orphans (
    number INTEGER PRIMARY KEY, moved_at DATETIME NOT NULL, table_name TEXT NOT NULL, reference TEXT NOT NULL,
    row TEXT NOT NULL
)";

/// Moves all of them, also those that become orphans by it.
pub(super) fn move_all(location: &Location, order: &MoveOrphans<'_>) -> Tried<Vec<Moved>> {
    let (store, conn) = open::begin(location, &Start { mode: order.mode, run_id: order.run_id, bytes: 0 })?;
    let moved = orphans::move_all(&mut Engine { conn: &conn, location }, order)?;
    if moved.is_empty() || order.mode == Mode::Dry {
        open::roll_back(store, conn)?;
    } else {
        open::commit(location, store, conn)?;
    }
    Ok(moved)
}

struct Engine<'e> {
    conn: &'e Connection,
    location: &'e Location,
}

impl Moving for Engine<'_> {
    type Fault = Fault;

    fn set_up(&mut self) -> Tried<()> {
        Ok(self.conn.execute_batch(TABLE)?)
    }

    fn tables(&self) -> Tried<Vec<(String, Vec<ForeignKey>)>> {
        let record = record::table(self.conn, self.location.record.as_deref())?.name;
        let mut tables = Vec::new();
        for table in catalog::table_names(self.conn)?.into_iter().filter(|name| !catalog::is_reserved(name, &record)) {
            // The last one declared comes first, as SQLite numbers them.
            let keys = catalog::foreign_keys(self.conn, &table)?.into_iter().rev().collect();
            tables.push((table, keys));
        }
        Ok(tables)
    }

    /// Moves the rows, each as an object of JSON.
    fn take(&mut self, leading: &Leading, order: &MoveOrphans<'_>) -> Tried<u64> {
        let columns: Vec<String> = sql::column(self.conn, "SELECT name FROM pragma_table_info(?1)", [&leading.table])?;
        // A blob has no form in JSON: it is kept as hex.
        let members: Vec<String> = columns
            .iter()
            .map(|column| {
                let name = sql::name(column);
                let key = column.replace('\'', "''");
                format!("'{key}', CASE typeof({name}) WHEN 'blob' THEN 'x''' || hex({name}) || '''' ELSE {name} END")
            })
            .collect();
        let object = format!("json_object({})", members.join(", "));
        let astray = references::astray_of(&leading.table, &leading.key);
        let kept = self.conn.execute(
            &format!(
                "INSERT INTO treelift_orphans (moved_at, table_name, reference, row)
                 SELECT ?1, ?2, ?3, {object} FROM {astray}"
            ),
            (times::clock_text(order.started), &leading.table, &leading.words()),
        )?;
        if kept > 0 {
            self.conn.execute(&format!("DELETE FROM {astray}"), [])?;
        }
        Ok(kept as u64)
    }

    fn finish(&mut self) -> Tried<()> {
        Ok(())
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Tried<()> {
        Ok(audit::write(self.conn, entry, table)?)
    }

    fn set_up_state(&mut self) -> Tried<()> {
        ledger_tables::set_up_state(self.conn, self.location, None)
    }
}
