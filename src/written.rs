//! The forms in which times stand as text in a database, where a set says so under `[written]`.

use crate::instant::Instant;
use crate::strptime::{broken, has_offset, is_written, write};
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;
use std::sync::{Mutex, PoisonError};

/// An entry of `[written]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenAs {
    /// The declared type.
    pub declared: String,
    /// The form, as it is written there.
    pub form: String,
    /// Its line in set.toml.
    pub line: u32,
}

/// What of a time a column keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// A date and time: a moment in UTC, or one without a zone.
    Time,
    /// A moment.
    Moment,
    /// A day.
    Day,
    /// A time of day.
    TimeOfDay,
}

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The finest a form may hold, in nanoseconds: microseconds, each digit fewer, seconds, minutes, hours, days.
const UNITS: [i64; 10] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, SECOND, MINUTE, HOUR, DAY];

/// The day on which a time of day stands where a date and time is asked for.
const NO_DAY: Date = Date::constant(2000, 1, 1);

/// How a column of times keeps them as text: a form that is proven to give back what is written in it.
#[derive(Debug, PartialEq, Eq)]
pub struct TimeForm {
    format: String,
    keeps: Keeps,
    /// Whether it has an offset.
    has_offset: bool,
    /// What it holds, in nanoseconds.
    unit: i64,
}

/// The forms that were asked for. A set has few of them, and column types that are copied point here.
static KNOWN: Mutex<Vec<&'static TimeForm>> = Mutex::new(Vec::new());

impl TimeForm {
    /// The form of this text for a column that keeps so much.
    ///
    /// # Errors
    /// Why it cannot be used there, in words.
    pub fn of(text: &str, keeps: Keeps) -> Result<&'static Self, String> {
        let format = match text {
            "iso" => "%Y-%m-%dT%H:%M:%S%.f",
            "rfc3339" => "%Y-%m-%dT%H:%M:%S%.fZ",
            _ if text.contains('%') => text,
            _ => {
                return Err(format!(
                    "`{text}` is no form: write one with `%`, as `strptime` has them, `iso` or `rfc3339`"
                ));
            }
        };
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(form) = known.iter().find(|form| form.format == format && form.keeps == keeps) {
            return Ok(form);
        }
        let form: &'static Self = Box::leak(Box::new(Self::proven(format, keeps)?));
        known.push(form);
        Ok(form)
    }

    /// Whether it is that in which the engine writes by itself.
    pub fn is_of_engine(&self) -> bool {
        self.keeps.form_of_engine() == Some(&self.format)
    }

    /// As it is written.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Whether its texts say a zone, which is always UTC: an offset, or a `Z` at the end.
    pub fn has_zone(&self) -> bool {
        self.has_offset || self.format.ends_with('Z')
    }

    fn proven(format: &str, keeps: Keeps) -> Result<Self, String> {
        let mut form = Self { format: format.to_owned(), keeps, has_offset: has_offset(format)?, unit: DAY };
        match (keeps, form.has_zone()) {
            (Keeps::Day | Keeps::TimeOfDay, true) => {
                return Err(format!("`{format}` has a zone, and {} has none", keeps.words()));
            }
            (Keeps::Moment, false) => {
                return Err(format!(
                    "`{format}` has no zone, and {} is kept with one: end it with `Z` or `%:z`",
                    keeps.words()
                ));
            }
            _ => {}
        }
        let fine = DateTime::constant(2013, 11, 30, 22, 8, 9, 123_456_000);
        let day = form.text(fine.date().at(0, 0, 0, 0)).map_err(|error| broken(format, &error))?;
        let gives_back = |unit: &&i64| {
            let cut = form.seen(cut(fine, **unit));
            form.text(cut).is_ok_and(|text| form.read(&text) == Some(cut))
        };
        form.unit = *UNITS
            .iter()
            .find(gives_back)
            .ok_or_else(|| format!("`{format}` does not give back what is written in it"))?;
        let says_time = form.text(fine).map_err(|error| broken(format, &error))? != day;
        if keeps == Keeps::Day && says_time {
            return Err(format!("`{format}` has a time of day, and {} has none", keeps.words()));
        }
        if keeps != Keeps::Day && form.unit == DAY && (says_time || keeps != Keeps::Time) {
            return Err(format!("`{format}` does not give the hour and minute of its time of day"));
        }
        form.prove_samples()?;
        Ok(form)
    }

    /// That times of every month, day, hour and digit are given back, and that nothing else is read of their texts.
    fn prove_samples(&self) -> Result<(), String> {
        let format = &self.format;
        for time in samples().map(|time| self.seen(cut(time, self.unit))) {
            let text = self.text(time).map_err(|error| broken(format, &error))?;
            if self.read(&text) != Some(time) {
                return Err(format!("`{format}` does not give back what is written in it: `{text}`"));
            }
            // A column of times has NUMERIC affinity ("Datatypes In SQLite", 3.1).
            if text.trim().parse::<f64>().is_ok() {
                return Err(format!("`{format}` writes `{text}`, which the database would keep as a number"));
            }
            if plain(&text, self.keeps).is_some_and(|read| read != time) {
                return Err(format!("`{format}` writes `{text}`, which ISO 8601 reads as another time"));
            }
        }
        Ok(())
    }

    /// The time as a column that keeps so much sees it.
    fn seen(&self, time: DateTime) -> DateTime {
        match self.keeps {
            Keeps::Time | Keeps::Moment => time,
            Keeps::Day => time.date().to_datetime(Time::midnight()),
            Keeps::TimeOfDay => NO_DAY.to_datetime(time.time()),
        }
    }

    fn text(&self, time: DateTime) -> Result<String, jiff::Error> {
        write(&self.format, time, self.has_offset.then_some(Offset::UTC))
    }

    /// The text that says the time, a moment as the clock in UTC shows it; `None` for what the form cannot hold.
    pub fn write(&self, time: DateTime) -> Option<String> {
        if self.lacks(time).is_some() || !keeps_time(time) { None } else { self.text(time).ok() }
    }

    /// The time that a text of this form says.
    fn read(&self, text: &str) -> Option<DateTime> {
        let parts = BrokenDownTime::parse(&self.format, text).ok()?;
        let time = match self.keeps {
            Keeps::TimeOfDay => NO_DAY.to_datetime(parts.to_time().ok()?),
            _ => parts.to_datetime().ok()?,
        };
        let offset = parts.offset();
        let time = Some(time).filter(|time| is_written(&self.format, *time, offset, text))?;
        offset.map_or(Some(time), |offset| Instant::at(time, offset).map(Instant::utc))
    }

    /// What of a time the form cannot hold, in words.
    pub fn lacks(&self, time: DateTime) -> Option<&'static str> {
        match self.unit {
            unit if of_day(time) % unit == 0 => None,
            DAY => Some("a time of day"),
            HOUR => Some("minutes"),
            MINUTE => Some("seconds"),
            SECOND => Some("a fraction of a second"),
            _ => Some("that many digits behind the second"),
        }
    }

    /// The time cut to what the form holds.
    pub fn cut(&self, time: DateTime) -> DateTime {
        cut(time, self.unit)
    }
}

