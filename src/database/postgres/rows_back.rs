//! Makes the rows of tables those of a backup again: the rows of the dump go into tables beside them, in one transaction.

use super::connect::Session;
use super::dump::script;
use super::opened::{self, Opened};
use super::place::{Fault, Place, Tried};
use super::{audit, catalog, sql, survey};
use crate::database::Mode;
use crate::database::dumps::Served;
use crate::database::order::{Kept, PutRowsBack};
use crate::database::rows_back::{self, Declared, Putting, TableBack};
use crate::error::Error;
use crate::table::{Schema, Table};
use std::path::Path;

/// Carries the order out, in one transaction.
pub(super) fn put_back(place: &Place, order: &PutRowsBack<'_>) -> Tried<Vec<TableBack>> {
    let Kept::Dump(dump, served) = order.from else {
        return Err(Error::bug("the backup of a server is no dump").into());
    };
    let session = opened::go_on_or_begin_whole(place)?;
    let mut engine = Engine { opened: Opened { session, state: () }, dump, served, kept: Vec::new() };
    let backs = rows_back::put_back(&mut engine, order.tables)?;
    for kept in &engine.kept {
        engine.opened.session.run(&format!("DROP TABLE {kept}"))?;
    }
    (order.look)(&mut engine.opened)?;
    let session = &engine.opened.session;
    audit::write(session, order.entry, order.audit)?;
    if order.mode == Mode::Real && backs.iter().any(TableBack::is_change) {
        opened::commit(session)?;
    } else {
        session.run("ROLLBACK")?;
    }
    Ok(backs)
}

struct Engine<'d> {
    opened: Opened<()>,
    dump: &'d Path,
    served: &'d Served,
    /// The tables that hold rows of the dump.
    kept: Vec<String>,
}

impl Engine<'_> {
    fn session(&self) -> &Session {
        &self.opened.session
    }
}

impl Putting for Engine<'_> {
    type Fault = Fault;
    const GIVEN: &'static str = " OVERRIDING SYSTEM VALUE";

    fn place(&self) -> &str {
        self.session().place.shown()
    }

    fn live(&self) -> Tried<Schema> {
        Ok(survey::live(self.session())?.schema)
    }

    /// A dump names the table that its rows are of: for as long as they come, another one has its name.
    fn keep(&mut self, table: &Table) -> Tried<(String, Declared)> {
        let session = &self.opened.session;
        let kind = "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'p'";
        if session.has(kind, &[Some(&session.schema), Some(&table.name)])? {
            let message = format!("`{}` is partitioned: its rows are in other tables of the backup", table.name);
            return Err(Error::environment(message)
                .at(session.place.shown())
                .hint("nothing was changed; restore the whole backup")
                .into());
        }
        let (own, aside) = (sql::name(&table.name), sql::name(&format!("treelift_aside_{}", self.kept.len())));
        let name = format!("treelift_kept_{}", self.kept.len());
        let kept = sql::name(&name);
        session.run(&format!("ALTER TABLE {own} RENAME TO {aside}"))?;
        let programs = script::programs(self.served, session.major())?;
        script::send_table(session, &programs, self.dump, self.served, &table.name)?;
        // The dump sets much for the session.
        session.settle_in()?;
        session
            .run(&format!("ALTER TABLE {own} RENAME TO {kept}; ALTER TABLE {aside} RENAME TO {own}; ANALYZE {kept}"))?;
        self.kept.push(kept.clone());
        let twin = catalog::columns(session, &session.schema)?.remove(&name).unwrap_or_default();
        Ok((kept, twin.columns.into_iter().map(|column| (column.name, column.declared)).collect()))
    }

    /// What is always counted is given when a row is added, and never changed.
    fn fixed(&self, table: &Table) -> Tried<Vec<String>> {
        let text = "SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                    JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = $1 AND c.relname = $2 AND a.attidentity = 'a'";
        let rows = self.session().query(text, &[Some(&self.session().schema), Some(&table.name)])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// As text: not every type has an equality, and what is equal may be written otherwise.
    fn differs(&self, column: &str) -> String {
        let column = sql::name(column);
        format!("t.{column}::text IS DISTINCT FROM k.{column}::text")
    }

    fn run(&mut self, sql: &str) -> Tried<u64> {
        self.session().execute(sql, &[])
    }

    fn number(&mut self, sql: &str) -> Tried<u64> {
        let row = self.session().first(sql, &[])?;
        Ok(row.map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or_default()))
    }

    /// The sequences that count its columns go on behind the greatest.
    fn finish(&mut self, table: &Table) -> Tried<()> {
        let sequences = catalog::sequences(self.session())?;
        for ((_, column), sequence) in sequences.iter().filter(|((of, _), _)| *of == table.name) {
            catalog::move_sequence(self.session(), sequence, &table.name, column)?;
        }
        Ok(())
    }
}
