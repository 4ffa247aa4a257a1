//! Opens the file that a run works on: a new one under a temporary name, an existing one in place,
//! or a private copy for a dry run.

use super::connect::{CACHE, bare, connect, connect_read_only, empty_log, wait_at_commit};
use super::file::{self, FileId, Found, NewFile};
use super::location::{Location, Tried};
use super::{health, locks, state};
use crate::database::Mode;
use crate::database::scratch::Scratch;
use crate::error::Error;
use crate::interrupt;
use crate::platform;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};

/// Free space that is asked for beyond the estimate: journal, indexes, the ledger.
const MARGIN: u64 = 16 << 20;

/// Where the rows go until the end of the run.
pub(super) enum Store {
    /// The existing file; SQLite's journal rolls everything back.
    InPlace(FileId),
    /// The same; what is overwritten is wiped.
    Wiped(FileId),
    /// A new file under a temporary name.
    New(NewFile),
    /// A private copy in a folder that vanishes.
    Private { _folder: Scratch },
    /// The existing file, which is only read; or a copy of it where it cannot be read by itself.
    Viewed { _folder: Option<Scratch> },
}

/// How a transaction is begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) mode: Mode,
    /// Names temporary files.
    pub(super) run_id: &'a str,
    /// About how many bytes will be added.
    pub(super) bytes: u64,
}

impl Start<'_> {
    /// The id becomes part of a file name.
    fn check(&self) -> Result<(), Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.run_id.is_empty() || !self.run_id.bytes().all(is_plain) {
            Err(Error::bug("a run id is not UUID text"))
        } else {
            Ok(())
        }
    }
}

/// Opens what the run writes into and begins its transaction. The store comes first, so that on a
/// fault the connection is dropped before its files go.
pub(super) fn begin(location: &Location, opening: &Start<'_>) -> Tried<(Store, Connection)> {
    opening.check()?;
    let found = file::look(location)?;
    match (opening.mode, found) {
        (Mode::Real, Found::Nothing) => {
            file::judge_directory(location)?;
            check_space(location.directory(), opening.bytes)?;
            locks::check_rivals(location)?;
            let new = NewFile::create(location, opening.run_id)?;
            let conn = connect(new.path())?;
            conn.execute_batch("PRAGMA synchronous = FULL")?;
            let conn = fresh(conn)?;
            Ok((Store::New(new), conn))
        }
        (Mode::Real, found) => {
            file::judge_writable(location)?;
            check_space(location.directory(), opening.bytes)?;
            let (conn, id) = in_place(location, &found)?;
            Ok((Store::InPlace(id), conn))
        }
        (Mode::Dry, found) => dry(location, opening, &found),
    }
}

/// Commits the transaction on an existing file, with more patience for readers than at the start.
///
/// # Errors
/// Also when the path no longer names that file: then nothing was written into the one that it names.
pub(super) fn commit_in_place(location: &Location, conn: &mut Connection, id: FileId) -> Tried<()> {
    id.check(location)?;
    conn.busy_handler(Some(wait_at_commit))?;
    conn.execute_batch("COMMIT")?;
    // Once more, for a replacement during the commit.
    Ok(id.check(location)?)
}

/// Commits, and gives a new file its name. A fault that comes after both is returned: it does not undo them.
pub(super) fn commit(location: &Location, store: Store, mut conn: Connection) -> Tried<Option<Error>> {
    if matches!(store, Store::Private { .. } | Store::Viewed { .. }) {
        return Err(Error::bug("a dry run was asked to commit").into());
    }
    // On a fault these are dropped from the last to the first: the connection rolls everything back,
    // then the store removes its files.
    match &store {
        Store::InPlace(id) => commit_in_place(location, &mut conn, *id)?,
        Store::Wiped(id) => {
            commit_in_place(location, &mut conn, *id)?;
            // What the log still holds is found by the search of the files.
            let _kept = empty_log(&conn);
        }
        Store::New(_) => {
            conn.execute_batch("COMMIT")?;
            if location.is_wal {
                // It stays so: it is written into the file ("Write-Ahead Logging", 2.3), and the log goes with the connection.
                conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            }
        }
        Store::Private { .. } | Store::Viewed { .. } => conn.execute_batch("COMMIT")?,
    }
    // It is committed: that a connection does not close undoes nothing.
    let unclosed = conn.close().err().map(|(_, error)| location.fault(&error));
    match store {
        Store::New(new) => Ok(new.publish(location)?.or(unclosed)),
        Store::InPlace(_) | Store::Wiped(_) | Store::Private { .. } | Store::Viewed { .. } => Ok(unclosed),
    }
}