impl Keeps {
    /// The form in which the engine writes it by itself; none where it keeps the text as it comes.
    pub fn form_of_engine(self) -> Option<&'static str> {
        match self {
            Keeps::Time => Some("%Y-%m-%d %H:%M:%S%.6f"),
            Keeps::Moment => Some("%Y-%m-%d %H:%M:%S%.6f%:z"),
            Keeps::Day => Some("%Y-%m-%d"),
            Keeps::TimeOfDay => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Keeps::Time => "a date and time",
            Keeps::Moment => "a moment",
            Keeps::Day => "a day",
            Keeps::TimeOfDay => "a time of day",
        }
    }
}

/// The time that a stored text means in a column that keeps so much: in the form of the column, else in ISO 8601. One
/// without a zone is taken as UTC, one with a zone is converted to it; a day is its midnight.
pub fn stored(text: &str, form: Option<&TimeForm>, keeps: Keeps) -> Option<DateTime> {
    form.and_then(|form| form.read(text)).or_else(|| plain(text, keeps))
}

fn plain(text: &str, keeps: Keeps) -> Option<DateTime> {
    match keeps {
        Keeps::Time | Keeps::Moment => text.parse::<Instant>().map(Instant::utc).ok().or_else(|| text.parse().ok()),
        Keeps::Day => {
            let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text)?;
            Some(day.to_datetime(Time::midnight()))
        }
        Keeps::TimeOfDay => time_of_day(text),
    }
}

/// The time of a text `HH:MM`, with seconds and at most six digits of their fraction if there are any.
pub fn time_of_day(text: &str) -> Option<DateTime> {
    let is_written = text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    let time = if is_written && !text.contains(":60") { format!("{NO_DAY}T{text}").parse().ok() } else { None };
    time.filter(|time| keeps_time(*time))
}

