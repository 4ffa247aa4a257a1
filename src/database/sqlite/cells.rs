//! Sealed cells, and what else may hold a secret.

use super::location::{Location, Tried};
use super::{catalog, read as rows, record, sql};
use crate::database::cells::{KeyedCell, Stored};
use crate::database::{Cell, SealedColumn};
use crate::error::Error;
use crate::table::ColumnType;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};
use secrecy::SecretString;

/// Whether the column keeps JSON; a column that is not there is the request's fault or the registry's.
fn is_json(conn: &Connection, column: &SealedColumn, location: &Location) -> Tried<bool> {
    let missing = |what: String| Error::environment(format!("there is no {what}")).at(&location.shown);
    if !catalog::has_table(conn, &column.table)? {
        return Err(missing(format!("table `{}`", column.table)).into());
    }
    let columns = catalog::columns(conn, &column.table)?;
    let filtered = column.row_filter.iter().flatten().map(|(name, _)| name);
    let mut kind = ColumnType::Unknown;
    for name in column.key_columns.iter().chain(filtered).chain([&column.column]) {
        let known = columns.iter().find(|one| one.name == *name);
        kind = known.ok_or_else(|| missing(format!("column `{}.{name}`", column.table)))?.kind;
    }
    Ok(kind == ColumnType::Json)
}

/// ` AND CAST("kind" AS TEXT) IS ?1`, and the values to bind; nothing for a column without a filter.
pub(super) fn filter(column: &SealedColumn, first: usize) -> (Vec<String>, Vec<&String>) {
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

/// The cells of a column, in the order of its rows.
pub(super) fn read(conn: &Connection, column: &SealedColumn, location: &Location) -> Tried<Vec<KeyedCell>> {
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
    let mut statement = conn.prepare(&text)?;
    let cells = statement.query_map(rusqlite::params_from_iter(values), |row| {
        Ok(KeyedCell { key: rows::cells(row, 1..1 + width)?, value: stored(row.get_ref(0)?, is_json) })
    })?;
    Ok(cells.collect::<rusqlite::Result<_>>()?)
}

/// Writes a text into the cell of the one row that has the key.
pub(super) fn write(
    conn: &Connection,
    column: &SealedColumn,
    key: &[Cell],
    text: &str,
    location: &Location,
) -> Tried<()> {
    let written =
        if is_json(conn, column, location)? { serde_json::Value::from(text).to_string() } else { text.to_owned() };
    let (filtered, values) = filter(column, key.len() + 2);
    let conditions = [vec![sql::is(&column.key_columns, 2)], filtered].concat();
    let statement = format!(
        "UPDATE {} SET {} = ?1 WHERE {}",
        sql::name(&column.table),
        sql::name(&column.column),
        conditions.join(" AND ")
    );
    let mut bound: Vec<&dyn ToSql> = vec![&written];
    bound.extend(key.iter().map(|cell| cell as &dyn ToSql));
    bound.extend(values.iter().map(|value| *value as &dyn ToSql));
    let error = match conn.prepare_cached(&statement)?.execute(bound.as_slice())? {
        1 => return Ok(()),
        0 => Error::environment(format!("the database did not write a value of `{}`", column.table))
            .hint("look for a trigger that discards the statement"),
        // The column compares keys otherwise than byte by byte, as COLLATE NOCASE does.
        rows => Error::environment(format!("a key of `{}` matches {rows} rows, expected 1", column.table))
            .hint("choose key columns that identify a row, with `--key`"),
    };
    Err(error.at(&location.shown).into())
}

/// The names of the triggers that run when a column is written.
pub(super) fn triggers(conn: &Connection, column: &SealedColumn) -> rusqlite::Result<Vec<String>> {
    let of_it = |(_, table, sql): &(String, String, String)| {
        table.eq_ignore_ascii_case(&column.table) && runs_on_update(sql, &column.column)
    };
    Ok(catalog::triggers(conn)?.into_iter().filter(of_it).map(|(name, ..)| name).collect())
}

/// Shows every text and blob of every table, with its table and column.
pub(super) fn every_text(conn: &Connection, visit: &mut dyn FnMut(&str, &str, &[u8])) -> rusqlite::Result<()> {
    for table in catalog::table_names(conn)? {
        if !catalog::has_table(conn, &table)? {
            continue; // SQLite's own
        }
        let columns: Vec<String> = catalog::columns(conn, &table)?.into_iter().map(|column| column.name).collect();
        let text = format!("SELECT {} FROM {}", sql::names(&columns), sql::name(&table));
        show(conn.prepare(&text)?, &mut |at, bytes| visit(&table, &columns[at], bytes))?;
    }
    // An index over an expression keeps texts of its own, such as an address in small letters.
    for (name, index) in catalog::indexes(conn, &record::table(conn, None)?.name)? {
        let Some(over) = index.over.strip_prefix('(').and_then(|over| over.strip_suffix(')')) else { continue }; // plain columns
        // One over some rows only, or in falling order, cannot be asked for like this.
        if let Ok(statement) = conn.prepare(&format!("SELECT {over} FROM {}", sql::name(&index.table))) {
            show(statement, &mut |_, bytes| visit(&index.table, &name, bytes))?;
        }
    }
    Ok(())
}

/// Shows every text and blob that a query gives, with the place of its column.
fn show(mut query: Statement<'_>, visit: &mut dyn FnMut(usize, &[u8])) -> rusqlite::Result<()> {
    let width = query.column_count();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        for at in 0..width {
            if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(at)? {
                visit(at, bytes);
            }
        }
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
