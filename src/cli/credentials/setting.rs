//! The database and the terminal that the commands on credentials work with.

use crate::backup::Before;
use crate::cli::args::credentials::ChangeArgs;
use crate::cli::args::shared::{BackupArgs, ManagedArgs, SecretArgs};
use crate::cli::managed;
use crate::cli::output::Output;
use crate::cli::secrets::{self, SecretSource};
use crate::cli::terminal::{Manner, Terminal};
use crate::credentials::Job;
use crate::credentials::application::set_of;
use crate::credentials::columns::ColumnName;
use crate::database::{Database, Mode};
use crate::error::Result;
use crate::mapping::model::Set;
use crate::migrations::Selection;

/// How the database is selected.
type Select = fn(&ManagedArgs) -> Result<Selection>;

/// The database and the terminal that a command works with.
pub(super) struct Setting {
    pub(super) database: Box<dyn Database>,
    pub(super) terminal: Terminal,
    pub(super) mode: Mode,
    /// The mapping set that the database belongs to, where it is known.
    pub(super) set: Option<Set>,
    pub(super) backup: BackupArgs,
}

impl Setting {
    /// For a command that changes the database, with the mapping set that it belongs to.
    pub(super) fn to_change(
        args: ChangeArgs,
        managed: &ManagedArgs,
        backup: BackupArgs,
        output: &Output,
    ) -> Result<Self> {
        Self::changing(args, (managed, managed::selection), backup, output, |mut selection| {
            selection.learn(&selection.memory()?)?;
            Ok(selection.into_parts())
        })
    }

    /// The same where a set has a use of its own: the one that is named, which need not have written into the database,
    /// else the one of the last import.
    pub(super) fn to_change_by(
        mappings: Option<&str>,
        args: ChangeArgs,
        managed: &ManagedArgs,
        backup: BackupArgs,
        output: &Output,
    ) -> Result<Self> {
        Self::changing(args, (managed, managed::selection_without_set), backup, output, |selection| {
            let (database, _) = selection.into_parts();
            let set = set_of(&*database, mappings)?;
            Ok((database, set))
        })
    }

    fn changing(
        args: ChangeArgs,
        managed: (&ManagedArgs, Select),
        backup: BackupArgs,
        output: &Output,
        known: impl FnOnce(Selection) -> Result<(Box<dyn Database>, Option<Set>)>,
    ) -> Result<Self> {
        let mode = if args.dry_run { Mode::Dry } else { Mode::Real };
        let (mut selection, terminal) = begin(managed, args.secrets, Manner::of(args.yes, output))?;
        selection.database_mut().wait_for_locks(args.locks.lock_timeout());
        let (database, set) = known(selection)?;
        Ok(Self { database, terminal, mode, set, backup })
    }

    /// For a command that only reads.
    pub(super) fn to_read(managed: &ManagedArgs, secrets: SecretArgs, output: &Output) -> Result<Self> {
        let (selection, terminal) =
            begin((managed, managed::selection_without_set), secrets, Manner::of(false, output))?;
        let (database, _) = selection.into_parts();
        Ok(Self { database, terminal, mode: Mode::Dry, set: None, backup: BackupArgs::default() })
    }

    pub(super) fn with_new_secret(self, source: SecretSource) -> Self {
        Self { terminal: self.terminal.with_new_secret(source), ..self }
    }

    /// Does the job, and removes the progress display at its end.
    pub(super) fn work<T>(&self, work: impl FnOnce(&Job<'_>) -> Result<T>) -> Result<T> {
        let set = self.set.as_ref();
        let done = work(&Job {
            database: &*self.database,
            mode: self.mode,
            ui: &self.terminal,
            before: Before { set: set.map(|set| set.name.as_str()), ..managed::before(&self.backup) },
            audit: set.and_then(|set| set.audit.as_ref()),
        });
        self.terminal.end();
        done
    }
}

/// The database, and the terminal, which says what names it where no argument does.
fn begin(
    (managed, select): (&ManagedArgs, Select),
    secrets: SecretArgs,
    manner: Manner,
) -> Result<(Selection, Terminal)> {
    let secret = secrets::choose(secrets, std::env::var_os(secrets::VARIABLE))?;
    let selection = select(managed)?;
    let terminal = Terminal::new(manner, secret)?;
    managed::say_named(managed, &selection, &terminal)?;
    Ok((selection, terminal))
}

pub(super) fn column_names(texts: &[String]) -> Result<Vec<ColumnName>> {
    texts.iter().map(|text| ColumnName::read(text)).collect()
}
