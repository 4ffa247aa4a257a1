//! The command line's definition, nothing else.

pub(super) mod backup;
pub(super) mod credentials;
pub(super) mod export;
pub(super) mod report;
pub(super) mod runs;
pub(super) mod schema;
pub(super) mod shared;
pub(super) mod transfer;

use super::progress::Showing;
use crate::mapping::editor_schema::SchemaOf;
use crate::mapping::model::OnExisting;
use anstream::ColorChoice;
use backup::BackupCommand;
use clap::builder::{PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueHint, value_parser};
use clap_complete::Shell;
use credentials::Credentials;
use export::ExportArgs;
use report::ReportCommand;
use runs::{RunsArgs, UndoArgs};
use schema::SchemaCommand;
use shared::{BackupArgs, LockArgs, SecretArgs};
use std::path::PathBuf;
use transfer::TransferArgs;

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
pub(in crate::cli) struct Cli {
    #[command(flatten)]
    pub(in crate::cli) global: Global,
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
}

/// The options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct Global {
    /// Print one JSON document on standard output, and nothing else there.
    #[arg(long, global = true)]
    pub(in crate::cli) json: bool,
    /// When to use colors; NO_COLOR also turns them off.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = color())]
    pub(in crate::cli) color: ColorChoice,
    /// Print only errors and the final line.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
    /// Print everything, however long.
    #[arg(short, long, global = true)]
    pub(in crate::cli) verbose: bool,
    /// How to show progress: a line on a terminal, one JSON object a line on standard error (phase, done, total, bytes,
    /// rate, seconds left), or not at all.
    #[arg(long, global = true, value_name = "HOW", default_value = "auto", value_parser = showing())]
    pub(in crate::cli) progress: Showing,
    /// Append a log of JSON lines to this file, or to one file per day in this folder.
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) log_file: Option<PathBuf>,
}

/// Reads when to use colors; `auto` means on a terminal.
fn color() -> impl TypedValueParser<Value = ColorChoice> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|when| color_choice(&when))
}

/// Reads how to show progress; `auto` is a line on a terminal.
fn showing() -> impl TypedValueParser<Value = Showing> {
    PossibleValuesParser::new(["auto", "json", "none"]).map(|how| match how.as_str() {
        "json" => Showing::Json,
        "none" => Showing::None,
        _ => Showing::Auto,
    })
}

/// Reads a number of bytes, with a unit: kB, MB, GB, KiB, MiB, GiB; without one, bytes.
fn size() -> impl TypedValueParser<Value = u64> {
    StringValueParser::new().try_map(|text| {
        let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let unit: u64 = match text[digits.len()..].trim() {
            "" | "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err("a size is a number with B, kB, MB, GB, KiB, MiB or GiB"),
        };
        let size = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
        size.ok_or("a size is a whole number, such as `500MB`")
    })
}

/// What happens to rows that differ, by the word of mappings.
fn existing() -> impl TypedValueParser<Value = OnExisting> {
    PossibleValuesParser::new(["refuse", "keep", "update"]).map(|word| match word.as_str() {
        "keep" => OnExisting::Keep,
        "update" => OnExisting::Update,
        _ => OnExisting::Refuse,
    })
}

