//! Changes the schema: all steps in one transaction, or none.
//!
//! Foreign keys are off on every connection (the pragma does nothing inside a transaction, and a
//! migration that rebuilds a table would delete its children); before the commit they are checked.

use super::keys::Seals;
use super::location::{Location, Tried};
use super::open::{self, Start};
use super::reader::Open;
use super::script::{self, Failure};
use super::undo::Engine;
use super::{
    assertion, audit, catalog, ledger_tables, read, record, references, rehearsal, sql, state, survey, version,
};
use crate::database::alter::{self, Altering, Dangling, Failing, Left, Stop};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Catalog;
use crate::database::done::{Altered, Move, Timing, What};
use crate::database::history::{Named, Origin, Recorded};
use crate::database::order::Order;
use crate::database::orphans;
use crate::database::query::Unasked;
use crate::database::sealing::Sealing;
use crate::database::{Cell, Migration, Mode, Reader};
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::table::{ColumnType, VersionRecord};
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Carries an order out.
pub(super) fn alter(location: &Location, order: &Order<'_>) -> Tried<Altered> {
    let start = Start { mode: order.mode, run_id: order.run_id, bytes: 0 };
    let (store, mut conn) = open::begin(location, &start)?;
    match alter::steps(&mut Schema { conn: &mut conn, location }, order) {
        Ok(altered) if order.mode == Mode::Real && !altered.steps.is_empty() => {
            open::commit(location, store, conn)?.iter().for_each(order.warn);
            Ok(altered)
        }
        Ok(altered) => {
            open::roll_back(store, conn)?;
            Ok(altered)
        }
        Err(Stop::Asked(fault)) => {
            open::roll_back(store, conn)?;
            Err(fault)
        }
        Err(Stop::Failed { migration, what, failure, took_ms }) => {
            open::roll_back(store, conn)?;
            let error = alter::failed(migration, what, &failure, &location.shown);
            if order.mode == Mode::Real && what == What::Applied {
                // What went wrong is told in any case; that it could not be recorded is less than that.
                let timing = Timing { at: order.started, took_ms };
                let _ = record_failure(location, order.run_id, migration, timing, &error.message);
            }
            Err(error.into())
        }
    }
}

/// An open database whose schema is changed.
struct Schema<'c> {
    conn: &'c mut Connection,
    location: &'c Location,
}

impl Open for Schema<'_> {
    fn at(&self) -> (&Connection, &Location) {
        (self.conn, self.location)
    }

    fn at_mut(&mut self) -> (&mut Connection, &Location) {
        (self.conn, self.location)
    }
}

