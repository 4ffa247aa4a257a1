//! Attempts at an import, until one knows every bad record before it begins to write.

use super::again::{self, Aside};
use super::ahead::Known;
use super::begin::Beginning;
use super::clock::Clock;
use super::{checks, signing, summary, sweep};
use crate::config::Phase;
use crate::database::audit::{AuditEntry, random_id};
use crate::database::{Database, Mode};
use crate::error::{Error, ErrorKind, Result};
use crate::finding::Place;
use crate::import::rejects::{RejectFolder, Rejects};
use crate::import::replay::name_of;
use crate::import::run::Import;
use crate::import::summary::Ending;
use crate::import::sweep::Swept;
use crate::migrations::Loss;
use crate::report::write::ReportFiles;
use crate::report::{Outcome, Report, RunReport, TableReport};
use crate::validate::{self, answers::Answer};

/// Attempts until one knows every bad record before it begins to write. `missing` are the files by which the set
/// recognises a tree and that are not there, `losses` what the pending migrations lose.
pub(super) fn attempts(
    beginning: &Beginning,
    missing: &[String],
    losses: &[Loss],
    database: &mut dyn Database,
    clock: &mut Clock,
    reports: &mut ReportFiles,
) -> Result<Box<Report>> {
    let mut beginning = *beginning;
    let (mut known, mut chain) = (Known::default(), Vec::new());
    let (mut number, mut passed) = (0, 0);
    while number < MOST_ATTEMPTS {
        number += 1;
        let is_last = number == MOST_ATTEMPTS;
        let job = Job { beginning: &beginning, missing, losses, chain: &chain, is_last };
        match job.attempt(known, database, clock, reports) {
            // The other program's change would be in no backup.
            Err(error) if error.is_passing && passed < MOST_PASSING && !beginning.is_backed_up => {
                beginning.ui.say("another program was in the way: the import begins again");
                (number, passed) = (0, passed + 1);
                (known, chain) = (Known::default(), Vec::new());
            }
            Err(error) => return Err(error),
            Ok(Attempt::Done(report)) => return Ok(report),
            Ok(Attempt::Whole) => {
                beginning.before = None;
                number = 0;
                (known, chain) = (Known::default(), Vec::new());
            }
            Ok(Attempt::Again { next, first }) => {
                chain.extend(first);
                known = *next;
            }
        }
    }
    Err(Error::bug("the attempts at an import did not end"))
}

/// So often an attempt begins again that another program was in the way of.
const MOST_PASSING: u32 = 3;

/// So many attempts are made: a record less may make a trigger reject another one.
pub(super) const MOST_ATTEMPTS: u32 = 8;

enum Attempt {
    Done(Box<Report>),
    /// What was left as an earlier import read it is to be read as well.
    Whole,
    /// Records turned out to be bad after rows of theirs were written, or other rows were made than those that
    /// lookups saw: restart, knowing them.
    Again {
        /// What the next attempt is to know.
        next: Box<Known>,
        /// The first record that was rejected too late.
        first: Option<Place>,
    },
}

/// One attempt at the import.
struct Job<'j> {
    beginning: &'j Beginning<'j>,
    missing: &'j [String],
    losses: &'j [Loss],
    /// The first record that each attempt before this one rejected too late.
    chain: &'j [Place],
    /// Whether there is no attempt after it.
    is_last: bool,
}

