//! A database of a server: what is asked of it, handed to those who do it.

use super::opened::{self, PostgresReader, PostgresTransaction};
use super::place::{Aside, Place, Tried};
use super::{alter, aside, bench, connect, fill, rows_back, sql, stages, tidy, undo};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Catalog;
use crate::database::done::Altered;
use crate::database::dumps::Dumps;
use crate::database::forget::{Forget, Forgotten};
use crate::database::order::{Order, PutRowsBack};
use crate::database::own::is_own;
use crate::database::query::BadQuery;
use crate::database::rows_back::TableBack;
use crate::database::tidy::{Chore, Chores, Plan};
use crate::database::undo::{Undo, Undone};
use crate::database::upkeep::{MoveOrphans, Moved};
use crate::database::{Database, Dialect, Migration, Mode, Opening, Reader, Stages, Transaction};
use crate::error::{Error, Result};
use crate::table::Wishes;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The schema of a database that a connection finds first.
#[derive(Debug)]
pub(in crate::database) struct PostgresDatabase {
    pub(super) place: Place,
}

impl PostgresDatabase {
    /// Names the database of a URL; nothing is opened yet.
    pub(in crate::database) fn of_url(url: &str) -> Result<Self> {
        let address = Arc::new(connect::address(url)?);
        let (stages, aside, idle) = (Arc::default(), Aside::default(), Aside::default());
        Ok(Self { place: Place { address, record: None, patience: None, bench: None, stages, aside, idle } })
    }

    pub(super) fn said<T>(&self, tried: Tried<T>) -> Result<T> {
        tried.map_err(|fault| self.place.words(fault))
    }

    fn not_built(&self, what: &str) -> Error {
        Error::request(format!("{what} of a PostgreSQL database is not built yet")).at(self.place.shown())
    }
}

impl Stages for PostgresDatabase {
    fn stages(&self, migrations: &[Migration], only_last: bool) -> Result<(Vec<Catalog>, Option<Error>)> {
        stages::stages_of(&self.place, migrations, only_last)
    }
}

impl Database for PostgresDatabase {
    fn engine(&self) -> &'static str {
        Dialect::Postgresql.engine()
    }

    fn url(&self) -> &str {
        self.place.shown()
    }

    fn exists(&self) -> Result<bool> {
        let looked = || opened::is_there(&opened::look(&self.place)?);
        self.said(looked())
    }

    fn missing(&self) -> Error {
        Error::environment("the database has no tables")
            .at(self.url())
            .hint("check the URL; `treelift import` and `treelift schema migrate` make them")
    }

    fn read(&self) -> Result<Option<Box<dyn Reader>>> {
        let reader = self.said(PostgresReader::look(&self.place))?;
        Ok(reader.map(|reader| Box::new(reader) as Box<dyn Reader>))
    }

    fn view(&self, opening: &Opening) -> Result<Option<Box<dyn Transaction>>> {
        let transaction = PostgresTransaction::view(&self.place, opening)?;
        Ok(transaction.map(|transaction| Box::new(transaction) as Box<dyn Transaction>))
    }

    fn change(&self, mode: Mode, tables: &BTreeSet<String>) -> Result<Option<Box<dyn Transaction>>> {
        let transaction = self.said(PostgresTransaction::change(&self.place, mode, tables))?;
        Ok(transaction.map(|transaction| Box::new(transaction) as Box<dyn Transaction>))
    }

    fn refused(&self, migrations: &[Migration], queries: &[&str]) -> Result<Vec<Option<BadQuery>>> {
        self.said(stages::refused(&self.place, migrations, queries))
    }

    fn begin(&mut self, opening: &Opening) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(PostgresTransaction::begin(&self.place, opening)?))
    }

    fn wish(&mut self, wishes: Wishes) {
        self.place.record = wishes.record;
    }

    fn wait_for_locks(&mut self, patience: Option<Duration>) {
        self.place.patience = patience;
    }

    fn alter(&mut self, order: &Order<'_>) -> Result<Altered> {
        self.said(alter::alter(&self.place, order))
    }

    fn move_orphans(&mut self, order: &MoveOrphans<'_>) -> Result<Vec<Moved>> {
        self.said(aside::move_all(&self.place, order))
    }

    fn put_rows_back(&mut self, order: &PutRowsBack<'_>) -> Result<Vec<TableBack>> {
        self.said(rows_back::put_back(&self.place, order))
    }

    fn forget(&mut self, order: &Forget<'_>) -> Result<Forgotten> {
        self.said(undo::forget(&self.place, order))
    }

    fn undo(&mut self, order: &Undo<'_>) -> Result<Undone> {
        self.said(undo::undo(&self.place, order))
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()> {
        self.said(alter::note(&self.place, entry, table))
    }

    fn upgrade(&mut self, id: Option<&str>) -> Result<()> {
        self.said(alter::upgrade(&self.place, id))
    }

    fn chores(&self, wanted: Chores) -> Result<Option<Plan>> {
        self.said(tidy::plan(&self.place, wanted))
    }

    fn tidy(&mut self, chores: &[Chore], done: &mut dyn FnMut(&Chore)) -> Result<()> {
        self.said(tidy::tidy(&self.place, chores, done))
    }

    fn bytes(&self) -> Result<u64> {
        self.said(tidy::bytes(&self.place))
    }

    fn fill_for_test(&mut self) -> Result<()> {
        self.said(fill::every_table(&self.place))
    }

    fn bench(&self, migrations: &[Migration]) -> Result<Box<dyn Database>> {
        let place = self.said(bench::bench(&self.place, migrations))?;
        Ok(Box::new(Self { place }))
    }

    fn dumps(&self) -> Option<&dyn Dumps> {
        Some(self)
    }

    fn end_bench(&mut self) -> Option<String> {
        let left = self.place.bench.as_ref()?.end()?;
        Some(format!("the schema `{left}` could not be dropped; the next `schema test` on this server drops it"))
    }

    fn rewriting(&self, tables: &BTreeSet<String>) -> Vec<String> {
        let own = |table: &String| self.place.address.ledger_schema.as_ref().filter(|_| is_own(table));
        let before = |table| own(table).map_or_else(String::new, |schema| format!("{}.", sql::name(schema)));
        tables.iter().map(|table| format!("VACUUM FULL {}{}", before(table), sql::name(table))).collect()
    }

    fn copy_to(&self, _copy: &Path) -> Result<()> {
        Err(self.not_built("a copy"))
    }

    fn trial(&self) -> Result<Box<dyn Database>> {
        Err(self.not_built("a private copy").hint(
            "make a copy in a database of its own (`createdb copy`, `pg_dump live | psql copy`), and try `schema rollback --all` and \
             `schema migrate` there; `schema test --database URL` tests with invented rows",
        ))
    }

    fn replace_with(&mut self, _file: &Path) -> Result<Option<Error>> {
        Err(self.not_built("to restore a backup"))
    }
}