impl Altering for Schema<'_> {
    type Fault = super::location::Fault;
    type Failure = Failure;
    type Ledger<'l>
        = Engine<'l>
    where
        Self: 'l;

    fn place(&self) -> &str {
        &self.location.shown
    }

    fn recorded(&self) -> Tried<Vec<Recorded>> {
        record::recorded(self.conn, self.location)
    }

    fn stages(&mut self, migrations: &[Migration], _moves: &[Move]) -> Tried<Vec<Catalog>> {
        Ok(rehearsal::stages(migrations, false)?.0)
    }

    fn live(&self) -> Tried<Catalog> {
        let record = record::table(self.conn, None)?.name;
        Ok(catalog::whole(self.conn, &record)?)
    }

    fn set_up_record(&mut self) -> Tried<()> {
        record::set_up(self.conn, self.location)
    }

    fn set_up_state(&mut self) -> Tried<()> {
        ledger_tables::set_up_state(self.conn, self.location, None)
    }

    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        script::run(self.conn, sql)
    }

    fn not_needed(&mut self, migration: &Migration, timing: Timing) -> Tried<()> {
        Ok(record::not_needed(self.conn, migration, timing)?)
    }

    fn has_table(&self, name: &str) -> Tried<bool> {
        Ok(catalog::has_table(self.conn, name)?)
    }

    fn applied(&mut self, migration: &Migration, origin: Origin, timing: Timing) -> Tried<()> {
        Ok(record::applied(self.conn, migration, origin, timing)?)
    }

    fn rolled_back(&mut self, migration: &Migration, at: Timestamp) -> Tried<()> {
        Ok(record::rolled_back(self.conn, migration, at)?)
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Tried<()> {
        Ok(audit::write(self.conn, entry, table)?)
    }

    fn dangling(&self) -> Tried<Dangling> {
        Ok(references::violations(self.conn)?)
    }

    /// Rows that were moved aside as orphans belong to the user.
    fn left(&self) -> Tried<Left> {
        let conn = &*self.conn;
        let has_orphans = catalog::has_table(conn, orphans::TABLE_NAME)? && read::count(conn, orphans::TABLE_NAME)? > 0;
        let names =
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        Ok(Left {
            names: sql::column(conn, names, [])?,
            record: record::table(conn, None)?.name,
            is_chosen: state::value(conn, state::RECORD_NAME)?.is_some(),
            has_orphans,
        })
    }

    fn drop_own(&mut self, names: &[String], is_chosen: bool) -> Tried<()> {
        let conn = &*self.conn;
        names.iter().try_for_each(|name| conn.execute_batch(&format!("DROP TABLE {}", sql::name(name))))?;
        if is_chosen {
            conn.execute("DELETE FROM treelift_state WHERE name <> ?1", [state::RECORD_NAME])?;
        }
        Ok(())
    }

    fn counts(&self) -> Tried<BTreeMap<String, u64>> {
        Ok(survey::counted(self.conn, None)?)
    }

    fn insert(&mut self, table: &str, columns: &[String], rows: &[Vec<Cell>]) -> Tried<()> {
        let values: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
        let text = format!("INSERT INTO {} ({}) VALUES ({})", sql::name(table), sql::names(columns), values.join(", "));
        let mut insert = self.conn.prepare(&text)?;
        for row in rows {
            insert.execute(rusqlite::params_from_iter(row))?;
        }
        Ok(())
    }

    fn rows(&mut self, query: &str, _kinds: Option<&[ColumnType]>) -> Tried<Result<Vec<Vec<Cell>>, Unasked>> {
        Ok(assertion::rows(self.conn, query)?)
    }

    fn sealing(&mut self) -> Box<dyn Sealing + '_> {
        Box::new(Seals { conn: self.conn, location: self.location })
    }

    fn ledger(&mut self) -> Engine<'_> {
        Engine { conn: self.conn, location: self.location }
    }

    fn reader(&mut self) -> &mut dyn Reader {
        self
    }

    /// Of each index so many rows are looked at ("Automatically Running ANALYZE", 4).
    fn renew_statistics(&mut self) -> Tried<()> {
        if catalog::has_table(self.conn, "sqlite_stat1")? {
            self.conn.execute_batch("PRAGMA analysis_limit = 1000; ANALYZE")?;
        }
        Ok(())
    }

    fn name_version(&mut self, record: &VersionRecord, name: Named<'_>) -> Tried<()> {
        version::put(self.conn, record, name, self.location)
    }

    fn words(&self, fault: Self::Fault) -> Error {
        self.location.words(fault)
    }
}

impl Failing for Failure {
    fn why(&self) -> String {
        Failure::why(self)
    }

    fn statement(&self) -> String {
        format!(", in its statement {}", self.statement)
    }

    fn place(&self, path: &str) -> String {
        path.to_owned()
    }

    fn excerpt(&self, sql: &str, message: &str) -> Option<Excerpt> {
        Failure::excerpt(self, sql, message)
    }
}

/// Records a failure after everything else was rolled back, in a transaction of its own.
fn record_failure(location: &Location, run_id: &str, migration: &Migration, timing: Timing, why: &str) -> Tried<()> {
    let (store, conn) = open::begin(location, &Start { mode: Mode::Real, run_id, bytes: 0 })?;
    record::set_up(&conn, location)?;
    record::failed(&conn, migration, timing, why)?;
    open::commit(location, store, conn).map(drop)
}

/// Writes one entry of the audit trail in a transaction of its own.
pub(super) fn note(location: &Location, entry: &AuditEntry, table: Option<&AuditTable>) -> Tried<()> {
    let (store, conn) = open::begin(location, &Start { mode: Mode::Real, run_id: &entry.id, bytes: 0 })?;
    audit::write(&conn, entry, table)?;
    open::commit(location, store, conn).map(drop)
}

/// Brings a database to this version's format in a transaction of its own.
pub(super) fn upgrade(location: &Location, id: Option<&str>) -> Tried<()> {
    let (store, conn) = open::begin(location, &Start { mode: Mode::Real, run_id: "id", bytes: 0 })?;
    ledger_tables::set_up_state(&conn, location, id)?;
    open::commit(location, store, conn).map(drop)
}
