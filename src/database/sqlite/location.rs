//! Where a database is, and why work on it ended.

use super::made::Made;
use crate::error::Error;
use std::path::{Path, PathBuf};

/// A database as the user wrote it and as the system finds it.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// Absolute, so that SQLite never takes it for a `file:` URI, and with links resolved: journals lie
    /// beside the file, not beside a link to it.
    pub(super) path: PathBuf,
    /// As the user wrote it.
    pub(super) shown: String,
    /// The table for the record of migrations that the set names.
    pub(super) record: Option<String>,
    /// Whether a new file has a write-ahead log.
    pub(super) is_wal: bool,
    /// What the set's migrations make, once an import knows it.
    pub(super) made: Made,
}

impl Location {
    /// A file at this place that is shown so.
    pub(super) fn of(path: PathBuf, shown: &str) -> Self {
        Self { path, shown: shown.to_owned(), record: None, is_wal: false, made: Made::default() }
    }

    /// The directory it lies in.
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

/// A fault of SQLite, which gets its words where the database is known; or one that is in words already.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Said(Error),
}

/// What came of work on an open database.
pub(super) type Tried<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}
