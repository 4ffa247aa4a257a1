//! The same source again: where every file is as the last import read it, under the same set and program, none is read.
//!
//! Nothing of it could come to another end, unless somebody changed rows in the database: that is not looked at then.

use super::begin::Beginning;
use super::clock::Clock;
use super::summary::{printable_path, run_record};
use super::vault::KeySource;
use crate::config::{ImportOptions, Ui};
use crate::database::audit::{AuditEntry, random_id};
use crate::database::history::{self, State};
use crate::database::ledger::Seen;
use crate::database::{Database, Mode, Opening};
use crate::error::{Error, Result};
use crate::finding::{FILE_AS_BEFORE, Severity};
use crate::import::plan::Plan;
use crate::report::words::count;
use crate::report::write::ReportFiles;
use crate::report::{
    AsInReport, CheckStatus, FileStatus, FindingReport, Outcome, Report, RunMode, RunReport, SecretsReport,
    TargetReport,
};
use crate::who::Who;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use std::io::{BufReader, BufWriter, Read, Write};

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
            "files": plan.tree.files.len(),
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

/// Size and time of modification of each file, as they are kept; none where a time cannot be.
fn sizes(plan: &Plan) -> impl Iterator<Item = Option<[u8; 16]>> {
    plan.tree.files.iter().map(|file| {
        let modified = i64::try_from(file.modified()?.as_nanosecond()).ok()?;
        let mut both = [0; 16];
        both[..8].copy_from_slice(&file.bytes.to_be_bytes());
        both[8..].copy_from_slice(&modified.to_be_bytes());
        Some(both)
    })
}

/// What a run is to keep of its source so that the same source is not read again; none where a part of it has to be.
///
/// # Errors
/// When the report cannot be packed.
pub(super) fn seen(plan: &Plan, options: &ImportOptions, started: Timestamp, report: &Report) -> Result<Option<Seen>> {
    let is_fresh = |modified: Timestamp| started.duration_since(modified) < TICK;
    let has_fresh = plan.tree.files.iter().any(|file| file.modified().is_none_or(is_fresh));
    let has_kept = report.tables.iter().any(|table| table.kept > 0);
    if has_fresh || has_kept || report.rejected() > 0 || !report.is_clean() {
        return Ok(None);
    }
    let Some(facts) = facts(plan, options) else { return Ok(None) };
    let fault = |error: std::io::Error| Error::environment(format!("the report cannot be packed: {error}"));
    let mut files = GzEncoder::new(Vec::new(), Compression::fast());
    for both in sizes(plan) {
        let Some(both) = both else { return Ok(None) };
        files.write_all(&both).map_err(fault)?;
    }
    let mut packed = BufWriter::new(GzEncoder::new(Vec::new(), Compression::fast()));
    serde_json::to_writer(&mut packed, report).map_err(|error| fault(error.into()))?;
    let packed = packed.into_inner().map_err(|error| fault(error.into_error()))?;
    Ok(Some(Seen { facts, files: files.finish().map_err(fault)?, report: packed.finish().map_err(fault)? }))
}

/// The report of the last import, where it read exactly this source.
fn last(database: &dyn Database, plan: &Plan, options: &ImportOptions) -> Result<Option<Report>> {
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
    let Some(seen) = reader.seen()?.filter(|seen| seen.facts == facts) else { return Ok(None) };
    let mut kept = BufReader::new(GzDecoder::new(&seen.files[..]));
    let mut both = [0; 16];
    for now in sizes(plan) {
        // What cannot be unpacked is as good as none: everything is read.
        if kept.read_exact(&mut both).is_err() || now != Some(both) {
            return Ok(None);
        }
    }
    let read = serde_json::from_reader(BufReader::new(GzDecoder::new(&seen.report[..])));
    let Ok(report): std::result::Result<Report, _> = read else { return Ok(None) };
    let is_same = |report: &Report| {
        let mut paths = report.files.iter().zip(&plan.tree.files);
        report.files.len() == plan.tree.files.len() && paths.all(|(then, now)| *then.path == *printable_path(&now.path))
    };
    Ok(Some(report).filter(is_same))
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
) -> Result<Option<Report>> {
    let Some(then) = last(&*database, plan, options)? else { return Ok(None) };
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
    // It may itself be about an earlier one.
    let (run, warnings) = match &then.as_in {
        Some(as_in) => (as_in.run.clone(), as_in.warnings),
        None => (then.run_id.clone(), then.found(Severity::Warning)),
    };
    let said = format!("as in run {}", run.get(..8).unwrap_or(&run));
    let files = then.files.len() as u64;
    let mut report = then;
    report.run_id = id.to_owned();
    report.mode = if mode == Mode::Dry { RunMode::DryRun } else { RunMode::Import };
    report.outcome = if mode == Mode::Dry { Outcome::DryRun } else { Outcome::Committed };
    report.files.change(|file| {
        if file.status == FileStatus::Imported {
            file.reason = Some(said.as_str().into());
        }
    });
    for table in &mut report.tables {
        table.unchanged += std::mem::take(&mut table.inserted) + std::mem::take(&mut table.updated);
    }
    let (all, had) = (count(files, "file"), count(warnings, "warning"));
    let are = if files == 1 { "is" } else { "are" };
    let message = format!("nothing was read again: {all} {are} {said}, which had {had}");
    report.findings = vec![FindingReport {
        code: FILE_AS_BEFORE.id.to_owned(),
        severity: FILE_AS_BEFORE.severity,
        message,
        place: None,
        help: Some(FILE_AS_BEFORE.help.to_owned()),
        count: 1,
        subject: "files".to_owned(),
        mapping: None,
    }];
    for check in &mut report.checks {
        check.status = CheckStatus::NotChecked;
        check.detail = Some(said.clone());
    }
    let SecretsReport { sealed, opened_again, hashed, .. } = &mut report.secrets;
    (*sealed, *opened_again, *hashed) = (0, 0, 0);
    report.losses.clear();
    report.as_in = Some(AsInReport { run, files_read: 0, warnings });
    report
}
