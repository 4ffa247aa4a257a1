//! Times as columns of each kind take them.

use super::scope::Operand;
use crate::instant::Instant;
use crate::step::Datum;
use crate::table::ColumnType;
use crate::written::TimeForm;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};

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

/// The start of the run as a column of this type is given it: cut to what its form holds.
pub(super) fn cut_start(got: Operand<'_>, kind: ColumnType) -> Operand<'_> {
    let cut = |form: &TimeForm, clock| Instant::at(form.cut(clock), Offset::UTC);
    match (got, kind) {
        (got, ColumnType::Date(_)) => cut_to_day(got),
        (Operand::Datum(Datum::Instant(at, zone)), ColumnType::Time(Some(form)) | ColumnType::Zoned(Some(form))) => {
            Operand::Datum(Datum::Instant(cut(form, at.utc()).unwrap_or(at), zone))
        }
        (Operand::Datum(Datum::Civil(clock)), ColumnType::Time(Some(form))) => {
            Operand::Datum(Datum::Civil(form.cut(clock)))
        }
        (Operand::Datum(Datum::Instant(at, _)), ColumnType::Clock(form)) => {
            let text = form.and_then(|form| form.write(form.cut(at.utc())));
            Operand::Datum(Datum::Text(text.unwrap_or_else(|| at.utc().strftime("%H:%M:%S").to_string())))
        }
        (got, _) => got,
    }
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
