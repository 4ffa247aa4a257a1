//! Whether a value fits its column exactly.

use super::draft::Fault;
use super::scope::Operand;
use super::times::day_of;
use crate::decimal::{Decimal, plain_number};
use crate::document::json::write_json_string;
use crate::document::list;
use crate::document::meaning::{self, Unkept};
use crate::document::tape::{Kind, NodeRef, Outer};
use crate::finding::{VALUE_LENGTH, VALUE_NUL, VALUE_RANGE, VALUE_TYPE};
use crate::hex;
use crate::mapping::model::Literal;
use crate::row::{Value, keeps_number};
use crate::step::Datum;
use crate::table::{Column, ColumnType, Digits, Element};
use crate::written::keeps_time;
use jiff::civil::{DateTime, Time};
use std::borrow::Cow;

/// What a literal of the mapping is.
pub(super) fn literal_datum(literal: &Literal) -> Datum {
    match literal {
        Literal::Bool(value) => Datum::Bool(*value),
        Literal::Integer(value) => Datum::Integer(*value),
        Literal::Real(value) => Datum::Number(value.to_string()),
        Literal::Text(text) => Datum::Text(text.clone()),
        Literal::List(all) => Datum::List(all.iter().map(literal_datum).collect()),
        Literal::Table(members) => {
            let mut out = String::from("{");
            for (i, (name, value)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json_string(&mut out, name);
                out.push(':');
                literal_datum(value).write_json(&mut out);
            }
            out.push('}');
            Datum::Json(out)
        }
    }
}

/// A value as text, where it is text or can be written as text without loss.
pub(super) fn as_text<'g>(got: &'g Operand<'_>) -> Option<Cow<'g, str>> {
    match got {
        Operand::Missing | Operand::Null => None,
        Operand::Node(node, _) => matches!(node.kind(), Kind::String | Kind::Number).then(|| node.text().into()),
        Operand::Datum(datum) => datum_text(datum),
    }
}

/// Whether [`as_text`] gives a text.
pub(super) fn has_text(got: &Operand<'_>) -> bool {
    match got {
        Operand::Missing | Operand::Null | Operand::Datum(Datum::Bool(_) | Datum::Null | Datum::List(_)) => false,
        Operand::Node(node, _) => matches!(node.kind(), Kind::String | Kind::Number),
        Operand::Datum(_) => true,
    }
}

/// Whether both have a text, and the same; times are compared without writing them.
pub(super) fn is_same_text(one: &Operand<'_>, other: &Operand<'_>) -> bool {
    match (one, other) {
        (Operand::Datum(Datum::Civil(one)), Operand::Datum(Datum::Civil(other))) => one == other,
        (Operand::Datum(Datum::Instant(one, _)), Operand::Datum(Datum::Instant(other, _))) => one == other,
        _ => matches!((as_text(one), as_text(other)), (Some(one), Some(other)) if one == other),
    }
}

/// Whether it is the empty text.
pub(super) fn is_empty_text(got: &Operand) -> bool {
    match got {
        Operand::Node(node, _) => node.kind() == Kind::String && node.text().is_empty(),
        Operand::Datum(Datum::Text(text) | Datum::Number(text) | Datum::Json(text)) => text.is_empty(),
        Operand::Missing | Operand::Null | Operand::Datum(_) => false,
    }
}

/// A scalar as a key compares it: booleans as `1` and `0`.
pub(super) fn as_key_text<'g>(got: &'g Operand<'_>) -> Option<Cow<'g, str>> {
    boolean(got).map(|value| if value { "1" } else { "0" }.into()).or_else(|| as_text(got))
}

fn boolean(got: &Operand) -> Option<bool> {
    match got {
        Operand::Node(node, _) => match node.kind() {
            Kind::Bool(value) => Some(value),
            _ => None,
        },
        Operand::Datum(Datum::Bool(value)) => Some(*value),
        _ => None,
    }
}

/// A number as it is written.
pub(super) fn number<'g>(got: &'g Operand<'_>) -> Option<&'g str> {
    match got {
        Operand::Node(node, _) if node.kind() == Kind::Number => Some(node.text()),
        Operand::Datum(Datum::Number(text)) => Some(text),
        _ => None,
    }
}

