//! Steps: named pure functions that a column applies to its value. A closed registry.

use jiff::Timestamp;
use jiff::civil::DateTime;

/// A value between two steps. What comes from a source is text, a number as written, or a boolean.
#[derive(Clone, PartialEq)]
pub enum Datum {
    /// A boolean.
    Bool(bool),
    /// A number of the source, as it was written.
    Number(String),
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A date and time of no zone.
    Civil(DateTime),
    /// A moment.
    Instant(Timestamp),
    /// A list; steps apply to each part.
    List(Vec<Datum>),
    /// A compact JSON document.
    Json(String),
}

/// A step with its arguments.
#[derive(Debug, Clone)]
pub struct Step {}
