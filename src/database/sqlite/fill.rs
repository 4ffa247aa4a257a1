//! Invented rows for databases that were made to test migrations on, with values that the `CHECK` conditions of
//! their tables accept, tried from the conditions themselves.

use super::location::{Fault, Location, Tried};
use super::open::{self, Start};
use super::{checks, sql, survey};
use crate::database::Mode;
use crate::error::Error;
use crate::table::{Column, ColumnType, Schema, Table};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, params_from_iter};

/// Puts a row into every empty table, parents first.
pub(super) fn every_table(location: &Location) -> Tried<()> {
    let (store, conn) = open::begin(location, &Start { mode: Mode::Real, run_id: "fill", bytes: 0 })?;
    let schema = survey::live(&conn, location)?.schema;
    fill(&conn, &schema)?;
    open::commit(location, store, conn).map(drop)
}

fn fill(conn: &Connection, schema: &Schema) -> Tried<()> {
    let mut left: Vec<&Table> = schema.tables.values().collect();
    while !left.is_empty() {
        let waits = |table: &Table| {
            let parents = table.foreign_keys.iter().filter(|key| key.table != table.name);
            parents.into_iter().any(|key| left.iter().any(|other| other.name == key.table))
        };
        let (later, ready): (Vec<&Table>, Vec<&Table>) = left.iter().partition(|table| waits(table));
        // A cycle of references is entered anywhere: nothing is checked before the commit.
        let (later, ready) = if ready.is_empty() { (Vec::new(), later) } else { (later, ready) };
        for table in ready {
            one_row(conn, table).map_err(|error| refused(table, error))?;
        }
        left = later;
    }
    Ok(())
}

/// What the set's own SQL rejects is for its author to fix. SQLite's words may be shown: the rows
/// are invented.
fn refused(table: &Table, error: rusqlite::Error) -> Fault {
    let why = match &error {
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        rusqlite::Error::SqliteFailure(code, Some(text))
            if matches!(code.code, ErrorCode::ConstraintViolation | ErrorCode::Unknown) =>
        {
            text
        }
        _ => return error.into(),
    };
    Error::environment(format!("a sample row of `{}` was rejected: {why}", table.name))
        .hint("fix what rejects it, or test on a copy of a database that has rows: `--copy-of URL`")
        .into()
}

/// Puts a row into a table that has none.
fn one_row(conn: &Connection, table: &Table) -> rusqlite::Result<()> {
    if super::read::count(conn, &table.name)? > 0 {
        return Ok(());
    }
    let mut values: Vec<(String, Value)> = Vec::new();
    let mut free: Vec<&Column> = Vec::new();
    for column in table.columns.iter().filter(|column| table.integer_key() != Some(&column.name)) {
        let value = match parent_of(table, column) {
            Some((parent, to)) => {
                let text = format!("SELECT {} FROM {} LIMIT 1", sql::name(to), sql::name(parent));
                conn.query_row(&text, [], |row| row.get(0)).unwrap_or(Value::Null)
            }
            None => {
                free.push(column);
                invented(column)
            }
        };
        values.push((column.name.clone(), value));
    }
    satisfy(conn, table, &free, &mut values);
    let (names, values): (Vec<&str>, Vec<&Value>) = values.iter().map(|(name, value)| (name.as_str(), value)).unzip();
    conn.execute(&sql::insert(&table.name, &names), params_from_iter(values)).map(drop)
}

fn parent_of<'t>(table: &'t Table, column: &Column) -> Option<(&'t str, &'t str)> {
    let key = table.foreign_keys.iter().find(|key| key.columns == [column.name.as_str()])?;
    Some((&key.table, key.to.first()?))
}

fn invented(column: &Column) -> Value {
    match column.kind {
        ColumnType::Text { max } => {
            let most = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
            Value::Text(column.name.chars().take(most).collect())
        }
        ColumnType::Integer
        | ColumnType::Flag
        | ColumnType::Boolean
        | ColumnType::Numeric(_)
        | ColumnType::Untyped
        | ColumnType::Unknown => Value::Integer(1),
        ColumnType::Real => Value::Real(1.5),
        ColumnType::Time(_) => Value::Text("2025-05-07 15:09:12.000000".to_owned()),
        ColumnType::Zoned(_) => Value::Text("2025-05-07 15:09:12.000000+00:00".to_owned()),
        ColumnType::Date(_) => Value::Text("2025-05-07".to_owned()),
        ColumnType::Clock(_) => Value::Text("15:09:12".to_owned()),
        ColumnType::Uuid => Value::Text("5c5e7a52-6d0b-5d8e-9b1c-2f6f0a3d4e11".to_owned()),
        ColumnType::Json => Value::Text("{}".to_owned()),
        ColumnType::Blob => Value::Blob(vec![1]),
    }
}

