//! `treelift credentials`: one file per command.

mod encrypt;
mod hand_over;
mod new_key_file;
mod rekey;
mod rotate;
mod status;
mod verify;

use crate::backup::Before;
use crate::cli::args::{BackupArgs, ChangeArgs, Credentials, DatabaseArgs, SecretArgs};
use crate::cli::database::{self, Database};
use crate::cli::managed;
use crate::cli::output::Output;
use crate::cli::secrets::{self, SecretSource};
use crate::cli::terminal::{Manner, Terminal};
use crate::config::Ui;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::model::Set;
use crate::report::words::thousands;
use crate::reseal::Job;
use crate::reseal::application::set_of;
use crate::reseal::columns::ColumnName;
use crate::reseal::rekey::Rekeyed;
use crate::reseal::rotate::Rotated;
use crate::target::{self, Mode, Target};
use std::path::Path;

/// Runs one of them.
pub(super) fn run(command: Credentials, output: &Output) -> Result<u8> {
    match command {
        Credentials::Status(args) => status::run(&args, output),
        Credentials::Encrypt(args) => encrypt::run(*args, output),
        Credentials::Verify(args) => verify::run(args, output),
        Credentials::Rekey(args) => rekey::run(args, output),
        Credentials::Rotate(args) => rotate::run(args, output),
        Credentials::HandOver(args) => hand_over::run(args, output),
        Credentials::NewKeyFile(args) => new_key_file::run(&args, output),
    }
}

/// The database and the terminal that a command works with.
struct Setting {
    target: Box<dyn Target>,
    terminal: Terminal,
    mode: Mode,
    /// The mapping set that the database belongs to, where it is known.
    set: Option<Set>,
    backup: BackupArgs,
}

impl Setting {
    /// For a command that changes the database.
    fn to_change(args: ChangeArgs, backup: BackupArgs, mappings: Option<&str>, output: &Output) -> Result<Self> {
        let mode = if args.dry_run { Mode::Dry } else { Mode::Real };
        let manner = Manner { yes: args.yes, quiet: output.is_quiet() };
        let setting = Self::new(&args.database, args.secrets, manner, mode)?;
        Ok(Self { set: set_of(&*setting.target, mappings)?, backup, ..setting })
    }

    /// For a command that only reads.
    fn to_read(database: &DatabaseArgs, secrets: SecretArgs, output: &Output) -> Result<Self> {
        Self::new(database, secrets, Manner { yes: false, quiet: output.is_quiet() }, Mode::Dry)
    }

    fn new(database: &DatabaseArgs, args: SecretArgs, manner: Manner, mode: Mode) -> Result<Self> {
        let secret = secrets::choose(args, std::env::var_os(secrets::VARIABLE))?;
        let named = named(database)?;
        let target = target::open(named.url())?;
        let terminal = Terminal::new(manner, secret)?;
        if let Database::Environment(_) = named {
            terminal.say(&format!("database: {} (from {})", target.url(), database::VARIABLE));
        }
        Ok(Self { target, terminal, mode, set: None, backup: BackupArgs::default() })
    }

    fn with_new_secret(self, source: SecretSource) -> Self {
        Self { terminal: self.terminal.with_new_secret(source), ..self }
    }

    /// Does the job, and removes the progress display at its end.
    fn work<T>(&self, work: impl FnOnce(&Job<'_>) -> Result<T>) -> Result<T> {
        let set = self.set.as_ref();
        let done = work(&Job {
            target: &*self.target,
            mode: self.mode,
            ui: &self.terminal,
            before: Before { set: set.map(|set| set.name.as_str()), ..managed::before(&self.backup) },
            audit: set.and_then(|set| set.audit.as_ref()),
        });
        self.terminal.end();
        done
    }
}

/// The database that was named; there is no default.
fn named(args: &DatabaseArgs) -> Result<Database> {
    Database::choose(args.database.clone(), std::env::var_os(database::VARIABLE))?
        .ok_or_else(|| Error::request("no database is named").hint("give `--database URL`, or set DATABASE_URL"))
}

fn column_names(texts: &[String]) -> Result<Vec<ColumnName>> {
    texts.iter().map(|text| ColumnName::read(text)).collect()
}

/// `1 value`, `1,200 values`.
fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(count))
}

/// The last line, which says so in a dry run.
fn ending(dry_run: bool, words: &str) -> String {
    if dry_run { format!("dry run: {words}; nothing was changed\n") } else { format!("{words}\n") }
}

/// Where old secrets remain, line by line.
fn trace_words(own: &[String], copies: &[String], what: &str) -> String {
    let mut words = String::new();
    for one in own {
        words.push_str(&format!("warning: {what} may still be in {}\n", printable(one)));
    }
    for copy in copies {
        words.push_str(&format!("warning: {what} is still in a copy: {}\n", printable(copy)));
    }
    words
}

/// The last line, about the backup that was made first.
fn backup_hint(backup: Option<&Path>, what: &str) -> String {
    let path = |path: &Path| printable(&path.display().to_string());
    backup.map_or_else(String::new, |backup| format!("hint: the backup {what}: {}\n", path(backup)))
}

/// The line about copies that were and were not found.
fn copies_hint(found: &[String], what: &str) -> String {
    let found = if found.is_empty() { "none was found beside the database" } else { "those found are listed above" };
    format!("hint: {what}; {found}, other places were not searched\n")
}

fn rekeyed_words(done: &Rekeyed) -> String {
    let mut words = trace_words(&done.traces.own, &done.traces.copies, "the old wrapped key");
    let keys = counted(done.keys.len() as u64, "key");
    words.push_str(&ending(
        done.dry_run,
        &format!(
            "{keys} of {} rewrapped: {} opens with the new {}",
            printable(&done.target),
            it(done.keys.len()),
            done.opens_with
        ),
    ));
    if !done.dry_run {
        words.push_str(&copies_hint(
            &done.traces.copies,
            "earlier copies open with the passphrase or key file that was in use then",
        ));
    }
    words
}

fn it(count: usize) -> &'static str {
    if count == 1 { "it" } else { "each" }
}

fn rotated_words(done: &Rotated) -> String {
    let mut words = String::new();
    for column in &done.handed_over {
        words.push_str(&format!("note: {} was handed over to the application and is unchanged\n", printable(column)));
    }
    words.push_str(&trace_words(&done.traces.own, &done.traces.copies, "the old key"));
    let (values, opened) = (counted(done.values, "value"), thousands(done.opened_again));
    words.push_str(&ending(
        done.dry_run,
        &format!(
            "{values} of {} sealed again under key {}, {opened} opened again; the old key is gone",
            printable(&done.target),
            done.new_key
        ),
    ));
    if !done.dry_run {
        words.push_str(&copies_hint(
            &done.traces.copies,
            "earlier copies still open with the passphrase or key file that was in use then",
        ));
        words.push_str(&backup_hint(done.backup.as_deref(), "made before the rotation still opens with the old key"));
    }
    words
}
