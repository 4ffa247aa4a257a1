//! What `fill` rules give to one row.

use crate::finding::Place;
use crate::row::Value;

/// Columns of one row that `fill` rules give.
#[derive(Debug)]
pub(super) struct Fill {
    pub(super) key_columns: Vec<String>,
    pub(super) key: Vec<Value>,
    pub(super) columns: Vec<String>,
    pub(super) values: Vec<Value>,
    pub(super) existing: bool,
    pub(super) from: Vec<From>,
}

impl Fill {
    /// What each record gives.
    pub(super) fn parts(self) -> Vec<Self> {
        let mut cells = self.columns.into_iter().zip(self.values);
        let part = |from: From| {
            let (columns, values) = cells.by_ref().take(from.columns).unzip();
            let (key_columns, key) = (self.key_columns.clone(), self.key.clone());
            Self { key_columns, key, columns, values, existing: self.existing, from: vec![from] }
        };
        self.from.into_iter().map(part).collect()
    }
}

/// Where some columns of a [`Fill`] came from.
#[derive(Debug)]
pub(super) struct From {
    /// The file's number in the ledger.
    pub(super) file: i64,
    pub(super) place: Place,
    pub(super) record: u64,
    /// The number of the rule.
    pub(super) rule: u32,
    /// So many of the columns, in their order.
    pub(super) columns: usize,
}

/// What a `fill` rule gives to a row.
#[derive(Debug)]
pub struct Given {
    /// The number of the table.
    pub table: usize,
    /// The columns that name the row, and their values.
    pub key: (Vec<String>, Vec<Value>),
    /// Columns that are NULL, and what they get.
    pub cells: Vec<(String, Value)>,
    /// Whether the row was in the target before the run.
    pub existing: bool,
    /// Where it came from.
    pub place: Place,
    /// Where its record begins, in bytes.
    pub record: u64,
    /// The number of the rule.
    pub rule: u32,
    /// The file's number in the ledger.
    pub file: i64,
}
