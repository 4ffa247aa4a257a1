//! What is done to a database: all of it is committed together, or nothing is.

use super::Reader;
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::cells::Registered;
use crate::database::kept::{ForeignTrigger, Unkept};
use crate::database::ledger::{Earlier, EarlierLine, FileRecord, RowRecord, RunRecord, Written};
use crate::database::lines::Left;
use crate::database::rejection::{Rejected, RejectedLate, Rejection};
use crate::database::upkeep::Orphan;
use crate::database::{Cell, SealedColumn};
use crate::error::{Error, Result};
use crate::row::{Batch, Value};
use crate::secret::keys::KeyRow;
use crate::table::Schema;

/// An open database that is changed. Dropped, it is as it was.
///
/// Begun by an import it knows the tables of its mapping set, and finds and writes rows of those. Begun
/// without a set ([`Database::change`](super::Database::change)) it knows no table.
pub trait Transaction: Reader + Send {
    /// The live tables that the set's migrations make.
    fn schema(&self) -> &Schema;
    /// Triggers that may reach the written tables and that no migration of the set makes.
    fn foreign_triggers(&self) -> &[ForeignTrigger];
    /// Migrations of the set that are not applied and stay so.
    fn pending(&self) -> &[String];
    /// Prepares a new database for its rows: what its migrations make `after: rows` is not there meanwhile.
    fn begin_rows(&mut self) -> Result<()>;
    /// Makes of all rows what [`Self::begin_rows`] left out.
    fn end_rows(&mut self) -> Result<()>;
    /// How many rows the table had when the transaction began.
    fn rows_before(&self, table: &str) -> u64;
    /// The highest value of an integer key; 0 for an empty table.
    fn highest_id(&self, table: &str, column: &str) -> Result<i64>;
    /// The columns that name a row of the table while the transaction is open: its primary key, or, where it has none,
    /// what the engine tells rows apart by. Keys of earlier rows are made of them.
    fn row_name(&self, table: &str) -> Result<Vec<String>>;
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
    /// Rows with a dangling foreign key, at most `most`: first those that this run wrote. Rows of this run that reference
    /// one of those are among them, since it will not be there.
    fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>>;
    /// Rows that [`Transaction::insert`] took in, and that turned out to be rejected when they were written: each is told
    /// once. Asked when all rows were given.
    fn rejected_late(&mut self) -> Result<Vec<RejectedLate>> {
        Ok(Vec::new())
    }
    /// Has the database check what it would check at the commit, once no row is an orphan: why it rejects that, in words.
    fn check_deferred(&mut self) -> Result<Option<String>> {
        Ok(None)
    }
    /// Removes every row of a table of a new database: those that its migrations made.
    fn empty(&mut self, table: &str) -> Result<()>;
    /// Inserts rows of one table. What comes back are rows that the database rejected by rules of its
    /// own (a unique index that folds letters, a CHECK constraint, a trigger), or did not keep as they
    /// were written. After one of them nothing may be committed.
    fn insert(&mut self, batch: &Batch) -> Result<Vec<Rejected>>;
    /// How many bytes of text the rows have that are best given to [`Self::insert`] together.
    fn load_bytes(&self) -> usize {
        1 << 19
    }
    /// Inserts the rows of several batches, all or none: with the number of its batch, each row that the
    /// database rejects. If there is one, nothing is inserted.
    fn insert_together(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>>;
    /// What the database would reject of the rows of several batches for anything but a row that is there: as
    /// [`Transaction::insert_together`] where none is in their way. Nothing is inserted, and nothing is gone.
    fn would_reject(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>>;
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
    /// Changes rows of one table alike: each gets the values before its key, as by [`Transaction::update`]. Gives for each
    /// why the database rejected that.
    fn update_all(
        &mut self,
        table: &str,
        columns: &[String],
        key_columns: &[&str],
        rows: &[(&[Value], &[Value])],
    ) -> Result<Vec<Option<Rejection>>> {
        rows.iter().map(|(values, key)| self.update(table, columns, values, key_columns, key)).collect()
    }
    /// Why [`Transaction::update`] would be rejected, for anything but another row that is there. Nothing is changed.
    fn would_reject_update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>>;
    /// Those of these tables that do not hold what this run wrote: each with how many rows were inserted.
    fn unkept(&mut self, inserted: &[(String, u64)]) -> Result<Vec<Unkept>>;
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
    /// The first number free for a file.
    fn next_file_id(&mut self) -> Result<i64>;
    /// Records the run; called before anything else is recorded.
    fn begin_run(&mut self, run: &RunRecord) -> Result<()>;
    /// Writes the run's final counts over what [`Self::begin_run`] wrote.
    fn finish_run(&mut self, run: &RunRecord) -> Result<()>;
    /// Records source files that rows came from.
    fn record_files(&mut self, files: &[FileRecord]) -> Result<()>;
    /// The number of the columns in which rows are written; the same for the same.
    fn record_columns(&mut self, written: &Written) -> Result<i64>;
    /// Records rows that were inserted or filled.
    fn record_rows(&mut self, rows: &[RowRecord]) -> Result<()>;
    /// The rows that earlier runs wrote from a file of this path, in the order they were written.
    /// Rows that were deleted since are not among them.
    fn earlier_rows(&mut self, path: &str, table: &str) -> Result<Vec<RowRecord>>;
    /// The files that earlier runs read and wrote rows from, oldest first.
    fn earlier_files(&mut self) -> Result<Vec<FileRecord>>;
    /// The rows that were written from the file of this number, in the order they were written. Rows
    /// that were deleted since are not among them.
    fn earlier_rows_of(&mut self, file: i64, table: &str) -> Result<Vec<RowRecord>>;
    /// How the rows of a table that have these keys stand, as the ledger writes keys.
    fn left_as(&mut self, table: &str, keys: &[String]) -> Result<Vec<Left>>;
    /// The ledger's number of the file from which each of the rows of these keys was written last before this run.
    fn last_files(&mut self, table: &str, keys: &[String]) -> Result<Vec<Option<i64>>>;
    /// What earlier runs wrote from a file of this path, whether it still stands or not, in the order it was written; what
    /// only filled rows is left out.
    fn earlier_lines(&mut self, path: &str) -> Result<Vec<EarlierLine>>;
    /// The number of this run in the ledger.
    fn run_number(&self) -> Result<i64>;
    /// Forgets what an earlier run kept of its source.
    fn forget_seen(&mut self) -> Result<()>;
    /// Keeps this part, from 0, of what this run saw of its source. There is no part between that is not kept.
    fn put_seen(&mut self, part: u64, bytes: &[u8]) -> Result<()>;
    /// Keeps what columns hold that are about to get other values.
    fn keep_earlier(&mut self, earlier: &[Earlier]) -> Result<()>;
    /// Where this run wrote a row from.
    fn written_from(&mut self, table: &str, row_key: &str) -> Result<Option<RowRecord>>;
    /// Writes into the audit trail: into the application's own table where it is there.
    fn audit(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()>;
    /// Gives back memory that it holds to be fast: little of the database is read or written after this.
    fn free_memory(&mut self) -> Result<()>;
    /// Commits. "Committed" may be printed only after this returned. A fault that comes after the commit,
    /// and does not undo it, is returned.
    ///
    /// # Errors
    /// If nothing was committed.
    fn commit(self: Box<Self>) -> Result<Option<Error>>;
    /// Rolls everything back, and removes temporary files.
    fn rollback(self: Box<Self>) -> Result<()>;
}
