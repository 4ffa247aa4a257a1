//! How far a job is: one computation for the terminal, for programs that read lines, and for applications.

use crate::config::Phase;
use crate::report::words::{bytes, duration, thousands};
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far a phase of a job is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// What `done` and `total` count: `files`, `values` or `rows`.
    pub counts: &'static str,
    /// How many are done.
    pub done: u64,
    /// How many there are, where that is known.
    pub total: Option<u64>,
    /// How many bytes are done.
    pub bytes_done: u64,
    /// How many there are, where that is known.
    pub bytes_total: Option<u64>,
    /// How long the phase has been going on, in seconds.
    pub seconds: f64,
    /// How much is done in a second, bytes where their total is known; none before there is enough to tell.
    pub rate: Option<f64>,
    /// How long the phase may still take; none where that cannot be told honestly.
    pub seconds_left: Option<u64>,
    /// Whether it is the last of its phase.
    pub last: bool,
}

/// Less than this tells nothing about the rest: so long, and one part of so many.
const ENOUGH_TIME: Duration = Duration::from_secs(2);
const ENOUGH_OF: u64 = 100;
/// What has not gone on for so long waits for something else, such as a key that is derived or a lock.
const STALLED: Duration = Duration::from_secs(5);

impl Progress {
    /// In words, as the terminal shows it behind the name of the phase.
    pub fn words(&self) -> String {
        let things = match self.total {
            None => format!("{} {}", thousands(self.done), self.counts),
            Some(total) => format!("{} of {} {}", thousands(self.done), thousands(total), self.counts),
        };
        let size = self.bytes_total.map(|total| format!("{} of {}", bytes(self.bytes_done), bytes(total)));
        let rate = self.rate.map(|rate| match self.bytes_total {
            Some(_) => format!("{}/s", bytes(rate as u64)),
            None => format!("{} {}/s", thousands(rate as u64), self.counts),
        });
        let left = self.seconds_left.map(|seconds| format!("{} left", duration(seconds.saturating_mul(1_000))));
        [size, Some(things), rate, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The part that is done, from 0 to 1, where the total is known.
    pub fn part(&self) -> Option<f64> {
        let (done, total) = self.measured()?;
        Some((done as f64 / total as f64).min(1.0))
    }

    /// What is measured: bytes where their total is known, else things.
    fn measured(&self) -> Option<(u64, u64)> {
        let bytes = self.bytes_total.map(|total| (self.bytes_done, total));
        bytes.or(self.total.map(|total| (self.done, total)))
    }
}

impl Phase {
    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Walk => "walking",
            Self::Sweep => "sweeping",
            Self::Ahead => "reading",
            Self::Import => "importing",
            Self::Transfer => "copying",
            Self::Export => "exporting",
            Self::Seal => "opening",
            Self::Check => "checking",
            Self::Finish => "finishing",
        }
    }

    /// What its numbers count.
    fn counts(self) -> &'static str {
        match self {
            Self::Seal => "values",
            Self::Transfer | Self::Export => "rows",
            _ => "files",
        }
    }
}

/// Measures a job by what its [`Ui`](crate::config::Ui) hears.
#[derive(Debug, Default)]
pub struct Meter {
    phase: Mutex<Option<Measured>>,
}

/// A phase that goes on.
#[derive(Debug, Clone)]
struct Measured {
    phase: Phase,
    total: u64,
    bytes_total: u64,
    done: u64,
    bytes_done: u64,
    begun: Instant,
    advanced: Option<Instant>,
}

impl Meter {
    /// A phase begins. Gives the last of the one before.
    pub fn phase(&self, phase: Phase, total: u64, bytes_total: u64) -> Option<Progress> {
        let (begun, advanced) = (Instant::now(), None);
        let next = Measured { phase, total, bytes_total, done: 0, bytes_done: 0, begun, advanced };
        let before = self.lock().replace(next);
        before.map(|before| before.progress(Instant::now(), true))
    }

    /// Adds to what is done. Gives how far it is.
    pub fn advance(&self, done: u64, bytes: u64) -> Option<Progress> {
        let now = Instant::now();
        let mut measured = self.lock();
        let measured = measured.as_mut()?;
        measured.done += done;
        measured.bytes_done += bytes;
        measured.advanced = Some(now);
        Some(measured.progress(now, false))
    }

    /// How far the phase is that goes on.
    pub fn now(&self) -> Option<Progress> {
        self.lock().as_ref().map(|measured| measured.progress(Instant::now(), false))
    }

