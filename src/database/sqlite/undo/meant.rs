//! Rows whose key stands in the table in another form than the ledger has it: a time of the same meaning, or a value of a
//! column without a type, of which the ledger has the text.

use super::super::{form, read, sql};
use crate::database::Cell;
use crate::database::ledger::row_key;
use crate::table::{ColumnType, Table};
use rusqlite::Connection;
use std::collections::HashMap;

/// Finds those of the listed rows that no key of the same form led to, in one pass over their table. A key that several
/// rows of the table mean finds none.
pub(super) fn find(conn: &Connection, listed: &str, (table, rowid): (&Table, Option<&str>)) -> rusqlite::Result<()> {
    let key = table.primary_key();
    let kinds: Vec<ColumnType> = key.iter().filter_map(|column| Some(table.column(column)?.kind)).collect();
    if !kinds.iter().any(|kind| kind.is_time() || *kind == ColumnType::Untyped) {
        return Ok(());
    }
    let text = format!("SELECT DISTINCT row_key FROM temp.{listed} WHERE row IS NULL");
    let sought: Vec<String> = sql::column(conn, &text, [])?;
    if sought.is_empty() {
        return Ok(());
    }
    let mut found: HashMap<String, Vec<(Option<i64>, String)>> =
        sought.into_iter().map(|key| (key, Vec::new())).collect();
    let row = rowid.unwrap_or("NULL");
    let text = format!("SELECT {}, {row} FROM main.{}", sql::names(&key), sql::name(&table.name));
    let mut all = conn.prepare(&text)?;
    let mut all = all.query([])?;
    while let Some(row) = all.next()? {
        let cells = read::cells(row, 0..key.len())?;
        let meant = cells.iter().zip(&kinds).map(|(cell, kind)| form::text_of(cell, *kind)).collect();
        if let Some(rows) = found.get_mut(&row_key(meant)) {
            rows.push((row.get(key.len())?, row_key(cells.iter().map(Cell::text).collect())));
        }
    }
    conn.execute_batch(
        "CREATE TEMP TABLE treelift_meant (row_key TEXT PRIMARY KEY, row INTEGER, live_key TEXT) WITHOUT ROWID",
    )?;
    let mut note = conn.prepare("INSERT INTO temp.treelift_meant VALUES (?1, ?2, ?3)")?;
    for (row_key, rows) in &found {
        if let [(row, live_key)] = rows.as_slice() {
            note.execute((row_key, row, live_key))?;
        }
    }
    drop(note);
    conn.execute_batch(&format!(
        "UPDATE temp.{listed} SET (row, live_key) =
             (SELECT m.row, m.live_key FROM temp.treelift_meant m WHERE m.row_key = {listed}.row_key)
         WHERE row_key IN (SELECT row_key FROM temp.treelift_meant);
         DROP TABLE temp.treelift_meant"
    ))
}
