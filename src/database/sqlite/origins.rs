//! The way from a row back to the file it came from.

use super::{catalog, read, sql};
use crate::database::Cell;
use crate::database::ledger::{RowOrigin, Turn};
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
        pointer: String::new(),
    };
    Ok(found.into_iter().map(origin).collect())
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
