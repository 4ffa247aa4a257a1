//! The one written form of each value, and when a stored cell is the same value.
//!
//! SQLite converts what does not suit a column's affinity without a word. So a value that a column
//! would not give back as it is has no form there, and is refused.

use super::times::{moment, parse_time, stored_time, time_text};
use crate::database::Cell;
use crate::database::json;
use crate::document::json::write_json_string;
use crate::hex;
use crate::row::{Value, keeps_number};
use crate::table::ColumnType;
use jiff::civil::Time;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::borrow::Cow;

/// The text of the integer or double that SQLite makes of a text; a double that is whole becomes an
/// integer.
fn number_text(text: &str) -> String {
    let double = || text.parse::<f64>().unwrap_or_default();
    match text.parse::<i64>() {
        Ok(integer) => integer.to_string(),
        Err(_) if double().fract() == 0.0 => (double() as i64).to_string(),
        Err(_) => double().to_string(),
    }
}

/// A value as it is bound.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::database) enum Form<'v> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'v, str>),
    Blob(&'v [u8]),
}

impl ToSql for Form<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Form::Null => ValueRef::Null,
            Form::Integer(value) => ValueRef::Integer(*value),
            Form::Real(value) => ValueRef::Real(*value),
            Form::Text(text) => ValueRef::Text(text.as_bytes()),
            Form::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Whether a column of this type makes a number of a text that says one: its declared type has NUMERIC affinity
/// ("Datatypes In SQLite", 3).
fn makes_numbers(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::Numeric(_) | ColumnType::Json)
}

impl<'v> Form<'v> {
    /// As a column of this type stores it, for comparisons with what is stored.
    pub(super) fn stored(self, kind: ColumnType) -> Self {
        match self {
            Form::Text(text) if makes_numbers(kind) && keeps_number(&text) => {
                text.parse().map_or_else(|_| Form::Real(text.parse().unwrap_or_default()), Form::Integer)
            }
            other => other,
        }
    }

    /// The text of the cell that a column of this type makes of it ([`Cell::text`]); `None` for NULL.
    pub(in crate::database) fn into_text(self, kind: ColumnType) -> Option<Cow<'v, str>> {
        match self {
            Form::Null => None,
            Form::Integer(value) => Some(value.to_string().into()),
            // SQLite keeps a whole double as an integer in the file, and so loses the sign of zero.
            Form::Real(value) => Some((value + 0.0).to_string().into()),
            Form::Text(text) if makes_numbers(kind) && keeps_number(&text) => Some(number_text(&text).into()),
            Form::Text(text) => Some(text),
            Form::Blob(bytes) => Some(hex::encode(bytes).into()),
        }
    }
}

/// How a column of this type keeps the value; `None` when it would not keep it as it is.
pub(in crate::database) fn of(value: &Value, kind: ColumnType) -> Option<Form<'_>> {
    match kind {
        _ if *value == Value::Null => Some(Form::Null),
        ColumnType::Text { .. } => text(value).map(Form::Text),
        ColumnType::Json => json_form(value),
        ColumnType::Time(None) => moment(value).and_then(time_text).map(|text| Form::Text(text.into())),
        ColumnType::Time(Some(form)) | ColumnType::Zoned(Some(form)) | ColumnType::Date(Some(form)) => {
            let needs_zone = form.has_zone();
            match value {
                Value::Instant(time) => form.write(time.utc()),
                Value::Civil(time) if !needs_zone => form.write(*time),
                Value::Day(day) if matches!(kind, ColumnType::Date(_)) => form.write(day.to_datetime(Time::midnight())),
                _ => None,
            }
            .map(|text| Form::Text(text.into()))
        }
        ColumnType::Zoned(None) => match value {
            Value::Instant(_) => {
                moment(value).and_then(time_text).map(|text| Form::Text(format!("{text}+00:00").into()))
            }
            _ => None,
        },
        ColumnType::Date(None) => match value {
            Value::Day(day) if day.year() >= 1 => Some(Form::Text(day.to_string().into())),
            _ => None,
        },
        ColumnType::Clock(_) | ColumnType::Uuid => match value {
            Value::Text(text) => Some(Form::Text(Cow::Borrowed(text))),
            _ => None,
        },
        ColumnType::Blob => match value {
            Value::Bytes(bytes) => Some(Form::Blob(bytes)),
            _ => None,
        },
        ColumnType::Untyped => match value {
            Value::Integer(number) => Some(Form::Integer(*number)),
            Value::Bool(truth) => Some(Form::Integer(i64::from(*truth))),
            Value::Real(number) => number.is_finite().then_some(Form::Real(*number)),
            Value::Bytes(bytes) => Some(Form::Blob(bytes)),
            _ => text(value).map(Form::Text),
        },
        ColumnType::Integer | ColumnType::Flag => match value {
            Value::Integer(number) => Some(Form::Integer(*number)),
            Value::Bool(truth) => Some(Form::Integer(i64::from(*truth))),
            _ => None,
        },
        ColumnType::Boolean => match value {
            Value::Integer(number @ (0 | 1)) => Some(Form::Integer(*number)),
            Value::Bool(truth) => Some(Form::Integer(i64::from(*truth))),
            _ => None,
        },
        ColumnType::Real => match value {
            Value::Real(number) => number.is_finite().then_some(Form::Real(*number)),
            Value::Integer(number) => exact_double(*number).map(Form::Real),
            _ => None,
        },
        ColumnType::Numeric(_) => match value {
            Value::Integer(number) => Some(Form::Integer(*number)),
            Value::Bool(truth) => Some(Form::Integer(i64::from(*truth))),
            Value::Real(number) => number.is_finite().then_some(Form::Real(*number)),
            Value::Text(text) => keeps_number(text).then_some(Form::Text(Cow::Borrowed(text))),
            _ => None,
        },
        // Types of other engines.
        ColumnType::JsonValue | ColumnType::List(_) | ColumnType::Unknown => None,
    }
}

