//! What is done to a database: all of it is committed together, or nothing is.

use super::{FindRows, Ledger, Reader, WriteRows, WriteSeals};
use crate::database::Dialect;
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::kept::ForeignTrigger;
use crate::error::{Error, Result};
use crate::table::Schema;

/// An open database that is changed. Dropped, it is as it was.
///
/// Begun by an import it knows the tables of its mapping set, and finds and writes rows of those. Begun
/// without a set ([`Database::change`](super::Database::change)) it knows no table.
pub trait Transaction: Reader + FindRows + WriteRows + WriteSeals + Ledger + Send {
    /// What the columns keep, and how.
    fn dialect(&self) -> Dialect;
    /// The live tables that the set's migrations make.
    fn schema(&self) -> &Schema;
    /// Triggers that may reach the written tables and that no migration of the set makes.
    fn foreign_triggers(&self) -> &[ForeignTrigger];
    /// Migrations of the set that are not applied and stay so.
    fn pending(&self) -> &[String];
    /// Writes into the audit trail: into the application's own table where it is there.
    fn audit(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()>;
    /// Commits. "Committed" may be printed only after this returned. A fault that comes after the commit,
    /// and does not undo it, is returned.
    ///
    /// # Errors
    /// If nothing was committed.
    fn commit(self: Box<Self>) -> Result<Option<Error>>;
    /// Rolls everything back, and removes temporary files.
    fn rollback(self: Box<Self>) -> Result<()>;
}
