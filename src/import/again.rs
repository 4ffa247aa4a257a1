//! The same source again: where every file is as the last import read it, under the same set and program, none is read.
//! Where only some are, it is told elsewhere which of them need not be.
//!
//! Nothing of it could come to another end, unless somebody changed rows in the database: that is not looked at then.

use super::begin::Beginning;
use super::clock::Clock;
use super::kept::{Keeping, Recalling};
use super::left::{as_in, note};
use super::signed::Signed;
use super::summary::{printable_path, run_record};
use super::vault::KeySource;
use crate::config::{ImportOptions, Ui};
use crate::database::audit::{AuditEntry, random_id};
use crate::database::history::{self, State};
use crate::database::{Database, Mode, Opening, Transaction};
use crate::error::Result;
use crate::finding::{FILE_AS_BEFORE, Severity};
use crate::import::plan::Plan;
use crate::report::words::count;
use crate::report::write::ReportFiles;
use crate::report::{
    AsInReport, CheckStatus, File, FileReport, FileStatus, Files, Kind, Outcome, Report, RunMode, RunReport,
    SecretsReport, Shared, TargetReport,
};
use crate::source::SourceFile;
use crate::who::Who;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// A file that was written so shortly before a run may be written again at what counts as the same time.
const TICK: SignedDuration = SignedDuration::from_secs(1);

/// What an import hangs on besides its files.
fn facts(plan: &Plan, options: &ImportOptions) -> Option<String> {
    if !options.only_mapping.is_empty() || !options.only_owner.is_empty() || options.replay.is_some() {
        return None; // it reads a part of the tree
    }
    let root = plan.tree.root.canonicalize().ok()?;
    Some(
        serde_json::json!({
            "program": env!("CARGO_PKG_VERSION"),
            "set": plan.set.name,
            "digest": plan.set.digest,
            "root": root.display().to_string(),
            "skipped": plan.tree.skipped.iter().map(|skipped| &skipped.path).collect::<Vec<_>>(),
            "existing": format!("{:?}", options.existing),
            "with": options.with,
            "owner": options.owner,
            "max_depth": options.max_depth,
            "max_unpacked": options.max_unpacked,
        })
        .to_string(),
    )
}

/// Size and time of modification of a file, as they are kept: in bytes, and in nanoseconds since 1970; none where a time
/// cannot be.
fn size(file: &SourceFile) -> Option<(u64, i64)> {
    Some((file.bytes, i64::try_from(file.modified()?.as_nanosecond()).ok()?))
}

/// What is kept of a run before its files.
#[derive(Serialize, Deserialize)]
struct Head<R> {
    /// Without its files, which follow one by one.
    report: R,
    /// What they have in common.
    kinds: Vec<Kind>,
    /// How many follow.
    files: usize,
    /// What the sign-off list has of each owner, so that it is whole where they are not read.
    signed: Vec<Signed>,
    /// The files that do not give rows any more which earlier runs wrote, and those that give rows of others: both are told
    /// of each time.
    read_again: BTreeSet<String>,
}

/// What of a run is kept beside its report.
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) signed: Vec<Signed>,
    pub(super) read_again: BTreeSet<String>,
}

/// Keeps what a run saw of its source, so that the same source is not read again; nothing where a part of it has to be.
///
/// # Errors
/// Those of the database.
pub(super) fn keep(
    transaction: &mut dyn Transaction,
    plan: &Plan,
    options: &ImportOptions,
    started: Timestamp,
    report: &mut Report,
    Aside { signed, read_again }: Aside,
) -> Result<()> {
    let is_fresh = |modified: Timestamp| started.duration_since(modified) < TICK;
    let cannot_be = |file: &SourceFile| file.modified().is_none_or(is_fresh) || size(file).is_none();
    let has_kept = report.tables.iter().any(|table| table.kept > 0);
    let is_whole = !has_kept && report.rejected() == 0 && report.is_clean();
    let facts = facts(plan, options).filter(|_| is_whole && !plan.tree.files.iter().any(cannot_be));
    let Some(facts) = facts else { return transaction.forget_seen() };
    let mut keeping = Keeping::begin(transaction)?;
    keeping.keep(&facts)?;
    let files = std::mem::take(&mut report.files);
    let kinds = files.kinds().to_vec();
    let head = keeping.keep(&Head { report: &*report, kinds, files: files.len(), signed, read_again });
    let kept = head.and_then(|()| {
        files.in_kinds().iter().zip(&plan.tree.files).try_for_each(|(file, source)| keeping.keep(&(size(source), file)))
    });
    report.files = files;
    kept.and_then(|()| keeping.end())
}

