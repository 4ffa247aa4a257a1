//! Values as they are compared with a column: times as columns of each kind take them, numbers as keys have them.

use super::fit::{number, real};
use super::scope::Operand;
use super::times::day_of;
use crate::decimal::plain_number;
use crate::document::tape::Kind;
use crate::mapping::model::ReadAs;
use crate::row::Value;
use crate::step::Datum;
use crate::table::ColumnType;
use jiff::civil::Time;

/// A value as a column that reads so keeps it: a day in a column of times is its midnight, a number has one text.
pub(super) fn settled<'t>(got: Operand<'t>, reads: Option<&ReadAs>) -> Operand<'t> {
    match (got, reads.map(|reads| reads.kind)) {
        (Operand::Datum(Datum::Day(day)), Some(ColumnType::Time(_))) => {
            Operand::Datum(Datum::Civil(day.to_datetime(Time::midnight())))
        }
        (got, Some(ColumnType::Date(_))) => {
            let day = if let Operand::Datum(datum) = &got { day_of(datum) } else { None };
            day.map_or(got, |day| Operand::Datum(Datum::Day(day)))
        }
        (got, Some(kind @ ColumnType::Clock(Some(form)))) => {
            let text = match &got {
                Operand::Node(node, _) if node.kind() == Kind::String => Some(node.text()),
                Operand::Datum(Datum::Text(text)) => Some(text.as_str()),
                _ => None,
            };
            let time = text.and_then(|text| form.write(kind.stored_time(text)?));
            time.map_or(got, |text| Operand::Datum(Datum::Text(text)))
        }
        (got, Some(ColumnType::Numeric(_))) => as_number(got, |text| Some(plain_number(text))),
        (got, Some(ColumnType::Real)) => as_number(got, |text| {
            // One that the column could not hold is the key of no row.
            let Ok(Value::Real(number)) = real(text) else { return None };
            Some(number.to_string())
        }),
        (got, _) => got,
    }
}

/// A number in the text that it has in a key.
fn as_number<'t>(got: Operand<'t>, text: impl Fn(&str) -> Option<String>) -> Operand<'t> {
    let text = number(&got).and_then(text);
    text.map_or(got, |text| Operand::Datum(Datum::Number(text)))
}
