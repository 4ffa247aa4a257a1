//! `treelift schema migrate`

use super::managed;
use crate::cli::output::Output;
use crate::cli::schema_args::MigrateArgs;
use crate::error::Result;
use crate::schema::Options;

/// Applies what is pending.
pub(super) fn run(args: &MigrateArgs, output: &Output) -> Result<u8> {
    let mut managed = managed::open(&args.managed)?;
    let to = args.to.as_deref().map(|word| managed.find(word)).transpose()?;
    let terminal = managed::terminal(args.change.yes, output)?;
    let options = Options { dry: args.change.dry_run, before: managed::before(&args.change.backup) };
    let altered = managed.migrate(to, &options, &terminal);
    terminal.end();
    super::tell(&altered?, managed.target().url(), options.dry, output)
}
