//! The import: the whole job as a paragraph.

pub(crate) mod aliases;
mod checks;
mod closing;
mod context;
pub mod coverage;
mod file;
pub(crate) mod files;
pub mod followup;
pub(crate) mod leaves;
pub mod owners;
pub mod pipeline;
pub mod plan;
pub mod probe;
pub mod reading;
pub mod refused;
pub mod rejects;
pub(crate) mod resolve;
pub mod run;
pub mod shaping;
mod stored;
pub mod summary;
pub mod sweep;
pub mod vault;
mod walked;
pub mod writer;

use crate::backup::{self, Safety};
use crate::config::{ImportOptions, Phase, SecretNeed, Ui};
use crate::database::audit::{AuditEntry, random_id};
use crate::database::ledger::RunRecord;
use crate::database::{self, Mode, Opening, Target, schema};
use crate::error::{Error, ErrorKind, Result};
use crate::finding::Place;
use crate::import::plan::{Chosen, Plan};
use crate::import::rejects::{KnownRejects, RejectFolder, Rejects};
use crate::import::run::Import;
use crate::import::summary::Ending;
use crate::import::sweep::Swept;
use crate::import::vault::{KeySource, Vault};
use crate::import::writer::Writer;
use crate::mapping::load::SetSource;
use crate::mapping::model::{SecretKind, Set};
use crate::mapping::{bundled, check, load};
use crate::migrations::{Loss, in_question, loss_lines, lost_by_import};
use crate::outputs::Inputs;
use crate::report::words::count;
use crate::report::write::ReportFiles;
use crate::report::{Outcome, Report, TableReport, Timings};
use crate::source;
use crate::table::Schema;
use crate::validate;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Imports a tree, or does a dry run of it, and returns the report.
///
/// # Errors
/// On a usage or configuration error, or an I/O or database error. Problems of the data are in the report.
pub fn import(options: &ImportOptions, ui: &dyn Ui) -> Result<Report> {
    let mut clock = Clock::start();
    let Selected { set, schema, root, missing } = choose_set(options, ui)?;
    let mut target = database::open(&database(options, &set)?)?;
    target.record_in(set.record_table());
    let inputs = inputs(options, &root, &*target);
    let mut reports = ReportFiles::check(&options.reports, &inputs)?;
    options.rejects.iter().try_for_each(|folder| RejectFolder::check(folder, &inputs))?;
    ui.phase(Phase::Walk, 0, 0);
    let plan = Plan::new(
        set,
        schema,
        source::walk::walk(&root)?,
        &Chosen { only: &options.only_mapping, with: &options.with },
    )?;
    clock.lap(|timings| &mut timings.walk);
    let losses = agree(options, ui, &mut *target, &plan)?;
    let key = key_source(options, ui, &plan.set, &*target)?;
    key.opens(&target.seal_record()?)?;
    reports.open()?;
    let safety = back_up_existing(options, ui, &*target, &plan.set)?;
    let (migrated, run) = (target.recorded()?, target.runs()?.len());
    let found = Found { plan: &plan, missing: &missing, key: &key, losses: &losses };
    let done = attempts(options, ui, &found, &mut *target, &mut clock, &mut reports);
    // If the record of migrations or runs cannot be read, something may have been committed.
    let migrated_nothing = || target.recorded().is_ok_and(|now| now == migrated);
    let unchanged = match &done {
        Ok(report) => !report.changed_rows() && migrated_nothing(),
        Err(_) => migrated_nothing() && target.runs().is_ok_and(|now| now.len() == run),
    };
    safety.keep_unless(unchanged);
    let report = done?;
    reports.publish(&report).iter().for_each(|fault| ui.warn(fault));
    Ok(*report)
}

/// What every attempt works with.
struct Found<'j> {
    plan: &'j Plan,
    /// Files by which the set recognises a tree, and that are missing.
    missing: &'j [String],
    key: &'j KeySource,
    /// What the pending migrations lose.
    losses: &'j [Loss],
}

/// Attempts until one knows every bad record before it begins to write.
fn attempts(
    options: &ImportOptions,
    ui: &dyn Ui,
    found: &Found,
    target: &mut dyn Target,
    clock: &mut Clock,
    reports: &mut ReportFiles,
) -> Result<Box<Report>> {
    let (mut known, mut chain) = (KnownRejects::new(), Vec::new());
    for number in 1.. {
        let is_last = number == MOST_ATTEMPTS;
        let job = Job { options, ui, found, known: &known, chain: &chain, is_last, started: clock.started };
        match job.attempt(target, clock, reports)? {
            Attempt::Done(report) => return Ok(report),
            Attempt::Again(late) => {
                chain.extend(late.keys().min().map(|(file, offset)| Place { file: *file, offset: *offset }));
                late.into_iter().for_each(|(record, findings)| known.entry(record).or_default().extend(findings));
            }
        }
    }
    Err(Error::bug("the attempts at an import did not end"))
}

