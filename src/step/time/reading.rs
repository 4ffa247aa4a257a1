//! What reading a time by one form gives.

use crate::instant::Instant;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// What a form gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Day,
    Clock,
    Moment,
}

/// A time as it was read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Time {
    Day(Date),
    Clock(DateTime),
    /// With what the clock showed, as it was written.
    Moment {
        at: Instant,
        clock: DateTime,
    },
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Time::Day(one), Time::Day(other)) => one == other,
            (Time::Clock(one), Time::Clock(other)) => one == other,
            (Time::Moment { at: one, .. }, Time::Moment { at: other, .. }) => one == other,
            _ => false,
        }
    }
}

/// The result of reading a string by one form.
pub(super) enum Reading {
    /// It is written in another way.
    Other,
    /// It is written so, and there is no such day or time.
    NoSuchTime,
    /// It is written so, and the time cannot be kept.
    Wrong(String),
    Is(Time),
}

impl Reading {
    pub(super) fn of(read: Result<Time, String>) -> Self {
        read.map_or_else(Reading::Wrong, Reading::Is)
    }
}

pub(super) fn in_range(time: DateTime, fraction: usize) -> Result<DateTime, String> {
    precise(fraction)?;
    if time.year() < 1 { Err("expected a year from 1 to 9999".to_owned()) } else { Ok(time) }
}

pub(super) fn precise(fraction: usize) -> Result<(), String> {
    if fraction > 6 {
        return Err("expected at most 6 fractional digits of a second (targets keep microseconds)".to_owned());
    }
    Ok(())
}

/// The moment at which a clock of this offset shows this time, in a year that targets keep.
pub(super) fn moment(clock: DateTime, offset: Offset, fraction: usize) -> Result<Time, String> {
    precise(fraction)?;
    let at = Instant::at(clock, offset).filter(|at| at.utc().year() >= 1);
    let at = at.ok_or_else(|| "expected a year from 1 to 9999 in UTC".to_owned())?;
    Ok(Time::Moment { at, clock })
}

/// The moment at which the clock in UTC shows this time, in a year that targets keep.
pub(super) fn moment_of(clock: DateTime) -> Option<Instant> {
    Instant::at(clock, Offset::UTC).filter(|at| at.utc().year() >= 1)
}
