//! What remains of old secrets after a commit: in the database's own files, and in copies of it.

use super::Job;
use crate::backup::folder::Folder;
use crate::database::{KEYS_TABLE, Mode, traces};
use crate::outputs::resolve;
use crate::secret::proof::{LeakSearch, SecretSet};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where old secrets remain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Traces {
    /// The database's own files that still hold it, as text; empty after a complete erasure.
    pub own: Vec<String>,
    /// Copies beside the database and backups that still hold it.
    pub copies: Vec<String>,
    /// On a server, where nothing can be erased: the statements that rewrite the tables which held it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rewriting: Vec<String>,
}

/// What is looked for.
pub(super) struct Looked<'l> {
    /// In the bytes of files, packed ones included.
    pub search: &'l LeakSearch,
    /// In the manifests of backups: keys that open there with another secret, or that are gone here.
    pub keys: &'l [String],
    /// The backup that was just made, which is reported by itself.
    pub backup: Option<&'l Path>,
    /// The tables in which it was overwritten.
    pub tables: BTreeSet<String>,
}

impl<'l> Looked<'l> {
    /// Wrapped keys that were replaced.
    pub(super) fn of_keys(search: &'l LeakSearch, keys: &'l [String], backup: Option<&'l Path>) -> Self {
        Self { search, keys, backup, tables: BTreeSet::from([KEYS_TABLE.to_owned()]) }
    }
}

/// When the file is rewritten.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewrite {
    Always,
    IfFound,
}

/// Erases what the search finds from the database's files, except what its cells hold (`live`), and
/// looks for copies that have it. The commit is done: nothing here undoes it. What a server keeps is not within reach.
pub(super) fn erase(job: &Job<'_>, looked: &Looked<'_>, live: &BTreeSet<usize>, rewrite: Rewrite) -> Traces {
    if job.mode == Mode::Dry {
        return Traces::default();
    }
    let Some(file) = job.database.file() else {
        return Traces { rewriting: job.database.rewriting(&looked.tables), ..Traces::default() };
    };
    let mut traces = Traces::default();
    let holding = |path: &PathBuf| match traces::search(path, looked.search) {
        Ok(found) => found.difference(live).next().is_some().then(|| path.display().to_string()),
        Err(error) => Some(format!("{} (it cannot be read: {})", path.display(), error.kind())),
    };
    let left = || -> Vec<String> { traces::files_of(job.database).iter().filter_map(holding).collect() };
    if (rewrite == Rewrite::Always || !left().is_empty())
        && let Err(error) = job.database.rewrite()
    {
        traces.own.push(format!("the file, which could not be rewritten: {}", error.message));
    }
    traces.own.extend(left());
    let (mut copies, named) = copies(job, file, looked);
    copies.retain(|path| looked.backup.is_none_or(|backup| resolve(backup) != *path));
    let holding = |path: &PathBuf| if named.contains(path) { Some(path.display().to_string()) } else { holding(path) };
    traces.copies = copies.iter().filter_map(holding).collect();
    traces
}

/// Files that may be copies, and those of them whose manifest names one of the keys.
fn copies(job: &Job<'_>, file: &Path, looked: &Looked<'_>) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let mut copies: BTreeSet<PathBuf> = traces::copies_of(job.database).iter().map(|path| resolve(path)).collect();
    let mut named = BTreeSet::new();
    for folder in [None, job.before.folder] {
        // A folder that cannot be listed is not searched, as the message about copies says.
        for entry in Folder::of(folder, file).entries().unwrap_or_default() {
            let path = resolve(&entry.path);
            if entry.manifest.is_ok_and(|manifest| manifest.content.keys.iter().any(|key| looked.keys.contains(key))) {
                named.insert(path.clone());
            }
            copies.insert(path);
        }
    }
    (copies, named)
}

/// A search for the wrapped keys that were replaced.
pub(super) fn search_for<'t>(texts: impl Iterator<Item = &'t str>) -> LeakSearch {
    let mut set = SecretSet::new();
    for text in texts {
        set.add(text);
    }
    set.freeze()
}
