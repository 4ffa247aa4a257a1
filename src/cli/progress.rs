//! The progress of a job on standard error: a line that is drawn again on a terminal, or lines of JSON for programs.

use crate::config::Phase;
use crate::progress::{Meter, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How progress is shown (`--progress`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::cli) enum Showing {
    /// A line on a terminal, and nothing elsewhere.
    #[default]
    Auto,
    /// One JSON object a line, on a terminal or not.
    Json,
    /// Nothing.
    None,
}

/// What is shown of the current phase.
#[derive(Debug)]
pub(super) struct Display {
    meter: Meter,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Hidden,
    Bar(Mutex<ProgressBar>),
    /// When the last line was written.
    Lines(Mutex<Option<Instant>>),
}

/// So often a line is written at most, but for the first and the last of a phase.
const EVERY: Duration = Duration::from_millis(250);
/// The length of a bar that is full.
const FULL: f64 = 1_000.0;

impl Display {
    /// Before the first phase. `watched`: a terminal shows standard error, and the user did not ask for quiet.
    pub(super) fn new(showing: Showing, watched: bool) -> Self {
        let form = match showing {
            Showing::Json => Form::Lines(Mutex::new(None)),
            Showing::Auto if watched => Form::Bar(Mutex::new(ProgressBar::hidden())),
            Showing::Auto | Showing::None => Form::Hidden,
        };
        Self { meter: Meter::default(), form }
    }

    /// A phase begins, and replaces the one before.
    pub(super) fn phase(&self, phase: Phase, files: u64, bytes: u64) {
        let before = self.meter.phase(phase, files, bytes);
        match &self.form {
            Form::Hidden => {}
            Form::Lines(_) => {
                before.into_iter().chain(self.meter.now()).for_each(|progress| self.line(&progress, true));
            }
            Form::Bar(bar) => {
                let mut bar = lock(bar);
                // Before the next one is drawn, or its line stays.
                bar.finish_and_clear();
                let next = ProgressBar::with_draw_target(Some(FULL as u64), ProgressDrawTarget::stderr());
                next.set_style(style(files > 0 || bytes > 0));
                next.set_prefix(phase.name());
                self.meter.now().iter().for_each(|progress| draw(&next, progress));
                next.enable_steady_tick(Duration::from_millis(120));
                *bar = next;
            }
        }
    }

    /// Adds to what is done of the phase.
    pub(super) fn advance(&self, files: u64, bytes: u64) {
        let Some(progress) = self.meter.advance(files, bytes) else { return };
        match &self.form {
            Form::Hidden => {}
            Form::Lines(_) => self.line(&progress, false),
            Form::Bar(bar) => draw(&lock(bar), &progress),
        }
    }

    /// Runs a function that writes to the terminal while the display is suspended.
    pub(super) fn suspended<T>(&self, act: impl FnOnce() -> T) -> T {
        match &self.form {
            Form::Bar(bar) => {
                let bar = lock(bar).clone();
                bar.suspend(act)
            }
            Form::Hidden | Form::Lines(_) => act(),
        }
    }

    /// Ends the display.
    pub(super) fn end(&self) {
        let last = self.meter.end();
        match &self.form {
            Form::Hidden => {}
            Form::Lines(_) => last.iter().for_each(|progress| self.line(progress, true)),
            Form::Bar(bar) => lock(bar).finish_and_clear(),
        }
    }

    fn line(&self, progress: &Progress, always: bool) {
        let Form::Lines(written) = &self.form else { return };
        let mut written = lock(written);
        if always || written.is_none_or(|at| at.elapsed() >= EVERY) {
            *written = Some(Instant::now());
            let line = serde_json::to_string(progress).expect("numbers and names are always JSON");
            // A broken standard error cannot be reported anywhere.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }
}

/// A display whose thread panicked while drawing can still be cleared.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    bar.set_position((progress.part().unwrap_or_default() * FULL) as u64);
    bar.set_message(progress.words());
}

fn style(with_total: bool) -> ProgressStyle {
    let template = if with_total { "{prefix:9} [{bar:16}] {msg}" } else { "{prefix:9} {spinner} {msg} {elapsed}" };
    ProgressStyle::with_template(template).expect("our own template").progress_chars("=> ")
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
    fn what_is_shown_depends_on_what_was_asked_and_on_who_watches() {
        let shown = |showing, watched| match Display::new(showing, watched).form {
            Form::Hidden => "nothing",
            Form::Bar(_) => "bar",
            Form::Lines(_) => "lines",
        };
        assert_eq!([true, false].map(|watched| shown(Showing::Auto, watched)), ["bar", "nothing"]);
        assert_eq!([true, false].map(|watched| shown(Showing::Json, watched)), ["lines"; 2]);
        assert_eq!([true, false].map(|watched| shown(Showing::None, watched)), ["nothing"; 2]);
    }
}
