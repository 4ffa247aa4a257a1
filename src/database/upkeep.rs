//! What is done to a database between imports: its schema is changed, it is looked at, copied and put
//! back.

use super::audit::{AuditEntry, AuditTable};
use super::catalog::Catalog;
use super::cell::Cell;
use super::cells::{KeyedCell, Registered};
pub use super::follow::Followed;
use super::history::{RecordTable, Recorded, Standing};
use super::opening::Mode;
use super::query::Asking;
use super::reference::Reference;
use super::sealed::SealRecord;
use super::sealed_column::SealedColumn;
use crate::error::{Error, Result};
use crate::secret::keys::KeyRow;
use crate::table::{IdsLine, Migration, Table};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// What a database is like.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Its tables, indexes, views and triggers.
    pub catalog: Catalog,
    /// Its record of migrations.
    pub recorded: Vec<Recorded>,
    /// The table of that record, also where there is none yet.
    pub record_table: RecordTable,
    /// How many rows each table has, treelift's own left out.
    pub counts: BTreeMap<String, u64>,
    /// How many rows each of treelift's own tables has.
    pub own: BTreeMap<String, u64>,
    /// How many rows each virtual table shows; 0 where what it needs is not there.
    pub virtual_tables: BTreeMap<String, u64>,
    /// Sequences, types and functions that belong to no table, in words; none where the engine has no such things.
    pub loose: Vec<String>,
    /// The keys, the registry of sealed columns with its proof, and what those columns hold.
    pub seals: SealRecord,
    /// Rows of a column that must not be NULL and is, by `table.column`.
    pub nulls: Vec<(String, u64)>,
    /// The permission bits of the database's file, where it is one.
    pub mode: Option<u32>,
}

/// Rows of a table that reference a missing row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Broken {
    /// The table.
    pub table: String,
    /// The table they point at.
    pub parent: String,
    /// How many.
    pub rows: u64,
}

/// Puts an id behind each row of a line's query.
pub type WithIds<'a> = &'a dyn Fn(&IdsLine, Vec<Vec<Cell>>) -> Result<Vec<Vec<Cell>>>;

/// A change of the schema.
pub struct Order<'a> {
    /// Commit, or work on a private copy and roll back.
    pub mode: Mode,
    /// Names temporary files (UUID text).
    pub run_id: &'a str,
    /// The set's migrations, in order.
    pub migrations: &'a [Migration],
    /// When it was asked for.
    pub started: Timestamp,
    /// Decides, under the lock, what is to be done.
    pub decide: &'a dyn Fn(&Standing) -> Result<Vec<Move>>,
    /// Called after each step.
    pub progress: &'a dyn Fn(&Done),
    /// Called with a survey of the database when all steps are done, before they are committed or rolled
    /// back; an error rolls them back.
    pub after: Option<&'a dyn Fn(Survey) -> Result<()>>,
    /// Puts ids behind the rows that an `ids` line of a migration asks for.
    pub ids: WithIds<'a>,
    /// Carries sealed values along, before the ledger is looked at behind the last step.
    pub sealed: Option<&'a dyn Around>,
    /// Looks at the database before the first step and behind the last, under the lock.
    pub around: Option<&'a dyn Around>,
    /// Called with a fault that comes after the commit and does not undo it.
    pub warn: &'a dyn Fn(&Error),
    /// The application's own audit table.
    pub audit: Option<&'a AuditTable>,
}

/// One who looks at a database before it is changed and when all steps are done; an error undoes them.
pub trait Around {
    /// Nothing is done yet.
    fn before(&self, database: &mut dyn Looking, standing: &Standing) -> Result<()>;
    /// Nothing is committed yet.
    fn after(&self, database: &mut dyn Looking, standing: &Standing) -> Result<()>;
}

/// What may be asked meanwhile.
pub trait Looking: Asking {
    /// How many rows each of the application's tables has.
    fn counts(&mut self) -> Result<BTreeMap<String, u64>>;
    /// The tables as they are.
    fn tables(&self) -> Result<Vec<Table>>;
    /// The sealed values, to carry them along.
    fn sealing(&mut self) -> Box<dyn Sealing + '_>;
}

