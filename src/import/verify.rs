//! Verifying: the tree once more through the same engine, and what would be inserted compared with what is there.

use super::ahead::Known;
use super::attempt::MOST_ATTEMPTS;
use super::begin::Beginning;
use super::choose::{Selected, choose_set, database, inputs, speaking};
use super::clock::Clock;
use super::summary::{self, Ending};
use super::sweep::{self, Swept};
use super::verdicts::Verdicts;
use crate::config::{ImportOptions, Phase, SecretNeed, Ui};
use crate::database::audit::random_id;
use crate::database::{self, Database};
use crate::error::{Error, ErrorKind, Result};
use crate::finding::{Severity, printable};
use crate::import::plan::{Chosen, Plan, no_mapping};
use crate::import::run::{Import, Parts};
use crate::import::vault::KeySource;
use crate::import::verifier::Asked;
use crate::import::walked;
use crate::migrations::refuse_another;
use crate::report::write::ReportFiles;
use crate::report::{ComparedReport, Outcome, OwnerReport, Report, RunMode, RunReport};
use crate::source;
use crate::who::Who;

/// Compares a database with the tree that was imported into it, value by value, and returns the report. Nothing is
/// written but the reports that are asked for.
///
/// # Errors
/// On a usage or configuration error, or an I/O or database error. Differences are in the report.
pub fn verify(options: &ImportOptions, ui: &dyn Ui) -> Result<Report> {
    let mut clock = Clock::start();
    // All is read, since what a row holds may come of several files; only a part may be asked for.
    let asked = Asked { mappings: options.only_mapping.clone(), owners: options.only_owner.clone() };
    let whole = ImportOptions { only_mapping: Vec::new(), only_owner: Vec::new(), ..options.clone() };
    let options = &whole;
    let Selected { set, schema, root, missing } = choose_set(options, ui)?;
    let mut database = database::open(&database(options, &set)?)?;
    database.wish(set.wishes());
    database.wait_for_locks(options.lock_timeout);
    if !database.exists()? {
        return Err(database.missing());
    }
    let (set, schema) = speaking(set, schema, &*database)?;
    let mut reports = ReportFiles::check(&options.reports, &inputs(options, &root, &*database))?;
    ui.phase(Phase::Walk, 0, 0);
    if let Some(unknown) = asked.mappings.iter().find(|name| set.mappings.iter().all(|mapping| mapping.name != **name))
    {
        return Err(no_mapping(&set, unknown));
    }
    let chosen = Chosen { only: &options.only_mapping, with: &options.with, max_unpacked: options.max_unpacked };
    let plan = Plan::new(set, schema, source::walk::walk(&root)?, &chosen)?;
    clock.lap(|timings| &mut timings.walk);
    refuse_another(&*database, &plan.set)?;
    let key = key_source(ui, &plan, &*database)?;
    reports.open()?;
    let (is_backed_up, is_verification) = (false, true);
    let (who, started) = (Who::runs_this(), clock.started);
    let beginning = Beginning {
        plan: &plan,
        options,
        ui,
        key: &key,
        started,
        who: &who,
        approval: None,
        is_backed_up,
        is_verification,
        apart: None,
        before: None,
    };
    let report = attempts(&beginning, &asked, &missing, &mut *database, &mut clock)?;
    reports.write(&report).unwrap_or_else(|fault| ui.warn(&fault));
    reports.publish(&report).iter().for_each(|fault| ui.warn(fault));
    Ok(report)
}

/// The key, if the set seals anything and it was given: nothing is asked.
fn key_source(ui: &dyn Ui, plan: &Plan, database: &dyn Database) -> Result<KeySource> {
    if !plan.set.seals() {
        return Ok(KeySource::None);
    }
    let record = database.seal_record()?;
    let Some(secret) = ui.secret(SecretNeed::IfGiven)? else { return Ok(KeySource::ThrowAway) };
    let key = KeySource::Given(secret);
    key.opens(&record)?;
    Ok(key)
}

