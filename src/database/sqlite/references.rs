//! References that lead nowhere: how they are found, and when they cannot be.

use super::location::Location;
use super::sql;
use crate::database::reference::Reference;
use crate::error::Error;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// References that lead nowhere, counted by table and parent.
pub(super) fn violations(conn: &Connection) -> rusqlite::Result<BTreeMap<(String, String), u64>> {
    conn.prepare("SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2")?
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?.unsigned_abs())))?
        .collect()
}

/// A reference to columns that are not unique cannot be checked; SQLite calls that a mismatch.
pub(super) fn is_unreferable(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown)
}

/// The words for it; `whose` names the references.
pub(super) fn unreferable(error: &rusqlite::Error, whose: &str, location: &Location) -> Error {
    if is_unreferable(error) {
        Error::environment(format!(
            "the foreign keys{whose} cannot be checked: one references columns that are not unique"
        ))
        .at(&location.shown)
    } else {
        location.fault(error)
    }
}

/// How many rows of a table have a dangling reference.
pub(super) fn dangling(conn: &Connection, reference: &Reference) -> rusqlite::Result<u64> {
    let text = format!("SELECT count(*) FROM {}", astray(reference));
    conn.query_row(&text, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
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
