//! Sets up the schema of a database that is imported into.

use super::connect::Session;
use super::place::{Fault, Tried};
use super::script::{Failure, up};
use super::stages::stages;
use super::{assertion, catalog, record};
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
use std::collections::BTreeSet;
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
    /// The tables that this transaction made.
    pub(super) made: BTreeSet<String>,
}

/// Makes what is missing, records what is there, and gives back the live tables.
///
/// A new database (one without any of the set's tables), and one whose schema treelift keeps, is brought to the set's
/// last version. One that its application made is used as it is, if it has the tables that mappings write into: what
/// else the set could make of it is its owner's to decide (`schema migrate`).
pub(super) fn set_up(session: &Session, opening: &Opening) -> Tried<SetUp> {
    let place = session.place.shown();
    let migrations = opening.migrations;
    let (stages, fault) = stages(&session.place, migrations)?;
    fault.map_or(Ok(()), Err)?;
    let standing = history::compare(&record::recorded(session)?, migrations);
    let mut standing = standing.wake(migrations, |table| catalog::has_table(session, table))?;
    standing.refuse(place)?;
    let before: BTreeSet<String> = catalog::table_names(session)?.into_iter().collect();
    let is_new = !opening.schema.tables.keys().any(|name| before.contains(name));
    record::set_up(session)?;
    let record = record::table(session, None)?.name;
    let live = || catalog::whole(session, &session.schema, &record);
    let all = is_new || standing.is_kept();
    // Nothing can be there already: what the migrations make there themselves is not looked at.
    let first = live()?;
    let is_fresh = is_fresh(&stages, &first);
    let (mut pending, mut done, mut in_parts) = (Vec::new(), Vec::new(), false);
    let begun = standing.clone();
    for at in begun.pending() {
        let migration = &migrations[at];
        let started = Instant::now();
        let known = Known { stages: &stages, first: &first, begun: &begun, standing: &standing };
        let there = if is_fresh { Presence::Absent } else { presence(known, at, &live()?) };
        let (origin, what) = match there {
            Presence::Whole => (Origin::Found, What::Found),
            Presence::Absent if all => {
                for line in &migration.ids {
                    if assertion::all(session, &line.query, None)?.is_ok_and(|rows| !rows.is_empty()) {
                        return Err(ids_first(line, place).into());
                    }
                }
                if !up(session, migration).map_err(|failure| cannot(migration, failure, place))? {
                    record::not_needed(session, migration, Timing { at: opening.started, took_ms: 0 })?;
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
        record::applied(session, migration, origin, Timing { at: opening.started, took_ms })?;
        standing.note(at, State::Applied, origin);
        done.push(Done { version: migration.version.clone(), what, took_ms, sql: None });
    }
    let expected = must_be(opening, &stages, &standing, &pending);
    let live = live()?;
    if let Some(difference) = first_difference(&expected, &live.schema) {
        let hint = if pending.is_empty() || in_parts {
            "import into a new database, or bring this one to the expected schema first"
        } else {
            "bring the database to the expected schema with `schema migrate`, or import into a new one"
        };
        let message = format!("the database's tables do not match the migrations: {difference}");
        return Err(Error::environment(message).at(place).hint(hint).into());
    }
    let is_own = |name: &str, trigger: &Other| {
        stages.iter().any(|stage| stage.others.get(name).is_some_and(|known| known.same_as(trigger)))
    };
    let is_written = |table: &str| opening.written.contains(table);
    let foreign = catalog::foreign_triggers(&live, &is_own, &is_written);
    let applied =
        |migration: &Migration| done.iter().any(|one| one.what == What::Applied && one.version == migration.version);
    let after_rows = migrations.iter().filter(|one| is_new && one.after_rows && applied(one)).cloned().collect();
    let made = live.schema.tables.keys().filter(|name| !before.contains(*name)).cloned().collect();
    let mut schema = live.schema;
    schema.tables.retain(|name, _| opening.schema.tables.contains_key(name));
    Ok(SetUp { schema, pending, done, after_rows, foreign, made })
}

/// Gives back the live tables of a database that is only read, and the versions of the set that are not applied.
pub(super) fn look(session: &Session, opening: &Opening) -> Tried<(Schema, Vec<String>)> {
    let place = session.place.shown();
    let migrations = opening.migrations;
    let (stages, fault) = stages(&session.place, migrations)?;
    fault.map_or(Ok(()), Err)?;
    let standing = history::compare(&record::recorded(session)?, migrations);
    let standing = standing.wake(migrations, |table| catalog::has_table(session, table))?;
    standing.refuse(place)?;
    let record = record::table(session, None)?.name;
    let live = catalog::whole(session, &session.schema, &record)?;
    let known = Known::at_rest(&stages, &live, &standing);
    let not_there = |at: &usize| !presence(known, *at, &live).may_be_there();
    let pending: Vec<String> =
        standing.pending().into_iter().filter(not_there).map(|at| migrations[at].version.clone()).collect();
    let expected = must_be(opening, &stages, &standing, &pending);
    if let Some(difference) = first_difference(&expected, &live.schema) {
        return Err(cannot_compare(&difference, place).into());
    }
    let mut schema = live.schema;
    schema.tables.retain(|name, _| opening.schema.tables.contains_key(name));
    Ok((schema, pending))
}

fn cannot(migration: &Migration, failure: Failure, place: &str) -> Fault {
    if failure.error.as_db_error().is_none() || failure.is_lost() {
        return failure.error.into();
    }
    Error::environment(format!(
        "migration `{}` cannot be applied to this database: {}",
        migration.version,
        failure.why()
    ))
    .at(format!("{}, {place}", failure.place(&migration.path)))
    .hint("import into a new database, or bring this one to the expected schema first")
    .into()
}
