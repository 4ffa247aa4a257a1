//! Rows that reference a row that is not there yet.
//!
//! In tables that this transaction made the references are judged at its end. In those that were there before, the
//! server judges them when a COPY ends, and tells no line: the rows without a parent are looked for, and wait until it is
//! there.

use super::find::cells;
use super::opened::PostgresTransaction;
use super::{form, sql};
use crate::database::upkeep::Orphan;
use crate::database::{Cell, ledger};
use crate::error::{Error, Result};
use crate::row::{Batch, Row, Value};
use crate::table::{ColumnType, ForeignKey};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// Those of these rows that have their parents, in the table or among themselves; the others are held back. `None`
/// where none is without.
pub(super) fn without_parents(
    this: &mut PostgresTransaction,
    batch: &Batch,
    rows: &[usize],
) -> Result<Option<Vec<usize>>> {
    let references = this.state.schema.table(&batch.table).map(|table| table.foreign_keys.clone()).unwrap_or_default();
    let mut ready = rows.to_vec();
    loop {
        let before = ready.len();
        for reference in &references {
            let there = parents(this, batch, &ready, reference)?;
            ready = ready.into_iter().zip(there).filter(|(_, there)| *there).map(|(row, _)| row).collect();
        }
        if ready.len() == before {
            break;
        }
    }
    if ready.len() == rows.len() {
        return Ok(None);
    }
    let left: BTreeSet<usize> = ready.iter().copied().collect();
    let held = rows.iter().filter(|row| !left.contains(row)).map(|row| batch.rows[*row].clone()).collect();
    this.state.held.push(Batch { table: batch.table.clone(), columns: batch.columns.clone(), rows: held });
    Ok(Some(ready))
}

/// For each row whether it has the parent of a reference, or needs none.
fn parents(this: &PostgresTransaction, batch: &Batch, rows: &[usize], reference: &ForeignKey) -> Result<Vec<bool>> {
    let at = |name: &String| batch.columns.iter().position(|column| column == name);
    let Some(places) = reference.columns.iter().map(at).collect::<Option<Vec<_>>>() else {
        return Ok(vec![true; rows.len()]);
    };
    let key = |row: &usize| -> Vec<Value> { places.iter().map(|at| batch.rows[*row].values[*at].clone()).collect() };
    let keys: Vec<Vec<Value>> = rows.iter().map(key).collect();
    let to: Vec<&str> = reference.to.iter().map(String::as_str).collect();
    let text = |values: &[&Value]| -> Option<Vec<String>> {
        values.iter().map(|value| value.as_key_text().map(Cow::into_owned)).collect()
    };
    let mut here: HashSet<Vec<String>> = HashSet::new();
    if reference.table == batch.table
        && let Some(own) = reference.to.iter().map(at).collect::<Option<Vec<_>>>()
    {
        here.extend(
            rows.iter().filter_map(|row| text(&own.iter().map(|at| &batch.rows[*row].values[*at]).collect::<Vec<_>>())),
        );
    }
    let is_open = |key: &Vec<Value>| {
        !key.contains(&Value::Null) && text(&key.iter().collect::<Vec<_>>()).is_none_or(|text| !here.contains(&text))
    };
    let asked: Vec<Vec<Value>> = keys.iter().filter(|key| is_open(key)).cloned().collect();
    let mut found = this.stored(&reference.table, &to, &to[..1], &asked)?.into_iter();
    Ok(keys.iter().map(|key| !is_open(key) || found.next().flatten().is_some()).collect())
}

impl PostgresTransaction {
    /// Writes those of the rows that wait whose parents are there by now. One that is rejected then is told at the end.
    pub(super) fn release(&mut self) -> Result<()> {
        loop {
            let waiting = std::mem::take(&mut self.state.held);
            let before: usize = waiting.iter().map(|batch| batch.rows.len()).sum();
            if before == 0 {
                return Ok(());
            }
            for batch in joined(waiting) {
                let rejected = self.load(&batch)?.into_iter();
                self.state.late.extend(rejected.map(|one| (batch.table.clone(), one.why)));
            }
            let now: usize = self.state.held.iter().map(|batch| batch.rows.len()).sum();
            if now == before || now == 0 {
                return Ok(());
            }
        }
    }

    /// The row that waits and has this key, by the number of its batch and its own.
    fn held_row(&self, table: &str, columns: &[&str], key: &[Value]) -> Option<(usize, usize)> {
        let batches = self.state.held.iter().enumerate().filter(|(_, batch)| batch.table == table);
        batches.into_iter().find_map(|(number, batch)| {
            let at = |name: &&str| batch.columns.iter().position(|column| column == name);
            let places = columns.iter().map(at).collect::<Option<Vec<_>>>()?;
            let is_it = |row: &Row| {
                places.iter().zip(key).all(|(at, value)| row.values[*at].as_key_text() == value.as_key_text())
            };
            Some((number, batch.rows.iter().position(is_it)?))
        })
    }

