//! What an engine does where no database is open: how its columns keep values, what declared types mean,
//! what migrations make. The one list of engines, beside that of `url`.

use super::Cell;
use super::catalog::Catalog;
use super::contract::Stages;
#[cfg(feature = "postgres")]
use super::postgres::{form as of_server, types as server_types};
use super::sqlite::{Rehearsal, form, rehearsal, types};
use crate::error::{Error, Result};
use crate::row::Value;
use crate::table::{ColumnType, Migration};
use std::borrow::Cow;

/// How an engine understands SQL and keeps values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// 64-bit integers, doubles and text, with no type for exact numbers, times or JSON. What mapping sets
    /// are written for.
    #[default]
    Sqlite,
    /// Types for exact numbers, times, JSON and UUIDs; text without U+0000.
    #[cfg(feature = "postgres")]
    Postgresql,
}

impl Dialect {
    /// Every engine, for the tests of what holds of each.
    #[cfg(test)]
    #[cfg(feature = "postgres")]
    pub(super) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgresql];
    /// Every engine that this build has.
    #[cfg(all(test, not(feature = "postgres")))]
    pub(super) const ALL: [Self; 1] = [Self::Sqlite];

    /// `sqlite` or `postgresql`.
    pub fn engine(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            #[cfg(feature = "postgres")]
            Self::Postgresql => "postgresql",
        }
    }

    /// Whether this build has an engine of this name.
    pub fn is_built(engine: &str) -> bool {
        engine == Self::Sqlite.engine() || (cfg!(feature = "postgres") && engine == "postgresql")
    }

    /// Whether a column of this type gives the value back as it is.
    pub fn keeps(self, kind: ColumnType, value: &Value) -> bool {
        match self {
            Self::Sqlite => form::of(value, kind).is_some(),
            #[cfg(feature = "postgres")]
            Self::Postgresql => of_server::of(value, kind).is_some(),
        }
    }

    /// The text a value is stored as in a column of this type ([`Cell::text`]), for searches, keys and
    /// digests; `None` for NULL.
    pub fn written(self, kind: ColumnType, value: &Value) -> Option<Cow<'_, str>> {
        match self {
            Self::Sqlite => match form::of(value, kind) {
                Some(form) => form.into_text(kind),
                // It will be refused when it is written; until then a search shall not miss it.
                None => value.as_key_text(),
            },
            #[cfg(feature = "postgres")]
            Self::Postgresql => match of_server::of(value, kind) {
                Some(form) => form.into_text(),
                None => value.as_key_text(),
            },
        }
    }

    /// The text of a stored cell in the ledger's keys and digests: that of the value which it means, in whatever form a
    /// time stands there; `None` for NULL.
    pub fn text_of(self, kind: ColumnType, cell: &Cell) -> Option<String> {
        match self {
            Self::Sqlite => form::text_of(cell, kind),
            #[cfg(feature = "postgres")]
            Self::Postgresql => cell.text(),
        }
    }

    /// A part of a key as the ledger writes it, of a text that says the same: `1.0` is `1`, and a time has one form.
    pub fn key_text(self, kind: ColumnType, text: &str) -> String {
        let value = Value::of_key_text(text.to_owned(), kind).filter(|value| self.keeps(kind, value));
        value.and_then(|value| self.written(kind, &value).map(Cow::into_owned)).unwrap_or_else(|| text.to_owned())
    }

    /// Whether a stored cell is the value that `value` would be written as. Times and JSON are compared
    /// by what they mean; a sealed value never equals (the caller opens it).
    pub fn same(self, kind: ColumnType, cell: &Cell, value: &Value) -> bool {
        match self {
            Self::Sqlite => form::same(cell, value, kind),
            #[cfg(feature = "postgres")]
            Self::Postgresql => of_server::same(cell, value, kind),
        }
    }

    /// The type that a declaration means.
    pub fn column_type(self, declared: &str) -> ColumnType {
        match self {
            Self::Sqlite => types::column_type(declared),
            #[cfg(feature = "postgres")]
            Self::Postgresql => server_types::column_type(declared),
        }
    }

    /// The migrations, run in memory; `both_ways` where it will be asked about their way back.
    ///
    /// # Errors
    /// What is wrong with the first that does not run; and for a server, which alone knows what it makes.
    pub fn rehearsal(self, migrations: &[Migration], both_ways: bool) -> Result<Rehearsal<'_>> {
        match self {
            Self::Sqlite => Rehearsal::of(migrations, both_ways),
            #[cfg(feature = "postgres")]
            Self::Postgresql => Err(Error::bug("a server alone knows what migrations make")),
        }
    }
}

impl Stages for Dialect {
    fn stages(&self, migrations: &[Migration], only_last: bool) -> Result<(Vec<Catalog>, Option<Error>)> {
        match self {
            Self::Sqlite if only_last => Ok(rehearsal::last(migrations)),
            Self::Sqlite => rehearsal::stages(migrations, false),
            #[cfg(feature = "postgres")]
            Self::Postgresql => Err(Error::bug("a server alone knows what migrations make")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMERIC: ColumnType = ColumnType::Numeric(None);

    #[test]
    fn a_value_is_written_as_its_column_gives_it_back() {
        let written = |kind, value: Value| Dialect::Sqlite.written(kind, &value).map(Cow::into_owned);
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(written(NUMERIC, text("1.10")), Some("1.1".to_owned()));
        assert_eq!(written(NUMERIC, text("2.0")), Some("2".to_owned()));
        assert_eq!(written(ColumnType::Real, Value::Real(-0.0)), Some("0".to_owned()));
        assert_eq!(written(ColumnType::Boolean, Value::Bool(true)), Some("1".to_owned()));
        assert_eq!(written(ColumnType::Integer, Value::Null), None);
        let noon = Value::Civil("2025-05-07T12:00".parse().unwrap());
        assert_eq!(written(ColumnType::Time(None), noon), Some("2025-05-07 12:00:00.000000".to_owned()));
    }

    #[test]
    fn a_search_finds_what_a_column_would_refuse() {
        let value = Value::Text("seven".into());
        assert!(!Dialect::Sqlite.keeps(ColumnType::Integer, &value));
        assert_eq!(Dialect::Sqlite.written(ColumnType::Integer, &value), Some("seven".into()));
        assert!(!Dialect::Sqlite.same(ColumnType::Integer, &Cell::Text("seven".to_owned()), &value));
    }
}
