//! Backups: made by the database's own means at one moment, proved, restored all at once or not at all.

mod copy;
mod create;
mod files;
pub mod folder;
mod identity;
pub mod keep;
pub mod manifest;
mod prove;
mod restore;
mod safety;
mod tables;
mod verify;

use crate::database::Database;
use crate::error::{Error, Result};
pub use copy::copy;
use create::withdraw;
pub use create::{Made, Making, create, id_of};
use files::fault;
use folder::{Entry, Folder, Shelf};
use manifest::Manifest;
pub use prove::{Proved, prove};
pub use restore::{Restored, Restoring, restore};
pub use safety::{Before, Safety, able, before};
pub use tables::{TablesBack, restore_tables};
pub use verify::{How, Proof, Verified, verify};

/// The newest backup that has a readable manifest, of one shelf or of all. What was made before a
/// restore is the state that was given up: restored twice, the latest would be that.
pub fn latest(entries: &[Entry], shelf: Option<Shelf>) -> Option<&Entry> {
    let is_meant = |manifest: &Manifest| manifest.reason != safety::reason(restore::RESTORE);
    let wanted =
        |entry: &&Entry| entry.manifest.as_ref().is_ok_and(is_meant) && shelf.is_none_or(|shelf| entry.shelf == shelf);
    entries.iter().filter(wanted).max_by(|one, other| (one.made_at(), &one.path).cmp(&(other.made_at(), &other.path)))
}

/// Copies a backup and its manifest onto another shelf, and proves the copy.
pub fn promote(database: &dyn Database, folder: &Folder, entry: &Entry, to: Shelf) -> Result<Made> {
    let manifest = verify(database, &entry.path, How::Read)?.manifest;
    let name = entry.path.file_name().ok_or_else(|| Error::bug("a backup has no name"))?;
    let (shelf, folders) = folder.shelf(to)?;
    let path = shelf.join(name);
    if path.exists() {
        return Err(Error::request(format!("the backup is on the {} shelf already", to.name())).at(path.display()));
    }
    let copied = files::copy(&entry.path, &path);
    let done = copied
        .map_err(|error| fault(&error, &path))
        .and_then(|()| files::write(&manifest::path(&path), &manifest.text()))
        .and_then(|()| verify(database, &path, How::TryOut));
    match done {
        Ok(Verified { manifest, proof, .. }) => Ok(Made { path, manifest, proof, folders }),
        Err(error) => {
            withdraw(&path, &folders);
            Err(error)
        }
    }
}
