//! Sealed cells and what they hang on: what work on credentials needs of a database.
//!
//! It needs no mapping set and no migration, so it works on databases that treelift did not make.

use super::cell::Cell;
use super::sealed::{SealRecord, Unregistered};
use super::sealed_column::SealedColumn;
use crate::database::audit::{AuditEntry, AuditTable};
use crate::error::Result;
use crate::secret::keys::KeyRow;
use crate::table::Table;
use secrecy::SecretString;

/// The format of columns that were handed over, in `--to`, `--from` and `treelift_sealed_columns`.
pub const FERNET: &str = "fernet";

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read-only: neither it nor the files beside it change.
    Look,
    /// To be changed, in one transaction.
    Change,
    /// To rehearse a change on a private copy.
    Rehearse,
}

/// A sealed column as `treelift_sealed_columns` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Where, and by what its rows are identified.
    pub column: SealedColumn,
    /// `tl2`, `tl1` of an earlier version, or [`FERNET`] after a hand-over; nothing else is read.
    pub format: String,
}

/// What a cell holds.
#[derive(Debug)]
pub enum Stored {
    /// NULL.
    Null,
    /// Text; in a JSON column, the content of a JSON string.
    Text(SecretString),
    /// Something that no secret is kept as: its kind in words.
    Other(&'static str),
}

/// A cell with the key of its row.
#[derive(Debug)]
pub struct KeyedCell {
    /// The values of the key columns.
    pub key: Vec<Cell>,
    /// What the cell holds.
    pub value: Stored,
}

/// An open database, all changes of which are committed together. Dropped, it is as it was.
pub trait Cells {
    /// The application's tables.
    fn tables(&self) -> Result<Vec<Table>>;
    /// The registered keys, oldest first.
    fn keys(&self) -> Result<Vec<KeyRow>>;
    /// The keys, the registry with its proof, and what the registered columns hold.
    fn seal_record(&self) -> Result<SealRecord>;
    /// Writes the proof, and how many values it says each table has.
    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()>;
    /// Writes a key's row, over the one of the same id.
    fn put_key(&mut self, key: &KeyRow) -> Result<()>;
    /// Removes a key's row; what was sealed under it never opens again.
    fn remove_key(&mut self, id: &str) -> Result<()>;
    /// The registered columns, by name.
    fn registered(&self) -> Result<Vec<Registered>>;
    /// Columns with values that look sealed and that are not registered as such.
    fn unregistered(&self) -> Result<Vec<Unregistered>>;
    /// Registers a column, or changes the format of one that is registered.
    fn register(&mut self, column: &Registered) -> Result<()>;
    /// The cells of a column, in the order of its rows.
    fn read(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>>;
    /// Writes a text into the cell of the one row that has the key.
    fn write(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()>;
    /// The names of the triggers that run when this column is written.
    fn triggers(&self, column: &SealedColumn) -> Result<Vec<String>>;
    /// Shows every text and blob of every table, with its table and column.
    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()>;
    /// Writes into the audit trail: into the application's own table where it is there.
    fn audit(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()>;
    /// The name of the mapping set of the last run that the ledger has.
    fn last_set(&self) -> Result<Option<String>>;
    /// Commits, and empties the write-ahead log where there is one.
    fn commit(self: Box<Self>) -> Result<()>;
}
