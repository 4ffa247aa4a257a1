//! Times as numbers: so many units since an epoch.

use super::reading::{Reading, Time, moment_of};
use crate::instant::Instant;
use jiff::SignedDuration;
use jiff::civil::DateTime;

/// What a number counts, and from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epoch {
    Seconds,
    Milliseconds,
    Microseconds,
    /// Microseconds since 1601, as WebKit and its heirs count.
    Webkit,
}

impl Epoch {
    /// All of them, by their names in the language.
    pub(super) const NAMED: [(&'static str, Self); 4] = [
        ("epoch_s", Self::Seconds),
        ("epoch_ms", Self::Milliseconds),
        ("epoch_us", Self::Microseconds),
        ("webkit_us", Self::Webkit),
    ];

    /// What it reads, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Seconds => "the seconds since 1970 in decimal digits",
            Self::Milliseconds => "the milliseconds since 1970 in decimal digits",
            Self::Microseconds => "the microseconds since 1970 in decimal digits",
            Self::Webkit => "the microseconds since 1601 in decimal digits",
        }
    }

    fn start(self) -> DateTime {
        match self {
            Self::Webkit => DateTime::constant(1601, 1, 1, 0, 0, 0, 0),
            Self::Seconds | Self::Milliseconds | Self::Microseconds => DateTime::constant(1970, 1, 1, 0, 0, 0, 0),
        }
    }

    /// How many decimal digits a unit has more than a microsecond.
    fn digits(self) -> usize {
        match self {
            Self::Seconds => 6,
            Self::Milliseconds => 3,
            Self::Microseconds | Self::Webkit => 0,
        }
    }

    /// Reads a number, or a string that says one, exactly.
    pub(super) fn read(self, text: &str) -> Reading {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, "0"), |(whole, fraction)| (whole, fraction));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
            return Reading::Other;
        }
        let fraction = fraction.trim_end_matches('0');
        let places = self.digits();
        if fraction.len() > places {
            return Reading::Wrong(
                "expected at most 6 fractional digits of a second (targets keep microseconds)".into(),
            );
        }
        let far = || Reading::Wrong("expected a year from 1 to 9999 in UTC".into());
        let Ok(micros) = format!("{whole}{fraction:0<places$}").parse::<i64>() else { return far() };
        let micros = if unsigned.len() < text.len() { -micros } else { micros };
        let since = SignedDuration::from_micros(micros);
        let read = self.start().checked_add(since).ok().and_then(|clock| Some((clock, moment_of(clock)?)));
        read.map_or_else(far, |(clock, at)| Reading::Is(Time::Moment { at, clock }))
    }

    /// The number, with a fraction where the moment has one.
    pub(super) fn write(self, at: Instant) -> String {
        let micros = self.micros(at);
        let unit = 10_u128.pow(u32::try_from(self.digits()).unwrap_or_default());
        let (whole, rest) = (micros.unsigned_abs() / unit, micros.unsigned_abs() % unit);
        let sign = if micros < 0 { "-" } else { "" };
        if rest == 0 {
            return format!("{sign}{whole}");
        }
        let fraction = format!("{rest:0>width$}", width = self.digits());
        format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }

    /// The moment cut to a whole number of units.
    pub(super) fn cut(self, at: Instant) -> Instant {
        let over = self.micros(at).rem_euclid(10_i128.pow(u32::try_from(self.digits()).unwrap_or_default()));
        let over = SignedDuration::from_micros(i64::try_from(over).unwrap_or_default());
        at.utc().checked_sub(over).ok().and_then(moment_of).unwrap_or(at)
    }

    fn micros(self, at: Instant) -> i128 {
        at.utc().duration_since(self.start()).as_micros()
    }
}