/// So many attempts are made: a record less may make a trigger reject another one.
const MOST_ATTEMPTS: u32 = 10;

enum Attempt {
    Done(Box<Report>),
    /// Records turned out to be bad after rows of theirs were written: restart, knowing them.
    Again(KnownRejects),
}

/// One attempt at the import.
struct Job<'j> {
    options: &'j ImportOptions,
    ui: &'j dyn Ui,
    found: &'j Found<'j>,
    known: &'j KnownRejects,
    /// The first record that each attempt before this one rejected too late.
    chain: &'j [Place],
    /// Whether there is no attempt after it.
    is_last: bool,
    started: Timestamp,
}

impl Job<'_> {
    fn attempt(&self, target: &mut dyn Target, clock: &mut Clock, reports: &mut ReportFiles) -> Result<Attempt> {
        let Found { plan, missing, key, losses } = *self.found;
        let mode = self.options.mode;
        let Swept { secrets, files: with_secrets } = sweep::sweep(plan, self.options.max_depth, self.ui)?;
        clock.lap(|timings| &mut timings.sweep);

        let id = random_id()?;
        let bytes = plan.mapped_bytes();
        let migrations = &plan.set.migrations;
        let written = plan.written_tables();
        let opening = Opening {
            mode,
            run_id: &id,
            migrations,
            schema: &plan.schema,
            written: &written,
            bytes,
            started: self.started,
            audit: plan.set.audit.as_ref(),
        };
        self.ui.phase(Phase::Import, plan.mapped_files(), bytes);
        let mut transaction = target.begin(&opening)?;
        let vault = Vault::open(key, &transaction.seal_record()?, secrets, self.started)?;
        transaction.ledger().begin_run(&self.record(&id))?;
        let before = validate::ask(&mut *transaction, &plan.set)?;
        let rejects = self.options.rejects.as_deref().map(RejectFolder::open).transpose()?;
        let Job { options, ui, known, started, .. } = *self;
        let (writer, rejects) = (Writer::new(transaction, vault), Rejects::new(known, rejects));
        let mut run = Import::begin(plan, options, ui, started, writer, rejects)?;

        if let Err(error) = run.read() {
            let ErrorKind::Interrupted(_) = error.kind else { return Err(run.with_place(error)) };
            let report = summary::report(&mut run, &self.ending(target, &id, clock, Outcome::Interrupted));
            run.writer.transaction.rollback()?;
            reports.write(&report).unwrap_or_else(|fault| ui.warn(&fault));
            return Ok(Attempt::Done(Box::new(report)));
        }
        clock.lap(|timings| &mut timings.import);
        if run.rejects.must_begin_anew(options.max_rejects) && !self.is_last {
            let late = run.rejects.take_late();
            run.writer.transaction.rollback()?;
            return Ok(Attempt::Again(late));
        }
        self.ui.phase(Phase::Check, 0, 0);
        run.report_all(self.chain, missing, &with_secrets)?;
        let checks = checks::check_all(&mut run, &before)?;
        clock.lap(|timings| &mut timings.check);

        self.ui.phase(Phase::Finish, 0, 0);
        let acceptable =
            run.is_acceptable() && checks.iter().all(|check| check.status != crate::report::CheckStatus::Failed);
        let outcome = match (acceptable, mode) {
            (_, Mode::Dry) => Outcome::DryRun,
            (true, Mode::Real) => Outcome::Committed,
            (false, Mode::Real) => Outcome::RolledBack,
        };
        let mut ending = self.ending(target, &id, clock, outcome);
        ending.acceptable = acceptable;
        ending.checks = checks;
        let mut report = summary::report(&mut run, &ending);
        report.losses = losses.to_vec();
        if !report.leaves.closes() {
            run.writer.transaction.rollback()?;
            return Err(Error::bug(format!(
                "leaf counts do not add up: {} leaves seen, {} accounted for",
                report.leaves.seen,
                report.leaves.accounted()
            )));
        }
        let Import { writer: Writer { mut transaction, .. }, rejects: Rejects { folder: mut rejects, .. }, .. } = run;
        report.timings = clock.timings();
        // What can fail is done while the run can still be rolled back, and alike in a dry run.
        match rejects.as_mut().map_or(Ok(()), RejectFolder::finish) {
            // Rejected records would be nowhere.
            Err(fault) if acceptable => return Err(fault),
            Err(fault) => ui.warn(&fault),
            Ok(()) => {}
        }
        // What a report says is on the screen and in the ledger too.
        reports.write(&report).unwrap_or_else(|fault| ui.warn(&fault));
        if outcome == Outcome::Committed {
            transaction.ledger().finish_run(&summary::run_record(&report, self.record(&id)))?;
            transaction.audit(&self.audit_entry(&id, &report)?, plan.set.audit.as_ref())?;
            transaction.commit()?.iter().for_each(|fault| ui.warn(fault));
        } else {
            transaction.rollback()?;
        }
        // From here on the outcome stands, whatever fails.
        rejects.map_or(Ok(()), RejectFolder::publish).unwrap_or_else(|fault| ui.warn(&fault));
        clock.lap(|timings| &mut timings.finish);
        report.timings = clock.timings();
        Ok(Attempt::Done(Box::new(report)))
    }

    fn ending(&self, target: &dyn Target, id: &str, clock: &Clock, outcome: Outcome) -> Ending {
        Ending {
            run_id: id.to_owned(),
            outcome,
            acceptable: false,
            url: target.url().to_owned(),
            engine: target.engine().to_owned(),
            checks: Vec::new(),
            timings: clock.timings(),
        }
    }

    fn audit_entry(&self, id: &str, report: &Report) -> Result<AuditEntry> {
        let rows = |of: fn(&TableReport) -> u64| report.tables.iter().map(of).sum::<u64>();
        let details = serde_json::json!({
            "set": self.found.plan.set.name,
            "source": self.found.plan.tree.root.display().to_string(),
            "inserted": rows(|table| table.inserted),
            "updated": rows(|table| table.updated),
        });
        Ok(AuditEntry::new("import", "database", "a tree of files was imported", self.started)?.of(id).with(details))
    }

    fn record(&self, id: &str) -> RunRecord {
        RunRecord {
            id: id.to_owned(),
            kind: "import".to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            set: self.found.plan.set.name.clone(),
            set_digest: self.found.plan.set.digest.clone(),
            source: self.found.plan.tree.root.display().to_string(),
            started: self.started,
            finished: self.started,
            ..RunRecord::default()
        }
    }
}

