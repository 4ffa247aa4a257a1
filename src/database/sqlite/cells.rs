//! Sealed cells, and what else may hold a secret.

use super::location::Location;
use super::{catalog, locks, read as rows, record, sql};
use crate::database::cells::{KeyedCell, Stored};
use crate::database::{Cell, SealedColumn};
use crate::error::{Error, Result};
use crate::table::{ColumnType, Table};
use rusqlite::Connection;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use secrecy::SecretString;

/// A table, if it is there.
fn table(conn: &Connection, name: &str, location: &Location) -> Result<Option<Table>> {
    if !on(conn, location, |conn| catalog::has_table(conn, name))? {
        return Ok(None);
    }
    catalog::table(conn, name, &|error| location.fault(error))
}

fn on<T>(conn: &Connection, location: &Location, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
    work(conn).map_err(|error| locks::named(location.fault(&error), &error, location))
}

/// Whether the column keeps JSON; a column that is not there is the request's fault or the registry's.
fn is_json(conn: &Connection, column: &SealedColumn, location: &Location) -> Result<bool> {
    let missing = |what: String| Error::environment(format!("there is no {what}")).at(&location.shown);
    let table = table(conn, &column.table, location)?.ok_or_else(|| missing(format!("table `{}`", column.table)))?;
    let filtered = column.row_filter.iter().flatten().map(|(name, _)| name);
    for name in column.key_columns.iter().chain(filtered).chain([&column.column]) {
        if table.column(name).is_none() {
            return Err(missing(format!("column `{}.{name}`", column.table)));
        }
    }
    Ok(table.column(&column.column).is_some_and(|column| column.kind == ColumnType::Json))
}

/// ` AND CAST("kind" AS TEXT) IS ?1`, and the values to bind; nothing for a column without a filter.
fn filter(column: &SealedColumn, first: usize) -> (Vec<String>, Vec<&String>) {
    let filter = || column.row_filter.iter().flatten();
    (sql::texts_are(filter().map(|(name, _)| name), first), filter().map(|(_, value)| value).collect())
}

fn stored(value: ValueRef<'_>, is_json: bool) -> Stored {
    match value {
        ValueRef::Null => Stored::Null,
        ValueRef::Integer(_) => Stored::Other("an integer"),
        ValueRef::Real(_) => Stored::Other("a number"),
        ValueRef::Blob(_) => Stored::Other("bytes"),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Err(_) => Stored::Other("text that is not UTF-8"),
            Ok(text) if is_json => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(serde_json::Value::String(text)) => Stored::Text(SecretString::from(text)),
                Ok(serde_json::Value::Null) => Stored::Null,
                Ok(_) => Stored::Other("JSON that is not a string"),
                Err(_) => Stored::Other("text that is not JSON"),
            },
            Ok(text) => Stored::Text(SecretString::from(text)),
        },
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Integer(value) => ValueRef::Integer(*value),
            Cell::Real(value) => ValueRef::Real(*value),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
            Cell::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The application's tables.
pub(super) fn tables(conn: &Connection, location: &Location) -> Result<Vec<Table>> {
    let names = on(conn, location, catalog::table_names)?;
    let record = on(conn, location, |conn| record::table(conn, location.record.as_deref()))?.name;
    let names = names.iter().filter(|name| !catalog::is_reserved(name, &record));
    names.filter_map(|name| table(conn, name, location).transpose()).collect()
}

