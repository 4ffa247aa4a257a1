//! Proves a backup of whatever kind, as far as that can be done.

use super::manifest::{Content, Manifest};
use super::prove::{self, Proved, bytes_of, damaged, prove};
use crate::database::dumps::{Dumps, Served};
use crate::database::{Database, Reader};
use crate::error::{Error, Result};
use std::path::Path;

/// How far a backup is proved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The database in it was opened, and compared with the manifest.
    Opened,
    /// It was restored into a database that was dropped again, and compared with the manifest there.
    Restored,
    /// It was read to its end, and not restored: why.
    ReadThrough(String),
}

impl Proof {
    /// In words, for the end of a command.
    pub fn words(&self) -> String {
        match self {
            Self::Opened => "verified".to_owned(),
            Self::Restored => "verified by restoring it".to_owned(),
            Self::ReadThrough(why) => format!("read through, not restored ({why})"),
        }
    }
}

/// What a proof may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A dump is read.
    Read,
    /// A dump is restored where the server lets the user make a database for that.
    TryOut,
}

/// A backup that is whole.
#[derive(Debug)]
pub struct Verified {
    /// What it is.
    pub manifest: Manifest,
    /// How far it is proved.
    pub proof: Proof,
    /// What was unpacked; of a dump, nothing is.
    pub(super) unpacked: Option<Proved>,
}

/// Proves a backup. A dump needs the database of a server for it.
pub fn verify(database: &dyn Database, backup: &Path, how: How) -> Result<Verified> {
    let manifest = Manifest::read(backup)?;
    let Some(served) = manifest.server.clone() else {
        let proved = prove(backup)?;
        return Ok(Verified { manifest: proved.manifest.clone(), proof: Proof::Opened, unpacked: Some(proved) });
    };
    let dumps = database.dumps().ok_or_else(|| of_another_engine(&served.engine, database, backup))?;
    bytes_of(backup, &manifest)?;
    dumps.read_through(backup, &served).map_err(|error| error.at(backup.display()))?;
    let proof = match how {
        How::Read => Proof::ReadThrough("so that the database is not kept waiting".to_owned()),
        How::TryOut => try_out(dumps, backup, &manifest, &served)?,
    };
    Ok(Verified { manifest, proof, unpacked: None })
}

fn try_out(dumps: &dyn Dumps, backup: &Path, manifest: &Manifest, served: &Served) -> Result<Proof> {
    let why = dumps.try_out(backup, served, &mut |reader| same(reader, manifest, backup))?;
    Ok(why.map_or(Proof::Restored, Proof::ReadThrough))
}

/// Compares what a database holds that a dump was put into with the manifest.
pub(super) fn same(reader: &dyn Reader, manifest: &Manifest, backup: &Path) -> Result<()> {
    let Content { sha256, bytes, .. } = manifest.content.clone();
    let found = Content { sha256, bytes, ..prove::content(reader)? };
    manifest.content.difference(&found).map_or(Ok(()), |why| Err(damaged(backup, &why)))
}

/// The words for a backup that another engine made.
pub(super) fn of_another_engine(engine: &str, database: &dyn Database, backup: &Path) -> Error {
    let message =
        format!("the backup is one of a database of {engine}, and {} is one of {}", database.url(), database.engine());
    Error::environment(message).at(backup.display()).hint("name its database with `--database URL`")
}
