//! A change of the schema: what is asked for, and who looks on.

use super::audit::{AuditEntry, AuditTable};
use super::cell::Cell;
use super::contract::Reader;
use super::contract::dumps::Served;
use super::done::{Done, Move};
use super::history::Standing;
use super::opening::Mode;
use super::sealing::Sealing;
use crate::error::{Error, Result};
use crate::table::{IdsLine, Migration, Table, VersionRecord};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Looks into an open database; an error ends what goes on there.
pub type Look<'l> = &'l dyn Fn(&mut dyn Reader) -> Result<()>;

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
    /// Looks into the database when all is done, before it is committed or rolled back; an error rolls it back.
    pub after: Option<Look<'a>>,
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
    /// The application's own record of its version.
    pub version: Option<&'a VersionRecord>,
}

/// One who looks at a database before it is changed and when all steps are done; an error undoes them.
pub trait Around {
    /// Nothing is done yet.
    fn before(&self, database: &mut dyn Looking, standing: &Standing) -> Result<()>;
    /// Nothing is committed yet.
    fn after(&self, database: &mut dyn Looking, standing: &Standing) -> Result<()>;
}

/// What may be asked meanwhile.
pub trait Looking {
    /// How many rows each of the application's tables has.
    fn counts(&mut self) -> Result<BTreeMap<String, u64>>;
    /// Looks into it as it is now.
    fn reader(&mut self) -> &mut dyn Reader;
    /// The tables as they are.
    fn tables(&mut self) -> Result<Vec<Table>> {
        Ok(self.reader().catalog()?.schema.tables.into_values().collect())
    }
    /// The sealed values, to carry them along.
    fn sealing(&mut self) -> Box<dyn Sealing + '_>;
}

/// An order to make the rows of tables those of a backup again.
pub struct PutRowsBack<'p> {
    /// Commit, or work on a private copy and roll back.
    pub mode: Mode,
    /// Names temporary files.
    pub run_id: &'p str,
    /// The tables, each with how many rows of it the backup has.
    pub tables: &'p BTreeMap<String, u64>,
    /// The backup.
    pub from: Kept<'p>,
    /// Looks into the database when it is done, before it is committed or rolled back; an error rolls it back.
    pub look: Look<'p>,
    /// The entry of the audit trail.
    pub entry: &'p AuditEntry,
    /// The application's own audit table.
    pub audit: Option<&'p AuditTable>,
    /// Called with a fault that comes after the commit and does not undo it.
    pub warn: &'p dyn Fn(&Error),
}

/// A backup, as what it is.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'p> {
    /// A database file.
    File(&'p Path),
    /// A dump of a server, with what it was made of.
    Dump(&'p Path, &'p Served),
}

impl fmt::Debug for PutRowsBack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PutRowsBack({:?}, {:?})", self.mode, self.tables)
    }
}

impl fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({:?}, {} migrations)", self.mode, self.migrations.len())
    }
}
