//! Restoring a backup.

use super::create::id_of;
use super::files::{self, fault, stem};
use super::folder::{self, Folder};
use super::identity::{self, DB, Identity};
use super::manifest::Manifest;
use super::prove::{self, Proved};
use super::safety::{Before, able, before};
use super::verify::{How, Proof, of_another_engine, same, verify};
use crate::config::Ui;
use crate::database::Database;
use crate::database::audit::AuditEntry;
use crate::database::dumps::{PutBack, Served};
use crate::error::{Error, ErrorKind, Result};
use crate::finding::printable;
use crate::outputs::{resolve, with_suffix};
use crate::report::words::count;
use crate::table::AuditTable;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// What the safety backup of a restore is made before.
pub(super) const RESTORE: &str = "restore";

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
    /// How far it was proved before.
    pub proof: Proof,
    /// Where the previous database is kept.
    pub safety: Option<PathBuf>,
    /// Whether nothing was changed.
    pub dry: bool,
}

/// Replaces the database with a backup: the backup is proved first, then a safety backup is made of what is
/// there. Asks before anything that exists is replaced.
pub fn restore(database: &mut dyn Database, restoring: &Restoring<'_>, ui: &dyn Ui) -> Result<Restored> {
    let how = if restoring.dry { How::TryOut } else { How::Read };
    let verified = verify(database, restoring.backup, how)?;
    verified.manifest.judge_set(restoring.set, restoring.backup)?;
    if verified.unpacked.is_some() && database.file().is_none() {
        return Err(of_another_engine("sqlite", database, restoring.backup));
    }
    let done = |safety| Restored {
        backup: restoring.backup.to_owned(),
        manifest: verified.manifest.clone(),
        proof: verified.proof.clone(),
        safety,
        dry: restoring.dry,
    };
    if restoring.dry {
        return Ok(done(None));
    }
    able(database, &restoring.before)?;
    let id = id_of(database);
    let identity = Identity { id: id.clone(), ..Identity::of(database)? };
    ask(database, restoring, &verified.manifest, &identity, ui)?;
    let safety = match (&verified.unpacked, &verified.manifest.server) {
        (Some(proved), _) => replace_file(database, proved, restoring, id.as_deref(), ui)?,
        (None, Some(served)) => put_back(database, &verified.manifest, served, restoring, id.as_deref(), ui)?,
        (None, None) => return Err(Error::bug("a backup is neither a file nor a dump")),
    };
    Ok(done(safety))
}

/// Asks where something is there, or the backup is another database's.
fn ask(
    database: &dyn Database,
    restoring: &Restoring<'_>,
    manifest: &Manifest,
    identity: &Identity,
    ui: &dyn Ui,
) -> Result<()> {
    let is_own = identity::is_of(restoring.backup, Some(manifest), identity);
    // One that cannot be read is there all the same.
    let is_there = database.exists().unwrap_or(true);
    if !is_there && is_own {
        return Ok(());
    }
    let rows = count(manifest.content.all_rows(), "row");
    let Manifest { source, made_at, .. } = manifest;
    let (url, backup) = (database.url(), restoring.backup.display());
    let of = format!("the backup of {source} made at {made_at} UTC ({rows}, {backup})");
    let question = if is_there {
        let lost = lost(database, manifest);
        format!("replace {url} with {of}, {} of the current database{lost}?", restoring.before.in_words())
    } else {
        format!("create {url} from {of}?")
    };
    if ui.confirm(&question)? { Ok(()) } else { Err(Error::request("not confirmed, nothing was changed")) }
}

/// What is there and not in the backup, as far as it can be read: it goes.
fn lost(database: &dyn Database, manifest: &Manifest) -> String {
    let Ok(Some(survey)) = database.read().and_then(|reader| reader.map(|reader| reader.survey()).transpose()) else {
        return String::new();
    };
    let tables = survey.counts.iter().filter(|(table, _)| !manifest.content.rows.contains_key(*table));
    let tables: Vec<String> =
        tables.map(|(table, rows)| format!("`{}` ({})", printable(table), count(*rows, "row"))).collect();
    if tables.is_empty() { String::new() } else { format!("; not in the backup, and gone then: {}", tables.join(", ")) }
}

/// Replaces a database file by one rename. Where the one that was there is kept.
fn replace_file(
    database: &mut dyn Database,
    proved: &Proved,
    restoring: &Restoring<'_>,
    id: Option<&str>,
    ui: &dyn Ui,
) -> Result<Option<PathBuf>> {
    let file = database.file().ok_or_else(|| Error::bug("the database is no file"))?.to_owned();
    let safety = keep_aside(database, &file, restoring, ui)?;
    tell_audit(proved, restoring.audit, id)?;
    database.replace_with(&proved.database)?.iter().for_each(|fault| ui.warn(fault));
    Ok(safety)
}

/// Replaces what a server's schema holds in one transaction, that of the safety backup.
fn put_back(
    database: &dyn Database,
    manifest: &Manifest,
    served: &Served,
    restoring: &Restoring<'_>,
    id: Option<&str>,
    ui: &dyn Ui,
) -> Result<Option<PathBuf>> {
    let dumps = database.dumps().ok_or_else(|| Error::bug("the database has no server"))?;
    let safety = before(database, RESTORE, &restoring.before, ui)?;
    let entry = entry(manifest)?;
    let order = PutBack { dump: restoring.backup, served, id, entry: &entry, audit: restoring.audit };
    let mut is_same = false;
    let done = dumps.put_back(&order, &mut |reader| {
        same(reader, manifest, restoring.backup)?;
        is_same = true;
        Ok(())
    });
    // Behind that it may have been committed, whatever is told.
    let made = if is_same { safety.keep() } else { None };
    done.map(|()| made.map(|made| made.path))
}

/// The entry of the audit trail.
fn entry(manifest: &Manifest) -> Result<AuditEntry> {
    let entry = AuditEntry::new("restore", "database", "a backup was restored", Timestamp::now())?;
    let details = serde_json::json!({ "made_at": manifest.made_at, "sha256": manifest.sha256 });
    Ok(entry.of(manifest.file.clone()).with(details))
}

/// Writes the entry of the audit trail into the unpacked copy, before it takes the database's place:
/// so it is there or the restore is not. An application's table that refuses it does not prevent
/// a restore.
fn tell_audit(proved: &Proved, audit: Option<&AuditTable>, id: Option<&str>) -> Result<()> {
    let entry = entry(&proved.manifest)?;
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
            let name = folder::name(&stem(file), Timestamp::now(), DB);
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
