//! Rows of the tables of a mapping set: how they are found, and how they are written.

use crate::database::Cell;
use crate::database::kept::Unkept;
use crate::database::rejection::{Rejected, Rejection};
use crate::error::Result;
use crate::row::{Batch, Value};

/// A row of the database with a dangling reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The table.
    pub table: String,
    /// The row's key as the ledger writes it, when it has one.
    pub row_key: String,
    /// The table it points at.
    pub parent: String,
}

/// Finds rows of the database that a run writes into.
pub trait FindRows {
    /// How many rows the table had when the transaction began.
    fn rows_before(&self, table: &str) -> u64;
    /// The highest value of an integer key; 0 for an empty table.
    fn highest_id(&self, table: &str, column: &str) -> Result<i64>;
    /// For each key, the cells of the `wanted` columns of the row that has it, if there is one.
    /// A key holds one value for each of `key_columns`, in order; no value is NULL.
    fn find(
        &self,
        table: &str,
        key_columns: &[&str],
        wanted: &[&str],
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Cell>>>>;
    /// The `wanted` cells of every row, or of the rows whose `scope` column has the given value.
    fn select(&self, table: &str, wanted: &[&str], scope: Option<(&str, &Value)>) -> Result<Vec<Vec<Cell>>>;
    /// Rows with a dangling foreign key, at most `most`: first those that this run wrote.
    fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>>;
}

/// Writes rows.
pub trait WriteRows {
    /// Inserts rows of one table. What comes back are rows that the database rejected by rules of its
    /// own (a unique index that folds letters, a CHECK constraint, a trigger), or did not keep as they
    /// were written. After one of them nothing may be committed.
    fn insert(&mut self, batch: &Batch) -> Result<Vec<Rejected>>;
    /// Inserts the rows of several batches, all or none: with the number of its batch, each row that the
    /// database rejects. If there is one, nothing is inserted.
    fn insert_together(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>>;
    /// Whether a table may reject rows that are inserted by rules that no key says: a CHECK, a trigger that raises an error
    /// or is not the set's, a unique index over expressions, over some rows, or of another collation.
    fn may_reject(&self, table: &str) -> Result<bool>;
    /// Sets `values` for `columns` in the row whose `key_columns` have `key`; or why the database
    /// rejected that. After such a rejection nothing may be committed.
    fn update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>>;
    /// Those of these tables that do not hold what this run wrote: each with how many rows were inserted.
    fn unkept(&mut self, inserted: &[(String, u64)]) -> Result<Vec<Unkept>>;
}
