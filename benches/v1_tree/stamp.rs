//! Times.

use super::random::Random;
use std::fmt;

/// A moment of spring 2025, as `Date.prototype.toISOString` writes it.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    day: u32,
    milliseconds: u32,
}

impl Stamp {
    /// Any of them, to the millisecond.
    pub(crate) fn random(random: &mut Random) -> Self {
        Self { day: 2 + random.below(27), milliseconds: random.below(24 * 60 * 60 * 1_000) }
    }

    /// The same time of the day before.
    pub(crate) fn earlier(self) -> Self {
        Self { day: self.day - 1, ..self }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.milliseconds / 1_000, self.milliseconds % 1_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "2025-05-{:02}T{hour:02}:{minute:02}:{second:02}.{rest:03}Z", self.day)
    }
}
