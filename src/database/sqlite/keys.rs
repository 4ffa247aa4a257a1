//! The registered keys, and which columns hold what was sealed with them.

use super::location::Location;
use super::{catalog, sealed_values, state};
use crate::database::cells::{FERNET, Registered};
use crate::database::sealed::SealRecord;
use crate::database::{SealedColumn, SealedState};
use crate::error::{Error, Result};
use crate::secret::cipher::{FORMAT, is_ours};
use crate::secret::keys::KeyRow;
use crate::secret::registry::{Registry, RegistryRow};
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

/// The registered columns, by name.
pub(super) fn registered(conn: &Connection, location: &Location) -> Result<Vec<Registered>> {
    let fault = |error: rusqlite::Error| location.fault(&error);
    if !catalog::has_table(conn, "treelift_sealed_columns").map_err(fault)? {
        return Ok(Vec::new());
    }
    let text = "SELECT table_name, column_name, key_columns, format, row_filter FROM treelift_sealed_columns
                ORDER BY table_name, column_name, row_filter";
    let rows: Vec<(String, String, String, String, Option<String>)> = conn
        .prepare(text)
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
                .collect()
        })
        .map_err(fault)?;
    rows.into_iter()
        .map(|(table, column, key_columns, format, row_filter)| {
            let damaged = |what: &str| {
                Error::environment(format!("`treelift_sealed_columns` is damaged: `{what}` of `{table}.{column}`"))
                    .at(&location.shown)
                    .hint("restore it from a backup; docs/credentials.md describes its contents")
            };
            let key_columns = serde_json::from_str(&key_columns)
                .ok()
                .filter(|names: &Vec<String>| !names.is_empty())
                .ok_or_else(|| damaged("key_columns"))?;
            if !is_ours(&format) && format != FERNET {
                return Err(damaged("format"));
            }
            let row_filter = row_filter.map(|text| serde_json::from_str(&text)).transpose();
            let row_filter = row_filter.map_err(|_| damaged("row_filter"))?;
            Ok(Registered { column: SealedColumn { table, column, key_columns, row_filter }, format })
        })
        .collect()
}

/// Registers a column in a format, or changes the format of one that is registered.
pub(super) fn register(conn: &Connection, column: &Registered, location: &Location) -> Result<()> {
    let Registered { column, format } = column;
    let row_filter = filter_text(column);
    let changed = conn
        .execute(
            "UPDATE treelift_sealed_columns SET format = ?1
             WHERE table_name = ?2 AND column_name = ?3 AND row_filter IS ?4",
            (format, &column.table, &column.column, &row_filter),
        )
        .map_err(|error| location.fault(&error))?;
    if changed > 0 {
        return Ok(());
    }
    conn.execute(
        "INSERT INTO treelift_sealed_columns (table_name, column_name, key_columns, format, row_filter)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (&column.table, &column.column, key_text(column), format, row_filter),
    )
    .map(drop)
    .map_err(|error| location.fault(&error))
}

fn key_text(column: &SealedColumn) -> String {
    serde_json::Value::from_iter(column.key_columns.iter().cloned()).to_string()
}

fn filter_text(column: &SealedColumn) -> Option<String> {
    column.row_filter.as_ref().map(|filter| serde_json::json!(filter).to_string())
}

/// Whether every value of a column is one that treelift sealed.
fn holds_ours_alone(conn: &Connection, column: &SealedColumn) -> rusqlite::Result<bool> {
    let state = SealedState { column: column.clone(), format: FORMAT.to_owned(), ..SealedState::default() };
    Ok(sealed_values::values(conn, state, &[])?.plain == 0)
}

