//! Where a database is.

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
}

impl Location {
    /// The directory it lies in.
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}
