//! The one form of each value, its bytes for COPY, and the cells that a server gives back.

use super::list::List;
use super::numeric::{is_number, put_numeric};
use super::types::Wire;
use crate::database::{Cell, json};
use crate::decimal::{Decimal, plain_number};
use crate::document::json::write_json_string;
use crate::document::meaning;
use crate::hex;
use crate::instant::Instant;
use crate::row::Value;
use crate::table::ColumnType;
use crate::written::keeps_time;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, date};
use std::borrow::Cow;

/// Where the server's clock begins.
const EPOCH: DateTime = date(2000, 1, 1).at(0, 0, 0, 0);

/// A value as a column of its type takes it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::database) enum Form<'v> {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    /// An exact number in digits.
    Number(Cow<'v, str>),
    Text(Cow<'v, str>),
    /// A document of which the column keeps what it means.
    Document(Cow<'v, str>),
    List(List),
    Moment(DateTime),
    /// The same with a zone, which is UTC.
    Zoned(DateTime),
    Day(Date),
    Clock(Time),
    Uuid(uuid::Uuid),
    Bytes(&'v [u8]),
}

/// How a column of this type keeps the value; `None` when it would not keep it as it is.
pub(in crate::database) fn of(value: &Value, kind: ColumnType) -> Option<Form<'_>> {
    if *value == Value::Null {
        return Some(Form::Null);
    }
    match kind {
        ColumnType::Text { .. } => text(value).map(Form::Text),
        ColumnType::Json => document(value).map(Form::Text),
        ColumnType::JsonValue => document(value).filter(|text| meaning::of(text).is_ok()).map(Form::Document),
        ColumnType::List(of) => match value {
            Value::Json(text) => List::of(text, of).map(Form::List),
            _ => None,
        },
        ColumnType::Time(_) => moment(value).filter(|time| keeps_time(*time)).map(Form::Moment),
        ColumnType::Zoned(_) => match value {
            Value::Instant(time) => Some(time.utc()).filter(|time| keeps_time(*time)).map(Form::Zoned),
            _ => None,
        },
        ColumnType::Date(_) => match value {
            Value::Day(day) if day.year() >= 1 => Some(Form::Day(*day)),
            _ => None,
        },
        ColumnType::Clock(_) => match value {
            Value::Text(text) => {
                text.parse().ok().filter(|time: &Time| time.subsec_nanosecond() % 1_000 == 0).map(Form::Clock)
            }
            _ => None,
        },
        ColumnType::Uuid => match value {
            Value::Text(text) => uuid::Uuid::parse_str(text).ok().map(Form::Uuid),
            _ => None,
        },
        ColumnType::Blob => match value {
            Value::Bytes(bytes) => Some(Form::Bytes(bytes)),
            _ => None,
        },
        ColumnType::Integer | ColumnType::Flag => match value {
            Value::Integer(number) => Some(Form::Integer(*number)),
            Value::Bool(truth) => Some(Form::Integer(i64::from(*truth))),
            _ => None,
        },
        ColumnType::Boolean => match value {
            Value::Integer(number @ (0 | 1)) => Some(Form::Bool(*number == 1)),
            Value::Bool(truth) => Some(Form::Bool(*truth)),
            _ => None,
        },
        ColumnType::Real => match value {
            Value::Real(number) => number.is_finite().then_some(Form::Real(*number)),
            Value::Integer(number) => exact_double(*number).map(Form::Real),
            _ => None,
        },
        ColumnType::Numeric(digits) => {
            let number: Cow<'_, str> = match value {
                Value::Integer(number) => number.to_string().into(),
                Value::Bool(truth) => if *truth { "1" } else { "0" }.into(),
                Value::Real(number) if number.is_finite() => number.to_string().into(),
                Value::Text(text) if is_number(text) => Cow::Borrowed(text),
                _ => return None,
            };
            let decimal = Decimal::of(&number);
            let fits = digits.is_none_or(|digits| {
                decimal.scale() <= digits.scale.into()
                    && decimal.whole_digits() <= u64::from(digits.precision - digits.scale)
            });
            fits.then_some(Form::Number(number))
        }
        ColumnType::Untyped | ColumnType::Unknown => None,
    }
}

/// What a text column keeps.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Text(text) | Value::Json(text) | Value::Sealed(text) => Cow::Borrowed(text),
        Value::Integer(number) => number.to_string().into(),
        Value::Real(number) => number.to_string().into(),
        Value::Bool(truth) => Cow::Borrowed(if *truth { "1" } else { "0" }),
        Value::Civil(_) | Value::Instant(_) => digits(moment(value).filter(|time| keeps_time(*time))?).into(),
        Value::Day(day) => day.to_string().into(),
        Value::Bytes(_) | Value::Null => return None,
    })
}

