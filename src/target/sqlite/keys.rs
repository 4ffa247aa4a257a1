//! The registered keys, and which columns hold what was sealed with them.

use super::catalog;
use super::open::Location;
use crate::error::{Error, Result};
use crate::secret::keys::KeyRow;
use crate::target::SealedColumn;
use rusqlite::{Connection, OptionalExtension};

/// The registered keys, oldest first.
pub(super) fn all(conn: &Connection) -> rusqlite::Result<Vec<KeyRow>> {
    if !catalog::has_table(conn, "treelift_keys")? {
        return Ok(Vec::new());
    }
    conn.prepare(
        "SELECT id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at FROM treelift_keys
         ORDER BY created_at, id",
    )?
    .query_map([], |row| {
        Ok(KeyRow {
            id: row.get(0)?,
            state: row.get(1)?,
            kdf: row.get(2)?,
            key_check: row.get(3)?,
            wrapped_key: row.get(4)?,
            seal_count: row.get(5)?,
            created_at: row.get(6)?,
            retired_at: row.get(7)?,
        })
    })?
    .collect()
}

/// Registers a key, or replaces the row of the same id.
pub(super) fn put(conn: &Connection, key: &KeyRow) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT OR REPLACE INTO treelift_keys
             (id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            &key.id,
            &key.state,
            &key.kdf,
            &key.key_check,
            &key.wrapped_key,
            key.seal_count,
            &key.created_at,
            &key.retired_at,
        ),
    )
    .map(drop)
}

/// Registers a sealed column. One column may be registered with several row filters; the columns
/// that identify its rows are part of each value's proof and cannot change under it.
pub(super) fn put_sealed_column(conn: &Connection, column: &SealedColumn, location: &Location) -> Result<()> {
    let fault = |error: rusqlite::Error| location.fault(&error);
    let key_columns = serde_json::Value::from_iter(column.key_columns.iter().cloned()).to_string();
    let row_filter = column.row_filter.as_ref().map(|filter| serde_json::json!(filter).to_string());
    let known: Option<String> = conn
        .query_row(
            "SELECT key_columns FROM treelift_sealed_columns
             WHERE table_name = ?1 AND column_name = ?2 AND row_filter IS ?3",
            (&column.table, &column.column, &row_filter),
            |row| row.get(0),
        )
        .optional()
        .map_err(fault)?;
    match known {
        Some(known) if known == key_columns => Ok(()),
        Some(_) => Err(Error::environment(format!(
            "column `{}.{}` holds values that were sealed for other key columns",
            column.table, column.column
        ))
        .at(&location.shown)
        .hint("keep the key columns of the mapping that sealed them")),
        None => conn
            .execute(
                "INSERT INTO treelift_sealed_columns (table_name, column_name, key_columns, format, row_filter)
                 VALUES (?1, ?2, ?3, 'tl1', ?4)",
                (&column.table, &column.column, key_columns, row_filter),
            )
            .map(drop)
            .map_err(fault),
    }
}