/// Rolls everything back, then lets the store remove its files.
pub(super) fn roll_back(store: Store, conn: Connection) -> Tried<()> {
    // A trigger may have done it already.
    if !conn.is_autocommit() {
        // A private copy goes as a whole: what was changed in it need not be put back page by page first.
        let is_private = matches!(store, Store::Private { .. });
        if !is_private || conn.execute_batch("COMMIT").is_err() {
            conn.execute_batch("ROLLBACK")?;
        }
    }
    conn.close().map_err(|(_, error)| error)?;
    drop(store);
    Ok(())
}

fn in_place(location: &Location, found: &Found) -> Tried<(Connection, FileId)> {
    let id = FileId::of(location)?;
    let conn = connect(&location.path)?;
    if conn.is_readonly("main")? {
        return Err(file::read_only(location).into());
    }
    // An empty file has no journal mode nor page size yet that its owner could have chosen.
    if *found == Found::Empty {
        conn.execute_batch("PRAGMA page_size = 16384; PRAGMA synchronous = FULL")?;
        conn.execute_batch(CACHE)?;
    } else {
        conn.execute_batch("PRAGMA synchronous = EXTRA")?;
    }
    // The file's journal mode is its owner's choice and stays.
    conn.execute_batch("BEGIN IMMEDIATE")?;
    // The same before and after it was opened: it is the file that was opened.
    id.check(location)?;
    judge(&conn, location)?;
    Ok((conn, id))
}

/// Refuses a file that nothing may be written into: one of a newer format, or a damaged one.
fn judge(conn: &Connection, location: &Location) -> Tried<()> {
    state::read(conn, location)?;
    health::refuse_damaged(conn, location)
}

/// Judged as for a real run, so that both end alike; then everything happens in the temp folder.
fn dry(location: &Location, opening: &Start<'_>, found: &Found) -> Tried<(Store, Connection)> {
    match found {
        Found::Nothing => {
            file::judge_directory(location)?;
            locks::check_rivals(location)?;
        }
        Found::Empty | Found::Database(_) => file::judge_writable(location)?,
    }
    check_space(location.directory(), opening.bytes)?;
    let folder = Scratch::new(&location.path)?;
    let conn = match found {
        Found::Database(bytes) => {
            check_space(folder.path(), opening.bytes.saturating_add(bytes / 2))?;
            private(location, &folder)?
        }
        Found::Nothing | Found::Empty => {
            check_space(folder.path(), opening.bytes)?;
            let copy = copy_in(&folder);
            platform::create_private(&copy).map_err(|error| file::io_fault(&error, folder.path().display()))?;
            let conn = connect(&copy)?;
            conn.execute_batch("PRAGMA synchronous = OFF")?;
            fresh(conn)?
        }
    };
    Ok((Store::Private { _folder: folder }, conn))
}

/// A database that is only looked into: the file, its times and the files beside it stay as they are.
pub(super) struct View {
    pub(super) conn: Connection,
    pub(super) _folder: Option<Scratch>,
}

impl View {
    fn of_copy(location: &Location) -> Tried<Self> {
        let folder = Scratch::new(&location.path)?;
        copy_into(location, &copy_in(&folder))?;
        Ok(Self { conn: connect(&copy_in(&folder))?, _folder: Some(folder) })
    }
}

/// Where a private copy lies in its folder.
fn copy_in(folder: &Scratch) -> PathBuf {
    folder.path().join("copy.db")
}

/// Opens a view of the database; `None` when there is none yet.
pub(super) fn view(location: &Location) -> Tried<Option<View>> {
    if !matches!(file::look(location)?, Found::Database(_)) {
        return Ok(None);
    }
    let view = if file::needs_companions(location)? {
        View::of_copy(location)?
    } else {
        View { conn: connect_read_only(&location.path)?, _folder: None }
    };
    state::read(&view.conn, location)?;
    Ok(Some(view))
}

/// Begins to read a database, all of it as it is at one moment; `None` where there is none. It is not copied unless
/// SQLite could not read it without changing something beside it: one in WAL mode, or one that an interrupted write has
/// left to be rolled back.
pub(super) fn to_view(location: &Location) -> Tried<Option<(Store, Connection)>> {
    if !matches!(file::look(location)?, Found::Database(_)) {
        return Ok(None);
    }
    let mut view = match in_place_to_view(location) {
        Ok(Some(conn)) => View { conn, _folder: None },
        Ok(None) => View::of_copy(location)?,
        // Where another program holds the file, a copy of it would not be of one moment either.
        Err(fault) => return Err(fault),
    };
    if view.conn.is_autocommit() {
        begin_to_read(&view.conn)?;
    }
    state::read(&view.conn, location)?;
    let folder = view._folder.take();
    Ok(Some((Store::Viewed { _folder: folder }, view.conn)))
}

