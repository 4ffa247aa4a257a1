//! Forms of times as `strptime` has them.

use super::reading::{Gives, Reading, Time, in_range, moment};
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
        let mut zoned = false;
        for letter in specifiers(format) {
            match letter {
                'z' => zoned = true,
                'Z' | 'Q' => {
                    return Err(format!(
                        "`{format}` reads the name of a zone (`%{letter}`); a form has an offset (`%z`, `%:z`), or `zone` \
                         says whose clocks are meant"
                    ));
                }
                's' => {
                    return Err(format!("`{format}` reads seconds since 1970 (`%s`), which is the form `epoch_s`"));
                }
                'y' | 'g' | 'D' => {
                    return Err(format!(
                        "`{format}` reads a year of two digits (`%{letter}`), whose century would be a guess; \
                         put the century in front with `replace`, and read it with `%Y`"
                    ));
                }
                _ => {}
            }
        }
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

    /// Reads a string that is written exactly as the format would write it. The parser by itself also
    /// takes days of one digit, other white space and the 60th second.
    pub(super) fn read(&self, text: &str) -> Reading {
        let Ok(parts) = BrokenDownTime::parse(&self.format, text) else {
            return Reading::Other;
        };
        let offset = parts.offset();
        let time = match parts.to_datetime() {
            Ok(time) if self.is_written(time, offset, text) => time,
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

    /// Whether the format would write the time so. A fraction of any length (`%f`, `%.f`) may end in zeros,
    /// which lose nothing.
    fn is_written(&self, time: DateTime, offset: Option<Offset>, text: &str) -> bool {
        let format = &self.format;
        let writes = |format: &str| write(format, time, offset).is_ok_and(|again| again == text);
        let fraction =
            |digits: usize| format.replace("%f", &format!("%{digits}f")).replace("%.f", &format!("%.{digits}f"));
        writes(format) || (1..=9).map(fraction).any(|padded| padded != *format && writes(&padded))
    }
}

fn write(format: &str, time: DateTime, offset: Option<Offset>) -> Result<String, jiff::Error> {
    let mut parts = BrokenDownTime::from(time);
    parts.set_offset(offset);
    parts.to_string(format)
}

/// The sentence for a format that cannot be used. The error speaks of the format and of the times
/// it was tried on, never of a value.
fn broken(format: &str, error: &jiff::Error) -> String {
    format!("invalid time format `{format}`: {error}")
}

/// The letters behind each `%` of a format, past flags, widths, dots and colons.
fn specifiers(format: &str) -> impl Iterator<Item = char> {
    let mut chars = format.chars();
    std::iter::from_fn(move || {
        chars.find(|c| *c == '%')?;
        chars.find(|c| !matches!(c, '-' | '_' | '^' | '#' | '.' | ':') && !c.is_ascii_digit())
    })
}