/// What a text column keeps.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Text(text) | Value::Json(text) | Value::Sealed(text) => Cow::Borrowed(text),
        Value::Integer(number) => number.to_string().into(),
        Value::Real(number) => number.to_string().into(),
        Value::Bool(truth) => Cow::Borrowed(if *truth { "1" } else { "0" }),
        Value::Civil(_) | Value::Instant(_) => time_text(moment(value)?)?.into(),
        Value::Day(day) => day.to_string().into(),
        Value::Bytes(_) | Value::Null => return None,
    })
}

/// A JSON column keeps documents: what is no document is the content of a JSON string, or a word.
fn json_form(value: &Value) -> Option<Form<'_>> {
    let document: Cow<'_, str> = match value {
        Value::Json(document) => Cow::Borrowed(document),
        Value::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
        Value::Integer(_) | Value::Real(_) => text(value)?,
        other => {
            let mut quoted = String::new();
            write_json_string(&mut quoted, &text(other)?);
            quoted.into()
        }
    };
    // The declared type JSON has NUMERIC affinity: a bare number becomes an integer or a double.
    let bare_number = document.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    (!bare_number || keeps_number(&document)).then_some(Form::Text(document))
}

/// The text of a stored cell as an import writes the value it means; `None` for NULL.
pub(in crate::database) fn text_of(cell: &Cell, kind: ColumnType) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(meant(text, kind).into_owned()),
        cell => cell.text(),
    }
}

/// A stored text as an import writes what it means: a time may stand in a column in another form.
pub(super) fn meant(text: &str, kind: ColumnType) -> Cow<'_, str> {
    let time = stored_time(text, kind);
    let written = time.as_ref().and_then(|time| of(time, kind)?.into_text(kind));
    written.map_or(Cow::Borrowed(text), |text| Cow::Owned(text.into_owned()))
}

fn exact_double(number: i64) -> Option<f64> {
    let double = number as f64;
    // 2^63 itself would be cut to i64::MAX on the way back and look exact.
    (double < 9_223_372_036_854_775_808.0 && double as i64 == number).then_some(double)
}

/// Whether a stored cell is the value as it would be written.
pub(in crate::database) fn same(cell: &Cell, value: &Value, kind: ColumnType) -> bool {
    match (cell, value) {
        (_, Value::Sealed(_)) => false,
        (Cell::Null, _) | (_, Value::Null) => *cell == Cell::Null && *value == Value::Null,
        (Cell::Text(stored), Value::Civil(_) | Value::Instant(_)) if kind != ColumnType::Json => {
            let time = if kind.form().is_some() { kind.stored_time(stored) } else { parse_time(stored) };
            time.is_some_and(|time| moment(value) == Some(time))
        }
        (Cell::Text(stored), Value::Day(_) | Value::Text(_)) if kind.form().is_some() => {
            stored_time(stored, kind).is_some_and(|stored| stored == *value)
        }
        (Cell::Text(stored), _) if kind == ColumnType::Json || matches!(value, Value::Json(_)) => {
            matches!(of(value, kind), Some(Form::Text(document)) if json::equal(stored, &document))
        }
        _ => of(value, kind).is_some_and(|form| equals(cell, &form)),
    }
}

