//! Runs migrations, and sets up the schema of a database that is imported into.

use super::connect::Session;
use super::place::{Fault, Tried};
use super::record;
use super::stages::stages;
use super::{catalog, words};
use crate::database::alter::{Timing, millis};
use crate::database::catalog::Other;
use crate::database::drift_tables::first_difference;
use crate::database::history::{self, Origin};
use crate::database::kept::ForeignTrigger;
use crate::database::presence::{Presence, presence};
use crate::database::schema::{in_part, must_be};
use crate::database::upkeep::{Done, What};
use crate::database::{Migration, Opening};
use crate::error::Error;
use crate::finding::printable;
use crate::table::Schema;
use postgres::error::{DbError, ErrorPosition, SqlState};
use std::collections::BTreeSet;
use std::time::Instant;

/// A migration that did not run.
pub(super) struct Failure {
    /// The line of its file, where the server tells it.
    line: Option<usize>,
    pub(super) error: postgres::Error,
}

/// What a migration may not do: it would leave the transaction.
pub(super) const FORBIDDEN: &str = "a migration must not use BEGIN, COMMIT, ROLLBACK or SAVEPOINT";

impl Failure {
    /// The server's words as far as they can only speak of names: those about SQL, and of constraints.
    pub(super) fn why(&self) -> String {
        let Some(server) = self.error.as_db_error() else { return words::fault(&self.error, "").message };
        match server.code() {
            // The part of the server that executes what a function puts together; its words follow the language.
            &SqlState::FEATURE_NOT_SUPPORTED if server.routine() == Some("exec_stmt_dynexecute") => {
                FORBIDDEN.to_owned()
            }
            code if code.code().starts_with("P0") => "it raises an error".to_owned(),
            _ if words::is_of_server(&self.error) => words::fault(&self.error, "").message,
            _ if !is_about_the_file(server) => {
                format!("it meets rows that it cannot change (SQLSTATE {})", server.code().code())
            }
            &SqlState::ACTIVE_SQL_TRANSACTION => format!(
                "{}; everything is one transaction, so CREATE INDEX without CONCURRENTLY, and VACUUM by hand afterwards",
                printable(server.message())
            ),
            &SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE => {
                "a value that ALTER TYPE added is used in the same transaction; make the type with all of its values"
                    .to_owned()
            }
            _ if words::is_of_sql(server) => printable(server.message()),
            code if code.code().starts_with("23") => match server.constraint() {
                Some(name) => format!("existing rows violate it (`{}`)", printable(name)),
                None => "existing rows violate it".to_owned(),
            },
            _ => words::fault(&self.error, "").message,
        }
    }

    /// Whether a signal, or the way to the server, ended it.
    pub(super) fn is_lost(&self) -> bool {
        words::is_lost(&self.error)
    }

    /// `file:line`, where the line is known.
    pub(super) fn place(&self, path: &str) -> String {
        self.line.map_or_else(|| path.to_owned(), |line| format!("{path}:{line}"))
    }
}

/// Whether the server speaks of the file alone: a function that it calls, or a trigger, may put values of rows into its
/// words. What executes the file is the one function that there always is.
fn is_about_the_file(server: &DbError) -> bool {
    server.where_().is_none_or(|context| context.matches("PL/pgSQL").count() <= 1)
}

/// Runs a migration's SQL. A function executes it, so that no statement in it can end the transaction.
pub(super) fn run(session: &Session, sql: &str) -> Result<(), Failure> {
    let free = |word: &str| {
        let mut tags = (0..=sql.len()).map(|at| format!("${word}{at}$"));
        tags.find(|tag| !sql.contains(tag.as_str())).expect("a text has fewer tags than letters")
    };
    let (body, file) = (free("treelift_do"), free("treelift"));
    let text = format!("DO {body} BEGIN EXECUTE {file}{sql}{file}; END {body}");
    let ran = session.try_run(&text).map_err(|error| {
        let line = match error.as_db_error().and_then(|server| server.position()) {
            Some(ErrorPosition::Internal { position, query }) if query == sql => {
                let before = query.chars().take((*position as usize).saturating_sub(1));
                Some(before.filter(|letter| *letter == '\n').count() + 1)
            }
            _ => None,
        };
        Failure { line, error }
    });
    // What a file sets, as the first lines of a dump do, is not for those that follow it.
    ran.and_then(|()| session.settle_in().map_err(|error| Failure { line: None, error }))
}

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
    standing.refuse(place)?;
    let before: BTreeSet<String> = catalog::table_names(session)?.into_iter().collect();
    let is_new = !opening.schema.tables.keys().any(|name| before.contains(name));
    record::set_up(session)?;
    let record = record::table(session, None)?.name;
    let live = || catalog::whole(session, &session.schema, &record);
    let all = is_new || standing.is_kept();
    let (mut pending, mut done, mut in_parts) = (Vec::new(), Vec::new(), false);
    for at in standing.pending() {
        let migration = &migrations[at];
        let started = Instant::now();
        let (origin, what) = match presence(&stages, at, &live()?) {
            Presence::Whole => (Origin::Found, What::Found),
            Presence::Part(difference) if all => return Err(in_part(migration, &difference, place).into()),
            Presence::Absent if all => {
                run(session, &migration.up).map_err(|failure| cannot(migration, failure, place))?;
                (Origin::Ran, What::Applied)
            }
            rest => {
                in_parts |= rest != Presence::Absent;
                pending.push(migration.version.clone());
                continue; // The import reports that it is pending.
            }
        };
        let took_ms = millis(started);
        record::applied(session, migration, origin, Timing { at: opening.started, took_ms })?;
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