    /// The cells of a row that waits; a column that it leaves to its default is NULL still.
    pub(super) fn find_held(&self, table: &str, columns: &[&str], wanted: &[&str], key: &[Value]) -> Option<Vec<Cell>> {
        let (batch, row) = self.held_row(table, columns, key)?;
        let batch = &self.state.held[batch];
        let cell = |name: &&str| {
            let at = batch.columns.iter().position(|column| column == name);
            let value = at.map(|at| &batch.rows[row].values[at]);
            let kind = self.kind(table, name).unwrap_or(ColumnType::Unknown);
            let form = value.and_then(|value| form::of(value, kind));
            form.map_or(Cell::Null, form::Form::into_cell)
        };
        Some(wanted.iter().map(cell).collect())
    }

    /// Changes a row that waits; whether there is one.
    pub(super) fn update_held(
        &mut self,
        table: &str,
        (columns, values): (&[String], &[Value]),
        (key_columns, key): (&[&str], &[Value]),
    ) -> bool {
        let Some((number, row)) = self.held_row(table, key_columns, key) else { return false };
        let batch = &mut self.state.held[number];
        let mut row = batch.rows.remove(row);
        let mut named = batch.columns.clone();
        for (column, value) in columns.iter().zip(values) {
            match named.iter().position(|name| name == column) {
                Some(at) => row.values[at] = value.clone(),
                None => {
                    named.push(column.clone());
                    row.values.push(value.clone());
                }
            }
        }
        self.state.held.push(Batch { table: table.to_owned(), columns: named, rows: vec![row] });
        self.state.held.retain(|batch| !batch.rows.is_empty());
        true
    }

    /// Rows that wait still are rows without a parent.
    fn waiting(&self, most: usize) -> Result<Vec<Orphan>> {
        let mut orphans = Vec::new();
        for batch in &self.state.held {
            let Some(table) = self.state.schema.table(&batch.table) else { continue };
            let key = table.primary_key();
            let all: Vec<usize> = (0..batch.rows.len()).collect();
            let mut lost: Vec<Option<&str>> = vec![None; all.len()];
            for reference in &table.foreign_keys {
                let there = parents(self, batch, &all, reference)?;
                for (lost, _) in lost.iter_mut().zip(there).filter(|(lost, there)| lost.is_none() && !there) {
                    *lost = Some(&reference.table);
                }
            }
            for (row, lost) in batch.rows.iter().zip(lost).take(most - orphans.len()) {
                let part = |name: &&str| {
                    let at = batch.columns.iter().position(|column| column == name)?;
                    let form = form::of(&row.values[at], self.kind(&batch.table, name).ok()?)?;
                    form.into_text().map(Cow::into_owned)
                };
                let row_key = ledger::row_key(key.iter().map(part).collect());
                // Its parent may be there, and wait itself.
                let parent = lost.or(table.foreign_keys.first().map(|key| key.table.as_str())).unwrap_or_default();
                orphans.push(Orphan { table: batch.table.clone(), row_key, parent: parent.to_owned() });
            }
        }
        Ok(orphans)
    }

    /// Rows that reference a missing row: those that wait still, and those that the server has not judged yet.
    pub(super) fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>> {
        self.release()?;
        if let Some((table, why)) = self.state.late.first() {
            let message = format!("{}, once the row was there that it references", why.message(table));
            return Err(Error::environment(message).at(self.session.place.shown()));
        }
        let mut found = self.waiting(most)?;
        for (table, reference) in &self.state.open {
            let Some(live) = self.state.schema.table(table) else { continue };
            let key = live.primary_key();
            let kinds: Vec<ColumnType> = key.iter().map(|column| self.kind(table, column)).collect::<Result<_>>()?;
            let wanted = if key.is_empty() { "ctid::text".to_owned() } else { sql::texts(&key) };
            let limit = most - found.len().min(most);
            let text = format!("SELECT {wanted} FROM {} LIMIT {limit}", astray(table, reference));
            for row in self.on(|session| session.query(&text, &[]))? {
                let row_key = if key.is_empty() {
                    String::new()
                } else {
                    ledger::row_key(cells(&row, 0, &kinds).iter().map(Cell::text).collect())
                };
                found.push(Orphan { table: table.clone(), row_key, parent: reference.table.clone() });
            }
        }
        Ok(found)
    }
}

/// `table c WHERE …`: the rows whose reference leads nowhere.
pub(super) fn astray(table: &str, reference: &ForeignKey) -> String {
    let is: Vec<String> =
        reference.columns.iter().map(|column| format!("c.{} IS NOT NULL", sql::name(column))).collect();
    let pairs = reference.columns.iter().zip(&reference.to);
    let same: Vec<String> = pairs.map(|(from, to)| format!("p.{} = c.{}", sql::name(to), sql::name(from))).collect();
    format!(
        "{} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
        sql::name(table),
        is.join(" AND "),
        sql::name(&reference.table),
        same.join(" AND ")
    )
}

/// Batches of one table and the same columns as one: rows that reference each other go in together.
fn joined(batches: Vec<Batch>) -> Vec<Batch> {
    let mut all: Vec<Batch> = Vec::new();
    for mut batch in batches {
        match all.iter_mut().find(|one| one.table == batch.table && one.columns == batch.columns) {
            Some(known) => known.rows.append(&mut batch.rows),
            None => all.push(batch),
        }
    }
    all
}
