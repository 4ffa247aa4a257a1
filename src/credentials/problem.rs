//! What is wrong with a cell.

use crate::database::SealedColumn;
use crate::error::Error;
use serde::Serialize;

/// A cell, as messages and reports name it. Row keys are not secret; values never appear here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellName {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The values of the key columns.
    pub key: Vec<String>,
}

impl std::fmt::Display for CellName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}, row {}", self.table, self.column, self.key.join(" / "))
    }
}

/// A cell and its problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    #[serde(flatten)]
    pub cell: CellName,
    /// One stable word.
    pub reason: String,
    /// In words, without a value.
    pub message: String,
}

impl Problem {
    /// The error of a job that stops at its first problem, having changed nothing.
    pub(super) fn into_error(self) -> Error {
        Error::environment(self.message)
            .at(self.cell)
            .hint("nothing was changed; `credentials verify` lists every value that does not open")
    }
}

/// A problem of a cell.
pub(super) fn problem(column: &SealedColumn, key: Vec<String>, reason: &str, message: String) -> Problem {
    let cell = CellName { table: column.table.clone(), column: column.column.clone(), key };
    Problem { cell, reason: reason.to_owned(), message }
}

/// A value that is no text.
pub(super) fn not_text(column: &SealedColumn, key: &[String], kind: &str) -> Problem {
    problem(column, key.to_vec(), "not-text", format!("a value is {kind} instead of sealed text"))
}