fn equals(cell: &Cell, form: &Form) -> bool {
    match (cell, form) {
        (Cell::Integer(stored), Form::Integer(number)) => stored == number,
        (Cell::Real(stored), Form::Real(number)) => stored == number,
        (Cell::Integer(stored), Form::Real(number)) | (Cell::Real(number), Form::Integer(stored)) => {
            exact_double(*stored) == Some(*number)
        }
        (Cell::Text(stored), Form::Text(text)) => stored == text,
        (Cell::Blob(stored), Form::Blob(bytes)) => stored == bytes,
        // Affinity made a number of the text.
        (Cell::Integer(stored), Form::Text(text)) => {
            text.parse() == Ok(*stored) || text.parse::<f64>().is_ok_and(|number| exact_double(*stored) == Some(number))
        }
        (Cell::Real(stored), Form::Text(text)) => text.parse() == Ok(*stored),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: ColumnType = ColumnType::Text { max: None };

    fn t(text: &str) -> Value {
        Value::Text(text.into())
    }
    fn civil(text: &str) -> Value {
        Value::Civil(text.parse().unwrap())
    }
    fn instant(text: &str) -> Value {
        Value::Instant(text.parse().unwrap())
    }
    fn json(text: &str) -> Value {
        Value::Json(text.into())
    }
    fn stored(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    /// Each value, the declared type, and what a real table gives back.
    #[test]
    fn every_value_has_one_written_form() {
        use ColumnType::{Boolean, Integer, Json, Real};
        const TIME: ColumnType = ColumnType::Time(None);
        const NUMERIC: ColumnType = ColumnType::Numeric(None);
        let big = "12345678901234567890";
        let cases: Vec<(Value, &str, ColumnType, Option<Cell>)> = vec![
            (Value::Null, "TEXT", TEXT, Some(Cell::Null)),
            (t("a'b"), "VARCHAR(3)", TEXT, Some(stored("a'b"))),
            (t("007"), "TEXT", TEXT, Some(stored("007"))),
            (Value::Integer(7), "TEXT", TEXT, Some(stored("7"))),
            (Value::Bool(true), "BOOLEAN", Boolean, Some(Cell::Integer(1))),
            (Value::Bool(false), "BOOLEAN", Boolean, Some(Cell::Integer(0))),
            (Value::Integer(2), "BOOLEAN", Boolean, None),
            (t("true"), "BOOLEAN", Boolean, None),
            (Value::Integer(i64::MAX), "INTEGER", Integer, Some(Cell::Integer(i64::MAX))),
            (t("7"), "INTEGER", Integer, None),
            (Value::Integer(7), "FLOAT", Real, Some(Cell::Real(7.0))),
            (Value::Integer(i64::MAX), "FLOAT", Real, None),
            (Value::Real(f64::INFINITY), "FLOAT", Real, None),
            (Value::Real(12.5), "FLOAT", Real, Some(Cell::Real(12.5))),
            (t("1.10"), "NUMERIC", NUMERIC, Some(Cell::Real(1.1))),
            (t(big), "NUMERIC", NUMERIC, None),
            (t("0.12345678901234567"), "DECIMAL(20,18)", NUMERIC, None),
            (t("0.465601865839674"), "NUMERIC", NUMERIC, Some(Cell::Real(0.465_601_865_839_674))),
            (civil("2025-05-07T15:09:12"), "DATETIME", TIME, Some(stored("2025-05-07 15:09:12.000000"))),
            (instant("2025-05-07T15:09:12.345-05:00"), "DATETIME", TIME, Some(stored("2025-05-07 20:09:12.345000"))),
            (civil("2025-05-07T15:09:12.123456789"), "DATETIME", TIME, None),
            (t("20250507"), "DATETIME", TIME, None),
            (civil("2025-05-07T00:00"), "TEXT", TEXT, Some(stored("2025-05-07 00:00:00.000000"))),
            (json(r#"{"a":1.10}"#), "JSON", Json, Some(stored(r#"{"a":1.10}"#))),
            (json("null"), "JSON", Json, Some(stored("null"))),
            (json("123"), "JSON", Json, Some(Cell::Integer(123))),
            (json(big), "JSON", Json, None),
            (json("1e400"), "JSON", Json, None),
            (t("12\"3"), "JSON", Json, Some(stored(r#""12\"3""#))),
            (Value::Sealed("tl1.k.v".into()), "JSON", Json, Some(stored(r#""tl1.k.v""#))),
            (Value::Sealed("tl1.k.v".into()), "TEXT", TEXT, Some(stored("tl1.k.v"))),
            (t("x"), "BLOB", ColumnType::Blob, None),
            (Value::Bytes([1, 255].as_slice().into()), "BLOB", ColumnType::Blob, Some(Cell::Blob(vec![1, 255]))),
            (Value::Bytes(b"12".as_slice().into()), "BYTEA", ColumnType::Blob, Some(Cell::Blob(b"12".to_vec()))),
            (Value::Day("2025-05-07".parse().unwrap()), "DATE", ColumnType::Date(None), Some(stored("2025-05-07"))),
            (civil("2025-05-07T00:00"), "DATE", ColumnType::Date(None), None),
            (
                instant("2025-05-07T15:09:12+02:00"),
                "TIMESTAMPTZ",
                ColumnType::Zoned(None),
                Some(stored("2025-05-07 13:09:12.000000+00:00")),
            ),
            (civil("2025-05-07T15:09:12"), "TIMESTAMP WITH TIME ZONE", ColumnType::Zoned(None), None),
            (t("15:09"), "TIME", ColumnType::Clock(None), Some(stored("15:09"))),
            (
                t("12345678-1234-1234-1234-123456789012"),
                "UUID",
                ColumnType::Uuid,
                Some(stored("12345678-1234-1234-1234-123456789012")),
            ),
            (Value::Bool(true), "TINYINT(1)", ColumnType::Flag, Some(Cell::Integer(1))),
            (Value::Integer(3), "TINYINT(1)", ColumnType::Flag, Some(Cell::Integer(3))),
            (t("007"), "", ColumnType::Untyped, Some(stored("007"))),
            (Value::Real(1.5), "", ColumnType::Untyped, Some(Cell::Real(1.5))),
        ];
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        for (i, (value, declared, kind, expected)) in cases.iter().enumerate() {
            let form = of(value, *kind);
            assert_eq!(form.is_some(), expected.is_some(), "case {i}");
            let (Some(form), Some(expected)) = (form, expected) else { continue };
            conn.execute_batch(&format!("CREATE TABLE t{i} (c {declared})")).unwrap();
            conn.execute(&format!("INSERT INTO t{i} VALUES (?)"), [&form]).unwrap();
            let cell =
                conn.query_row(&format!("SELECT c FROM t{i}"), [], |row| Ok(super::super::read::cell(row.get_ref(0)?)));
            let cell = cell.unwrap();
            assert!(cell == *expected, "case {i}");
            assert_eq!(same(&cell, value, *kind), !matches!(value, Value::Sealed(_)), "case {i}");
        }
    }

    #[test]
    fn times_are_the_same_when_they_mean_the_same() {
        let noon = civil("2025-05-07T15:09:12");
        let moment = instant("2025-05-07T15:09:12Z");
        for text in [
            "2025-05-07 15:09:12",
            "2025-05-07 15:09:12.000000",
            "2025-05-07T15:09:12",
            "2025-05-07T15:09:12Z",
            "2025-05-07 10:09:12-05:00",
        ] {
            assert!(same(&stored(text), &noon, ColumnType::Time(None)), "{text}");
            assert!(same(&stored(text), &moment, ColumnType::Time(None)), "{text}");
        }
        for text in ["2025-05-07 15:09:13", "2025-05-07", "", "word"] {
            assert!(!same(&stored(text), &noon, ColumnType::Time(None)), "{text}");
        }
        assert!(same(&stored("2025-05-07"), &civil("2025-05-07T00:00"), ColumnType::Time(None)));
        assert!(!same(&Cell::Null, &noon, ColumnType::Time(None)));
    }

    #[test]
    fn other_values_are_the_same_as_they_are_written() {
        assert!(same(&stored(r#"{"b": 2, "a": 1}"#), &json(r#"{"a":1,"b":2}"#), ColumnType::Json));
        assert!(!same(&stored(r#"{"a":1.0}"#), &json(r#"{"a":1}"#), ColumnType::Json));
        assert!(!same(&Cell::Null, &json("null"), ColumnType::Json));
        assert!(same(&Cell::Integer(1), &Value::Bool(true), ColumnType::Boolean));
        assert!(!same(&stored("true"), &Value::Bool(true), ColumnType::Boolean));
        assert!(same(&Cell::Real(5.0), &Value::Integer(5), ColumnType::Numeric(None)));
        assert!(same(&Cell::Integer(5), &Value::Real(5.0), ColumnType::Numeric(None)));
        assert!(same(&Cell::Integer(5), &t("5.0"), ColumnType::Numeric(None)));
        assert!(!same(&stored("tl1.k.v"), &Value::Sealed("tl1.k.v".into()), TEXT));
        assert!(!same(&stored("a "), &t("a"), TEXT));
        assert!(!same(&Cell::Blob(b"a".to_vec()), &t("a"), TEXT));
    }
}