/// The mapping set of a run, and its tree.
struct Selected {
    set: Set,
    schema: Schema,
    /// The folder of the tree that the set reads.
    root: PathBuf,
    /// Files by which the set recognises a tree, and that are missing.
    missing: Vec<String>,
}

fn choose_set(options: &ImportOptions, ui: &dyn Ui) -> Result<Selected> {
    // A missing folder would otherwise be reported as a tree that no set recognises.
    source::walk::readable(&options.source)?;
    let (source, root): (SetSource, Option<PathBuf>) = match &options.mappings {
        Some(name) => {
            let source = bundled::resolve(name)?;
            let root = bundled::import_root(&source, &options.source)?;
            (source, root)
        }
        None => bundled::recognise(&options.source)?.map(|(source, root)| (source, Some(root))).ok_or_else(|| {
            Error::request("no bundled mapping set recognises the tree")
                .at(options.source.display())
                .hint("name one with `--mappings SET` or `--mappings DIR`")
        })?,
    };
    let (set, schema) = checked(&source)?;
    if options.mappings.is_none() {
        ui.say(&format!("mapping set: {} ({})", set.name, set.description));
    }
    let missing = if root.is_some() { Vec::new() } else { bundled::missing(&set, &options.source) };
    Ok(Selected { set, schema, root: root.unwrap_or_else(|| options.source.clone()), missing })
}

/// A valid set with its schema; else every error, whether found while the set was parsed or while it
/// was checked against its schema.
fn checked(source: &SetSource) -> Result<(Set, Schema)> {
    let (set, mut errors) = load::read(source)?;
    match schema::expected(&set.migrations) {
        Ok(schema) => {
            // Further errors at a line that could not be parsed would only follow from the first.
            let unparsed: Vec<_> = errors.iter().filter_map(|error| error.place.clone()).collect();
            let found = check::check(&set, &schema).into_iter();
            errors.extend(found.filter(|error| error.place.as_ref().is_none_or(|place| !unparsed.contains(place))));
            errors.extend(validate::gather::check_assertions(&set)?);
            Error::all(errors).map_or(Ok((set, schema)), Err)
        }
        Err(error) => Err(Error::all(errors).unwrap_or(error)),
    }
}

