//! Runs migrations: in a schema of their own to learn what they make, and on a database that is imported into.
//!
//! What the tables will be is never read from SQL text. The files run in a transaction that is rolled back, and the
//! catalog is read before it is.

use super::connect::Session;
use super::place::{Fault, Place, Tried};
use super::record::{self, Timing};
use super::{catalog, sql, words};
use crate::database::catalog::{Catalog, Other};
use crate::database::drift_tables::first_difference;
use crate::database::history::{self, Origin};
use crate::database::kept::ForeignTrigger;
use crate::database::presence::{Presence, presence};
use crate::database::schema::{check_order, in_part, must_be};
use crate::database::upkeep::{Done, What};
use crate::database::{Migration, Opening};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::hex;
use crate::interrupt;
use crate::mapping::codes;
use crate::table::Schema;
use postgres::error::{DbError, ErrorPosition, SqlState};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::Instant;

/// A migration that did not run.
pub(super) struct Failure {
    /// The line of its file, where the server tells it.
    line: Option<usize>,
    pub(super) error: postgres::Error,
}

/// What a migration may not do: it would leave the transaction.
const FORBIDDEN: &str = "a migration must not use BEGIN, COMMIT, ROLLBACK or SAVEPOINT";

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

/// The same as [`stages`], or the last alone.
pub(super) fn stages_of(
    place: &Place,
    migrations: &[Migration],
    only_last: bool,
) -> Result<(Vec<Catalog>, Option<Error>)> {
    let (mut stages, fault) = stages(place, migrations)?;
    if only_last && fault.is_none() {
        stages = stages.pop().into_iter().collect();
    }
    Ok((stages, fault))
}

/// What there is after each migration, up to the first that does not run by itself; and why that one does not.
pub(super) fn stages(place: &Place, migrations: &[Migration]) -> Result<(Vec<Catalog>, Option<Error>)> {
    let key: Vec<String> = migrations.iter().map(|one| format!("{} {}", one.version, one.checksum)).collect();
    if let Some(known) = place.stages.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok((known.clone(), None));
    }
    let (stages, fault) = in_scratch(place, migrations).map_err(|fault| place.words(fault))?;
    if fault.is_none() {
        place.stages.lock().unwrap_or_else(PoisonError::into_inner).insert(key, stages.clone());
    }
    Ok((stages, fault))
}

fn in_scratch(place: &Place, migrations: &[Migration]) -> Tried<(Vec<Catalog>, Option<Error>)> {
    let session = Session::open(place)?;
    session.run("BEGIN")?;
    let schema = match scratch(&session) {
        Err(Fault::Postgres(error)) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            session.run("ROLLBACK; BEGIN")?;
            temporary(&session)?
        }
        made => made?,
    };
    let before = outside(&session, &schema)?;
    let (mut earlier, mut stages) = (BTreeSet::new(), Vec::with_capacity(migrations.len()));
    for migration in migrations {
        check_order(migration, &mut earlier)?;
        if let Err(failure) = run(&session, &migration.up) {
            interrupt::check()?;
            if failure.is_lost() {
                return Err(failure.error.into());
            }
            return Ok((stages, Some(wrong(migration, &failure))));
        }
        if let Some(reached) = reached(&session, &schema, &before)? {
            return Ok((stages, Some(reaching(migration, &reached))));
        }
        stages.push(catalog::whole(&session, &schema, history::RECORD)?);
    }
    session.run("ROLLBACK")?;
    session.close()?;
    Ok((stages, None))
}

/// A schema that nobody has seen, before those of the installed extensions.
fn scratch(session: &Session) -> Tried<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| Error::environment("the system's random source failed"))?;
    let schema = format!("treelift_scratch_{}", hex::encode(bytes));
    session.run(&format!("CREATE SCHEMA {}", sql::name(&schema)))?;
    search(session, &schema)?;
    Ok(schema)
}

/// The schema of the session's temporary tables, for a user who may make no other.
fn temporary(session: &Session) -> Tried<String> {
    session.run("CREATE TEMP TABLE treelift_first () ON COMMIT DROP; DROP TABLE pg_temp.treelift_first")?;
    let text = "SELECT nspname::text FROM pg_namespace WHERE oid = pg_my_temp_schema()";
    let schema = session.first(text, &[])?.map(|row| row.get(0));
    let schema: String = schema.ok_or_else(|| Error::bug("the session has no temporary schema"))?;
    search(session, "pg_temp")?;
    Ok(schema)
}

fn search(session: &Session, schema: &str) -> Tried<()> {
    let text = "SELECT DISTINCT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                WHERE n.nspname <> 'pg_catalog' ORDER BY 1";
    let extensions: Vec<String> = session.query(text, &[])?.iter().map(|row| row.get(0)).collect();
    let all: Vec<String> = std::iter::once(schema.to_owned()).chain(extensions).collect();
    session.search_in(sql::names(&all))
}

/// The tables, views, indexes and sequences outside of a schema, by number, but for the server's own.
fn outside(session: &Session, schema: &str) -> Tried<BTreeMap<u32, String>> {
    let text =
        "SELECT c.oid, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname <> $1 AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";
    Ok(session.query(text, &[Some(schema)])?.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// What of those the transaction has made or locked. What it dropped is named by what was there before.
fn reached(session: &Session, schema: &str, before: &BTreeMap<u32, String>) -> Tried<Option<String>> {
    let now = outside(session, schema)?;
    if let Some((_, made)) = now.into_iter().find(|(number, _)| !before.contains_key(number)) {
        return Ok(Some(made));
    }
    let text = "SELECT DISTINCT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let locked = session.query(text, &[])?;
    let mut names: Vec<&String> = locked.iter().filter_map(|row| before.get(&row.get::<_, u32>(0))).collect();
    names.sort();
    Ok(names.first().map(|name| (*name).clone()))
}

fn reaching(migration: &Migration, what: &str) -> Error {
    let message =
        format!("migration `{}` reaches `{}`, which no migration of the set makes", migration.version, printable(what));
    Error::request(message)
        .coded(codes::MIGRATION_FORBIDDEN.id)
        .at(&migration.path)
        .hint("name tables without a schema, and drop or change only what an earlier migration makes")
}

fn wrong(migration: &Migration, failure: &Failure) -> Error {
    let version = &migration.version;
    let why = failure.why();
    let (code, message) = if why == FORBIDDEN {
        (&codes::MIGRATION_FORBIDDEN, format!("migration `{version}` does more than create and fill tables: {why}"))
    } else {
        (&codes::MIGRATION_SQL, format!("migration `{version}` is not valid SQL: {why}"))
    };
    Error::request(message).coded(code.id).at(failure.place(&migration.path))
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

pub(super) fn millis(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}
