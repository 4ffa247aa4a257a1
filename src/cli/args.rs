//! The command line's definition, nothing else.

use super::backup_args::BackupCommand;
use super::runs_args::{RunsArgs, UndoArgs};
use super::schema_args::SchemaCommand;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint, value_parser};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  treelift import ./old_data --dry-run --report report.html
  treelift import ./old_data --database sqlite:///./new.db
  treelift explain V004

Exit status: 0 clean, 1 problems found, 2 usage or configuration error, 3 I/O or database error,
70 a bug in treelift, 129, 130 or 143 interrupted. See docs/exit-statuses.md.";

/// Lifts a legacy tree of JSON files into a relational database, once, provably.
#[derive(Debug, Parser)]
#[command(name = "treelift", version, after_help = EXAMPLES, max_term_width = 100, subcommand_required = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct Global {
    /// Print one JSON document on standard output, and nothing else there.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// When to use colors; NO_COLOR also turns them off.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Print only errors and the final line.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print everything, however long.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Append a log of JSON lines to this file, or to one file per day in this folder.
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(super) log_file: Option<PathBuf>,
}

/// When to use colors; `auto` means on a terminal.
// No doc comments on the variants: they would make every help page longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import a tree into a database, in one transaction.
    Import(Box<ImportArgs>),
    /// List the runs recorded in a database.
    Runs(RunsArgs),
    /// Undo an import.
    Undo(UndoArgs),
    /// Check a mapping set against the schema it writes into, without any data.
    Check(CheckArgs),
    /// Show what is in a tree, and write a first mapping set for it.
    Inspect(InspectArgs),
    /// Show where the values of a file go, where a row came from, or what a code means.
    Explain(ExplainArgs),
    /// Show, migrate, roll back and validate the schema of a database.
    #[command(after_help = "Example:\n  treelift schema status --database sqlite:///./new.db")]
    Schema {
        #[command(subcommand)]
        command: SchemaCommand,
    },
    /// Create, list, restore and prune backups of a database, each verified by opening it.
    #[command(after_help = "Example:\n  treelift backup create --database sqlite:///./new.db --compress")]
    Backup {
        #[command(subcommand)]
        command: BackupCommand,
    },
    /// Inspect, seal and hand over stored credentials, and change their keys.
    #[command(after_help = "Example:\n  treelift credentials status --database sqlite:///./app.db")]
    Credentials {
        #[command(subcommand)]
        command: Credentials,
    },
}

/// Which database, and which mapping set it belongs to.
#[derive(Debug, Clone, Args)]
pub(super) struct ManagedArgs {
    /// A bundled mapping set by name, or a folder [default: the one of the database's last run,
    /// else the one whose migrations it records, else the only bundled one].
    #[arg(long, value_name = "SET|DIR")]
    pub(super) mappings: Option<String>,
    /// The database [default: DATABASE_URL, then what the mapping set names].
    #[arg(long, value_name = "URL", alias = "database-url")]
    pub(super) database: Option<String>,
}

/// The backup that is made before a database is changed.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct BackupArgs {
    /// Do not back up the existing database first.
    #[arg(long)]
    pub(super) no_backup: bool,
    /// Write the backup into this folder [default: `backups` beside the database].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) backup_dir: Option<PathBuf>,
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  treelift import ./old_data --dry-run --report report.html --report report.json
  treelift import ./old_data --database sqlite:///./new.db --key-file ./treelift.key

A dry run does the same work and rolls it back at the end. Its exit status is that of the real run.";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(super) struct ImportArgs {
    /// The data folder, or its parent.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(super) source: PathBuf,
    /// A bundled mapping set by name, or a folder [default: a bundled set that recognises the tree].
    #[arg(long, value_name = "SET|DIR")]
    pub(super) mappings: Option<String>,
    /// The database to write into [default: DATABASE_URL, then what the mapping set names].
    #[arg(long, value_name = "URL")]
    pub(super) database: Option<String>,
    /// Do everything but commit; nothing is left behind.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Write the report into a file, `.json` or `.html`; may be given more than once. An earlier report is
    /// kept under a numbered name.
    #[arg(long = "report", value_name = "FILE", value_hint = ValueHint::FilePath, action = ArgAction::Append)]
    pub(super) reports: Vec<PathBuf>,
    /// Write rejected records into this folder, to be fixed and imported again.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) rejects: Option<PathBuf>,
    /// Commit the rest if no more than N records are rejected (a broken file counts as one).
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) max_rejects: u64,
    /// Use only this mapping; may be given more than once.
    #[arg(long, value_name = "MAPPING", action = ArgAction::Append)]
    pub(super) only_mapping: Vec<String>,
    /// Read this optional mapping too; may be given more than once.
    #[arg(long, value_name = "MAPPING", action = ArgAction::Append)]
    pub(super) with: Vec<String>,
    /// Import only what belongs to this owner (directory or id); may be given more than once.
    #[arg(long, value_name = "OWNER", action = ArgAction::Append)]
    pub(super) only_owner: Vec<String>,
    /// The owner of files that name no owner.
    #[arg(long, value_name = "ID")]
    pub(super) owner: Option<String>,
    /// Do not refuse a run that imports nothing, or nothing of any owner.
    #[arg(long)]
    pub(super) allow_empty: bool,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(super) max_depth: u32,
    #[command(flatten)]
    pub(super) backup: BackupArgs,
    /// Answer yes to every question.
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) secrets: SecretArgs,
}

