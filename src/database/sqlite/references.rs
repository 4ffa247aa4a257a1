//! References that lead nowhere: how they are found, and when they cannot be; and rows that refer to nothing,
//! noted one by one, so that new ones are told from old ones.

use super::location::{Fault, Location, Tried};
use super::{catalog, read, sql};
use crate::database::reference::Reference;
use crate::database::undo::{Keys, Obstacle};
use crate::error::Error;
use crate::table::ForeignKey;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// References that lead nowhere, counted by table and parent.
pub(super) fn violations(conn: &Connection) -> rusqlite::Result<BTreeMap<(String, String), u64>> {
    let text = "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2";
    let found: Vec<(String, String, u64)> = sql::all(conn, text, [])?;
    Ok(found.into_iter().map(|(table, parent, rows)| ((table, parent), rows)).collect())
}

/// A reference to columns that are not unique cannot be checked; SQLite calls that a mismatch.
fn is_unreferable(error: &rusqlite::Error) -> bool {
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

/// The same of a reference that may be one of several columns.
pub(super) fn astray_of(table: &str, key: &ForeignKey) -> String {
    if let ([column], [to]) = (key.columns.as_slice(), key.to.as_slice()) {
        let (table, column, parent, to) = (table.to_owned(), column.clone(), key.table.clone(), to.clone());
        return astray(&Reference { table, column, parent, to });
    }
    let some: Vec<String> = key.columns.iter().map(|column| format!("{} IS NOT NULL", sql::name(column))).collect();
    let child = sql::name(table);
    let same = key.columns.iter().zip(&key.to);
    let same: Vec<String> =
        same.map(|(from, to)| format!("p.{} = {child}.{}", sql::name(to), sql::name(from))).collect();
    format!(
        "{child} WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
        some.join(" AND "),
        sql::name(&key.table),
        same.join(" AND ")
    )
}

/// The temporary tables of what there was and what there is.
pub(super) const BEFORE: &str = "astray_before";
pub(super) const AFTER: &str = "astray_after";

/// Notes every row that refers to nothing: by declared references, and by those that mappings follow.
/// Where rows have no rowid, only how many there are can be noted.
///
/// A reference to columns that are not unique cannot be followed, by nobody: that is an error where it
/// points at one of the `parents`, and else none of theirs.
pub(super) fn note_astray(
    conn: &Connection,
    into: &str,
    references: &[Reference],
    parents: &[&str],
    location: &Location,
) -> Tried<()> {
    conn.execute_batch(&format!("CREATE TEMP TABLE {into} (source TEXT, parent TEXT, reference TEXT, row INTEGER)"))?;
    let declared =
        format!("INSERT INTO temp.{into} SELECT \"table\", parent, fkid, rowid FROM pragma_foreign_key_check(?1)");
    for table in catalog::table_names(conn)? {
        if let Err(error) = conn.prepare_cached(&declared).and_then(|mut all| all.execute([&table])) {
            let leads_to = |key: &ForeignKey| parents.iter().any(|name| name.eq_ignore_ascii_case(&key.table));
            if is_unreferable(&error) && !catalog::foreign_keys(conn, &table)?.iter().any(leads_to) {
                continue; // It leads to none of them.
            }
            return Err(unreferable(error, &format!(" of `{table}`"), location));
        }
    }
    for reference in references {
        let row = read::rowid(conn, &reference.table)?.unwrap_or("NULL");
        let text = format!("INSERT INTO temp.{into} SELECT ?1, ?2, ?3, {row} FROM {}", astray(reference));
        conn.execute(&text, (&reference.table, &reference.parent, reference.to_string()))?;
    }
    Ok(())
}

/// Rows that refer to nothing now, and did not before.
pub(super) fn new_astray(conn: &Connection) -> rusqlite::Result<Vec<Obstacle>> {
    let mut found: Vec<Obstacle> = Vec::new();
    let mut report = |table: String, parent: String, add: &dyn Fn(&mut Keys)| {
        let same = |one: &&mut Obstacle| matches!(one, Obstacle::Referred { table: t, parent: p, .. } if *t == table && *p == parent);
        match found.iter_mut().find(same) {
            Some(Obstacle::Referred { keys, .. }) => add(keys),
            _ => {
                let mut keys = Keys::default();
                add(&mut keys);
                found.push(Obstacle::Referred { table, parent, keys });
            }
        }
    };
    let text = "SELECT source, parent, row FROM (SELECT * FROM temp.astray_after WHERE row IS NOT NULL
                    EXCEPT SELECT * FROM temp.astray_before) GROUP BY source, parent, row ORDER BY source, parent, row";
    for (table, parent, row) in sql::all::<(String, String, i64)>(conn, text, [])? {
        let key = read::row_key(conn, &table, row)?;
        report(table, parent, &|keys| keys.add(&key));
    }
    let text = "SELECT source, parent, sum(one) FROM (
                    SELECT source, parent, 1 AS one FROM temp.astray_after WHERE row IS NULL UNION ALL
                    SELECT source, parent, -1 FROM temp.astray_before WHERE row IS NULL)
                GROUP BY source, parent HAVING sum(one) > 0 ORDER BY source, parent";
    for (table, parent, rows) in sql::all::<(String, String, u64)>(conn, text, [])? {
        report(table, parent, &|keys| keys.rows += rows);
    }
    Ok(found)
}
