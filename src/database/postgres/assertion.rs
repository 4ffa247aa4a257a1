//! Asks the queries of a mapping set, which may read and nothing else: the extended protocol takes one statement, a query in
//! FROM cannot end the transaction, and a read-only savepoint refuses what writes.

use super::connect::Session;
use super::place::Tried;
use super::{form, words};
use crate::database::Cell;
use crate::database::query::{Asked, BadQuery, Column, Found, MOST, Planned, Unasked, key_of};
use crate::finding::printable;
use crate::table::ColumnType;
use postgres::Row;
use postgres::error::{DbError, SqlState};

/// The rows of a query.
pub(super) fn ask(session: &Session, query: &str) -> Tried<Asked> {
    answer(rows(session, query)?)
}

/// The same, with the server's own fault.
pub(super) fn rows(session: &Session, query: &str) -> Tried<Result<Found, postgres::Error>> {
    reading_only(session, "", || {
        let columns = session.describe(&format!("SELECT * FROM (\n{}\n) AS asked", bare(query)))?;
        let names: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
        let texts: Vec<String> = names.iter().map(|name| format!("{name}::text")).collect();
        // A query that gives no column is none that can be asked. Planned for its first rows alone it might go through all
        // pairs of rows before it finds that there are none.
        let text = format!(
            "WITH asked({}) AS MATERIALIZED (\n{}\n) SELECT {} FROM asked LIMIT {MOST}",
            names.join(", "),
            bare(query),
            texts.join(", ")
        );
        let found = session.ask(&text)?;
        let origins = columns.into_iter().map(|(name, origin)| origin_of(session, name, origin));
        let columns: Vec<Column> = origins.collect::<Result<_, _>>()?;
        let cells = |row: &Row| (0..row.len()).map(|at| row.get(at)).collect();
        let key = key_of(&columns, |table| primary_key(session, table))?;
        Ok(Found { columns, rows: found.iter().map(cells).collect(), key })
    })
}

/// All rows of a query, whose columns are of these types; where none are given, numbers stay numbers and all else is text.
pub(super) fn all(
    session: &Session,
    query: &str,
    kinds: Option<&[ColumnType]>,
) -> Tried<Result<Vec<Vec<Cell>>, Unasked>> {
    answer(reading_only(session, "", || {
        let many = session.describe(&format!("SELECT * FROM (\n{}\n) AS asked", bare(query)))?.len();
        let names: Vec<String> = (0..many).map(|at| format!("c{at}")).collect();
        let text = |name: &String| match kinds {
            Some(_) => format!("{name}::text"),
            None => format!("to_jsonb({name})::text"),
        };
        let texts: Vec<String> = names.iter().map(text).collect();
        let text = format!("SELECT {} FROM (\n{}\n) AS asked({})", texts.join(", "), bare(query), names.join(", "));
        let cell = |text: Option<&str>, at: usize| match kinds {
            Some(kinds) => form::cell(text, kinds.get(at).copied().unwrap_or(ColumnType::Untyped)),
            None => text.map_or(Cell::Null, of_json),
        };
        let cells = |row: &Row| (0..row.len()).map(|at| cell(row.get(at), at)).collect();
        Ok(session.ask(&text)?.iter().map(cells).collect())
    })?)
}

/// What the JSON of a value is.
fn of_json(text: &str) -> Cell {
    use serde_json::Value;
    match serde_json::from_str(text) {
        Ok(Value::Null) => Cell::Null,
        Ok(Value::String(text)) => Cell::Text(text),
        Ok(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Cell::Integer(number),
            (None, Some(number)) => Cell::Real(number),
            (None, None) => Cell::Text(text.to_owned()),
        },
        Ok(_) | Err(_) => Cell::Text(text.to_owned()),
    }
}

/// A column with the names of the table and the column that it comes from.
fn origin_of(session: &Session, name: String, origin: Option<(u32, i16)>) -> Result<Column, postgres::Error> {
    let Some((table, number)) = origin else { return Ok(Column { name, origin: None }) };
    let text = "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.oid = $1::oid AND a.attnum = $2::int2";
    let rows = session.try_query(text, &[Some(&table.to_string()), Some(&number.to_string())])?;
    Ok(Column { name, origin: rows.first().map(|row| (row.get(0), row.get(1))) })
}

