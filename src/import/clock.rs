//! How long the phases of an import take.

use crate::database::{self};
use crate::report::Timings;
use jiff::Timestamp;
use std::time::Instant;

/// Times the phases.
pub(super) struct Clock {
    pub(super) started: Timestamp,
    begun: Instant,
    lap: Instant,
    timings: Timings,
}

impl Clock {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self { started: database::now(), begun: now, lap: now, timings: Timings::default() }
    }

    pub(super) fn lap(&mut self, of: impl Fn(&mut Timings) -> &mut u64) {
        let now = Instant::now();
        *of(&mut self.timings) += millis(now - self.lap);
        self.lap = now;
    }

    pub(super) fn timings(&self) -> Timings {
        Timings { total: millis(self.begun.elapsed()), ..self.timings }
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
