//! `treelift schema stamp`

use crate::cli::args::schema::StampArgs;
use crate::cli::managed;
use crate::cli::output::Output;
use crate::error::Result;
use crate::migrations::Options;

/// Records migrations without running them.
pub(super) fn run(args: &StampArgs, output: &Output) -> Result<u8> {
    let mut managed = managed::open(&args.managed)?;
    let at = managed.find(&args.version)?;
    let terminal = managed::terminal(args.change.yes, output)?;
    let options = Options { dry: args.change.dry_run, before: managed::before(&args.change.backup) };
    let altered = managed.stamp(at, &options, &terminal);
    terminal.end();
    super::change::tell(&altered?, &[], managed.database().url(), options.dry, output)
}
