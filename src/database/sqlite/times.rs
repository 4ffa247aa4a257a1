//! Times as SQLite keeps them: the texts that are written, and what stored texts mean.

use crate::instant::Instant;
use crate::row::Value;
use crate::table::ColumnType;
use crate::written::keeps_time;
use jiff::Timestamp;
use jiff::civil::DateTime;
use std::ops::Range;

/// A time's digits as they are written: instants in UTC, civil times as they are.
pub(super) fn moment(value: &Value) -> Option<DateTime> {
    match value {
        Value::Civil(time) => Some(*time),
        Value::Instant(time) => Some(time.utc()),
        _ => None,
    }
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`; `None` for what those digits cannot say.
pub(super) fn time_text(time: DateTime) -> Option<String> {
    keeps_time(time).then(|| digits(time))
}

/// Now, in the ledger and in `schema_migrations`: cut to microseconds, in UTC.
pub(super) fn clock_text(time: Timestamp) -> String {
    digits(Instant::from(time).utc())
}

/// Now, as a column of this type is given it: cut to what its form holds.
pub(super) fn clock(now: Timestamp, kind: ColumnType) -> String {
    let (time, text) = (Instant::from(now).utc(), clock_text(now));
    match (kind.form().and_then(|form| form.write(form.cut(time))), kind) {
        (Some(text), _) => text,
        (None, ColumnType::Date(_)) => text[..10].to_owned(),
        (None, ColumnType::Clock(_)) => text[11..19].to_owned(),
        (None, ColumnType::Zoned(_)) => format!("{text}+00:00"),
        (None, _) => text,
    }
}

/// Written digit by digit: rows have many times, and the general formatting is slow.
fn digits(time: DateTime) -> String {
    let mut out = *b"0000-00-00 00:00:00.000000";
    let mut put = |places: Range<usize>, mut number: u32| {
        for place in out[places].iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    let small = |part: i8| u32::from(part.unsigned_abs());
    put(0..4, time.year().unsigned_abs().into());
    put(5..7, small(time.month()));
    put(8..10, small(time.day()));
    put(11..13, small(time.hour()));
    put(14..16, small(time.minute()));
    put(17..19, small(time.second()));
    put(20..26, time.subsec_nanosecond().unsigned_abs() / 1_000);
    std::str::from_utf8(&out).expect("digits are ASCII").to_owned()
}

/// The time a stored text means; without a zone it is taken as UTC, with one converted to it.
pub(super) fn parse_time(text: &str) -> Option<DateTime> {
    text.parse::<Instant>().map(Instant::utc).ok().or_else(|| text.parse().ok())
}

/// The time that a stored text means in a column in which it may stand in several forms.
pub(super) fn stored_time(text: &str, kind: ColumnType) -> Option<Value> {
    if kind.is_time() { Value::of_time_text(text, kind) } else { None }
}
