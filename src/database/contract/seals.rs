//! Keys, sealed values, and the registry of the columns that hold them.

use crate::database::cells::Registered;
use crate::database::{Cell, SealedColumn};
use crate::error::Result;
use crate::secret::keys::KeyRow;

/// Writes what sealed values hang on.
pub trait WriteSeals {
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
}
