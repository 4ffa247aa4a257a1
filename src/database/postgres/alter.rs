//! Changes the schema: all steps in one transaction, or none.

use super::connect::Session;
use super::migrate::{self, Failure};
use super::opened;
use super::place::{Fault, Place, Tried};
use super::record::{self, Timing};
use super::{audit, catalog, ledger_tables, sql, state, survey};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Catalog;
use crate::database::history::{self, Origin};
use crate::database::own::{is_own, is_records};
use crate::database::presence::{Presence, presence};
use crate::database::schema::in_part;
use crate::database::state::TABLE_NAME;
use crate::database::upkeep::{Altered, Done, Move, Order, What};
use crate::database::{Migration, Mode};
use crate::error::Error;
use crate::interrupt;
use std::collections::BTreeSet;
use std::time::Instant;

/// Carries an order out.
pub(super) fn alter(place: &Place, order: &Order<'_>) -> Tried<Altered> {
    let session = opened::begin(place, &BTreeSet::new())?;
    let ended = Work { session: &session, order, applied: BTreeSet::new() }.all();
    match ended {
        Ok(altered) if order.mode == Mode::Real && !altered.steps.is_empty() => {
            opened::commit(&session)?;
            Ok(altered)
        }
        Ok(altered) => {
            session.run("ROLLBACK")?;
            Ok(altered)
        }
        // The end of the connection rolls back as well.
        Err(Stop::Asked(fault)) => Err(fault),
        Err(Stop::Failed { migration, what, failure, took_ms }) => {
            drop(session);
            let error = failed(migration, what, &failure, place);
            if order.mode == Mode::Real && what == What::Applied {
                // What went wrong is told in any case; that it could not be recorded is less than that.
                let timing = Timing { at: order.started, took_ms };
                let _ = alone(place, |session| {
                    record::set_up(session)?;
                    record::failed(session, migration, timing, &error.message)
                });
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
    session: &'c Session,
    order: &'w Order<'w>,
    /// Versions that are applied by now.
    applied: BTreeSet<&'w str>,
}

impl<'w> Work<'_, 'w> {
    fn all(&mut self) -> Result<Altered, Stop<'w>> {
        let (session, migrations) = (self.session, self.order.migrations);
        let standing = history::compare(&record::recorded(session)?, migrations);
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
        let (stages, _) = migrate::stages(&session.place, migrations)?;
        record::set_up(session)?;
        for one in moves {
            let done = self.step(one, &stages)?;
            (self.order.progress)(&done);
            altered.steps.push(done);
        }
        for done in &altered.steps {
            audit::write(session, &done.audit_entry(self.order.started)?, self.order.audit)?;
        }
        ledger_tables::set_up_state(session, None)?;
        if self.applied.is_empty() && altered.steps.iter().any(|done| done.what == What::RolledBack) {
            leave_nothing(session)?;
        }
        if let Some(after) = self.order.after {
            after(survey::of(session)?)?;
        }
        Ok(altered)
    }

    fn step(&mut self, one: Move, stages: &[Catalog]) -> Result<Done, Stop<'w>> {
        let (at, sql) = match one {
            Move::Up(at) => (at, Some(&self.order.migrations[at].up)),
            Move::Down(at) => (at, self.order.migrations[at].down.as_ref()),
            Move::Stamp(at) | Move::Unstamp(at) => (at, None),
        };
        let session = self.session;
        let migration = &self.order.migrations[at];
        let started = Instant::now();
        let run = |what| match sql {
            None => Ok(()),
            Some(sql) => migrate::run(session, sql).map_err(|failure| match interrupt::error() {
                Some(interrupted) => interrupted.into(),
                None => Stop::Failed { migration, what, failure, took_ms: migrate::millis(started) },
            }),
        };
        let what = match one {
            Move::Up(_) => {
                self.judge_dependencies(migration)?;
                let record = record::table(session, None)?.name;
                match presence(stages, at, &catalog::whole(session, &session.schema, &record)?) {
                    Presence::Whole => What::Found,
                    Presence::Part(difference) => {
                        return Err(in_part(migration, &difference, session.place.shown()).into());
                    }
                    Presence::Absent => {
                        run(What::Applied)?;
                        What::Applied
                    }
                }
            }
            Move::Down(_) => {
                run(What::RolledBack)?;
                What::RolledBack
            }
            Move::Stamp(_) => What::Stamped,
            Move::Unstamp(_) => What::Unstamped,
        };
        let took_ms = migrate::millis(started);
        let timing = Timing { at: self.order.started, took_ms };
        match what {
            What::Applied => record::applied(session, migration, Origin::Ran, timing),
            What::Found => record::applied(session, migration, Origin::Found, timing),
            What::Stamped => record::applied(session, migration, Origin::Stamped, timing),
            What::RolledBack | What::Unstamped => record::rolled_back(session, migration, self.order.started),
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
}

/// Where the last migration was rolled back and the schema holds nothing else, treelift's own tables speak of rows that
/// are gone: they go too, and the tracking table alone tells what was.
fn leave_nothing(session: &Session) -> Tried<()> {
    let names = catalog::table_names(session)?;
    let record = record::table(session, None)?.name;
    if names.iter().any(|name| !is_records(name, &record)) {
        return Ok(());
    }
    let is_chosen = state::value(session, state::RECORD_NAME)?.is_some();
    // Where the set chose the name of the record, that is remembered with it.
    let is_kept = |name: &str| is_chosen && name == TABLE_NAME;
    for name in names.iter().filter(|name| is_own(name) && !is_kept(name)) {
        session.run(&format!("DROP TABLE {}", sql::name(name)))?;
    }
    if is_chosen {
        session.execute("DELETE FROM treelift_state WHERE name <> $1", &[Some(state::RECORD_NAME)])?;
    }
    Ok(())
}

fn down_path(migration: &Migration) -> String {
    migration.path.replace(".up.", ".down.")
}

fn no_way_back(migration: &Migration) -> Error {
    Error::request(format!("migration `{}` cannot be rolled back: it has no down file", migration.version))
        .at(down_path(migration))
        .hint("write one, or restore a backup from before it")
}

fn failed(migration: &Migration, what: What, failure: &Failure, place: &Place) -> Error {
    let (does, path) = match what {
        What::RolledBack => ("cannot be rolled back", down_path(migration)),
        _ => ("failed", migration.path.clone()),
    };
    Error::environment(format!("migration `{}` {does}: {}", migration.version, failure.why()))
        .at(format!("{}, {}", failure.place(&path), place.shown()))
        .hint("nothing was changed; fix the file or the rows, then run it again")
}

/// Does something in a transaction of its own.
fn alone(place: &Place, work: impl FnOnce(&Session) -> Tried<()>) -> Tried<()> {
    let session = opened::begin(place, &BTreeSet::new())?;
    work(&session)?;
    opened::commit(&session)
}

/// Writes one entry of the audit trail in a transaction of its own.
pub(super) fn note(place: &Place, entry: &AuditEntry, table: Option<&AuditTable>) -> Tried<()> {
    alone(place, |session| audit::write(session, entry, table))
}

/// Brings a database to this version's format in a transaction of its own.
pub(super) fn upgrade(place: &Place, id: Option<&str>) -> Tried<()> {
    alone(place, |session| ledger_tables::set_up_state(session, id))
}
