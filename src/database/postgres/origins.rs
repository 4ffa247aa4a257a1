//! The way from a row back to the file it came from.

use super::cells::columns as declared;
use super::connect::Session;
use super::find::cells;
use super::place::Tried;
use super::types::column_type;
use super::{catalog, sql};
use crate::database::Cell;
use crate::database::ledger::{FileRecord, RowOrigin, ToldFile, ToldRow, Turn};
use crate::error::Result;
use crate::table::ColumnType;
use postgres::Row;
use std::collections::HashMap;

/// Where runs wrote a row of this key from, oldest first.
pub(super) fn origins(session: &Session, table: &str, row_key: &str) -> Tried<Vec<RowOrigin>> {
    if !catalog::has_table(session, "treelift_rows")? {
        return Ok(Vec::new());
    }
    let others = "SELECT count(*) FROM treelift_rows o JOIN treelift_columns c ON c.id = o.columns
                  WHERE o.file = r.file AND o.\"table\" = r.\"table\" AND o.\"offset\" = r.\"offset\" AND NOT c.filled";
    let text = format!(
        "SELECT u.id, f.path, f.sha256, r.\"offset\", ({others} AND o.number < r.number), ({others})
         FROM treelift_rows r JOIN treelift_tables t ON t.id = r.\"table\"
         JOIN treelift_files f ON f.id = r.file JOIN treelift_runs u ON u.number = f.run
         WHERE t.name = $1 AND r.row_key = $2 ORDER BY r.file, r.number"
    );
    let count = |row: &Row, at: usize| row.get::<_, i64>(at).unsigned_abs();
    let origin = |row: &Row| RowOrigin {
        run: row.get(0),
        path: row.get(1),
        sha256: row.get::<_, Vec<u8>>(2).try_into().unwrap_or([0; 32]),
        offset: count(row, 3),
        turn: Turn { before: count(row, 4), of: count(row, 5) },
        pointer: None,
    };
    Ok(session.query(&text, &[Some(table), Some(row_key)])?.iter().map(origin).collect())
}

/// The files that runs read and wrote rows from, oldest first.
pub(super) fn told_files(session: &Session) -> Tried<Vec<ToldFile>> {
    let text = "SELECT f.id, f.path, f.sha256, f.bytes, u.id FROM treelift_files f
                JOIN treelift_runs u ON u.number = f.run ORDER BY f.id";
    let told = |row: &Row| ToldFile {
        file: FileRecord {
            id: row.get(0),
            path: row.get(1),
            sha256: row.get::<_, Vec<u8>>(2).try_into().unwrap_or([0; 32]),
            bytes: row.get::<_, i64>(3).unsigned_abs(),
        },
        run: row.get(4),
    };
    Ok(session.query(text, &[])?.iter().map(told).collect())
}

/// Tells where every row of a table was written from that runs inserted.
pub(super) fn told_rows(session: &Session, table: &str, take: &mut dyn FnMut(ToldRow) -> Result<()>) -> Tried<()> {
    let number = session.first("SELECT id FROM treelift_tables WHERE name = $1", &[Some(table)])?;
    let Some(number) = number.map(|row| row.get::<_, i64>(0)) else { return Ok(()) };
    let text = format!(
        "SELECT r.row_key, r.file, r.\"offset\" FROM treelift_rows r WHERE r.\"table\" = {number}
         AND r.columns NOT IN (SELECT id FROM treelift_columns WHERE filled) ORDER BY r.file, r.number"
    );
    session.try_each(&text, |row| {
        take(ToldRow { row_key: row.get(0), file: row.get(1), offset: row.get::<_, i64>(2).unsigned_abs() })
    })
}

/// The tables of which the ledger has rows, by name.
pub(super) fn written_tables(session: &Session) -> Tried<Vec<String>> {
    if !catalog::has_table(session, "treelift_rows")? {
        return Ok(Vec::new());
    }
    let text =
        "SELECT name FROM treelift_tables WHERE id IN (SELECT DISTINCT \"table\" FROM treelift_rows) ORDER BY name";
    Ok(session.query(text, &[])?.iter().map(|row| row.get(0)).collect())
}

/// Shows the cells of these columns of every row, or of those rows whose column `of` has this number.
pub(super) fn each_row(
    session: &Session,
    (table, columns): (&str, &[&str]),
    of: Option<(&str, i64)>,
    visit: &mut dyn FnMut(Vec<Cell>),
) -> Tried<()> {
    let declared: HashMap<String, String> = declared(session, table)?.into_iter().collect();
    let kind = |column: &&str| declared.get(*column).map_or(ColumnType::Unknown, |declared| column_type(declared));
    let kinds: Vec<ColumnType> = columns.iter().map(kind).collect();
    let only = of.map_or_else(String::new, |(column, number)| format!(" WHERE {} = {number}", sql::name(column)));
    let text = format!("SELECT {} FROM {}{only}", sql::texts(columns), sql::name(table));
    session.each(&text, |row| visit(cells(row, 0, &kinds)))
}
