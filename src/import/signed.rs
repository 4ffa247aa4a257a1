//! What the sign-off lists of a report have: what was ignored, and what is kept and not whole, and why.

use super::files::FileState;
use super::leaves::sheet::Reasons;
use crate::report::FileStatus;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What they have of one owner, of files that stand apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signed {
    /// The owner's id.
    pub(super) owner: String,
    pub(super) lines: Vec<Line>,
}

/// A line of one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) is_lossy: bool,
    pub(super) what: String,
    pub(super) reason: String,
    pub(super) files: u64,
    pub(super) leaves: u64,
}

/// Both lists, by what and why: how many files and leaves.
#[derive(Default)]
pub(super) struct Lines(BTreeMap<(bool, String, String), (u64, u64)>);

impl Lines {
    pub(super) fn add(&mut self, (is_lossy, what, reason): (bool, &str, &str), (files, leaves): (u64, u64)) {
        let counts = self.0.entry((is_lossy, what.to_owned(), reason.to_owned())).or_default();
        *counts = (counts.0 + files, counts.1 + leaves);
    }

    /// Adds what a file that was read has.
    pub(super) fn add_file(&mut self, state: &FileState, reasons: &Reasons) {
        match state.status {
            Some(FileStatus::Ignored) => {
                // Alias copies each have their own reason; the list has one line for all.
                let what = state.why().and_then(|why| why.what.as_deref()).unwrap_or_default();
                let reason = match what {
                    "alias copies" => "the same bytes as in the owner's other directory",
                    _ => state.reason().map(|reason| &**reason).unwrap_or_default(),
                };
                self.add((false, what, reason), (1, 0));
            }
            Some(FileStatus::Imported) => {
                for (reason, count) in state.reasons() {
                    let (what, why) = reasons.text(reason);
                    self.add((reasons.is_lossy(reason), what, why), (0, count));
                }
            }
            _ => {}
        }
    }

    pub(super) fn into_lines(self) -> impl Iterator<Item = Line> {
        let line = |((is_lossy, what, reason), (files, leaves))| Line { is_lossy, what, reason, files, leaves };
        self.0.into_iter().map(line)
    }
}
