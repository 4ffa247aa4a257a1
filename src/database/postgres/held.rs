//! Rows that wait to be written, found by any of their keys without a search through all of them.

use crate::row::{Batch, Row, Value};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

/// The values of a row's key as text.
type Key = Vec<String>;
/// Where a row waits: the number of its batch, and its own.
type At = (usize, usize);

/// Rows by their values in some columns of their table.
type Index = HashMap<Key, At>;

/// Rows that wait for the rows that they reference.
#[derive(Clone, Default)]
pub(super) struct Held {
    batches: Vec<Batch>,
    /// By table and columns that were asked for, the rows by their values there.
    known: RefCell<HashMap<(String, Vec<String>), Index>>,
    /// Whether rows were written since the waiting ones were tried.
    is_ripe: bool,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// How many rows of a table wait.
    pub(super) fn rows_of(&self, table: &str) -> u64 {
        self.batches.iter().filter(|batch| batch.table == table).map(|batch| batch.rows.len() as u64).sum()
    }

    pub(super) fn add(&mut self, batch: Batch) {
        let number = self.batches.len();
        for ((table, columns), rows) in self.known.get_mut() {
            if *table == batch.table {
                enter(rows, number, &batch, columns);
            }
        }
        self.batches.push(batch);
    }

    /// Rows were written, and may be those that others wait for.
    pub(super) fn ripen(&mut self) {
        self.is_ripe = !self.batches.is_empty();
    }

    /// All rows, if any was written since they were taken last.
    pub(super) fn take_ripe(&mut self) -> Vec<Batch> {
        if std::mem::take(&mut self.is_ripe) { self.take() } else { Vec::new() }
    }

    pub(super) fn take(&mut self) -> Vec<Batch> {
        self.known.get_mut().clear();
        std::mem::take(&mut self.batches)
    }

    /// How many batches there are, to come [`Held::back_to`].
    pub(super) fn mark(&self) -> usize {
        self.batches.len()
    }

    /// Forgets what was added since.
    pub(super) fn back_to(&mut self, mark: usize) {
        if self.batches.len() > mark {
            self.known.get_mut().clear();
            self.batches.truncate(mark);
        }
    }

    /// The row of a table that has this key.
    pub(super) fn find(&self, table: &str, columns: &[&str], key: &[Value]) -> Option<At> {
        if self.rows_of(table) == 0 {
            return None;
        }
        let key = key.iter().map(text).collect::<Option<Key>>()?;
        let asked = (table.to_owned(), columns.iter().map(|&column| column.to_owned()).collect::<Vec<_>>());
        let mut known = self.known.borrow_mut();
        let rows = known.entry(asked).or_insert_with_key(|(table, columns)| {
            let mut rows = Index::new();
            let batches = self.batches.iter().enumerate().filter(|(_, batch)| batch.table == *table);
            batches.for_each(|(number, batch)| enter(&mut rows, number, batch, columns));
            rows
        });
        rows.get(&key).copied()
    }

    /// Gives a row values in these columns.
    pub(super) fn change(&mut self, (number, row): At, columns: &[String], values: &[Value]) {
        let batch = &mut self.batches[number];
        if columns.iter().all(|column| batch.columns.contains(column)) {
            set(&mut batch.rows[row], &batch.columns, columns, values);
        } else {
            let mut all = batch.columns.clone();
            all.extend(columns.iter().filter(|column| !batch.columns.contains(column)).cloned());
            let mut changed = batch.rows.remove(row);
            changed.values.resize(all.len(), Value::Null);
            set(&mut changed, &all, columns, values);
            let table = batch.table.clone();
            if batch.rows.is_empty() {
                self.batches.remove(number);
            }
            self.batches.push(Batch { table, columns: all, rows: vec![changed] });
        }
        self.known.get_mut().clear();
    }
}

fn set(row: &mut Row, all: &[String], columns: &[String], values: &[Value]) {
    for (column, value) in columns.iter().zip(values) {
        if let Some(at) = all.iter().position(|name| name == column) {
            row.values[at] = value.clone();
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_key_text().map(Cow::into_owned)
}

/// Makes the rows of a batch known by their values in these columns; what is NULL there has no key.
fn enter(rows: &mut Index, number: usize, batch: &Batch, columns: &[String]) {
    let at = |name: &String| batch.columns.iter().position(|column| column == name);
    let Some(places) = columns.iter().map(at).collect::<Option<Vec<_>>>() else { return };
    for (at, row) in batch.rows.iter().enumerate() {
        if let Some(key) = places.iter().map(|place| text(&row.values[*place])).collect::<Option<Key>>() {
            rows.entry(key).or_insert((number, at));
        }
    }
}

/// Batches of one table and the same columns as one: rows that reference each other go in together.
pub(super) fn joined(batches: Vec<Batch>) -> Vec<Batch> {
    let mut all: Vec<Batch> = Vec::new();
    for mut batch in batches {
        match all.iter_mut().find(|one| one.table == batch.table && one.columns == batch.columns) {
            Some(known) => known.rows.append(&mut batch.rows),
            None => all.push(batch),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{FileId, Place};

    fn rows(columns: &[&str], rows: &[&[i64]]) -> Batch {
        let place = Place { file: FileId(0), offset: 0 };
        let row =
            |values: &&[i64]| Row { values: values.iter().copied().map(Value::Integer).collect(), place, record: 0 };
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Batch { table: "nodes".to_owned(), columns, rows: rows.iter().map(row).collect() }
    }

    #[test]
    fn a_row_is_found_by_any_key_whenever_it_was_added_and_after_it_was_changed() {
        let mut held = Held::default();
        held.add(rows(&["id", "parent"], &[&[1, 9], &[2, 8]]));
        let find = |held: &Held, column: &str, key: i64| held.find("nodes", &[column], &[Value::Integer(key)]);
        assert_eq!((find(&held, "id", 2), find(&held, "parent", 9)), (Some((0, 1)), Some((0, 0))));
        held.add(rows(&["id"], &[&[3]]));
        assert_eq!((find(&held, "id", 3), find(&held, "parent", 3)), (Some((1, 0)), None));
        held.change((0, 0), &["parent".to_owned()], &[Value::Integer(7)]);
        assert_eq!((find(&held, "parent", 9), find(&held, "parent", 7)), (None, Some((0, 0))));
        held.change((1, 0), &["parent".to_owned()], &[Value::Integer(6)]);
        assert_eq!((find(&held, "parent", 6), held.rows_of("nodes")), (Some((1, 0)), 3));
        held.back_to(1);
        assert_eq!((find(&held, "id", 3), find(&held, "id", 1), held.rows_of("nodes")), (None, Some((0, 0)), 2));
    }

    #[test]
    fn rows_are_tried_again_only_once_others_were_written() {
        let mut held = Held::default();
        held.ripen();
        held.add(rows(&["id"], &[&[1]]));
        assert!(held.take_ripe().is_empty());
        held.ripen();
        assert_eq!(held.take_ripe().len(), 1);
        assert!(held.is_empty());
    }
}
