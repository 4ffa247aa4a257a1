//! Times as columns of each kind take them.

use super::scope::Operand;
use crate::mapping::model::ReadAs;
use crate::row::keeps_time;
use crate::step::Datum;
use crate::table::ColumnType;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// A time as a column that reads so keeps it: a day in a column of times is its midnight.
pub(super) fn settled<'t>(got: Operand<'t>, reads: Option<&ReadAs>) -> Operand<'t> {
    match (got, reads.map(|reads| reads.kind)) {
        (Operand::Datum(Datum::Day(day)), Some(ColumnType::Time)) => {
            Operand::Datum(Datum::Civil(day.to_datetime(Time::midnight())))
        }
        (got, Some(ColumnType::Date)) => {
            let day = if let Operand::Datum(datum) = &got { day_of(datum) } else { None };
            day.map_or(got, |day| Operand::Datum(Datum::Day(day)))
        }
        (got, _) => got,
    }
}

/// The day that a time at midnight is; a moment's where its zone's clocks show midnight.
pub(super) fn day_of(datum: &Datum) -> Option<Date> {
    let clock = match datum {
        Datum::Day(day) => return Some(*day),
        Datum::Civil(clock) => *clock,
        Datum::Instant(at, zone) => at.shown_in(zone.as_ref().unwrap_or(&TimeZone::UTC))?.0,
        _ => return None,
    };
    (clock.time() == Time::midnight()).then(|| clock.date())
}

/// The day on which a time is; a moment's where its zone's clocks show it.
pub(super) fn cut_to_day(got: Operand<'_>) -> Operand<'_> {
    let day = match &got {
        Operand::Datum(Datum::Civil(clock)) => Some(clock.date()),
        Operand::Datum(Datum::Instant(at, zone)) => {
            at.shown_in(zone.as_ref().unwrap_or(&TimeZone::UTC)).map(|(clock, _)| clock.date())
        }
        _ => None,
    };
    day.map_or(got, |day| Operand::Datum(Datum::Day(day)))
}

/// `HH:MM`, with seconds and at most six digits of their fraction if there are any.
pub(super) fn is_time_of_day(text: &str) -> bool {
    let is_written = text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    let time = format!("2000-01-01T{text}").parse::<DateTime>();
    is_written && !text.contains(":60") && time.is_ok_and(keeps_time)
}