/// When to use colors, by its word.
pub(in crate::cli) fn color_choice(when: &str) -> ColorChoice {
    match when {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Import a tree into a database, in one transaction.
    Import(Box<ImportArgs>),
    /// Compare a database with the tree that was imported into it, value by value; nothing is changed.
    Verify(Box<VerifyArgs>),
    /// List the runs recorded in a database.
    Runs(RunsArgs),
    /// Undo an import.
    Undo(UndoArgs),
    /// Compare the JSON reports of imports.
    #[command(after_help = "Example:\n  treelift report diff monday.json tuesday.json")]
    Report {
        #[command(subcommand)]
        command: ReportCommand,
    },
    /// Check a mapping set against the schema it writes into, without any data.
    Check(CheckArgs),
    /// List the mapping sets that are part of the program, and write one into a folder.
    #[command(after_help = "Example:\n  treelift mappings list")]
    Mappings {
        #[command(subcommand)]
        command: MappingsCommand,
    },
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
    /// Copy a whole database into a new one, of another engine or of the same.
    Transfer(TransferArgs),
    /// Write rows of tables as CSV, JSON lines or SQL, for other programs to read.
    Export(ExportArgs),
    /// Inspect, seal and hand over stored credentials, and change their keys.
    #[command(after_help = "Example:\n  treelift credentials status --database sqlite:///./app.db")]
    Credentials {
        #[command(subcommand)]
        command: Credentials,
    },
    /// Print a script that completes commands and flags in a shell.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands into a folder.
    #[command(after_help = "Examples:\n  treelift man | man -l -\n  treelift man --dir ./man1")]
    Man {
        /// Write a page for each command into this folder.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  treelift completions bash > ~/.local/share/bash-completion/completions/treelift
  treelift completions zsh > ~/.zfunc/_treelift
  treelift completions fish > ~/.config/fish/completions/treelift.fish";

const IMPORT_EXAMPLES: &str = "\
Examples:
  treelift import ./old_data --dry-run --report report.html --report report.json
  treelift import ./old_data --database sqlite:///./new.db --key-file ./treelift.key
  treelift import ./old_data --plan p1-1f0c2d3e-…
  treelift import ./old_data --yes --progress json
  treelift import ./old_data --database postgresql://host/app --lock-timeout 30
  treelift import ./old_data --database 'postgresql://host/app?ledger_schema=treelift'
  treelift import ./old_data --database sqlite:///./new.db --existing update
  treelift import ./old_data --database sqlite:///./new.db --set-aside --rejects ./rejects
  treelift import ./old_data --database sqlite:///./new.db --verify
  treelift import ./old_data --database sqlite:///./new.db --replay ./rejects
  treelift import ./unknown_tree --scaffold ./my_set
  treelift import ./unknown_tree --scaffold ./my_set --yes

A dry run does the same work and rolls it back at the end. Its exit status is that of the real run.";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(in crate::cli) struct ImportArgs {
    /// The data folder, or its parent.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(in crate::cli) source: PathBuf,
    /// A bundled mapping set by name, or a folder [default: TREELIFT_MAPPINGS, then a bundled set
    /// that recognises the tree].
    #[arg(long, value_name = "SET|DIR")]
    pub(in crate::cli) mappings: Option<String>,
    /// Write a first mapping set for the tree into this new folder, say what was guessed, and use it: for a dry run,
    /// or with --yes for the import.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "mappings")]
    pub(in crate::cli) scaffold: Option<PathBuf>,
    /// The database to write into [default: DATABASE_URL, then what the mapping set names]. In the address of a PostgreSQL
    /// server `?ledger_schema=NAME` keeps treelift's own tables in a schema of their own.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) database: Option<String>,
    /// Do everything but commit; nothing is left behind.
    #[arg(short = 'n', long)]
    pub(in crate::cli) dry_run: bool,
    /// Write the report into a file, `.json` or `.html`; may be given more than once. An earlier report is
    /// kept under a numbered name.
    #[arg(short = 'o', long = "report", value_name = "FILE", value_hint = ValueHint::FilePath, action = ArgAction::Append)]
    pub(in crate::cli) reports: Vec<PathBuf>,
    /// Write rejected records into this folder, to be fixed and imported again.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) rejects: Option<PathBuf>,
    /// Commit the rest if no more than N records are rejected (a broken file counts as one, as does each file
    /// whose owner was rejected or could not be read) [default: 0; with --set-aside no limit].
    #[arg(long, value_name = "N")]
    pub(in crate::cli) max_rejects: Option<u64>,
    /// Put whatever cannot be imported into the folder of --rejects, with its reason, and commit the rest: also files
    /// and values that nothing decides. What looks like a secret and is undecided still refuses the import. The exit
    /// status is 1 where anything was set aside.
    #[arg(long)]
    pub(in crate::cli) set_aside: bool,
    /// Before the commit read every row back and compare it with what the source said; takes up to a third more time.
    #[arg(long)]
    pub(in crate::cli) verify: bool,
    /// Import again what this folder of rejects names, after the source, the record in its rejects.jsonl or the mapping
    /// was fixed, and nothing else. What is still wrong stays in the folder, what came in is gone from it.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) replay: Option<PathBuf>,
    /// Use only this mapping; may be given more than once.
    #[arg(long, value_name = "MAPPING", action = ArgAction::Append)]
    pub(in crate::cli) only_mapping: Vec<String>,
    /// Read this optional mapping too; may be given more than once.
    #[arg(long, value_name = "MAPPING", action = ArgAction::Append)]
    pub(in crate::cli) with: Vec<String>,
    /// Import only what belongs to this owner (directory or id); may be given more than once.
    #[arg(long, value_name = "OWNER", action = ArgAction::Append)]
    pub(in crate::cli) only_owner: Vec<String>,
    /// What happens to rows that the database has already and that differ from the source: `refuse` them, `keep` the
    /// database's, or `update` those that nobody edited since their import [default: what the set says, else refuse].
    #[arg(long, value_name = "HOW", value_parser = existing())]
    pub(in crate::cli) existing: Option<OnExisting>,
    /// Read every file, also those that are as an earlier import read them.
    #[arg(long)]
    pub(in crate::cli) reread: bool,
    /// The owner of files that name no owner.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) owner: Option<String>,
    /// Refuse to write anything unless all is as it was in the dry run that printed this id: the source, the mapping set,
    /// the database, the options and the version.
    #[arg(long, value_name = "ID", conflicts_with = "replay")]
    pub(in crate::cli) plan: Option<String>,
    /// Do not refuse a run that imports nothing, or nothing of any owner.
    #[arg(long)]
    pub(in crate::cli) allow_empty: bool,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(in crate::cli) max_depth: u32,
    /// To how many bytes a packed file may unpack, such as `500MB` or `8GiB`; never to more than 200 times its size.
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = size())]
    pub(in crate::cli) max_unpacked: u64,
    /// How many threads read and write at once; the result is the same with any number [default: one
    /// for each core, at most 4].
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=64))]
    pub(in crate::cli) jobs: Option<u16>,
    #[command(flatten)]
    pub(in crate::cli) locks: LockArgs,
    #[command(flatten)]
    pub(in crate::cli) backup: BackupArgs,
    /// Answer yes to every question.
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  treelift verify ./old_data --database sqlite:///./new.db --key-file ./treelift.key
  treelift verify ./old_data --report differences.html --only-owner 7