fn datum_text(datum: &Datum) -> Option<Cow<'_, str>> {
    Some(match datum {
        Datum::Text(text) | Datum::Number(text) | Datum::Json(text) => text.into(),
        Datum::Integer(value) => value.to_string().into(),
        Datum::Civil(time) => time.to_string().into(),
        Datum::Day(day) => day.to_string().into(),
        Datum::Bytes(bytes) => hex::encode(bytes).into(),
        Datum::Instant(time, _) => time.to_string().into(),
        Datum::Bool(_) | Datum::Null | Datum::List(_) => return None,
    })
}

/// A scalar node as something that steps can work on; an array of scalars as a list.
pub(super) fn to_datum(node: NodeRef) -> Result<Datum, Fault> {
    Ok(match node.kind() {
        Kind::String => Datum::Text(node.text().to_owned()),
        Kind::Number => Datum::Number(node.text().to_owned()),
        Kind::Bool(value) => Datum::Bool(value),
        Kind::Array => Datum::List(node.children().map(to_datum).collect::<Result<_, _>>()?),
        Kind::Null | Kind::Object | Kind::Record(_) => {
            let message = format!("expected a value that steps can convert, found {}", kind_name(node));
            return Err(Fault::new(&VALUE_TYPE, message).at(Some(node.at())));
        }
    })
}

/// The kind of a node in words.
pub fn kind_name(node: NodeRef) -> &'static str {
    match node.kind() {
        Kind::Null => "null",
        Kind::Bool(_) => "a boolean",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array | Kind::Record(Outer::Array) => "an array",
        Kind::Object | Kind::Record(Outer::Object) => "an object",
        Kind::Record(Outer::Scalar) => "a scalar",
    }
}

