//! What is read of an open database, in a view of it and in a transaction alike.

use super::location::{Fault, Location};
use super::open::{self, View};
use super::{
    assertion, cells, earlier, health, keys, ledger, ordered, origins, record, references, rehearsal, state, survey,
    unchanged,
};
use crate::database::catalog::Catalog;
use crate::database::cells::{KeyedCell, Registered};
use crate::database::clock::Clock;
use crate::database::health::Health;
use crate::database::history::{RecordTable, Recorded};
use crate::database::ledger::{RowOrigin, RunRecord, ToldFile, ToldRow};
use crate::database::query::{Asked, Asking, Planned};
use crate::database::reference::Reference;
use crate::database::sealed::{SealRecord, Unregistered};
use crate::database::standing::Standing;
use crate::database::state::State;
use crate::database::upkeep::{Broken, Survey};
use crate::database::{Cell, Dialect, Migration, Ordered, Reader, SealedColumn, Stages};
use crate::error::{Error, Result};
use crate::secret::keys::KeyRow;
use jiff::Timestamp;
use rusqlite::Connection;

/// What has a connection.
pub(super) trait Open {
    fn at(&self) -> (&Connection, &Location);
    fn at_mut(&mut self) -> (&mut Connection, &Location);

    /// Whether the transaction that is open makes the database.
    fn is_new(&self) -> bool {
        false
    }
}

/// A database that is looked into and nothing else.
pub(super) struct SqliteReader {
    view: View,
    location: Location,
}

impl SqliteReader {
    /// Opens the database; `None` where there is none yet.
    pub(super) fn open(location: &Location) -> Result<Option<Self>> {
        let view = open::view(location).map_err(|fault| location.words(fault))?;
        Ok(view.map(|view| Self { view, location: location.clone() }))
    }
}

impl Open for SqliteReader {
    fn at(&self) -> (&Connection, &Location) {
        (&self.view.conn, &self.location)
    }

    fn at_mut(&mut self) -> (&mut Connection, &Location) {
        (&mut self.view.conn, &self.location)
    }
}

/// Reads something, the faults in our words.
fn on<T, F: Into<Fault>>(this: &impl Open, read: impl FnOnce(&Connection, &Location) -> Result<T, F>) -> Result<T> {
    let (conn, location) = this.at();
    read(conn, location).map_err(|fault| location.words(fault.into()))
}

impl<O: Open> Stages for O {
    fn stages(&self, migrations: &[Migration], only_last: bool) -> Result<(Vec<Catalog>, Option<Error>)> {
        rehearsal::stages_of(self.at().1, migrations, only_last)
    }
}

impl<O: Open> Asking for O {
    fn ask(&mut self, query: &str) -> Result<Asked> {
        let (conn, location) = self.at_mut();
        assertion::ask(conn, query).map_err(|error| location.fault(&error))
    }

    fn plan(&mut self, query: &str) -> Result<Planned> {
        let (conn, location) = self.at_mut();
        assertion::plan(conn, query).map_err(|error| location.fault(&error))
    }
}

