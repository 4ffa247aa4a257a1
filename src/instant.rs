//! Moments, kept as the clock in UTC shows them.

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::str::FromStr;

/// A moment.
///
/// [`Timestamp`] ends on 9999-12-30 at 22:00 UTC, so that every zone can show it. Data goes on to the
/// last second of 9999, which many programs write for "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(DateTime);

impl Instant {
    /// The moment at which a clock of this offset shows this time; `None` where the clock in UTC
    /// shows a year that civil times do not reach.
    pub fn at(clock: DateTime, offset: Offset) -> Option<Self> {
        let ahead = SignedDuration::from_secs(i64::from(offset.seconds()));
        clock.checked_sub(ahead).ok().map(Self)
    }

    /// What a clock in this zone shows, with its offset.
    pub fn shown_in(self, zone: &TimeZone) -> Option<(DateTime, Offset)> {
        // Beyond what a timestamp holds, the zone's last rule holds on.
        let offset = zone.to_offset(Offset::UTC.to_timestamp(self.0).unwrap_or(Timestamp::MAX));
        self.0.checked_add(SignedDuration::from_secs(i64::from(offset.seconds()))).ok().map(|clock| (clock, offset))
    }

    /// What the clock in UTC shows.
    pub fn utc(self) -> DateTime {
        self.0
    }
}

impl From<Timestamp> for Instant {
    fn from(time: Timestamp) -> Self {
        Self(time.to_zoned(TimeZone::UTC).datetime())
    }
}

/// RFC 3339, in UTC.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.0)
    }
}

/// Reads a date and time with `Z` or an offset.
impl FromStr for Instant {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let pieces = Pieces::parse(text)?;
        let offset = pieces.to_numeric_offset().ok_or_else(|| jiff::Error::from_args(format_args!("no offset")))?;
        let time = pieces.time().ok_or_else(|| jiff::Error::from_args(format_args!("no time of day")))?;
        Self::at(pieces.date().to_datetime(time), offset)
            .ok_or_else(|| jiff::Error::from_args(format_args!("outside of the years that can be kept")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_of_9999_is_a_moment() {
        for (text, shown) in [
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("9999-12-31T23:59:59.999999+00:00", "9999-12-31T23:59:59.999999Z"),
            ("9999-12-31T20:00:00-03:00", "9999-12-31T23:00:00Z"),
            ("2025-05-07T14:42:18.120+02:00", "2025-05-07T12:42:18.12Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(text.parse::<Instant>().unwrap().to_string(), shown);
        }
        for wrong in ["9999-12-31T23:59:59-01:00", "2025-05-07T14:42:18", "2025-05-07", "soon", ""] {
            assert!(wrong.parse::<Instant>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_compare_by_time_whatever_their_offset() {
        let of = |text: &str| text.parse::<Instant>().unwrap();
        assert_eq!(of("2025-05-07T14:00:00+02:00"), of("2025-05-07T12:00:00Z"));
        assert!(of("2025-05-07T14:00:00+02:00") < of("2025-05-07T13:00:00Z"));
        assert_eq!(Instant::from(Timestamp::UNIX_EPOCH), of("1970-01-01T00:00:00Z"));
    }
}
