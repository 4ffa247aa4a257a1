//! The ledger: what runs wrote, so that a row knows where it came from.

use crate::error::Result;
use jiff::Timestamp;

/// The record of a run (`treelift_runs`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RunRecord {
    /// UUID text.
    pub id: String,
    /// `import`, later `undo` and others.
    pub kind: String,
    /// The version of treelift that ran.
    pub program: String,
    /// The mapping set's name.
    pub set: String,
    /// SHA-256 of the mapping set's files, lower-case hex.
    pub set_digest: String,
    /// The source's root as given.
    pub source: String,
    /// When it started.
    pub started: Timestamp,
    /// When it was about to commit.
    pub finished: Timestamp,
    /// Files read.
    pub files: u64,
    /// Leaves seen.
    pub leaves: u64,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows found unchanged.
    pub unchanged: u64,
    /// Records rejected.
    pub rejected: u64,
}

/// A source file of a run (`treelift_files`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// Its number in the ledger, unique over all runs.
    pub id: i64,
    /// The path below the source's root, `/` between segments.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its size.
    pub bytes: u64,
}

/// A row that a run wrote (`treelift_rows`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRecord {
    /// The target table.
    pub table: String,
    /// The row's primary key: its one value as text, several as a compact JSON array of texts.
    pub row_key: String,
    /// The file's number in the ledger.
    pub file: i64,
    /// Where the record begins in the file, in bytes.
    pub offset: u64,
    /// See [`crate::row::Row::digest`].
    pub digest: [u8; 16],
}

/// Where a run wrote a row from, as the ledger remembers it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RowOrigin {
    /// The run's id.
    pub run: String,
    /// The file's path below the source's root.
    pub path: String,
    /// SHA-256 of its bytes.
    #[serde(skip)]
    pub sha256: [u8; 32],
    /// Where the record or element begins in the file, in bytes.
    pub offset: u64,
    /// The JSON Pointer of that, once somebody looked into the file.
    pub pointer: String,
}

/// Reads and writes the ledger inside a transaction.
pub trait Ledger {
    /// The first number free for a file.
    fn next_file_id(&mut self) -> Result<i64>;
    /// Records the run; called before anything else is recorded.
    fn begin_run(&mut self, run: &RunRecord) -> Result<()>;
    /// Writes the run's final counts over what [`Ledger::begin_run`] wrote.
    fn finish_run(&mut self, run: &RunRecord) -> Result<()>;
    /// Records a source file that rows came from.
    fn file(&mut self, file: &FileRecord) -> Result<()>;
    /// Records rows that were inserted or updated.
    fn rows(&mut self, rows: &[RowRecord]) -> Result<()>;
    /// The rows that earlier runs wrote from a file of this path, in the order they were written.
    /// Rows that were deleted since are not among them.
    fn earlier_rows(&mut self, path: &str, table: &str) -> Result<Vec<RowRecord>>;
    /// Where this run wrote a row from.
    fn origin(&mut self, table: &str, row_key: &str) -> Result<Option<RowRecord>>;
}
