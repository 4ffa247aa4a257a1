//! Proves a backup: its bytes against the manifest, then the database in it by opening it.

use super::files::fault;
use super::manifest::{Content, Manifest, Packing};
use crate::database::history::Status;
use crate::database::scratch::Scratch;
use crate::database::{self, Reader};
use crate::error::{Error, ErrorKind, Result};
use crate::hex;
use crate::interrupt;
use crate::platform;
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A backup that was proved, unpacked in a private folder that vanishes with it.
#[derive(Debug)]
pub struct Proved {
    /// What it is.
    pub manifest: Manifest,
    /// The unpacked database.
    pub database: PathBuf,
    _folder: Scratch,
}

/// Proves a backup.
pub fn prove(backup: &Path) -> Result<Proved> {
    let manifest = Manifest::read(backup)?;
    let bad = |why: String| damaged(backup, &why);
    bytes_of(backup, &manifest)?;
    let folder = Scratch::new(backup)?;
    let database = folder.path().join("backup.db");
    let (sha256, bytes) = unpack(backup, &manifest, &database).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            bad("it cannot be decompressed".to_owned())
        }
        _ => fault(&error, backup),
    })?;
    let found = Content { sha256, bytes, ..open(&database, &bad)? };
    match manifest.content.difference(&found) {
        None => Ok(Proved { manifest, database, _folder: folder }),
        Some(why) => Err(bad(why)),
    }
}

/// The words for a backup that is not what it was.
pub(super) fn damaged(backup: &Path, why: &str) -> Error {
    Error::environment(format!("the backup is damaged: {why}"))
        .at(backup.display())
        .hint("choose another one; `backup list` shows them")
}

/// Compares the bytes of a backup with its manifest.
pub(super) fn bytes_of(backup: &Path, manifest: &Manifest) -> Result<()> {
    let (sha256, bytes) = digest(File::open(backup).map_err(|error| fault(&error, backup))?, io::sink())
        .map_err(|error| fault(&error, backup))?;
    if bytes != manifest.bytes {
        return Err(damaged(backup, &format!("it has {bytes} bytes, the manifest says {}", manifest.bytes)));
    }
    if sha256 != manifest.sha256 {
        return Err(damaged(backup, "its SHA-256 differs from the manifest"));
    }
    Ok(())
}

/// Unpacks into a new file that only its owner may read; SHA-256 and size of what came out.
/// No more than the manifest says, and a byte that shows that there is more.
fn unpack(backup: &Path, manifest: &Manifest, to: &Path) -> io::Result<(String, u64)> {
    let most = manifest.content.bytes.saturating_add(1);
    let from = File::open(backup)?;
    let to = platform::create_private(to)?;
    match manifest.packing {
        Packing::None => digest(from.take(most), to),
        Packing::Gzip => digest(MultiGzDecoder::new(from).take(most), to),
    }
}

/// Copies everything, hashing it on the way: SHA-256 in hex, and how many bytes it was.
pub(super) fn digest(mut from: impl Read, to: impl Write) -> io::Result<(String, u64)> {
    let mut hashing = Hashing { to, hash: Sha256::new() };
    let bytes = interrupt::copy(&mut from, &mut hashing)?;
    Ok((hex::encode(hashing.hash.finalize()), bytes))
}

/// A writer that hashes what it passes on.
struct Hashing<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The URL of a file in a temporary folder.
pub(super) fn url(database: &Path) -> Result<&str> {
    database.to_str().ok_or_else(|| Error::environment("the temporary folder's name is not UTF-8"))
}

/// What the database in a file holds; refused when it does not pass its own check.
pub(super) fn open(database: &Path, bad: &dyn Fn(String) -> Error) -> Result<Content> {
    let opened = || -> Result<Option<(Content, Vec<String>)>> {
        let Some(reader) = database::open(url(database)?)?.read()? else { return Ok(None) };
        let faults = reader.health()?.damage;
        Ok(Some((content(&*reader)?, faults)))
    };
    match opened() {
        Ok(Some((content, faults))) if faults.is_empty() => Ok(content),
        Ok(Some((_, faults))) => Err(bad(format!("the database in it is damaged: {}", faults.join("; ")))),
        Ok(None) => Err(bad("there is no database in it".to_owned())),
        Err(error) if matches!(error.kind, ErrorKind::Interrupted(_)) => Err(error),
        Err(error) => Err(bad(error.message)),
    }
}

/// What a database holds.
pub(super) fn content(reader: &dyn Reader) -> Result<Content> {
    let survey = reader.survey()?;
    let applied = survey.recorded.into_iter().filter(|record| record.status == Status::Applied);
    let migrations: Vec<String> = applied.map(|record| record.version).collect();
    Ok(Content {
        rows: survey.counts,
        keys: survey.seals.registry.keys.into_iter().map(|row| row.id).collect(),
        schema: migrations.last().cloned(),
        migrations,
        orphans: reader.broken()?.iter().map(|broken| broken.rows).sum(),
        ..Content::default()
    })
}
