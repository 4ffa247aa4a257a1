//! What a cell is outside of a database, whatever the form.

use super::odd::Kind;
use crate::database::Cell;
use crate::table::ColumnType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// A cell outside of a database.
#[derive(Debug, PartialEq)]
pub(super) enum Outside<'c> {
    /// NULL.
    Null,
    /// A number as JSON has it, `true` or `false`.
    Bare(Cow<'c, str>),
    /// A JSON document.
    Document(&'c str),
    /// Text, and what is written as such.
    Text(Cow<'c, str>),
}

/// What a cell of a column of this type is, and what is odd about it.
pub(super) fn of(cell: &Cell, kind: ColumnType) -> (Outside<'_>, Option<Kind>) {
    let plain = |outside| (outside, None);
    match cell {
        Cell::Null => plain(Outside::Null),
        Cell::Integer(number @ (0 | 1)) if kind == ColumnType::Boolean => {
            plain(Outside::Bare(if *number == 1 { "true" } else { "false" }.into()))
        }
        Cell::Integer(number) => plain(Outside::Bare(number.to_string().into())),
        Cell::Real(number) => plain(real(*number)),
        Cell::Blob(bytes) => {
            let odd = (!matches!(kind, ColumnType::Blob | ColumnType::Untyped)).then_some(Kind::Bytes);
            (Outside::Text(STANDARD.encode(bytes).into()), odd)
        }
        Cell::Text(text) if kind.is_json() || matches!(kind, ColumnType::List(_)) => {
            if is_json(text) {
                plain(Outside::Document(text))
            } else {
                (Outside::Text(text.into()), Some(Kind::NotJson))
            }
        }
        Cell::Text(text) if matches!(kind, ColumnType::Numeric(_)) && is_number(text) => {
            plain(Outside::Bare(text.into()))
        }
        Cell::Text(text) => plain(Outside::Text(text.into())),
    }
}

/// JSON has no number that is not finite.
fn real(number: f64) -> Outside<'static> {
    match serde_json::Number::from_f64(number) {
        Some(number) => Outside::Bare(number.to_string().into()),
        None if number.is_nan() => Outside::Text("NaN".into()),
        None => Outside::Text(if number > 0.0 { "Infinity" } else { "-Infinity" }.into()),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn is_number(text: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.strip_prefix('-').unwrap_or(text).as_bytes();
    is_digit(bytes.first()) && is_digit(bytes.last()) && is_json(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Element;

    #[test]
    fn a_cell_is_what_its_column_says() {
        const NUMERIC: ColumnType = ColumnType::Numeric(None);
        const TEXT: ColumnType = ColumnType::Text { max: None };
        let text = |text: &str| Cell::Text(text.to_owned());
        let bare = |text: &'static str| (Outside::Bare(text.into()), None);
        let plain = |text: &'static str| (Outside::Text(text.into()), None);
        let cases = [
            (Cell::Null, ColumnType::Integer, (Outside::Null, None)),
            (Cell::Integer(1), ColumnType::Integer, bare("1")),
            (Cell::Integer(1), ColumnType::Flag, bare("1")),
            (Cell::Integer(1), ColumnType::Boolean, bare("true")),
            (Cell::Integer(0), ColumnType::Boolean, bare("false")),
            (Cell::Integer(2), ColumnType::Boolean, bare("2")),
            (Cell::Real(1.0), ColumnType::Real, bare("1.0")),
            (Cell::Real(0.1), ColumnType::Real, bare("0.1")),
            (Cell::Real(f64::NAN), ColumnType::Real, plain("NaN")),
            (Cell::Real(f64::NEG_INFINITY), ColumnType::Real, plain("-Infinity")),
            (text("12345678901234567890.10"), NUMERIC, bare("12345678901234567890.10")),
            (text("NaN"), NUMERIC, plain("NaN")),
            (text("007"), NUMERIC, plain("007")),
            (text("007"), TEXT, plain("007")),
            (text("7"), TEXT, plain("7")),
            (text("{\"a\": 1}"), ColumnType::Json, (Outside::Document("{\"a\": 1}"), None)),
            (text("[1,null]"), ColumnType::List(Element::Integer), (Outside::Document("[1,null]"), None)),
            (text("soon"), ColumnType::Json, (Outside::Text("soon".into()), Some(Kind::NotJson))),
            (Cell::Blob(vec![0, 255]), ColumnType::Blob, plain("AP8=")),
            (Cell::Blob(vec![0, 255]), TEXT, (Outside::Text("AP8=".into()), Some(Kind::Bytes))),
            (text("2025-05-07 15:09:12.000000"), ColumnType::Time(None), plain("2025-05-07 15:09:12.000000")),
        ];
        for (cell, kind, expected) in cases {
            assert_eq!(of(&cell, kind), expected, "{kind:?}");
        }
    }
}
