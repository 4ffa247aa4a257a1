//! The progress display: one line on standard error, only on a terminal.

use crate::config::Phase;
use crate::report::words::thousands;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The display of the current phase.
#[derive(Debug)]
pub(super) struct Progress {
    visible: bool,
    bar: Mutex<ProgressBar>,
    done: AtomicU64,
    total: AtomicU64,
    /// What is counted.
    counted: Mutex<&'static str>,
}

impl Progress {
    /// Before the first phase.
    pub(super) fn new(visible: bool) -> Self {
        Self {
            visible,
            bar: Mutex::new(ProgressBar::hidden()),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            counted: Mutex::new("files"),
        }
    }

    /// A phase begins, and replaces the one before.
    pub(super) fn phase(&self, phase: Phase, files: u64, bytes: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(files, Ordering::Relaxed);
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = counted(phase);
        if !self.visible {
            return;
        }
        let bar = ProgressBar::with_draw_target((bytes > 0).then_some(bytes), ProgressDrawTarget::stderr());
        bar.set_style(style(bytes > 0));
        bar.set_prefix(name(phase));
        bar.set_message(self.words(0));
        bar.enable_steady_tick(Duration::from_millis(120));
        let former = std::mem::replace(&mut *self.lock(), bar);
        former.finish_and_clear();
    }

    /// Adds to what is done of the phase.
    pub(super) fn advance(&self, files: u64, bytes: u64) {
        if !self.visible {
            return;
        }
        let done = self.done.fetch_add(files, Ordering::Relaxed) + files;
        let bar = self.lock();
        bar.inc(bytes);
        bar.set_message(self.words(done));
    }

    /// Runs a function that writes to the terminal while the display is suspended.
    pub(super) fn suspended<T>(&self, act: impl FnOnce() -> T) -> T {
        let bar = self.lock().clone();
        bar.suspend(act)
    }

    /// Removes the display.
    pub(super) fn end(&self) {
        self.lock().finish_and_clear();
    }

    fn words(&self, done: u64) -> String {
        let what = *self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        count_words(done, self.total.load(Ordering::Relaxed), what)
    }

    /// A display whose thread panicked while drawing can still be cleared.
    fn lock(&self) -> std::sync::MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn style(with_total: bool) -> ProgressStyle {
    let template = if with_total {
        "{prefix:9} [{bar:16}] {decimal_bytes} of {decimal_total_bytes}, {msg}, {decimal_bytes_per_sec}, {eta} left"
    } else {
        "{prefix:9} {spinner} {msg} {elapsed}"
    };
    ProgressStyle::with_template(template).expect("our own template").progress_chars("=> ")
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Walk => "walking",
        Phase::Sweep => "sweeping",
        Phase::Ahead => "reading",
        Phase::Import => "importing",
        Phase::Transfer => "copying",
        Phase::Export => "exporting",
        Phase::Seal => "opening",
        Phase::Check => "checking",
        Phase::Finish => "finishing",
    }
}

/// What the numbers of a phase count.
fn counted(phase: Phase) -> &'static str {
    match phase {
        Phase::Seal => "values",
        Phase::Transfer | Phase::Export => "rows",
        _ => "files",
    }
}

fn count_words(done: u64, total: u64, what: &str) -> String {
    match total {
        0 => format!("{} {what}", thousands(done)),
        _ => format!("{} of {} {what}", thousands(done), thousands(total)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_are_valid_templates() {
        style(true);
        style(false);
    }

    #[test]
    fn files_are_counted_against_their_total_where_it_is_known() {
        assert_eq!(count_words(1_200, 0, "files"), "1,200 files");
        assert_eq!(count_words(1, 1_200, "values"), "1 of 1,200 values");
    }
}