fn primary_key(session: &Session, table: &str) -> Result<Vec<String>, postgres::Error> {
    let text = "SELECT a.attname::text FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY k(number, place)
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
                WHERE x.indisprimary AND n.nspname = $1 AND c.relname = $2 ORDER BY k.place";
    let rows = session.try_query(text, &[Some(session.schema_of(table)), Some(table)])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What costs nothing on a small table, and would be taken in place of the index that serves a large one.
const AS_IF_LARGE: &str =
    "; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off";

/// The indexes by which the server would go if it could neither read a table from end to end nor sort rows.
pub(super) fn plan(session: &Session, query: &str) -> Tried<Planned> {
    let explained = reading_only(session, AS_IF_LARGE, || {
        let rows = session.ask(&format!("EXPLAIN (COSTS off) SELECT * FROM (\n{}\n) AS asked", bare(query)))?;
        Ok(rows.iter().filter_map(|row| index_in(row.get(0))).collect())
    })?;
    answer(explained)
}

/// Indexes that this transaction made of rows which it had changed: the server goes by them only in later ones
/// (`indcheckxmin` of pg_index).
pub(super) fn not_yet(session: &Session) -> Tried<Vec<String>> {
    let text = "SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                JOIN pg_namespace n ON n.oid = i.relnamespace
                WHERE x.indcheckxmin AND age(x.xmin) <= age(pg_snapshot_xmin(pg_current_snapshot())::xid) AND n.nspname = $1 ORDER BY 1";
    Ok(session.query(text, &[Some(&session.schema)])?.iter().map(|row| row.get(0)).collect())
}

/// The index that a step of a plan names ("Using EXPLAIN").
fn index_in(step: &str) -> Option<String> {
    let scan = step.find("Index ")?;
    let (_, behind) = if step.contains("Bitmap Index Scan") {
        step[scan..].split_once(" on ")?
    } else {
        step[scan..].split_once(" using ")?
    };
    match behind.strip_prefix('"') {
        Some(quoted) => Some(quoted[..quoted.rfind('"')?].split("\" on ").next()?.replace("\"\"", "\"")),
        None => behind.split_whitespace().next().map(str::to_owned),
    }
}

/// Without the semicolon behind it.
fn bare(query: &str) -> &str {
    query.trim_end().trim_end_matches(';')
}

fn reading_only<T>(
    session: &Session,
    settings: &str,
    work: impl FnOnce() -> Result<T, postgres::Error>,
) -> Tried<Result<T, postgres::Error>> {
    session.run(&format!("SAVEPOINT ask; SET LOCAL transaction_read_only = on{settings}"))?;
    let done = work();
    session.run("ROLLBACK TO ask; RELEASE ask")?;
    Ok(done)
}

fn answer<T>(answer: Result<T, postgres::Error>) -> Tried<Result<T, Unasked>> {
    Ok(match answer {
        Ok(answer) => Ok(answer),
        Err(error) => match error.as_db_error() {
            Some(server)
                if [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN].contains(server.code())
                    && words::about_sql(server) =>
            {
                Err(Unasked::Missing(printable(server.message())))
            }
            Some(server) => Err(Unasked::Failed(bad(server).map_or_else(
                || format!("an error of the database (SQLSTATE {}) ended the query", server.code().code()),
                |bad| bad.to_string(),
            ))),
            None => return Err(error.into()),
        },
    })
}

/// What is wrong with a query whatever the rows are, where that is it.
pub(super) fn bad(server: &DbError) -> Option<BadQuery> {
    match server.code() {
        &SqlState::READ_ONLY_SQL_TRANSACTION => Some(BadQuery::Forbidden),
        _ if words::about_sql(server) => Some(BadQuery::Invalid(printable(server.message()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indexes_of_a_plan_are_those_that_its_steps_name() {
        let named = |step| index_in(step);
        assert_eq!(named("Index Scan using notes_owner on notes"), Some("notes_owner".to_owned()));
        assert_eq!(
            named("  ->  Index Only Scan Backward using \"A \"\"b\" on \"My notes\" n"),
            Some("A \"b".to_owned())
        );
        assert_eq!(named("        ->  Bitmap Index Scan on \"By owner\""), Some("By owner".to_owned()));
        assert_eq!(named("Seq Scan on notes"), None);
        assert_eq!(named("  Index Cond: (owner = 'ada'::text)"), None);
    }
}
