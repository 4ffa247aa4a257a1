//! Files and folders of backups: made so that only their owner may look in, and named for a database.

use crate::error::{Error, Result};
use crate::interrupt;
use crate::platform;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Makes a folder and those above it that are missing, and tells which it made, the deepest first. Only
/// their owner may look in.
pub(super) fn make(path: &Path) -> Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    let missing: Vec<&Path> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    for folder in missing.into_iter().rev() {
        match platform::create_private_folder(folder) {
            Ok(()) => made.insert(0, folder.to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {} // Another process made it just now.
            Err(error) => {
                remove_empty(&made);
                return Err(fault(&error, folder));
            }
        }
    }
    if path.is_dir() { Ok(made) } else { Err(fault(&ErrorKind::NotADirectory.into(), path)) }
}

/// Removes folders that are empty, in this order.
pub(super) fn remove_empty(folders: &[PathBuf]) {
    for folder in folders {
        // A folder that is not empty is in use.
        let _ = fs::remove_dir(folder);
    }
}

/// A database's name in the names of its backups.
pub(super) fn stem(database: &Path) -> String {
    let stem = database.file_stem().unwrap_or_default().to_string_lossy();
    stem.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect()
}

/// Writes a file that only its owner may read: under a temporary name, then by a rename.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let temporary = path.with_file_name(name);
    let put = || {
        let mut file = platform::private().write(true).create(true).truncate(true).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    let put = put();
    if put.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    put.map_err(|error| fault(&error, path))
}

/// Copies a file into a new one that only its owner may read.
pub(crate) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut from = fs::File::open(from)?;
    let mut file = platform::create_private(to)?;
    let copied = interrupt::copy(&mut from, &mut file).and_then(|_| file.sync_all());
    if copied.is_err() {
        // A part of a copy is worth nothing.
        let _ = fs::remove_file(to);
    }
    copied
}

/// The words for a fault of the file system.
pub(crate) fn fault(error: &std::io::Error, path: &Path) -> Error {
    if let Some(interrupted) = interrupt::of(error) {
        return interrupted;
    }
    let words = match error.kind() {
        ErrorKind::NotFound => "no such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::NotADirectory => "not a directory".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        ErrorKind::FileTooLarge => "the file size limit is reached".to_owned(),
        kind => kind.to_string(),
    };
    Error::environment(words).at(path.display())
}