Exit status: 0 the database is as the source says, 1 it differs. Rows that cannot be compared, such as sealed
ones without their key, are counted apart; the last line says so.";

#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(in crate::cli) struct VerifyArgs {
    /// The data folder or its parent.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(in crate::cli) source: PathBuf,
    /// A bundled mapping set by name, or a folder [default: TREELIFT_MAPPINGS, then a bundled set
    /// that recognises the tree].
    #[arg(long, value_name = "SET|DIR")]
    pub(in crate::cli) mappings: Option<String>,
    /// The database to compare [default: DATABASE_URL, then what the mapping set names].
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) database: Option<String>,
    /// Write the report into a file, `.json` or `.html`; may be given more than once. An earlier report is
    /// kept under a numbered name.
    #[arg(short = 'o', long = "report", value_name = "FILE", value_hint = ValueHint::FilePath, action = ArgAction::Append)]
    pub(in crate::cli) reports: Vec<PathBuf>,
    /// Compare only what this mapping gives; may be given more than once.
    #[arg(long, value_name = "MAPPING", action = ArgAction::Append)]
    pub(in crate::cli) only_mapping: Vec<String>,
    /// Read this optional mapping too, as the import did; may be given more than once.
    #[arg(long, value_name = "MAPPING", action = ArgAction::Append)]
    pub(in crate::cli) with: Vec<String>,
    /// Compare only what belongs to this owner (directory or id); may be given more than once.
    #[arg(long, value_name = "OWNER", action = ArgAction::Append)]
    pub(in crate::cli) only_owner: Vec<String>,
    /// The owner of files that name no owner, as the import had it.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) owner: Option<String>,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(in crate::cli) max_depth: u32,
    /// To how many bytes a packed file may unpack, such as `500MB` or `8GiB`; never to more than 200 times its size.
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = size())]
    pub(in crate::cli) max_unpacked: u64,
    /// How many threads read at once; the result is the same with any number [default: one for each core, at most 4].
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=64))]
    pub(in crate::cli) jobs: Option<u16>,
    #[command(flatten)]
    pub(in crate::cli) locks: LockArgs,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum MappingsCommand {
    /// List the bundled sets.
    #[command(after_help = "Example:\n  treelift mappings list --json")]
    List,
    /// Write a bundled set into a new folder, to change it or to start from it.
    #[command(after_help = "Example:\n  treelift mappings export notes ./my_notes")]
    Export {
        /// The set's name.
        #[arg(value_name = "SET")]
        set: String,
        /// The folder: a new one, or one that is empty.
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
}

const CHECK_EXAMPLES: &str = "\
Examples:
  treelift check ./mappings/notes
  treelift check ./mappings/notes --against ./old_data
  treelift check ./my_set --against ./old_data --watch
  treelift check ./my_set --database postgresql://localhost/scratch
  treelift check --print-schema mapping > mapping.schema.json";

#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(in crate::cli) struct CheckArgs {
    /// A bundled mapping set by name, or a folder [default: TREELIFT_MAPPINGS, then with --against
    /// the one that recognises the tree, else every bundled set].
    #[arg(value_name = "SET|DIR")]
    pub(in crate::cli) set: Option<String>,
    /// Read this tree with the set; list what of it is undecided, and the parts of the set that it never uses.
    #[arg(long, value_name = "SOURCE", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) against: Option<PathBuf>,
    /// Do so again whenever a file of the set is saved, with a sample of 20 files of each kind.
    #[arg(long, requires = "against")]
    pub(in crate::cli) watch: bool,
    /// Read only N files of each kind.
    #[arg(long, value_name = "N", requires = "against", value_parser = sample_size())]
    pub(in crate::cli) sample: Option<usize>,
    /// Try the migrations for this server too, in a transaction that is rolled back, and compare the tables that they make
    /// with those of SQLite [default: DATABASE_URL, where it names a server].
    #[arg(long, value_name = "URL", conflicts_with = "watch")]
    pub(in crate::cli) database: Option<String>,
    /// Print the JSON Schema that editors validate mapping files with.
    #[arg(long, value_name = "WHICH", conflicts_with_all = ["set", "against", "database"], value_parser = schema_of())]
    pub(in crate::cli) print_schema: Option<SchemaOf>,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(in crate::cli) max_depth: u32,
}

