//! `treelift schema migrate`

use super::keeper;
use crate::cli::output::Output;
use crate::cli::schema_args::MigrateArgs;
use crate::error::Result;
use crate::schema::Options;

/// Applies what is pending.
pub(super) fn run(args: &MigrateArgs, output: &Output) -> Result<u8> {
    let mut keeper = keeper::open(&args.keeper)?;
    let to = args.to.as_deref().map(|word| keeper.find(word)).transpose()?;
    let terminal = keeper::terminal(args.change.yes, output)?;
    let options = Options { dry: args.change.dry_run, before: keeper::before(&args.change.backup) };
    let altered = keeper.migrate(to, &options, &terminal);
    terminal.end();
    super::tell(&altered?, keeper.target().url(), options.dry, output)
}
