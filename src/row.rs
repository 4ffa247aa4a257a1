//! Values and rows on their way into a target, in no engine's form yet.

use crate::decimal::Decimal;
use crate::finding::Place;
use crate::hex;
use crate::instant::Instant;
use crate::table::ColumnType;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use std::borrow::Cow;
use std::sync::Arc;

/// A column's value. `database/` knows how each engine writes it.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// True or false.
    Bool(bool),
    /// A 64-bit integer.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text, shared between the row, the keys it feeds and those who look it up.
    Text(Arc<str>),
    /// A JSON document, compact.
    Json(Arc<str>),
    /// A date and time of no zone, written as it is.
    Civil(DateTime),
    /// A day.
    Day(Date),
    /// A moment, written in UTC.
    Instant(Instant),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A sealed value (`tl2.…`), text that compares by opening it.
    Sealed(Arc<str>),
}

/// Values may be personal, so `Debug` names the kind alone.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind_name())
    }
}

impl Value {
    /// The kind in words: `a number`, `text`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "NULL",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Real(_) => "a number",
            Value::Text(_) => "text",
            Value::Json(_) => "JSON",
            Value::Civil(_) => "a date and time",
            Value::Day(_) => "a day",
            Value::Instant(_) => "an instant",
            Value::Bytes(_) => "bytes",
            Value::Sealed(_) => "a sealed value",
        }
    }

    /// The value that a column of this type has whose text in the ledger's key this is; `None` where
    /// several would have it, or none.
    pub fn of_key_text(text: String, kind: ColumnType) -> Option<Self> {
        match kind {
            ColumnType::Integer | ColumnType::Flag => text.parse().ok().map(Value::Integer),
            ColumnType::Boolean => ["0", "1"].iter().position(|truth| *truth == text).map(|at| Value::Bool(at == 1)),
            ColumnType::Real => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Real),
            ColumnType::Text { .. } | ColumnType::Uuid | ColumnType::Numeric(_) => Some(Value::Text(text.into())),
            ColumnType::Time(_) | ColumnType::Zoned(_) | ColumnType::Date(_) | ColumnType::Clock(_) => {
                Self::of_time_text(&text, kind)
            }
            ColumnType::Blob => hex::decode(&text).map(|bytes| Value::Bytes(bytes.into())),
            ColumnType::Json
            | ColumnType::JsonValue
            | ColumnType::List(_)
            | ColumnType::Untyped
            | ColumnType::Unknown => None,
        }
    }

    /// The time that a text means in a column of times, as a rule would write it.
    pub fn of_time_text(text: &str, kind: ColumnType) -> Option<Self> {
        let time = kind.stored_time(text)?;
        match kind {
            ColumnType::Clock(None) => Some(Value::Text(text.into())),
            _ => Self::of_time(time, kind),
        }
    }

    /// The same of a time itself; what a moment is has been read in UTC.
    pub fn of_time(time: DateTime, kind: ColumnType) -> Option<Self> {
        match kind {
            ColumnType::Date(_) => Some(Value::Day(time.date())),
            ColumnType::Clock(None) => Some(Value::Text(time.time().to_string().into())),
            ColumnType::Clock(Some(form)) => form.write(time).map(|text| Value::Text(text.into())),
            kind if kind.takes_moments() => Instant::at(time, Offset::UTC).map(Value::Instant),
            _ => Some(Value::Civil(time)),
        }
    }

    /// Its text where it is used in a key, a template or a search: integers in decimal, times in
    /// RFC 3339 form (civil ones without a zone). `None` for NULL.
    pub fn as_key_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Value::Null => return None,
            Value::Bool(value) => if *value { "1" } else { "0" }.into(),
            Value::Integer(value) => value.to_string().into(),
            Value::Real(value) => value.to_string().into(),
            Value::Text(text) | Value::Json(text) | Value::Sealed(text) => Cow::Borrowed(text),
            Value::Civil(time) => time.to_string().into(),
            Value::Day(day) => day.to_string().into(),
            Value::Instant(time) => time.to_string().into(),
            Value::Bytes(bytes) => hex::encode(bytes).into(),
        })
    }
}

/// Whether a NUMERIC column that keeps numbers as 64-bit integers and doubles, as SQLite's do, keeps
/// the number that a text says.
pub fn keeps_number(text: &str) -> bool {
    if text.parse::<i64>().is_ok() {
        return true;
    }
    // A double gives every decimal of up to 15 significant digits back.
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
        && text.parse::<f64>().is_ok()
        && Decimal::of(text).significant() <= 15
}

/// A row that is complete: every key, every reference. Columns that are not named keep the
/// schema's default.
#[derive(Debug, Clone)]
pub struct Row {
    /// Values in the order of the batch's columns.
    pub values: Vec<Value>,
    /// Where it came from.
    pub place: Place,
    /// Where the record that gave it begins in the same file, in bytes.
    pub record: u64,
}

/// Rows of one table that fill the same columns.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The target table.
    pub table: String,
    /// The columns that the values fill, in order.
    pub columns: Vec<String>,
    /// The rows, in plan order.
    pub rows: Vec<Row>,
}