/// What the last import kept of its source.
pub(super) struct Kept {
    pub(super) report: Report,
    pub(super) aside: Aside,
    /// Whether the file of this number in the report is in the tree, with the same size and time of modification.
    is_same: Vec<bool>,
}

impl Kept {
    /// That of the last import, where it was of this tree, and of the same set, program and options.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn of(database: &dyn Database, plan: &Plan, options: &ImportOptions) -> Result<Option<Self>> {
        if options.reread || options.verify || !database.exists()? {
            return Ok(None);
        }
        let Some(facts) = facts(plan, options) else { return Ok(None) };
        let Some(reader) = database.read()? else { return Ok(None) };
        let standing = history::compare(&reader.recorded()?, &plan.set.migrations);
        let is_done = |step: &history::Step| matches!(step.state, State::Applied | State::NotNeeded);
        if !standing.faults.is_empty() || !standing.steps.iter().all(is_done) {
            return Ok(None);
        }
        let mut recalling = Recalling::of(&*reader);
        if recalling.next::<String>()? != Some(facts) {
            return Ok(None);
        }
        // What cannot be unpacked is as good as none: everything is read.
        let Some(Head::<Report> { report, kinds, files, signed, read_again }) = recalling.next()? else {
            return Ok(None);
        };
        let mut kept = Self { report, aside: Aside { signed, read_again }, is_same: Vec::with_capacity(files) };
        kept.report.files = Files::of_kinds(kinds, files);
        let mut now = plan.tree.files.iter().peekable();
        for _ in 0..files {
            let Some((then, mut file)) = recalling.next::<(Option<(u64, i64)>, File)>()? else { return Ok(None) };
            let mut found = None;
            while let Some(source) = now.next_if(|source| printable_path(&source.path) <= file.path) {
                found = Some(source).filter(|source| printable_path(&source.path) == file.path);
            }
            // A path is kept once.
            found.iter().for_each(|source| file.path = printable_path(&source.path));
            kept.is_same.push(then.is_some() && found.and_then(size) == then);
            if !kept.report.files.push_in_kind(file) {
                return Ok(None);
            }
        }
        Ok(Some(kept))
    }

    /// Whether the tree is as that import read it.
    fn is_all(&self, plan: &Plan) -> bool {
        self.is_same.len() == plan.tree.files.len() && !self.is_same.contains(&false)
    }

    /// Goes through the files of that import and those of the tree, side by side by their paths; whether these say enough
    /// of the order for that.
    pub(super) fn beside(&self, plan: &Plan, mut each: impl FnMut(Beside)) -> bool {
        let mut then = self.report.files.iter().zip(&self.is_same).peekable();
        let mut now = plan.tree.files.iter().enumerate().map(|(at, file)| (at, printable_path(&file.path))).peekable();
        let mut last: Option<Shared> = None;
        loop {
            let order = match (then.peek(), now.peek()) {
                (Some((one, _)), Some((_, other))) => one.path.cmp(other),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return true,
            };
            let one = then.next_if(|_| order.is_le());
            let other = now.next_if(|_| order.is_ge());
            let path = one.as_ref().map(|(one, _)| &one.path).or(other.as_ref().map(|(_, path)| path)).cloned();
            if last.is_some() && path <= last {
                return false; // signs are written otherwise than they are sorted
            }
            last = path;
            each(match (one, other) {
                (Some((one, is_same)), Some((at, path))) => {
                    Beside { then: is_same.then_some(FileReport { path, ..one }), now: Some(at) }
                }
                (None, Some((at, _))) => Beside { then: None, now: Some(at) },
                (one, None) => Beside { then: one.map(|(one, _)| one), now: None },
            });
        }
    }
}

/// A file of the last import and of the tree.
pub(super) struct Beside {
    /// What was said of it, where it is as it was or not there any more.
    pub(super) then: Option<FileReport>,
    /// Its number; none where it is not there any more.
    pub(super) now: Option<usize>,
}