/// The sealed values of a database whose schema is changed, in the transaction of the change.
pub trait Sealing {
    /// The keys, the registry of sealed columns with its proof, and what the registered columns hold.
    fn seal_record(&self) -> Result<SealRecord>;
    /// The registered columns, by name.
    fn registered(&self) -> Result<Vec<Registered>>;
    /// The cells of a column, in the order of its rows.
    fn cells(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>>;
    /// Shows every text and blob of every table, with its table and column.
    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()>;
    /// Writes a text into the cell of the one row that has the key.
    fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()>;
    /// Replaces the row of a key.
    fn put_key(&mut self, key: &KeyRow) -> Result<()>;
    /// Registers a column in a format, or changes the format of one that is registered.
    fn register(&mut self, column: &Registered) -> Result<()>;
    /// Takes a column out of the registry, whatever its key columns.
    fn unregister(&mut self, column: &SealedColumn) -> Result<()>;
    /// Writes the proof, and how many values it says each table has.
    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()>;
}

impl fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({:?}, {} migrations)", self.mode, self.migrations.len())
    }
}

/// One thing to do with a migration, named by its position in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Run it; if its tables are there already and no record says so, record it alone.
    Up(usize),
    /// Roll it back.
    Down(usize),
    /// Record it as applied without running it.
    Stamp(usize),
    /// Forget that it is recorded as applied, without rolling it back.
    Unstamp(usize),
}

/// What was done with a migration.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// The version.
    pub version: String,
    /// What was done.
    pub what: What,
    /// How long it took.
    pub took_ms: i64,
    /// The SQL that was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
}

impl Done {
    /// The table that a migration is for is not there.
    pub(super) fn not_needed(migration: &Migration) -> Self {
        Self { version: migration.version.clone(), what: What::NotNeeded, took_ms: 0, sql: None }
    }

    /// What the audit trail says of it.
    pub fn audit_entry(&self, at: Timestamp) -> Result<AuditEntry> {
        let (action, reason) = match self.what {
            What::Applied => ("migrate", "migration applied"),
            What::Found => ("migrate", "migration recorded: its tables already existed"),
            What::RolledBack => ("rollback", "migration rolled back"),
            What::Stamped => ("stamp", "migration recorded as applied without running it"),
            What::NotNeeded => ("migrate", "migration not needed: the table that it is for is not there"),
            What::Unstamped => ("stamp", "migration recorded as not applied without rolling it back"),
        };
        let details = serde_json::json!({ "took_ms": self.took_ms });
        Ok(AuditEntry::new(action, "schema", reason, at)?.of(&self.version).with(details))
    }
}

/// What was done with a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It ran.
    Applied,
    /// Its tables were there already; it was recorded.
    Found,
    /// It was rolled back.
    RolledBack,
    /// It was recorded without running.
    Stamped,
    /// Its record was removed without running anything.
    Unstamped,
    /// The table that it is for is not there, which was recorded.
    NotNeeded,
}

/// What came of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Altered {
    /// Step by step.
    pub steps: Vec<Done>,
    /// What became of the ledger's rows.
    pub ledger: Followed,
}

/// An order to move orphans aside.
#[derive(Debug)]
pub struct MoveOrphans<'a> {
    /// Commit, or work on a private copy and roll back.
    pub mode: Mode,
    /// Names temporary files.
    pub run_id: &'a str,
    /// When it was asked for.
    pub started: Timestamp,
    /// References that mappings follow and the database does not declare.
    pub references: &'a [Reference],
    /// The application's own audit table.
    pub audit: Option<&'a AuditTable>,
}

/// Rows that were moved aside.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Moved {
    /// The table they stood in.
    pub table: String,
    /// The dangling reference, in words.
    pub reference: String,
    /// How many.
    pub rows: u64,
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
    /// Where this run wrote it from, if it did and a key names it.
    pub origin: Option<WrittenFrom>,
}

/// Where a run wrote a row from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenFrom {
    /// The file's number in the ledger.
    pub file: i64,
    /// Where it began in the file, in bytes.
    pub offset: u64,
}