/// Reads the tree until a reading knows every bad record before it begins, as an import does.
fn attempts(
    beginning: &Beginning<'_>,
    asked: &Asked,
    missing: &[String],
    database: &mut dyn Database,
    clock: &mut Clock,
) -> Result<Report> {
    let Beginning { plan, options, ui, .. } = *beginning;
    let mut known = Known::default();
    for number in 1..=MOST_ATTEMPTS {
        let Swept { secrets, .. } = sweep::sweep(plan, options.max_depth, ui)?;
        clock.lap(|timings| &mut timings.sweep);
        let id = random_id()?;
        let (mut run, read_ahead) = beginning.begin(&id, database, secrets, known, None)?;
        run.writer.verifier().asked = asked.clone();
        let mut ending = Ending {
            run_id: id,
            run: RunReport::ending(beginning.started, beginning.who),
            outcome: Outcome::Interrupted,
            acceptable: false,
            url: database.url().to_owned(),
            engine: database.engine().to_owned(),
            checks: Vec::new(),
            timings: clock.timings(),
        };
        if let Err(error) = read_ahead.and_then(|()| run.read()) {
            let ErrorKind::Interrupted(_) = error.kind else { return Err(run.with_place(error)) };
            let report = summary::report(&mut run, &ending);
            run.writer.roll_back()?;
            return Ok(report);
        }
        clock.lap(|timings| &mut timings.import);
        run.knows_owners(&asked.owners)?;
        if run.must_begin_anew(number == MOST_ATTEMPTS) {
            known = run.learned();
            run.writer.roll_back()?;
            continue;
        }
        ui.phase(Phase::Check, 0, 0);
        let Verdicts { tables, unverified } = run.judge_rows()?;
        run.report_verified(missing)?;
        clock.lap(|timings| &mut timings.check);
        let differs = tables.iter().any(ComparedReport::differs);
        ending.acceptable = run.findings.errors() == 0;
        ending.outcome = if differs { Outcome::Differs } else { Outcome::Verified };
        ending.timings = clock.timings();
        let mut report = summary::report(&mut run, &ending);
        (report.mode, report.compared, report.unverified) = (RunMode::Verify, tables, unverified);
        report.tables.clear();
        report.after.clear();
        run.writer.roll_back()?;
        if !report.leaves.closes() {
            return Err(Error::bug("leaf counts do not add up"));
        }
        return Ok(report);
    }
    Err(Error::bug("the attempts at a verification did not end"))
}

impl Import<'_> {
    /// A requested owner that does not exist is a typo: nothing of theirs would be compared.
    fn knows_owners(&self, asked: &[String]) -> Result<()> {
        let is_known = |name: &String| {
            let is_it = |found: &OwnerReport| found.id.as_ref() == Some(name) || found.directory == *name;
            self.directories.iter().any(|found| found.id.is_some() && is_it(found))
        };
        match asked.iter().find(|name| !is_known(name)) {
            Some(name) if !self.resolver.owners.is_incomplete() => Err(Error::request(format!(
                "`--only-owner {}` matches no owner of a file in the source",
                printable(name)
            ))
            .hint("owners are named by their directory or id; `--json` lists both under `owners`")),
            _ => Ok(()),
        }
    }

    /// Reports what is wrong with the tree itself.
    fn report_verified(&mut self, missing: &[String]) -> Result<()> {
        let most = self.options.max_rejects;
        let Parts { rejects, mut cx, .. } = self.parts();
        rejects.report_refused(&mut cx, most, &[]);
        self.all_files_decided()?;
        let Parts { leaves, mut cx, .. } = self.parts();
        leaves.decide_copies(&mut cx);
        let wrong = walked::findings(self.plan, self.started).into_iter();
        self.findings.extend(wrong.filter(|finding| finding.severity == Severity::Error));
        self.report_coverage(missing);
        Ok(())
    }
}
