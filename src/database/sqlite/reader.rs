//! What is read of an open database, in a view of it and in a transaction alike.

use super::clock::Clock;
use super::location::Location;
use super::open::{self, View};
use super::{assertion, cells, health, keys, ledger, locks, record, references, state, survey};
use crate::database::Reader;
use crate::database::SealedColumn;
use crate::database::catalog::Catalog;
use crate::database::cells::{KeyedCell, Registered};
use crate::database::health::Health;
use crate::database::history::{RecordTable, Recorded};
use crate::database::ledger::{RowOrigin, RunRecord};
use crate::database::query::Asked;
use crate::database::reference::Reference;
use crate::database::sealed::{SealRecord, Unregistered};
use crate::database::state::State;
use crate::database::upkeep::{Broken, Survey};
use crate::error::Result;
use crate::secret::keys::KeyRow;
use crate::table::Table;
use jiff::Timestamp;
use rusqlite::Connection;

/// What has a connection.
pub(super) trait Open {
    fn conn(&self) -> &Connection;
    fn conn_mut(&mut self) -> &mut Connection;
    fn location(&self) -> &Location;
}

/// A database that is looked into and nothing else.
pub(super) struct SqliteReader {
    view: View,
    location: Location,
}

impl SqliteReader {
    /// Opens the database; `None` where there is none yet.
    pub(super) fn open(location: &Location) -> Result<Option<Self>> {
        Ok(open::view(location)?.map(|view| Self { view, location: location.clone() }))
    }
}

impl Open for SqliteReader {
    fn conn(&self) -> &Connection {
        &self.view.conn
    }

    fn conn_mut(&mut self) -> &mut Connection {
        &mut self.view.conn
    }

    fn location(&self) -> &Location {
        &self.location
    }
}

/// Reads something, the faults in our words.
fn on<T>(this: &impl Open, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
    let location = this.location();
    read(this.conn()).map_err(|error| locks::named(location.fault(&error), &error, location))
}

impl<O: Open> Reader for O {
    fn state(&self) -> Result<State> {
        state::read(self.conn(), self.location())
    }

    fn survey(&self) -> Result<Survey> {
        survey::of(self.conn(), self.location())
    }

    fn catalog(&self) -> Result<Catalog> {
        survey::live(self.conn(), self.location())
    }

    fn tables(&self) -> Result<Vec<Table>> {
        cells::tables(self.conn(), self.location())
    }

    fn rows(&self) -> Result<u64> {
        Ok(on(self, |conn| survey::counted(conn, self.location().record.as_deref()))?.values().sum())
    }

    fn recorded(&self) -> Result<Vec<Recorded>> {
        record::read(self.conn(), self.location())
    }

    fn record_table(&self) -> Result<RecordTable> {
        record::judged(self.conn(), self.location())
    }

    fn runs(&self) -> Result<Vec<RunRecord>> {
        on(self, ledger::runs)
    }

    fn origins(&self, table: &str, row_key: &str) -> Result<Vec<RowOrigin>> {
        on(self, |conn| ledger::origins(conn, table, row_key))
    }

    fn keys(&self) -> Result<Vec<KeyRow>> {
        let location = self.location();
        keys::all(self.conn()).map_err(|error| locks::named(keys::fault(&error, location), &error, location))
    }

    fn seal_record(&self) -> Result<SealRecord> {
        keys::record(self.conn(), self.location())
    }

    fn registered(&self) -> Result<Vec<Registered>> {
        keys::registered(self.conn(), self.location())
    }

    fn unregistered(&self) -> Result<Vec<Unregistered>> {
        on(self, |conn| {
            let record = record::table(conn, self.location().record.as_deref())?.name;
            survey::unregistered(conn, &record)
        })
    }

    fn cells(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>> {
        cells::read(self.conn(), column, self.location())
    }

    fn triggers(&self, column: &SealedColumn) -> Result<Vec<String>> {
        on(self, |conn| cells::triggers(conn, column))
    }

    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()> {
        cells::every_text(self.conn(), visit, self.location())
    }

    fn broken(&self) -> Result<Vec<Broken>> {
        let found = references::violations(self.conn())
            .map_err(|error| references::unreferable(&error, "", self.location()))?;
        Ok(found.into_iter().map(|((table, parent), rows)| Broken { table, parent, rows }).collect())
    }

    fn dangling(&self, reference: &Reference) -> Result<u64> {
        on(self, |conn| references::dangling(conn, reference))
    }

    fn repeated(&self, table: &str, columns: &[String]) -> Result<u64> {
        on(self, |conn| survey::repeated(conn, table, columns))
    }

    fn content(&self, table: &str, columns: &[String], since: Timestamp) -> Result<(u64, u128)> {
        on(self, |conn| survey::content(conn, table, columns, Clock::since(since)))
    }

    fn ask(&mut self, query: &str) -> Result<Asked> {
        let location = self.location().clone();
        assertion::ask(self.conn_mut(), query, &location)
    }

    fn health(&self) -> Result<Health> {
        if on(self, |conn| conn.is_readonly("main"))? {
            health::of(&open::to_check(self.location())?.conn, self.location())
        } else {
            health::of(self.conn(), self.location())
        }
    }
}