/// Reads how many files of each kind are enough.
fn sample_size() -> impl TypedValueParser<Value = usize> {
    value_parser!(u32).range(1..).map(|number| number as usize)
}

/// Reads which file an editor schema is for.
fn schema_of() -> impl TypedValueParser<Value = SchemaOf> {
    PossibleValuesParser::new(["mapping", "set"])
        .map(|which| if which == "set" { SchemaOf::Set } else { SchemaOf::Mapping })
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  treelift inspect ./old_data
  treelift inspect ./old_data --scaffold ./my_set

Values are not shown, only what they look like. --show-values shows short ones, except those whose
name looks like a secret.";

#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(in crate::cli) struct InspectArgs {
    /// The data folder.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(in crate::cli) source: PathBuf,
    /// Show the values of short enumerations.
    #[arg(long)]
    pub(in crate::cli) show_values: bool,
    /// Write a first mapping set with a schema into this new folder; every guess is marked.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) scaffold: Option<PathBuf>,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(in crate::cli) max_depth: u32,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  treelift explain V004
  treelift explain ./old_data/people.json
  treelift explain './old_data/people.json#/0/name' --mappings ./my_set
  treelift explain --row people 42 --database sqlite:///./new.db
  treelift explain --row people 42 --database sqlite:///./new.db --source ./old_data";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(in crate::cli) struct ExplainArgs {
    /// A file of a tree, with a JSON Pointer for a part of it (in a file of lines behind the line's number: `#17/name`);
    /// or a code as the report shows it.
    #[arg(value_name = "FILE[#/POINTER]|CODE", required_unless_present = "row", conflicts_with = "row")]
    pub(in crate::cli) what: Option<String>,
    /// The row of this table with this key: its primary key, or that of a rule; the parts are separated by commas.
    /// Without --source, what the ledger alone knows: file, byte and run.
    #[arg(long, num_args = 2, value_names = ["TABLE", "KEY"])]
    pub(in crate::cli) row: Option<Vec<String>>,
    /// A bundled mapping set by name, or a folder [default: TREELIFT_MAPPINGS, then a bundled set
    /// that recognises the tree].
    #[arg(long, value_name = "SET|DIR")]
    pub(in crate::cli) mappings: Option<String>,
    /// The tree [default: the folder above FILE that a set recognises].
    #[arg(long, value_name = "SOURCE", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) source: Option<PathBuf>,
    /// With --row, the database [default: DATABASE_URL, then what the mapping set names].
    #[arg(long, value_name = "URL", requires = "row")]
    pub(in crate::cli) database: Option<String>,
    /// How deep values may be nested.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=127))]
    pub(in crate::cli) max_depth: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_valid() {
        crate::cli::unbuilt::recognise(Cli::command()).debug_assert();
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
