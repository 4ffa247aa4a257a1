//! Who else is at the database: words for a lock, unfinished files of runs that go or were killed.

use super::connect::bare;
use super::file::{io_fault, unfinished_prefix};
use super::location::{Fault, Location};
use super::words;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::outputs::with_suffix;
use crate::platform::{self, free_space};
use rusqlite::{ErrorCode, OpenFlags};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The words for a database that another program holds, with that program where the system names it.
pub(super) fn locked(location: &Location) -> Error {
    let holder = ["", "-shm"].iter().find_map(|suffix| holder(&with_suffix(&location.path, suffix)));
    let by = holder.map_or(String::new(), |holder| format!(": {holder}"));
    Error::environment(format!("the database is locked by another program{by}"))
        .at(&location.shown)
        .hint("stop that program, then run again")
}

impl Location {
    /// The words for a fault of SQLite on it.
    pub(super) fn fault(&self, error: &rusqlite::Error) -> Error {
        let temporary = std::env::temp_dir();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) if is_fuller(free_space(&temporary), free_space(self.directory())) => {
                words::fault(error, temporary.display())
                    .hint("make room there, or name another folder for temporary files by TMPDIR")
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                interrupt::error().unwrap_or_else(|| locked(self))
            }
            _ => words::fault(error, &self.shown),
        }
    }

    /// The words for a fault on it.
    pub(super) fn words(&self, fault: Fault) -> Error {
        match fault {
            Fault::Sqlite(error) => self.fault(&error),
            Fault::Said(error) => error,
        }
    }
}

/// Whether a full disk is that of temporary files, where SQLite sorts and where a dry run has its copy, and not the
/// database's: it does not say which.
fn is_fuller(temporary: Option<u64>, database: Option<u64>) -> bool {
    temporary.zip(database).is_some_and(|(temporary, database)| temporary < database)
}

/// The process that has locks on a file, in words; `None` where nothing is known of it.
fn holder(path: &Path) -> Option<String> {
    let (process, name) = platform::lock_holder(path)?;
    let name = name.map_or(String::new(), |name| format!(", `{}`", crate::finding::printable(&name)));
    Some(format!("process {process}{name}"))
}

/// Unfinished files of this database that no living run holds.
pub(super) fn leftovers(location: &Location) -> Result<Vec<PathBuf>> {
    Ok(unfinished(location)?.into_iter().filter(|path| !is_held(path)).collect())
}

/// Refuses to start while another run builds the same file.
pub(super) fn check_rivals(location: &Location) -> Result<()> {
    let Some(held) = unfinished(location)?.into_iter().find(|path| is_held(path)) else { return Ok(()) };
    let by = holder(&held).map_or(String::new(), |holder| format!(": {holder}"));
    Err(Error::environment(format!("another program is creating this database{by}"))
        .at(&location.shown)
        .hint("wait for it to finish, then look at the result"))
}

fn unfinished(location: &Location) -> Result<Vec<PathBuf>> {
    let prefix = unfinished_prefix(&location.path);
    let directory = location.directory();
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| io_fault(&error, directory.display()))?.into_iter();
    let is_unfinished =
        |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
    let mut paths: Vec<PathBuf> = entries.filter(is_unfinished).map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Whether a running program holds the unfinished file (or the one that this is the journal of).
fn is_held(path: &Path) -> bool {
    let database = platform::without_suffix(path, "-journal").unwrap_or(path);
    let asked = bare(database, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|conn| {
        conn.busy_timeout(Duration::ZERO)?;
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    });
    matches!(
        asked.err().and_then(|error| error.sqlite_error_code()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_that_of_temporary_files_where_less_is_free_there() {
        assert!(is_fuller(Some(0), Some(1 << 30)));
        assert!(!is_fuller(Some(1 << 30), Some(0)));
        assert!(!is_fuller(Some(0), Some(0)));
        assert!(!is_fuller(None, Some(0)) && !is_fuller(Some(0), None));
    }
}
