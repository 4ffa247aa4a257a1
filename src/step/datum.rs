//! What passes from one step to the next.

use crate::document::json::write_json_string;
use crate::hex;
use crate::instant::Instant;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// What a step makes of a text that it only looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look<'t> {
    /// The text as it is.
    Holds,
    /// A part of it.
    Finds(&'t str),
    /// Nothing: what it looks for is not there.
    Missing,
}

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
    /// A day.
    Day(Date),
    /// A moment, and the zone whose clocks say its day, if not UTC.
    Instant(Instant, Option<TimeZone>),
    /// Null on purpose.
    Null,
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list; steps apply to each part.
    List(Vec<Datum>),
    /// A compact JSON document.
    Json(String),
}

impl Datum {
    /// The kind in words: `a number`, `a string`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Datum::Bool(_) => "a boolean",
            Datum::Number(_) => "a number",
            Datum::Text(_) => "a string",
            Datum::Integer(_) => "an integer",
            Datum::Civil(_) => "a date and time without a zone",
            Datum::Day(_) => "a day",
            Datum::Instant(..) => "an instant",
            Datum::Null => "null",
            Datum::Bytes(_) => "bytes",
            Datum::List(_) => "a list",
            Datum::Json(_) => "JSON",
        }
    }

    /// Appends it as JSON: compact, numbers as they are written.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Datum::Null => out.push_str("null"),
            Datum::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Datum::Number(text) | Datum::Json(text) => out.push_str(text),
            Datum::Integer(value) => out.push_str(&value.to_string()),
            Datum::Text(text) => write_json_string(out, text),
            Datum::Civil(time) => write_json_string(out, &time.to_string()),
            Datum::Day(day) => write_json_string(out, &day.to_string()),
            Datum::Bytes(bytes) => write_json_string(out, &hex::encode(bytes)),
            Datum::Instant(time, _) => write_json_string(out, &time.to_string()),
            Datum::List(parts) => {
                out.push('[');
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    part.write_json(out);
                }
                out.push(']');
            }
        }
    }

    /// What a step works on that wants text: numbers give theirs as written.
    pub(super) fn into_text(self) -> Result<String, String> {
        match self {
            Datum::Text(text) | Datum::Number(text) => Ok(text),
            Datum::Integer(number) => Ok(number.to_string()),
            Datum::Bool(_) => Err("expected a string, found a boolean (put `text` before this step)".to_owned()),
            other => Err(format!("expected a string, found {}", other.kind_name())),
        }
    }
}

/// What a step gives, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputType {
    /// Text.
    Text,
    /// A 64-bit integer.
    Integer,
    /// A number as it was written.
    Number,
    /// A boolean.
    Bool,
    /// A date and time of no zone.
    Civil,
    /// A day.
    Day,
    /// A moment.
    Instant,
    /// A day, a moment or a date and time of no zone.
    Time,
    /// A compact JSON document.
    Json,
    /// Bytes.
    Bytes,
    /// A list of texts, to each of which the following steps apply.
    List,
    /// Whatever it was given.
    Same,
}

/// What steps take that work on text.
pub(super) const TEXTUAL: &[OutputType] = &[OutputType::Text, OutputType::Number, OutputType::Integer];