/// A JSON column keeps documents as they are written: what is none is the content of a JSON string, or a word.
fn document(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Json(document) => Cow::Borrowed(document),
        Value::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
        Value::Integer(_) | Value::Real(_) => text(value)?,
        other => {
            let mut quoted = String::new();
            write_json_string(&mut quoted, &text(other)?);
            quoted.into()
        }
    })
}

fn exact_double(number: i64) -> Option<f64> {
    let double = number as f64;
    (double < 9_223_372_036_854_775_808.0 && double as i64 == number).then_some(double)
}

/// A time's digits: instants in UTC, civil times as they are.
fn moment(value: &Value) -> Option<DateTime> {
    match value {
        Value::Civil(time) => Some(*time),
        Value::Instant(time) => Some(time.utc()),
        _ => None,
    }
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`.
fn digits(time: DateTime) -> String {
    let micros = time.subsec_nanosecond() / 1_000;
    let (date, clock) = (time.date(), time.time());
    format!("{date} {:02}:{:02}:{:02}.{micros:06}", clock.hour(), clock.minute(), clock.second())
}

/// Now, in the ledger and in the record of migrations, in UTC.
pub(super) fn clock_text(time: Timestamp) -> String {
    digits(Instant::from(time).utc())
}

/// A clock time as the server writes it: no fraction, or one without zeros at its end.
fn clock(time: Time) -> String {
    let whole = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    match time.subsec_nanosecond() / 1_000 {
        0 => whole,
        micros => format!("{whole}.{}", format!("{micros:06}").trim_end_matches('0')),
    }
}

impl<'v> Form<'v> {
    /// The text of the cell that a column makes of it ([`Cell::text`]); `None` for NULL.
    pub(in crate::database) fn into_text(self) -> Option<Cow<'v, str>> {
        Some(match self {
            Form::Null => return None,
            Form::Bool(truth) => if truth { "1" } else { "0" }.into(),
            Form::Integer(number) => number.to_string().into(),
            Form::Real(number) => number.to_string().into(),
            Form::Number(number) => plain_number(&number).into(),
            Form::Text(text) => text,
            Form::Document(text) => meaning::of(&text).map_or(text, |meaning| meaning.text.into()),
            Form::List(list) => list.json().into(),
            Form::Moment(time) => digits(time).into(),
            Form::Zoned(time) => format!("{}+00:00", digits(time)).into(),
            Form::Day(day) => day.to_string().into(),
            Form::Clock(time) => clock(time).into(),
            Form::Uuid(uuid) => uuid.to_string().into(),
            Form::Bytes(bytes) => hex::encode(bytes).into(),
        })
    }

    /// The cell that a column makes of it.
    pub(super) fn into_cell(self) -> Cell {
        match self {
            Form::Null => Cell::Null,
            Form::Bool(truth) => Cell::Integer(i64::from(truth)),
            Form::Integer(number) => Cell::Integer(number),
            Form::Real(number) => Cell::Real(number),
            Form::Bytes(bytes) => Cell::Blob(bytes.to_vec()),
            other => other.into_text().map_or(Cell::Null, |text| Cell::Text(text.into_owned())),
        }
    }

    /// The text that a cast to the column's type takes.
    pub(super) fn sql_text(&self) -> Option<String> {
        match self {
            Form::Bytes(bytes) => Some(format!("\\x{}", hex::encode(bytes))),
            Form::Document(text) => Some(text.clone().into_owned()),
            Form::List(list) => Some(list.literal()),
            other => other.clone().into_text().map(Cow::into_owned),
        }
    }

    /// Appends it as COPY's binary form has it, with its length in front; why the type does not keep it otherwise, and
    /// then nothing is appended.
    pub(super) fn encode(&self, wire: Wire, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let start = out.len();
        if *self == Form::Null {
            out.extend((-1_i32).to_be_bytes());
            return Ok(());
        }
        out.extend([0; 4]);
        let why = self.put(wire, out);
        let length = i32::try_from(out.len() - start - 4).ok();
        match (why, length) {
            (Ok(()), Some(length)) => out[start..start + 4].copy_from_slice(&length.to_be_bytes()),
            (Err(why), _) => {
                out.truncate(start);
                return Err(why);
            }
            (Ok(()), None) => {
                out.truncate(start);
                return Err("a value is larger than PostgreSQL keeps");
            }
        }
        Ok(())
    }

    fn put(&self, wire: Wire, out: &mut Vec<u8>) -> Result<(), &'static str> {
        const RANGE: &str = "the range of the integer type";
        match (self, wire) {
            (Form::Bool(truth), Wire::Bool) => out.push(u8::from(*truth)),
            (Form::Integer(number), Wire::Int2) => {
                out.extend(i16::try_from(*number).map_err(|_| RANGE)?.to_be_bytes());
            }
            (Form::Integer(number), Wire::Int4) => {
                out.extend(i32::try_from(*number).map_err(|_| RANGE)?.to_be_bytes());
            }
            (Form::Integer(number), Wire::Int8) => out.extend(number.to_be_bytes()),
            (Form::Real(number), Wire::Float8) => out.extend(number.to_be_bytes()),
            (Form::Real(number), Wire::Float4) => {
                let short = *number as f32;
                if short.to_string() != number.to_string() {
                    return Err("the type REAL, which would round it");
                }
                out.extend(short.to_be_bytes());
            }
            (Form::Number(number), Wire::Numeric) => put_numeric(number, out)?,
            (Form::Text(text), Wire::Text) => {
                if text.contains('\0') {
                    return Err("the type, which keeps no U+0000,");
                }
                out.extend(text.as_bytes());
            }
            (Form::Document(text), Wire::Jsonb) => {
                out.push(1); // the version of the form
                out.extend(text.as_bytes());
            }
            (Form::List(list), Wire::List(number, element)) => list.put(number, element, out)?,
            (Form::Moment(time) | Form::Zoned(time), Wire::Timestamp) => {
                let micros = i64::try_from(time.duration_since(EPOCH).as_micros());
                out.extend(micros.map_err(|_| "the range of the type")?.to_be_bytes());
            }
            (Form::Day(day), Wire::Date) => {
                let days = i32::try_from(day.duration_since(EPOCH.date()).as_hours() / 24);
                out.extend(days.map_err(|_| "the range of the type")?.to_be_bytes());
            }
            (Form::Clock(time), Wire::Time) => {
                let micros = i64::try_from(time.duration_since(Time::midnight()).as_micros());
                out.extend(micros.map_err(|_| "the range of the type")?.to_be_bytes());
            }
            (Form::Uuid(uuid), Wire::Uuid) => out.extend(uuid.as_bytes()),
            (Form::Bytes(bytes), Wire::Bytea) => out.extend(*bytes),
            _ => return Err("the type"),
        }
        Ok(())
    }
}

/// A cell of a column of this type, of the text that the server casts it to.
pub(super) fn cell(text: Option<&str>, kind: ColumnType) -> Cell {
    let Some(text) = text else { return Cell::Null };
    let known = match kind {
        ColumnType::Integer | ColumnType::Flag => text.parse().ok().map(Cell::Integer),
        ColumnType::Real => text.parse().ok().map(Cell::Real),
        ColumnType::Boolean => Some(Cell::Integer(i64::from(text == "true"))),
        ColumnType::Numeric(_) => Some(Cell::Text(plain_number(text))),
        ColumnType::Time(_) => text.parse().ok().map(|time| Cell::Text(digits(time))),
        ColumnType::Zoned(_) => zoned(text).map(|time| Cell::Text(format!("{}+00:00", digits(time)))),
        ColumnType::Blob => text.strip_prefix("\\x").and_then(unhex).map(Cell::Blob),
        ColumnType::JsonValue => meaning::of(text).ok().map(|meaning| Cell::Text(meaning.text)),
        ColumnType::List(of) => List::parse(text, of).map(|list| Cell::Text(list.json())),
        _ => None,
    };
    known.unwrap_or_else(|| Cell::Text(text.to_owned()))
}

/// `2025-05-07 13:09:12.5+00`, which the server writes in UTC.
fn zoned(text: &str) -> Option<DateTime> {
    text.strip_suffix("+00").and_then(|time| time.parse().ok())
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pair = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(pair).collect()
}

/// The time that a text of the ledger means, as the server writes it.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    jiff::tz::Offset::UTC.to_timestamp(text.parse().ok()?).ok()
}

/// Whether a stored cell is the value as it would be written.
pub(in crate::database) fn same(cell: &Cell, value: &Value, kind: ColumnType) -> bool {
    match (cell, value) {
        (_, Value::Sealed(_)) => false,
        (Cell::Null, _) | (_, Value::Null) => *cell == Cell::Null && *value == Value::Null,
        (Cell::Text(_), _) if matches!(kind, ColumnType::JsonValue | ColumnType::List(_)) => {
            of(value, kind).is_some_and(|form| form.into_text().as_deref() == cell.text().as_deref())
        }
        (Cell::Text(stored), _) if kind == ColumnType::Json || matches!(value, Value::Json(_)) => {
            matches!(of(value, kind), Some(Form::Text(document)) if json::equal(stored, &document))
        }
        (Cell::Real(stored), _) => matches!(of(value, kind), Some(Form::Real(number)) if number == *stored),
        _ => of(value, kind).is_some_and(|form| form.into_text().as_deref() == cell.text().as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Element;

    #[test]
    fn a_value_that_the_type_does_not_keep_is_told_and_nothing_is_sent() {
        let refused = |form: Form<'_>, wire| {
            let mut out = vec![7];
            let why = form.encode(wire, &mut out);
            assert_eq!(out, [7]);
            why.unwrap_err()
        };
        assert!(refused(Form::Integer(1 << 31), Wire::Int4).contains("range"));
        assert!(refused(Form::Real(0.123_456_789), Wire::Float4).contains("round"));
        assert!(refused(Form::Text("a\0b".into()), Wire::Text).contains("U+0000"));
        let mut out = Vec::new();
        Form::Integer(1).encode(Wire::Int4, &mut out).unwrap();
        assert_eq!(out, [0, 0, 0, 4, 0, 0, 0, 1]);
    }

    #[test]
    fn a_value_and_its_cell_have_one_text() {
        let moment = Value::Instant("2025-05-07T15:09:12.5+02:00".parse().unwrap());
        let json = |text: &str| Value::Json(text.into());
        let cases = [
            (moment.clone(), ColumnType::Time(None), "2025-05-07 13:09:12.5"),
            (moment, ColumnType::Zoned(None), "2025-05-07 13:09:12.5+00"),
            (Value::Text("15:09".into()), ColumnType::Clock(None), "15:09:00"),
            (Value::Text("1.50".into()), ColumnType::Numeric(None), "1.50"),
            (Value::Bool(true), ColumnType::Boolean, "true"),
            (Value::Bytes([1, 255].as_slice().into()), ColumnType::Blob, "\\x01ff"),
            (Value::Real(-0.0), ColumnType::Real, "-0"),
            (json(r#"{"bb":1E2,"a":[1.10]}"#), ColumnType::JsonValue, r#"{"a": [1.10], "bb": 100}"#),
            (json(r#"["a","b c",null]"#), ColumnType::List(Element::Text { max: None }), r#"{a,"b c",NULL}"#),
            (json("[1,-2]"), ColumnType::List(Element::Integer), "{1,-2}"),
        ];
        for (value, kind, stored) in cases {
            let cell = cell(Some(stored), kind);
            assert_eq!(of(&value, kind).unwrap().into_text().as_deref(), cell.text().as_deref());
            assert!(same(&cell, &value, kind));
        }
    }
}