const SECRETS_HEADING: &str = "Secrets (else TREELIFT_PASSPHRASE, else a hidden prompt)";

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = SECRETS_HEADING)]
pub(super) struct SecretArgs {
    /// Read the passphrase from this file; one line break at its end is not part of it.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(super) passphrase_file: Option<PathBuf>,
    /// Use this key file; `credentials new-key-file` makes one.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(super) key_file: Option<PathBuf>,
    /// Accept a passphrase of fewer than 12 characters.
    #[arg(long)]
    pub(super) weak_passphrase: bool,
}

const CHECK_EXAMPLES: &str = "\
Examples:
  treelift check ./mappings/notes
  treelift check ./mappings/notes --against ./old_data
  treelift check --print-schema mapping > mapping.schema.json";

#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(super) struct CheckArgs {
    /// A bundled mapping set by name, or a folder [default: with --against the one that recognises the
    /// tree, else every bundled set].
    #[arg(value_name = "SET|DIR")]
    pub(super) set: Option<String>,
    /// Read this tree with the set and list the parts of the set that it never uses.
    #[arg(long, value_name = "SOURCE", value_hint = ValueHint::DirPath)]
    pub(super) against: Option<PathBuf>,
    /// Print the JSON Schema that editors validate mapping files with.
    #[arg(long, value_name = "WHICH", conflicts_with_all = ["set", "against"])]
    pub(super) print_schema: Option<SchemaArg>,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(super) max_depth: u32,
}

/// Which file an editor schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaArg {
    Mapping,
    Set,
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  treelift inspect ./old_data
  treelift inspect ./old_data --scaffold ./my_set

Values are not shown, only what they look like. --show-values shows short ones, except those whose
name looks like a secret.";

#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(super) struct InspectArgs {
    /// The data folder.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(super) source: PathBuf,
    /// Show the values of short enumerations.
    #[arg(long)]
    pub(super) show_values: bool,
    /// Write a first mapping set with a schema into this new folder; every guess is marked.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) scaffold: Option<PathBuf>,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(super) max_depth: u32,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  treelift explain V004
  treelift explain ./old_data/people.json
  treelift explain './old_data/people.json#/0/name' --mappings ./my_set
  treelift explain --row people 42 --database sqlite:///./new.db --source ./old_data";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(super) struct ExplainArgs {
    /// A file of a tree, with a JSON Pointer for a part of it; or a code as the report shows it.
    #[arg(value_name = "FILE[#/POINTER]|CODE", required_unless_present = "row", conflicts_with = "row")]
    pub(super) what: Option<String>,
    /// The row of this table with this key; the parts of a key are separated by commas.
    #[arg(long, num_args = 2, value_names = ["TABLE", "KEY"], requires = "source")]
    pub(super) row: Option<Vec<String>>,
    /// A bundled mapping set by name, or a folder [default: a bundled set that recognises the tree].
    #[arg(long, value_name = "SET|DIR")]
    pub(super) mappings: Option<String>,
    /// The tree [default: the folder above FILE that a set recognises].
    #[arg(long, value_name = "SOURCE", value_hint = ValueHint::DirPath)]
    pub(super) source: Option<PathBuf>,
    /// With --row, the database [default: DATABASE_URL, then what the mapping set names].
    #[arg(long, value_name = "URL", requires = "row")]
    pub(super) database: Option<String>,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(super) max_depth: u32,
}