/// How many combinations are tried for one condition.
const MOST: usize = 2_000;
/// The longest text that is made to fit a condition on its length.
const LONGEST: usize = 1_000;

/// Replaces values that a condition refuses, where others are found that it accepts. `free` columns may
/// change; the others are references.
fn satisfy(conn: &Connection, table: &Table, free: &[&Column], values: &mut [(String, Value)]) {
    for check in &table.checks {
        let tokens = checks::tokens(check);
        let spoken: Vec<usize> = (0..values.len())
            .filter(|&at| {
                let (name, _) = &values[at];
                free.iter().any(|column| column.name == *name) && tokens.contains(&name.to_lowercase())
            })
            .collect();
        let candidates: Vec<Vec<Value>> = spoken
            .iter()
            .map(|&at| {
                let (name, value) = &values[at];
                let nullable = table.column(name).is_some_and(|column| !table.must_have_value(column));
                let mut all = vec![value.clone()];
                all.extend(tokens.iter().flat_map(|token| from_token(token)));
                all.extend(nullable.then_some(Value::Null));
                all
            })
            .collect();
        let mut tried = values.to_vec();
        for number in 0..candidates.iter().map(Vec::len).product::<usize>().min(MOST) {
            let mut rest = number;
            for (&at, all) in spoken.iter().zip(&candidates) {
                tried[at].1 = all[rest % all.len()].clone();
                rest /= all.len();
            }
            if accepts(conn, check, &tried) {
                values.clone_from_slice(&tried);
                break;
            }
        }
    }
}

/// Whether a condition holds for these values, or is unknown, as of a NULL. One that cannot be asked for
/// here is left to the database.
fn accepts(conn: &Connection, check: &str, values: &[(String, Value)]) -> bool {
    let columns: Vec<String> =
        values.iter().enumerate().map(|(at, (name, _))| format!("?{} AS {}", at + 1, sql::name(name))).collect();
    let text = format!("SELECT coalesce(({check}), 1) FROM (SELECT {})", columns.join(", "));
    let Ok(mut statement) = conn.prepare(&text) else { return true };
    statement.query_row(params_from_iter(values.iter().map(|(_, value)| value)), |row| row.get(0)).unwrap_or(false)
}

/// What a token suggests: a text, also without the wildcards of a pattern; a number with its
/// neighbours, and a text of that length.
fn from_token(token: &str) -> Vec<Value> {
    if let Some(text) = token.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        let text = text.replace("''", "'");
        let plain: String =
            text.chars().filter(|c| !matches!(c, '%' | '*')).map(|c| if c == '_' { 'a' } else { c }).collect();
        return [text, plain].map(Value::Text).to_vec();
    }
    let Ok(number) = token.parse::<i64>() else { return Vec::new() };
    let mut all: Vec<Value> = [Some(number), number.checked_add(1), number.checked_sub(1)]
        .into_iter()
        .flatten()
        .map(Value::Integer)
        .collect();
    all.extend(
        usize::try_from(number).ok().filter(|length| *length <= LONGEST).map(|length| Value::Text("a".repeat(length))),
    );
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_that_the_conditions_accept() {
        let conn = Connection::open_in_memory().unwrap();
        let accepted = [
            "a TEXT NOT NULL CHECK (a IN ('open', 'it''s done'))",
            "a INTEGER NOT NULL CHECK (a IN (10, 20))",
            "a INTEGER NOT NULL CHECK (a > 5 AND a < 8)",
            "a TEXT NOT NULL CHECK (length(a) = 3)",
            "a TEXT NOT NULL CHECK (a LIKE 'W-%')",
            "a TEXT CHECK (a = random())",
            "a TEXT NOT NULL, b TEXT NOT NULL, CHECK ((a = 'x' AND b = 'y') OR (a = 'z' AND b = 'w'))",
        ];
        for columns in accepted {
            let sql = format!("CREATE TABLE t ({columns})");
            conn.execute_batch(&format!("DROP TABLE IF EXISTS t; {sql}")).unwrap();
            let tables = super::super::catalog::tables(&conn, ["t"].into_iter()).unwrap();
            one_row(&conn, &tables["t"]).unwrap_or_else(|error| panic!("{columns}: {error}"));
        }
    }
}
