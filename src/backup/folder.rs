//! The folder of backups: `daily`, `weekly`, `monthly`, and what lies in them.

use super::manifest::{self, Manifest, Packing};
use crate::error::{Error, Result};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How long a backup is meant to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shelf {
    /// Where every backup begins.
    Daily,
    /// Promoted from `daily`.
    Weekly,
    /// Promoted from `daily` or `weekly`.
    Monthly,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// Its folder's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

/// A backup in the folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Where it lies.
    pub path: PathBuf,
    /// Its shelf.
    pub shelf: Shelf,
    /// What it is, or what is wrong with its manifest.
    pub manifest: Result<Manifest, String>,
}

impl Entry {
    /// When it was made, for ordering; a backup without a readable manifest comes first.
    pub fn made_at(&self) -> &str {
        self.manifest.as_ref().map_or("", |manifest| &manifest.made_at)
    }
}

/// A folder of backups.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder that was asked for, else `backups` beside the database; told from the working
    /// directory where it lies below it.
    pub fn of(asked: Option<&Path>, database: &Path) -> Self {
        let beside = || {
            let root = database.parent().unwrap_or(Path::new(".")).join("backups");
            let here = std::env::current_dir().ok();
            here.and_then(|here| root.strip_prefix(here).ok().map(Path::to_owned)).unwrap_or(root)
        };
        Self { root: asked.map_or_else(beside, Path::to_owned) }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The shelf's folder, made if need be; only its owner may look in.
    pub fn shelf(&self, shelf: Shelf) -> Result<PathBuf> {
        let path = self.root.join(shelf.name());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(|error| fault(&error, &path))?;
        Ok(path)
    }

    /// Every backup, oldest first.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for shelf in Shelf::ALL {
            let path = self.root.join(shelf.name());
            let listed = match fs::read_dir(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue, // Nothing was put there yet.
                listed => listed.map_err(|error| fault(&error, &path))?,
            };
            for entry in listed {
                let path = entry.map_err(|error| fault(&error, &path))?.path();
                if is_backup(&path) {
                    let manifest = Manifest::read(&path).map_err(|error| error.message);
                    entries.push(Entry { path, shelf, manifest });
                }
            }
        }
        entries.sort_by(|one, other| (one.made_at(), &one.path).cmp(&(other.made_at(), &other.path)));
        Ok(entries)
    }
}

/// A backup by its name; manifests and unfinished ones are none.
fn is_backup(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && (name.ends_with(".db") || name.ends_with(".db.gz"))
}

/// The name of a new backup: the database's stem, the time to the microsecond, and the packing.
pub fn name(database: &Path, made_at: jiff::Timestamp, packing: Packing) -> String {
    let stem = database.file_stem().unwrap_or_default().to_string_lossy();
    let stem: String = stem.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect();
    let ending = match packing {
        Packing::None => "db",
        Packing::Gzip => "db.gz",
    };
    format!("{stem}_{}.{ending}", made_at.strftime("%Y%m%d_%H%M%S_%6f"))
}

/// Writes a file that only its owner may read: under a temporary name, then by a rename.
pub fn write(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let temporary = path.with_file_name(name);
    let put = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    put().map_err(|error| fault(&error, path))
}

/// Removes a backup and its manifest, the manifest first: what has none is never restored.
pub fn remove(backup: &Path) -> Result<()> {
    for path in [manifest::path(backup), backup.to_owned()] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fault(&error, &path)),
            _ => {}
        }
    }
    Ok(())
}

/// The words for a fault of the file system.
pub fn fault(error: &std::io::Error, path: &Path) -> Error {
    let words = match error.kind() {
        ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        kind => kind.to_string(),
    };
    Error::environment(words).at(path.display())
}
