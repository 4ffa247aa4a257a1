//! Reads rows and keys.

use super::form::{self, Form};
use super::{catalog, sql};
use crate::database::{Cell, ledger};
use crate::table::ColumnType;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// A cell as it is stored. Text that is not UTF-8 stays bytes: it equals no text.
pub(super) fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Integer(value),
        ValueRef::Real(value) => Cell::Real(value),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Blob(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
    }
}

/// Appends the text of a cell as [`Cell::text`] gives it; `false` for NULL, which has none.
pub(super) fn push_text(value: ValueRef<'_>, to: &mut String) -> bool {
    if let ValueRef::Text(bytes) = value
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        to.push_str(text); // without a copy of its own: most cells are texts
        return true;
    }
    let text = cell(value).text();
    text.iter().for_each(|text| to.push_str(text));
    text.is_some()
}

pub(super) fn cells(row: &Row<'_>, columns: std::ops::Range<usize>) -> rusqlite::Result<Vec<Cell>> {
    columns.map(|column| row.get_ref(column).map(cell)).collect()
}

/// How many rows a table has.
pub(super) fn count(conn: &Connection, table: &str) -> rusqlite::Result<u64> {
    conn.query_row(&format!("SELECT count(*) FROM {}", sql::name(table)), [], |row| row.get(0))
}

/// The highest id ever given, also where AUTOINCREMENT remembers one that was deleted.
pub(super) fn highest(conn: &Connection, (table, column): (&str, &str), has_sequences: bool) -> rusqlite::Result<i64> {
    let of = |sql: &str, parameters: &[&str]| {
        conn.query_row(sql, rusqlite::params_from_iter(parameters), |row| row.get::<_, Option<i64>>(0))
    };
    let stored = of(&format!("SELECT max({}) FROM {}", sql::name(column), sql::name(table)), &[])?;
    let given =
        if has_sequences { of("SELECT max(seq) FROM sqlite_sequence WHERE name = ?1", &[table])? } else { None };
    Ok(stored.max(given).unwrap_or(0).max(0))
}

/// A part of a key: a kind, and its bytes.
type Part<'p> = (u8, Cow<'p, [u8]>);

/// The first 16 bytes of SHA-256 over a key's parts, told apart by kind and length.
fn digest<'p>(parts: impl Iterator<Item = Part<'p>>) -> [u8; 16] {
    let mut hash = Sha256::new();
    for (kind, bytes) in parts {
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    let digest = hash.finalize();
    std::array::from_fn(|i| digest[i])
}

/// The digest of a key as it is asked for.
pub(super) fn digest_of_forms<'p>(forms: impl IntoIterator<Item = &'p Form<'p>>) -> [u8; 16] {
    digest(forms.into_iter().map(|form| match form {
        Form::Null => (0, Cow::default()),
        Form::Integer(value) => integer(*value),
        Form::Real(value) => real(*value),
        Form::Text(text) => (3, Cow::Borrowed(text.as_bytes())),
        Form::Blob(bytes) => (4, Cow::Borrowed(*bytes)),
    }))
}

/// The digest of a key of columns of these types as it is stored, in whatever form.
pub(super) fn digest_of_cells(cells: &[Cell], kinds: &[ColumnType]) -> [u8; 16] {
    digest(cells.iter().zip(kinds).map(|(cell, kind)| match cell {
        Cell::Null => (0, Cow::default()),
        Cell::Integer(value) => integer(*value),
        Cell::Real(value) => real(*value),
        Cell::Text(text) => match form::meant(text, *kind) {
            Cow::Borrowed(text) => (3, text.as_bytes().into()),
            Cow::Owned(text) => (3, text.into_bytes().into()),
        },
        Cell::Blob(bytes) => (4, Cow::Borrowed(bytes.as_slice())),
    }))
}

fn integer(value: i64) -> Part<'static> {
    (1, value.to_be_bytes().to_vec().into())
}

/// SQLite stores 5.0 in a NUMERIC column as 5.
fn real(value: f64) -> Part<'static> {
    let whole = value as i64;
    let is_whole = whole as f64 == value && whole != i64::MAX;
    if is_whole { integer(whole) } else { (2, value.to_bits().to_be_bytes().to_vec().into()) }
}

/// What a table's rowid is called: a column may have one of its three names, and then it is that column.
fn rowid_name(columns: &[&str]) -> Option<&'static str> {
    let taken = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken(name))
}

/// What the rowid of a live table is called, if its rows have one that can be named.
pub(super) fn rowid(conn: &Connection, table: &str) -> rusqlite::Result<Option<&'static str>> {
    // With an argument SQLite tells of that table alone ("PRAGMA table_list").
    let text = "SELECT NOT wr FROM pragma_table_list(?1) WHERE schema = 'main'";
    let has_rowids = conn.prepare_cached(text)?.query_row([table], |row| row.get(0)).optional()?;
    let columns = catalog::column_names(conn, table)?;
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    Ok(rowid_name(&columns).filter(|_| has_rowids == Some(true)))
}

/// The key of the row with this rowid; the rowid itself where the table has no primary key.
pub(super) fn row_key(conn: &Connection, table: &str, row: i64) -> rusqlite::Result<String> {
    let columns: Vec<(String, u32)> =
        sql::all(conn, "SELECT name, pk FROM pragma_table_info(?1) ORDER BY pk", [table])?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let Some(rowid) = rowid_name(&names) else {
        return Ok(String::new());
    };
    let key: Vec<&str> = columns.iter().filter(|(_, place)| *place > 0).map(|(name, _)| name.as_str()).collect();
    if key.is_empty() {
        return Ok(row.to_string());
    }
    let text = format!("SELECT {} FROM {} WHERE {rowid} = ?1", sql::names(&key), sql::name(table));
    let parts = conn.prepare_cached(&text)?.query_row([row], |row| cells(row, 0..key.len()))?;
    Ok(ledger::row_key(parts.iter().map(Cell::text).collect()))
}
