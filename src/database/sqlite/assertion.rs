//! Asks the queries of a mapping set, which may read and nothing else.

use super::connect::authorized;
use super::{read, sql, words};
use crate::database::Cell;
use crate::database::query::{Asked, BadQuery, Column, Found, MOST, Planned, Unasked, key_of};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{ColumnMetadata, Connection, ErrorCode, Statement};

/// Why a query gave no rows.
enum Refusal {
    Bad(BadQuery),
    Database(rusqlite::Error),
}

/// The rows of a query.
pub(super) fn ask(conn: &mut Connection, query: &str) -> rusqlite::Result<Asked> {
    let mut asked = answer(conn, |conn| {
        let mut statement = prepare(conn, query)?;
        let columns: Vec<Column> = statement.columns_with_metadata().map(|column| column_of(&column)).collect();
        let (mut found, mut rows) = (Vec::new(), statement.raw_query());
        while found.len() < MOST
            && let Some(row) = rows.next().map_err(Refusal::Database)?
        {
            let cell = |at| Ok(read::cell(row.get_ref(at)?).text());
            found.push((0..columns.len()).map(cell).collect::<rusqlite::Result<_>>().map_err(Refusal::Database)?);
        }
        drop(rows);
        Ok(Found { columns, rows: found, key: None })
    })?;
    if let Ok(found) = &mut asked {
        let key = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
        found.key = key_of(&found.columns, |table| sql::column(conn, key, [table]))?;
    }
    Ok(asked)
}

/// All rows of a query.
pub(super) fn rows(conn: &mut Connection, query: &str) -> rusqlite::Result<Result<Vec<Vec<Cell>>, Unasked>> {
    answer(conn, |conn| {
        let mut statement = prepare(conn, query)?;
        let many = statement.column_count();
        let rows = statement.query_map([], |row| read::cells(row, 0..many)).map_err(Refusal::Database)?;
        rows.collect::<rusqlite::Result<_>>().map_err(Refusal::Database)
    })
}

fn column_of(column: &ColumnMetadata<'_>) -> Column {
    let origin = column.table_name().zip(column.origin_name());
    Column {
        name: column.name().to_owned(),
        origin: origin.map(|(table, column)| (table.to_owned(), column.to_owned())),
    }
}

/// The indexes by which SQLite goes: it takes one wherever one fits, however small the table is.
pub(super) fn plan(conn: &mut Connection, query: &str) -> rusqlite::Result<Planned> {
    answer(conn, |conn| {
        let mut statement = prepare(conn, &format!("EXPLAIN QUERY PLAN {query}"))?;
        let steps = statement.query_map([], |row| row.get::<_, String>("detail")).map_err(Refusal::Database)?;
        let steps = steps.collect::<rusqlite::Result<Vec<String>>>().map_err(Refusal::Database)?;
        Ok(steps.iter().filter_map(|step| index_in(step)).map(str::to_owned).collect())
    })
}

/// The index that a step of a plan names ("EXPLAIN QUERY PLAN", 1.1).
fn index_in(step: &str) -> Option<&str> {
    let (_, behind) = step.split_once(" USING INDEX ").or_else(|| step.split_once(" USING COVERING INDEX "))?;
    // What is compared follows in parentheses.
    Some(behind.split_once(" (").map_or(behind, |(name, _)| name))
}

fn answer<T>(
    conn: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, Refusal>,
) -> rusqlite::Result<Result<T, Unasked>> {
    match reading_only(conn, work)? {
        Ok(answer) => Ok(Ok(answer)),
        Err(Refusal::Bad(BadQuery::Invalid(why)))
            if why.starts_with("no such table") || why.starts_with("no such column") =>
        {
            Ok(Err(Unasked::Missing(why)))
        }
        Err(Refusal::Bad(bad)) => Ok(Err(Unasked::Failed(bad.to_string()))),
        Err(Refusal::Database(error)) => match error.sqlite_error_code() {
            // A function failed on the values of a row, which SQLite's text may name.
            Some(ErrorCode::AuthorizationForStatementDenied) => {
                Ok(Err(Unasked::Failed(BadQuery::Forbidden.to_string())))
            }
            Some(ErrorCode::Unknown | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
                Ok(Err(Unasked::Failed(format!("{} ended the query", words::of_values(&error)))))
            }
            _ => Err(error),
        },
    }
}

/// What is wrong with each query, asked of tables without a row.
pub(super) fn refused(conn: &mut Connection, queries: &[&str]) -> rusqlite::Result<Vec<Option<BadQuery>>> {
    let mut refused = Vec::with_capacity(queries.len());
    for query in queries {
        refused.push(match reading_only(conn, |conn| prepare(conn, query).map(drop))? {
            Ok(()) => None,
            Err(Refusal::Bad(bad)) => Some(bad),
            Err(Refusal::Database(error)) => return Err(error),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indexes_of_a_plan_are_those_that_its_steps_name() {
        let named = |step| index_in(step);
        assert_eq!(named("SEARCH notes USING INDEX by (owner) (owner=? AND at>?)"), Some("by"));
        assert_eq!(named("SCAN notes USING COVERING INDEX notes_owner"), Some("notes_owner"));
        assert_eq!(named("SEARCH notes USING INTEGER PRIMARY KEY (rowid=?)"), None);
        assert_eq!(named("SCAN notes"), None);
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT); CREATE INDEX notes_owner ON notes (owner)",
        )
        .unwrap();
        let plan = |conn: &mut Connection, query| plan(conn, query).unwrap();
        assert_eq!(plan(&mut conn, "SELECT id FROM notes WHERE owner = 'ada'"), Ok(vec!["notes_owner".to_owned()]));
        assert_eq!(plan(&mut conn, "SELECT id FROM notes WHERE id = 1;"), Ok(Vec::new()));
        assert_eq!(plan(&mut conn, "SELECT 1 FROM tags"), Err(Unasked::Missing("no such table: tags".to_owned())));
    }
}