/// Turns what was found into a value of the column's type, or says why it does not fit.
/// `json` writes a node as compact JSON without the secrets below it.
pub(super) fn fit<'t>(
    got: &Operand<'t>,
    column: &Column,
    keeps_nul: bool,
    json: &mut dyn FnMut(&Operand<'t>) -> String,
) -> Result<Value, Fault> {
    let wrong = || {
        let found = match got {
            Operand::Missing | Operand::Null => "nothing",
            Operand::Node(node, _) => kind_name(*node),
            Operand::Datum(datum) => datum.kind_name(),
        };
        Fault::new(&VALUE_TYPE, format!("expected {}, found {found}", wanted(column)))
    };
    let number = number(got);
    match (column.kind, got) {
        (_, Operand::Missing | Operand::Null) => Ok(Value::Null),
        // A number is not a string: the step `text` allows it to become one.
        (ColumnType::Text { max }, Operand::Node(node, _)) if node.kind() == Kind::String => {
            checked_text(node.text(), max, keeps_nul)
        }
        (ColumnType::Text { max }, Operand::Datum(Datum::Text(text) | Datum::Json(text))) => {
            checked_text(text, max, keeps_nul)
        }
        // RFC 3339 and ISO 8601 lose nothing.
        (ColumnType::Text { max }, Operand::Datum(datum @ (Datum::Civil(_) | Datum::Day(_) | Datum::Instant(..)))) => {
            checked_text(&datum_text(datum).unwrap_or_default(), max, keeps_nul)
        }
        (ColumnType::Text { max }, Operand::Node(node, _)) if node.is_container() => {
            checked_text(&json(got), max, keeps_nul)
        }
        (ColumnType::Text { max }, Operand::Datum(Datum::List(_))) => checked_text(&json(got), max, keeps_nul),
        (ColumnType::Text { .. }, _) => Err(wrong()),
        (ColumnType::Integer, Operand::Datum(Datum::Integer(value))) => Ok(Value::Integer(*value)),
        (ColumnType::Integer, _) => integer(number.ok_or_else(wrong)?),
        (ColumnType::Real, Operand::Datum(Datum::Integer(value))) => real(&value.to_string()),
        (ColumnType::Real, _) => real(number.ok_or_else(wrong)?),
        (ColumnType::Numeric(limit), Operand::Datum(Datum::Integer(value))) => numeric(&value.to_string(), limit),
        (ColumnType::Numeric(limit), _) => numeric(number.ok_or_else(wrong)?, limit),
        (ColumnType::Boolean, _) => boolean(got).map(Value::Bool).ok_or_else(wrong),
        (ColumnType::Time(_), Operand::Datum(Datum::Civil(time))) => {
            checked_time(*time, column, false).map(|()| Value::Civil(*time))
        }
        (ColumnType::Time(_), Operand::Datum(Datum::Day(day))) => {
            let time = day.to_datetime(Time::midnight());
            checked_time(time, column, false).map(|()| Value::Civil(time))
        }
        (ColumnType::Time(_) | ColumnType::Zoned(_), Operand::Datum(Datum::Instant(time, _))) => {
            checked_time(time.utc(), column, true).map(|()| Value::Instant(*time))
        }
        (ColumnType::Date(_), Operand::Datum(datum @ (Datum::Day(_) | Datum::Civil(_) | Datum::Instant(..)))) => {
            let day = day_of(datum).filter(|day| day.year() >= 1).map(Value::Day);
            day.ok_or_else(|| {
                Fault::new(&VALUE_RANGE, "expected a day from the year 1 on, found a time of day beside it")
            })
        }
        (ColumnType::Clock(form), _) => {
            let text = as_text(got).filter(|_| number.is_none()).ok_or_else(wrong)?;
            let time = column.kind.stored_time(&text).ok_or_else(wrong)?;
            checked_time(time, column, false)?;
            let written = form.and_then(|form| form.write(time)).map_or(text, Cow::Owned);
            Ok(Value::Text(written.as_ref().into()))
        }
        (ColumnType::Uuid, _) => {
            let text = as_text(got).filter(|text| number.is_none() && is_uuid(text)).ok_or_else(wrong)?;
            Ok(Value::Text(text.as_ref().into()))
        }
        (ColumnType::Flag, _) => match (boolean(got), got) {
            (Some(truth), _) => Ok(Value::Integer(i64::from(truth))),
            (None, Operand::Datum(Datum::Integer(value))) => Ok(Value::Integer(*value)),
            (None, _) => integer(number.ok_or_else(wrong)?),
        },
        (ColumnType::Blob | ColumnType::Untyped, Operand::Datum(Datum::Bytes(bytes))) => {
            Ok(Value::Bytes(bytes.as_slice().into()))
        }
        (ColumnType::Untyped, _) => match (boolean(got), number, got) {
            (Some(truth), ..) => Ok(Value::Bool(truth)),
            (_, Some(number), _) => integer(number).or_else(|_| real(number)),
            (_, _, Operand::Datum(Datum::Integer(value))) => Ok(Value::Integer(*value)),
            _ => match as_text(got) {
                Some(text) => checked_text(&text, None, keeps_nul),
                None => Ok(Value::Text(json(got).into())),
            },
        },
        (ColumnType::Json | ColumnType::JsonValue, _) => {
            let text = json(got);
            // A bare number would be stored as a number, and a large one changed.
            if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                return Err(Fault::new(
                    &VALUE_TYPE,
                    "a bare number cannot be kept exactly in a JSON column; wrap it in an object",
                ));
            }
            if column.kind == ColumnType::JsonValue {
                meaning::of(&text).map_err(unkept)?;
            }
            Ok(Value::Json(text.into()))
        }
        (ColumnType::List(of), _) => list(&json(got), of, wrong),
        (
            ColumnType::Time(_) | ColumnType::Zoned(_) | ColumnType::Date(_) | ColumnType::Blob | ColumnType::Unknown,
            _,
        ) => Err(wrong()),
    }
}

fn unkept(why: Unkept) -> Fault {
    let code = match why {
        Unkept::NoText => &VALUE_NUL,
        Unkept::TooLong => &VALUE_RANGE,
        Unkept::NoDocument | Unkept::Twins => &VALUE_TYPE,
    };
    Fault::new(code, why.to_string())
}

/// A list whose elements are all of one type, nulls aside.
fn list(json: &str, of: Element, wrong: impl Fn() -> Fault) -> Result<Value, Fault> {
    match of {
        Element::Integer => {
            list::integers(json).ok_or_else(wrong)?;
        }
        Element::Text { max } => {
            for text in list::texts(json).ok_or_else(wrong)?.into_iter().flatten() {
                checked_text(&text, max, false)?;
            }
        }
    }
    Ok(Value::Json(json.into()))
}

