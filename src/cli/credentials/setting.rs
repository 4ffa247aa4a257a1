//! The database and the terminal that the commands on credentials work with.

use crate::backup::Before;
use crate::cli::args::credentials::ChangeArgs;
use crate::cli::args::shared::{BackupArgs, DatabaseArgs, SecretArgs};
use crate::cli::database_url::{self, DatabaseUrl};
use crate::cli::managed;
use crate::cli::output::Output;
use crate::cli::secrets::{self, SecretSource};
use crate::cli::terminal::{Manner, Terminal};
use crate::config::Ui;
use crate::credentials::Job;
use crate::credentials::application::set_of;
use crate::credentials::columns::ColumnName;
use crate::database::{self, Database, Mode};
use crate::error::Result;
use crate::mapping::model::Set;

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
    /// For a command that changes the database.
    pub(super) fn to_change(
        args: ChangeArgs,
        backup: BackupArgs,
        mappings: Option<&str>,
        output: &Output,
    ) -> Result<Self> {
        let mode = if args.dry_run { Mode::Dry } else { Mode::Real };
        let manner = Manner::of(args.yes, output);
        let mut setting = Self::new(&args.database, args.secrets, manner, mode)?;
        setting.database.wait_for_locks(args.locks.lock_timeout());
        Ok(Self { set: set_of(&*setting.database, mappings)?, backup, ..setting })
    }

    /// For a command that only reads.
    pub(super) fn to_read(database: &DatabaseArgs, secrets: SecretArgs, output: &Output) -> Result<Self> {
        Self::new(database, secrets, Manner::of(false, output), Mode::Dry)
    }

    fn new(database: &DatabaseArgs, args: SecretArgs, manner: Manner, mode: Mode) -> Result<Self> {
        let secret = secrets::choose(args, std::env::var_os(secrets::VARIABLE))?;
        let named = DatabaseUrl::needed(database.database.as_ref())?;
        let database = database::open(named.url())?;
        let terminal = Terminal::new(manner, secret)?;
        if let DatabaseUrl::Environment(_) = named {
            terminal.say(&format!("database: {} (from {})", database.url(), database_url::VARIABLE));
        }
        Ok(Self { database, terminal, mode, set: None, backup: BackupArgs::default() })
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

pub(super) fn column_names(texts: &[String]) -> Result<Vec<ColumnName>> {
    texts.iter().map(|text| ColumnName::read(text)).collect()
}
