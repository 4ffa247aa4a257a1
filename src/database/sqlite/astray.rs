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
        (source TEXT, row INTEGER, parent TEXT, round INTEGER, PRIMARY KEY (source, row)) WITHOUT ROWID;
    DELETE FROM temp.astray_rows";

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
    let mut note = conn.prepare("INSERT OR IGNORE INTO temp.astray_rows VALUES (?1, ?2, ?3, 0)")?;
    let mut all = conn.prepare("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        if ours.len() == most {
            break; // no more are reported
        }
        let (table, row, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let orphan = match row {
            Some(row) => orphan(conn, &table, row, &parent)?,
            None => Orphan { table, row_key: String::new(), parent, origin: None },
        };
        if let Some(row) = row.filter(|_| orphan.origin.is_some()) {
            if note.execute((&orphan.table, row, &orphan.parent))? > 0 {
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
            let text = format!(
                "INSERT OR IGNORE INTO temp.astray_rows SELECT ?1, c.{row}, ?2, ?3 + 1 FROM temp.astray_rows a
                 JOIN {} p ON p.{of_parent} = a.row JOIN {} c ON {} WHERE a.source = ?2 AND a.round = ?3",
                sql::name(parent),
                sql::name(&table),
                same.join(" AND ")
            );
            conn.execute(&text, (&table, parent, round))?;
        }
    }
    Ok(())
}

/// The rows of this run that a round found; no others are followed.
fn found_in(conn: &Connection, round: i64, most: usize) -> rusqlite::Result<Vec<Orphan>> {
    let text = "SELECT source, row, parent FROM temp.astray_rows WHERE round = ?1 ORDER BY source, row";
    let mut found = Vec::new();
    for (table, row, parent) in sql::all::<(String, i64, String)>(conn, text, [round])? {
        let orphan = orphan(conn, &table, row, &parent)?;
        if orphan.origin.is_none() {
            conn.execute("UPDATE temp.astray_rows SET round = -1 WHERE source = ?1 AND row = ?2", (&table, row))?;
        } else if found.len() < most {
            found.push(orphan);
        }
    }
    Ok(found)
}

fn orphan(conn: &Connection, table: &str, row: i64, parent: &str) -> rusqlite::Result<Orphan> {
    let row_key = row_key(conn, table, row)?;
    let text = "SELECT r.file, r.\"offset\" FROM temp.origins o JOIN treelift_tables t ON t.id = o.\"table\"
                JOIN treelift_rows r ON r.file = o.file AND r.\"table\" = o.\"table\" AND r.number = o.number
                WHERE t.name = ?1 AND o.row_key = ?2 ORDER BY o.number LIMIT 1";
    let written = |row: &rusqlite::Row<'_>| {
        let offset: i64 = row.get(1)?;
        Ok(WrittenFrom { file: row.get(0)?, offset: offset.unsigned_abs() })
    };
    let origin = conn.prepare_cached(text)?.query_row((table, &row_key), written).optional()?;
    Ok(Orphan { table: table.to_owned(), row_key, parent: parent.to_owned(), origin })
}