/// The cells of a column, in the order of its rows.
pub(super) fn read(conn: &Connection, column: &SealedColumn, location: &Location) -> Result<Vec<KeyedCell>> {
    let is_json = is_json(conn, column, location)?;
    let (conditions, values) = filter(column, 1);
    let mut text = format!(
        "SELECT {}, {} FROM {}",
        sql::name(&column.column),
        sql::names(&column.key_columns),
        sql::name(&column.table)
    );
    if !conditions.is_empty() {
        text.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    let width = column.key_columns.len();
    on(conn, location, |conn| {
        conn.prepare(&text)?
            .query_map(rusqlite::params_from_iter(values), |row| {
                let key = (1..=width).map(|at| row.get_ref(at).map(rows::cell)).collect::<rusqlite::Result<_>>()?;
                Ok(KeyedCell { key, value: stored(row.get_ref(0)?, is_json) })
            })?
            .collect()
    })
}

/// Writes a text into the cell of the one row that has the key.
pub(super) fn write(
    conn: &Connection,
    column: &SealedColumn,
    key: &[Cell],
    text: &str,
    location: &Location,
) -> Result<()> {
    let written =
        if is_json(conn, column, location)? { serde_json::Value::from(text).to_string() } else { text.to_owned() };
    let equal = |(at, name): (usize, &String)| format!("{} IS ?{}", sql::name(name), at + 2);
    let mut conditions: Vec<String> = column.key_columns.iter().enumerate().map(equal).collect();
    let (filtered, values) = filter(column, key.len() + 2);
    conditions.extend(filtered);
    let statement = format!(
        "UPDATE {} SET {} = ?1 WHERE {}",
        sql::name(&column.table),
        sql::name(&column.column),
        conditions.join(" AND ")
    );
    let mut bound: Vec<&dyn ToSql> = vec![&written];
    bound.extend(key.iter().map(|cell| cell as &dyn ToSql));
    bound.extend(values.iter().map(|value| *value as &dyn ToSql));
    match on(conn, location, |conn| conn.prepare_cached(&statement)?.execute(bound.as_slice()))? {
        1 => Ok(()),
        0 => Err(Error::environment(format!("the database did not write a value of `{}`", column.table))
            .at(&location.shown)
            .hint("look for a trigger that discards the statement")),
        // The column compares keys otherwise than byte by byte, as COLLATE NOCASE does.
        rows => Err(Error::environment(format!("a key of `{}` matches {rows} rows, expected 1", column.table))
            .at(&location.shown)
            .hint("choose key columns that identify a row, with `--key`")),
    }
}

/// The names of the triggers that run when a column is written.
pub(super) fn triggers(conn: &Connection, column: &SealedColumn) -> rusqlite::Result<Vec<String>> {
    let found: Vec<(String, String)> = conn
        .prepare(
            "SELECT name, sql FROM sqlite_schema
             WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE ORDER BY name",
        )?
        .query_map([&column.table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().filter(|(_, sql)| runs_on_update(sql, &column.column)).map(|(name, _)| name).collect())
}

/// Shows every text and blob of every table, with its table and column.
pub(super) fn every_text(
    conn: &Connection,
    visit: &mut dyn FnMut(&str, &str, &[u8]),
    location: &Location,
) -> Result<()> {
    for name in on(conn, location, catalog::table_names)? {
        let Some(table) = table(conn, &name, location)? else { continue }; // SQLite's own
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        on(conn, location, |conn| {
            let text = format!("SELECT {} FROM {}", sql::names(&columns), sql::name(&name));
            let mut statement = conn.prepare(&text)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for (at, column) in columns.iter().enumerate() {
                    if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(at)? {
                        visit(&name, column, bytes);
                    }
                }
            }
            Ok(())
        })?;
    }
    // An index over an expression keeps texts of its own, such as an address in small letters.
    for (name, index) in on(conn, location, |conn| catalog::indexes(conn, &record::table(conn, None)?.name))? {
        let Some(over) = index.over.strip_prefix('(').and_then(|over| over.strip_suffix(')')) else { continue }; // plain columns
        on(conn, location, |conn| {
            let text = format!("SELECT {over} FROM {}", sql::name(&index.table));
            // One over some rows only, or in falling order, cannot be asked for like this.
            let Ok(mut statement) = conn.prepare(&text) else { return Ok(()) };
            let width = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for at in 0..width {
                    if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(at)? {
                        visit(&index.table, &name, bytes);
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Whether a trigger runs when a column is updated: on UPDATE, or UPDATE OF a list with it. One whose
/// SQL is not understood does.
fn runs_on_update(sql: &str, column: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    let words: Vec<&str> =
        sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    // The event comes before the first ` on `; the name of the trigger may be any word.
    let event = &words[..words.iter().position(|word| *word == "on").unwrap_or(words.len())];
    let Some(at) = event.iter().rposition(|word| *word == "update") else {
        return !event.iter().any(|word| ["insert", "delete"].contains(word));
    };
    match event.get(at + 1) {
        Some(&"of") => event[at + 2..].contains(&column.to_ascii_lowercase().as_str()),
        _ => true,
    }
}
