//! Changes the schema: all steps in one transaction, or none.
//!
//! Foreign keys are off on every connection (the pragma does nothing inside a transaction, and a
//! migration that rebuilds a table would delete its children); before the commit they are checked.

use super::catalog;
use super::location::{Fault, Location, Tried};
use super::migrate;
use super::open::{self, Start};
use super::record::{self, Timing};
use super::script::{self, Failure};
use super::{audit, ledger_tables, orphans, read, references, sql, state, survey};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Catalog;
use crate::database::history::{self, Origin};
use crate::database::presence::{Presence, presence};
use crate::database::schema::in_part;
use crate::database::state::TABLE_NAME;
use crate::database::upkeep::{Altered, Done, Move, Order, What};
use crate::database::{Migration, Mode};
use crate::error::Error;
use crate::interrupt;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::time::Instant;

/// Carries an order out.
pub(super) fn alter(location: &Location, order: &Order<'_>) -> Tried<Altered> {
    let start = Start { mode: order.mode, run_id: order.run_id, bytes: 0 };
    let (store, mut conn) = open::begin(location, &start)?;
    let ended = Work { conn: &mut conn, location, order, applied: BTreeSet::new() }.all();
    match ended {
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
            let error = failed(migration, what, &failure, location);
            if order.mode == Mode::Real && what == What::Applied {
                // What went wrong is told in any case; that it could not be recorded is less than that.
                let timing = Timing { at: order.started, took_ms };
                let _ = record_failure(location, order.run_id, migration, timing, &error.message);
            }
            Err(error.into())
        }
    }
}

/// Why the steps did not come to their end.
enum Stop<'m> {
    /// Somebody said no, or the request cannot be.
    Asked(Fault),
    /// A statement failed.
    Failed { migration: &'m Migration, what: What, failure: Failure, took_ms: i64 },
}

impl<F: Into<Fault>> From<F> for Stop<'_> {
    fn from(fault: F) -> Self {
        Self::Asked(fault.into())
    }
}

/// The steps of an order, under the lock.
struct Work<'c, 'w> {
    conn: &'c mut Connection,
    location: &'w Location,
    order: &'w Order<'w>,
    /// Versions that are applied by now.
    applied: BTreeSet<&'w str>,
}

