//! `treelift schema stamp`

use super::keeper;
use crate::cli::output::Output;
use crate::cli::schema_args::StampArgs;
use crate::error::Result;
use crate::schema::Options;

/// Records migrations without running them.
pub(super) fn run(args: &StampArgs, output: &Output) -> Result<u8> {
    let mut keeper = keeper::open(&args.keeper)?;
    let at = keeper.find(&args.version)?;
    let terminal = keeper::terminal(args.change.yes, output)?;
    let options = Options { dry: args.change.dry_run, before: keeper::before(&args.change.backup) };
    let altered = keeper.stamp(at, &options, &terminal);
    terminal.end();
    super::tell(&altered?, keeper.target().url(), options.dry, output)
}
