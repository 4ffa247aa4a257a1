//! Steps that read times: instants, and civil times with or without the zone they belong to.
//!
//! What is read must be written exactly as its form says, zero padding and case included, so that
//! the text can be got back; and it must fit what targets keep: years 1 to 9999, microseconds.

use super::argument::Argument;
use super::datum::{Datum, OutputType, TEXTUAL};
use super::iso::{Iso, read_offset};
use super::literal::Literal;
use crate::instant::Instant;
use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// A step that takes a string and gives a time.
#[derive(Debug, Clone)]
pub(super) enum TimeStep {
    Instant,
    Date(Formats),
    Civil(Form),
    CivilIn { zone: TimeZone, name: String, form: Form },
}

/// How a civil time is written.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// `2025-01-31T08:05`, seconds and a fraction if there are any.
    Iso,
    /// As one of these formats says.
    Formats(Formats),
}

/// Formats as `strptime` has them, proven to give what the step needs.
#[derive(Debug, Clone)]
pub(super) struct Formats(Vec<String>);

/// What a format must give.
#[derive(Clone, Copy, PartialEq)]
enum Precision {
    Day,
    DayAndMinute,
}

impl TimeStep {
    /// `{ date = [FORMAT, …] }`.
    pub(super) fn date(argument: Argument) -> Result<Self, String> {
        Formats::parse(argument, Precision::Day).map(TimeStep::Date)
    }

    /// `"civil"` or `{ civil = [FORMAT, …] }`.
    pub(super) fn civil(argument: Argument) -> Result<Self, String> {
        Ok(TimeStep::Civil(match argument.literal {
            None => Form::Iso,
            Some(_) => Form::Formats(Formats::parse(argument, Precision::DayAndMinute)?),
        }))
    }

    /// `{ civil_in = ZONE }` or `{ civil_in = { zone = ZONE, formats = [FORMAT, …] } }`.
    pub(super) fn civil_in(argument: Argument) -> Result<Self, String> {
        let (name, form) = match argument.literal {
            Some(Literal::Table(_)) => {
                let members = argument.table(&["zone", "formats"])?;
                let formats = Formats::parse(members.need("formats")?, Precision::DayAndMinute)?;
                (members.need("zone")?.text()?, Form::Formats(formats))
            }
            _ => (argument.text()?, Form::Iso),
        };
        let zone = TimeZone::get(&name).map_err(|_| {
            format!("the time zone database has no zone `{name}` (a zone is written like `Europe/Berlin`)")
        })?;
        Ok(TimeStep::CivilIn { zone, name, form })
    }

    /// What it gives.
    pub(super) fn output(&self) -> OutputType {
        match self {
            TimeStep::Date(_) | TimeStep::Civil(_) => OutputType::Civil,
            TimeStep::Instant | TimeStep::CivilIn { .. } => OutputType::Instant,
        }
    }

    /// What it takes.
    pub(super) fn accepts(&self) -> &'static [OutputType] {
        match self {
            TimeStep::Instant => &[OutputType::Text, OutputType::Instant],
            _ => TEXTUAL,
        }
    }

    /// Applies it.
    pub(super) fn apply(&self, value: Datum) -> Result<Datum, String> {
        match self {
            TimeStep::Instant => match value {
                Datum::Instant(_) => Ok(value),
                Datum::Text(text) => instant(&text).map(Datum::Instant),
                other => Err(format!("expected a time as a string, found {}", other.kind_name())),
            },
            TimeStep::Date(formats) => formats.read(&value.into_text()?, "a date").map(Datum::Civil),
            TimeStep::Civil(form) => form.read(&value.into_text()?).map(Datum::Civil),
            TimeStep::CivilIn { zone, name, form } => {
                in_zone(form.read(&value.into_text()?)?, zone, name).map(Datum::Instant)
            }
        }
    }
}

impl Form {
    fn read(&self, text: &str) -> Result<DateTime, String> {
        match self {
            Form::Iso => match Iso::read(text) {
                Some(Iso { rest: "", fraction, time, .. }) => time.and_then(|time| in_range(time, fraction)),
                Some(_) => Err("expected a date and time without a zone (with one, use `instant`)".to_owned()),
                None => Err("expected a date and time like `2025-01-31T08:05:00`, without a zone".to_owned()),
            },
            Form::Formats(formats) => formats.read(text, "a date and time"),
        }
    }
}

impl Formats {
    fn parse(argument: Argument, precision: Precision) -> Result<Self, String> {
        let formats = argument.texts()?;
        formats.iter().try_for_each(|format| prove(format, precision))?;
        Ok(Self(formats))
    }

    /// Reads a string by the formats. One that two of them read differently is an error.
    fn read(&self, text: &str, what: &str) -> Result<DateTime, String> {
        let mut found: Option<(&str, DateTime)> = None;
        let mut well_formed = false;
        for format in &self.0 {
            match read_exactly(format, text) {
                Reading::Other => {}
                Reading::NoSuchTime => well_formed = true,
                Reading::Is(time) => match found {
                    Some((first, earlier)) if earlier != time => {
                        return Err(format!("{what} is ambiguous: `{first}` and `{format}` read it differently"));
                    }
                    _ => found = Some((format, time)),
                },
            }
        }
        match found {
            Some((_, time)) => in_range(time, fraction_digits(time)),
            None if well_formed => Err(format!("expected {what} that exists, written as {self}")),
            None => Err(format!("expected {what} written as {self}")),
        }
    }
}

