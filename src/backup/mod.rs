//! Backups: made by the database's own online backup, proved by opening them, restored by one rename.

mod create;
mod files;
pub mod folder;
mod identity;
pub mod keep;
pub mod manifest;
mod prove;
mod safety;

use crate::config::Ui;
use crate::database::Database;
use crate::database::audit::AuditEntry;
use crate::error::{Error, ErrorKind, Result};
use crate::outputs::{resolve, with_suffix};
use crate::report::words::count;
use crate::table::AuditTable;
pub use create::{Made, Making, create, id_of};
use create::{file_of, withdraw};
use files::fault;
use folder::{Entry, Folder, Shelf};
use identity::Identity;
use jiff::Timestamp;
use manifest::{Manifest, Packing};
pub use prove::{Proved, prove};
pub use safety::{Before, Safety, able, before};
use std::path::{Path, PathBuf};

/// The newest backup that has a readable manifest, of one shelf or of all. What was made before a
/// restore is the state that was given up: restored twice, the latest would be that.
pub fn latest(entries: &[Entry], shelf: Option<Shelf>) -> Option<&Entry> {
    let is_meant = |manifest: &Manifest| manifest.reason != safety::reason(RESTORE);
    let wanted =
        |entry: &&Entry| entry.manifest.as_ref().is_ok_and(is_meant) && shelf.is_none_or(|shelf| entry.shelf == shelf);
    entries.iter().filter(wanted).max_by(|one, other| (one.made_at(), &one.path).cmp(&(other.made_at(), &other.path)))
}

/// Copies a backup and its manifest onto another shelf, and proves the copy.
pub fn promote(folder: &Folder, entry: &Entry, to: Shelf) -> Result<Made> {
    let proved = prove(&entry.path)?;
    let name = entry.path.file_name().ok_or_else(|| Error::bug("a backup has no name"))?;
    let (shelf, folders) = folder.shelf(to)?;
    let path = shelf.join(name);
    if path.exists() {
        return Err(Error::request(format!("the backup is on the {} shelf already", to.name())).at(path.display()));
    }
    let copied = files::copy(&entry.path, &path);
    let done = copied
        .map_err(|error| fault(&error, &path))
        .and_then(|()| files::write(&manifest::path(&path), &proved.manifest.text()))
        .and_then(|()| prove(&path));
    match done {
        Ok(proved) => Ok(Made { path, manifest: proved.manifest, folders }),
        Err(error) => {
            withdraw(&path, &folders);
            Err(error)
        }
    }
}

/// What the safety backup of a restore is made before.
const RESTORE: &str = "restore";

/// What is restored, and how.
#[derive(Debug, Clone)]
pub struct Restoring<'a> {
    /// The backup.
    pub backup: &'a Path,
    /// The mapping set that the database belongs to, where it is known.
    pub set: Option<&'a str>,
    /// The application's own audit table.
    pub audit: Option<&'a AuditTable>,
    /// Prove everything and change nothing.
    pub dry: bool,
    /// What is done about the database that is there.
    pub before: Before<'a>,
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// The backup that was restored.
    pub backup: PathBuf,
    /// What it is.
    pub manifest: Manifest,
    /// Where the previous database is kept.
    pub safety: Option<PathBuf>,
    /// Whether nothing was changed.
    pub dry: bool,
}

/// Replaces the database with a backup: the manifest first, then a safety backup of what is
/// there, then one rename. Asks before anything that exists is replaced.
pub fn restore(database: &mut dyn Database, restoring: &Restoring<'_>, ui: &dyn Ui) -> Result<Restored> {
    let proved = prove(restoring.backup)?;
    proved.manifest.judge_set(restoring.set, restoring.backup)?;
    let done = |safety| Restored {
        backup: restoring.backup.to_owned(),
        manifest: proved.manifest.clone(),
        safety,
        dry: restoring.dry,
    };
    if restoring.dry {
        return Ok(done(None));
    }
    let rows = count(proved.manifest.content.all_rows(), "row");
    let file = file_of(database)?.to_owned();
    let id = id_of(database);
    let identity = Identity { file: file.clone(), id: id.clone() };
    let is_own = identity::is_of(restoring.backup, Some(&proved.manifest), &identity);
    // One that cannot be read is there all the same.
    let is_there = database.exists().unwrap_or(true);
    if is_there || !is_own {
        let Manifest { source, made_at, .. } = &proved.manifest;
        let (url, backup) = (database.url(), restoring.backup.display());
        let of = format!("the backup of {source} made at {made_at} UTC ({rows}, {backup})");
        let question = if is_there {
            format!("replace {url} with {of}, {} of the current database?", restoring.before.in_words())
        } else {
            format!("create {url} from {of}?")
        };
        if !ui.confirm(&question)? {
            return Err(Error::request("not confirmed, nothing was changed"));
        }
    }
    let safety = keep_aside(database, &file, restoring, ui)?;
    tell_audit(&proved, restoring.audit, id.as_deref())?;
    database.replace_with(&proved.database)?.iter().for_each(|fault| ui.warn(fault));
    Ok(done(safety))
}

/// Writes the entry of the audit trail into the unpacked copy, before it takes the database's place:
/// so it is there or the restore is not. An application's table that refuses it does not prevent
/// a restore.
fn tell_audit(proved: &Proved, audit: Option<&AuditTable>, id: Option<&str>) -> Result<()> {
    let entry = AuditEntry::new("restore", "database", "a backup was restored", Timestamp::now())?
        .of(proved.manifest.file.clone())
        .with(serde_json::json!({ "made_at": proved.manifest.made_at, "sha256": proved.manifest.sha256 }));
    let mut copy = crate::database::open(prove::url(&proved.database)?)?;
    // One of the first format has no id yet: it stays the database that it was.
    copy.upgrade(id)?;
    copy.note(&entry, audit).or_else(|_| copy.note(&entry, None))
}

/// The safety backup. What is damaged cannot be proved: its files are copied as they are.
fn keep_aside(database: &dyn Database, file: &Path, restoring: &Restoring<'_>, ui: &dyn Ui) -> Result<Option<PathBuf>> {
    if restoring.before.skip || !file.exists() {
        return Ok(None);
    }
    match before(database, RESTORE, &restoring.before, ui) {
        Ok(safety) => Ok(safety.keep().map(|made| made.path)),
        Err(error) if matches!(error.kind, ErrorKind::Interrupted(_)) => Err(error),
        Err(error) => {
            let root = Folder::of(restoring.before.folder, file).root().join("damaged");
            // Journals lie beside the file itself, not beside a link to it.
            let real = resolve(file);
            let name = folder::name(file, Timestamp::now(), Packing::None);
            files::make(&root)?;
            let to = root.join(name);
            for suffix in [&[""], database.side_suffixes()].concat() {
                let from = with_suffix(&real, suffix);
                if from.exists() {
                    files::copy(&from, &with_suffix(&to, suffix)).map_err(|error| fault(&error, &from))?;
                }
            }
            ui.say(&format!("the current database cannot be backed up ({})", error.message));
            ui.say(&format!("its files were copied unchanged: {}", to.display()));
            Ok(Some(to))
        }
    }
}
