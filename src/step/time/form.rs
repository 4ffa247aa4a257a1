//! The forms in which times are written.

use super::epoch::Epoch;
use super::reading::{Gives, Reading, Time, in_range, moment};
use super::strptime::Strptime;
use crate::instant::Instant;
use crate::step::argument::unknown;
use crate::step::iso::{Iso, read_offset};
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use jiff::tz::{Offset, TimeZone};

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 3339, section 5.6: with `Z` or an offset; `t`, `z` and a space between date and time are taken, too.
    Rfc3339,
    /// RFC 2822, section 3.3, as mails and web servers write.
    Rfc2822,
    Epoch(Epoch),
    /// `2025-01-31T08:05`, seconds and a fraction if there are any, without a zone.
    Iso,
    Strptime(Strptime),
}

const RFC_2822: DateTimeParser = DateTimeParser::new();

impl Form {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some((_, epoch)) = Epoch::NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(Form::Epoch(*epoch));
        }
        match text {
            "rfc3339" => Ok(Form::Rfc3339),
            "rfc2822" => Ok(Form::Rfc2822),
            "iso" => Ok(Form::Iso),
            _ if text.contains('%') => Strptime::parse(text).map(Form::Strptime),
            _ => {
                let named = ["rfc3339", "rfc2822", "iso"].into_iter();
                let names: Vec<&str> = named.chain(Epoch::NAMED.iter().map(|(name, _)| *name)).collect();
                Err(unknown("form of time", text, " (one of `strptime` has a `%`)", &names))
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Form::Rfc3339 => "rfc3339",
            Form::Rfc2822 => "rfc2822",
            Form::Iso => "iso",
            Form::Strptime(form) => form.format(),
            Form::Epoch(epoch) => Epoch::NAMED.iter().find(|(_, known)| known == epoch).map_or("", |(name, _)| *name),
        }
    }

    pub(super) fn gives(&self) -> Gives {
        match self {
            Form::Rfc3339 | Form::Rfc2822 | Form::Epoch(_) => Gives::Moment,
            Form::Iso => Gives::Clock,
            Form::Strptime(form) => form.gives(),
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Form::Epoch(_))
    }

    pub(super) fn read(&self, text: &str) -> Reading {
        match self {
            Form::Rfc3339 => {
                let Some(Iso { time, seconds: true, fraction, rest }) = Iso::read(text) else {
                    return Reading::Other;
                };
                let offset = if matches!(rest, "Z" | "z") { Some(Offset::UTC) } else { read_offset(rest) };
                let Some(offset) = offset else { return Reading::Other };
                Reading::of(time.and_then(|time| moment(time, offset, fraction)))
            }
            // The library takes the second 60 for 59.
            Form::Rfc2822 if text.contains(":60") => Reading::NoSuchTime,
            Form::Rfc2822 => match RFC_2822.parse_zoned(text) {
                Ok(zoned) => Reading::of(moment(zoned.datetime(), zoned.offset(), 0)),
                Err(_) => Reading::Other,
            },
            Form::Epoch(epoch) => epoch.read(text),
            Form::Iso => match Iso::read(text) {
                Some(Iso { rest: "", fraction, time, .. }) => {
                    Reading::of(time.and_then(|time| in_range(time, fraction)).map(Time::Clock))
                }
                _ => Reading::Other,
            },
            Form::Strptime(form) => form.read(text),
        }
    }

    /// Writes a time; `None` for what the form cannot hold.
    pub(super) fn write(&self, time: Time, zone: Option<&TimeZone>) -> Option<String> {
        let shown = |at: Instant| at.shown_in(zone.unwrap_or(&TimeZone::UTC));
        match (self, time) {
            (Form::Epoch(epoch), Time::Moment { at, .. }) => Some(epoch.write(at)),
            (Form::Rfc3339, Time::Moment { at, .. }) if zone.is_none() => Some(at.to_string()),
            (Form::Rfc3339, Time::Moment { at, .. }) => {
                let (clock, offset) = shown(at)?;
                Some(format!("{clock}{}", offset_text(offset)?))
            }
            (Form::Rfc2822, Time::Moment { at, .. }) => {
                let (clock, offset) = shown(at)?;
                let zoned = offset.to_time_zone().to_zoned(clock).ok()?;
                DateTimePrinter::new().zoned_to_string(&zoned).ok().filter(|_| clock.subsec_nanosecond() == 0)
            }
            (Form::Epoch(_) | Form::Rfc3339 | Form::Rfc2822, _) => None,
            (Form::Iso, Time::Moment { at, .. }) => Some(shown(at)?.0.to_string()),
            (Form::Iso, Time::Clock(clock)) => Some(clock.to_string()),
            (Form::Iso, Time::Day(_)) => None,
            (Form::Strptime(form), Time::Moment { at, .. }) => {
                let (clock, offset) = shown(at)?;
                form.write(clock, Some(offset))
            }
            (Form::Strptime(form), Time::Clock(clock)) if form.gives() != Gives::Moment => form.write(clock, None),
            (Form::Strptime(form), Time::Day(day)) if form.gives() == Gives::Day => {
                form.write(day.to_datetime(jiff::civil::Time::midnight()), None)
            }
            (Form::Strptime(_), Time::Clock(_) | Time::Day(_)) => None,
        }
    }

    /// The time cut to what the form holds.
    pub(super) fn cut(&self, at: Instant, zone: Option<&TimeZone>) -> Instant {
        if let Form::Epoch(epoch) = self {
            return epoch.cut(at);
        }
        let holds = |at: &Instant| self.write(Time::Moment { at: *at, clock: at.utc() }, zone).is_some();
        let to = |unit: DateTime| Instant::at(unit, Offset::UTC);
        let clock = at.utc();
        let second = clock.with().subsec_nanosecond(0).build().ok().and_then(to);
        let minute = clock.with().second(0).subsec_nanosecond(0).build().ok().and_then(to);
        let day = clock.date().to_datetime(jiff::civil::Time::midnight());
        std::iter::once(at).chain(second).chain(minute).find(holds).or_else(|| to(day)).unwrap_or(at)
    }
}

