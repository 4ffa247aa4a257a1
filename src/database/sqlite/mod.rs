//! SQLite as a target.
//!
//! `open` decides which file a run works on, `migrate` sets its tables up, `session` is an open transaction,
//! `find` and `write` carry its rows, `cells` works on what is sealed, `form` knows how values are written,
//! `ledger` keeps the record.

mod alter;
pub(super) mod assertion;
mod astray;
mod audit;
mod catalog;
mod cells;
mod checks;
mod clock;
mod connect;
mod file;
mod fill;
mod find;
mod form;
mod guess;
mod health;
mod json;
mod kept;
mod keys;
mod ledger;
mod ledger_tables;
mod location;
mod locks;
pub(super) mod migrate;
mod open;
mod orphans;
mod pass;
mod presence;
mod read;
mod record;
mod references;
mod rejection;
mod replace;
mod sealed_values;
mod session;
mod sql;
mod state;
mod survey;
#[cfg(test)]
mod tests;
mod transaction;
mod triggers;
mod unchanged;
mod undo;
mod upkeep;
mod way;
mod words;
mod write;

use super::cells::{Access, Cells};
use super::ledger::{RowOrigin, RunRecord};
use super::{Opening, Target, Transaction};
use crate::database::sealed::SealRecord;
use crate::error::Result;
use crate::secret::keys::KeyRow;
use location::Location;
use session::SqliteTransaction;
use std::path::{Path, PathBuf};

/// A database file of SQLite, existing or to be made.
#[derive(Debug)]
pub struct SqliteTarget {
    url: String,
    /// As it was given: a link stays a link.
    path: PathBuf,
    location: Location,
}

impl SqliteTarget {
    /// Names the file; nothing is opened yet.
    pub fn new(url: &str, path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(|error| file::io_fault(&error, path.display()))?;
        // A dangling link stays as it is, and is refused when it is looked at.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        Ok(Self { url: url.to_owned(), path, location: Location { path: real, shown: url.to_owned(), record: None } })
    }

    /// Looks into the database without changing anything; nothing is found where there is none.
    fn look<T: Default>(&self, read: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>) -> Result<T> {
        match open::view(&self.location)? {
            None => Ok(T::default()),
            Some(view) => {
                read(&view.conn).map_err(|error| locks::named(self.location.fault(&error), &error, &self.location))
            }
        }
    }
}

impl Target for SqliteTarget {
    fn engine(&self) -> &'static str {
        "sqlite"
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn exists(&self) -> Result<bool> {
        // A file without a byte holds nothing yet: whoever made it chose its owner and mode, no more.
        Ok(matches!(file::look(&self.location)?, file::Found::Database(_)))
    }

    fn keys(&self) -> Result<Vec<KeyRow>> {
        self.look(keys::all)
    }

    fn seal_record(&self) -> Result<SealRecord> {
        match open::view(&self.location)? {
            None => Ok(SealRecord::default()),
            Some(view) => keys::record(&view.conn, &self.location),
        }
    }

    fn runs(&self) -> Result<Vec<RunRecord>> {
        self.look(ledger::runs)
    }

    fn origins(&self, table: &str, row_key: &str) -> Result<Vec<RowOrigin>> {
        self.look(|conn| ledger::origins(conn, table, row_key))
    }

    fn leftovers(&self) -> Result<Vec<PathBuf>> {
        locks::leftovers(&self.location)
    }

    fn cells(&self, access: Access) -> Result<Box<dyn Cells>> {
        Ok(Box::new(cells::SqliteCells::open(self.location.clone(), access)?))
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn rewrite(&self) -> Result<()> {
        cells::rewrite(&self.location)
    }

    fn begin(&mut self, opening: &Opening) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(SqliteTransaction::begin(self.location.clone(), opening)?))
    }
}
