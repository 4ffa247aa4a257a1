//! What an engine does for the ledger while the schema changes.

use crate::database::Cell;
use crate::database::undo::engine::Undoing;
use crate::table::ColumnType;
use std::collections::BTreeSet;

/// What an engine does besides, in the transaction of the change.
pub(in crate::database) trait Following: Undoing {
    /// What stands behind the name of a temporary table that goes with the transaction.
    const TEMPORARY: &'static str;
    /// The text of a stored cell in the ledger's keys; `None` for NULL.
    fn key_text(kind: ColumnType, cell: &Cell) -> Option<String>;
    /// Whether a run wrote into the database.
    fn has_ledger(&self) -> Result<bool, Self::Fault>;
    /// Puts texts into columns of these types of a temporary table.
    fn put(&mut self, table: &str, types: &[&str], rows: Vec<Vec<Option<String>>>) -> Result<(), Self::Fault>;
    /// The columns that hold sealed values: table and column of each.
    fn sealed(&self) -> Result<BTreeSet<(String, String)>, Self::Fault>;
    /// An expression for the bytes that this one has the hexadecimal digits of.
    fn bytes(digits: &str) -> String;
}

/// A text as SQL writes it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
