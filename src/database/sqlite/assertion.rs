//! Asks the queries of a mapping set, which may read and nothing else.

use super::connect::authorized;
use super::location::{Location, Tried};
use super::{ledger_tables, record, script, words};
use crate::database::Migration;
use crate::database::query::{Asked, BadQuery};
use crate::error::Result;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ErrorCode, Statement};
use std::path::PathBuf;

/// So many rows are counted.
const MOST: u64 = 1_000;

/// Why a query gave no count.
enum Refusal {
    Bad(BadQuery),
    Database(rusqlite::Error),
}

/// Counts the rows of a query.
pub(super) fn ask(conn: &mut Connection, query: &str) -> rusqlite::Result<Asked> {
    let asked = reading_only(conn, |conn| {
        let mut statement = prepare(conn, query)?;
        let mut rows = statement.raw_query();
        let mut found = 0;
        while found < MOST && rows.next().map_err(Refusal::Database)?.is_some() {
            found += 1;
        }
        Ok(found)
    })?;
    match asked {
        Ok(rows) => Ok(Ok(rows)),
        Err(Refusal::Bad(bad)) => Ok(Err(bad.to_string())),
        Err(Refusal::Database(error)) => match error.sqlite_error_code() {
            // A function failed on the values of a row, which SQLite's text may name.
            Some(ErrorCode::AuthorizationForStatementDenied) => Ok(Err(BadQuery::Forbidden.to_string())),
            Some(ErrorCode::Unknown | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
                Ok(Err(format!("{} ended the query", words::of_values(&error))))
            }
            _ => Err(error),
        },
    }
}

/// What is wrong with each query on a database in memory that the migrations made.
pub(in crate::database) fn refused(
    migrations: &[Migration],
    record: Option<&str>,
    queries: &[&str],
) -> Result<Vec<Option<BadQuery>>> {
    let location =
        Location { path: PathBuf::new(), shown: "the schema in memory".to_owned(), record: record.map(str::to_owned) };
    refused_in_memory(migrations, &location, queries).map_err(|fault| location.words(fault))
}

fn refused_in_memory(migrations: &[Migration], location: &Location, queries: &[&str]) -> Tried<Vec<Option<BadQuery>>> {
    let mut conn = Connection::open_in_memory()?;
    conn.execute_batch("PRAGMA foreign_keys = OFF; BEGIN")?;
    record::set_up(&conn, location)?;
    for migration in migrations {
        // What is wrong with the migrations is reported when the tables are read.
        if script::run(&mut conn, &migration.up).is_err() {
            return Ok(vec![None; queries.len()]);
        }
    }
    ledger_tables::set_up(&conn, location)?;
    let mut refused = Vec::with_capacity(queries.len());
    for query in queries {
        refused.push(match reading_only(&mut conn, |conn| prepare(conn, query).map(drop))? {
            Ok(()) => None,
            Err(Refusal::Bad(bad)) => Some(bad),
            Err(Refusal::Database(error)) => return Err(error.into()),
        });
    }
    Ok(refused)
}

fn prepare<'c>(conn: &'c Connection, query: &str) -> Result<Statement<'c>, Refusal> {
    let statement = conn.prepare(query).map_err(|error| match &error {
        rusqlite::Error::MultipleStatement => Refusal::Bad(BadQuery::Several),
        _ if error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied) => {
            Refusal::Bad(BadQuery::Forbidden)
        }
        // No row was seen yet: SQLite's words are about the query.
        _ => match words::text_of_sql(&error) {
            Some(text) => Refusal::Bad(BadQuery::Invalid(text.to_owned())),
            None => Refusal::Database(error),
        },
    })?;
    if !statement.readonly() {
        return Err(Refusal::Bad(BadQuery::Forbidden));
    }
    if statement.parameter_count() > 0 {
        return Err(Refusal::Bad(BadQuery::Parameter));
    }
    if statement.column_count() == 0 {
        return Err(Refusal::Bad(BadQuery::Invalid("it returns no columns".to_owned())));
    }
    Ok(statement)
}

/// Runs something with an authorizer that lets tables be read and nothing else.
fn reading_only<T>(
    conn: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, Refusal>,
) -> rusqlite::Result<Result<T, Refusal>> {
    let may = |context: AuthContext<'_>| match context.action {
        // A pragma is a table to read as well, and some change something.
        AuthAction::Read { table_name, .. } if table_name.to_ascii_lowercase().starts_with("pragma_") => {
            Authorization::Deny
        }
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Function { .. } | AuthAction::Recursive => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    };
    authorized(conn, may, |conn| work(conn))
}