    /// The job is over. Gives the last of its last phase.
    pub fn end(&self) -> Option<Progress> {
        self.lock().take().map(|measured| measured.progress(Instant::now(), true))
    }

    /// Numbers are numbers, also where the thread panicked that wrote them.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Measured>> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measured {
    fn progress(&self, now: Instant, last: bool) -> Progress {
        let since = now.saturating_duration_since(self.begun);
        let some = |total: u64| (total > 0).then_some(total);
        let mut progress = Progress {
            phase: self.phase,
            counts: self.phase.counts(),
            done: self.done,
            total: some(self.total),
            bytes_done: self.bytes_done,
            bytes_total: some(self.bytes_total),
            seconds: (since.as_secs_f64() * 1_000.0).round() / 1_000.0,
            rate: None,
            seconds_left: None,
            last,
        };
        let goes_on = self.advanced.is_some_and(|at| now.saturating_duration_since(at) < STALLED);
        let done = if self.bytes_total > 0 { self.bytes_done } else { self.done };
        if since < ENOUGH_TIME || done == 0 || !(goes_on || last) {
            return progress;
        }
        let rate = done as f64 / since.as_secs_f64();
        progress.rate = Some((rate * 10.0).round() / 10.0);
        let left = progress.measured().and_then(|(done, total)| total.checked_sub(done).zip(Some(total)));
        if let Some((left, total)) = left.filter(|(left, total)| *left > 0 && done >= total / ENOUGH_OF) {
            debug_assert!(left <= total);
            progress.seconds_left = (!last).then(|| (left as f64 / rate).ceil() as u64);
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(total: u64, bytes_total: u64, done: u64, bytes_done: u64) -> Measured {
        let begun = Instant::now();
        Measured { phase: Phase::Import, total, bytes_total, done, bytes_done, begun, advanced: Some(begun) }
    }

    fn after(measured: &Measured, seconds: u64, idle: u64) -> Progress {
        let now = measured.begun + Duration::from_secs(seconds);
        let advanced = now.checked_sub(Duration::from_secs(idle));
        Measured { advanced, ..measured.clone() }.progress(now, false)
    }

    #[test]
    fn the_rest_is_estimated_from_what_is_done_and_not_before_there_is_enough() {
        let half = measured(10, 1_000, 5, 500);
        assert_eq!((after(&half, 1, 0).rate, after(&half, 1, 0).seconds_left), (None, None), "too early");
        assert_eq!((after(&half, 10, 0).rate, after(&half, 10, 0).seconds_left), (Some(50.0), Some(10)));
        assert_eq!((after(&half, 10, 6).rate, after(&half, 10, 6).seconds_left), (None, None), "it waits");
        let little = measured(1_000, 100_000, 1, 10);
        assert_eq!((after(&little, 10, 0).rate, after(&little, 10, 0).seconds_left), (Some(1.0), None), "too little");
        assert_eq!(after(&measured(0, 0, 7, 0), 10, 0).seconds_left, None, "nobody knows how many there are");
        assert_eq!(after(&measured(4, 0, 2, 0), 10, 0).seconds_left, Some(10), "without bytes by things");
        assert_eq!(after(&measured(4, 8, 4, 8), 10, 0).seconds_left, None, "nothing is left");
        assert_eq!(after(&measured(4, 8, 5, 9), 10, 0).part(), Some(1.0), "a file grew");
    }

    #[test]
    fn it_is_said_in_words() {
        let half = measured(3_000, 2_000_000, 1_500, 1_000_000);
        assert_eq!(after(&half, 10, 0).words(), "1.0 MB of 2.0 MB, 1,500 of 3,000 files, 100.0 kB/s, 10.0 s left");
        assert_eq!(after(&measured(0, 0, 1_200, 0), 1, 0).words(), "1,200 files");
    }

    #[test]
    fn a_phase_ends_when_the_next_begins_and_with_the_job() {
        let meter = Meter::default();
        assert_eq!((meter.advance(1, 1), meter.phase(Phase::Walk, 0, 0)), (None, None));
        assert_eq!(meter.advance(2, 0).map(|progress| (progress.done, progress.last)), Some((2, false)));
        let before = meter.phase(Phase::Seal, 4, 0);
        assert_eq!(before.map(|progress| (progress.phase, progress.done, progress.last)), Some((Phase::Walk, 2, true)));
        let end = meter.end();
        assert_eq!(end.map(|progress| (progress.counts, progress.done, progress.last)), Some(("values", 0, true)));
        assert_eq!((meter.end(), meter.now()), (None, None));
    }
}
