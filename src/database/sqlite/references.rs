//! References that lead nowhere: how they are found, and when they cannot be.

use super::fault::Fault;
use super::location::Location;
use super::sql;
use crate::database::reference::Reference;
use crate::error::Error;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// References that lead nowhere, counted by table and parent.
pub(super) fn violations(conn: &Connection) -> rusqlite::Result<BTreeMap<(String, String), u64>> {
    let text = "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2";
    let found: Vec<(String, String, u64)> = sql::all(conn, text, [])?;
    Ok(found.into_iter().map(|(table, parent, rows)| ((table, parent), rows)).collect())
}

/// A reference to columns that are not unique cannot be checked; SQLite calls that a mismatch.
pub(super) fn is_unreferable(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown)
}

/// The words for it; `whose` names the references.
pub(super) fn unreferable(error: rusqlite::Error, whose: &str, location: &Location) -> Fault {
    if !is_unreferable(&error) {
        return error.into();
    }
    let what = format!("the foreign keys{whose} cannot be checked: one references columns that are not unique");
    Error::environment(what).at(&location.shown).into()
}

/// How many rows of a table have a dangling reference.
pub(super) fn dangling(conn: &Connection, reference: &Reference) -> rusqlite::Result<u64> {
    let text = format!("SELECT count(*) FROM {}", astray(reference));
    conn.query_row(&text, [], |row| row.get(0))
}

/// `table WHERE …`: the rows with a dangling reference.
pub(super) fn astray(reference: &Reference) -> String {
    let (column, to) = (sql::name(&reference.column), sql::name(&reference.to));
    format!(
        "{} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT {to} FROM {} WHERE {to} IS NOT NULL)",
        sql::name(&reference.table),
        sql::name(&reference.parent)
    )
}