/// `+02:00`; `None` for an offset with seconds, as zones had them before there was standard time.
fn offset_text(offset: Offset) -> Option<String> {
    let seconds = offset.seconds();
    let minutes = seconds.unsigned_abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    (seconds % 60 == 0).then(|| format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
}

/// What was expected of a string in these forms.
pub(super) fn expected(forms: &[Form], text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let formats: Vec<&Strptime> = forms.iter().filter_map(Form::as_strptime).collect();
    for form in forms {
        words.push(match form {
            Form::Rfc3339 => "a time like `2025-01-31T08:05:00Z`, with `Z` or an offset".to_owned(),
            Form::Rfc2822 => "a time like `Fri, 31 Jan 2025 08:05:00 +0000`".to_owned(),
            Form::Epoch(epoch) => epoch.words().to_owned(),
            Form::Iso => "a date and time like `2025-01-31T08:05:00`, without a zone".to_owned(),
            Form::Strptime(form) if *form == *formats[0] => {
                let what =
                    if formats.iter().all(|form| form.gives() == Gives::Day) { "a date" } else { "a date and time" };
                let names: Vec<&str> = formats.iter().map(|form| form.format()).collect();
                format!("{what} written as `{}`", names.join("` or `"))
            }
            Form::Strptime(_) => continue,
        });
    }
    let hint = match (forms, Iso::read(text)) {
        ([Form::Rfc3339], Some(Iso { rest: "", .. })) => " (without one, use the form `iso`)",
        ([Form::Iso], Some(Iso { rest, .. })) if !rest.is_empty() => " (with one, use the form `rfc3339`)",
        _ => "",
    };
    format!("expected {}{hint}", words.join(" or "))
}

impl Form {
    fn as_strptime(&self) -> Option<&Strptime> {
        match self {
            Form::Strptime(form) => Some(form),
            _ => None,
        }
    }
}
