//! A database that is not open: what is asked of it as a whole.

use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::cells::{Access, Cells};
use crate::database::history::{RecordTable, Recorded};
use crate::database::ledger::{RowOrigin, RunRecord};
use crate::database::sealed::SealRecord;
use crate::database::state::State;
use crate::database::undo::{Undo, Undone};
use crate::database::upkeep::{Altered, Look, MoveOrphans, Moved, Order};
use crate::database::{Dialect, Opening, Transaction};
use crate::error::{Error, Result};
use crate::secret::keys::KeyRow;
use std::path::{Path, PathBuf};

/// A database that can be imported into.
pub trait Database {
    /// `sqlite` or `postgresql`.
    fn engine(&self) -> &'static str;
    /// What its columns keep, and how.
    fn dialect(&self) -> Dialect;
    /// The URL as it may be shown: without a password.
    fn url(&self) -> &str;
    /// Whether something is there already, so that an import changes it.
    fn exists(&self) -> Result<bool>;
    /// The words for a database that is needed and not there.
    fn missing(&self) -> Error {
        Error::environment("there is no database")
            .at(self.url())
            .hint("check the path; `treelift import` and `treelift schema migrate` create a new database")
    }
    /// The registered keys, read without changing anything (empty when there are none, or no database).
    fn keys(&self) -> Result<Vec<KeyRow>>;
    /// The keys, the registry with its proof, and what the registered columns hold, read without changing
    /// anything (nothing when there is no database).
    fn seal_record(&self) -> Result<SealRecord>;
    /// The runs recorded in the ledger, oldest first, read without changing anything.
    fn runs(&self) -> Result<Vec<RunRecord>>;
    /// Where runs wrote the row of this key from, oldest first, read without changing anything. The key
    /// is written as in [`super::ledger::RowRecord`].
    fn origins(&self, table: &str, row_key: &str) -> Result<Vec<RowOrigin>>;
    /// Unfinished databases that killed runs left beside it; none of a run that still goes.
    fn leftovers(&self) -> Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }
    /// Opens the database for work on its sealed cells; there must be one.
    fn cells(&self, access: Access) -> Result<Box<dyn Cells>>;
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
    /// The record of migrations in the order it was written, read without changing anything.
    fn recorded(&self) -> Result<Vec<Recorded>>;
    /// Names the table that the set wants its migrations recorded in. A database that has a record keeps it.
    fn record_in(&mut self, table: Option<&str>);
    /// The table that records migrations, or would where there is none yet.
    fn record_table(&self) -> Result<RecordTable>;
    /// Looks at the whole database without changing anything; `false` when there is none.
    fn inspect(&self, look: &mut dyn FnMut(&mut dyn Look) -> Result<()>) -> Result<bool>;
    /// Changes the schema: everything in one transaction, under the database's own lock.
    fn alter(&mut self, order: &Order<'_>) -> Result<Altered>;
    /// Moves rows that reference a missing row into `treelift_orphans`, again and again until none
    /// is left, in one transaction.
    fn move_orphans(&mut self, order: &MoveOrphans<'_>) -> Result<Vec<Moved>>;
    /// Undoes a run, in one transaction, if everything it wrote is as it left it.
    fn undo(&mut self, order: &Undo<'_>) -> Result<Undone>;
    /// Writes one entry of the audit trail, in a transaction of its own.
    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()>;
    /// Format number and id, read without changing anything; `None` when there is no database.
    fn state(&self) -> Result<Option<State>>;
    /// Brings the database to this version's format, in a transaction of its own. One without an id gets
    /// `id`, else a new one.
    fn upgrade(&mut self, id: Option<&str>) -> Result<()>;
    /// Copies the database as it is at one moment into a new file that only its owner may read.
    fn copy_to(&self, copy: &Path) -> Result<()>;
    /// Puts a file in the place of the database, which must be closed by everybody: under a temporary
    /// name first, then by one rename. What lies beside the old file goes. A fault that comes after the
    /// rename is returned: it does not undo it.
    fn replace_with(&mut self, file: &Path) -> Result<Option<Error>>;
    /// Puts an invented row into every table that is empty, so that a test of migrations has rows to
    /// keep. Only for databases that were made for a test.
    fn fill_for_test(&mut self) -> Result<()>;
}
