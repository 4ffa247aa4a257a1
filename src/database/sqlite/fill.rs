//! Invented rows for databases that were made to test migrations on.

use super::location::{Fault, Location, Tried};
use super::open::{self, Start};
use super::{guess, sql, survey};
use crate::database::Mode;
use crate::error::Error;
use crate::table::{Column, ColumnType, Schema, Table};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode};

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
pub(super) fn one_row(conn: &Connection, table: &Table) -> rusqlite::Result<()> {
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
    guess::satisfy(conn, table, &free, &mut values);
    let (names, values): (Vec<&str>, Vec<&Value>) = values.iter().map(|(name, value)| (name.as_str(), value)).unzip();
    conn.execute(&sql::insert(&table.name, &names), rusqlite::params_from_iter(values)).map(drop)
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
        ColumnType::Integer | ColumnType::Boolean | ColumnType::Numeric(_) | ColumnType::Unknown => Value::Integer(1),
        ColumnType::Real => Value::Real(1.5),
        ColumnType::Time => Value::Text("2025-05-07 15:09:12.000000".to_owned()),
        ColumnType::Json => Value::Text("{}".to_owned()),
        ColumnType::Blob => Value::Blob(vec![1]),
    }
}
