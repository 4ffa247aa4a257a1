//! The way from a row back to the file it came from.

use super::location::Tried;
use super::{catalog, read, sql};
use crate::database::Cell;
use crate::database::ledger::{FileRecord, RowOrigin, ToldFile, ToldRow, Turn};
use crate::error::Result;
use rusqlite::Connection;

/// Where runs wrote a row of this key from, oldest first.
pub(super) fn origins(conn: &Connection, table: &str, row_key: &str) -> rusqlite::Result<Vec<RowOrigin>> {
    if !catalog::has_table(conn, "treelift_rows")? {
        return Ok(Vec::new());
    }
    let others = "SELECT count(*) FROM treelift_rows o JOIN treelift_columns c ON c.id = o.columns
                  WHERE o.file = r.file AND o.\"table\" = r.\"table\" AND o.\"offset\" = r.\"offset\" AND NOT c.filled";
    let text = format!(
        "SELECT u.id, f.path, f.sha256, r.\"offset\", ({others} AND o.number < r.number), ({others})
         FROM treelift_rows r JOIN treelift_tables t ON t.id = r.\"table\"
         JOIN treelift_files f ON f.id = r.file JOIN treelift_runs u ON u.number = f.run
         WHERE t.name = ?1 AND r.row_key = ?2 ORDER BY r.file, r.number"
    );
    let found: Vec<_> = sql::all(conn, &text, (table, row_key))?;
    let origin = |(run, path, sha256, offset, before, of)| RowOrigin {
        run,
        path,
        sha256,
        offset,
        turn: Turn { before, of },
        pointer: None,
    };
    Ok(found.into_iter().map(origin).collect())
}

/// The files that runs read and wrote rows from, oldest first.
pub(super) fn told_files(conn: &Connection) -> rusqlite::Result<Vec<ToldFile>> {
    let text = "SELECT f.id, f.path, f.sha256, f.bytes, u.id FROM treelift_files f
                JOIN treelift_runs u ON u.number = f.run ORDER BY f.id";
    let files: Vec<_> = sql::all(conn, text, [])?;
    let told = |(id, path, sha256, bytes, run)| ToldFile { file: FileRecord { id, path, sha256, bytes }, run };
    Ok(files.into_iter().map(told).collect())
}

/// Tells where every row of a table was written from that runs inserted.
pub(super) fn told_rows(conn: &Connection, table: &str, take: &mut dyn FnMut(ToldRow) -> Result<()>) -> Tried<()> {
    let text = "SELECT r.row_key, r.file, r.\"offset\" FROM treelift_rows r
                WHERE r.\"table\" = (SELECT id FROM treelift_tables WHERE name = ?1)
                      AND r.columns NOT IN (SELECT id FROM treelift_columns WHERE filled) ORDER BY r.file, r.number";
    let mut all = conn.prepare(text)?;
    let mut all = all.query([table])?;
    while let Some(row) = all.next()? {
        take(ToldRow { row_key: row.get(0)?, file: row.get(1)?, offset: row.get(2)? })?;
    }
    Ok(())
}

/// The tables of which the ledger has rows, by name.
pub(super) fn written_tables(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    if !catalog::has_table(conn, "treelift_rows")? {
        return Ok(Vec::new());
    }
    let text =
        "SELECT name FROM treelift_tables WHERE id IN (SELECT DISTINCT \"table\" FROM treelift_rows) ORDER BY name";
    sql::column(conn, text, [])
}

/// Shows the cells of these columns of every row, or of those rows whose column `of` has this number.
pub(super) fn each_row(
    conn: &Connection,
    (table, columns): (&str, &[&str]),
    of: Option<(&str, i64)>,
    visit: &mut dyn FnMut(Vec<Cell>),
) -> rusqlite::Result<()> {
    let only = of.map_or_else(String::new, |(column, number)| format!(" WHERE {} = {number}", sql::name(column)));
    let mut all = conn.prepare(&format!("SELECT {} FROM {}{only}", sql::names(columns), sql::name(table)))?;
    let mut all = all.query([])?;
    while let Some(row) = all.next()? {
        visit(read::cells(row, 0..columns.len())?);
    }
    Ok(())
}
