//! What `fill` rules give to rows: kept per row until the last of them was read, then one update.

use super::Writer;
use super::change::AT_ONCE;
use super::fill::{Fill, From, Given};
use super::refusal::{RefusedRow, refuse};
use crate::database::ledger::{self, Earlier, RowRecord, Written};
use crate::database::rejection::Rejection;
use crate::database::{Cell, Transaction};
use crate::error::Result;
use crate::finding::Place;
use crate::mapping::keyindex::KeyText;
use crate::row::Value;
use crate::table::{ColumnType, Table};
use std::borrow::Cow;
use std::collections::HashSet;

impl Writer {
    /// Gives columns of a row a value; written by [`Writer::write_fills`].
    pub fn fill(&mut self, given: Given) {
        let (key_columns, key) = given.key;
        let text = KeyText::of(&key).unwrap_or_default();
        let fill = self.fills.entry((given.table, key_columns.clone(), text)).or_insert_with(|| Fill {
            key_columns,
            key,
            columns: Vec::new(),
            values: Vec::new(),
            existing: given.existing,
            from: Vec::new(),
        });
        let Given { place, record, rule, file, .. } = given;
        fill.from.push(From { file, place, record, rule, columns: given.cells.len() });
        for (column, value) in given.cells {
            fill.columns.push(column);
            fill.values.push(value);
        }
    }

    /// Writes what rows get that were there, and what `fill` rules gave: once per row.
    pub fn write_fills(&mut self) -> Result<()> {
        if self.is_verifying() {
            return self.compare_fills();
        }
        self.flush()?;
        let changed = self.write_updates()?;
        let fills = std::mem::take(&mut self.fills).into_iter();
        let fills: Vec<(String, (usize, Fill))> =
            fills.map(|((table, ..), fill)| (self.tables[table].report.name.clone(), (table, fill))).collect();
        let keys = row_keys(self.transaction()?, &fills)?;
        let mut there = Vec::with_capacity(fills.len());
        for ((table, (number, fill)), row_key) in fills.into_iter().zip(keys) {
            match row_key {
                Some(row_key) => there.push(Filled { table, number, row_key, fill }),
                None => self.refuse_fill(&table, fill, &Rejection::Discarded)?,
            }
        }
        // An undo gives a row that this run updated back all that it had.
        let mut earlier = Vec::new();
        for Filled { table, row_key, fill, .. } in &there {
            if changed.contains(&(table.clone(), row_key.clone())) {
                for column in &fill.columns {
                    let (number, sealed) = (self.next_earlier(), None);
                    let (table, row_key, column) = (table.clone(), row_key.clone(), column.clone());
                    earlier.push(Earlier { number, table, row_key, column, sealed });
                }
            }
        }
        if !earlier.is_empty() {
            self.transaction()?.keep_earlier(&earlier)?;
        }
        let verdicts = self.update_all(&there)?;
        let mut updated: HashSet<(String, String)> = changed;
        for (Filled { table, number, row_key, fill }, why) in there.into_iter().zip(verdicts) {
            if let Some(why) = why {
                self.refuse_guilty(&table, fill, &why)?;
                continue;
            }
            // Rules may know one row by different keys.
            if fill.existing && updated.insert((table.clone(), row_key.clone())) {
                // A row that was there as the source says, and now says more.
                let counts = self.count(number);
                counts.updated += 1;
                counts.unchanged = counts.unchanged.saturating_sub(1);
            }
            self.record_fill(&table, &row_key, fill)?;
        }
        self.flush()
    }

    /// Gives rows their values, those at once that get them in the same columns: for each, why the database rejects that.
    fn update_all(&mut self, fills: &[Filled]) -> Result<Vec<Option<Rejection>>> {
        let mut verdicts = Vec::with_capacity(fills.len());
        let alike = fills.chunk_by(|one, next| {
            one.table == next.table
                && one.fill.key_columns == next.fill.key_columns
                && one.fill.columns == next.fill.columns
        });
        for alike in alike.flat_map(|alike| alike.chunks(AT_ONCE)) {
            let Filled { table, fill: Fill { key_columns, columns, .. }, .. } = &alike[0];
            let key_columns: Vec<&str> = key_columns.iter().map(String::as_str).collect();
            let rows: Vec<_> = alike.iter().map(|one| (&one.fill.values[..], &one.fill.key[..])).collect();
            let transaction = self.lane.transaction(&mut self.refused)?;
            verdicts.extend(transaction.update_all(table, columns, &key_columns, &rows)?);
        }
        Ok(verdicts)
    }

