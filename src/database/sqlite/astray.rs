//! Rows whose declared reference dangles, with where this run wrote them from; and those of this run that reference one
//! of these, since it will not be there.

use super::read::{row_key, rowid};
use super::session::SqliteTransaction;
use super::{catalog, references, sql};
use crate::database::upkeep::{Orphan, WrittenFrom};
use crate::error::Result;
use rusqlite::{Connection, OptionalExtension};

/// The rows of this run that are astray, by the round in which they were found.
const TABLE: &str = "CREATE TEMP TABLE IF NOT EXISTS astray_rows
        (source TEXT, row INTEGER, parent TEXT, columns TEXT, round INTEGER, PRIMARY KEY (source, row)) WITHOUT ROWID;
    DELETE FROM temp.astray_rows";

/// The round of rows that are found and not followed.
const NOT_FOLLOWED: i64 = -1;

impl SqliteTransaction {
    /// With the keys that the ledger knows them by. However many the database had before, they hide none of this run.
    pub(super) fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>> {
        // The index over the ledger is as large as what was written: it is made for those who need it.
        let asked = self.conn.prepare("SELECT 1 FROM pragma_foreign_key_check").and_then(|mut all| all.exists([]));
        if !self.said(asked.map_err(|error| references::unreferable(error, "", &self.location)))? {
            return Ok(Vec::new());
        }
        self.index_rows()?;
        self.on(|conn| {
            conn.execute_batch(TABLE)?;
            let (mut ours, mut others) = dangling(conn, most)?;
            let mut round = 0;
            while ours.len() < most {
                follow(conn, round)?;
                round += 1;
                let more = found_in(conn, round, most - ours.len())?;
                if more.is_empty() {
                    break;
                }
                ours.extend(more);
            }
            ours.append(&mut others);
            ours.truncate(most);
            Ok(ours)
        })
    }
}

/// The rows that reference a missing row: those of this run, which are noted as well, and others.
fn dangling(conn: &Connection, most: usize) -> rusqlite::Result<(Vec<Orphan>, Vec<Orphan>)> {
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    let mut note = conn.prepare("INSERT OR IGNORE INTO temp.astray_rows VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let text = "SELECT c.\"table\", c.rowid, c.parent,
                       (SELECT json_group_array(k.\"from\") FROM pragma_foreign_key_list(c.\"table\") k WHERE k.id = c.fkid)
                FROM pragma_foreign_key_check c";
    let mut all = conn.prepare(text)?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        if ours.len() == most {
            break; // no more are reported
        }
        let (table, row, parent, columns): (String, Option<i64>, String, String) = row.try_into()?;
        let (orphan, is_filled) = match row {
            Some(row) => orphan(conn, &table, row, &parent, &columns, &columns)?,
            None => {
                let (row_key, columns) = (String::new(), names(&columns));
                (Orphan { table, row_key, parent, columns, origin: None }, false)
            }
        };
        if let Some(row) = row.filter(|_| orphan.origin.is_some()) {
            // A row stays, and with it those that reference it, where only what filled it is rejected.
            let round = if is_filled { NOT_FOLLOWED } else { 0 };
            if note.execute((&orphan.table, row, &orphan.parent, &columns, round))? > 0 {
                ours.push(orphan);
            }
        } else if others.len() < most {
            others.push(orphan);
        }
    }
    Ok((ours, others))
}

/// Notes the rows that reference those which the last round found.
fn follow(conn: &Connection, round: i64) -> rusqlite::Result<()> {
    let text = "SELECT DISTINCT source FROM temp.astray_rows WHERE round = ?1";
    let parents: Vec<String> = sql::column(conn, text, [round])?;
    for table in catalog::table_names(conn)? {
        for key in catalog::foreign_keys(conn, &table)? {
            let Some(parent) = parents.iter().find(|parent| parent.eq_ignore_ascii_case(&key.table)) else { continue };
            let (Some(row), Some(of_parent)) = (rowid(conn, &table)?, rowid(conn, parent)?) else { continue };
            let pairs = key.columns.iter().zip(&key.to);
            let same: Vec<String> =
                pairs.map(|(from, to)| format!("c.{} = p.{}", sql::name(from), sql::name(to))).collect();
            let columns = serde_json::json!(key.columns).to_string();
            let text = format!(
                "INSERT OR IGNORE INTO temp.astray_rows SELECT ?1, c.{row}, ?2, ?4, ?3 + 1 FROM temp.astray_rows a
                 JOIN {} p ON p.{of_parent} = a.row JOIN {} c ON {} WHERE a.source = ?2 AND a.round = ?3",
                sql::name(parent),
                sql::name(&table),
                same.join(" AND ")
            );
            conn.execute(&text, (&table, parent, round, columns))?;
        }
    }
    Ok(())
}

/// The rows of this run that a round found; no others are followed.
fn found_in(conn: &Connection, round: i64, most: usize) -> rusqlite::Result<Vec<Orphan>> {
    let text = "SELECT source, row, parent, columns FROM temp.astray_rows WHERE round = ?1 ORDER BY source, row";
    let mut found = Vec::new();
    for (table, row, parent, columns) in sql::all::<(String, i64, String, String)>(conn, text, [round])? {
        let (orphan, _) = orphan(conn, &table, row, &parent, &columns, "[]")?;
        if orphan.origin.is_none() {
            let text = "UPDATE temp.astray_rows SET round = ?3 WHERE source = ?1 AND row = ?2";
            conn.execute(text, (&table, row, NOT_FOLLOWED))?;
        } else if found.len() < most {
            found.push(orphan);
        }
    }
    Ok(found)
}

/// The names in a JSON list.
fn names(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}

/// A row with the `columns` (a JSON list) of its reference, with what filled one of those in `filled`, else with what made
/// it; and whether it was filled.
fn orphan(
    conn: &Connection,
    table: &str,
    row: i64,
    parent: &str,
    columns: &str,
    filled: &str,
) -> rusqlite::Result<(Orphan, bool)> {
    let row_key = row_key(conn, table, row)?;
    let text = "SELECT r.file, r.\"offset\",
                       c.filled AND EXISTS (SELECT 1 FROM json_each(?3) w WHERE w.value IN (
                           SELECT value FROM json_each(c.digested) UNION ALL SELECT value FROM json_each(c.clock))) AS filled
                FROM temp.origins o JOIN treelift_tables t ON t.id = o.\"table\"
                JOIN treelift_rows r ON r.file = o.file AND r.\"table\" = o.\"table\" AND r.number = o.number
                JOIN treelift_columns c ON c.id = r.columns
                WHERE t.name = ?1 AND o.row_key = ?2 ORDER BY filled DESC, o.number LIMIT 1";
    let written = |row: &rusqlite::Row<'_>| {
        let offset: i64 = row.get(1)?;
        Ok((WrittenFrom { file: row.get(0)?, offset: offset.unsigned_abs() }, row.get(2)?))
    };
    let found = conn.prepare_cached(text)?.query_row((table, &row_key, filled), written).optional()?;
    let (origin, is_filled) = found.map_or((None, false), |(origin, is_filled)| (Some(origin), is_filled));
    let (table, parent, columns) = (table.to_owned(), parent.to_owned(), names(columns));
    Ok((Orphan { table, row_key, parent, columns, origin }, is_filled))
}
