//! Restoring single tables of a backup.

use super::manifest::Manifest;
use super::restore::{RESTORE, Restoring};
use super::safety::{able, before};
use super::verify::{How, Verified, of_another_engine, verify};
use crate::config::Ui;
use crate::database::audit::{AuditEntry, random_id};
use crate::database::order::{Kept, Look, PutRowsBack};
use crate::database::rows_back::TableBack;
use crate::database::{Database, Mode};
use crate::error::{Error, Result};
use crate::mapping::suggest;
use crate::report::words::count;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TablesBack {
    /// The backup.
    pub backup: PathBuf,
    /// What it is.
    pub manifest: Manifest,
    /// Table by table.
    pub tables: Vec<TableBack>,
    /// Where the previous database is kept.
    pub safety: Option<PathBuf>,
    /// Whether nothing was changed.
    pub dry: bool,
}

/// Makes the rows of these tables those of a backup again, all in one transaction, and leaves all others as they are. It is
/// rehearsed first; then it asks, and makes a safety backup. `judge` sees the rows back, and refuses what may not be committed.
///
/// # Errors
/// When the backup is not whole or has no such table, a table has other columns now, or rows of other tables reference rows
/// that would go: nothing is changed then.
pub fn restore_tables(
    database: &mut dyn Database,
    tables: &[String],
    restoring: &Restoring<'_>,
    judge: Look<'_>,
    ui: &dyn Ui,
) -> Result<TablesBack> {
    let verified = verify(database, restoring.backup, How::Read)?;
    verified.manifest.judge_set(restoring.set, restoring.backup)?;
    able(database, &restoring.before)?;
    let wanted = wanted(tables, &verified.manifest)?;
    let work = Work { restoring, verified: &verified, wanted: &wanted, judge };
    let planned = work.run(database, Mode::Dry, ui)?;
    let done = |tables, safety| TablesBack {
        backup: restoring.backup.to_owned(),
        manifest: verified.manifest.clone(),
        tables,
        safety,
        dry: restoring.dry,
    };
    if restoring.dry || !planned.iter().any(TableBack::is_change) {
        return Ok(done(planned, None));
    }
    work.ask(database, &planned, ui)?;
    let safety = before(database, RESTORE, &restoring.before, ui)?;
    let backs = work.run(database, Mode::Real, ui);
    // Where it was committed or not is told by its end; a fault of the commit leaves it open.
    let is_unchanged = backs.as_ref().is_ok_and(|backs| !backs.iter().any(TableBack::is_change));
    let made = if is_unchanged { None } else { safety.keep() };
    Ok(done(backs?, made.map(|made| made.path)))
}

/// How many rows the backup has of each.
fn wanted(tables: &[String], manifest: &Manifest) -> Result<BTreeMap<String, u64>> {
    let known = &manifest.content.rows;
    let of = |table: &String| match known.get(table) {
        Some(rows) => Ok((table.clone(), *rows)),
        None => {
            let error = Error::request(format!("the backup has no table `{table}`")).at(&manifest.file);
            let nearest = suggest::nearest(table, known.keys().map(String::as_str));
            Err(error.hint(nearest.map_or_else(
                || format!("it has {}", known.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
                |nearest| format!("did you mean `{nearest}`?"),
            )))
        }
    };
    tables.iter().map(of).collect()
}

struct Work<'w> {
    restoring: &'w Restoring<'w>,
    verified: &'w Verified,
    wanted: &'w BTreeMap<String, u64>,
    judge: Look<'w>,
}

impl Work<'_> {
    fn run(&self, database: &mut dyn Database, mode: Mode, ui: &dyn Ui) -> Result<Vec<TableBack>> {
        let manifest = &self.verified.manifest;
        let from = match (&self.verified.unpacked, &manifest.server) {
            (Some(proved), _) if database.file().is_some() => Kept::File(&proved.database),
            (None, Some(served)) => Kept::Dump(self.restoring.backup, served),
            _ => return Err(of_another_engine("sqlite", database, self.restoring.backup)),
        };
        let names: Vec<&str> = self.wanted.keys().map(String::as_str).collect();
        let entry =
            AuditEntry::new("restore", "database", "rows of tables were restored of a backup", Timestamp::now())?;
        let details = serde_json::json!({ "made_at": manifest.made_at, "sha256": manifest.sha256, "tables": names });
        let done = database.put_rows_back(&PutRowsBack {
            mode,
            run_id: &random_id()?,
            tables: self.wanted,
            from,
            look: self.judge,
            entry: &entry.of(manifest.file.clone()).with(details),
            audit: self.restoring.audit,
            warn: &|fault| ui.warn(fault),
        });
        done.map_err(|error| match &error.hint {
            None => {
                error.hint("nothing was changed; where values moved from one row to another, restore the whole backup")
            }
            Some(_) => error,
        })
    }

    fn ask(&self, database: &dyn Database, planned: &[TableBack], ui: &dyn Ui) -> Result<()> {
        let manifest = &self.verified.manifest;
        let of = |back: &TableBack| {
            let TableBack { table, added, changed, removed } = back;
            format!("`{table}` (add {}, change {changed}, remove {removed})", count(*added, "row"))
        };
        let changes = planned.iter().filter(|back| back.is_change()).map(of).collect::<Vec<_>>().join(", ");
        let question = format!(
            "make rows of {} those of the backup made at {} UTC again, {}: {changes}?",
            database.url(),
            manifest.made_at,
            self.restoring.before.in_words()
        );
        if ui.confirm(&question)? { Ok(()) } else { Err(Error::request("not confirmed, nothing was changed")) }
    }
}
