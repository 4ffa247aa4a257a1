//! What is done to a database: all of it is committed together, or nothing is.

use super::{Ledger, Reader};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::cells::Registered;
use crate::database::kept::{ForeignTrigger, Unkept};
use crate::database::rejection::{Rejected, Rejection};
use crate::database::{Cell, Dialect, SealedColumn};
use crate::error::{Error, Result};
use crate::row::{Batch, Value};
use crate::secret::keys::KeyRow;
use crate::table::Schema;

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

/// An open database that is changed. Dropped, it is as it was.
///
/// Begun by an import it knows the tables of its mapping set, and finds and writes rows of those. Begun
/// without a set ([`Database::change`](super::Database::change)) it knows no table.
pub trait Transaction: Reader + Ledger + Send {
    /// What the columns keep, and how.
    fn dialect(&self) -> Dialect;
    /// The live tables that the set's migrations make.
    fn schema(&self) -> &Schema;
    /// Triggers that may reach the written tables and that no migration of the set makes.
    fn foreign_triggers(&self) -> &[ForeignTrigger];
    /// Those of these tables that do not hold what this run wrote: each with how many rows were inserted.
    fn unkept(&mut self, inserted: &[(String, u64)]) -> Result<Vec<Unkept>>;
    /// How many rows the table had when the transaction began.
    fn rows_before(&self, table: &str) -> u64;
    /// The highest value of an integer key; 0 for an empty table.
    fn highest_id(&mut self, table: &str, column: &str) -> Result<i64>;
    /// For each key, the cells of the `wanted` columns of the row that has it, if there is one.
    /// A key holds one value for each of `key_columns`, in order; no value is NULL.
    fn find(
        &mut self,
        table: &str,
        key_columns: &[&str],
        wanted: &[&str],
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Cell>>>>;
    /// The `wanted` cells of every row, or of the rows whose `scope` column has the given value.
    fn select(&mut self, table: &str, wanted: &[&str], scope: Option<(&str, &Value)>) -> Result<Vec<Vec<Cell>>>;
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
    /// Writes the proof, and how many values it says each table has.
    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()>;
    /// Registers a new key, or replaces the row of the same id.
    fn put_key(&mut self, key: &KeyRow) -> Result<()>;
    /// Removes a key; what was sealed under it never opens again.
    fn remove_key(&mut self, id: &str) -> Result<()>;
    /// Registers columns that hold sealed values; known ones are kept.
    fn put_sealed_columns(&mut self, columns: &[SealedColumn]) -> Result<()>;
    /// Registers a column in a format, or changes the format of one that is registered.
    fn register(&mut self, column: &Registered) -> Result<()>;
    /// Writes a text into the cell of the one row that has the key.
    fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()>;
    /// Rows with a dangling foreign key, at most `most`: first those that this run wrote.
    fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>>;
    /// Migrations of the set that are not applied and stay so.
    fn pending(&self) -> &[String];
    /// Writes into the audit trail: into the application's own table where it is there.
    fn audit(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()>;
    /// Commits. "Committed" may be printed only after this returned. A fault that comes after the commit,
    /// and does not undo it, is returned.
    ///
    /// # Errors
    /// If nothing was committed.
    fn commit(self: Box<Self>) -> Result<Option<Error>>;
    /// Rolls everything back, and removes temporary files.
    fn rollback(self: Box<Self>) -> Result<()>;
}
