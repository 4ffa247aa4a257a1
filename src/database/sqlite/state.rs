//! Format number and id of a database, in `treelift_state`.

use super::catalog;
use super::location::{Location, Tried};
use crate::database::state::{FORMAT, State, TABLE_NAME};
use crate::error::{Error, Result};
use crate::hex;
use rusqlite::{Connection, OptionalExtension};

/// How the table is made.
pub(super) const TABLE: &str =
    "CREATE TABLE treelift_state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

const FORMAT_NAME: &str = "format";
const ID_NAME: &str = "database_id";
/// How many values were sealed in each table when the proof was written.
pub(super) const COUNTS_NAME: &str = "sealed_counts";
/// The table that records migrations, where a set named it.
pub(super) const RECORD_NAME: &str = "migrations_table";
/// The proof of keys and registry.
pub(super) const HMAC_NAME: &str = "registry_hmac";
/// Their digest, which needs no key to be compared.
pub(super) const DIGEST_NAME: &str = "registry_digest";

/// Reads the state; a database without the table is of format 1. One of a newer format is refused.
pub(super) fn read(conn: &Connection, location: &Location) -> Tried<State> {
    let format = match value(conn, FORMAT_NAME)? {
        None => 1,
        Some(text) => {
            text.parse().map_err(|_| damaged(TABLE_NAME, &format!("`{FORMAT_NAME}` is not a number"), location))?
        }
    };
    if format > FORMAT {
        return Err(Error::environment(format!(
            "the database has format {format}, and this version of treelift knows formats up to {FORMAT}"
        ))
        .at(&location.shown)
        .hint("use the version of treelift that wrote it last, or a newer one")
        .into());
    }
    Ok(State { format, id: value(conn, ID_NAME)? })
}

/// That a table of treelift holds what treelift does not write there.
pub(super) fn damaged(table: &str, what: &str, location: &Location) -> Error {
    let error = Error::environment(format!("`{table}` is damaged: {what}"));
    error.at(&location.shown).hint("restore the database from a backup")
}

/// Brings a database to this format. One without an id gets `id`, else a new one.
pub(super) fn upgrade(conn: &Connection, location: &Location, id: Option<&str>) -> Tried<()> {
    let state = read(conn, location)?;
    if state.format != FORMAT {
        put(conn, FORMAT_NAME, &FORMAT.to_string())?;
    }
    if state.id.is_none() {
        put(conn, ID_NAME, &id.map_or_else(new_id, |id| Ok(id.to_owned()))?)?;
    }
    Ok(())
}

fn new_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Error::environment("the system's random source failed"))?;
    Ok(hex::encode(bytes))
}

/// An entry; none where there is none, or no table.
pub(super) fn value(conn: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    if !catalog::has_table(conn, TABLE_NAME)? {
        return Ok(None);
    }
    let text = "SELECT CAST(value AS TEXT) FROM treelift_state WHERE name = ?1";
    conn.query_row(text, [name], |row| row.get(0)).optional()
}

/// Writes an entry, over the one of the same name.
pub(super) fn put(conn: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    let text = "INSERT INTO treelift_state (name, value) VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    conn.execute(text, (name, value)).map(drop)
}