/// A UUID in groups (RFC 9562, section 4): without its hyphens one could be taken for a number.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

fn checked_text(text: &str, max: Option<u32>, keeps_nul: bool) -> Result<Value, Fault> {
    if !keeps_nul && text.contains('\0') {
        return Err(Fault::new(&VALUE_NUL, "the string contains U+0000"));
    }
    if let Some(max) = max
        && text.len() > max as usize
    {
        let length = text.chars().count();
        if length > max as usize {
            return Err(Fault::new(
                &VALUE_LENGTH,
                format!("the string has {length} characters, the column takes at most {max}"),
            ));
        }
    }
    Ok(Value::Text(text.into()))
}

fn integer(text: &str) -> Result<Value, Fault> {
    text.parse().map(Value::Integer).map_err(|_| {
        Fault::new(&VALUE_RANGE, "expected an integer of at most 64 bits, written without fraction or exponent")
    })
}

/// Whether the value is minus zero and its column keeps numbers: SQLite has no minus zero.
pub(super) fn loses_sign(got: &Operand, column: &Column) -> bool {
    let keeps_numbers = matches!(
        column.kind,
        ColumnType::Integer | ColumnType::Real | ColumnType::Numeric(_) | ColumnType::Flag | ColumnType::Untyped
    );
    keeps_numbers && number(got).is_some_and(|text| Decimal::of(text).is_minus_zero())
}

pub(super) fn real(text: &str) -> Result<Value, Fault> {
    let value: f64 = text.parse().map_err(|_| Fault::new(&VALUE_TYPE, "expected a number"))?;
    let decimal = Decimal::of(text);
    // 17 digits tell every double (IEEE 754, 5.12.2): a number that its double gives back with as many
    // digits lost nothing.
    let digits = decimal.digits().len().clamp(1, 17);
    if value.is_finite() && decimal == Decimal::of(&format!("{value:.*e}", digits - 1)) {
        Ok(Value::Real(value + 0.0)) // no minus zero
    } else {
        Err(Fault::new(&VALUE_RANGE, "the number cannot be kept exactly as a double, even with 17 digits"))
    }
}

fn numeric(text: &str, limit: Option<Digits>) -> Result<Value, Fault> {
    if !keeps_number(text) {
        let message =
            "expected a number of at most 15 significant digits, or a 64-bit integer, written without exponent";
        return Err(Fault::new(&VALUE_RANGE, message));
    }
    let decimal = Decimal::of(text);
    if let Some(Digits { precision, scale }) = limit {
        if decimal.scale() > u64::from(scale) {
            let message = format!("expected at most {scale} digits after the decimal point");
            return Err(Fault::new(&VALUE_RANGE, message));
        }
        if decimal.whole_digits() + u64::from(scale) > u64::from(precision) {
            let message = format!("expected at most {} digits before the decimal point", precision - scale);
            return Err(Fault::new(&VALUE_RANGE, message));
        }
    }
    // `1.0` and `1` are one number, and so one key.
    Ok(Value::Text(plain_number(text).into()))
}

/// What the form of the column cannot hold is never cut.
fn checked_time(time: DateTime, column: &Column, has_zone: bool) -> Result<(), Fault> {
    if !keeps_time(time) {
        let message = "expected a time from the year 1 on, of at most 6 digits behind the second";
        return Err(Fault::new(&VALUE_RANGE, message));
    }
    let Some((form, lacks)) = column.kind.unheld(time, has_zone) else { return Ok(()) };
    let message = format!("the column is written as `{}`, which does not hold {lacks}", form.format());
    let help = if form.has_zone() && !has_zone {
        "say whose clocks are meant, with `zone` in the step `time`; or choose a form without a zone under [written] in set.toml"
    } else {
        "choose a form that holds it under [written] in set.toml, or make the time coarser in the source"
    };
    Err(Fault { help: Some(help), ..Fault::new(&VALUE_RANGE, message) })
}

