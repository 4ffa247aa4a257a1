//! The definition of `treelift schema`, nothing else.

use super::shared::{BackupArgs, LockArgs, ManagedArgs, SecretArgs};
use crate::validate::Category;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SchemaCommand {
    /// Show which migrations are applied, pending or changed.
    Status(StatusArgs),
    /// Apply what is pending, in one transaction.
    Migrate(MigrateArgs),
    /// Roll migrations back, the last one first, in one transaction.
    Rollback(RollbackArgs),
    /// List applied, failed and rolled-back migrations, newest first.
    History(HistoryArgs),
    /// Validate the database on its own.
    Validate(ValidateArgs),
    /// Write a new pair of migration files into a mapping set's folder.
    New(NewArgs),
    /// Mark an existing database as being at a version, without running anything.
    Stamp(StampArgs),
    /// Prove that every migration can be rolled back, on a private copy.
    Test(TestArgs),
    /// Put statistics, files and indexes in order; no row changes.
    Tidy(TidyArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift schema status --database sqlite:///./new.db --exit-code")]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Exit with status 4 when a migration is needed, 1 when record and files do not agree.
    #[arg(long)]
    pub(in crate::cli) exit_code: bool,
    /// Accepted for scripts: this command never changes anything.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
}

const MIGRATE_EXAMPLES: &str = "\
Examples:
  treelift schema migrate --database sqlite:///./new.db
  treelift schema migrate --to 003 --dry-run
  treelift schema migrate --verify --with-backup --copy sqlite:///./staging.db

A dry run applies everything to a private copy, shows the SQL, and discards the copy.";

#[derive(Debug, Args)]
#[command(after_help = MIGRATE_EXAMPLES)]
pub(in crate::cli) struct MigrateArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Stop at this version (`v003_…`, or its number alone), at `head`, or so many on (`+1`).
    #[arg(long, value_name = "VERSION", alias = "version", allow_hyphen_values = true)]
    pub(in crate::cli) to: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) flow: FlowArgs,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift schema rollback --steps 1 --database sqlite:///./new.db")]
pub(in crate::cli) struct RollbackArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    #[command(flatten)]
    pub(in crate::cli) goal: GoalArgs,
    #[command(flatten)]
    pub(in crate::cli) flow: FlowArgs,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
}

/// What is done around a change beside the backup before it.
#[derive(Debug, Args)]
pub(in crate::cli) struct FlowArgs {
    /// Check that the database is intact before, and validate it behind the change, before the commit: what fails changes
    /// nothing.
    #[arg(long)]
    pub(in crate::cli) verify: bool,
    /// Make a backup behind the change as well, once it is committed.
    #[arg(long)]
    pub(in crate::cli) with_backup: bool,
    /// Do all of it on a copy of the database, which is made here first [without URL: TREELIFT_COPY].
    #[arg(long, value_name = "URL", num_args = 0..=1, conflicts_with = "dry_run")]
    pub(in crate::cli) copy: Option<Option<String>>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct GoalArgs {
    /// Roll back everything after this version, which stays; to `base` everything, to `-1` the last one.
    #[arg(long, value_name = "VERSION", alias = "version", allow_hyphen_values = true)]
    pub(in crate::cli) to: Option<String>,
    /// Roll back the last N.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) steps: Option<usize>,
    /// Roll back everything.
    #[arg(long)]
    pub(in crate::cli) all: bool,
}

/// What every command takes that changes the database.
#[derive(Debug, Args)]
pub(in crate::cli) struct ChangeArgs {
    /// Work on a private copy, show what would be done, and change nothing.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Answer yes to every question.
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) backup: BackupArgs,
    #[command(flatten)]
    pub(in crate::cli) locks: LockArgs,
}

const HISTORY_EXAMPLES: &str = "\
Examples:
  treelift schema history --limit 5 --database sqlite:///./new.db
  treelift schema history --verbose

With --verbose it shows the events of the audit trail instead: each time that a migration was applied,
rolled back or recorded, by which version of the program, and what it depends on.";

#[derive(Debug, Args)]
#[command(after_help = HISTORY_EXAMPLES)]
pub(in crate::cli) struct HistoryArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Show at most N.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(in crate::cli) limit: usize,
    /// Accepted for scripts: this command never changes anything.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  treelift schema validate --database sqlite:///./new.db\n  \
                        treelift schema validate --category data --fix-orphans --dry-run")]
pub(in crate::cli) struct ValidateArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Validate only this category; may be given more than once.
    #[arg(long, value_name = "CATEGORY", value_parser = category())]
    pub(in crate::cli) category: Vec<Option<Category>>,
    /// Move rows that reference a missing row into `treelift_orphans`.
    #[arg(long, alias = "fix")]
    pub(in crate::cli) fix_orphans: bool,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
}

/// Reads the name of a category; `all` is none of them.
fn category() -> impl TypedValueParser<Value = Option<Category>> {
    let names = Category::ALL.map(Category::name).into_iter().chain(["all"]);
    PossibleValuesParser::new(names).map(|name| Category::ALL.into_iter().find(|category| category.name() == name))
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift schema new add_colours --mappings ./my_set")]
pub(in crate::cli) struct NewArgs {
    /// What the migration does, in a few words.
    pub(in crate::cli) name: String,
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Fill it with the drift between the database and its migrations; without this no database
    /// is needed.
    #[arg(long)]
    pub(in crate::cli) from_drift: bool,
    /// Show what would be written.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift schema stamp 001 --database sqlite:///./made_elsewhere.db")]
pub(in crate::cli) struct StampArgs {
    /// The version that the database is at.
    pub(in crate::cli) version: String,
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  treelift schema test --mappings ./my_set\n  \
                        treelift schema test --copy-of sqlite:///./new.db\n  \
                        treelift schema test --mappings ./my_set --database postgresql://localhost/scratch")]
pub(in crate::cli) struct TestArgs {
    /// A bundled mapping set by name, or a folder [default: TREELIFT_MAPPINGS, then with
    /// --copy-of the one of that database, else the only bundled one].
    #[arg(long, value_name = "SET|DIR")]
    pub(in crate::cli) mappings: Option<String>,
    /// Test on a copy of this database and its rows instead of invented rows.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) copy_of: Option<String>,
    /// Test the migrations for this server there, with invented rows, in a schema of their own that is dropped at the end.
    #[arg(long, value_name = "URL", conflicts_with = "copy_of")]
    pub(in crate::cli) database: Option<String>,
    /// Accepted for scripts: nothing stays of what this command makes for its test.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
}

const TIDY_EXAMPLES: &str = "\
Examples:
  treelift schema tidy --database sqlite:///./new.db --dry-run
  treelift schema tidy --database sqlite:///./new.db
  treelift schema tidy --analyze --database postgresql://host/app

No backup is made, since no row changes. It is no transaction: each statement stays done, whatever
becomes of the next one.";

#[derive(Debug, Args)]
#[command(after_help = TIDY_EXAMPLES)]
pub(in crate::cli) struct TidyArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Gather the statistics by which the database chooses its ways [default: all three].
    #[arg(long)]
    pub(in crate::cli) analyze: bool,
    /// Give back the room that deleted rows have left.
    #[arg(long)]
    pub(in crate::cli) vacuum: bool,
    /// Make every index again of the rows.
    #[arg(long)]
    pub(in crate::cli) reindex: bool,
    /// Show what would be done, and change nothing.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Answer yes to every question.
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) locks: LockArgs,
}
