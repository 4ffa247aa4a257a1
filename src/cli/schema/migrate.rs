//! `treelift schema migrate`

use crate::cli::args::schema::MigrateArgs;
use crate::cli::managed;
use crate::cli::output::Output;
use crate::error::Result;
use crate::migrations::Options;
use std::cell::RefCell;

/// Applies what is pending.
pub(super) fn run(args: &MigrateArgs, output: &Output) -> Result<u8> {
    let mut managed = managed::open(&args.managed)?;
    let to = args.to.as_deref().map(|word| managed.find(word)).transpose()?;
    let terminal = managed::terminal(args.change.yes, output)?;
    let options = Options { dry: args.change.dry_run, before: managed::before(&args.change.backup) };
    let lost = RefCell::new(Vec::new());
    let altered = managed.migrate_reporting(to, &super::change::reporter(&lost, &terminal), &options, &terminal);
    terminal.end();
    super::change::tell(&altered?, &lost.into_inner(), managed.database().url(), options.dry, output)
}
