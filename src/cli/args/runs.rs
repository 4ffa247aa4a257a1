//! The definitions of `treelift runs` and `treelift undo`, nothing else.

use super::schema::ChangeArgs;
use super::shared::ManagedArgs;
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift runs --database sqlite:///./new.db")]
pub(in crate::cli) struct RunsArgs {
    /// The database to look into [default: DATABASE_URL].
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) database: Option<String>,
}

const UNDO_EXAMPLES: &str = "\
Examples:
  treelift undo 9720adda --dry-run --database sqlite:///./new.db
  treelift undo 9720adda --database sqlite:///./new.db

The rows that the import inserted are removed, the columns that it filled are set to NULL. Nothing is
done if rows were changed since, or if other rows reference them. Migrations and keys stay.";

#[derive(Debug, Args)]
#[command(after_help = UNDO_EXAMPLES)]
pub(in crate::cli) struct UndoArgs {
    /// The import's id or a prefix of it, as `treelift runs` lists it.
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: String,
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
}
