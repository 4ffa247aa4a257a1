//! The definition of `treelift report`, nothing else.

use clap::{ArgAction, Args, Subcommand, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReportCommand {
    /// Say what changed from one JSON report to another.
    Diff(DiffArgs),
}

const DIFF_EXAMPLES: &str = "\
Examples:
  treelift report diff monday.json tuesday.json
  treelift report diff dry-run.json import.json -o changes.html

Ids, times, who ran it, where the tree and the database are, and that one is a dry run, are told
and are no difference. Exit status: 0 the same, 1 they differ.";

#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(in crate::cli) struct DiffArgs {
    /// The first report, as `import --report FILE.json` wrote it.
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) before: PathBuf,
    /// The second.
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) after: PathBuf,
    /// Write the comparison into this new file, `.html` or `.json`; may be given more than once.
    #[arg(short, long = "output", value_name = "FILE", value_hint = ValueHint::FilePath, action = ArgAction::Append)]
    pub(in crate::cli) outputs: Vec<PathBuf>,
}