/// Ends an import that has nothing to read: what it says of the source is what the run before it said.
///
/// # Errors
/// Those of the database.
pub(super) fn unchanged(
    options: &ImportOptions,
    ui: &dyn Ui,
    database: &mut dyn Database,
    plan: &Plan,
    clock: &mut Clock,
    reports: &mut ReportFiles,
    kept: &mut Option<Kept>,
) -> Result<Option<Report>> {
    // What files hold is compared with a plan where they are read.
    let Some(Kept { report: then, .. }) = kept.take_if(|kept| options.plan.is_none() && kept.is_all(plan)) else {
        return Ok(None);
    };
    let id = random_id()?;
    let who = Who::runs_this();
    let mut report = as_now(then, &id, options.mode);
    report.run = RunReport::ending(clock.started, &who);
    report.target = TargetReport { url: database.url().to_owned(), engine: database.engine().to_owned() };
    reports.open()?;
    if options.mode == Mode::Real {
        let (key, started) = (&KeySource::None, clock.started);
        let beginning = Beginning {
            plan,
            options,
            ui,
            key,
            started,
            who: &who,
            approval: None,
            is_backed_up: false,
            is_verification: false,
            apart: None,
            before: None,
        };
        let written = plan.written_tables();
        let opening = Opening {
            mode: options.mode,
            run_id: &id,
            migrations: &plan.set.migrations,
            schema: &plan.schema,
            written: &written,
            bytes: 0,
            started: clock.started,
            audit: plan.set.audit.as_ref(),
            version: plan.set.version.as_ref(),
        };
        let mut transaction = database.begin(&opening)?;
        let mut record = run_record(&report, beginning.record(&id));
        record.files = 0;
        transaction.begin_run(&record)?;
        transaction.finish_run(&record)?;
        let details = serde_json::json!({
            "set": plan.set.name, "source": plan.tree.root.display().to_string(), "inserted": 0, "updated": 0,
        });
        let entry = AuditEntry::new("import", "database", "a tree of files was imported", clock.started)?;
        transaction.audit(&entry.of(&id).with(details), plan.set.audit.as_ref())?;
        report.timings = clock.timings();
        reports.write(&report).unwrap_or_else(|fault| ui.warn(&fault));
        transaction.commit()?.iter().for_each(|fault| ui.warn(fault));
    } else {
        report.timings = clock.timings();
        reports.write(&report).unwrap_or_else(|fault| ui.warn(&fault));
    }
    clock.lap(|timings| &mut timings.finish);
    report.timings = clock.timings();
    Ok(Some(report))
}

/// The report of a run as that of another one which found its source unread.
fn as_now(then: Report, id: &str, mode: Mode) -> Report {
    let (run, warnings) = (then.run_id.clone(), then.found(Severity::Warning));
    let said = as_in(&run);
    let files = then.files.len() as u64;
    let mut report = then;
    report.run_id = id.to_owned();
    report.mode = if mode == Mode::Dry { RunMode::DryRun } else { RunMode::Import };
    report.outcome = if mode == Mode::Dry { Outcome::DryRun } else { Outcome::Committed };
    report.files.change(|file| {
        if file.status == FileStatus::Imported {
            // It may be as in an earlier run.
            file.reason.get_or_insert_with(|| said.as_str().into());
        }
    });
    for table in &mut report.tables {
        table.unchanged += std::mem::take(&mut table.inserted) + std::mem::take(&mut table.updated);
    }
    let (all, had) = (count(files, "file"), count(warnings, "warning"));
    let are = if files == 1 { "is" } else { "are" };
    let message = format!("nothing was read again: {all} {are} {said}, which had {had}");
    // Of which of them that run itself read none, and what its counts are of.
    let earlier = report.findings.into_iter().filter(|finding| finding.code == FILE_AS_BEFORE.id);
    report.findings = std::iter::once(note(message)).chain(earlier).collect();
    for check in &mut report.checks {
        check.status = CheckStatus::NotChecked;
        check.detail = Some(said.clone());
    }
    let SecretsReport { sealed, opened_again, hashed, .. } = &mut report.secrets;
    (*sealed, *opened_again, *hashed) = (0, 0, 0);
    report.losses.clear();
    (report.plan, report.as_in) = (None, Some(AsInReport { run, files_read: 0, warnings }));
    report
}