    /// Gives a row its values: all that was taken in is written, and only what the ledger is to know of fills is left.
    fn update(&mut self, table: &str, fill: &Fill) -> Result<Option<Rejection>> {
        let key_columns: Vec<&str> = fill.key_columns.iter().map(String::as_str).collect();
        let transaction = self.lane.transaction(&mut self.refused)?;
        transaction.update(table, &fill.columns, &fill.values, &key_columns, &fill.key)
    }

    /// Remembers of the records that gave values to a row those whose values the database rejects, each after those before
    /// it that it takes; all of them where it takes each alone.
    fn refuse_guilty(&mut self, table: &str, fill: Fill, why: &Rejection) -> Result<()> {
        let parts = fill.parts();
        let mut each = Vec::new();
        for part in parts.iter().filter(|_| parts.len() > 1) {
            each.push(self.update(table, part)?);
        }
        let is_told = each.iter().any(Option::is_some);
        for (at, part) in parts.into_iter().enumerate() {
            let why = if is_told { each[at].as_ref() } else { Some(why) };
            why.map_or(Ok(()), |why| self.refuse_fill(table, part, why))?;
        }
        Ok(())
    }

    /// Remembers that the database rejected what these records gave to a row.
    fn refuse_fill(&mut self, table: &str, fill: Fill, why: &Rejection) -> Result<()> {
        for From { place, record, rule, .. } in fill.from {
            let record = Place { offset: record, ..place };
            let row = RefusedRow { record, place, rule: Some(rule), table: table.to_owned(), why: why.clone() };
            refuse(&mut self.refused, row)?;
        }
        Ok(())
    }

    /// Notes for the ledger from where which columns of a row were filled.
    fn record_fill(&mut self, table: &str, row_key: &str, fill: Fill) -> Result<()> {
        let mut cells = fill.columns.into_iter().zip(&fill.values);
        for from in fill.from {
            let given: Vec<(String, &Value)> = cells.by_ref().take(from.columns).collect();
            let dialect = self.dialect;
            let transaction = self.lane.transaction(&mut self.refused)?;
            let text = |column: &str, value| dialect.written(transaction.schema().kind(table, column), value);
            let digest = ledger::digest(given.iter().map(|(column, value)| (column.as_str(), text(column, value))));
            let digested = given.into_iter().map(|(column, _)| column).collect();
            let written = Written { table: table.to_owned(), digested, filled: true, ..Written::default() };
            let columns = transaction.record_columns(&written)?;
            let (table, row_key) = (table.to_owned(), row_key.to_owned());
            self.load.ledger.push(RowRecord {
                table,
                row_key,
                file: from.file,
                offset: from.place.offset,
                digest,
                own: None,
                columns,
            });
            if self.load.ledger.len() >= AT_ONCE {
                self.flush()?;
            }
        }
        Ok(())
    }
}

/// A row that is filled, with the number of its table and its key in the ledger.
struct Filled {
    table: String,
    number: usize,
    row_key: String,
    fill: Fill,
}

/// The primary keys of rows that are filled, as the ledger writes them; a rule may know its rows by
/// another key. None of a row that is gone since it was met.
fn row_keys(transaction: &mut dyn Transaction, fills: &[(String, (usize, Fill))]) -> Result<Vec<Option<String>>> {
    let mut row_keys = Vec::with_capacity(fills.len());
    for alike in fills.chunk_by(|one, next| one.0 == next.0 && one.1.1.key_columns == next.1.1.key_columns) {
        let (table, by) = (&alike[0].0, &alike[0].1.1.key_columns);
        let primary = transaction.schema().table(table).map(Table::primary_key).unwrap_or_default();
        let dialect = transaction.dialect();
        if primary == *by {
            let schema = transaction.schema();
            let text = |(column, value): (&String, &Value)| {
                dialect.written(schema.kind(table, column), value).map(Cow::into_owned)
            };
            let of = |fill: &Fill| by.iter().zip(&fill.key).map(text).collect();
            row_keys.extend(alike.iter().map(|(_, (_, fill))| Some(ledger::row_key(of(fill)))));
            continue;
        }
        let kinds: Vec<ColumnType> = primary.iter().map(|column| transaction.schema().kind(table, column)).collect();
        let primary: Vec<String> = primary.into_iter().map(str::to_owned).collect();
        let wanted: Vec<&str> = primary.iter().map(String::as_str).collect();
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let keys: Vec<Vec<Value>> = alike.iter().map(|(_, (_, fill))| fill.key.clone()).collect();
        // A time may stand there in another form of the same meaning.
        let text = |(cell, kind): (&Cell, &ColumnType)| dialect.text_of(*kind, cell);
        for found in transaction.find(table, &by, &wanted, &keys)? {
            row_keys.push(found.map(|cells| ledger::row_key(cells.iter().zip(&kinds).map(text).collect())));
        }
    }
    Ok(row_keys)
}
