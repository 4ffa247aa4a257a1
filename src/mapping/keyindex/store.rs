//! What is kept of rows for as long: those of one owner, or those of the run.

use super::blocks::Blocks;
use super::pack::{self, Packed};
use super::row::{self, Known, Said};
use super::says::Says;
use super::table::{KeyHash, Table};
use crate::error::Result;
use crate::row::Value;

/// Keys, the rows that they lead to, and what is held of those.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Whether it outlasts the owner.
    lasts: bool,
    /// By the number of the spec; of one that wants values they lead to `held`, else to `rows`.
    pub(super) tables: Vec<Table>,
    held: Blocks<Held>,
    rows: Blocks<row::Packed>,
    values: Packed,
    says: Says,
}

/// A row with values that are held of it.
#[derive(Debug, Clone, Copy)]
struct Held {
    row: u32,
    values: pack::At,
}

/// How much is in a store.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Level {
    held: usize,
    rows: usize,
    values: (usize, usize),
    says: u64,
}

impl Level {
    /// The higher of two.
    pub(super) fn or_more(self, other: Self) -> Self {
        Self {
            held: self.held.max(other.held),
            rows: self.rows.max(other.rows),
            values: self.values.max(other.values),
            says: self.says.max(other.says),
        }
    }
}

impl Store {
    /// One for keys of so many kinds.
    pub(super) fn new(specs: usize, lasts: bool) -> Self {
        Self { lasts, tables: (0..specs).map(|_| Table::default()).collect(), ..Self::default() }
    }

    /// How much is in it.
    pub(super) fn level(&self) -> Level {
        let Self { held, rows, values, says, .. } = self;
        Level { held: held.len(), rows: rows.len(), values: values.end(), says: says.end() }
    }

    /// Removes what was added since this was its level. No key leads there any more.
    pub(super) fn back_to(&mut self, level: Level) {
        self.held.truncate(level.held);
        self.rows.truncate(level.rows);
        self.values.truncate(level.values);
        self.says.truncate(level.says);
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Where there is no room for what it says, or its file is too large.
    pub(super) fn add_row(&mut self, known: &Known, says: &[u64]) -> Result<u32> {
        let at = if says.is_empty() { None } else { Some(self.says.add(says)?) };
        let says = at.map(|at| Said { lasts: self.lasts, at });
        Ok(self.rows.push(row::Packed::new(&Known { says, ..*known })?))
    }

    /// Adds what is held of a row.
    pub(super) fn add_held<'v>(&mut self, row: u32, values: impl IntoIterator<Item = &'v Value>) -> u32 {
        let values = self.values.add(values);
        self.held.push(Held { row, values })
    }

    /// What is known of the row of this number.
    pub(super) fn row(&self, row: u32) -> Known {
        self.rows.get(row).known(self.lasts)
    }

    /// Whether it came from a file of this run.
    pub(super) fn has_place(&self, row: u32) -> bool {
        self.rows.get(row).has_place()
    }

    /// Says whether the run's counts have it, and gives whether they had.
    pub(super) fn count(&mut self, row: u32, counted: bool) -> bool {
        self.rows.get_mut(row).count(counted)
    }

    /// The row of what is held.
    pub(super) fn row_of(&self, held: u32) -> u32 {
        self.held.get(held).row
    }

    /// The held value at a position.
    pub(super) fn value(&self, held: u32, position: usize) -> Value {
        self.values.get(self.held.get(held).values, position)
    }

    /// The held values, of which there are so many.
    pub(super) fn values(&self, held: u32, count: usize) -> Vec<Value> {
        self.values.all(self.held.get(held).values, count)
    }

    /// Holds other values, and gives where those are that it held.
    pub(super) fn set<'v>(&mut self, held: u32, values: impl IntoIterator<Item = &'v Value>) -> pack::At {
        let values = self.values.add(values);
        self.reset(held, values)
    }

    /// Holds values that it held before.
    pub(super) fn reset(&mut self, held: u32, values: pack::At) -> pack::At {
        std::mem::replace(&mut self.held.get_mut(held).values, values)
    }

    /// What a row says.
    pub(super) fn says(&self, at: u64) -> Result<Vec<u64>> {
        self.says.get(at)
    }

    /// What a key leads to.
    pub(super) fn get(&self, spec: usize, key: KeyHash) -> Option<u32> {
        self.tables[spec].get(key)
    }
}
