//! Targets: the databases that rows are written into.
//!
//! A [`Target`] opens a [`Transaction`]; everything a run writes goes through it and is committed
//! together or not at all. SQL text is only below this module and in mapping sets.

pub mod audit;
pub mod cells;
pub mod ddl;
pub mod drift;
pub mod drift_sql;
pub mod health;
pub mod history;
pub mod kept;
pub mod ledger;
pub mod query;
pub mod rejection;
pub mod schema;
pub(crate) mod scratch;
pub mod sealed;
pub mod sqlite;
pub mod state;
pub mod traces;
pub(crate) mod types;
pub mod undo;
pub mod upkeep;
mod url;

pub use scratch::remove_stale;
pub use url::open;

use crate::error::Result;
use crate::hex;
use crate::row::{Batch, Value};
use crate::secret::keys::KeyRow;
pub use crate::table::Migration;
use crate::table::Schema;
use audit::{AuditEntry, AuditTable};
use health::Health;
use jiff::Timestamp;
use kept::{ForeignTrigger, Unkept};
use rejection::{Rejected, Rejection};
use sealed::SealRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use upkeep::{Reference, Survey, Upkeep};

/// Now, to the microsecond: targets keep no more, and what is compared must be what is kept.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(jiff::Unit::Microsecond).unwrap_or(now)
}

/// How many rows a database has, without treelift's own; 0 where there is none.
pub fn rows(target: &dyn Target) -> Result<u64> {
    let mut rows = 0;
    target.inspect(&mut |look| {
        rows = look.rows()?;
        Ok(())
    })?;
    Ok(rows)
}

/// Whether the last statement will be COMMIT or ROLLBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Commit.
    Real,
    /// Work on a private copy, then roll back and leave no trace.
    Dry,
}

/// What a run needs to open its transaction.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// Real or dry.
    pub mode: Mode,
    /// The run's id (UUID text); names temporary files.
    pub run_id: &'a str,
    /// The set's migrations, in order.
    pub migrations: &'a [Migration],
    /// The tables those migrations make, as [`schema::expected`] read them.
    pub schema: &'a Schema,
    /// The tables that the set's mappings write into.
    pub written: &'a BTreeSet<String>,
    /// About how many bytes the import will add, to check the free disk space.
    pub bytes: u64,
    /// The run's start time, written as applied_at and the like.
    pub started: Timestamp,
    /// The application's own audit table.
    pub audit: Option<&'a AuditTable>,
}

/// A database that can be imported into.
pub trait Target: Upkeep {
    /// `sqlite` or `postgresql`.
    fn engine(&self) -> &'static str;
    /// The URL as it may be shown: without a password.
    fn url(&self) -> &str;
    /// Whether something is there already, so that an import changes it.
    fn exists(&self) -> Result<bool>;
    /// The words for a database that is needed and not there.
    fn missing(&self) -> crate::error::Error {
        crate::error::Error::environment("there is no database")
            .at(self.url())
            .hint("check the path; `treelift import` and `treelift schema migrate` create a new database")
    }
    /// The registered keys, read without changing anything (empty when there are none, or no database).
    fn keys(&self) -> Result<Vec<KeyRow>>;
    /// The keys, the registry with its proof, and what the registered columns hold, read without changing
    /// anything (nothing when there is no database).
    fn seal_record(&self) -> Result<SealRecord>;
    /// The runs recorded in the ledger, oldest first, read without changing anything.
    fn runs(&self) -> Result<Vec<ledger::RunRecord>>;
    /// Where runs wrote the row of this key from, oldest first, read without changing anything. The key
    /// is written as in [`ledger::RowRecord`].
    fn origins(&self, table: &str, row_key: &str) -> Result<Vec<ledger::RowOrigin>> {
        let _ = (table, row_key);
        Err(crate::error::Error::request(format!("asking a {} ledger for rows is not built yet", self.engine())))
    }
    /// Unfinished databases that killed runs left beside the target; none of a run that still goes.
    fn leftovers(&self) -> Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }
    /// Opens the database for work on its sealed cells; there must be one.
    fn cells(&self, access: cells::Access) -> Result<Box<dyn cells::Cells>>;
    /// The file that the database is, where it is one.
    fn file(&self) -> Option<&Path> {
        None
    }
    /// Rewrites the whole database, so that nothing is left of what was overwritten.
    fn rewrite(&self) -> Result<()> {
        Ok(())
    }
    /// Opens the transaction, with the schema and the ledger's tables made or checked.
    fn begin(&mut self, opening: &Opening) -> Result<Box<dyn Transaction>>;
}

/// The value of a cell as the engine stores it, for comparisons.
#[derive(Clone, PartialEq)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Cell {
    /// Its text in keys and digests; bytes as lower-case hex, `None` for NULL.
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Cell::Null => return None,
            Cell::Integer(value) => value.to_string(),
            Cell::Real(value) => value.to_string(),
            Cell::Text(text) => text.clone(),
            Cell::Blob(bytes) => hex::encode(bytes),
        })
    }
}

/// Cells may be personal, so `Debug` shows nothing of them.
impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cell")
    }
}

