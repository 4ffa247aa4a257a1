//! Looking into a database.

use super::Stages;
use crate::database::catalog::Catalog;
use crate::database::cells::{FERNET, KeyedCell, Registered};
use crate::database::health::Health;
use crate::database::history::{RecordTable, Recorded};
use crate::database::ledger::{RowOrigin, RunRecord, ToldFile, ToldRow};
use crate::database::query::Asking;
use crate::database::reference::Reference;
use crate::database::sealed::{SealRecord, Unregistered};
use crate::database::sealed_column::SealedColumn;
use crate::database::standing::Standing;
use crate::database::state::State;
use crate::database::upkeep::{Broken, Survey};
use crate::database::{Cell, Dialect, Ordered};
use crate::error::Result;
use crate::secret::keys::KeyRow;
use jiff::Timestamp;

/// An open database that is looked into: nothing of it changes.
///
/// It needs no mapping set and no migration, so it reads databases that treelift did not make.
pub trait Reader: Stages + Asking {
    /// What the columns keep, and how.
    fn dialect(&self) -> Dialect;
    /// Has everything that is read from here on be of one moment, where it is not in any case. Others may have to wait for
    /// it to change anything.
    fn hold(&self) -> Result<()> {
        Ok(())
    }
    /// Format number and id.
    fn state(&self) -> Result<State>;
    /// What it is like, to be validated.
    fn survey(&self) -> Result<Survey>;
    /// Its tables, indexes, views and triggers alone.
    fn catalog(&self) -> Result<Catalog>;
    /// The same with the SQL that makes each table, which some engines do not keep.
    fn catalog_in_sql(&self) -> Result<Catalog> {
        self.catalog()
    }
    /// How many rows its tables have, treelift's own left out.
    fn rows(&self) -> Result<u64>;
    /// The record of migrations in the order it was written.
    fn recorded(&self) -> Result<Vec<Recorded>>;
    /// The table that records migrations, or would where there is none yet.
    fn record_table(&self) -> Result<RecordTable>;
    /// The runs recorded in the ledger, oldest first.
    fn runs(&self) -> Result<Vec<RunRecord>>;
    /// This part, from 0, of what the last import kept of its source; none behind the last one.
    fn seen(&self, part: u64) -> Result<Option<Vec<u8>>>;
    /// Where runs wrote the row of this key from, oldest first. The key is written as in
    /// [`RowRecord`](crate::database::ledger::RowRecord).
    fn origins(&self, table: &str, row_key: &str) -> Result<Vec<RowOrigin>>;
    /// The files that runs read and wrote rows from, oldest first.
    fn told_files(&self) -> Result<Vec<ToldFile>>;
    /// Tells of every row that runs inserted into a table where they wrote it from, in the order in which they were
    /// written.
    fn told_rows(&self, table: &str, take: &mut dyn FnMut(ToldRow) -> Result<()>) -> Result<()>;
    /// Tells of every row that runs inserted into a table, or filled in it, whether it is as they left it: those of all
    /// runs, or of the run of this id. A key may be told of more than once: the last time counts. Of a table without a
    /// primary key nothing is told.
    fn standing(
        &self,
        table: &str,
        run: Option<&str>,
        take: &mut dyn FnMut(&str, Standing) -> Result<()>,
    ) -> Result<()>;
    /// The tables of which the ledger has rows, by name, whether they are still there or not.
    fn written_tables(&self) -> Result<Vec<String>>;
    /// Shows the cells of these columns of every row of a table, or of those rows whose column `of` has this number.
    fn each_row(
        &self,
        table: &str,
        columns: &[&str],
        of: Option<(&str, i64)>,
        visit: &mut dyn FnMut(Vec<Cell>),
    ) -> Result<()>;
    /// Shows the cells of every row of a table in an order, one row at a time. An error of `visit` ends it.
    fn each_in_order(&self, rows: &Ordered<'_>, visit: &mut dyn FnMut(&[Cell]) -> Result<()>) -> Result<()>;
    /// Writes the rows of these tables as SQL of the engine's own: in one transaction it adds them to the same tables of
    /// another database. `write` gets each row alone; an error of it ends it. How many rows each table has.
    fn script(&self, tables: &[Ordered<'_>], write: &mut dyn FnMut(&str) -> Result<()>) -> Result<Vec<u64>>;
    /// The registered keys, oldest first.
    fn keys(&self) -> Result<Vec<KeyRow>>;
    /// The keys, the registry with its proof, and what the registered columns hold.
    fn seal_record(&self) -> Result<SealRecord>;
    /// The registered columns of sealed values, by name.
    fn registered(&self) -> Result<Vec<Registered>>;
    /// Columns with values that look sealed and that are not registered as such.
    fn unregistered(&self) -> Result<Vec<Unregistered>>;
    /// The format of the application that a column of sealed values was handed over in, if it was.
    fn handed_over(&self, table: &str, column: &str) -> Result<Option<String>> {
        let is_it = |one: &Registered| one.column.table == table && one.column.column == column;
        Ok(self.registered()?.into_iter().find(|one| is_it(one) && one.format == FERNET).map(|one| one.format))
    }
    /// The cells of a column, in the order of its rows.
    fn cells(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>>;
    /// The names of the triggers that run when this column is written.
    fn triggers(&self, column: &SealedColumn) -> Result<Vec<String>>;
    /// Shows every text and blob of every table, with its table and column.
    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()>;
    /// Rows whose declared reference dangles, by table and parent.
    fn broken(&self) -> Result<Vec<Broken>>;
    /// How many rows reference a missing row through a reference that the database does not declare.
    fn dangling(&self, reference: &Reference) -> Result<u64>;
    /// How many rows share the values of these columns with an earlier one; NULLs share nothing.
    fn repeated(&self, table: &str, columns: &[String]) -> Result<u64>;
    /// How many rows a table has, and a sum over what these columns of them hold, in any order. Times
    /// between `since` and now count as equal: a clock gave them.
    fn content(&self, table: &str, columns: &[String], since: Timestamp) -> Result<(u64, u128)>;
    /// What the engine's own check says.
    fn health(&self) -> Result<Health>;
}
