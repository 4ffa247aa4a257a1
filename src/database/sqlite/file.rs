//! The files of a database: what lies under its name, a new one that appears whole or not at all,
//! a copy with what lies beside it.

use super::location::Location;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::outputs::with_suffix;
use crate::platform::{self, Node, State};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::{ffi::OsString, fmt};

/// How the names of the files end that SQLite keeps beside a database: its journal and its write-ahead log.
pub(super) const SIDE_SUFFIXES: [&str; 3] = ["-journal", "-wal", "-shm"];

/// How every database of SQLite begins ("Database File Format", 1.3.1).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The files that SQLite may keep beside a database.
pub(super) fn side_files(database: &Path) -> [PathBuf; 3] {
    SIDE_SUFFIXES.map(|suffix| with_suffix(database, suffix))
}

/// Whether a file is a database of SQLite.
pub(super) fn is_one(path: &Path) -> bool {
    let mut head = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok_and(|()| head == *MAGIC)
}

/// What lies under the database's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// A file without a byte, which SQLite takes for an empty database.
    Empty,
    /// A file of this size.
    Database(u64),
}

/// Which file a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(Node);

impl FileId {
    /// The file that the database's path names now.
    pub(super) fn of(location: &Location) -> Result<Self> {
        Self::at(&location.path).map_err(|error| io_fault(&error, &location.shown))
    }

    /// The file that a path names now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        Node::at(path).map(Self)
    }

    /// Refuses where the path names another file by now, or none.
    pub(super) fn check(self, location: &Location) -> Result<()> {
        if Self::at(&location.path).is_ok_and(|now| now == self) { Ok(()) } else { Err(replaced(location)) }
    }
}

/// The error for a database that another program replaced meanwhile.
fn replaced(location: &Location) -> Error {
    Error::environment("the database's file was replaced or removed by another program during the command")
        .at(&location.shown)
        .hint("nothing was written into the file that has this name now; stop that program, then run again")
}

/// Looks without opening: closing a file drops the locks that this process holds on it (POSIX).
pub(super) fn look(location: &Location) -> Result<Found> {
    match fs::metadata(&location.path) {
        Ok(is) if is.is_dir() => {
            Err(Error::environment("the database is a directory").at(&location.shown).hint("name a file in it"))
        }
        Ok(is) if !is.is_file() => Err(Error::environment("the database is not a regular file").at(&location.shown)),
        Ok(is) if is.len() == 0 => Ok(Found::Empty),
        // The smallest page. SQLite would take a file of one byte for an empty database.
        Ok(is) if is.len() < 512 => Err(not_a_database(location)),
        Ok(is) => Ok(Found::Database(is.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::symlink_metadata(&location.path) {
            Ok(_) => Err(Error::environment("the database is a dangling symbolic link").at(&location.shown)),
            Err(_) => Ok(Found::Nothing),
        },
        Err(error) => Err(io_fault(&error, &location.shown)),
    }
}

/// Whether a new file can be made in the database's directory.
pub(super) fn judge_directory(location: &Location) -> Result<()> {
    let directory = location.directory();
    match fs::metadata(directory) {
        Ok(is) if !is.is_dir() => Err(Error::environment("the database's directory is a file").at(directory.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Error::environment("the database's directory does not exist")
                .at(directory.display())
                .hint("create it first, or name another path"))
        }
        Err(error) => Err(io_fault(&error, directory.display())),
        Ok(_) => platform::may_make_files_in(directory).map_err(|error| io_fault(&error, directory.display())),
    }
}

/// Whether the file, and its directory for the journal, may be written. A file without any write
/// bit is read-only for everybody: for root, who could, it was marked so on purpose.
pub(super) fn judge_writable(location: &Location) -> Result<()> {
    let marked = fs::metadata(&location.path).is_ok_and(|is| is.permissions().readonly());
    if marked || !platform::may_write(&location.path) {
        return Err(read_only(location));
    }
    judge_directory(location)
}

/// The words for a file that may not be written.
pub(super) fn read_only(location: &Location) -> Error {
    Error::environment("the database is read-only")
        .at(&location.shown)
        .hint("check the permissions of the file, its directory and the file system")
}

/// The words for a file of something else.
fn not_a_database(location: &Location) -> Error {
    Error::environment("the file is not an SQLite database")
        .at(&location.shown)
        .hint("name another file; treelift never overwrites a file of another program")
}

/// The words for a fault of the file system.
pub(super) fn io_fault(error: &io::Error, place: impl fmt::Display) -> Error {
    if let Some(interrupted) = interrupt::of(error) {
        return interrupted;
    }
    match error.kind() {
        ErrorKind::PermissionDenied => Error::environment("permission denied").hint("check who may write there"),
        ErrorKind::ReadOnlyFilesystem => Error::environment("the file system is read-only"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::environment("the disk is full").hint("make room, then run again")
        }
        ErrorKind::FileTooLarge => {
            Error::environment("the file size limit is reached").hint("raise the limit (`ulimit -f`), then run again")
        }
        kind => Error::environment(kind.to_string()),
    }
    .at(place)
}

/// What the unfinished files of a database begin with: `.NAME.treelift-`.
pub(super) fn unfinished_prefix(path: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".treelift-");
    name
}

/// A new database under a temporary name in the database's directory; removed unless published.
pub(super) struct NewFile {
    temporary: PathBuf,
    id: FileId,
    published: bool,
}

impl NewFile {
    /// Makes the empty file.
    pub(super) fn create(location: &Location, run_id: &str) -> Result<Self> {
        let mut name = unfinished_prefix(&location.path);
        name.push(run_id);
        let temporary = location.directory().join(name);
        let id = platform::create_private(&temporary)
            .and_then(|_| FileId::at(&temporary))
            .map_err(|error| io_fault(&error, temporary.display()))?;
        Ok(Self { temporary, id, published: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.temporary
    }

    /// Gives the file its name, unless another has it by now. The connection is closed. A fault that comes
    /// after the rename is returned: it does not undo it.
    pub(super) fn publish(mut self, location: &Location) -> Result<Option<Error>> {
        let fault = |error: io::Error| io_fault(&error, &location.shown);
        File::open(&self.temporary).and_then(|file| file.sync_all()).map_err(fault)?;
        if FileId::at(&self.temporary).map_err(fault)? != self.id {
            return Err(replaced(location));
        }
        platform::rename_without_replacing(&self.temporary, &location.path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::environment("another program created this file during the import")
                .at(&location.shown)
                .hint("nothing was written; look at that file, then run again"),
            _ => fault(error),
        })?;
        self.published = true;
        self.id.check(location)?;
        Ok(sync_directory(location))
    }

    /// Gives the file the name of the one that it replaces. A fault that comes after the rename is returned.
    pub(super) fn replace(mut self, location: &Location) -> Result<Option<Error>> {
        let fault = |error: io::Error| io_fault(&error, location.path.display());
        // Before the rename: a journal of the old file would be played into the new one.
        for beside in side_files(&location.path) {
            match fs::remove_file(beside) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(fault(error)),
                _ => {}
            }
        }
        fs::rename(&self.temporary, &location.path).map_err(fault)?;
        self.published = true;
        self.id.check(location)?;
        Ok(sync_directory(location))
    }
}

/// Removes a file, and what SQLite keeps beside it.
pub(super) fn remove(path: &Path) {
    // What cannot be removed is offered for removal at the next start.
    let _ = fs::remove_file(path);
    side_files(path).iter().for_each(|path| drop(fs::remove_file(path)));
}

/// Lets the new name of a database survive a power cut. That it cannot be done does not undo the rename.
fn sync_directory(location: &Location) -> Option<Error> {
    platform::sync_folder(location.directory()).err().map(|error| {
        let message = format!("the directory of the database cannot be synced: {}", error.kind());
        Error::environment(message)
            .at(location.directory().display())
            .hint("the database is complete, but may be lost in a power failure")
    })
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.published {
            remove(&self.temporary);
        }
    }
}

