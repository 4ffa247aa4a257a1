//! What the commands on an existing database share: which one, and the terminal.

use super::args::schema::ChangeArgs;
use super::args::shared::{BackupArgs, ManagedArgs, SecretArgs};
use super::database_url::{self, DatabaseUrl};
use super::mapping_set;
use super::output::Output;
use super::secrets;
use super::terminal::{Manner, Terminal};
use crate::backup::Before;
use crate::config::Ui as _;
use crate::database::Database;
use crate::error::Result;
use crate::migrations::{ManagedDatabase, Options, Selection};

/// The set and the database.
pub(super) fn open(args: &ManagedArgs) -> Result<ManagedDatabase> {
    let database = DatabaseUrl::given(args.database.as_ref())?;
    ManagedDatabase::open(
        mapping_set::given(args.mappings.as_deref())?.as_deref(),
        database.as_ref().map(DatabaseUrl::url),
    )
}

/// The database, for commands that may not need its set.
pub(super) fn selection(args: &ManagedArgs) -> Result<Selection> {
    let database = DatabaseUrl::given(args.database.as_ref())?;
    Selection::open(mapping_set::given(args.mappings.as_deref())?.as_deref(), database.as_ref().map(DatabaseUrl::url))
}

/// The same where a set can only say which database is meant: one that is named needs none, so the variable, which is for
/// other commands, chooses none then.
pub(super) fn selection_without_set(args: &ManagedArgs) -> Result<Selection> {
    match DatabaseUrl::given(args.database.as_ref())? {
        Some(database) => Selection::open(args.mappings.as_deref(), Some(database.url())),
        None => selection(args),
    }
}

/// The line that says which database is meant and what names it, where no argument does.
pub(super) fn named(args: &ManagedArgs, database: &dyn Database, set: Option<&str>) -> Result<Option<String>> {
    let by = match DatabaseUrl::given(args.database.as_ref())? {
        Some(DatabaseUrl::Flag(_)) => return Ok(None),
        Some(DatabaseUrl::Environment(_)) => database_url::VARIABLE.to_owned(),
        None => set.map_or_else(|| "the mapping set".to_owned(), |set| format!("the mapping set `{set}`")),
    };
    Ok(Some(format!("database: {} (from {by})", database.url())))
}

/// Says that line, where there is one.
pub(super) fn say_named(args: &ManagedArgs, selection: &Selection, terminal: &Terminal) -> Result<()> {
    named(args, selection.database(), selection.set_name())?.iter().for_each(|line| terminal.say(line));
    Ok(())
}

/// The terminal, for commands that need no passphrase.
pub(super) fn terminal(yes: bool, output: &Output) -> Result<Terminal> {
    let secret = secrets::choose(SecretArgs::default(), None)?;
    Terminal::new(Manner::of(yes, output), secret)
}

/// The backup that was asked for.
pub(super) fn before(args: &BackupArgs) -> Before<'_> {
    Before { skip: args.no_backup, folder: args.backup_dir.as_deref(), set: None }
}

/// Does what changes a database and needs no passphrase, and removes the progress display at its end. `named` is said
/// first, where there is something to say.
pub(super) fn change<T>(
    args: &ChangeArgs,
    named: Option<&str>,
    output: &Output,
    work: impl FnOnce(&Options<'_>, &Terminal) -> Result<T>,
) -> Result<T> {
    change_on(&terminal(args.yes, output)?, args, named, work)
}

/// The same for what may need one.
pub(super) fn change_sealed<T>(
    (args, secrets): (&ChangeArgs, &SecretArgs),
    named: Option<&str>,
    output: &Output,
    work: impl FnOnce(&Options<'_>, &Terminal) -> Result<T>,
) -> Result<T> {
    let secret = secrets::choose(secrets.clone(), std::env::var_os(secrets::VARIABLE))?;
    change_on(&Terminal::new(Manner::of(args.yes, output), secret)?, args, named, work)
}

fn change_on<T>(
    terminal: &Terminal,
    args: &ChangeArgs,
    named: Option<&str>,
    work: impl FnOnce(&Options<'_>, &Terminal) -> Result<T>,
) -> Result<T> {
    named.iter().for_each(|line| terminal.say(line));
    let options = Options {
        dry: args.dry_run,
        before: before(&args.backup),
        lock_timeout: args.locks.lock_timeout(),
        ..Options::default()
    };
    let done = work(&options, terminal);
    terminal.end();
    done
}
