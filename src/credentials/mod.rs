//! Work on credentials after the import: who can read them, under which key, in which form.
//!
//! Every job opens the database, does all of its work in one transaction, opens again what it wrote,
//! writes the audit trail, and returns its result as a value. None needs a mapping set: the registered keys and
//! columns are enough. Read [`rotate`](fn@rotate::rotate) first; the others are like it.

pub mod application;
pub mod carry;
mod cells;
pub mod choice;
pub mod columns;
pub mod earlier;
pub mod encrypt;
pub mod erase;
pub mod hand_over;
mod keyring;
mod problem;
pub mod rekey;
pub mod rotate;
pub mod status;
pub mod verify;
mod written;

use crate::backup::{self, Before, Safety};
use crate::config::Ui;
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::{self, Database, Mode, Reader, Transaction};
use crate::error::{Error, Result};
pub use problem::{CellName, Problem};

/// A job on a database.
#[derive(Clone)]
pub struct Job<'j> {
    /// The database.
    pub database: &'j dyn Database,
    /// To change it, or a private copy of it.
    pub mode: Mode,
    /// Progress, questions, signals, the passphrase or key.
    pub ui: &'j dyn Ui,
    /// What is done about a backup first, and where backups are looked for.
    pub before: Before<'j>,
    /// The application's own audit table.
    pub audit: Option<&'j AuditTable>,
}

impl std::fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({})", self.database.url())
    }
}

impl<'j> Job<'j> {
    /// Commits it, unless it was one on a private copy.
    fn commit(&self, transaction: Box<dyn Transaction>) -> Result<()> {
        match self.mode {
            Mode::Real => transaction.commit()?.iter().for_each(|fault| self.ui.warn(fault)),
            Mode::Dry => transaction.rollback()?,
        }
        Ok(())
    }

    /// Asks before the database is changed; a dry run asks nothing.
    fn agree(&self, question: &str) -> Result<()> {
        if self.mode == Mode::Dry || self.ui.confirm(&format!("{}: {question}?", self.database.url()))? {
            return Ok(());
        }
        Err(Error::request("not confirmed, nothing was changed"))
    }

    /// Makes the backup; a dry run makes none.
    fn keep_what_is_there(&self, what: &str) -> Result<Safety<'j>> {
        backup::before(self.database, what, &self.backup(), self.ui)
    }

    /// Makes sure that this backup can be made, before a secret is asked for.
    fn able(&self) -> Result<()> {
        backup::able(self.database, &self.backup())
    }

    fn backup(&self) -> Before<'j> {
        Before { skip: self.before.skip || self.mode == Mode::Dry, ..self.before.clone() }
    }

    /// Writes the audit trail, in the job's own transaction. The details may have key ids, counts and
    /// names, which are not secret, and nothing else.
    fn note(
        &self,
        cells: &mut dyn Transaction,
        action: &'static str,
        key: &str,
        reason: &str,
        details: serde_json::Value,
    ) -> Result<()> {
        let entry = AuditEntry::new(action, "credentials", reason, database::now())?.of(key).with(details);
        cells.audit(&entry, self.audit)
    }

    /// Ends the job when a signal asked for it.
    fn heed_signals(&self) -> Result<()> {
        match self.ui.interrupted() {
            Some(signal) => Err(Error::interrupted(signal)),
            None => Ok(()),
        }
    }
}

/// Looks into a database that must be there.
pub fn existing(database: &dyn Database) -> Result<Box<dyn Reader>> {
    database.read()?.ok_or_else(|| missing(database))
}

fn missing(database: &dyn Database) -> Error {
    Error::environment("there is no database").at(database.url()).hint("name one with `--database URL`")
}
