//! Doing what is to become of an undone run's rows: in sets and in the order of the rows, so that SQLite goes through a
//! table once.

use super::super::location::Tried;
use super::super::unchanged::bound;
use super::super::{checks, read, sql};
use crate::database::ledger::key_parts;
use crate::database::undo::engine::Fate;
use crate::error::Result;
use crate::table::{ColumnType, Table};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode};

/// Every so many rows progress is told.
const PAGE: u64 = 1_000;

/// Does what is noted for rows, and tells how many are done. Ends at the first row that the database refuses, and gives
/// its key. Where something of the schema rolls everything back when a row is not to its liking, only the row itself
/// tells which it was.
pub(super) fn take(
    conn: &Connection,
    fate: &Fate<'_>,
    may_roll_back: bool,
    done: &dyn Fn(u64) -> Result<()>,
) -> Tried<Option<String>> {
    let rowid = read::rowid(conn, &fate.listed.table.name)?;
    let is_done = match rowid.filter(|_| !may_roll_back && fate.of_run.is_none()) {
        Some(rowid) => as_a_set(conn, fate, rowid)?,
        None => false,
    };
    if !is_done {
        return one_by_one(conn, fate, rowid, done);
    }
    done(fate.rows)?;
    Ok(None)
}

/// Does it with one statement; `false`, and nothing is done, where one of the rows is refused.
fn as_a_set(conn: &Connection, fate: &Fate<'_>, rowid: &str) -> rusqlite::Result<bool> {
    let noted = format!("(SELECT row FROM {})", fate.noted());
    // SQLite empties a table at a stroke ("The Truncate Optimization").
    let text = if fate.removes() && are_all(conn, &noted, (fate.listed.table, rowid), fate.rows)? {
        statement(fate, 0)
    } else {
        format!("{} WHERE {rowid} IN {noted}", statement(fate, 0))
    };
    conn.execute_batch("SAVEPOINT fates")?;
    let done = is_done(conn.execute(&text, []), fate.rows as usize)?;
    conn.execute_batch(if done { "RELEASE fates" } else { "ROLLBACK TO fates; RELEASE fates" })?;
    Ok(done)
}

/// Whether so many noted rows are all that the table has.
fn are_all(conn: &Connection, noted: &str, (table, rowid): (&Table, &str), rows: u64) -> rusqlite::Result<bool> {
    let name = sql::name(&table.name);
    let others = format!("SELECT 1 FROM {name} WHERE {rowid} NOT IN {noted}");
    Ok(read::count(conn, &table.name)? == rows && !conn.prepare(&others)?.exists([])?)
}

/// Does it row by row, in the order of their keys: so the one that is refused has a name.
fn one_by_one(
    conn: &Connection,
    fate: &Fate<'_>,
    rowid: Option<&str>,
    done: &dyn Fn(u64) -> Result<()>,
) -> Tried<Option<String>> {
    let table = fate.listed.table;
    let key = table.primary_key();
    let kinds: Vec<ColumnType> = key.iter().filter_map(|column| Some(table.column(column)?.kind)).collect();
    let is_it = rowid.map_or_else(|| sql::is(&key, 1), |rowid| format!("{rowid} = ?1"));
    let places = rowid.map_or(key.len(), |_| 1);
    let mut take = conn.prepare(&format!("{} WHERE {is_it}", statement(fate, places)))?;
    let keys = format!("SELECT DISTINCT row_key, live_key, row FROM {} ORDER BY row_key", fate.noted());
    let mut keys = conn.prepare(&keys)?;
    let (mut keys, mut rows) = (keys.query([])?, 0);
    while let Some(next) = keys.next()? {
        let (row_key, live_key, row): (String, String, Option<i64>) = next.try_into()?;
        let parts = key_parts(&live_key, key.len()).unwrap_or_default().into_iter().zip(&kinds);
        let mut bound = match row {
            Some(row) => vec![Value::Integer(row)],
            None => parts.map(|(part, kind)| bound(part, *kind)).collect(),
        };
        if fate.of_run.is_some() {
            bound.push(Value::Text(row_key.clone()));
        }
        if !is_done(take.execute(rusqlite::params_from_iter(bound)), 1)? {
            return Ok(Some(row_key));
        }
        rows += 1;
        if rows % PAGE == 0 {
            done(PAGE)?;
        }
    }
    done(rows % PAGE)?;
    Ok(None)
}

/// The statement up to its condition, which binds so many values; earlier ones are found by the ledger's key behind those.
fn statement(fate: &Fate<'_>, bound: usize) -> String {
    let name = sql::name(&fate.listed.table.name);
    if fate.removes() {
        return format!("DELETE FROM {name}");
    }
    let value = |column: &String| match fate.of_run {
        Some(_) => fate.earlier(column, &format!("?{}", bound + 1)),
        None => "NULL".to_owned(),
    };
    let sets: Vec<String> = fate.columns.iter().map(|one| format!("{} = {}", sql::name(one), value(one))).collect();
    format!("UPDATE {name} SET {}", sets.join(", "))
}

/// Whether the schema has the keyword, in a trigger or behind ON CONFLICT. A name that holds the word is none.
pub(super) fn may_roll_back(conn: &Connection) -> rusqlite::Result<bool> {
    let texts: Vec<String> = sql::column(conn, "SELECT sql FROM sqlite_schema WHERE sql LIKE '%ROLLBACK%'", [])?;
    Ok(texts.iter().any(|text| checks::has_word(text, |word| word == "rollback")))
}

/// Whether a statement changed so many rows: a constraint or a trigger of the set may say no, or keep one
/// in silence.
fn is_done(changed: rusqlite::Result<usize>, rows: usize) -> rusqlite::Result<bool> {
    match changed {
        Ok(changed) => Ok(changed == rows),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation | ErrorCode::Unknown) => Ok(false),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_rolls_back_where_it_has_the_keyword_and_not_where_a_name_or_a_text_has_it() {
        let trigger =
            |does: &str| format!("CREATE TABLE a (n INT); CREATE TRIGGER b AFTER DELETE ON a BEGIN {does}; END");
        let cases = [
            ("CREATE TABLE a (rollback_at TEXT, \"rollback\" INT DEFAULT 'ROLLBACK' /* ROLLBACK */)".to_owned(), false),
            (trigger("INSERT INTO a SELECT 1 WHERE old.n = 'rollback'"), false),
            (trigger("SELECT RAISE (ROLLBACK, 'no')"), true),
            (trigger("INSERT OR rollback INTO a VALUES (1)"), true),
            ("CREATE TABLE a (n INT UNIQUE ON CONFLICT ROLLBACK)".to_owned(), true),
        ];
        for (sql, expected) in cases {
            let conn = Connection::open_in_memory().unwrap();
            conn.execute_batch(&sql).unwrap();
            assert_eq!(may_roll_back(&conn).unwrap(), expected, "{sql}");
        }
    }
}
