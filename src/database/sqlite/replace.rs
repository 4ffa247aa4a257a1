//! Copies a database at one moment, and puts a file in the place of one.

use super::connect;
use super::file::{self, FileId, Found, NewFile, io_fault};
use super::location::{Location, Tried};
use super::open;
use crate::database::audit::random_id;
use crate::error::Error;
use crate::interrupt;
use crate::platform;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{self, File};
use std::path::Path;

/// Copies a live database through SQLite's online backup, under SQLite's own lock, into a new file
/// that stands alone: without a journal beside it.
pub(super) fn copy(location: &Location, to: &Path) -> Tried<()> {
    let Found::Database(bytes) = file::look(location)? else {
        return Err(Error::environment("there is no database").at(&location.shown).into());
    };
    open::check_space(to.parent().unwrap_or(Path::new("/")), bytes / 2)?;
    platform::create_private(to).map_err(|error| io_fault(&error, to.display()))?;
    let copied = copy_into(location, to);
    if copied.is_err() {
        file::remove(to);
    }
    copied
}

fn copy_into(location: &Location, to: &Path) -> Tried<()> {
    // A database in WAL mode, or with a journal of an interrupted write, is read as any program reads
    // it: by a connection that may write beside it.
    let from = if file::needs_companions(location)? {
        connect::connect(&location.path)
    } else {
        connect::connect_read_only(&location.path)
    }?;
    let mut copy = connect::bare(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    open::back_up(&from, &mut copy, location)?;
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(File::open(to).and_then(|file| file.sync_all()).map_err(|error| io_fault(&error, to.display()))?)
}

/// Puts a file in the place of the database: under a temporary name, then by one rename. A fault that comes
/// after the rename is returned: it does not undo it.
pub(super) fn replace(location: &Location, with: &Path) -> Tried<Option<Error>> {
    file::judge_directory(location)?;
    let size = fs::metadata(with).map_err(|error| io_fault(&error, with.display()))?.len();
    open::check_space(location.directory(), size / 2)?;
    let old = fs::metadata(&location.path).ok();
    // What was there keeps its journal mode, a new file gets the one that the set wants.
    let is_wal = if old.is_some() { file::is_wal(&location.path).unwrap_or_default() } else { location.is_wal };
    let old_id = old.as_ref().map(|_| FileId::of(location)).transpose()?;
    // Held to the end, so that no program writes what would be lost.
    let lock = lock(location)?;
    let new = NewFile::create(location, &random_id()?)?;
    let put = || -> std::io::Result<()> {
        let mut to = File::options().write(true).open(new.path())?;
        interrupt::copy(&mut File::open(with)?, &mut to)?;
        if let Some(old) = &old {
            platform::take_over(new.path(), old)?;
        }
        to.sync_all()
    };
    put().map_err(|error| io_fault(&error, location.path.display()))?;
    if is_wal {
        let conn = connect::bare(new.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.close().map_err(|(_, error)| error)?;
    }
    interrupt::check()?;
    old_id.map_or(Ok(()), |id| id.check(location))?;
    let published = new.replace(location)?;
    drop(lock);
    Ok(published)
}

/// Locks the database that goes, its WAL folded in. A damaged one cannot be locked, nor can
/// any program use it.
fn lock(location: &Location) -> Tried<Option<Connection>> {
    let found = match file::look(location) {
        Ok(found) => found,
        Err(_) if location.path.is_file() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if !matches!(found, Found::Database(_)) {
        return Ok(None);
    }
    let locked = connect::connect(&location.path).and_then(|conn| {
        conn.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
        conn.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        conn.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(conn)
    });
    match locked {
        Ok(conn) => Ok(Some(conn)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(None),
            _ => Err(error.into()),
        },
    }
}

/// Rewrites the whole file, so that no freed page and no gap in a page holds what was there.
pub(super) fn rewrite(location: &Location) -> rusqlite::Result<()> {
    let mut conn = connect::connect(&location.path)?;
    // What it erases was replaced in a transaction that is committed: a signal does not keep it from ending.
    conn.progress_handler(0, None::<fn() -> bool>)?;
    conn.execute_batch("PRAGMA secure_delete = ON; VACUUM")?;
    connect::empty_log(&conn)?;
    // It is rewritten: a connection that does not close undoes nothing.
    let _unclosed = conn.close();
    Ok(())
}
