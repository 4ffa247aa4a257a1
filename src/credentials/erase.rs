//! What remains of old secrets after a commit: in the database's own files, and in copies of it.

use super::Job;
use crate::backup::folder::Folder;
use crate::backup::manifest::Manifest;
use crate::database::{KEYS_TABLE, Mode, traces};
use crate::outputs::resolve;
use crate::secret::proof::{LeakSearch, SecretSet};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
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
    let mut traces = match job.database.file() {
        Some(_) => Traces { own: own(job, looked, live, rewrite), ..Traces::default() },
        None => Traces { rewriting: job.database.rewriting(&looked.tables), ..Traces::default() },
    };
    traces.copies = copies(job, looked, live);
    traces
}

/// What is left in the database's own files.
fn own(job: &Job<'_>, looked: &Looked<'_>, live: &BTreeSet<usize>, rewrite: Rewrite) -> Vec<String> {
    let mut own = Vec::new();
    let left = || -> Vec<String> {
        let files = traces::files_of(job.database);
        files.iter().filter_map(|path| told(path, &found(job, path, None, looked), live)).collect()
    };
    if (rewrite == Rewrite::Always || !left().is_empty())
        && let Err(error) = job.database.rewrite()
    {
        own.push(format!("the file, which could not be rewritten: {}", error.message));
    }
    own.extend(left());
    own
}

/// The copies that hold what is looked for, or whose manifest names one of the keys.
fn copies(job: &Job<'_>, looked: &Looked<'_>, live: &BTreeSet<usize>) -> Vec<String> {
    let beside = traces::copies_of(job.database);
    let mut copies: BTreeMap<PathBuf, Option<Manifest>> = beside.iter().map(|path| (resolve(path), None)).collect();
    for folder in [None, job.before.folder] {
        // A folder that cannot be listed is not searched, as the message about copies says.
        let entries = Folder::of_database(folder, job.database).and_then(|folder| folder.entries());
        copies.extend(entries.unwrap_or_default().into_iter().map(|entry| (resolve(&entry.path), entry.manifest.ok())));
    }
    copies.retain(|path, _| looked.backup.is_none_or(|backup| resolve(backup) != *path));
    let holding = |(path, manifest): (&PathBuf, &Option<Manifest>)| {
        let keys = manifest.iter().flat_map(|manifest| &manifest.content.keys);
        if keys.into_iter().any(|key| looked.keys.contains(key)) {
            return Some(path.display().to_string());
        }
        told(path, &found(job, path, manifest.as_ref(), looked), live)
    };
    copies.iter().filter_map(holding).collect()
}

/// What a file holds of what is looked for; what a dump holds is packed.
fn found(
    job: &Job<'_>,
    path: &Path,
    manifest: Option<&Manifest>,
    looked: &Looked<'_>,
) -> Result<BTreeSet<usize>, String> {
    match (job.database.dumps(), manifest.and_then(|manifest| manifest.server.as_ref())) {
        (Some(dumps), Some(served)) => dumps.search(path, served, looked.search).map_err(|error| error.message.clone()),
        _ => traces::search(path, looked.search).map_err(|error| error.kind().to_string()),
    }
}

/// How a file is told that holds more of it than the cells of the database do.
fn told(path: &Path, found: &Result<BTreeSet<usize>, String>, live: &BTreeSet<usize>) -> Option<String> {
    match found {
        Ok(found) => found.difference(live).next().is_some().then(|| path.display().to_string()),
        Err(error) => Some(format!("{} (it cannot be read: {error})", path.display())),
    }
}

/// A search for the wrapped keys that were replaced.
pub(super) fn search_for<'t>(texts: impl Iterator<Item = &'t str>) -> LeakSearch {
    let mut set = SecretSet::new();
    for text in texts {
        set.add(text);
    }
    set.freeze()
}
