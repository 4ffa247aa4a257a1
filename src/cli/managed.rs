//! What the commands on an existing database share: which one, and the terminal.

use super::args::schema::ChangeArgs;
use super::args::shared::{BackupArgs, ManagedArgs, SecretArgs};
use super::database_url::DatabaseUrl;
use super::mapping_set;
use super::output::Output;
use super::secrets;
use super::terminal::{Manner, Terminal};
use crate::backup::Before;
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

/// The terminal, for commands that need no passphrase.
pub(super) fn terminal(yes: bool, output: &Output) -> Result<Terminal> {
    let secret = secrets::choose(SecretArgs::default(), None)?;
    Terminal::new(Manner::of(yes, output), secret)
}

/// The backup that was asked for.
pub(super) fn before(args: &BackupArgs) -> Before<'_> {
    Before { skip: args.no_backup, folder: args.backup_dir.as_deref(), set: None }
}

/// Does what changes a database and needs no passphrase, and removes the progress display at its end.
pub(super) fn change<T>(
    args: &ChangeArgs,
    output: &Output,
    work: impl FnOnce(&Options<'_>, &Terminal) -> Result<T>,
) -> Result<T> {
    change_on(&terminal(args.yes, output)?, args, work)
}

/// The same for what may need one.
pub(super) fn change_sealed<T>(
    args: &ChangeArgs,
    secrets: &SecretArgs,
    output: &Output,
    work: impl FnOnce(&Options<'_>, &Terminal) -> Result<T>,
) -> Result<T> {
    let secret = secrets::choose(secrets.clone(), std::env::var_os(secrets::VARIABLE))?;
    change_on(&Terminal::new(Manner::of(args.yes, output), secret)?, args, work)
}

fn change_on<T>(
    terminal: &Terminal,
    args: &ChangeArgs,
    work: impl FnOnce(&Options<'_>, &Terminal) -> Result<T>,
) -> Result<T> {
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
