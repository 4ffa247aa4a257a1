//! The import: the whole job as a paragraph.

mod again;
mod agree;
mod ahead;
pub(crate) mod aliases;
mod approval;
mod attempt;
mod before;
mod begin;
mod checks;
mod choose;
mod chunk;
mod clock;
mod closing;
mod context;
pub mod coverage;
mod early;
mod file;
pub(crate) mod files;
pub mod followup;
mod forgotten;
mod kept;
mod leave;
pub(crate) mod leaves;
mod left;
mod lines;
mod links;
pub(crate) mod look;
mod looked;
mod looker;
mod made;
pub mod owners;
pub mod pipeline;
pub mod plan;
mod readers;
pub mod reading;
mod record;
pub mod refused;
pub(crate) mod rehearsal;
pub mod rejects;
pub(crate) mod replay;
pub(crate) mod resolve;
pub mod run;
mod set_aside;
pub mod shaping;
mod shelf;
mod signed;
mod signing;
mod stored;
pub mod summary;
mod supply;
mod survey;
pub mod sweep;
pub(crate) mod taken;
mod told;
pub mod vault;
mod verdicts;
mod verifier;
pub mod verify;
mod walked;
pub(crate) mod watch;
pub mod writer;

use crate::backup;
use crate::config::{ImportOptions, Phase, Ui};
use crate::database;
use crate::error::Result;
use crate::import::plan::{Chosen, Plan};
use crate::import::rejects::RejectFolder;
use crate::mapping::apart::Apart;
use crate::migrations::refuse_another;
use crate::report::Report;
use crate::report::write::ReportFiles;
use crate::source;
use crate::who::Who;
use again::Kept;
use agree::{agree, back_up_existing, before, key_source, outside_source};
use approval::Approval;
use attempt::attempts;
use before::before as as_before;
use begin::Beginning;
use choose::{Selected, choose_set, database, inputs, speaking};
use clock::Clock;
use forgotten::refuse_unknown_rows;

/// Imports a tree, or does a dry run of it, and returns the report.
///
/// # Errors
/// On a usage or configuration error, or an I/O or database error. Problems of the data are in the report.
pub fn import(options: &ImportOptions, ui: &dyn Ui) -> Result<Report> {
    let mut clock = Clock::start();
    set_aside::has_folder(options)?;
    let replayed = replay::folder(options)?;
    let Selected { set, schema, root, missing } = choose_set(options, ui)?;
    let mut database = database::open(&database(options, &set)?)?;
    database.wish(set.wishes());
    database.wait_for_locks(options.lock_timeout);
    let (set, schema) = speaking(set, schema, &*database)?;
    let inputs = inputs(options, &root, &*database);
    let mut reports = ReportFiles::check(&options.reports, &inputs)?;
    let folders = options.rejects.iter().chain(&options.replay);
    folders.into_iter().try_for_each(|folder| RejectFolder::check(folder, &inputs))?;
    ui.phase(Phase::Walk, 0, 0);
    let chosen = Chosen { only: &options.only_mapping, with: &options.with, max_unpacked: options.max_unpacked };
    let tree = source::walk::walk(&root)?;
    let plan = match replayed {
        None => Plan::new(set, schema, tree, &chosen)?,
        Some(folder) => {
            replay::is_of(&folder, &root, &*database)?;
            replay::plan(folder, &tree, |part| Plan::new(set, schema, part, &chosen))?
        }
    };
    clock.lap(|timings| &mut timings.walk);
    outside_source(&*database, &plan)?;
    refuse_another(&*database, &plan.set)?;
    refuse_unknown_rows(&*database, &plan)?;
    let approval = Approval::of(&plan, options, &*database)?;
    let mut kept = Kept::of(&*database, &plan, options)?;
    if let Some(report) = again::unchanged(options, ui, &mut *database, &plan, &mut clock, &mut reports, &mut kept)? {
        reports.publish(&report).iter().for_each(|fault| ui.warn(fault));
        return Ok(report);
    }
    let apart = Apart::of(&plan.set, &plan.schema, &plan.rules, &plan.order);
    let read_before = kept.and_then(|kept| as_before(kept, &plan, &apart));
    backup::able(&*database, &before(options, &plan.set))?;
    let losses = agree(options, ui, &mut *database, &plan)?;
    let key = key_source(options, ui, &plan.set, &*database)?;
    key.opens(&database.seal_record()?)?;
    reports.open()?;
    let safety = back_up_existing(options, ui, &*database, &plan.set)?;
    let (migrated, run) = (database.recorded()?, database.runs()?.len());
    let is_backed_up = safety.is_of_a_server();
    let (who, started) = (Who::runs_this(), clock.started);
    let beginning = Beginning {
        plan: &plan,
        options,
        ui,
        key: &key,
        started,
        who: &who,
        approval: approval.as_ref(),
        is_backed_up,
        is_verification: false,
        apart: Some(&apart),
        before: read_before.as_ref(),
    };
    let done = attempts(&beginning, &missing, &losses, &mut *database, &mut clock, &mut reports);
    // If the record of migrations or runs cannot be read, something may have been committed.
    let migrated_nothing = || database.recorded().is_ok_and(|now| now == migrated);
    let unchanged = match &done {
        Ok(report) => !report.changed_rows() && migrated_nothing(),
        Err(_) => migrated_nothing() && database.runs().is_ok_and(|now| now.len() == run),
    };
    safety.keep_unless(unchanged);
    let report = done?;
    reports.publish(&report).iter().for_each(|fault| ui.warn(fault));
    Ok(*report)
}
