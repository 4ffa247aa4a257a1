//! The interface of an application that embeds a job: functions for what it wants to see and to answer.
//!
//! `examples/embed.rs` imports a tree with it.

use crate::config::{Phase, SecretNeed, Ui};
use crate::error::{Error, Result};
use crate::progress::{Meter, Progress};
use crate::secret::keys::Secret;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// The number of the signal that asks to stop, the same on every Unix.
const SIGINT: i32 = 2;

type Sees<'a> = Box<dyn Fn(&Progress) + Sync + 'a>;
type Hears<'a> = Box<dyn Fn(&str) + Sync + 'a>;
type Confirms<'a> = Box<dyn Fn(&str) -> bool + Sync + 'a>;
type Gives<'a> = Box<dyn Fn(SecretNeed) -> Result<Option<Secret>> + Sync + 'a>;

/// A [`Ui`] made of functions. Without any of them it shows nothing, answers no, has no secret, and is never cancelled.
#[derive(Default)]
pub struct Callbacks<'a> {
    meter: Meter,
    progress: Option<Sees<'a>>,
    message: Option<Hears<'a>>,
    confirm: Option<Confirms<'a>>,
    secret: Option<Gives<'a>>,
    cancelled: Option<&'a AtomicBool>,
}

impl fmt::Debug for Callbacks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callbacks")
    }
}

impl<'a> Callbacks<'a> {
    /// Without any function.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls this with how far the job is: often, and with the last of each phase.
    #[must_use]
    pub fn progress(mut self, see: impl Fn(&Progress) + Sync + 'a) -> Self {
        self.progress = Some(Box::new(see));
        self
    }

    /// Calls this with messages, such as which set was chosen, and with faults that do not end the job.
    #[must_use]
    pub fn message(mut self, see: impl Fn(&str) + Sync + 'a) -> Self {
        self.message = Some(Box::new(see));
        self
    }

    /// Asks this before an existing database is changed; `false` ends the job.
    #[must_use]
    pub fn confirm(mut self, confirm: impl Fn(&str) -> bool + Sync + 'a) -> Self {
        self.confirm = Some(Box::new(confirm));
        self
    }

    /// Asks this for the passphrase or key, once.
    #[must_use]
    pub fn secret(mut self, give: impl Fn(SecretNeed) -> Result<Option<Secret>> + Sync + 'a) -> Self {
        self.secret = Some(Box::new(give));
        self
    }

    /// Ends the job as a signal does, with nothing written, once this is `true`.
    #[must_use]
    pub fn cancelled_by(mut self, flag: &'a AtomicBool) -> Self {
        self.cancelled = Some(flag);
        self
    }

    fn show(&self, progress: Option<Progress>) {
        if let (Some(see), Some(progress)) = (&self.progress, progress) {
            see(&progress);
        }
    }
}

impl Drop for Callbacks<'_> {
    fn drop(&mut self) {
        self.show(self.meter.end());
    }
}

impl Ui for Callbacks<'_> {
    fn phase(&self, phase: Phase, files: u64, bytes: u64) {
        self.show(self.meter.phase(phase, files, bytes));
        self.show(self.meter.now());
    }

    fn advance(&self, files: u64, bytes: u64) {
        self.show(self.meter.advance(files, bytes));
    }

    fn interrupted(&self) -> Option<i32> {
        self.cancelled.filter(|flag| flag.load(Ordering::Relaxed)).map(|_| SIGINT)
    }

    fn confirm(&self, question: &str) -> Result<bool> {
        Ok(self.confirm.as_ref().is_some_and(|confirm| confirm(question)))
    }

    fn secret(&self, need: SecretNeed) -> Result<Option<Secret>> {
        match (&self.secret, need) {
            (Some(give), _) => give(need),
            (None, SecretNeed::IfGiven | SecretNeed::IfAttended) => Ok(None),
            (None, SecretNeed::Create | SecretNeed::Open) => Err(Error::request("no passphrase or key was given")),
        }
    }

    fn say(&self, line: &str) {
        self.message.iter().for_each(|see| see(line));
    }
}
