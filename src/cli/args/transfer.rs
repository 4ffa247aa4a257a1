//! The definition of `treelift transfer`, nothing else.

use super::shared::LockArgs;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  treelift transfer --from sqlite:///./new.db --to postgresql://host/app --dry-run
  treelift transfer --from sqlite:///./new.db --to postgresql://host/app
  treelift transfer --from postgresql://host/app --to sqlite:///./copy.db

The new database gets the schema, every row, the ledger of runs, the keys and the sealed values as
they are: no passphrase is needed. Every table is read again and compared before the commit.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct TransferArgs {
    /// The database to read. It is not changed; stop the application first, or what it writes meanwhile stays behind.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) from: String,
    /// The new database: a file that is not there, or a server's database without tables.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) to: String,
    /// A bundled mapping set by name, or a folder [default: TREELIFT_MAPPINGS, then the one of the last run in the
    /// database that is read, else the one whose migrations it records, else the only bundled one].
    #[arg(long, value_name = "SET|DIR")]
    pub(in crate::cli) mappings: Option<String>,
    /// Do everything, roll it back, and change nothing.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Answer yes to every question.
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) locks: LockArgs,
}
