//! What is read of an open database, in a view of it and in a transaction alike.

use super::opened::{self, Opened, PostgresReader};
use super::place::{Place, Tried};
use super::{assertion, catalog, cells, earlier, keys, ledger, ordered, origins, record, stages, state, survey, undo};
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

impl PostgresReader {
    /// Opens the database; `None` where its schema holds nothing yet.
    pub(super) fn look(place: &Place) -> Tried<Option<Self>> {
        let session = opened::look(place)?;
        if !opened::is_there(&session)? {
            return Ok(None);
        }
        state::read(&session)?;
        Ok(Some(Self { session, state: () }))
    }
}

impl<S> Stages for Opened<S> {
    fn stages(&self, migrations: &[Migration], only_last: bool) -> Result<(Vec<Catalog>, Option<Error>)> {
        stages::stages_of(&self.session.place, migrations, only_last)
    }
}

impl<S> Asking for Opened<S> {
    fn ask(&mut self, query: &str) -> Result<Asked> {
        self.on(|session| assertion::ask(session, query))
    }

    fn plan(&mut self, query: &str) -> Result<Planned> {
        self.on(|session| assertion::plan(session, query))
    }

    fn not_yet(&mut self) -> Result<Vec<String>> {
        self.on(assertion::not_yet)
    }
}

impl<S> Reader for Opened<S> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgresql
    }

    fn state(&self) -> Result<State> {
        self.on(state::read)
    }

    fn survey(&self) -> Result<Survey> {
        self.on(survey::of)
    }

    fn catalog(&self) -> Result<Catalog> {
        self.on(survey::live)
    }

    fn catalog_in_sql(&self) -> Result<Catalog> {
        self.on(|session| {
            let mut catalog = survey::live(session)?;
            catalog::add_made(session, &session.schema, &mut catalog)?;
            Ok(catalog)
        })
    }

    fn rows(&self) -> Result<u64> {
        Ok(self.on(survey::counted)?.values().sum())
    }

    fn recorded(&self) -> Result<Vec<Recorded>> {
        self.on(record::recorded)
    }

    fn record_table(&self) -> Result<RecordTable> {
        self.on(record::judged)
    }

    fn runs(&self) -> Result<Vec<RunRecord>> {
        self.on(ledger::runs)
    }

    fn seen(&self, part: u64) -> Result<Option<Vec<u8>>> {
        self.on(|session| earlier::seen(session, part))
    }

    fn origins(&self, table: &str, row_key: &str) -> Result<Vec<RowOrigin>> {
        self.on(|session| origins::origins(session, table, row_key))
    }

    fn told_files(&self) -> Result<Vec<ToldFile>> {
        self.on(origins::told_files)
    }

    fn told_rows(&self, table: &str, take: &mut dyn FnMut(ToldRow) -> Result<()>) -> Result<()> {
        self.on(|session| origins::told_rows(session, table, take))
    }

    fn standing(
        &self,
        table: &str,
        run: Option<&str>,
        take: &mut dyn FnMut(&str, Standing) -> Result<()>,
    ) -> Result<()> {
        self.on(|session| undo::standing(session, table, run, take))
    }

    fn written_tables(&self) -> Result<Vec<String>> {
        self.on(origins::written_tables)
    }

    fn each_row(
        &self,
        table: &str,
        columns: &[&str],
        of: Option<(&str, i64)>,
        visit: &mut dyn FnMut(Vec<Cell>),
    ) -> Result<()> {
        self.on(|session| origins::each_row(session, (table, columns), of, visit))
    }

    fn each_in_order(&self, rows: &Ordered<'_>, visit: &mut dyn FnMut(&[Cell]) -> Result<()>) -> Result<()> {
        self.on(|session| ordered::each(session, rows, visit))
    }

    fn script(&self, tables: &[Ordered<'_>], write: &mut dyn FnMut(&str) -> Result<()>) -> Result<Vec<u64>> {
        self.on(|session| ordered::script(session, tables, write))
    }

    fn keys(&self) -> Result<Vec<KeyRow>> {
        self.on(keys::all)
    }

    fn seal_record(&self) -> Result<SealRecord> {
        self.on(keys::record)
    }

    fn registered(&self) -> Result<Vec<Registered>> {
        self.on(keys::registered)
    }

    fn unregistered(&self) -> Result<Vec<Unregistered>> {
        self.on(survey::unregistered)
    }

    fn cells(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>> {
        self.on(|session| cells::read(session, column))
    }

    fn triggers(&self, column: &SealedColumn) -> Result<Vec<String>> {
        self.on(|session| cells::triggers(session, column))
    }

    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()> {
        self.on(|session| cells::every_text(session, visit))
    }

    fn broken(&self) -> Result<Vec<Broken>> {
        self.on(survey::broken)
    }

    fn dangling(&self, reference: &Reference) -> Result<u64> {
        self.on(|session| survey::dangling(session, reference))
    }

    fn repeated(&self, table: &str, columns: &[String]) -> Result<u64> {
        self.on(|session| survey::repeated(session, table, columns))
    }

    fn content(&self, table: &str, columns: &[String], since: Timestamp) -> Result<(u64, u128)> {
        self.on(|session| survey::content(session, table, columns, Clock::since(since)))
    }

    /// The server holds every row to the rules of its table; its files are its own.
    fn health(&self) -> Result<Health> {
        Ok(Health { without_file: true, ..Health::default() })
    }
}