impl Job<'_> {
    fn attempt(
        &self,
        known: Known,
        database: &mut dyn Database,
        clock: &mut Clock,
        reports: &mut ReportFiles,
    ) -> Result<Attempt> {
        let Beginning { plan, options, ui, .. } = *self.beginning;
        let Swept { secrets, files: with_secrets } = sweep::sweep(plan, options.max_depth, ui)?;
        clock.lap(|timings| &mut timings.sweep);

        let approval = self.beginning.approval;
        approval.map_or(Ok(()), |approval| approval.again(options, database))?;
        let (id, is_new) = (random_id()?, !database.exists()?);
        let (mut run, read_ahead) = self.beginning.begin(&id, database, secrets, known, None)?;
        let asked = read_ahead.and_then(|()| self.ask_and_read(&mut run, &id, is_new));
        let before = match asked {
            Ok(before) => before,
            Err(error) => {
                let ErrorKind::Interrupted(_) = error.kind else { return Err(run.with_place(error)) };
                let report = summary::report(&mut run, &self.ending(database, &id, clock, Outcome::Interrupted));
                run.writer.roll_back()?;
                reports.write(&report).unwrap_or_else(|fault| ui.warn(&fault));
                return Ok(Attempt::Done(Box::new(report)));
            }
        };
        clock.lap(|timings| &mut timings.import);
        if run.must_read_all() {
            run.writer.roll_back()?;
            return Ok(Attempt::Whole);
        }
        if run.must_begin_anew(self.is_last) {
            let first = run.rejects.found_late().min();
            let next = Box::new(run.learned());
            run.writer.roll_back()?;
            return Ok(Attempt::Again { next, first });
        }
        let planned = approval.map(|approval| approval.id(&mut run)).transpose();
        let planned = match planned {
            Ok(planned) => planned,
            Err(error) => {
                run.writer.roll_back()?;
                return Err(error);
            }
        };
        ui.phase(Phase::Check, 0, 0);
        run.report_all(self.chain, self.missing, &with_secrets)?;
        let mut checks = checks::check_all(&mut run, &before, is_new)?;
        if options.verify {
            checks.push(checks::read_back(&mut run, &id)?);
        }
        // The report takes memory as well.
        run.writer.transaction()?.free_memory()?;
        clock.lap(|timings| &mut timings.check);

        ui.phase(Phase::Finish, 0, 0);
        let acceptable =
            run.is_acceptable() && checks.iter().all(|check| check.status != crate::report::CheckStatus::Failed);
        if run.left.is_any() && !acceptable {
            run.writer.roll_back()?;
            return Ok(Attempt::Whole);
        }
        let outcome = match (acceptable, options.mode) {
            (_, Mode::Dry) => Outcome::DryRun,
            (true, Mode::Real) => Outcome::Committed,
            (false, Mode::Real) => Outcome::RolledBack,
        };
        let mut ending = self.ending(database, &id, clock, outcome);
        ending.acceptable = acceptable;
        ending.checks = checks;
        let aside = Aside { signed: signing::of_owners(&run), read_again: run.resolver.to_be_read_again() };
        let mut report = summary::report(&mut run, &ending);
        report.losses = self.losses.to_vec();
        // What would be refused is no plan.
        report.plan = planned.filter(|_| acceptable || options.plan.is_some());
        if !report.leaves.closes() {
            run.writer.roll_back()?;
            return Err(Error::bug(format!(
                "leaf counts do not add up: {} leaves seen, {} accounted for",
                report.leaves.seen,
                report.leaves.accounted()
            )));
        }
        let Import { writer, rejects: Rejects { folder: mut rejects, .. }, .. } = run;
        let mut transaction = writer.end()?;
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
            transaction.finish_run(&summary::run_record(&report, self.beginning.record(&id)))?;
            again::keep(&mut *transaction, plan, options, self.beginning.started, &mut report, aside)?;
            transaction.audit(&self.audit_entry(&id, &report)?, plan.set.audit.as_ref())?;
            transaction.commit()?.iter().for_each(|fault| ui.warn(fault));
        } else {
            transaction.rollback()?;
        }
        // From here on the outcome stands, whatever fails. Where nothing came in, the folder stays as it is.
        let rejects = rejects.filter(|_| options.replay.is_none() || outcome == Outcome::Committed);
        rejects.map_or(Ok(()), RejectFolder::publish).unwrap_or_else(|fault| ui.warn(&fault));
        clock.lap(|timings| &mut timings.finish);
        report.timings = clock.timings();
        Ok(Attempt::Done(Box::new(report)))
    }

    /// Asks the set's assertions of the database as it is before, and reads everything. One that the run makes has
    /// nothing to tell yet.
    fn ask_and_read(&self, run: &mut Import<'_>, id: &str, is_new: bool) -> Result<Vec<Answer>> {
        let Beginning { plan, options, .. } = *self.beginning;
        let before = if is_new { Vec::new() } else { validate::ask(run.writer.transaction()?, &plan.set)? };
        let folder = options.rejects.as_deref().or(options.replay.as_deref().filter(|_| options.mode == Mode::Real));
        let open = |folder| RejectFolder::open(folder, id, &name_of(&plan.tree.root));
        run.rejects.folder = folder.map(open).transpose()?;
        run.read()?;
        Ok(before)
    }

    fn audit_entry(&self, id: &str, report: &Report) -> Result<AuditEntry> {
        let rows = |of: fn(&TableReport) -> u64| report.tables.iter().map(of).sum::<u64>();
        let details = serde_json::json!({
            "set": self.beginning.plan.set.name,
            "source": self.beginning.plan.tree.root.display().to_string(),
            "inserted": rows(|table| table.inserted),
            "updated": rows(|table| table.updated),
        });
        let is_replay = self.beginning.plan.taken.is_replay();
        let what = if is_replay { "rejects of a tree of files were imported" } else { "a tree of files was imported" };
        let entry = AuditEntry::new("import", "database", what, self.beginning.started)?;
        Ok(entry.of(id).with(details))
    }

    fn ending(&self, database: &dyn Database, id: &str, clock: &Clock, outcome: Outcome) -> Ending {
        Ending {
            run_id: id.to_owned(),
            run: RunReport::ending(self.beginning.started, self.beginning.who),
            outcome,
            acceptable: false,
            url: database.url().to_owned(),
            engine: database.engine().to_owned(),
            checks: Vec::new(),
            timings: clock.timings(),
        }
    }
}
