//! The definitions of `treelift credentials`, nothing else.

use super::shared::{BackupArgs, LockArgs, ManagedArgs, NewSecretArgs, SecretArgs};
use clap::{ArgAction, Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Credentials {
    /// Show which columns hold sealed values, plaintext or nothing. Needs no secret.
    Status(StatusArgs),
    /// Seal plaintext in an existing database.
    Encrypt(Box<EncryptArgs>),
    /// Open every sealed value, and list those that do not open.
    Verify(VerifyArgs),
    /// Change the passphrase or key file; no value changes.
    Rekey(RekeyArgs),
    /// Make a new data key, and seal every value again under it.
    Rotate(RotateArgs),
    /// Write the sealed values in the format that the application reads.
    HandOver(HandOverArgs),
    /// Make a key file that only you can read.
    NewKeyFile(NewKeyFileArgs),
}

/// The options of every command that changes a database.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ChangeArgs {
    /// Do everything on a private copy, or in a transaction that is rolled back, and change nothing.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Answer yes to every question.
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) locks: LockArgs,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials status --database sqlite:///./app.db\n\n\
Exits 1 when a value is stored in plaintext or sealed under a key that is not registered or not the active one, and when \
keys, registry and sealed values do not belong together or their proof is missing. Registered columns, and \
columns whose names look like secrets, are searched for plaintext.")]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Skip this column, although its name looks like a secret; may be given more than once.
    #[arg(long, value_name = "TABLE.COLUMN", action = ArgAction::Append)]
    pub(in crate::cli) except: Vec<String>,
}

const ENCRYPT_EXAMPLES: &str = "\
Examples:
  treelift credentials encrypt --database sqlite:///./app.db --passphrase-file ./pass.txt
  treelift credentials encrypt --database ./app.db --column logins.password --key person,service
  treelift credentials encrypt --database ./app.db --from fernet
  treelift credentials encrypt --database postgresql://localhost/app

Without --column and --mappings: registered columns, and columns whose names look like secrets.";

/// What `--mappings` of `encrypt` is for: it chooses columns.
const SEALED_BY: &str = "Seal the columns that this mapping set, bundled or a folder, seals; with --from, the set that \
describes the application";

#[derive(Debug, Args)]
#[command(after_help = ENCRYPT_EXAMPLES, mut_arg("mappings", |arg| arg.help(SEALED_BY)))]
pub(in crate::cli) struct EncryptArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// Seal only this column; may be given more than once.
    #[arg(long, value_name = "TABLE.COLUMN", action = ArgAction::Append)]
    pub(in crate::cli) column: Vec<String>,
    /// The columns that identify its rows, separated by commas [default: a unique list of columns].
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',', requires = "column")]
    pub(in crate::cli) key: Vec<String>,
    /// Skip this column, although its name looks like a secret; may be given more than once.
    #[arg(long, value_name = "TABLE.COLUMN", action = ArgAction::Append)]
    pub(in crate::cli) except: Vec<String>,
    /// Undo a hand-over in this format.
    #[arg(long, value_name = "FORMAT")]
    pub(in crate::cli) from: Option<Format>,
    /// Seal although triggers run on the columns; they may copy what was there in plaintext.
    #[arg(long)]
    pub(in crate::cli) with_triggers: bool,
    #[command(flatten)]
    pub(in crate::cli) backup: BackupArgs,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
}

/// What `--mappings` is for where the application's own form is read or written.
const DESCRIBED_BY: &str = "The mapping set that describes the application [default: TREELIFT_MAPPINGS, then the one \
of the last import]";

#[derive(Debug, Args)]
#[command(mut_arg("mappings", |arg| arg.help(DESCRIBED_BY)),
after_help = "Example:\n  treelift credentials verify --database ./app.db --passphrase-file ./pass.txt\n\n\
Exits 3 when a value does not open. Values that were handed over are opened when the application's own \
variables are set, and counted otherwise; where none was opened, it exits 1.")]
pub(in crate::cli) struct VerifyArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials rekey --database ./app.db --passphrase-file ./old.txt \
--new-passphrase-file ./new.txt\n\nCopies of the database, such as backups, still open with the old one.")]
pub(in crate::cli) struct RekeyArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
    #[command(flatten)]
    pub(in crate::cli) new: NewSecretArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials rotate --database ./app.db --passphrase-file ./pass.txt\n\n\
The passphrase or key file stays. Copies of the database, such as backups, keep the old data key.")]
pub(in crate::cli) struct RotateArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    #[command(flatten)]
    pub(in crate::cli) backup: BackupArgs,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
}

#[derive(Debug, Args)]
#[command(
    mut_arg("mappings", |arg| arg.help(DESCRIBED_BY)),
    after_help = "Example:\n  treelift credentials hand-over --to fernet --database ./app.db --passphrase-file ./pass.txt\n\n\
The application's password comes from the environment variables that its mapping set names in [hand_over.fernet]."
)]
pub(in crate::cli) struct HandOverArgs {
    #[command(flatten)]
    pub(in crate::cli) managed: ManagedArgs,
    /// The format.
    #[arg(long, value_name = "FORMAT")]
    pub(in crate::cli) to: Format,
    #[command(flatten)]
    pub(in crate::cli) backup: BackupArgs,
    #[command(flatten)]
    pub(in crate::cli) change: ChangeArgs,
}

/// Formats of applications.
// No doc comments on the variants: they would make every help page longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    Fernet,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials new-key-file ./treelift.key")]
pub(in crate::cli) struct NewKeyFileArgs {
    /// Where to write it; an existing file is never overwritten.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(in crate::cli) path: PathBuf,
}