/// A row of the database with a dangling reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The table.
    pub table: String,
    /// The row's key as the ledger writes it, when it has one.
    pub row_key: String,
    /// The table it points at.
    pub parent: String,
}

/// One table column that holds sealed values, as registered in `treelift_sealed_columns`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The columns that identify a row, in the order they enter the associated data.
    pub key_columns: Vec<String>,
    /// `None`, or the column values of the rows that are sealed, where only some are.
    pub row_filter: Option<BTreeMap<String, String>>,
}

/// As messages name it: `` `table.column` (name = value) ``, the filter where only some rows are sealed.
impl std::fmt::Display for SealedColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}.{}`", self.table, self.column)?;
        let filter: Vec<_> =
            self.row_filter.iter().flatten().map(|(name, value)| format!("{name} = {value}")).collect();
        if filter.is_empty() { Ok(()) } else { write!(f, " ({})", filter.join(", ")) }
    }
}

/// Everything that a run does to its target.
pub trait Transaction {
    /// The live tables that the set's migrations make.
    fn schema(&self) -> &Schema;
    /// Triggers that may reach the written tables and that no migration of the set makes.
    fn foreign_triggers(&self) -> &[ForeignTrigger];
    /// Those of these tables that do not hold what this run wrote: each with how many rows were inserted.
    fn unkept(&mut self, inserted: &[(String, u64)]) -> Result<Vec<Unkept>>;
    /// How many rows the table had when the transaction began.
    fn rows_before(&self, table: &str) -> u64;
    /// The highest value of an integer key; 0 for an empty table.
    fn highest_id(&mut self, table: &str, column: &str) -> Result<i64>;
    /// For each key, the cells of the `wanted` columns of the row that has it, if there is one.
    /// A key holds one value for each of `key_columns`, in order; no value is NULL.
    fn find(
        &mut self,
        table: &str,
        key_columns: &[&str],
        wanted: &[&str],
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Cell>>>>;
    /// The `wanted` cells of every row, or of the rows whose `scope` column has the given value.
    fn select(&mut self, table: &str, wanted: &[&str], scope: Option<(&str, &Value)>) -> Result<Vec<Vec<Cell>>>;
    /// Whether a stored cell is the value that `value` would be written as in this column. Times and
    /// JSON are compared by what they mean; a sealed value never equals (the caller opens it).
    fn same(&self, table: &str, column: &str, cell: &Cell, value: &Value) -> bool;
    /// The text a value is stored as in this column, for searches and digests; `None` for NULL.
    fn written(&self, table: &str, column: &str, value: &Value) -> Option<String>;
    /// Inserts rows of one table. What comes back are rows that the database rejected by rules of its
    /// own (a unique index that folds letters, a CHECK constraint, a trigger), or did not keep as they
    /// were written. After one of them nothing may be committed.
    fn insert(&mut self, batch: &Batch) -> Result<Vec<Rejected>>;
    /// Sets `values` for `columns` in the row whose `key_columns` have `key`; or why the database
    /// rejected that. After such a rejection nothing may be committed.
    fn update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>>;
    /// The ledger of this run and of earlier ones.
    fn ledger(&mut self) -> &mut dyn ledger::Ledger;
    /// The registered keys.
    fn keys(&mut self) -> Result<Vec<KeyRow>>;
    /// The keys, the registry with its proof, and what the registered columns hold.
    fn seal_record(&mut self) -> Result<SealRecord>;
    /// Writes the proof, and how many values it says each table has.
    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()>;
    /// Registers a new key, or replaces the row of the same id.
    fn put_key(&mut self, key: &KeyRow) -> Result<()>;
    /// The format of the application that a column of sealed values was handed over in, if it was.
    fn handed_over(&mut self, table: &str, column: &str) -> Result<Option<String>>;
    /// Registers columns that hold sealed values; known ones are kept.
    fn put_sealed_columns(&mut self, columns: &[SealedColumn]) -> Result<()>;
    /// Rows with a dangling foreign key, at most `most`: first those that this run wrote.
    fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>>;
    /// What the database is like now, to be validated.
    fn survey(&mut self) -> Result<Survey>;
    /// Migrations of the set that are not applied and stay so.
    fn pending(&self) -> &[String];
    /// How many rows have a dangling reference that the database does not declare.
    fn dangling(&mut self, reference: &Reference) -> Result<u64>;
    /// How many rows a set's own query gives (at most 1,000). It may read and nothing else.
    fn ask(&mut self, query: &str) -> Result<query::Asked>;
    /// Writes into the audit trail: into the application's own table where it is there.
    fn audit(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()>;
    /// What the engine's own check says.
    fn health(&mut self) -> Result<Health>;
    /// Commits. "Committed" may be printed only after this returned. A fault that comes after the commit,
    /// and does not undo it, is returned.
    ///
    /// # Errors
    /// If nothing was committed.
    fn commit(self: Box<Self>) -> Result<Option<crate::error::Error>>;
    /// Rolls everything back, and removes temporary files.
    fn rollback(self: Box<Self>) -> Result<()>;
}