fn wanted(column: &Column) -> &'static str {
    match column.kind {
        ColumnType::Text { .. } => "a string",
        ColumnType::Integer => "an integer",
        ColumnType::Real | ColumnType::Numeric(_) => "a number",
        ColumnType::Boolean => "true or false",
        ColumnType::Time(_) => "a time (the step `time` makes one)",
        ColumnType::Zoned(_) => "a moment (the step `time` makes one, of a time without a zone by its `zone`)",
        ColumnType::Date(_) => "a day (the step `time` makes one)",
        ColumnType::Clock(_) => "a time of day, written as `HH:MM` or `HH:MM:SS`",
        ColumnType::Uuid => "a UUID in its groups of 8, 4, 4, 4 and 12 hexadecimal digits",
        ColumnType::Flag => "true, false or an integer",
        ColumnType::Untyped => "a scalar",
        ColumnType::Json | ColumnType::JsonValue => "JSON",
        ColumnType::List(Element::Integer) => "an array of integers",
        ColumnType::List(Element::Text { .. }) => "an array of strings",
        ColumnType::Blob => "bytes (the steps `base64` and `hex` make them)",
        ColumnType::Unknown => "nothing, for the column's type is not known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_a_double_would_change_are_refused() {
        for exact in [
            "0.1",
            "1e3",
            "-0.0",
            "12.50",
            "100",
            "0.10000000000000001",
            "19.989999999999998",
            "0.1000000000000000",
            "5e-324",
            "1.7976931348623157e308",
            "-2.2250738585072014E-308",
            "0e999",
        ] {
            assert!(real(exact).is_ok(), "{exact}");
        }
        for changed in [
            "1e400",
            "1e-400",
            "0.1000000000000000055511151231257827",
            "9007199254740993",
            "52.520008123456789",
            "0.100000000000000006",
        ] {
            assert!(real(changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn numbers_that_a_numeric_column_would_change_are_refused() {
        for exact in [
            "0",
            "-12.50",
            "123456789012345",
            "9223372036854775807",
            "0.465601865839674",
            "0.000000000123456789012345",
            "1.00000000000000000000",
        ] {
            assert_eq!(numeric(exact, None).ok(), Some(Value::Text(plain_number(exact).into())), "{exact}");
        }
        for changed in ["12345678901234567890", "1e5", "0.1234567890123456", "123456789012345.5"] {
            assert!(numeric(changed, None).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_declared_precision_and_scale_are_held_by_value() {
        let fits = |text: &str, precision, scale| numeric(text, Some(Digits { precision, scale })).is_ok();
        for (text, precision, scale) in [
            ("12.50", 3, 1),
            ("12.50", 10, 2),
            ("0.5", 1, 1),
            ("-99999999.99", 10, 2),
            ("0.00", 2, 0),
            ("100", 3, 0),
            ("-0.0", 1, 0),
        ] {
            assert!(fits(text, precision, scale), "{text} ({precision}, {scale})");
        }
        for (text, precision, scale) in
            [("0.125", 10, 2), ("12.5", 10, 0), ("100000000", 10, 2), ("1000", 3, 0), ("1.5", 1, 1)]
        {
            assert!(!fits(text, precision, scale), "{text} ({precision}, {scale})");
        }
    }

    #[test]
    fn minus_zero_is_zero_in_columns_of_numbers() {
        assert_eq!(integer("-0").ok(), Some(Value::Integer(0)));
        assert!(matches!(real("-0.0"), Ok(Value::Real(zero)) if zero.is_sign_positive()));
        assert_eq!(numeric("-0.00", None).ok(), Some(Value::Text("0".into())));
    }

    #[test]
    fn times_that_would_not_be_written_whole_are_refused() {
        let column = Column {
            name: "at".to_owned(),
            kind: ColumnType::Time(None),
            declared: "TIMESTAMP".to_owned(),
            not_null: false,
            default: None,
            primary_key: 0,
        };
        for (time, kept) in [
            ("2025-05-07T15:09:12.345678", true),
            ("0001-01-01T00:00:00", true),
            ("2025-05-07T15:09:12.3456789", false),
            ("0000-12-31T23:59:59", false),
        ] {
            assert_eq!(checked_time(time.parse().unwrap(), &column, false).is_ok(), kept, "{time}");
        }
    }

    #[test]
    fn integers_are_taken_only_as_they_are_written() {
        assert_eq!(integer("-12").ok(), Some(Value::Integer(-12)));
        for bad in ["1.0", "1e2", "-0.0", "9223372036854775808"] {
            assert!(integer(bad).is_err(), "{bad}");
        }
    }
}