/// Whether a column of times keeps this one: from the year 1 on, to the microsecond.
pub fn keeps_time(time: DateTime) -> bool {
    time.year() >= 1 && time.subsec_nanosecond() % 1_000 == 0
}

/// Nanoseconds since midnight.
fn of_day(time: DateTime) -> i64 {
    let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(i64::from);
    hour * HOUR + minute * MINUTE + second * SECOND + i64::from(time.subsec_nanosecond())
}

fn cut(time: DateTime, unit: i64) -> DateTime {
    let over = of_day(time) % unit;
    time.checked_sub(jiff::SignedDuration::from_nanos(over)).unwrap_or(time)
}

/// Every day of a leap year, and the first and last years, with times of day that differ in all parts.
fn samples() -> impl Iterator<Item = DateTime> {
    let first = DateTime::constant(2012, 1, 1, 0, 0, 0, 0);
    let of_year = (0..366_i64).filter_map(move |at| {
        let apart = at * DAY
            + at * 7 % 24 * HOUR
            + at * 11 % 60 * MINUTE
            + at * 13 % 60 * SECOND
            + at * 7_919 % 1_000 * 123_000;
        first.checked_add(jiff::SignedDuration::from_nanos(apart)).ok()
    });
    let edges = [1, 33, 999, 1000, 9999].map(|year| DateTime::constant(year, 2, 3, 12, 0, 0, 500_000_000));
    of_year.chain(edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_form_gives_back_what_it_writes_and_refuses_what_it_cannot_hold() {
        for (form, keeps, given, written) in [
            ("%Y-%m-%d %H:%M:%S", Keeps::Time, "2025-05-07T14:42:18", Ok("2025-05-07 14:42:18")),
            ("%Y-%m-%d %H:%M:%S", Keeps::Time, "2025-05-07T14:42:18.5", Err("a fraction of a second")),
            ("%Y-%m-%dT%H:%M:%S%.3fZ", Keeps::Time, "2025-05-07T14:42:18.12", Ok("2025-05-07T14:42:18.120Z")),
            (
                "%Y-%m-%dT%H:%M:%S%.3fZ",
                Keeps::Time,
                "2025-05-07T14:42:18.1234",
                Err("that many digits behind the second"),
            ),
            ("%Y-%m-%d %H:%M:%S%.f", Keeps::Time, "2025-05-07T14:42:18", Ok("2025-05-07 14:42:18")),
            ("%Y-%m-%d %H:%M:%S%.f", Keeps::Time, "2025-05-07T14:42:18.123456", Ok("2025-05-07 14:42:18.123456")),
            ("rfc3339", Keeps::Moment, "2025-05-07T14:42:18.12", Ok("2025-05-07T14:42:18.12Z")),
            ("iso", Keeps::Time, "0001-05-07T14:42:18.12", Ok("0001-05-07T14:42:18.12")),
            ("%d.%m.%Y %H:%M", Keeps::Time, "2025-05-07T14:42", Ok("07.05.2025 14:42")),
            ("%d.%m.%Y %H:%M", Keeps::Time, "2025-05-07T14:42:18", Err("seconds")),
            ("%Y-%m-%d", Keeps::Time, "2025-05-07T00:00", Ok("2025-05-07")),
            ("%Y-%m-%d", Keeps::Time, "2025-05-07T14:42", Err("a time of day")),
            ("%b %-d, %Y %I:%M:%S %p", Keeps::Time, "2025-05-07T14:42:18", Ok("May 7, 2025 02:42:18 PM")),
            ("%Y-%m-%d %H:%M:%S%:z", Keeps::Moment, "2025-05-07T14:42:18", Ok("2025-05-07 14:42:18+00:00")),
            ("%d.%m.%Y", Keeps::Day, "2025-05-07T00:00", Ok("07.05.2025")),
            ("%H:%M:%S", Keeps::TimeOfDay, "2000-01-01T14:42", Ok("14:42:00")),
            ("%I:%M %p", Keeps::TimeOfDay, "2000-01-01T14:42", Ok("02:42 PM")),
        ] {
            let known = TimeForm::of(form, keeps).unwrap_or_else(|why| panic!("{form}: {why}"));
            let got = known.write(time(given));
            assert_eq!(got.as_deref().ok_or_else(|| known.lacks(time(given)).unwrap()), written, "{form} {given}");
            if let Some(text) = got {
                assert_eq!(stored(&text, Some(known), keeps), Some(time(given)), "{form} {text}");
            }
            assert!(std::ptr::eq(known, TimeForm::of(form, keeps).unwrap()), "{form} is leaked once");
        }
    }

    #[test]
    fn a_form_that_could_be_read_otherwise_is_refused() {
        for (form, keeps, why) in [
            ("yyyy-mm-dd", Keeps::Day, "`yyyy-mm-dd` is no form"),
            ("%Y%m%d", Keeps::Day, "`%Y%m%d` writes `20120101`, which the database would keep as a number"),
            ("%H%M%S", Keeps::TimeOfDay, "`%H%M%S` writes `000000`, which the database would keep as a number"),
            ("%Y-%d-%m", Keeps::Day, "`%Y-%d-%m` writes `2012-02-01`, which ISO 8601 reads as another time"),
            ("%Y.%-m%-d", Keeps::Day, "`%Y.%-m%-d` does not give back what is written in it"),
            ("%d.%m", Keeps::Day, "`%d.%m` does not give back what is written in it"),
            ("%d.%m.%y", Keeps::Day, "`%d.%m.%y` reads a year of two digits (`%y`)"),
            ("%Y-%m-%d %I:%M", Keeps::Time, "`%Y-%m-%d %I:%M` does not give"),
            ("%Y-%m-%d %H:%M", Keeps::Day, "`%Y-%m-%d %H:%M` has a time of day, and a day has none"),
            ("%Y-%m-%dZ", Keeps::Day, "`%Y-%m-%dZ` has a zone, and a day has none"),
            ("%Y-%m-%d %H:%M", Keeps::Moment, "`%Y-%m-%d %H:%M` has no zone, and a moment is kept with one"),
            ("%Y-%m-%d", Keeps::TimeOfDay, "`%Y-%m-%d` does not give"),
            ("%Y-%m-%d %H:%M:%S %Z", Keeps::Time, "`%Y-%m-%d %H:%M:%S %Z` reads the name of a zone"),
            ("%Y-%m-%d %J", Keeps::Time, "invalid time format `%Y-%m-%d %J`"),
        ] {
            let said = TimeForm::of(form, keeps).unwrap_err();
            assert!(said.starts_with(why), "{form}: {said}");
        }
    }

    #[test]
    fn what_stands_in_another_form_means_the_same_time() {
        let form = TimeForm::of("%d/%m/%Y %H:%M:%S", Keeps::Time).unwrap();
        for text in ["07/05/2025 14:42:18", "2025-05-07 14:42:18.000000", "2025-05-07T16:42:18+02:00"] {
            assert_eq!(stored(text, Some(form), Keeps::Time), Some(time("2025-05-07T14:42:18")), "{text}");
        }
        for text in ["7/5/2025 14:42:18", "07/05/2025", "soon", ""] {
            assert_eq!(stored(text, Some(form), Keeps::Time), None, "{text}");
        }
        assert_eq!(time_of_day("14:42"), Some(time("2000-01-01T14:42")));
        assert_eq!(time_of_day("24:00"), None);
    }

    proptest::proptest! {
        #[test]
        fn every_time_is_given_back_or_what_it_lacks_is_said(
            (year, month, day) in (1_i16..=9999, 1_i8..=12, 1_i8..=28), nanos in 0..DAY, unit in 0..UNITS.len(),
        ) {
            let date = Date::constant(year, month, day);
            let over = jiff::SignedDuration::from_nanos(nanos - nanos % UNITS[unit]);
            let time = date.to_datetime(Time::midnight()).checked_add(over).unwrap();
            for form in [
                "iso", "rfc3339", "%Y-%m-%d %H:%M:%S%.6f", "%Y-%m-%dT%H:%M:%S%.3fZ", "%d/%m/%Y %I:%M:%S %p", "%A, %-d %B %Y %H:%M",
                "%b %e, %Y", "%Y-%m-%d %H:%M:%S%.f%:z",
            ] {
                let form = TimeForm::of(form, Keeps::Time).unwrap();
                match form.write(time) {
                    Some(text) => assert_eq!(stored(&text, Some(form), Keeps::Time), Some(time), "{text}"),
                    None => assert!(form.lacks(time).is_some(), "{} {time}", form.format()),
                }
            }
        }
    }
}