/// Whether the file cannot be read by itself: it is in WAL mode (SQLite's "Database File Format", 1.3.3), or a journal of an interrupted write lies beside it.
pub(super) fn needs_companions(location: &Location) -> Result<bool> {
    let is_wal = is_wal(&location.path).map_err(|error| io_fault(&error, &location.shown))?;
    Ok(is_wal || with_suffix(&location.path, "-journal").exists())
}

/// Whether a file is in WAL mode (bytes 18 and 19 of its header).
pub(super) fn is_wal(path: &Path) -> io::Result<bool> {
    let mut header = Vec::with_capacity(20);
    File::open(path)?.take(20).read_to_end(&mut header)?;
    Ok(header.get(18..20).is_some_and(|versions| versions.contains(&2)))
}

/// Copies the file with its journal or WAL, all of one moment: if one of them changed meanwhile, again.
pub(super) fn copy_with_companions(location: &Location, copy: &Path) -> Result<()> {
    const SUFFIXES: [&str; 3] = ["", "-wal", "-journal"];
    let states = || SUFFIXES.map(|suffix| State::at(&with_suffix(&location.path, suffix)).ok());
    for _ in 0..5 {
        let before = states();
        for suffix in SUFFIXES {
            copy_private(&with_suffix(&location.path, suffix), &with_suffix(copy, suffix))
                .map_err(|error| io_fault(&error, &location.shown))?;
        }
        if states() == before {
            return Ok(());
        }
    }
    Err(Error::environment("another program keeps writing into the database")
        .at(&location.shown)
        .hint("stop that program, then run again"))
}

fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = platform::private().write(true).create(true).truncate(true).open(to)?;
    match File::open(from) {
        Ok(mut source) => interrupt::copy(&mut source, &mut target).map(drop),
        // No such side file: an empty one means the same.
        Err(error) if error.kind() == ErrorKind::NotFound => fs::remove_file(to),
        Err(error) => Err(error),
    }
}
