//! Whether the tables hold what the run wrote. A trigger, or a constraint that says `ON CONFLICT
//! REPLACE`, deletes or changes rows without an error.

use super::location::{Location, Tried};
use super::session::SqliteTransaction;
use super::unchanged::{Ledger, by_key};
use super::{connect, read, sql, unchanged};
use crate::database::kept::{Strayed, Unkept};
use crate::database::rejection::{Rejected, Rejection};
use crate::database::unchanged::Disposition;
use crate::error::Result;
use crate::row::{Row, Value};
use crate::table::{ColumnType, Table};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// So many rows of a table are named.
const MOST: usize = 1_000;

/// Reads inserted rows back, by their rowids, and compares them with what was written.
pub(super) fn read_back(
    this: &SqliteTransaction,
    (table, columns, kinds): (&str, &[String], &[ColumnType]),
    inserted: &[(usize, i64)],
    rows: &[Row],
) -> Result<Vec<Rejected>> {
    if inserted.is_empty() {
        return Ok(Vec::new()); // no trigger is on the table
    }
    // Without rowids the rows are compared by key when all are written.
    let Some(rowid) = this.on(|conn| read::rowid(conn, table))?.filter(|_| !columns.is_empty()) else {
        return Ok(Vec::new());
    };
    let text = format!("SELECT {} FROM {} WHERE {rowid} = ?1", sql::names(columns), sql::name(table));
    let mut rejected = Vec::new();
    for (number, id) in inserted {
        let found = this.on(|conn| {
            conn.prepare_cached(&text)?.query_row([id], |row| read::cells(row, 0..columns.len())).optional()
        })?;
        let why = match found {
            None => Rejection::Gone,
            Some(cells) => {
                let is_same = |at: usize, value: &Value| {
                    super::form::of(value, kinds[at]).and_then(|form| form.into_text(kinds[at])).as_deref()
                        == cells[at].text().as_deref()
                };
                let values = rows[*number].values.iter().enumerate();
                let altered: Vec<String> =
                    values.filter(|(at, value)| !is_same(*at, value)).map(|(at, _)| columns[at].clone()).collect();
                if altered.is_empty() {
                    continue;
                }
                Rejection::Altered(altered)
            }
        };
        rejected.push(Rejected { row: *number, why });
    }
    Ok(rejected)
}

/// The tables that do not hold as many rows as they had and as were inserted, or rows of this run
/// with other values in the columns that it wrote.
pub(super) fn unkept(this: &mut SqliteTransaction, inserted: &[(String, u64)]) -> Result<Vec<Unkept>> {
    let foreign = !this.foreign.is_empty();
    let touched = if foreign { BTreeSet::new() } else { touched_by_triggers(this, inserted)? };
    let mut unkept = Vec::new();
    for (table, inserted) in inserted {
        let found = this.on(|conn| read::count(conn, table))?;
        let expected = this.rows_before(table) + inserted;
        // Where no trigger writes into a table, its rows are as they were written.
        let is_read_back = foreign || touched.contains(&table.to_ascii_lowercase());
        if found == expected && !is_read_back {
            continue;
        }
        let mut rows = strayed(this, table)?;
        rows.retain(|row| is_read_back || !row.changed);
        if found != expected || !rows.is_empty() {
            unkept.push(Unkept { table: table.clone(), expected, found, rows, foreign });
        }
    }
    Ok(unkept)
}

/// The tables, in lower case, that a trigger of a written table writes into, itself or by another trigger that it
/// fires. SQLite names them to an authorizer while it prepares the statement that would fire them
/// ("Compile-Time Authorization Callbacks").
fn touched_by_triggers(this: &mut SqliteTransaction, written: &[(String, u64)]) -> Result<BTreeSet<String>> {
    let mut fire = Vec::new();
    for (table, _) in written {
        if let (true, Some(live)) = (this.declared()?.has_trigger(table), this.schema.table(table)) {
            let columns: Vec<&str> = live.columns.iter().map(|column| column.name.as_str()).collect();
            fire.push(sql::insert::<&str>(table, &[]));
            fire.push(format!("UPDATE {} SET {}", sql::name(table), sql::set(&columns, 1)));
        }
    }
    if fire.is_empty() {
        return Ok(BTreeSet::new());
    }
    let touched: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let seen = Arc::clone(&touched);
    let note = move |context: AuthContext<'_>| {
        if let (
            Some(_),
            AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name },
        ) = (context.accessor, context.action)
        {
            seen.lock().unwrap_or_else(PoisonError::into_inner).insert(table_name.to_ascii_lowercase());
        }
        Authorization::Allow
    };
    // A statement that cannot be prepared, such as the update of a computed column, tells nothing.
    let all_told = |conn: &mut Connection| fire.iter().all(|text| conn.prepare(text).is_ok());
    let all_told = connect::authorized(&mut this.conn, note, all_told);
    if !all_told.map_err(|error| this.location.fault(&error))? {
        return Ok(written.iter().map(|(table, _)| table.to_ascii_lowercase()).collect());
    }
    let touched = std::mem::take(&mut *touched.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(touched)
}

/// Rows of this run that are gone or have other values.
fn strayed(this: &mut SqliteTransaction, table: &str) -> Result<Vec<Strayed>> {
    let Some(live) = this.schema.table(table).cloned() else { return Ok(Vec::new()) };
    if live.primary_key().is_empty() {
        return Ok(Vec::new()); // the ledger cannot name its rows
    }
    this.index_rows()?;
    let Some(&number) = this.ledger.tables.get(table) else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for (key, changed) in this.said(strayed_keys(&this.conn, &this.location, number, &live))? {
        let row = this.written_from(table, &key)?;
        rows.extend(row.map(|row| Strayed { file: row.file, offset: row.offset, changed }));
    }
    Ok(rows)
}

/// The keys of the first rows that are gone or changed, and whether they are changed.
fn strayed_keys(conn: &Connection, location: &Location, number: i64, table: &Table) -> Tried<Vec<(String, bool)>> {
    let from = format!(
        "temp.origins o JOIN treelift_rows s ON s.file = o.file AND s.\"table\" = o.\"table\" AND s.number = o.number
             AND o.\"table\" = {number}"
    );
    let columns = unchanged::columns(conn, (number, &table.name), location)?;
    let judge = unchanged::judge(conn, table, &columns, None);
    let mut strayed = Vec::new();
    let ledger =
        Ledger { from: &from, joined: &by_key(table, "s.row_key"), updated: "0", order: "o.row_key, o.number" };
    unchanged::each(conn, &judge, &ledger, &mut |key, _, fate| {
        if strayed.len() < MOST {
            match fate {
                Disposition::Gone => strayed.push((key.to_owned(), false)),
                Disposition::Changed | Disposition::Remove { sealed_alike: false, .. } => {
                    strayed.push((key.to_owned(), true));
                }
                Disposition::Remove { .. }
                | Disposition::Restore { .. }
                | Disposition::Empty
                | Disposition::Nameless => {}
            }
        }
        Ok(())
    })?;
    Ok(strayed)
}