impl<'w> Work<'_, 'w> {
    fn all(&mut self) -> Result<Altered, Stop<'w>> {
        let migrations = self.order.migrations;
        let standing = history::compare(&record::recorded(self.conn, self.location)?, migrations);
        let moves = (self.order.decide)(&standing)?;
        let mut altered = Altered::default();
        if moves.is_empty() {
            return Ok(altered);
        }
        if let Some(lost) = moves.iter().find_map(|one| match one {
            Move::Down(at) if migrations[*at].down.is_none() => Some(&migrations[*at]),
            _ => None,
        }) {
            return Err(no_way_back(lost).into());
        }
        self.applied = standing.applied().into_iter().map(|at| migrations[at].version.as_str()).collect();
        let (stages, _) = migrate::stages_until_fault(migrations, false)?;
        let before = references::violations(self.conn)?;
        record::set_up(self.conn, self.location)?;
        for one in moves {
            let done = self.step(one, &stages)?;
            (self.order.progress)(&done);
            altered.steps.push(done);
        }
        let after = references::violations(self.conn)?;
        if let Some(((table, parent), rows)) = after.iter().find(|(key, rows)| before.get(*key) < Some(*rows)) {
            let more = rows - before.get(&(table.clone(), parent.clone())).copied().unwrap_or(0);
            return Err(Error::environment(format!(
                "{} of `{table}` would reference missing rows of `{parent}`; nothing was changed",
                crate::report::words::count(more, "row")
            ))
            .at(&self.location.shown)
            .hint("fix the migration so that it keeps the referenced rows")
            .into());
        }
        self.remember(&altered)?;
        ledger_tables::set_up_state(self.conn, self.location, None)?;
        if self.applied.is_empty() && altered.steps.iter().any(|done| done.what == What::RolledBack) {
            leave_nothing(self.conn)?;
        }
        if let Some(after) = self.order.after {
            after(survey::of(self.conn, self.location)?)?;
        }
        Ok(altered)
    }

    fn step(&mut self, one: Move, stages: &[Catalog]) -> Result<Done, Stop<'w>> {
        let (at, sql) = match one {
            Move::Up(at) => (at, Some(&self.order.migrations[at].up)),
            Move::Down(at) => (at, self.order.migrations[at].down.as_ref()),
            Move::Stamp(at) | Move::Unstamp(at) => (at, None),
        };
        let migration = &self.order.migrations[at];
        let started = Instant::now();
        let run = |work: &mut Self, what| match sql {
            None => Ok(()),
            Some(sql) => script::run(work.conn, sql).map_err(|failure| match interrupt::error() {
                Some(interrupted) => interrupted.into(),
                None => Stop::Failed { migration, what, failure, took_ms: migrate::millis(started) },
            }),
        };
        let what = match one {
            Move::Up(_) => {
                self.judge_dependencies(migration)?;
                let record = record::table(self.conn, None)?.name;
                match presence(stages, at, &catalog::whole(self.conn, &record)?) {
                    Presence::Whole => What::Found,
                    Presence::Part(difference) => {
                        return Err(in_part(migration, &difference, &self.location.shown).into());
                    }
                    Presence::Absent => {
                        run(self, What::Applied)?;
                        What::Applied
                    }
                }
            }
            Move::Down(_) => {
                run(self, What::RolledBack)?;
                What::RolledBack
            }
            Move::Stamp(_) => What::Stamped,
            Move::Unstamp(_) => What::Unstamped,
        };
        let took_ms = migrate::millis(started);
        let timing = Timing { at: self.order.started, took_ms };
        match what {
            What::Applied => record::applied(self.conn, migration, Origin::Ran, timing),
            What::Found => record::applied(self.conn, migration, Origin::Found, timing),
            What::Stamped => record::applied(self.conn, migration, Origin::Stamped, timing),
            What::RolledBack | What::Unstamped => record::rolled_back(self.conn, migration, self.order.started),
        }?;
        match what {
            What::RolledBack | What::Unstamped => self.applied.remove(migration.version.as_str()),
            What::Applied | What::Found | What::Stamped => self.applied.insert(&migration.version),
        };
        let ran = matches!(what, What::Applied | What::RolledBack);
        Ok(Done { version: migration.version.clone(), what, took_ms, sql: sql.filter(|_| ran).cloned() })
    }

    fn judge_dependencies(&self, migration: &Migration) -> Result<(), Error> {
        match migration.depends.iter().find(|depends| !self.applied.contains(depends.as_str())) {
            None => Ok(()),
            Some(missing) => Err(Error::request(format!(
                "migration `{}` depends on `{missing}`, which is not applied",
                migration.version
            ))
            .at(&migration.path)),
        }
    }

    /// One entry of the audit trail for each step, in this transaction.
    fn remember(&self, altered: &Altered) -> Tried<()> {
        for done in &altered.steps {
            let entry = done.audit_entry(self.order.started)?;
            audit::write(self.conn, &entry, self.order.audit)?;
        }
        Ok(())
    }
}

/// Where the last migration was rolled back and the database holds nothing else, treelift's own
/// tables speak of rows that are gone: they go too, and the tracking table alone tells what was. Rows
/// that were moved aside as orphans belong to the user.
fn leave_nothing(conn: &Connection) -> rusqlite::Result<()> {
    let text = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')";
    let names: Vec<String> = sql::column(conn, text, [])?;
    let record = record::table(conn, None)?.name;
    if names.iter().any(|name| !catalog::is_reserved(name, &record)) {
        return Ok(());
    }
    let is_chosen = state::value(conn, state::RECORD_NAME)?.is_some();
    if catalog::has_table(conn, orphans::TABLE_NAME)? && read::count(conn, orphans::TABLE_NAME)? > 0 {
        return Ok(());
    }
    // Where the set chose the name of the record, that is remembered with it.
    let is_kept = |name: &str| is_chosen && name.eq_ignore_ascii_case(TABLE_NAME);
    let mut own = names.iter().filter(|name| catalog::is_own(name) && !is_kept(name));
    own.try_for_each(|name| conn.execute_batch(&format!("DROP TABLE {}", sql::name(name))))?;
    if is_chosen {
        conn.execute("DELETE FROM treelift_state WHERE name <> ?1", [state::RECORD_NAME])?;
    }
    Ok(())
}

fn down_path(migration: &Migration) -> String {
    migration.path.replace(".up.sql", ".down.sql")
}

fn no_way_back(migration: &Migration) -> Error {
    Error::request(format!("migration `{}` cannot be rolled back: it has no down file", migration.version))
        .at(down_path(migration))
        .hint("write one, or restore a backup from before it")
}

fn failed(migration: &Migration, what: What, failure: &Failure, location: &Location) -> Error {
    let (does, path) = match what {
        What::RolledBack => ("cannot be rolled back", down_path(migration)),
        _ => ("failed", migration.path.clone()),
    };
    Error::environment(format!(
        "migration `{}` {does}, in its statement {}: {}",
        migration.version,
        failure.statement,
        failure.why()
    ))
    .at(format!("{path}, {}", location.shown))
    .hint("nothing was changed; fix the file or the rows, then run it again")
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
