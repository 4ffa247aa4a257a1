//! What is found in a database between imports, and how its orphans are moved aside.

use super::audit::AuditTable;
use super::catalog::Catalog;
use super::history::{RecordTable, Recorded};
use super::opening::Mode;
use super::reference::Reference;
use super::sealed::SealRecord;
use jiff::Timestamp;
use std::collections::BTreeMap;

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
    /// The columns that do.
    pub columns: Vec<String>,
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
