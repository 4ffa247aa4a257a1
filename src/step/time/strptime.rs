//! Forms of times as `strptime` has them.

use super::reading::{Gives, Reading, Time, in_range, moment};
use crate::strptime::{broken, has_offset, is_written, write};
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;

/// A form, proven to give at least a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strptime {
    format: String,
    gives: Gives,
}

impl Strptime {
    /// Proves on two times that the format can be written and read.
    pub(crate) fn parse(format: &str) -> Result<Self, String> {
        let zoned = has_offset(format)?;
        let offset = zoned.then(|| Offset::constant(2));
        let mut gives = Gives::Day;
        for (month, day, hour, minute) in [(4, 5, 6, 17), (11, 30, 22, 8)] {
            let time = DateTime::constant(2013, month, day, hour, minute, 9, 120_000_000);
            let write = |time: DateTime| write(format, time, offset).map_err(|error| broken(format, &error));
            let written = write(time)?;
            let parts = BrokenDownTime::parse(format, &written).map_err(|error| broken(format, &error))?;
            let read = parts.to_datetime().ok();
            if read.is_none_or(|read| read.date() != time.date()) {
                return Err(format!("`{format}` does not give the year, month and day"));
            }
            if write(time.date().at(0, 0, 0, 0))? == written {
                if zoned {
                    return Err(format!("`{format}` has a zone and no time of day, and a day has no zone"));
                }
                continue;
            }
            if read.is_none_or(|read| (read.hour(), read.minute()) != (time.hour(), time.minute())) {
                return Err(format!("`{format}` does not give the hour and minute of its time of day"));
            }
            gives = if zoned { Gives::Moment } else { Gives::Clock };
        }
        Ok(Self { format: format.to_owned(), gives })
    }

    /// As it was written.
    pub(crate) fn format(&self) -> &str {
        &self.format
    }

    pub(super) fn gives(&self) -> Gives {
        self.gives
    }

    /// Reads a string that is written exactly as the format would write it.
    pub(super) fn read(&self, text: &str) -> Reading {
        let Ok(parts) = BrokenDownTime::parse(&self.format, text) else {
            return Reading::Other;
        };
        let offset = parts.offset();
        let time = match parts.to_datetime() {
            Ok(time) if is_written(&self.format, time, offset, text) => time,
            Ok(_) => return Reading::Other,
            Err(_) => return Reading::NoSuchTime,
        };
        let fraction = if time.subsec_nanosecond() % 1000 == 0 { 0 } else { 9 };
        Reading::of(match (self.gives, offset) {
            (Gives::Moment, Some(offset)) => moment(time, offset, fraction),
            (Gives::Day, _) => in_range(time, fraction).map(|time| Time::Day(time.date())),
            _ => in_range(time, fraction).map(Time::Clock),
        })
    }

    /// The text that says the time, which reading gives back; `None` for what the form cannot hold.
    pub(crate) fn write(&self, time: DateTime, offset: Option<Offset>) -> Option<String> {
        let written = write(&self.format, time, offset).ok()?;
        (self.read_clock(&written)? == time).then_some(written)
    }

    /// The clock time that a text of this form says; midnight where it says a day alone.
    pub(crate) fn read_clock(&self, text: &str) -> Option<DateTime> {
        match self.read(text) {
            Reading::Is(Time::Day(day)) => Some(day.to_datetime(jiff::civil::Time::midnight())),
            Reading::Is(Time::Clock(clock) | Time::Moment { clock, .. }) => Some(clock),
            Reading::Other | Reading::NoSuchTime | Reading::Wrong(_) => None,
        }
    }
}
