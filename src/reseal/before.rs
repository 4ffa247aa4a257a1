//! The backup before a job: it goes again when the job fails, since nothing was changed then.

use super::Job;
use crate::backup::{self, Before};
use crate::error::Result;
use crate::target::Mode;
use std::path::PathBuf;

/// A backup that is removed again unless it is kept.
pub(super) struct Safety(Option<PathBuf>);

impl Safety {
    /// Makes the backup; a rehearsal makes none.
    pub(super) fn make(job: &Job<'_>, what: &str) -> Result<Self> {
        let how = Before { skip: job.before.skip || job.mode == Mode::Dry, ..job.before.clone() };
        let made = backup::before(job.target, what, &how, job.companion)?;
        Ok(Self(made.map(|made| made.path)))
    }

    /// Keeps it, as the last thing before the commit: whatever that gives, it may have been done.
    pub(super) fn keep(mut self) -> Option<PathBuf> {
        self.0.take()
    }
}

impl Drop for Safety {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            backup::withdraw(path);
        }
    }
}
