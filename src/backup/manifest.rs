//! The manifest beside a backup: what a restore requires of it.

use super::files::fault;
use crate::database::dumps::Served;
use crate::error::{Error, Result};
use crate::outputs::with_suffix;
use crate::report::words::{bytes, thousands};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// What a backup is, written beside it as `FILE.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this document.
    pub backup_version: u32,
    /// The backup's file name.
    pub file: String,
    /// How it is packed.
    pub packing: Packing,
    /// The backup's size in bytes.
    pub bytes: u64,
    /// SHA-256 of the backup, lower-case hex.
    pub sha256: String,
    /// When it was made, UTC, with microseconds.
    pub made_at: String,
    /// Why: `asked for`, `before import` and the like.
    pub reason: String,
    /// treelift and its version.
    pub program: String,
    /// The database as its user names it.
    pub source: String,
    /// The database itself; none in a manifest of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Origin>,
    /// The server that it was dumped from; none where it is a copy of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Served>,
    /// The mapping set that the database belongs to.
    pub set: Option<String>,
    /// What the database held.
    pub content: Content,
}

/// The database that a backup is of. A copy of it has the same id, so both are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its own id; none when it had format 1.
    pub id: Option<String>,
    /// Its absolute path, links resolved; of a server, that one's own number, the database and the schema.
    pub path: String,
}

/// How a backup is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    /// As it is.
    None,
    /// With gzip (RFC 1952).
    Gzip,
}

/// What a database holds, as far as a backup is held to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// SHA-256 of the copied database or the dump, unpacked.
    pub sha256: String,
    /// Its size in bytes, unpacked.
    pub bytes: u64,
    /// The last migration that is recorded as applied.
    pub schema: Option<String>,
    /// Every applied migration.
    pub migrations: Vec<String>,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Rows whose declared reference dangles: as many as the database had.
    pub orphans: u64,
    /// The ids of the keys that its sealed values need. Never the keys.
    pub keys: Vec<String>,
}

impl Content {
    /// The first thing in which a copy is not what the manifest says.
    pub fn difference(&self, found: &Self) -> Option<String> {
        if self.sha256 != found.sha256 || self.bytes != found.bytes {
            return Some(format!("it decompresses to {}, expected {}", bytes(found.bytes), bytes(self.bytes)));
        }
        let count = |rows: Option<&u64>| rows.map_or("none".to_owned(), |rows| thousands(*rows));
        let table =
            self.rows.keys().chain(found.rows.keys()).find(|table| self.rows.get(*table) != found.rows.get(*table));
        if let Some(table) = table {
            let (has, had) = (count(found.rows.get(table)), count(self.rows.get(table)));
            return Some(format!("its table `{table}` has {has} rows, the manifest says {had}"));
        }
        if self.migrations != found.migrations || self.schema != found.schema {
            return Some("its schema version differs from the manifest".to_owned());
        }
        if self.orphans != found.orphans {
            return Some("its dangling references differ from the manifest".to_owned());
        }
        (self.keys != found.keys).then(|| "its keys differ from the manifest".to_owned())
    }

    /// All rows.
    pub fn all_rows(&self) -> u64 {
        self.rows.values().sum()
    }
}

impl Manifest {
    /// The manifest, if the file beside it has the size that it says: one that was cut is no backup, and
    /// is not counted as one.
    pub fn fits(self, backup: &Path) -> Result<Self, String> {
        match std::fs::metadata(backup) {
            Ok(file) if file.len() != self.bytes => {
                Err(format!("the backup is damaged: it has {} bytes, the manifest says {}", file.len(), self.bytes))
            }
            _ => Ok(self),
        }
    }

    /// Reads the manifest beside a backup.
    pub fn read(backup: &Path) -> Result<Self> {
        let path = path(backup);
        let text = std::fs::read_to_string(&path).map_err(|error| match (error.kind(), std::fs::metadata(backup)) {
            (ErrorKind::NotFound, Err(error)) => {
                fault(&error, backup).hint("`backup list` shows the backups of a database")
            }
            (ErrorKind::NotFound, Ok(_)) => Error::environment("the backup has no manifest beside it")
                .at(backup.display())
                .hint("it cannot be verified without one; `backup list` shows those that have one"),
            (kind, _) => Error::environment(format!("the manifest cannot be read: {kind}")).at(path.display()),
        })?;
        let damaged = || Error::environment("the manifest is damaged").at(path.display());
        let manifest: Self = serde_json::from_str(&text).map_err(|_| damaged())?;
        match manifest.backup_version {
            1 => Ok(manifest),
            _ => Err(Error::environment("the manifest was written by another version of treelift").at(path.display())),
        }
    }

    /// The document.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings, numbers and lists are always JSON");
        text.push('\n');
        text
    }

    /// Whether the backup belongs to the set that is restored into.
    pub fn judge_set(&self, set: Option<&str>, backup: &Path) -> Result<()> {
        match (&self.set, set) {
            (Some(is), Some(wanted)) if is != wanted => {
                Err(Error::environment(format!("the backup belongs to the mapping set `{is}`, not to `{wanted}`"))
                    .at(backup.display())
                    .hint("choose another backup, name its set with `--mappings`, or restore it into a new file"))
            }
            _ => Ok(()),
        }
    }
}

/// The manifest's path: the backup's with `.json` behind it.
pub fn path(backup: &Path) -> std::path::PathBuf {
    with_suffix(backup, ".json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        Content {
            sha256: "aa".into(),
            bytes: 4_096,
            schema: Some("002_b".into()),
            migrations: vec!["001_a".into(), "002_b".into()],
            rows: BTreeMap::from([("notes".into(), 3), ("people".into(), 2)]),
            orphans: 0,
            keys: vec!["k1".into()],
        }
    }

    #[test]
    fn every_part_of_the_content_is_compared() {
        let differs = |change: fn(&mut Content)| {
            let mut found = content();
            change(&mut found);
            content().difference(&found).unwrap_or_default()
        };
        assert_eq!(differs(|_| {}), "");
        assert_eq!(differs(|found| found.bytes = 100), "it decompresses to 100 bytes, expected 4.1 kB");
        assert_eq!(
            differs(|found| found.rows.extend([("notes".to_owned(), 2)])),
            "its table `notes` has 2 rows, the manifest says 3"
        );
        assert_eq!(
            differs(|found| found.rows.extend([("tags".to_owned(), 2)])),
            "its table `tags` has 2 rows, the manifest says none"
        );
        assert_eq!(differs(|found| found.migrations.truncate(1)), "its schema version differs from the manifest");
        assert_eq!(differs(|found| found.orphans = 1), "its dangling references differ from the manifest");
        assert_eq!(differs(|found| found.keys.clear()), "its keys differ from the manifest");
    }
}
