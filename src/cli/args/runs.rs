//! The definitions of `treelift runs` and `treelift undo`, nothing else.

use super::schema::ChangeArgs;
use super::shared::{ManagedArgs, SecretArgs};
use clap::Args;

const RUNS_EXAMPLES: &str = "\
Examples:
  treelift runs --database sqlite:///./new.db
  treelift runs --forget 9720adda --dry-run
  treelift runs --forget --all --yes

The newest comes first. What is forgotten is what the ledger says of files and rows; the line of
the run stays, as do rows, keys and sealed values. `undo`, `verify` and `explain --row` cannot tell
of a forgotten run.";

#[derive(Debug, Args)]
#[command(after_help = RUNS_EXAMPLES)]
pub(in crate::cli) struct RunsArgs {
    /// The imports to forget: their ids or prefixes of them, as they are listed.
    #[arg(value_name = "RUN", requires = "forget", conflicts_with = "all")]
    pub(in crate::cli) runs: Vec<String>,
    /// After the sign-off: remove what the ledger says of the files and rows of these imports.
    #[arg(long)]
    pub(in crate::cli) forget: bool,
    /// Forget all imports.
    #[arg(long, requires = "forget")]
    pub(in crate::cli) all: bool,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
}

const UNDO_EXAMPLES: &str = "\
Examples:
  treelift undo 9720adda --dry-run --database sqlite:///./new.db
  treelift undo 9720adda --database sqlite:///./new.db
  treelift undo 9720adda --force-edited --database sqlite:///./new.db

The rows that the import inserted are removed, the columns that it filled are set to NULL, and rows that it
gave other values (`--existing update`) get their earlier ones back. Nothing is done if rows were changed since,
or if other rows reference them. Migrations and keys stay.
Where sealed values are put back, the key is needed, for a dry run too.";

#[derive(Debug, Args)]
#[command(after_help = UNDO_EXAMPLES)]
pub(in crate::cli) struct UndoArgs {
    /// The import's id or a prefix of it, as `treelift runs` lists it.
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: String,
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Undo rows that were edited since, too: their edits are lost, and are in the backup that is made before.
    #[arg(long)]
    pub(in crate::cli) force_edited: bool,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
}