#[derive(Debug, Subcommand)]
pub(super) enum Credentials {
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

/// The database that a command works on.
#[derive(Debug, Clone, Args)]
pub(super) struct DatabaseArgs {
    /// The database [default: DATABASE_URL].
    #[arg(long, value_name = "URL")]
    pub(super) database: Option<String>,
}

/// The options of every command that changes a database.
#[derive(Debug, Clone, Args)]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Do everything on a private copy, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Answer yes to every question.
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) secrets: SecretArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials status --database sqlite:///./app.db\n\n\
Exits 1 when a value is stored in plaintext, or is sealed under a key that is not registered. Registered columns, and \
columns whose names look like secrets, are searched for plaintext.")]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Skip this column, although its name looks like a secret; may be given more than once.
    #[arg(long, value_name = "TABLE.COLUMN", action = ArgAction::Append)]
    pub(super) except: Vec<String>,
}

const ENCRYPT_EXAMPLES: &str = "\
Examples:
  treelift credentials encrypt --database sqlite:///./app.db --passphrase-file ./pass.txt
  treelift credentials encrypt --database ./app.db --column logins.password --key person,service
  treelift credentials encrypt --database ./app.db --from fernet

Without --column and --mappings: registered columns, and columns whose names look like secrets.";

#[derive(Debug, Args)]
#[command(after_help = ENCRYPT_EXAMPLES)]
pub(super) struct EncryptArgs {
    /// Seal only this column; may be given more than once.
    #[arg(long, value_name = "TABLE.COLUMN", action = ArgAction::Append)]
    pub(super) column: Vec<String>,
    /// The columns that identify its rows, separated by commas [default: a unique list of columns].
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',', requires = "column")]
    pub(super) key: Vec<String>,
    /// Skip this column, although its name looks like a secret; may be given more than once.
    #[arg(long, value_name = "TABLE.COLUMN", action = ArgAction::Append)]
    pub(super) except: Vec<String>,
    /// Seal the columns that this mapping set seals; with --from, the set that describes the application.
    #[arg(long, value_name = "SET|DIR")]
    pub(super) mappings: Option<String>,
    /// Undo a hand-over in this format.
    #[arg(long, value_name = "FORMAT")]
    pub(super) from: Option<Format>,
    /// Seal although triggers run on the columns; they may copy what was there in plaintext.
    #[arg(long)]
    pub(super) with_triggers: bool,
    #[command(flatten)]
    pub(super) backup: BackupArgs,
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials verify --database ./app.db --passphrase-file ./pass.txt\n\n\
Exits 3 when a value does not open. Values that were handed over are opened when the application's own \
variables are set, and counted otherwise.")]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// The mapping set that describes the application [default: the one of the last import].
    #[arg(long, value_name = "SET|DIR")]
    pub(super) mappings: Option<String>,
    #[command(flatten)]
    pub(super) secrets: SecretArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials rekey --database ./app.db --passphrase-file ./old.txt \
--new-passphrase-file ./new.txt\n\nCopies of the database, such as backups, still open with the old one.")]
pub(super) struct RekeyArgs {
    #[command(flatten)]
    pub(super) change: ChangeArgs,
    #[command(flatten)]
    pub(super) new: NewSecretArgs,
}

/// The secret that replaces the old one; `weak_passphrase` applies to both.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "New secret (else a hidden prompt)")]
pub(super) struct NewSecretArgs {
    /// Read the new passphrase from this file; one line break at its end is not part of it.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(super) new_passphrase_file: Option<PathBuf>,
    /// Use this key file from now on.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(super) new_key_file: Option<PathBuf>,
    /// `--weak-passphrase` of the old one.
    #[arg(skip)]
    pub(super) weak_passphrase: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials rotate --database ./app.db --passphrase-file ./pass.txt\n\n\
The passphrase or key file stays. Copies of the database, such as backups, keep the old data key.")]
pub(super) struct RotateArgs {
    #[command(flatten)]
    pub(super) backup: BackupArgs,
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  treelift credentials hand-over --to fernet --database ./app.db --passphrase-file ./pass.txt\n\n\
The application's password comes from the environment variables that its mapping set names in [hand_over.fernet]."
)]
pub(super) struct HandOverArgs {
    /// The format.
    #[arg(long, value_name = "FORMAT")]
    pub(super) to: Format,
    /// The mapping set that describes the application [default: the one of the last import].
    #[arg(long, value_name = "SET|DIR")]
    pub(super) mappings: Option<String>,
    #[command(flatten)]
    pub(super) backup: BackupArgs,
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

/// Formats of applications.
// No doc comments on the variants: they would make every help page longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Fernet,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  treelift credentials new-key-file ./treelift.key")]
pub(super) struct NewKeyFileArgs {
    /// Where to write it; an existing file is never overwritten.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) path: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_valid() {
        super::super::unbuilt::recognise(Cli::command()).debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn visit(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Example"), "{help}");
            for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
                visit(below);
            }
        }
        visit(&mut Cli::command());
    }
}
