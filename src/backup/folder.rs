//! The folder of backups: `daily`, `weekly`, `monthly`, and what lies in them.

use super::files::{fault, make};
use super::identity::{DB, DB_GZ, DUMP, Identity, is_of};
use super::manifest::{self, Manifest};
use crate::database::Database;
use crate::error::Result;
use std::fs;
use std::io::ErrorKind;
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

/// A folder of backups, as one database sees it.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    database: Identity,
}

impl Folder {
    /// The folder that was asked for, else `backups` beside the database; told from the working
    /// directory where it lies below it.
    pub fn of(asked: Option<&Path>, database: &Path) -> Self {
        Self::of_identity(asked, Identity::of_file(database))
    }

    /// The same of any database; of one that is no file, it is `backups` in the working directory.
    pub fn of_database(asked: Option<&Path>, database: &dyn Database) -> Result<Self> {
        Ok(Self::of_identity(asked, Identity::of(database)?))
    }

    pub(super) fn of_identity(asked: Option<&Path>, database: Identity) -> Self {
        let beside = || {
            let Some(file) = &database.file else { return "backups".into() };
            let root = file.parent().unwrap_or(Path::new(".")).join("backups");
            let here = std::env::current_dir().ok();
            here.and_then(|here| root.strip_prefix(here).ok().map(Path::to_owned)).unwrap_or(root)
        };
        Self { root: asked.map_or_else(beside, Path::to_owned), database }
    }

    /// The same, knowing the database's own id.
    #[must_use]
    pub fn of_id(mut self, id: Option<String>) -> Self {
        self.database.id = id;
        self
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The shelf's folder, made if need be, and the folders that were made for it.
    pub fn shelf(&self, shelf: Shelf) -> Result<(PathBuf, Vec<PathBuf>)> {
        let path = self.root.join(shelf.name());
        let made = make(&path)?;
        Ok((path, made))
    }

    /// The backups of this database, oldest first; those of other databases are left out.
    pub fn own(&self) -> Result<Vec<Entry>> {
        let mut entries = self.entries()?;
        entries.retain(|entry| is_of(&entry.path, entry.manifest.as_ref().ok(), &self.database));
        Ok(entries)
    }

    /// How many backups in the folder are of other databases.
    pub fn others(&self) -> Result<usize> {
        Ok(self.entries()?.len() - self.own()?.len())
    }

    /// Every backup in the folder, of whatever database, oldest first.
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
                    let manifest = Manifest::read(&path).map_err(|error| error.message).and_then(|it| it.fits(&path));
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
    let has = |ending: &str| name.strip_suffix(ending).is_some_and(|rest| rest.ends_with('.'));
    !name.starts_with('.') && [DB, DB_GZ, DUMP].into_iter().any(has)
}

/// The name of a new backup: the database's own, the time to the microsecond, and the ending of its kind.
pub(super) fn name(database: &str, made_at: jiff::Timestamp, ending: &str) -> String {
    format!("{database}_{}.{ending}", made_at.strftime("%Y%m%d_%H%M%S_%6f"))
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

#[cfg(test)]
mod tests {
    use super::super::files::remove_empty;
    use super::*;

    #[test]
    fn new_folders_are_distinguished_from_existing_ones() {
        let house = tempfile::tempdir().expect("a folder");
        let there = house.path().join("there");
        fs::create_dir(&there).expect("made");
        let (shelf, made) = Folder::of(Some(&there.join("a/b")), Path::new("x.db")).shelf(Shelf::Daily).expect("made");
        assert_eq!(made, [there.join("a/b/daily"), there.join("a/b"), there.join("a")]);
        assert_eq!(make(&shelf).expect("it is there"), Vec::<PathBuf>::new());
        fs::write(there.join("a/file"), "").expect("written");
        remove_empty(&made);
        assert!(there.join("a").exists() && !there.join("a/b").exists());
        let error = make(&there.join("a/file/daily")).expect_err("a file is in the way");
        assert_eq!((error.message.as_str(), error.status()), ("not a directory", 3));
    }
}
