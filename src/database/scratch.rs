//! Private folders for copies of databases, in the temporary folder of the system.
//!
//! A killed process cannot remove its folder, and the copy in it may hold what the database itself
//! keeps sealed. So each folder has a lock that ends with its process, and the next run removes those
//! whose lock nothing holds. (A copy that is unlinked while it is open is no way out: SQLite refuses to
//! write into it.)

use crate::error::{Error, Result};
use crate::hex;
use crate::outputs::resolve;
use crate::platform;
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PREFIX: &str = "treelift-";
/// How many digits of a hash follow it.
const DIGITS: usize = 16;
/// The lock, once it is held.
const LOCK: &str = "lock";

/// A private folder that vanishes when it is dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    // Removed before the lock is given up.
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one for a copy of this database: mode 0700, named by a hash of the database's path.
    pub(crate) fn new(database: &Path) -> Result<Self> {
        Self::below(&std::env::temp_dir(), database)
    }

    fn below(root: &Path, database: &Path) -> Result<Self> {
        let made = || -> io::Result<Self> {
            let folder = platform::temporary_private_folder(root, &format!("{PREFIX}{}-", hash(database)))?;
            // Under another name until it is held: who finds a `lock` may judge by it.
            let unheld = folder.path().join("lock.new");
            let lock = File::create_new(&unheld)?;
            lock.lock()?;
            fs::rename(&unheld, folder.path().join(LOCK))?;
            Ok(Self { folder, _lock: lock })
        };
        made().map_err(|error| {
            Error::environment(format!("cannot make a private folder: {}", error.kind())).at(root.display())
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Hexadecimal digits of the SHA-256 of a database's path, links resolved.
fn hash(database: &Path) -> String {
    hex::encode(&Sha256::digest(resolve(database).as_os_str().as_encoded_bytes())[..DIGITS / 2])
}

/// Removes the folders of this user whose process is gone, and returns their paths. What cannot be
/// listed or removed is left to a later run.
pub fn remove_stale() -> Vec<PathBuf> {
    remove_stale_below(&std::env::temp_dir())
}

fn remove_stale_below(root: &Path) -> Vec<PathBuf> {
    let mut removed: Vec<PathBuf> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| is_named_by_hash(entry.file_name().as_encoded_bytes()))
        .map(|entry| entry.path())
        .filter(|path| is_own(path) && remove_unheld(path))
        .collect();
    removed.sort();
    removed
}

/// Whether a name is one that [`Scratch::new`] gives. Another folder may well begin like it and hold a
/// file called `lock`.
fn is_named_by_hash(name: &[u8]) -> bool {
    let digits = name.strip_prefix(PREFIX.as_bytes()).and_then(|rest| rest.split_at_checked(DIGITS));
    digits.is_some_and(|(digits, rest)| digits.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b"-"))
}

/// Whether it is a directory (no link to one) of this user.
fn is_own(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && platform::is_own(&found))
}

/// Removes a folder if no process holds its lock, the lock last.
fn remove_unheld(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return false };
    match lock.try_lock() {
        Ok(()) => remove_all_but_lock(folder).and_then(|()| fs::remove_dir_all(folder)).is_ok(),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

/// A folder that has lost its lock and nothing else would be found by no later run.
fn remove_all_but_lock(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != LOCK {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> TempDir {
        tempfile::tempdir().expect("a folder for the test")
    }

    #[test]
    fn a_folder_is_private_named_by_its_database_and_removed_in_the_end() {
        let root = root();
        let (database, link) = (root.path().join("x.db"), root.path().join("link.db"));
        fs::write(&database, "").expect("written");
        std::os::unix::fs::symlink(&database, &link).expect("linked");
        let (one, other) =
            (Scratch::below(root.path(), &database).expect("made"), Scratch::below(root.path(), &link).expect("made"));
        let mode = platform::mode(&fs::metadata(one.path()).expect("there"));
        assert_eq!(mode, 0o700);
        let named = |scratch: &Scratch| {
            let name = scratch.path().file_name().expect("named").to_string_lossy().into_owned();
            name[..PREFIX.len() + DIGITS].to_owned()
        };
        assert_eq!(named(&one), named(&other));
        assert_eq!(named(&one), format!("{PREFIX}{}", hash(&database)));
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }

    #[test]
    fn only_a_folder_whose_lock_is_free_is_removed() {
        let root = root();
        let held = Scratch::below(root.path(), Path::new("/srv/x.db")).expect("made");
        let stale = root.path().join(format!("{PREFIX}0011223344556677-abcdef"));
        fs::create_dir(&stale).expect("made");
        fs::write(stale.join(LOCK), "").expect("written");
        fs::write(stale.join("copy.db"), "rows").expect("written");
        // Without a lock it is being made, or another program's; with another name it is none of ours.
        let unheld = format!("{PREFIX}0011223344556677-ghijkl");
        let foreign =
            [&*unheld, "treelift-notes", "treelift-0011223344556677", "treelift-a-wallet-with-keys-x", "other"]
                .map(|name| root.path().join(name));
        foreign.iter().for_each(|path| fs::create_dir(path).expect("made"));
        foreign[1..].iter().for_each(|path| fs::write(path.join(LOCK), "").expect("written"));
        let link = root.path().join(format!("{PREFIX}0011223344556677-mnopqr"));
        std::os::unix::fs::symlink(&foreign[4], link).expect("linked");
        assert_eq!(remove_stale_below(root.path()), [stale]);
        assert!(held.path().exists() && foreign.iter().all(|path| path.exists()));
        assert_eq!(remove_stale_below(root.path()), [] as [PathBuf; 0]);
    }
}
