//! What the commands on an existing database share: which one, and the terminal.

use super::args::shared::{BackupArgs, ManagedArgs, SecretArgs};
use super::database_url::{self, DatabaseUrl};
use super::output::Output;
use super::secrets;
use super::terminal::{Manner, Terminal};
use crate::backup::Before;
use crate::error::Result;
use crate::migrations::{ManagedDatabase, Selection};

/// The set and the database.
pub(super) fn open(args: &ManagedArgs) -> Result<ManagedDatabase> {
    ManagedDatabase::open(args.mappings.as_deref(), database(args)?.as_ref().map(DatabaseUrl::url))
}

/// The database, for commands that may not need its set.
pub(super) fn selection(args: &ManagedArgs) -> Result<Selection> {
    Selection::open(args.mappings.as_deref(), database(args)?.as_ref().map(DatabaseUrl::url))
}

/// The database that was given.
pub(super) fn database(args: &ManagedArgs) -> Result<Option<DatabaseUrl>> {
    DatabaseUrl::choose(args.database.clone(), std::env::var_os(database_url::VARIABLE))
}

/// The terminal, for commands that need no passphrase.
pub(super) fn terminal(yes: bool, output: &Output) -> Result<Terminal> {
    let secret = secrets::choose(SecretArgs::default(), None)?;
    Terminal::new(Manner { yes, quiet: output.is_quiet() }, secret)
}

/// The backup that was asked for.
pub(super) fn before(args: &BackupArgs) -> Before<'_> {
    Before { skip: args.no_backup, folder: args.backup_dir.as_deref(), set: None }
}

/// A list with its columns aligned.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    use comfy_table::{Table, presets};
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| crate::finding::printable(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    format!("{}\n", table.trim_fmt())
}
