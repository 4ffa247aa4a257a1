//! Making a backup: copied at one moment, described, and proved.

use super::files::{self, fault};
use super::folder::{self, Folder, Shelf};
use super::manifest::{self, Content, Manifest, Origin, Packing};
use super::prove::{self, prove};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::outputs::resolve;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a backup is made of, and where it goes.
#[derive(Debug, Clone)]
pub struct Making<'a> {
    /// `--backup-dir`; else `backups` beside the database.
    pub folder: Option<&'a Path>,
    /// How it is packed.
    pub packing: Packing,
    /// Why, for people: `asked for`, `before import`.
    pub reason: &'a str,
    /// The mapping set that the database belongs to.
    pub set: Option<&'a str>,
}

/// A backup that was made and proved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub manifest: Manifest,
    /// The folders that were made for it, the deepest first.
    #[serde(skip)]
    pub(super) folders: Vec<PathBuf>,
}

/// Makes a backup of a database, and proves it.
///
/// The copy is taken at one moment while others may go on working. What cannot be proved is removed
/// again, and the error says why.
pub fn create(database: &dyn Database, making: &Making<'_>) -> Result<Made> {
    let file = file_of(database)?;
    if !database.exists()? {
        return Err(database.missing());
    }
    let now = Timestamp::now();
    let (shelf, folders) = Folder::of(making.folder, file).shelf(Shelf::Daily)?;
    let path = shelf.join(folder::name(file, now, making.packing));
    let made = make(database, making, &path, now).and_then(|manifest| {
        files::write(&manifest::path(&path), &manifest.text())?;
        prove(&path).map(|_| Made { path: path.clone(), manifest, folders: folders.clone() })
    });
    if made.is_err() {
        withdraw(&path, &folders);
    }
    made
}

/// Removes an unneeded backup, and the folders that were made for it and are empty then.
pub(super) fn withdraw(backup: &Path, folders: &[PathBuf]) {
    // Whatever is told at the end is more than a backup too many.
    let _ = folder::remove(backup);
    files::remove_empty(folders);
}

fn make(database: &dyn Database, making: &Making<'_>, path: &Path, now: Timestamp) -> Result<Manifest> {
    // Copied beside its last place, so that it is on the same disk.
    let plain = path.with_file_name(format!(".{}.part", path.file_name().unwrap_or_default().to_string_lossy()));
    let plain = Unfinished(plain);
    database.copy_to(&plain.0)?;
    let bad = |why: String| Error::environment(format!("the copy cannot be verified: {why}")).at(database.url());
    let content = prove::open(&plain.0, &bad)?;
    let id = id_of(&*crate::database::open(prove::url(&plain.0)?)?);
    let on = |error: io::Error| fault(&error, path);
    let read = || File::open(&plain.0).map_err(on);
    let (sha256, size) = prove::digest(read()?, io::sink()).map_err(on)?;
    let content = Content { sha256: sha256.clone(), bytes: size, ..content };
    let (sha256, size) = match making.packing {
        Packing::None => {
            fs::rename(&plain.0, path).map_err(on)?;
            (sha256, size)
        }
        Packing::Gzip => {
            pack(read()?, path).map_err(on)?;
            prove::digest(File::open(path).map_err(on)?, io::sink()).map_err(on)?
        }
    };
    Ok(Manifest {
        backup_version: 1,
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        packing: making.packing,
        bytes: size,
        sha256,
        made_at: now.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string(),
        reason: making.reason.to_owned(),
        program: concat!("treelift ", env!("CARGO_PKG_VERSION")).to_owned(),
        source: database.url().to_owned(),
        database: Some(Origin { id, path: resolve(file_of(database)?).to_string_lossy().into_owned() }),
        set: making.set.map(str::to_owned),
        content,
    })
}

fn pack(mut from: File, to: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let mut packed = GzEncoder::new(file, Compression::default());
    interrupt::copy(&mut from, &mut packed)?;
    let mut file = packed.finish()?;
    file.flush()?;
    file.sync_all()
}

/// A file that is removed unless it got another name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is already deleted where it was renamed.
        let _ = fs::remove_file(&self.0);
    }
}

pub(super) fn file_of(database: &dyn Database) -> Result<&Path> {
    database
        .file()
        .ok_or_else(|| Error::request("backups of this kind of database are not built yet").at(database.url()))
}

/// The database's own id; none where it cannot be read.
pub fn id_of(database: &dyn Database) -> Option<String> {
    database.state().ok().flatten().and_then(|state| state.id)
}
