//! What is known of a column with sealed cells before one is written.

use super::types::column_type;
use crate::table::ColumnType;

/// The types that a cell and its key are written as.
pub(super) struct Judged {
    /// The declared types of the key columns.
    pub(super) keys: Vec<String>,
    /// Its own type, as it is declared.
    pub(super) declared: String,
}

impl Judged {
    pub(super) fn kind(&self) -> ColumnType {
        column_type(&self.declared)
    }

    /// How many characters it takes, where that is bounded.
    pub(super) fn longest(&self) -> Option<usize> {
        match self.kind() {
            ColumnType::Text { max: Some(max) } => usize::try_from(max).ok(),
            _ => None,
        }
    }
}
