//! `treelift schema rollback`

use crate::cli::args::schema::{GoalArgs, RollbackArgs};
use crate::cli::managed;
use crate::cli::output::Output;
use crate::database::history::Down;
use crate::error::Result;
use crate::migrations::{ManagedDatabase, Options};
use std::cell::RefCell;

/// Rolls migrations back, after reporting what would be lost.
pub(super) fn run(args: &RollbackArgs, output: &Output) -> Result<u8> {
    let mut managed = managed::open(&args.managed)?;
    let goal = goal(&args.goal, &managed)?;
    let terminal = managed::terminal(args.change.yes, output)?;
    let options = Options { dry: args.change.dry_run, before: managed::before(&args.change.backup) };
    let lost = RefCell::new(Vec::new());
    let altered = managed.roll_back(goal, &super::change::reporter(&lost, &terminal), &options, &terminal);
    terminal.end();
    super::change::tell(&altered?, &lost.into_inner(), managed.database().url(), options.dry, output)
}

fn goal(args: &GoalArgs, managed: &ManagedDatabase) -> Result<Down> {
    Ok(match (&args.to, args.steps) {
        (Some(word), _) => Down::To(managed.find(word)?),
        (None, Some(steps)) => Down::Steps(steps),
        (None, None) => Down::All,
    })
}