/// Registers a sealed column. One column may be registered with several row filters; the columns
/// that identify its rows are part of each value's proof and cannot change under it.
pub(super) fn put_sealed_column(conn: &Connection, column: &SealedColumn, location: &Location) -> Result<()> {
    let fault = |error: rusqlite::Error| location.fault(&error);
    let (key_columns, row_filter) = (key_text(column), filter_text(column));
    let known: Option<(String, String)> = conn
        .query_row(
            "SELECT key_columns, format FROM treelift_sealed_columns
             WHERE table_name = ?1 AND column_name = ?2 AND row_filter IS ?3",
            (&column.table, &column.column, &row_filter),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(fault)?;
    match known {
        // New values have the new format; where nothing of a hand-over is left, the column is ours again.
        Some((known, format))
            if known == key_columns && (is_ours(&format) || holds_ours_alone(conn, column).map_err(fault)?) =>
        {
            conn.execute(
                "UPDATE treelift_sealed_columns SET format = ?1
                 WHERE table_name = ?2 AND column_name = ?3 AND row_filter IS ?4",
                (FORMAT, &column.table, &column.column, &row_filter),
            )
            .map_err(fault)?;
            Ok(())
        }
        Some((_, format)) if !is_ours(&format) => Err(Error::environment(format!(
            "column `{}.{}` was handed over to the application",
            column.table, column.column
        ))
        .at(&location.shown)
        .hint("seal it again first with `credentials encrypt --from fernet`")),
        Some(_) => Err(Error::environment(format!(
            "column `{}.{}` holds values that were sealed for other key columns",
            column.table, column.column
        ))
        .at(&location.shown)
        .hint("keep the key columns of the mapping that sealed them")),
        None => conn
            .execute(
                "INSERT INTO treelift_sealed_columns (table_name, column_name, key_columns, format, row_filter)
                 VALUES (?1, ?2, ?3, ?5, ?4)",
                (&column.table, &column.column, key_columns, row_filter, FORMAT),
            )
            .map(drop)
            .map_err(fault),
    }
}

/// The keys, the registry with its proof, and what the registered columns hold.
pub(super) fn record(conn: &Connection, location: &Location) -> Result<SealRecord> {
    let read = || {
        let registry = registry(conn)?;
        let columns = sealed_values::sealed(conn, &registry)?;
        Ok(SealRecord { registry, columns, place: location.shown.clone() })
    };
    read().map_err(|error| fault(&error, location))
}

/// The keys and the registry with its proof.
pub(super) fn registry(conn: &Connection) -> rusqlite::Result<Registry> {
    let keys = all(conn)?;
    let columns = if catalog::has_table(conn, "treelift_sealed_columns")? {
        conn.prepare("SELECT table_name, column_name, row_filter, key_columns, format FROM treelift_sealed_columns")?
            .query_map([], |row| {
                Ok(RegistryRow {
                    table: row.get(0)?,
                    column: row.get(1)?,
                    row_filter: row.get(2)?,
                    key_columns: row.get(3)?,
                    format: row.get(4)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?
    } else {
        Vec::new()
    };
    let (counts, hmac) = (state::value(conn, state::COUNTS_NAME)?, state::value(conn, state::HMAC_NAME)?);
    Ok(Registry { keys, columns, counts, hmac, digest: state::value(conn, state::DIGEST_NAME)? })
}

/// Writes the proof and what it says of the number of values, with the digest of the same.
pub(super) fn put_proof(conn: &Connection, counts: &str, hmac: &str) -> rusqlite::Result<()> {
    state::put(conn, state::COUNTS_NAME, counts)?;
    state::put(conn, state::HMAC_NAME, hmac)?;
    state::put(conn, state::DIGEST_NAME, &registry(conn)?.digest_now())
}

/// The words for a column of another type than treelift writes: damage, not a fault of treelift.
pub(super) fn fault(error: &rusqlite::Error, location: &Location) -> Error {
    match error {
        rusqlite::Error::InvalidColumnType(_, name, _) => {
            Error::environment(format!("a row of `treelift_keys` is damaged: `{name}` has the wrong type"))
                .at(&location.shown)
                .hint("restore `treelift_keys` from a backup; without it the sealed values cannot be opened")
        }
        error => location.fault(error),
    }
}
