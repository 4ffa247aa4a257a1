//! A cell of a table, as it is stored.

use crate::hex;
use std::fmt;

/// The value of a cell as the engine stores it, for comparisons.
#[derive(Clone, PartialEq)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Cell {
    /// Its text in keys and digests; bytes as lower-case hex, `None` for NULL.
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Cell::Null => return None,
            Cell::Integer(value) => value.to_string(),
            Cell::Real(value) => value.to_string(),
            Cell::Text(text) => text.clone(),
            Cell::Blob(bytes) => hex::encode(bytes),
        })
    }
}

/// Cells may be personal, so `Debug` shows nothing of them.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cell")
    }
}
