//! Rows that were there and get other values.

use crate::database::ledger::{Earlier, RowRecord};
use crate::finding::Place;
use crate::mapping::compile::CompiledRule;
use crate::row::Value;
use std::collections::HashSet;

/// So many rows are changed at once, and so many told to the ledger.
pub(super) const AT_ONCE: usize = 1_000;

/// A row that gets other values, and what it is then.
#[derive(Debug)]
pub struct Update<'u> {
    /// Its rule.
    pub rule: &'u CompiledRule,
    /// Its key as the ledger writes it.
    pub row_key: String,
    /// The columns that name the row, and their values.
    pub key: (Vec<String>, Vec<Value>),
    /// The texts that all fields of the rule are stored as then.
    pub texts: Vec<Option<String>>,
    /// Fields that took the run's start time.
    pub clock: Vec<usize>,
    /// The columns that change, and what they get.
    pub cells: Vec<(String, Value)>,
    /// Of each, the number of its earlier value, and that value sealed again where it is a secret.
    pub earlier: Vec<(i64, Option<String>)>,
    /// Whether the run's counts have the row as unchanged.
    pub counted: bool,
    /// Where it came from.
    pub place: Place,
    /// Where its record begins, in bytes.
    pub record: u64,
    /// The file's number in the ledger.
    pub file: i64,
}

/// The same, on its way into the database.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) table: usize,
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) values: Vec<Value>,
    pub(super) key: (Vec<String>, Vec<Value>),
    pub(super) earlier: Vec<Earlier>,
    pub(super) counted: bool,
    pub(super) rule: u32,
    pub(super) place: Place,
    pub(super) record: u64,
    pub(super) ledger: RowRecord,
}

/// Rows that this run updated, by table and key.
pub(super) type UpdatedRows = HashSet<(String, String)>;