/// The file itself, where that can be read without a change.
fn in_place_to_view(location: &Location) -> Tried<Option<Connection>> {
    if file::is_wal(&location.path).map_err(|error| file::io_fault(&error, &location.shown))? {
        return Ok(None);
    }
    let conn = connect_read_only(&location.path)?;
    match begin_to_read(&conn) {
        Ok(()) => Ok(Some(conn)),
        // A journal must be rolled back first ("Result Codes", SQLITE_READONLY_ROLLBACK).
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A read transaction begins with the first that is read ("Transaction", 2.1).
fn begin_to_read(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
}

/// Opens a database for a complete check, though nothing of it changes: SQLite skips the CHECK
/// constraints of a file that it has open for reading only. One that may not be written is copied.
pub(super) fn to_check(location: &Location) -> Tried<View> {
    let mut view = View { conn: connect(&location.path)?, _folder: None };
    if view.conn.is_readonly("main")? {
        view = View::of_copy(location)?;
    }
    view.conn.execute_batch("PRAGMA query_only = ON")?;
    Ok(view)
}

/// Begins to change a database that is there; what is overwritten is wiped in the file. `None` where there
/// is none.
pub(super) fn to_change(location: &Location, mode: Mode) -> Tried<Option<(Store, Connection)>> {
    let found = file::look(location)?;
    let Found::Database(bytes) = found else { return Ok(None) };
    file::judge_writable(location)?;
    if mode == Mode::Real {
        check_space(location.directory(), bytes / 2)?;
        let (conn, id) = in_place(location, &found)?;
        conn.execute_batch("PRAGMA secure_delete = ON")?;
        return Ok(Some((Store::Wiped(id), conn)));
    }
    let folder = Scratch::new(&location.path)?;
    check_space(folder.path(), bytes / 2)?;
    let conn = private(location, &folder)?;
    Ok(Some((Store::Private { _folder: folder }, conn)))
}

/// Begins a transaction on a private copy.
fn private(location: &Location, folder: &Scratch) -> Tried<Connection> {
    copy_into(location, &copy_in(folder))?;
    let conn = connect(&copy_in(folder))?;
    conn.execute_batch("PRAGMA synchronous = OFF; BEGIN IMMEDIATE")?;
    judge(&conn, location)?;
    Ok(conn)
}

/// Copies a database as it is at one moment.
///
/// With a rollback journal SQLite's online backup does it, under SQLite's own lock. Reading a
/// database in WAL mode would leave `-wal` and `-shm` files beside it, and one with a hot journal
/// cannot be read without being changed: of those the files are copied, and the copy is opened.
fn copy_into(location: &Location, copy: &Path) -> Tried<()> {
    if file::needs_companions(location)? {
        return Ok(file::copy_with_companions(location, copy)?);
    }
    platform::create_private(copy).map_err(|error| file::io_fault(&error, copy.display()))?;
    let from = connect_read_only(&location.path)?;
    let mut to = bare(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    to.execute_batch("PRAGMA synchronous = OFF")?;
    back_up(&from, &mut to, location)
}

/// Copies all pages through SQLite's online backup, of one moment, unless a signal asks to stop.
pub(super) fn back_up(from: &Connection, to: &mut Connection, location: &Location) -> Tried<()> {
    const PAGES: i32 = 1_000;
    // Within one transaction, so that no writer comes between two steps and makes it start again.
    from.execute_batch("BEGIN")?;
    from.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let backup = Backup::new(from, to)?;
    loop {
        interrupt::check()?;
        match backup.step(PAGES)? {
            StepResult::More => {}
            StepResult::Done => break,
            _ => return Err(locks::locked(location).into()),
        }
    }
    drop(backup);
    Ok(from.execute_batch("COMMIT")?)
}

fn fresh(conn: Connection) -> rusqlite::Result<Connection> {
    conn.execute_batch("PRAGMA page_size = 16384; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE")?;
    conn.execute_batch(CACHE)?;
    conn.execute_batch("BEGIN EXCLUSIVE")?;
    Ok(conn)
}

pub(super) fn check_space(directory: &Path, bytes: u64) -> Result<(), Error> {
    let needed = bytes.saturating_mul(2).saturating_add(MARGIN);
    // Where the file system does not report it, a full disk fails the write.
    let Some(free) = platform::free_space(directory).filter(|free| *free < needed) else { return Ok(()) };
    Err(Error::environment(format!("about {} MB of free space are needed, {} MB are there", needed >> 20, free >> 20))
        .at(directory.display())
        .hint("make room, then run again"))
}
