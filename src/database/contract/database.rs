//! A database that is not open: what is asked of it as a whole.

use super::dumps::Dumps;
use super::{Reader, Stages, Transaction};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::done::Altered;
use crate::database::forget::{Forget, Forgotten};
use crate::database::history::{RecordTable, Recorded};
use crate::database::ledger::RunRecord;
use crate::database::order::{Order, PutRowsBack};
use crate::database::query::BadQuery;
use crate::database::rows_back::TableBack;
use crate::database::sealed::SealRecord;
use crate::database::state::State;
use crate::database::tidy::{Chore, Chores, Plan};
use crate::database::undo::{Undo, Undone};
use crate::database::upkeep::{MoveOrphans, Moved};
use crate::database::{Migration, Mode, Opening};
use crate::error::{Error, Result};
use crate::secret::keys::KeyRow;
use crate::table::Wishes;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A database that can be imported into, whether it is there yet or not.
pub trait Database: Stages {
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
    /// Opens it to be looked into, without changing anything; `None` where there is none.
    fn read(&self) -> Result<Option<Box<dyn Reader>>>;
    /// What is wrong with each of these queries, asked of the tables that the migrations make.
    fn refused(&self, migrations: &[Migration], queries: &[&str]) -> Result<Vec<Option<BadQuery>>>;
    /// Opens the transaction of an import, with the schema and the ledger's tables made or checked.
    fn begin(&mut self, opening: &Opening) -> Result<Box<dyn Transaction>>;
    /// Opens what [`Self::begin`] opens to be read alone: nothing is made, and everything is seen as it is at one moment.
    /// `None` where there is no database.
    fn view(&self, opening: &Opening) -> Result<Option<Box<dyn Transaction>>>;
    /// Opens a transaction on what is there, of which no mapping set is known: it can change keys, and the sealed
    /// cells of these tables, which nobody else writes until its end. What they overwrite in a file is wiped. `None`
    /// where there is no database.
    fn change(&self, mode: Mode, tables: &BTreeSet<String>) -> Result<Option<Box<dyn Transaction>>>;
    /// Takes the wishes of its set. A database that has a record of migrations keeps it.
    fn wish(&mut self, wishes: Wishes);
    /// Says how long locks of other programs are waited for, where not as long as always; zero is without end.
    fn wait_for_locks(&mut self, patience: Option<Duration>);
    /// Changes the schema: everything in one transaction, under the database's own lock.
    fn alter(&mut self, order: &Order<'_>) -> Result<Altered>;
    /// Moves rows that reference a missing row into `treelift_orphans`, again and again until none
    /// is left, in one transaction.
    fn move_orphans(&mut self, order: &MoveOrphans<'_>) -> Result<Vec<Moved>>;
    /// Makes the rows of tables those of a backup again, in one transaction.
    fn put_rows_back(&mut self, order: &PutRowsBack<'_>) -> Result<Vec<TableBack>>;
    /// Undoes a run, in one transaction, if everything it wrote is as it left it.
    fn undo(&mut self, order: &Undo<'_>) -> Result<Undone>;
    /// Forgets runs, in one transaction, if no other needs them.
    fn forget(&mut self, order: &Forget<'_>) -> Result<Forgotten>;
    /// Writes one entry of the audit trail, in a transaction of its own.
    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()>;
    /// Brings the database to this version's format, in a transaction of its own. One without an id gets
    /// `id`, else a new one.
    fn upgrade(&mut self, id: Option<&str>) -> Result<()>;
    /// What is to be done to put it in order; `None` where there is no database.
    fn chores(&self, wanted: Chores) -> Result<Option<Plan>>;
    /// Runs these statements one after the other; `done` hears of each. It is sound after each of them, but for one that
    /// another is owed to: that one follows in any case.
    fn tidy(&mut self, chores: &[Chore], done: &mut dyn FnMut(&Chore)) -> Result<()>;
    /// How many bytes it has.
    fn bytes(&self) -> Result<u64>;
    /// Puts an invented row into every table that is empty, so that a test of migrations has rows to
    /// keep. Only for databases that were made for a test.
    fn fill_for_test(&mut self) -> Result<()>;

    /// How backups of it are made and put back, where it is no file.
    fn dumps(&self) -> Option<&dyn Dumps> {
        None
    }
    /// The file that the database is, where it is one.
    fn file(&self) -> Option<&Path> {
        None
    }
    /// What the names of the files end with that the engine keeps beside that one.
    fn side_suffixes(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether a file is a database of the same engine.
    fn is_one(&self, _file: &Path) -> bool {
        false
    }
    /// Unfinished databases that killed runs left beside it; none of a run that still goes.
    fn leftovers(&self) -> Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }
    /// Rewrites the whole database, so that nothing is left of what was overwritten.
    fn rewrite(&self) -> Result<()> {
        Ok(())
    }
    /// The statements that rewrite these tables, where [`Self::rewrite`] cannot do it: they are for whoever
    /// administers the server, and lock the tables while they run.
    fn rewriting(&self, _tables: &BTreeSet<String>) -> Vec<String> {
        Vec::new()
    }
    /// Copies the database as it is at one moment into a new file that only its owner may read.
    fn copy_to(&self, copy: &Path) -> Result<()>;
    /// A private copy to try things on, at one moment; it vanishes when it is dropped.
    fn trial(&self) -> Result<Box<dyn Database>>;
    /// An empty database of the same engine to test these migrations on; it vanishes when it is dropped.
    fn bench(&self, migrations: &[Migration]) -> Result<Box<dyn Database>>;
    /// Ends such a place for tests; what is left of it, in words, where it does not go.
    fn end_bench(&mut self) -> Option<String> {
        None
    }
    /// Puts a file in the place of the database, which must be closed by everybody: under a temporary
    /// name first, then by one rename. What lies beside the old file goes. A fault that comes after the
    /// rename is returned: it does not undo it.
    fn replace_with(&mut self, file: &Path) -> Result<Option<Error>>;

    /// Format number and id; `None` when there is no database.
    fn state(&self) -> Result<Option<State>> {
        self.read()?.map(|reader| reader.state()).transpose()
    }
    /// The registered keys (empty when there are none, or no database).
    fn keys(&self) -> Result<Vec<KeyRow>> {
        self.read()?.map_or_else(|| Ok(Vec::new()), |reader| reader.keys())
    }
    /// The keys, the registry with its proof, and what the registered columns hold (nothing when there is
    /// no database).
    fn seal_record(&self) -> Result<SealRecord> {
        self.read()?.map_or_else(|| Ok(SealRecord::default()), |reader| reader.seal_record())
    }
    /// The runs recorded in the ledger, oldest first.
    fn runs(&self) -> Result<Vec<RunRecord>> {
        self.read()?.map_or_else(|| Ok(Vec::new()), |reader| reader.runs())
    }
    /// The record of migrations in the order it was written.
    fn recorded(&self) -> Result<Vec<Recorded>> {
        self.read()?.map_or_else(|| Ok(Vec::new()), |reader| reader.recorded())
    }
    /// The table that records migrations, or would where there is none yet.
    fn record_table(&self) -> Result<RecordTable> {
        self.read()?.map_or_else(|| Ok(RecordTable::default()), |reader| reader.record_table())
    }
    /// How many rows it has, without treelift's own; 0 where there is none.
    fn rows(&self) -> Result<u64> {
        self.read()?.map_or(Ok(0), |reader| reader.rows())
    }
}
