//! What a transaction remembers of the rows that it writes, and what earlier runs remembered.

use crate::database::ledger::{FileRecord, RowRecord, RunRecord, Written};
use crate::error::Result;

/// The ledger, open to be read and written.
pub trait Ledger {
    /// The first number free for a file.
    fn next_file_id(&mut self) -> Result<i64>;
    /// Records the run; called before anything else is recorded.
    fn begin_run(&mut self, run: &RunRecord) -> Result<()>;
    /// Writes the run's final counts over what [`Self::begin_run`] wrote.
    fn finish_run(&mut self, run: &RunRecord) -> Result<()>;
    /// Records a source file that rows came from.
    fn record_file(&mut self, file: &FileRecord) -> Result<()>;
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
    /// Where this run wrote a row from.
    fn written_from(&mut self, table: &str, row_key: &str) -> Result<Option<RowRecord>>;
}
