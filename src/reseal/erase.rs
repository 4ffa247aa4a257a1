//! What is left of old secrets after a commit: in the database's own files, and in copies of it.

use super::Job;
use crate::secret::proof::{LeakSearch, SecretSet};
use crate::target::{Mode, traces};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where something old still stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Traces {
    /// The database's own files that still hold it, in words: what should be empty.
    pub own: Vec<String>,
    /// Copies found beside the database that still hold it.
    pub copies: Vec<String>,
}

/// Whether the file is written anew in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewrite {
    Always,
    IfFound,
}

/// Sees to it that nothing of the search is left in the database's files but what stands in its
/// cells (`live`), and looks for copies that have it. The commit is done: nothing here undoes it.
pub(super) fn erase(job: &Job<'_>, search: &LeakSearch, live: &BTreeSet<usize>, rewrite: Rewrite) -> Traces {
    let Some(file) = job.target.file().filter(|_| job.mode == Mode::Real) else { return Traces::default() };
    let mut traces = Traces::default();
    let holding = |paths: Vec<PathBuf>| -> Vec<String> {
        let told = |path: &PathBuf| match traces::search(path, search) {
            Ok(found) => found.difference(live).next().is_some().then(|| path.display().to_string()),
            Err(error) => Some(format!("{} (it cannot be read: {})", path.display(), error.kind())),
        };
        paths.iter().filter_map(told).collect()
    };
    let left = || holding(traces::files_of(file));
    if (rewrite == Rewrite::Always || !left().is_empty())
        && let Err(error) = job.target.rewrite()
    {
        traces.own.push(format!("the file, which could not be written anew: {}", error.message));
    }
    traces.own.extend(left());
    traces.copies = holding(traces::copies_of(file));
    traces
}

/// A search for the wrapped keys that were replaced.
pub(super) fn search_for<'t>(texts: impl Iterator<Item = &'t str>) -> LeakSearch {
    let mut set = SecretSet::new();
    for text in texts {
        set.add(text);
    }
    set.freeze()
}
