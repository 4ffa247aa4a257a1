//! What is asked for.

use serde::Serialize;

/// The form in which rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Comma-separated values with a header, RFC 4180.
    Csv,
    /// One JSON object for each row.
    Jsonl,
    /// Statements of the engine's own SQL.
    Sql,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Jsonl, Self::Sql];

    /// As it is named.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Sql => "sql",
        }
    }
}

/// What is to be exported.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The tables by name.
    pub tables: Vec<String>,
    /// In which form.
    pub form: Form,
    /// The columns that rows are ordered by; then, or without any, by the primary key.
    pub order_by: Vec<String>,
}
