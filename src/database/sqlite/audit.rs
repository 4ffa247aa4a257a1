//! The audit trail: into the application's own table where it is there, else into `treelift_audit`.

use super::{catalog, sql, times};
use crate::database::audit::{AuditEntry, AuditTable, own_table, part_of};
use crate::table::ColumnType;
use rusqlite::Connection;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS treelift_audit (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at DATETIME NOT NULL, program TEXT NOT NULL,
    action TEXT NOT NULL, subject TEXT NOT NULL, record TEXT, reason TEXT NOT NULL, details TEXT NOT NULL
)";

/// Writes one entry.
pub(super) fn write(conn: &Connection, entry: &AuditEntry, table: Option<&AuditTable>) -> rusqlite::Result<()> {
    if let Some(theirs) = table
        && has(conn, theirs)?
    {
        return insert(conn, theirs, entry);
    }
    conn.execute_batch(TABLE)?;
    insert(conn, &own_table(), entry)
}

/// Whether the table is there with all the columns that are to be filled.
fn has(conn: &Connection, table: &AuditTable) -> rusqlite::Result<bool> {
    if !catalog::has_table(conn, &table.table)? {
        return Ok(false);
    }
    let mut there = conn.prepare_cached("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?;
    for (column, _) in &table.columns {
        if !there.exists([&table.table, column])? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn insert(conn: &Connection, table: &AuditTable, entry: &AuditEntry) -> rusqlite::Result<()> {
    let names: Vec<&str> = table.columns.iter().map(|(column, _)| column.as_str()).collect();
    let mut known = catalog::columns(conn, &table.table)?;
    known.iter_mut().for_each(|column| column.write_as(&table.written));
    let kind = |name: &str| {
        known.iter().find(|column| column.name == name).map_or(ColumnType::Time(None), |column| column.kind)
    };
    let time = |kind: ColumnType| match kind.form() {
        Some(_) => times::clock(entry.at, kind),
        None => times::clock_text(entry.at),
    };
    let values = table.columns.iter().map(|(name, part)| part_of(entry, *part, || time(kind(name))));
    conn.execute(&sql::insert(&table.table, &names), rusqlite::params_from_iter(values)).map(drop)
}
