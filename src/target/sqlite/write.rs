//! Writes rows.

use super::form::{self, Form};
use super::transaction::SqliteTransaction;
use super::words;
use super::{read, sql};
use crate::error::{Error, Result};
use crate::finding::Place;
use crate::row::{Batch, Value};
use crate::table::ColumnType;
use rusqlite::{Connection, ToSql};

/// Inserts the rows of a batch, one prepared statement for all; those that a unique index refuses
/// are handed back.
pub(super) fn insert(this: &SqliteTransaction, batch: &Batch) -> Result<Vec<(Place, String)>> {
    let Batch { table, columns, rows, .. } = batch;
    let kinds = kinds(this, table, columns)?;
    let fault = |error: rusqlite::Error| this.location.fault(&error);
    let mut statement = this.conn.prepare_cached(&sql::insert(table, columns)).map_err(fault)?;
    let mut refused = Vec::new();
    for row in rows {
        let forms = forms(table, columns, &kinds, &row.values)?;
        for (i, form) in forms.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, form).map_err(fault)?;
        }
        match statement.raw_execute() {
            Ok(_) => this.passes.borrow_mut().inserted(table, columns, &forms, this.conn.last_insert_rowid()),
            Err(error) => match words::refused_by_index(&error) {
                Some(index) => refused.push((row.place, index)),
                None => return Err(fault(error)),
            },
        }
    }
    Ok(refused)
}

/// Changes the one row that has the key.
pub(super) fn update(
    this: &SqliteTransaction,
    table: &str,
    columns: &[String],
    values: &[Value],
    key_columns: &[&str],
    key: &[Value],
) -> Result<()> {
    if columns.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = key_columns.iter().map(|&column| column.to_owned()).collect();
    let values = forms(table, columns, &kinds(this, table, columns)?, values)?;
    let key_kinds = kinds(this, table, &names)?;
    let key_forms = forms(table, &names, &key_kinds, key)?;
    let text = format!(
        "UPDATE {} SET {} WHERE {}",
        sql::name(table),
        sql::set(columns, 1),
        sql::equal(&names, columns.len() + 1)
    );
    this.passes.borrow_mut().forget(table, columns);
    let mut changed = this.on(|conn| set(conn, &text, &values, &key_forms))?;
    if changed == 0 && key_kinds.contains(&ColumnType::Time) {
        // The row is identified by a time that is stored in another form of the same meaning.
        let stored = read::find(this, table, key_columns, key_columns, &[key.to_vec()])?.into_iter().flatten().next();
        if let Some(stored) = stored {
            changed = this.on(|conn| set(conn, &text, &values, &stored))?;
        }
    }
    match changed {
        1 => Ok(()),
        other => Err(Error::bug(format!("an update of `{table}` changed {other} rows, expected 1"))),
    }
}

/// Runs an update of these values where the key's columns have these; gives the number of rows.
fn set(conn: &Connection, text: &str, values: &[Form<'_>], key: &[impl ToSql]) -> rusqlite::Result<usize> {
    let bound = values.iter().map(|form| form as &dyn ToSql).chain(key.iter().map(|part| part as &dyn ToSql));
    conn.prepare_cached(text)?.execute(rusqlite::params_from_iter(bound))
}

fn kinds(this: &SqliteTransaction, table: &str, columns: &[String]) -> Result<Vec<ColumnType>> {
    columns.iter().map(|column| this.kind(table, column)).collect()
}

/// Types were checked when the row was mapped: a value without a form here is a fault of treelift.
fn forms<'v>(table: &str, columns: &[String], kinds: &[ColumnType], values: &'v [Value]) -> Result<Vec<Form<'v>>> {
    if values.len() != columns.len() {
        return Err(Error::bug(format!(
            "a row of `{table}` has {} values for {} columns",
            values.len(),
            columns.len()
        )));
    }
    values
        .iter()
        .zip(columns)
        .zip(kinds)
        .map(|((value, column), kind)| {
            form::of(value, *kind).ok_or_else(|| {
                Error::bug(format!("{} reached column `{table}.{column}`, which would not keep it", value.kind_name()))
            })
        })
        .collect()
}
