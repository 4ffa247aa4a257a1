//! Format number and id of a database, in `treelift_state`.

use super::catalog;
use super::connect::Session;
use super::own_schema::APPLICATION_NAME;
use super::place::Tried;
use crate::database::state::{FORMAT, State, TABLE_NAME};
use crate::error::{Error, Result};
use crate::hex;

/// How the table is made.
pub(super) const TABLE: &str = "CREATE TABLE treelift_state (name text NOT NULL PRIMARY KEY, value text NOT NULL)";

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
pub(super) fn read(session: &Session) -> Tried<State> {
    let place = session.place.shown();
    let format = match value(session, FORMAT_NAME)? {
        None => 1,
        Some(text) => text.parse().map_err(|_| {
            Error::environment(format!("`{TABLE_NAME}` is damaged: `{FORMAT_NAME}` is not a number"))
                .at(place)
                .hint("restore the database from a backup")
        })?,
    };
    if format > FORMAT {
        return Err(Error::environment(format!(
            "the database has format {format}, and this version of treelift knows formats up to {FORMAT}"
        ))
        .at(place)
        .hint("use the version of treelift that wrote it last, or a newer one")
        .into());
    }
    Ok(State { format, id: value(session, ID_NAME)? })
}

/// Brings a database to this format. One without an id gets `id`, else a new one.
pub(super) fn upgrade(session: &Session, id: Option<&str>) -> Tried<()> {
    let state = read(session)?;
    if state.format != FORMAT {
        put(session, FORMAT_NAME, &FORMAT.to_string())?;
    }
    if state.id.is_none() {
        put(session, ID_NAME, &id.map_or_else(new_id, |id| Ok(id.to_owned()))?)?;
    }
    if session.is_apart() && value(session, APPLICATION_NAME)?.is_none() {
        put(session, APPLICATION_NAME, &session.schema)?;
    }
    Ok(())
}

fn new_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Error::environment("the system's random source failed"))?;
    Ok(hex::encode(bytes))
}

/// An entry; none where there is none, or no table.
pub(super) fn value(session: &Session, name: &str) -> Tried<Option<String>> {
    if !catalog::has_table(session, TABLE_NAME)? {
        return Ok(None);
    }
    let text = "SELECT value FROM treelift_state WHERE name = $1";
    Ok(session.first(text, &[Some(name)])?.map(|row| row.get(0)))
}

/// Writes an entry, over the one of the same name.
pub(super) fn put(session: &Session, name: &str, value: &str) -> Tried<()> {
    let text = "INSERT INTO treelift_state (name, value) VALUES ($1, $2)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    session.execute(text, &[Some(name), Some(value)]).map(drop)
}
