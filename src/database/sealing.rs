//! The keys and the sealed values of an open database, as what changes it besides an import needs them.

use super::Cell;
use super::cells::{KeyedCell, Registered};
use super::sealed::SealRecord;
use super::sealed_column::SealedColumn;
use crate::error::Result;
use crate::secret::keys::KeyRow;

/// The sealed values of a database that is changed, in the transaction of the change.
pub trait Sealing {
    /// The keys, the registry of sealed columns with its proof, and what the registered columns hold.
    fn seal_record(&self) -> Result<SealRecord>;
    /// The registered columns, by name.
    fn registered(&self) -> Result<Vec<Registered>>;
    /// The cells of a column, in the order of its rows.
    fn cells(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>>;
    /// Shows every text and blob of every table, with its table and column.
    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()>;
    /// Writes a text into the cell of the one row that has the key.
    fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()>;
    /// Replaces the row of a key.
    fn put_key(&mut self, key: &KeyRow) -> Result<()>;
    /// Registers a column in a format, or changes the format of one that is registered.
    fn register(&mut self, column: &Registered) -> Result<()>;
    /// Takes a column out of the registry, whatever its key columns.
    fn unregister(&mut self, column: &SealedColumn) -> Result<()>;
    /// Writes the proof, and how many values it says each table has.
    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()>;
}
