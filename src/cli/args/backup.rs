//! The definition of `treelift backup`, nothing else.

use super::shared::{LockArgs, ManagedArgs};
use crate::backup::folder::Shelf;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BackupCommand {
    /// Make a backup and verify it.
    Create(CreateArgs),
    /// List the backups.
    List(ListArgs),
    /// Replace the database with a backup.
    Restore(RestoreArgs),
    /// Copy a backup onto the weekly or monthly shelf.
    Promote(PromoteArgs),
    /// Remove old backups.
    Prune(PruneArgs),
}

/// Which database, and where its backups lie.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PlaceArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// The folder of backups [default: `backups` beside the database, or in the working directory where that is a server's].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) backup_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift backup create --database sqlite:///./new.db --compress")]
pub(in crate::cli) struct CreateArgs {
    #[command(flatten)]
    pub(in crate::cli) place: PlaceArgs,
    /// Compress it with gzip; a backup of a server is compressed in any case.
    #[arg(long)]
    pub(in crate::cli) compress: bool,
    /// Show what would be made.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift backup list --database sqlite:///./new.db --verify")]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    pub(in crate::cli) place: PlaceArgs,
    /// Open and verify every backup.
    #[arg(long)]
    pub(in crate::cli) verify: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  treelift backup restore --latest --database sqlite:///./new.db\n  \
                        treelift backup restore --file backups/daily/new_20260102_030405_000000.db.gz\n  \
                        treelift backup restore --latest --table notes --dry-run")]
pub(in crate::cli) struct RestoreArgs {
    #[command(flatten)]
    pub(in crate::cli) place: PlaceArgs,
    /// The newest backup, except those made before a restore.
    #[arg(long, conflicts_with = "file")]
    pub(in crate::cli) latest: bool,
    /// This backup; without it and `--latest` you are asked.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, alias = "backup-file")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Take the newest of this shelf, as with `--latest`.
    #[arg(long, value_name = "SHELF", alias = "category", value_parser = shelf())]
    pub(in crate::cli) shelf: Option<Shelf>,
    /// Make only the rows of this table those of the backup again, in a database that is there; may be given more than once.
    #[arg(long, value_name = "TABLE")]
    pub(in crate::cli) table: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) locks: LockArgs,
    /// Replace the database without a safety backup of it.
    #[arg(long)]
    pub(in crate::cli) no_backup: bool,
    /// Verify the backup, and change nothing.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Answer yes to every question.
    #[arg(short, long, alias = "force")]
    pub(in crate::cli) yes: bool,
}

/// Reads the name of a shelf.
fn shelf() -> impl TypedValueParser<Value = Shelf> {
    PossibleValuesParser::new(Shelf::ALL.map(Shelf::name))
        .map(|name| Shelf::ALL.into_iter().find(|shelf| shelf.name() == name).expect("the parser takes no other"))
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift backup promote --to weekly --database sqlite:///./new.db")]
pub(in crate::cli) struct PromoteArgs {
    #[command(flatten)]
    pub(in crate::cli) place: PlaceArgs,
    /// The backup [default: the newest, except those made before a restore].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) file: Option<PathBuf>,
    /// The shelf it goes to.
    #[arg(long, value_name = "SHELF", value_parser = shelf())]
    pub(in crate::cli) to: Shelf,
    /// Show what would be copied.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift backup prune --keep-daily 7 --keep-weekly 4 --older-than 7 --dry-run")]
pub(in crate::cli) struct PruneArgs {
    #[command(flatten)]
    pub(in crate::cli) place: PlaceArgs,
    /// Keep the newest N of the daily shelf.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(in crate::cli) keep_daily: usize,
    /// Keep the newest N of the weekly shelf.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(in crate::cli) keep_weekly: usize,
    /// Keep the newest N of the monthly shelf.
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(in crate::cli) keep_monthly: usize,
    /// Also keep backups younger than this many days.
    #[arg(long, value_name = "DAYS")]
    pub(in crate::cli) older_than: Option<u32>,
    /// Show what would be removed.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Answer yes to every question.
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
}
