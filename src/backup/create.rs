//! Making a backup: copied at one moment, described, and proved.

use super::files::{self, fault};
use super::folder::{self, Folder, Shelf};
use super::identity::{DB, DB_GZ, DUMP, Identity};
use super::manifest::{self, Content, Manifest, Origin, Packing};
use super::prove;
use super::verify::{How, Proof, verify};
use crate::database::Database;
use crate::database::dumps::{Dumps, Served};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::platform;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a backup is made of, and where it goes.
#[derive(Debug, Clone)]
pub struct Making<'a> {
    /// `--backup-dir`; else `backups` beside the database, or in the working directory.
    pub folder: Option<&'a Path>,
    /// How it is packed.
    pub packing: Packing,
    /// Why, for people: `asked for`, `before import`.
    pub reason: &'a str,
    /// The mapping set that the database belongs to.
    pub set: Option<&'a str>,
    /// Whether the database is changed next: one of a server stays as it is here until that.
    pub is_changed_next: bool,
}

/// A backup that was made and proved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub manifest: Manifest,
    /// How far it is proved.
    pub proof: Proof,
    /// The folders that were made for it, the deepest first.
    #[serde(skip)]
    pub(super) folders: Vec<PathBuf>,
}

/// Makes a backup of a database, and proves it.
///
/// The copy is taken at one moment while others may go on working. What cannot be proved is removed
/// again, and the error says why.
pub fn create(database: &dyn Database, making: &Making<'_>) -> Result<Made> {
    if making.packing == Packing::Gzip && database.dumps().is_some() {
        return Err(Error::request("a backup of a server is compressed in any case: `pg_dump` does it")
            .at(database.url())
            .hint("leave out `--compress`"));
    }
    if !database.exists()? {
        return Err(database.missing());
    }
    let identity = Identity::of(database)?;
    let now = Timestamp::now();
    let ending = match (database.dumps(), making.packing) {
        (Some(_), _) => DUMP,
        (None, Packing::None) => DB,
        (None, Packing::Gzip) => DB_GZ,
    };
    let (shelf, folders) = Folder::of_identity(making.folder, identity.clone()).shelf(Shelf::Daily)?;
    let path = shelf.join(folder::name(&identity.name, now, ending));
    let one = New { database, making, path: &path, now, identity: &identity };
    let made = one.make().and_then(|manifest| {
        files::write(&manifest::path(&path), &manifest.text())?;
        // What stands still for it is kept waiting no longer than it takes to read.
        let how = if making.is_changed_next { How::Read } else { How::TryOut };
        let proof = verify(database, &path, how)?.proof;
        Ok(Made { path: path.clone(), manifest, proof, folders: folders.clone() })
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

/// A backup that is being made.
struct New<'n> {
    database: &'n dyn Database,
    making: &'n Making<'n>,
    path: &'n Path,
    now: Timestamp,
    identity: &'n Identity,
}

impl New<'_> {
    fn make(&self) -> Result<Manifest> {
        let Self { database, path, .. } = self;
        // Copied beside its last place, so that it is on the same disk.
        let plain = path.with_file_name(format!(".{}.part", path.file_name().unwrap_or_default().to_string_lossy()));
        let plain = Unfinished(plain);
        let on = |error: io::Error| fault(&error, path);
        let (content, id, served) = match database.dumps() {
            Some(dumps) => self.dump(dumps, &plain.0)?,
            None => {
                database.copy_to(&plain.0)?;
                let bad =
                    |why: String| Error::environment(format!("the copy cannot be verified: {why}")).at(database.url());
                let content = prove::open(&plain.0, &bad)?;
                let id = id_of(&*crate::database::open(prove::url(&plain.0)?)?);
                (content, id, None)
            }
        };
        let read = || File::open(&plain.0).map_err(on);
        let (sha256, size) = prove::digest(read()?, io::sink()).map_err(on)?;
        let content = Content { sha256: sha256.clone(), bytes: size, ..content };
        let (sha256, size) = match self.making.packing {
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
            packing: self.making.packing,
            bytes: size,
            sha256,
            made_at: self.now.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string(),
            reason: self.making.reason.to_owned(),
            program: concat!("treelift ", env!("CARGO_PKG_VERSION")).to_owned(),
            source: database.url().to_owned(),
            database: Some(Origin { id, path: self.identity.path.clone() }),
            server: served,
            set: self.making.set.map(str::to_owned),
            content,
        })
    }

    /// A dump, with what the database holds at its moment.
    fn dump(&self, dumps: &dyn Dumps, to: &Path) -> Result<(Content, Option<String>, Option<Served>)> {
        let mut seen = None;
        let served = dumps.dump(to, self.making.is_changed_next, &mut |reader| {
            seen = Some((prove::content(reader)?, reader.state()?.id));
            Ok(())
        })?;
        let (content, id) = seen.ok_or_else(|| Error::bug("nobody looked into the database"))?;
        Ok((content, id, Some(served)))
    }
}

fn pack(mut from: File, to: &Path) -> io::Result<()> {
    let mut packed = GzEncoder::new(platform::create_private(to)?, Compression::default());
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

/// The database's own id; none where it cannot be read.
pub fn id_of(database: &dyn Database) -> Option<String> {
    database.state().ok().flatten().and_then(|state| state.id)
}
