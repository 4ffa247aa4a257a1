//! What migrations make: the files run in a schema of their own, in a transaction that is rolled back, and the catalog is
//! read before it is. It is never read from SQL text.

use super::connect::Session;
use super::place::{Fault, Outside, Place, Tried};
use super::reach::reaching;
use super::script::{FORBIDDEN, Failure, is_needed, run, up};
use super::{assertion, catalog, ledger_tables, record, sql};
use crate::database::Migration;
use crate::database::catalog::Catalog;
use crate::database::history;
use crate::database::query::BadQuery;
use crate::database::schema::check_order;
use crate::database::tokens::Tokens;
use crate::error::{Error, Result};
use crate::hex;
use crate::interrupt;
use crate::mapping::codes;
use postgres::error::SqlState;
use std::collections::BTreeSet;
use std::sync::PoisonError;

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
    let (session, schema) = begin(place)?;
    let outside = Outside::of(&session, &schema)?;
    let (mut earlier, mut stages) = (BTreeSet::new(), Vec::with_capacity(migrations.len()));
    for migration in migrations {
        check_order(migration, &mut earlier)?;
        if let Err(failure) = up(&session, migration) {
            interrupt::check()?;
            if failure.is_lost() {
                return Err(failure.error.into());
            }
            return Ok((stages, Some(wrong(migration, &failure))));
        }
        if let Some(reached) = outside.reached_table(&session)? {
            return Ok((stages, Some(reaching(migration, &migration.path, &reached))));
        }
        stages.push(catalog::whole(&session, &schema, history::RECORD)?);
    }
    if let Some(last) = stages.last_mut() {
        catalog::add_made(&session, &schema, last)?;
    }
    session.run("ROLLBACK")?;
    session.close()?;
    Ok((stages, None))
}

/// Refuses migrations that reach out of their schema, on their way back too: what `schema test` runs is committed.
pub(super) fn refuse_reaching(place: &Place, migrations: &[Migration]) -> Tried<()> {
    let (session, schema) = begin(place)?;
    let outside = Outside::of(&session, &schema)?;
    let ups = migrations.iter().map(|one| (one, one.path.clone(), Some(&one.up)));
    let downs = migrations.iter().rev().map(|one| (one, one.down_path(), one.down.as_ref()));
    for (migration, path, text) in ups.chain(downs) {
        // What does not run is told by the test itself.
        let Some(text) = text else { break };
        let ran = is_needed(&session, migration).and_then(|needed| if needed { run(&session, text) } else { Ok(()) });
        if let Err(failure) = ran {
            interrupt::check()?;
            return if failure.is_lost() { Err(failure.error.into()) } else { Ok(()) };
        }
        if let Some(reached) = outside.reached(&session)? {
            return Err(reaching(migration, &path, &reached).into());
        }
    }
    session.run("ROLLBACK")?;
    session.close()
}

/// What is wrong with each query on the tables that the migrations make.
pub(super) fn refused(place: &Place, migrations: &[Migration], queries: &[&str]) -> Tried<Vec<Option<BadQuery>>> {
    let (mut session, schema) = begin(place)?;
    session.stand_in(schema);
    record::set_up(&session)?;
    for migration in migrations {
        // What is wrong with the migrations is reported when the tables are read.
        if let Err(failure) = up(&session, migration) {
            interrupt::check()?;
            return if failure.is_lost() { Err(failure.error.into()) } else { Ok(vec![None; queries.len()]) };
        }
    }
    ledger_tables::set_up(&session)?;
    let mut refused = Vec::with_capacity(queries.len());
    for query in queries {
        let has = |is_it: &dyn Fn(&str) -> bool| {
            Tokens::of(query.trim_end().trim_end_matches(';')).any(|token| is_it(&token))
        };
        let is_parameter = |token: &str| token.strip_prefix('$').is_some_and(|number| number.parse::<u16>().is_ok());
        refused.push(match assertion::rows(&session, query)? {
            Err(_) if has(&|token| token == ";") => Some(BadQuery::Several),
            Err(_) if has(&is_parameter) => Some(BadQuery::Parameter),
            Ok(_) => None,
            Err(error) => match error.as_db_error() {
                Some(server) => assertion::bad(server),
                None => return Err(error.into()),
            },
        });
    }
    session.run("ROLLBACK")?;
    session.close()?;
    Ok(refused)
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";

/// Begins a transaction in a schema of its own.
fn begin(place: &Place) -> Tried<(Session, String)> {
    let session = Session::open(place)?;
    // What others do meanwhile is not seen, and so not taken for the migrations' work.
    session.run(BEGIN)?;
    let schema = match scratch(&session) {
        Err(Fault::Postgres(error)) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            session.run("ROLLBACK")?;
            session.run(BEGIN)?;
            temporary(&session)?
        }
        made => made?,
    };
    Ok((session, schema))
}

/// A name that no schema has.
pub(super) fn new_name(purpose: &str) -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| Error::environment("the system's random source failed"))?;
    Ok(format!("treelift_{purpose}_{}", hex::encode(bytes)))
}

/// A schema that nobody has seen, before those of the installed extensions.
fn scratch(session: &Session) -> Tried<String> {
    let schema = new_name("scratch")?;
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
    session.search_in(with_extensions(session, schema)?)
}

/// A schema, and those of the installed extensions behind it.
pub(super) fn with_extensions(session: &Session, schema: &str) -> Tried<String> {
    let text = "SELECT DISTINCT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                WHERE n.nspname <> 'pg_catalog' ORDER BY 1";
    let extensions: Vec<String> = session.query(text, &[])?.iter().map(|row| row.get(0)).collect();
    let all: Vec<String> = std::iter::once(schema.to_owned()).chain(extensions).collect();
    Ok(sql::names(&all))
}

fn wrong(migration: &Migration, failure: &Failure) -> Error {
    let version = &migration.version;
    let why = failure.why();
    let (code, message) = if why == FORBIDDEN {
        (&codes::MIGRATION_FORBIDDEN, format!("migration `{version}` does more than create and fill tables: {why}"))
    } else {
        (&codes::MIGRATION_SQL, format!("migration `{version}` is not valid SQL: {why}"))
    };
    let excerpt = failure.excerpt(&migration.up, &message);
    Error::request(message).coded(code.id).at(failure.place(&migration.path)).showing(excerpt)
}
