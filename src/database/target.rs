//! Targets: the databases that rows are written into.

use super::cells::{Access, Cells};
use super::ledger::{RowOrigin, RunRecord};
use super::opening::Opening;
use super::sealed::SealRecord;
use super::transaction::Transaction;
use super::upkeep::Upkeep;
use crate::error::{Error, Result};
use crate::secret::keys::KeyRow;
use std::path::{Path, PathBuf};

/// A database that can be imported into.
pub trait Target: Upkeep {
    /// `sqlite` or `postgresql`.
    fn engine(&self) -> &'static str;
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
    fn origins(&self, table: &str, row_key: &str) -> Result<Vec<RowOrigin>> {
        let _ = (table, row_key);
        Err(Error::request(format!("asking a {} ledger for rows is not built yet", self.engine())))
    }
    /// Unfinished databases that killed runs left beside the target; none of a run that still goes.
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
}
