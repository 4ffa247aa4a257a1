//! A database file: what is asked of it, handed to those who do it.

use super::location::Location;
use super::session::SqliteTransaction;
use super::survey::Looking;
use super::{alter, cells, file, fill, keys, ledger, locks, open, orphans, record, replace, state, undo};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::cells::{Access, Cells};
use crate::database::history::{RecordTable, Recorded};
use crate::database::ledger::{RowOrigin, RunRecord};
use crate::database::sealed::SealRecord;
use crate::database::state::State;
use crate::database::undo::{Undo, Undone};
use crate::database::upkeep::{Altered, Look, MoveOrphans, Moved, Order};
use crate::database::{Database, Dialect, Opening, Transaction};
use crate::error::{Error, Result};
use crate::secret::keys::KeyRow;
use std::path::{Path, PathBuf};

/// A database file of SQLite, existing or to be made.
#[derive(Debug)]
pub struct SqliteDatabase {
    url: String,
    /// As it was given: a link stays a link.
    path: PathBuf,
    location: Location,
}

impl SqliteDatabase {
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

impl Database for SqliteDatabase {
    fn engine(&self) -> &'static str {
        "sqlite"
    }

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
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

    fn recorded(&self) -> Result<Vec<Recorded>> {
        match open::view(&self.location)? {
            None => Ok(Vec::new()),
            Some(view) => record::read(&view.conn, &self.location),
        }
    }

    fn record_in(&mut self, table: Option<&str>) {
        self.location.record = table.map(str::to_owned);
    }

    fn record_table(&self) -> Result<RecordTable> {
        let view = open::view(&self.location)?;
        view.map_or_else(|| Ok(RecordTable::default()), |view| record::judged(&view.conn, &self.location))
    }

    fn inspect(&self, look: &mut dyn FnMut(&mut dyn Look) -> Result<()>) -> Result<bool> {
        match open::view(&self.location)? {
            None => Ok(false),
            Some(mut view) => {
                look(&mut Looking { conn: &mut view.conn, location: &self.location })?;
                Ok(true)
            }
        }
    }

    fn alter(&mut self, order: &Order<'_>) -> Result<Altered> {
        alter::alter(&self.location, order)
    }

    fn move_orphans(&mut self, order: &MoveOrphans<'_>) -> Result<Vec<Moved>> {
        orphans::move_all(&self.location, order)
    }

    fn undo(&mut self, order: &Undo<'_>) -> Result<Undone> {
        undo::undo(&self.location, order)
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()> {
        alter::note(&self.location, entry, table)
    }

    fn state(&self) -> Result<Option<State>> {
        open::view(&self.location)?.map(|view| state::read(&view.conn, &self.location)).transpose()
    }

    fn upgrade(&mut self, id: Option<&str>) -> Result<()> {
        alter::upgrade(&self.location, id)
    }

    fn copy_to(&self, copy: &Path) -> Result<()> {
        replace::copy(&self.location, copy)
    }

    fn replace_with(&mut self, file: &Path) -> Result<Option<Error>> {
        replace::replace(&self.location, file)
    }

    fn fill_for_test(&mut self) -> Result<()> {
        fill::every_table(&self.location)
    }
}
