//! The registered keys, and which columns hold what was sealed with them.

use super::fault::Tried;
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
        let (id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at) = row.try_into()?;
        Ok(KeyRow { id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at })
    })?
    .collect()
}

/// Registers a key, or replaces the row of the same id.
pub(super) fn put(conn: &Connection, key: &KeyRow) -> rusqlite::Result<()> {
    let KeyRow { id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at } = key;
    let text = "INSERT OR REPLACE INTO treelift_keys
                    (id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    conn.execute(text, (id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at)).map(drop)
}

/// The registered columns, by name.
pub(super) fn registered(conn: &Connection, location: &Location) -> Tried<Vec<Registered>> {
    let mut rows = registry_rows(conn)?;
    rows.sort();
    let read = |RegistryRow { table, column, row_filter, key_columns, format }| {
        let damaged = |what: &str| {
            Error::environment(format!("`treelift_sealed_columns` is damaged: `{what}` of `{table}.{column}`"))
                .at(&location.shown)
                .hint("restore it from a backup; docs/credentials.md describes its contents")
        };
        let names = serde_json::from_str(&key_columns).ok().filter(|names: &Vec<String>| !names.is_empty());
        let key_columns = names.ok_or_else(|| damaged("key_columns"))?;
        if !is_ours(&format) && format != FERNET {
            return Err(damaged("format").into());
        }
        let row_filter = row_filter.map(|text| serde_json::from_str(&text)).transpose();
        let row_filter = row_filter.map_err(|_| damaged("row_filter"))?;
        Ok(Registered { column: SealedColumn { table, column, key_columns, row_filter }, format })
    };
    rows.into_iter().map(read).collect()
}

/// Registers a column in a format, or changes the format of one that is registered.
pub(super) fn register(conn: &Connection, column: &Registered) -> rusqlite::Result<()> {
    let Registered { column, format } = column;
    let row_filter = filter_text(column);
    let changed = conn.execute(
        "UPDATE treelift_sealed_columns SET format = ?1
         WHERE table_name = ?2 AND column_name = ?3 AND row_filter IS ?4",
        (format, &column.table, &column.column, &row_filter),
    )?;
    if changed > 0 {
        return Ok(());
    }
    conn.execute(
        "INSERT INTO treelift_sealed_columns (table_name, column_name, key_columns, format, row_filter)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (&column.table, &column.column, key_text(column), format, row_filter),
    )
    .map(drop)
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
pub(super) fn put_sealed_column(conn: &Connection, column: &SealedColumn, location: &Location) -> Tried<()> {
    let known: Option<(String, String)> = conn
        .query_row(
            "SELECT key_columns, format FROM treelift_sealed_columns
             WHERE table_name = ?1 AND column_name = ?2 AND row_filter IS ?3",
            (&column.table, &column.column, filter_text(column)),
            |row| row.try_into(),
        )
        .optional()?;
    if let Some((known, format)) = known
        // Where nothing of a hand-over is left, the column is ours again.
        && !(known == key_text(column) && (is_ours(&format) || holds_ours_alone(conn, column)?))
    {
        let name = format!("column `{}.{}`", column.table, column.column);
        let error = if is_ours(&format) {
            Error::environment(format!("{name} holds values that were sealed for other key columns"))
                .hint("keep the key columns of the mapping that sealed them")
        } else {
            Error::environment(format!("{name} was handed over to the application"))
                .hint("seal it again first with `credentials encrypt --from fernet`")
        };
        return Err(error.at(&location.shown).into());
    }
    // New values have the new format.
    Ok(register(conn, &Registered { column: column.clone(), format: FORMAT.to_owned() })?)
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
    let (keys, columns) = (all(conn)?, registry_rows(conn)?);
    let (counts, hmac) = (state::value(conn, state::COUNTS_NAME)?, state::value(conn, state::HMAC_NAME)?);
    Ok(Registry { keys, columns, counts, hmac, digest: state::value(conn, state::DIGEST_NAME)? })
}

fn registry_rows(conn: &Connection) -> rusqlite::Result<Vec<RegistryRow>> {
    if !catalog::has_table(conn, "treelift_sealed_columns")? {
        return Ok(Vec::new());
    }
    conn.prepare("SELECT table_name, column_name, row_filter, key_columns, format FROM treelift_sealed_columns")?
        .query_map([], |row| {
            let (table, column, row_filter, key_columns, format) = row.try_into()?;
            Ok(RegistryRow { table, column, row_filter, key_columns, format })
        })?
        .collect()
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
