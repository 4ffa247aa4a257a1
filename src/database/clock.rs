//! Values that a clock gave during a test of migrations: the same statement gives others each time.

use super::Cell;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What is written in place of such a value.
pub(super) const MASK: &str = "\u{0}a clock\u{0}";

/// A span of time, to a second more on both sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    from: Timestamp,
    to: Timestamp,
}

impl Clock {
    /// From this moment until now.
    pub(super) fn since(from: Timestamp) -> Self {
        let second = SignedDuration::from_secs(1);
        let to = Timestamp::now();
        Self { from: from.checked_sub(second).unwrap_or(from), to: to.checked_add(second).unwrap_or(to) }
    }

    /// The text of a cell, or one and the same for every value of this span in a form that SQLite's
    /// functions of date and time give (UTC).
    pub(super) fn masked(&self, cell: &Cell) -> Option<String> {
        let is_of_clock = match cell {
            Cell::Text(text) => self.has_text(text),
            Cell::Integer(seconds) => (self.from.as_second()..=self.to.as_second()).contains(seconds),
            // Unix seconds with a fraction, or a Julian day.
            Cell::Real(value) => self.has_seconds(*value) || self.has_seconds((*value - 2_440_587.5) * 86_400.0),
            Cell::Null | Cell::Blob(_) => false,
        };
        if is_of_clock { Some(MASK.to_owned()) } else { cell.text() }
    }

    fn has_seconds(&self, seconds: f64) -> bool {
        let edge = |time: Timestamp| time.as_millisecond() as f64 / 1_000.0;
        (edge(self.from)..=edge(self.to)).contains(&seconds)
    }

    fn has_text(&self, text: &str) -> bool {
        let [from, to] = [self.from, self.to].map(|time| time.to_zoned(TimeZone::UTC).datetime());
        let plain = text.strip_suffix('Z').unwrap_or(text);
        if let Ok(date) = plain.parse::<Date>()
            && plain.len() == "2026-01-02".len()
        {
            return (from.date()..=to.date()).contains(&date);
        }
        if let Ok(time) = plain.parse::<Time>()
            && plain.contains(':')
            && !plain.contains('-')
        {
            // A span over midnight is as good as all day.
            return from.date() != to.date() || (from.time()..=to.time()).contains(&time);
        }
        plain.contains('-') && plain.parse::<DateTime>().is_ok_and(|time| (from..=to).contains(&time))
    }
}
