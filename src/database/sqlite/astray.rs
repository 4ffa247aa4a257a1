//! Rows that refer to nothing, noted one by one, so that new ones are told from old ones.

use super::location::Location;
use super::{catalog, read, references};
use crate::database::reference::Reference;
use crate::database::undo::{Keys, Obstacle};
use crate::error::Result;
use rusqlite::Connection;

/// The temporary tables of what there was and what there is.
pub(super) const BEFORE: &str = "astray_before";
pub(super) const AFTER: &str = "astray_after";

/// Notes every row that refers to nothing: by declared references, and by those that mappings follow.
/// Where rows have no rowid, only how many there are can be noted.
///
/// A reference to columns that are not unique cannot be followed, by nobody: that is an error where it
/// points at one of the `parents`, and else none of theirs.
pub(super) fn note(
    conn: &Connection,
    into: &str,
    references: &[Reference],
    parents: &[&str],
    location: &Location,
) -> Result<()> {
    let fault = |error: rusqlite::Error| location.fault(&error);
    conn.execute_batch(&format!("CREATE TEMP TABLE {into} (source TEXT, parent TEXT, reference TEXT, row INTEGER)"))
        .map_err(fault)?;
    let declared =
        format!("INSERT INTO temp.{into} SELECT \"table\", parent, fkid, rowid FROM pragma_foreign_key_check(?1)");
    for table in catalog::table_names(conn).map_err(fault)? {
        if let Err(error) = conn.prepare_cached(&declared).and_then(|mut all| all.execute([&table])) {
            let leads_to = |parent: &String| parents.iter().any(|name| name.eq_ignore_ascii_case(parent));
            if references::is_unreferable(&error) && !references_of(conn, &table).map_err(fault)?.iter().any(leads_to) {
                continue; // It leads to none of them.
            }
            return Err(references::unreferable(&error, &format!(" of `{table}`"), location));
        }
    }
    for reference in references {
        let row = read::rowid(conn, &reference.table).map_err(fault)?.unwrap_or("NULL");
        let text = format!("INSERT INTO temp.{into} SELECT ?1, ?2, ?3, {row} FROM {}", references::astray(reference));
        conn.execute(&text, (&reference.table, &reference.parent, reference.to_string())).map_err(fault)?;
    }
    Ok(())
}

/// The tables that a table refers to.
fn references_of(conn: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

/// Rows that refer to nothing now, and did not before.
pub(super) fn new(conn: &Connection) -> rusqlite::Result<Vec<Obstacle>> {
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
    let rows: Vec<(String, String, i64)> = conn
        .prepare(
            "SELECT source, parent, row FROM (SELECT * FROM temp.astray_after WHERE row IS NOT NULL
                 EXCEPT SELECT * FROM temp.astray_before) GROUP BY source, parent, row ORDER BY source, parent, row",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, parent, row) in rows {
        let key = read::row_key(conn, &table, row)?;
        report(table, parent, &|keys| keys.add(&key));
    }
    let counted: Vec<(String, String, i64)> = conn
        .prepare(
            "SELECT source, parent, sum(one) FROM (
                 SELECT source, parent, 1 AS one FROM temp.astray_after WHERE row IS NULL UNION ALL
                 SELECT source, parent, -1 FROM temp.astray_before WHERE row IS NULL)
             GROUP BY source, parent HAVING sum(one) > 0 ORDER BY source, parent",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, parent, rows) in counted {
        report(table, parent, &|keys| keys.rows += rows.unsigned_abs());
    }
    Ok(found)
}
