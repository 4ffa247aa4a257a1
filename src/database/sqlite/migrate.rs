//! Runs migrations, and brings the schema of a database that is imported into to where it belongs.
//!
//! A database is validated by its tables, not by its records alone: one that its application made by
//! itself has the tables and no record, and is taken as it is when they are the right ones.

use super::assertion;
use super::catalog;
use super::location::{Fault, Location, Tried};
use super::record;
use super::rehearsal::stages;
use super::script::up;
use crate::database::catalog::Other;
use crate::database::done::{Done, Timing, What, millis};
use crate::database::drift_tables::first_difference;
use crate::database::history::{self, Origin, State};
use crate::database::kept::ForeignTrigger;
use crate::database::presence::{Known, Presence, is_fresh, presence};
use crate::database::schema::{cannot_compare, ids_first, must_be};
use crate::database::{Migration, Opening};
use crate::error::Error;
use crate::table::Schema;
use rusqlite::{Connection, ErrorCode};
use std::time::Instant;

/// A database with its schema set up.
pub(super) struct SetUp {
    /// The live tables.
    pub(super) schema: Schema,
    /// The versions of the set that are not applied and stay so.
    pub(super) pending: Vec<String>,
    /// What was done to set them up.
    pub(super) done: Vec<Done>,
    /// Those of a new database that only serve reading.
    pub(super) after_rows: Vec<Migration>,
    /// Triggers that may reach the written tables and that no migration makes.
    pub(super) foreign: Vec<ForeignTrigger>,
}

/// Makes what is missing, records what is there, and gives back the live tables.
///
/// A new database (one without any of the set's tables), and one whose schema treelift keeps, is brought to the set's last version. One
/// that its application made is used as it is, if it has the tables that mappings write into: what
/// else the set could make of it is its owner's to decide (`schema migrate`).
pub(super) fn set_up(conn: &mut Connection, opening: &Opening, location: &Location) -> Tried<SetUp> {
    let place = location.shown.as_str();
    let migrations = opening.migrations;
    // Where nothing is there yet, it does not matter what there was in between: all are run.
    let (stages, fault) = stages(migrations, catalog::is_empty(conn)?)?;
    fault.map_or(Ok(()), Err)?;
    let standing = history::compare(&record::recorded(conn, location)?, migrations);
    let mut standing = standing.wake(migrations, |table| catalog::has_table(conn, table))?;
    standing.refuse(place)?;
    let is_new = read(conn, opening.schema)?.tables.is_empty();
    record::set_up(conn, location)?;
    let record = record::table(conn, None)?.name;
    let all = is_new || standing.is_kept();
    // Nothing can be there already: what the migrations make there themselves is not looked at.
    let first = catalog::whole(conn, &record)?;
    let is_fresh = is_fresh(&stages, &first);
    let (mut pending, mut done, mut in_parts) = (Vec::new(), Vec::new(), false);
    let begun = standing.clone();
    for at in begun.pending() {
        let migration = &migrations[at];
        let started = Instant::now();
        let known = Known { stages: &stages, first: &first, begun: &begun, standing: &standing };
        let there = if is_fresh { Presence::Absent } else { presence(known, at, &catalog::whole(conn, &record)?) };
        let (origin, what) = match there {
            Presence::Whole => (Origin::Found, What::Found),
            Presence::Absent if all => {
                for line in &migration.ids {
                    if assertion::rows(conn, &line.query)?.is_ok_and(|rows| !rows.is_empty()) {
                        return Err(ids_first(line, place).into());
                    }
                }
                if !up(conn, &record, migration).map_err(|failure| cannot(migration, failure.error, place))? {
                    record::not_needed(conn, migration, Timing { at: opening.started, took_ms: 0 })?;
                    standing.note(at, State::NotNeeded, Origin::Ran);
                    done.push(Done::not_needed(migration));
                    continue; // The record says so.
                }
                (Origin::Ran, What::Applied)
            }
            rest => {
                if let Some(refusal) = rest.refusal(migration, place).filter(|_| all) {
                    return Err(refusal.into());
                }
                in_parts |= rest != Presence::Absent;
                pending.push(migration.version.clone());
                continue; // The import reports that it is pending.
            }
        };
        let took_ms = millis(started);
        let timing = Timing { at: opening.started, took_ms };
        record::applied(conn, migration, origin, timing)?;
        standing.note(at, State::Applied, origin);
        done.push(Done { version: migration.version.clone(), what, took_ms, sql: None });
    }
    stages.last().into_iter().for_each(|last| location.made.note(migrations, last));
    let expected = must_be(opening, &stages, &standing, &pending);
    let live = read(conn, opening.schema)?;
    match first_difference(&expected, &live) {
        None => {
            let is_own = |name: &str, trigger: &Other| {
                stages.iter().any(|stage| stage.others.get(name).is_some_and(|known| known.same_as(trigger)))
            };
            let is_written = |table: &str| opening.written.iter().any(|name| name.eq_ignore_ascii_case(table));
            let foreign = catalog::foreign_triggers(conn, &record, &is_own, &is_written)?;
            let applied = |migration: &Migration| {
                done.iter().any(|one| one.what == What::Applied && one.version == migration.version)
            };
            let after_rows = migrations
                .iter()
                .filter(|migration| is_new && migration.after_rows && applied(migration))
                .cloned()
                .collect();
            Ok(SetUp { schema: live, pending, done, after_rows, foreign })
        }
        Some(difference) => {
            Err(Error::environment(format!("the database's tables do not match the migrations: {difference}"))
                .at(place)
                .hint(if pending.is_empty() || in_parts {
                    "import into a new file, or bring the database to the expected schema first"
                } else {
                    "bring the database to the expected schema with `schema migrate`, or import into a new file"
                })
                .into())
        }
    }
}

/// Gives back the live tables of a database that is only read, and the versions of the set that are not applied.
pub(super) fn look(conn: &mut Connection, opening: &Opening, location: &Location) -> Tried<(Schema, Vec<String>)> {
    let place = location.shown.as_str();
    let migrations = opening.migrations;
    let (stages, fault) = stages(migrations, false)?;
    fault.map_or(Ok(()), Err)?;
    let standing = history::compare(&record::recorded(conn, location)?, migrations);
    let standing = standing.wake(migrations, |table| catalog::has_table(conn, table))?;
    standing.refuse(place)?;
    let live = catalog::whole(conn, &record::table(conn, None)?.name)?;
    let known = Known::at_rest(&stages, &live, &standing);
    let not_there = |at: &usize| !presence(known, *at, &live).may_be_there();
    let pending: Vec<String> =
        standing.pending().into_iter().filter(not_there).map(|at| migrations[at].version.clone()).collect();
    let expected = must_be(opening, &stages, &standing, &pending);
    let live = read(conn, opening.schema)?;
    match first_difference(&expected, &live) {
        None => Ok((live, pending)),
        Some(difference) => Err(cannot_compare(&difference, place).into()),
    }
}

/// The live tables of those that are expected.
pub(super) fn read(conn: &Connection, expected: &Schema) -> rusqlite::Result<Schema> {
    Ok(Schema { tables: catalog::tables(conn, expected.tables.keys().map(String::as_str))? })
}

fn cannot(migration: &Migration, error: rusqlite::Error, place: &str) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation) | None => Error::environment(format!(
            "migration `{}` cannot be applied to this database: something it creates already exists, or something it needs is missing",
            migration.version
        ))
        .at(place)
        .hint("import into a new file, or bring the database to the expected schema first")
        .into(),
        _ => error.into(),
    }
}