/// What no output of the run may be written to.
fn inputs(options: &ImportOptions, root: &Path, target: &dyn Target) -> Inputs {
    let mut inputs = Inputs::default();
    inputs.folder("the source tree", root);
    let mappings = options.mappings.as_deref().map(Path::new).filter(|folder| folder.is_dir());
    mappings.iter().for_each(|folder| inputs.folder("the mapping set", folder));
    target.file().iter().for_each(|file| inputs.database(file));
    options.in_use.iter().for_each(|(what, path)| inputs.file(what, path));
    inputs
}

fn database(options: &ImportOptions, set: &Set) -> Result<String> {
    options.database.clone().or_else(|| set.database.clone()).ok_or_else(|| {
        Error::request(format!("the set `{}` names no database", set.name)).hint("give one with `--database URL`")
    })
}

/// Asks before something that exists is changed; a new file asks nothing.
///
/// Returns what the pending migrations that the import applies would lose. Where they cannot be rehearsed, nothing is
/// known of that, and nothing is imported.
fn agree(options: &ImportOptions, ui: &dyn Ui, target: &mut dyn Target, plan: &Plan) -> Result<Vec<Loss>> {
    if let Some(line) = target.record_table()?.words() {
        ui.say(&line);
    }
    for leftover in target.leftovers()? {
        ui.say(&format!(
            "a run that was killed left {}; it holds nothing that was committed and can be removed",
            leftover.display()
        ));
    }
    let losses = lost_by_import(target, &plan.set, &plan.schema)?;
    loss_lines(&losses).iter().for_each(|line| ui.say(line));
    if options.mode == Mode::Dry || !target.exists()? {
        return Ok(losses);
    }
    let rows = database::rows(target)?;
    let backup = backup::Before { skip: options.no_backup, ..Default::default() }.in_words();
    let (files, rows) = (count(plan.mapped_files(), "file"), count(rows, "row"));
    if ui.confirm(&format!(
        "{} exists, with {rows}. Import {files} into it{}, {backup}?",
        target.url(),
        in_question(&losses)
    ))? {
        Ok(losses)
    } else {
        Err(Error::request("not confirmed, nothing was written"))
    }
}

/// The backup before an existing database is written into.
fn back_up_existing<'c>(options: &ImportOptions, ui: &'c dyn Ui, target: &dyn Target, set: &Set) -> Result<Safety<'c>> {
    let skip = options.no_backup || options.mode == Mode::Dry;
    let before = backup::Before { skip, folder: options.backup_dir.as_deref(), set: Some(&set.name) };
    backup::before(target, "import", &before, ui)
}

/// Asks for the passphrase or key, if the set seals anything. A dry run does not need one.
fn key_source(options: &ImportOptions, ui: &dyn Ui, set: &Set, target: &dyn Target) -> Result<KeySource> {
    let seals = |set: &Set| {
        set.mappings
            .iter()
            .flat_map(|mapping| &mapping.rules)
            .flat_map(|rule| &rule.secrets)
            .any(|secret| secret.kind == SecretKind::Seal)
    };
    if !seals(set) {
        return Ok(KeySource::None);
    }
    let need = match (options.mode, target.keys()?.is_empty()) {
        (Mode::Dry, true) => SecretNeed::IfGiven,
        (Mode::Dry, false) => SecretNeed::IfAttended,
        (Mode::Real, true) => SecretNeed::Create,
        (Mode::Real, false) => SecretNeed::Open,
    };
    match ui.secret(need)? {
        Some(secret) => Ok(KeySource::Given(secret)),
        None => {
            ui.say("no passphrase was given: the dry run seals with a temporary key");
            Ok(KeySource::ThrowAway)
        }
    }
}

/// Times the phases.
struct Clock {
    started: Timestamp,
    begun: Instant,
    lap: Instant,
    timings: Timings,
}

impl Clock {
    fn start() -> Self {
        let now = Instant::now();
        Self { started: database::now(), begun: now, lap: now, timings: Timings::default() }
    }

    fn lap(&mut self, of: impl Fn(&mut Timings) -> &mut u64) {
        let now = Instant::now();
        *of(&mut self.timings) += millis(now - self.lap);
        self.lap = now;
    }

    fn timings(&self) -> Timings {
        Timings { total: millis(self.begun.elapsed()), ..self.timings }
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