impl std::fmt::Display for Formats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.0.join("` or `"))
    }
}

/// The result of reading a string by one format.
enum Reading {
    /// It is written in another way.
    Other,
    /// It is written so, and there is no such day or time.
    NoSuchTime,
    Is(DateTime),
}

/// Reads a string that is written exactly as the format would write it. The parser by itself also
/// takes days of one digit, other white space and the 60th second.
fn read_exactly(format: &str, text: &str) -> Reading {
    let Ok(parts) = BrokenDownTime::parse(format, text) else {
        return Reading::Other;
    };
    match parts.to_datetime() {
        Ok(time) if is_written(format, time, text) => Reading::Is(time),
        Ok(_) => Reading::Other,
        Err(_) => Reading::NoSuchTime,
    }
}

/// Whether the format would write the time so. A fraction of any length (`%f`, `%.f`) may end in zeros,
/// which lose nothing.
fn is_written(format: &str, time: DateTime, text: &str) -> bool {
    let writes = |format: &str| strtime::format(format, time).is_ok_and(|again| again == text);
    let fraction = |digits: usize| format.replace("%f", &format!("%{digits}f")).replace("%.f", &format!("%.{digits}f"));
    writes(format) || (1..=9).map(fraction).any(|padded| padded != format && writes(&padded))
}

/// Proves on two times that a format can be written and read, and has what the step needs and no zone.
fn prove(format: &str, precision: Precision) -> Result<(), String> {
    for letter in specifiers(format) {
        match letter {
            'z' | 'Z' | 'Q' => {
                return Err(format!(
                    "`{format}` reads a zone (`%{letter}`), and formats read none in this version: `instant` reads a time \
                     with a zone in the form `2025-01-31T08:05:00+01:00` alone"
                ));
            }
            's' => {
                return Err(format!(
                    "`{format}` reads seconds since 1970 (`%s`), and this version has no step that reads them"
                ));
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
    for (month, day, hour, minute) in [(4, 5, 6, 17), (11, 30, 22, 8)] {
        let time = DateTime::constant(2013, month, day, hour, minute, 9, 120_000_000);
        let write = |time: DateTime| strtime::format(format, time).map_err(|error| broken(format, &error));
        let written = write(time)?;
        let parts = BrokenDownTime::parse(format, &written).map_err(|error| broken(format, &error))?;
        let read = parts.to_datetime().ok();
        if read.is_none_or(|read| read.date() != time.date()) {
            return Err(format!("`{format}` does not give the year, month and day"));
        }
        match precision {
            Precision::Day if write(time.date().at(0, 0, 0, 0))? != written => {
                return Err(format!("`{format}` has a time of day, which `date` does not keep; use `civil`"));
            }
            Precision::DayAndMinute
                if read.is_none_or(|read| (read.hour(), read.minute()) != (time.hour(), time.minute())) =>
            {
                return Err(format!(
                    "`{format}` does not give the hour and minute; use `date` where there is no time of day"
                ));
            }
            _ => {}
        }
    }
    Ok(())
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

/// The decimal digits that the time's fraction of a second needs.
fn fraction_digits(time: DateTime) -> usize {
    if time.subsec_nanosecond() % 1000 == 0 { 0 } else { 9 }
}

fn in_range(time: DateTime, fraction: usize) -> Result<DateTime, String> {
    precise(fraction)?;
    if time.year() < 1 { Err("expected a year from 1 to 9999".to_owned()) } else { Ok(time) }
}

fn precise(fraction: usize) -> Result<(), String> {
    if fraction > 6 {
        return Err("expected at most 6 fractional digits of a second (targets keep microseconds)".to_owned());
    }
    Ok(())
}

/// Reads RFC 3339 (section 5.6), which also allows `t`, `z` and a space between date and time.
fn instant(text: &str) -> Result<Instant, String> {
    const WANTED: &str = "expected a time like `2025-01-31T08:05:00Z`, with `Z` or an offset";
    let Some(Iso { time, seconds: true, fraction, rest }) = Iso::read(text) else {
        return Err(WANTED.to_owned());
    };
    let offset = match rest {
        "Z" | "z" => Offset::UTC,
        "" => return Err(format!("{WANTED} (without one, use `civil` or `civil_in`)")),
        rest => read_offset(rest).ok_or_else(|| WANTED.to_owned())?,
    };
    precise(fraction)?;
    moment(time?, offset)
}

/// The moment at which a clock of this offset shows this time, in a year that targets keep.
fn moment(time: DateTime, offset: Offset) -> Result<Instant, String> {
    let instant = Instant::at(time, offset).filter(|instant| instant.utc().year() >= 1);
    instant.ok_or_else(|| "expected a year from 1 to 9999 in UTC".to_owned())
}

fn in_zone(time: DateTime, zone: &TimeZone, name: &str) -> Result<Instant, String> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Gap { .. } => Err(format!("no such local time in `{name}`: clocks were put forward past it")),
        AmbiguousOffset::Fold { .. } => {
            Err(format!("ambiguous local time in `{name}`: clocks were put back and showed it twice"))
        }
        AmbiguousOffset::Unambiguous { offset } => moment(time, offset),
    }
}
