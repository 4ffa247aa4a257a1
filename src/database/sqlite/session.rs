//! An open transaction: one connection, the store it writes into, and what was known at its start.

use super::declared::Declared;
use super::given;
use super::location::{Location, Tried};
use super::open::Store;
use super::way::{Passes, Way};
use crate::database::kept::ForeignTrigger;
use crate::database::ledger::Written;
use crate::error::{Error, Result};
use crate::table::{Column, ColumnType, Migration, Schema};
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the ledger says of a row: its file, digest and columns.
pub(super) type Said = (i64, [u8; 16], i64);

/// The rowids of the rows that a table has for what the ledger says, in the ledger's order.
pub(super) type Unnamed = HashMap<Said, Vec<i64>>;

/// An open transaction. Dropped, it leaves the database as it was: SQLite rolls the
/// connection's work back, then the store removes its files.
pub(super) struct SqliteTransaction {
    // The order matters: the connection is closed before the store's files go.
    pub(super) conn: Connection,
    pub(super) store: Store,
    pub(super) location: Location,
    pub(super) schema: Schema,
    /// When the run began: what clocks that are defaults give.
    pub(super) started: Option<Timestamp>,
    pub(super) pending: Vec<String>,
    pub(super) foreign: Vec<ForeignTrigger>,
    /// Whether it makes the database.
    pub(super) is_new: bool,
    pub(super) before: BTreeMap<String, u64>,
    /// Migrations that a new database gets after its rows.
    pub(super) after_rows: Vec<Migration>,
    pub(super) ledger: LedgerState,
    pub(super) passes: RefCell<Passes>,
    /// By table, the rows of earlier runs that no key names.
    pub(super) unnamed: RefCell<HashMap<String, Unnamed>>,
    /// By the statement that asks for one key.
    pub(super) ways: RefCell<HashMap<String, Way>>,
    /// Nothing alters a table while rows are written.
    pub(super) declared: OnceCell<Declared>,
}

/// What this run wrote into the ledger.
#[derive(Debug, Default)]
pub(super) struct LedgerState {
    pub(super) run: Option<i64>,
    /// The first file of this run; all later ones are of it as well.
    pub(super) first_file: Option<i64>,
    pub(super) tables: HashMap<String, i64>,
    pub(super) columns: BTreeMap<Written, i64>,
    pub(super) rows: i64,
    /// The tables whose lines of earlier runs are found by the keys of rows.
    pub(super) lined: BTreeSet<i64>,
    /// The rows of this run that the temporary index of `ledger::written_from` knows.
    pub(super) indexed: Option<i64>,
}

impl SqliteTransaction {
    /// What the SQL of the tables declares.
    pub(super) fn declared(&self) -> Result<&Declared> {
        if let Some(known) = self.declared.get() {
            return Ok(known);
        }
        let read = self.on(Declared::read)?;
        Ok(self.declared.get_or_init(|| read))
    }

    /// Runs something on the connection, its faults in our words.
    pub(super) fn on<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(&self.conn).map_err(|error| self.location.fault(&error))
    }

    /// Its faults in our words.
    pub(super) fn said<T>(&self, tried: Tried<T>) -> Result<T> {
        tried.map_err(|fault| self.location.words(fault))
    }

    /// Columns of a table that are not written and whose default is a clock, each with what that gives at the start of the
    /// run: every row of a run has the same.
    pub(super) fn clocks(&self, table: &str, written: &[String]) -> Result<Vec<(String, Value)>> {
        let Some(now) = self.started else { return Ok(Vec::new()) };
        let columns = self.schema.table(table).into_iter().flat_map(|table| &table.columns);
        let unwritten = columns.filter(|column| !written.contains(&column.name));
        let given = |column: &Column| {
            let value = self.on(|conn| given::by_clock(conn, column, now))?;
            Ok(value.map(|value| (column.name.clone(), value)))
        };
        unwritten.filter_map(|column| given(column).transpose()).collect()
    }

    /// The type of a column; asking for one that is not there is a fault of treelift.
    pub(super) fn kind(&self, table: &str, column: &str) -> Result<ColumnType> {
        let found = self.schema.table(table).and_then(|table| table.column(column));
        found.map(|column| column.kind).ok_or_else(|| Error::bug(format!("there is no column `{table}.{column}`")))
    }
}
