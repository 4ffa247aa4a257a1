//! Arguments that several commands share.

use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// Which database, and which mapping set it belongs to.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ManagedArgs {
    /// A bundled mapping set by name, or a folder [default: TREELIFT_MAPPINGS, then the one of
    /// the database's last run, else the one whose migrations it records, else the only bundled one].
    #[arg(long, value_name = "SET|DIR")]
    pub(in crate::cli) mappings: Option<String>,
    /// The database [default: DATABASE_URL, then what the mapping set names].
    #[arg(long, value_name = "URL", alias = "database-url")]
    pub(in crate::cli) database: Option<String>,
}

/// The backup that is made before a database is changed.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct BackupArgs {
    /// Do not back up the existing database first.
    #[arg(long)]
    pub(in crate::cli) no_backup: bool,
    /// Write the backup into this folder [default: `backups` beside the database, or in the working directory where that is a server's].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) backup_dir: Option<PathBuf>,
}

/// How long other programs are waited for.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct LockArgs {
    /// Wait so many seconds for a lock that another program has, such as `--lock-timeout 30`; 0 waits without end
    /// [default: what the URL's `options` say, else 2].
    #[arg(long, value_name = "SECONDS")]
    lock_timeout: Option<u32>,
}

impl LockArgs {
    /// What was asked for; zero is without end.
    pub(in crate::cli) fn lock_timeout(&self) -> Option<Duration> {
        self.lock_timeout.map(|seconds| Duration::from_secs(seconds.into()))
    }
}

const SECRETS_HEADING: &str = "Secrets (else TREELIFT_PASSPHRASE, else a hidden prompt)";

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = SECRETS_HEADING)]
pub(in crate::cli) struct SecretArgs {
    /// Read the passphrase from this file; one line break at its end is not part of it.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
    /// Use this key file; `credentials new-key-file` makes one.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) key_file: Option<PathBuf>,
    /// Run this in a shell and take what it prints as the passphrase, such as `pass show treelift`; one line break at
    /// its end is not part of it.
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    pub(in crate::cli) passphrase_command: Option<String>,
    /// Accept a passphrase of fewer than 12 characters.
    #[arg(long)]
    pub(in crate::cli) weak_passphrase: bool,
}

/// The secret that replaces the old one; `weak_passphrase` applies to both.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "New secret (else a hidden prompt)")]
pub(in crate::cli) struct NewSecretArgs {
    /// Read the new passphrase from this file; one line break at its end is not part of it.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) new_passphrase_file: Option<PathBuf>,
    /// Use this key file from now on.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) new_key_file: Option<PathBuf>,
    /// `--weak-passphrase` of the old one.
    #[arg(skip)]
    pub(in crate::cli) weak_passphrase: bool,
}
