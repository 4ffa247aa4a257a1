//! A database file: what is asked of it, handed to those who do it.

use super::location::{Location, Tried};
use super::reader::SqliteReader;
use super::rehearsal::{self, Rehearsal};
use super::session::SqliteTransaction;
use super::{alter, connect, file, fill, locks, orphans, replace, rows_back, tidy, undo, url};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Catalog;
use crate::database::done::Altered;
use crate::database::forget::{Forget, Forgotten};
use crate::database::order::{Order, PutRowsBack};
use crate::database::query::BadQuery;
use crate::database::rows_back::TableBack;
use crate::database::scratch::Scratch;
use crate::database::tidy::{Chore, Chores, Plan};
use crate::database::undo::{Undo, Undone};
use crate::database::upkeep::{MoveOrphans, Moved};
use crate::database::{Database, Dialect, Migration, Mode, Opening, Reader, Stages, Transaction};
use crate::error::{Error, Result};
use crate::table::Wishes;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A database file of SQLite, existing or to be made.
#[derive(Debug)]
pub(in crate::database) struct SqliteDatabase {
    url: String,
    /// As it was given: a link stays a link.
    path: PathBuf,
    location: Location,
    /// The private folder that it lies in, where it does.
    _folder: Option<Scratch>,
}

impl SqliteDatabase {
    /// Names the file of a URL or a path; nothing is opened yet.
    pub(in crate::database) fn of_url(url: &str) -> Result<Self> {
        Self::new(url, Path::new(url::path(url)?))
    }

    fn new(url: &str, path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(|error| file::io_fault(&error, path.display()))?;
        // A dangling link stays as it is, and is refused when it is looked at.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let location = Location::of(real, url);
        Ok(Self { url: url.to_owned(), path, location, _folder: None })
    }

    /// A new one to try things on, in a private folder that is named for this path.
    pub(in crate::database) fn trial(of: &Path) -> Result<Self> {
        let folder = Scratch::new(of)?;
        let path = folder.path().join("test.db");
        let url = path.to_str().ok_or_else(|| Error::environment("the temporary folder's name is not UTF-8"))?;
        Ok(Self { _folder: Some(folder), ..Self::new(url, &path)? })
    }

    fn said<T>(&self, tried: Tried<T>) -> Result<T> {
        tried.map_err(|fault| self.location.words(fault))
    }
}

impl Stages for SqliteDatabase {
    fn stages(&self, migrations: &[Migration], only_last: bool) -> Result<(Vec<Catalog>, Option<Error>)> {
        rehearsal::stages_of(&self.location, migrations, only_last)
    }
}

impl Database for SqliteDatabase {
    fn engine(&self) -> &'static str {
        Dialect::Sqlite.engine()
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn exists(&self) -> Result<bool> {
        // A file without a byte holds nothing yet: whoever made it chose its owner and mode, no more.
        Ok(matches!(file::look(&self.location)?, file::Found::Database(_)))
    }

    fn side_suffixes(&self) -> &'static [&'static str] {
        &file::SIDE_SUFFIXES
    }

    fn is_one(&self, file: &Path) -> bool {
        file::is_one(file)
    }

    fn leftovers(&self) -> Result<Vec<PathBuf>> {
        locks::leftovers(&self.location)
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn rewrite(&self) -> Result<()> {
        replace::rewrite(&self.location).map_err(|error| self.location.fault(&error))
    }

    fn read(&self) -> Result<Option<Box<dyn Reader>>> {
        Ok(SqliteReader::open(&self.location)?.map(|reader| Box::new(reader) as Box<dyn Reader>))
    }

    fn view(&self, opening: &Opening) -> Result<Option<Box<dyn Transaction>>> {
        let transaction = self.said(SqliteTransaction::view(&self.location, opening))?;
        Ok(transaction.map(|transaction| Box::new(transaction) as Box<dyn Transaction>))
    }

    fn change(&self, mode: Mode, _tables: &BTreeSet<String>) -> Result<Option<Box<dyn Transaction>>> {
        let transaction = self.said(SqliteTransaction::change(&self.location, mode))?;
        Ok(transaction.map(|transaction| Box::new(transaction) as Box<dyn Transaction>))
    }

    fn refused(&self, migrations: &[Migration], queries: &[&str]) -> Result<Vec<Option<BadQuery>>> {
        Rehearsal::of(migrations, false)?.refused(self.location.record.as_deref(), queries)
    }

    fn begin(&mut self, opening: &Opening) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(self.said(SqliteTransaction::begin(&self.location, opening))?))
    }

    fn wish(&mut self, wishes: Wishes) {
        self.location.record = wishes.record;
        self.location.is_wal = wishes.is_wal;
    }

    fn wait_for_locks(&mut self, patience: Option<Duration>) {
        connect::be_patient(patience);
    }

    fn alter(&mut self, order: &Order<'_>) -> Result<Altered> {
        self.said(alter::alter(&self.location, order))
    }

    fn move_orphans(&mut self, order: &MoveOrphans<'_>) -> Result<Vec<Moved>> {
        self.said(orphans::move_all(&self.location, order))
    }

    fn put_rows_back(&mut self, order: &PutRowsBack<'_>) -> Result<Vec<TableBack>> {
        self.said(rows_back::put_back(&self.location, order))
    }

    fn forget(&mut self, order: &Forget<'_>) -> Result<Forgotten> {
        self.said(undo::forget(&self.location, order))
    }

    fn undo(&mut self, order: &Undo<'_>) -> Result<Undone> {
        self.said(undo::undo(&self.location, order))
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()> {
        self.said(alter::note(&self.location, entry, table))
    }

    fn upgrade(&mut self, id: Option<&str>) -> Result<()> {
        self.said(alter::upgrade(&self.location, id))
    }

    fn copy_to(&self, copy: &Path) -> Result<()> {
        self.said(replace::copy(&self.location, copy))
    }

    fn trial(&self) -> Result<Box<dyn Database>> {
        let trial = Self::trial(&self.path)?;
        self.copy_to(&trial.path)?;
        Ok(Box::new(trial))
    }

    fn bench(&self, _migrations: &[Migration]) -> Result<Box<dyn Database>> {
        Ok(Box::new(Self::trial(&self.path)?))
    }

    fn replace_with(&mut self, file: &Path) -> Result<Option<Error>> {
        self.said(replace::replace(&self.location, file))
    }

    fn chores(&self, wanted: Chores) -> Result<Option<Plan>> {
        self.said(tidy::plan(&self.location, wanted))
    }

    fn tidy(&mut self, chores: &[Chore], done: &mut dyn FnMut(&Chore)) -> Result<()> {
        self.said(tidy::tidy(&self.location, chores, done))
    }

    fn bytes(&self) -> Result<u64> {
        tidy::bytes(&self.location)
    }

    fn fill_for_test(&mut self) -> Result<()> {
        self.said(fill::every_table(&self.location))
    }
}
