//! Copies a database at one moment, and puts a file in the place of one.

use super::file::{self, Found, beside, io_fault};
use super::locks;
use super::open::{self, Location};
use crate::error::{Error, Result};
use crate::target::audit::random_id;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Copies a live database through SQLite's online backup, under SQLite's own lock, into a new file
/// that stands alone: without a journal beside it.
pub(super) fn copy(location: &Location, to: &Path) -> Result<()> {
    let Found::Database(bytes) = file::look(location)? else {
        return Err(Error::environment("there is no database").at(&location.shown));
    };
    open::check_space(to.parent().unwrap_or(Path::new("/")), bytes / 2)?;
    file::create_private(to).map_err(|error| io_fault(&error, to.display()))?;
    let copied = copy_into(location, to);
    if copied.is_err() {
        remove(to);
    }
    copied
}

fn copy_into(location: &Location, to: &Path) -> Result<()> {
    let fault = |error: rusqlite::Error| locks::named(location.fault(&error), &error, location);
    // A database in WAL mode, or with a journal of an interrupted write, is read as any program reads
    // it: by a connection that may write beside it.
    let from = if file::needs_companions(location)? {
        open::connect(&location.path)
    } else {
        open::connect_read_only(&location.path)
    }
    .map_err(fault)?;
    let mut copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(fault)?;
    match Backup::new(&from, &mut copy).and_then(|backup| backup.step(-1)).map_err(fault)? {
        StepResult::Done => {}
        _ => return Err(locks::locked(location)),
    }
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(fault)?;
    copy.close().map_err(|(_, error)| fault(error))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(|error| io_fault(&error, to.display()))
}

/// Puts a file in the place of the database: under a temporary name, then by one rename.
pub(super) fn replace(location: &Location, with: &Path) -> Result<()> {
    file::judge_directory(location)?;
    let size = fs::metadata(with).map_err(|error| io_fault(&error, with.display()))?.len();
    open::check_space(location.directory(), size / 2)?;
    // Held to the end, so that no program writes what would be lost.
    let lock = lock(location)?;
    let mut name = file::unfinished_prefix(&location.path);
    name.push(random_id()?);
    let temporary = location.directory().join(name);
    let fault = |error: std::io::Error| io_fault(&error, location.path.display());
    let put = || -> std::io::Result<()> {
        file::create_private(&temporary)?;
        fs::copy(with, &temporary)?;
        let mode = fs::metadata(&location.path).map_or(0o600, |is| is.permissions().mode() & 0o777);
        fs::set_permissions(&temporary, fs::Permissions::from_mode(mode))?;
        File::open(&temporary)?.sync_all()?;
        // Before the rename: a journal of the old file would be played into the new one.
        for beside in side_files(&location.path) {
            match fs::remove_file(beside) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&temporary, &location.path)?;
        File::open(location.directory())?.sync_all()
    };
    let put = put().map_err(fault);
    if put.is_err() {
        remove(&temporary);
    }
    drop(lock);
    put
}

fn side_files(path: &Path) -> [std::path::PathBuf; 3] {
    ["-journal", "-wal", "-shm"].map(|suffix| beside(path, suffix))
}

/// Locks the database that goes, its WAL folded in. A damaged one cannot be locked, nor can
/// any program use it.
fn lock(location: &Location) -> Result<Option<Connection>> {
    let found = match file::look(location) {
        Ok(found) => found,
        Err(_) if location.path.is_file() => return Ok(None),
        Err(error) => return Err(error),
    };
    if !matches!(found, Found::Database(_)) {
        return Ok(None);
    }
    let locked = open::connect(&location.path).and_then(|conn| {
        conn.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
        conn.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        conn.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(conn)
    });
    match locked {
        Ok(conn) => Ok(Some(conn)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(None),
            _ => Err(locks::named(location.fault(&error), &error, location)),
        },
    }
}

fn remove(path: &Path) {
    // What cannot be removed is offered for removal at the next start.
    let _ = fs::remove_file(path);
    for beside in side_files(path) {
        let _ = fs::remove_file(beside);
    }
}
