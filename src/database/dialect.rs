//! What an engine's columns keep of a value, by their type alone: no database is open.

use super::Cell;
use super::sqlite::form;
use crate::row::Value;
use crate::table::ColumnType;

/// How an engine writes values, and when it holds the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// 64-bit integers, doubles and text, with no type for exact numbers, times or JSON.
    Sqlite,
}

impl Dialect {
    /// Whether a column of this type gives the value back as it is.
    pub fn keeps(self, kind: ColumnType, value: &Value) -> bool {
        match self {
            Self::Sqlite => form::of(value, kind).is_some(),
        }
    }

    /// The text a value is stored as in a column of this type ([`Cell::text`]), for searches, keys and
    /// digests; `None` for NULL.
    pub fn written(self, kind: ColumnType, value: &Value) -> Option<String> {
        match self {
            Self::Sqlite => match form::of(value, kind) {
                Some(form) => form.into_text(kind),
                // It will be refused when it is written; until then a search shall not miss it.
                None => value.as_key_text(),
            },
        }
    }

    /// Whether a stored cell is the value that `value` would be written as. Times and JSON are compared
    /// by what they mean; a sealed value never equals (the caller opens it).
    pub fn same(self, kind: ColumnType, cell: &Cell, value: &Value) -> bool {
        match self {
            Self::Sqlite => form::same(cell, value, kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMERIC: ColumnType = ColumnType::Numeric(None);

    #[test]
    fn a_value_is_written_as_its_column_gives_it_back() {
        let written = |kind, value: Value| Dialect::Sqlite.written(kind, &value);
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(written(NUMERIC, text("1.10")), Some("1.1".to_owned()));
        assert_eq!(written(NUMERIC, text("2.0")), Some("2".to_owned()));
        assert_eq!(written(ColumnType::Real, Value::Real(-0.0)), Some("0".to_owned()));
        assert_eq!(written(ColumnType::Boolean, Value::Bool(true)), Some("1".to_owned()));
        assert_eq!(written(ColumnType::Integer, Value::Null), None);
        let noon = Value::Civil("2025-05-07T12:00".parse().unwrap());
        assert_eq!(written(ColumnType::Time, noon), Some("2025-05-07 12:00:00.000000".to_owned()));
    }

    #[test]
    fn a_search_finds_what_a_column_would_refuse() {
        let value = Value::Text("seven".to_owned());
        assert!(!Dialect::Sqlite.keeps(ColumnType::Integer, &value));
        assert_eq!(Dialect::Sqlite.written(ColumnType::Integer, &value), Some("seven".to_owned()));
        assert!(!Dialect::Sqlite.same(ColumnType::Integer, &Cell::Text("seven".to_owned()), &value));
    }
}
