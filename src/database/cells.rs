//! Sealed cells, and the columns that are registered for them.

use super::cell::Cell;
use super::sealed_column::SealedColumn;
use secrecy::SecretString;

/// The format of columns that were handed over, in `--to`, `--from` and `treelift_sealed_columns`.
pub const FERNET: &str = "fernet";

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