impl<O: Open> Reader for O {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    /// A read transaction begins with the first that is read ("Transaction", 2.1).
    fn hold(&self) -> Result<()> {
        on(self, |conn, _| conn.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema"))
    }

    fn state(&self) -> Result<State> {
        on(self, state::read)
    }

    fn survey(&self) -> Result<Survey> {
        on(self, survey::of)
    }

    fn catalog(&self) -> Result<Catalog> {
        on(self, survey::live)
    }

    fn rows(&self) -> Result<u64> {
        Ok(on(self, |conn, at| survey::counted(conn, at.record.as_deref()))?.values().sum())
    }

    fn recorded(&self) -> Result<Vec<Recorded>> {
        on(self, record::recorded)
    }

    fn record_table(&self) -> Result<RecordTable> {
        on(self, record::judged)
    }

    fn runs(&self) -> Result<Vec<RunRecord>> {
        on(self, |conn, _| ledger::runs(conn))
    }

    fn seen(&self, part: u64) -> Result<Option<Vec<u8>>> {
        on(self, |conn, _| earlier::seen(conn, part))
    }

    fn origins(&self, table: &str, row_key: &str) -> Result<Vec<RowOrigin>> {
        on(self, |conn, _| origins::origins(conn, table, row_key))
    }

    fn told_files(&self) -> Result<Vec<ToldFile>> {
        on(self, |conn, _| origins::told_files(conn))
    }

    fn told_rows(&self, table: &str, take: &mut dyn FnMut(ToldRow) -> Result<()>) -> Result<()> {
        on(self, |conn, _| origins::told_rows(conn, table, take))
    }

    fn standing(
        &self,
        table: &str,
        run: Option<&str>,
        take: &mut dyn FnMut(&str, Standing) -> Result<()>,
    ) -> Result<()> {
        on(self, |conn, at| unchanged::standing(conn, (table, at), run, take))
    }

    fn written_tables(&self) -> Result<Vec<String>> {
        on(self, |conn, _| origins::written_tables(conn))
    }

    fn each_row(
        &self,
        table: &str,
        columns: &[&str],
        of: Option<(&str, i64)>,
        visit: &mut dyn FnMut(Vec<Cell>),
    ) -> Result<()> {
        on(self, |conn, _| origins::each_row(conn, (table, columns), of, visit))
    }

    fn each_in_order(&self, rows: &Ordered<'_>, visit: &mut dyn FnMut(&[Cell]) -> Result<()>) -> Result<()> {
        on(self, |conn, _| ordered::each(conn, rows, visit))
    }

    fn script(&self, tables: &[Ordered<'_>], write: &mut dyn FnMut(&str) -> Result<()>) -> Result<Vec<u64>> {
        on(self, |conn, _| ordered::script(conn, tables, write))
    }

    fn keys(&self) -> Result<Vec<KeyRow>> {
        let (conn, location) = self.at();
        keys::all(conn).map_err(|error| keys::fault(&error, location))
    }

    fn seal_record(&self) -> Result<SealRecord> {
        let (conn, location) = self.at();
        keys::record(conn, location)
    }

    fn registered(&self) -> Result<Vec<Registered>> {
        on(self, keys::registered)
    }

    fn unregistered(&self) -> Result<Vec<Unregistered>> {
        on(self, |conn, at| survey::unregistered(conn, &record::table(conn, at.record.as_deref())?.name))
    }

    fn cells(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>> {
        on(self, |conn, at| cells::read(conn, column, at))
    }

    fn triggers(&self, column: &SealedColumn) -> Result<Vec<String>> {
        on(self, |conn, _| cells::triggers(conn, column))
    }

    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()> {
        on(self, |conn, _| cells::every_text(conn, visit))
    }

    fn broken(&self) -> Result<Vec<Broken>> {
        let read =
            |conn: &_, at: &_| references::violations(conn).map_err(|error| references::unreferable(error, "", at));
        let found = on(self, read)?;
        Ok(found.into_iter().map(|((table, parent), rows)| Broken { table, parent, rows }).collect())
    }

    fn dangling(&self, reference: &Reference) -> Result<u64> {
        on(self, |conn, _| references::dangling(conn, reference))
    }

    fn repeated(&self, table: &str, columns: &[String]) -> Result<u64> {
        on(self, |conn, _| survey::repeated(conn, table, columns))
    }

    fn content(&self, table: &str, columns: &[String], since: Timestamp) -> Result<(u64, u128)> {
        on(self, |conn, _| survey::content(conn, table, columns, Clock::since(since)))
    }

    fn health(&self) -> Result<Health> {
        if on(self, |conn, _| conn.is_readonly("main"))? {
            let view = on(self, |_, at| open::to_check(at))?;
            on(self, |_, _| health::of(&view.conn))
        } else if self.is_new() {
            on(self, |conn, _| health::of_new(conn))
        } else {
            on(self, |conn, _| health::of(conn))
        }
    }
}
