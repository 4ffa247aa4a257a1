//! The rows of one table, from one database into another, and the proof that they are the same.

use super::ledger::{CellTexts, Entries, Lists, RowTexts};
use super::source::Source;
use super::value;
use crate::database::ledger::{digest, row_key};
use crate::database::{Cell, Dialect, Transaction};
use crate::error::{Error, Result};
use crate::finding::{FileId, Place, printable};
use crate::interrupt;
use crate::row::{Batch, Row, Value};
use crate::table::{Column, ColumnType, Table};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// So many rows are written at once.
const MANY: usize = 1_000;

/// What became of a table's rows.
#[derive(Debug, Default)]
pub(super) struct Copied {
    pub(super) rows: u64,
    /// Over what will be stored there, whatever the order of the rows.
    pub(super) sum: u128,
    /// How many values of each column are stored there in another form than here.
    pub(super) rewritten: BTreeMap<String, u64>,
}

/// A column here and there.
struct Pair {
    name: String,
    from: ColumnType,
    to: ColumnType,
    /// Whether a sealed value is bound to what stands in it.
    is_bound: bool,
}

/// Copies the rows of a table, and makes what the ledger says of them fit.
pub(super) fn copy(
    source: &Source<'_>,
    target: &mut dyn Transaction,
    (table, bound): (&Table, &[String]),
    (lists, entries): (&Lists, &mut Entries),
    progress: &dyn Fn(u64),
) -> Result<Copied> {
    let pairs = pairs(source, table, bound)?;
    let names: Vec<&str> = pairs.iter().map(|pair| pair.name.as_str()).collect();
    let mut work = Work {
        here: source.dialect,
        there: target.dialect(),
        table,
        pairs: &pairs,
        names: &names,
        key: table.primary_key(),
        lists,
        entries,
        target,
        batch: Vec::new(),
        copied: Copied::default(),
        progress,
    };
    let mut failed = Ok(());
    source.reader.each_row(&table.name, &names, None, &mut |cells| {
        if failed.is_ok() {
            failed = work.take(&cells);
        }
    })?;
    failed?;
    work.flush()?;
    Ok(work.copied)
}

/// What a table of the target holds now: how many rows, and the sum over them.
pub(super) fn sum(target: &dyn Transaction, table: &Table) -> Result<(u64, u128)> {
    let columns: Vec<&Column> = columns(table).collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let (dialect, mut rows, mut sum) = (target.dialect(), 0, 0_u128);
    target.each_row(&table.name, &names, None, &mut |cells| {
        let texts =
            columns.iter().zip(&cells).map(|(column, cell)| (column.name.as_str(), dialect.text_of(column.kind, cell)));
        sum = sum.wrapping_add(u128::from_be_bytes(digest(texts)));
        rows += 1;
    })?;
    Ok((rows, sum))
}

/// The columns that rows are written in: those that the database does not compute.
fn columns(table: &Table) -> impl Iterator<Item = &Column> {
    table.columns.iter().filter(|column| !table.computed.contains(&column.name))
}

fn pairs(source: &Source<'_>, table: &Table, bound: &[String]) -> Result<Vec<Pair>> {
    let missing = |what: String| Error::environment(format!("there is no {what}")).at(source.url);
    let here = source.table(&table.name).ok_or_else(|| missing(format!("table `{}`", table.name)))?;
    let pair = |column: &Column| {
        let from =
            here.column(&column.name).ok_or_else(|| missing(format!("column `{}.{}`", table.name, column.name)))?;
        Ok(Pair { name: column.name.clone(), from: from.kind, to: column.kind, is_bound: bound.contains(&column.name) })
    };
    columns(table).map(pair).collect()
}

struct Work<'w> {
    here: Dialect,
    there: Dialect,
    table: &'w Table,
    pairs: &'w [Pair],
    names: &'w [&'w str],
    key: Vec<&'w str>,
    lists: &'w Lists,
    entries: &'w mut Entries,
    target: &'w mut dyn Transaction,
    batch: Vec<Row>,
    copied: Copied,
    progress: &'w dyn Fn(u64),
}

impl Work<'_> {
    fn take(&mut self, cells: &[Cell]) -> Result<()> {
        let mut values = Vec::with_capacity(cells.len());
        let mut row = RowTexts::new();
        for (pair, cell) in self.pairs.iter().zip(cells) {
            let value = value::of(cell, pair.from, pair.to);
            if !self.there.keeps(pair.to, &value) {
                return Err(self.cannot(cells, &format!("the value of `{}` is {}", pair.name, kept(&value, pair.to))));
            }
            let texts = CellTexts {
                stored: cell.text(),
                meant: self.here.text_of(pair.from, cell),
                there: self.there.written(pair.to, &value).map(Cow::into_owned),
            };
            if texts.stored != texts.there {
                if pair.is_bound {
                    let why = format!("sealed values are bound to `{}`, which is written otherwise there", pair.name);
                    return Err(self.cannot(cells, &why));
                }
                if !pair.to.is_time() {
                    *self.copied.rewritten.entry(pair.name.clone()).or_default() += 1;
                }
            }
            row.insert(&pair.name, texts);
            values.push(value);
        }
        self.entries.renew(self.lists, &self.key, &row)?;
        let there = self.names.iter().map(|name| (*name, row[name].there.as_ref()));
        self.copied.sum = self.copied.sum.wrapping_add(u128::from_be_bytes(digest(there)));
        let place = Place { file: FileId(0), offset: self.copied.rows };
        self.batch.push(Row { values, place, record: self.copied.rows });
        self.copied.rows += 1;
        if self.batch.len() == MANY { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        interrupt::check()?;
        if self.batch.is_empty() {
            return Ok(());
        }
        let columns = self.names.iter().map(|&name| name.to_owned()).collect();
        let batch = Batch { table: self.table.name.clone(), columns, rows: std::mem::take(&mut self.batch) };
        let rejected = self.target.insert(&batch)?;
        (self.progress)(batch.rows.len() as u64);
        match rejected.first() {
            None => Ok(()),
            Some(one) => {
                let key = self.key.iter().map(|key| self.names.iter().position(|name| name == key));
                let text = |at: Option<usize>| {
                    let at = at?;
                    self.there.written(self.pairs[at].to, &batch.rows[one.row].values[at]).map(Cow::into_owned)
                };
                Err(refused(&self.table.name, &row_key(key.map(text).collect()), &one.why.message(&self.table.name)))
            }
        }
    }

    fn cannot(&self, cells: &[Cell], why: &str) -> Error {
        let at = |key: &&str| self.names.iter().position(|name| name == key);
        let key = self.key.iter().map(|key| at(key).and_then(|at| cells[at].text()));
        refused(&self.table.name, &row_key(key.collect()), why)
    }
}

/// Why a value is not one that a column keeps.
fn kept(value: &Value, to: ColumnType) -> String {
    format!("{}, which a column of the type {to:?} does not keep as it is", value.kind_name())
}

fn refused(table: &str, key: &str, why: &str) -> Error {
    Error::environment(format!("a row of `{}` cannot be transferred: {why}", printable(table)))
        .at(format!("the row of the key {}", printable(key)))
        .hint("change that row in the database which is transferred; nothing was written")
}
