//! What an engine does for an undo: statements, in the transaction that it has open.

use super::{Obstacle, Undo};
use crate::database::Cell;
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Other;
use crate::database::kept::ForeignTrigger;
use crate::database::ledger::{RunRecord, Written};
use crate::database::sealing::Sealing;
use crate::database::unchanged::{Disposition, Noted};
use crate::error::{Error, Result as Said};
use crate::table::Table;
use std::collections::{BTreeMap, HashMap};

/// A table that the run wrote into, by the number that the ledger has for it.
#[derive(Clone, Copy)]
pub(in crate::database) struct Listed<'t> {
    pub(in crate::database) number: i64,
    pub(in crate::database) table: &'t Table,
}

impl Listed<'_> {
    /// The temporary table in which the run's rows of it are listed: each as often as the ledger has it, by `row_key`.
    pub(in crate::database) fn name(self) -> String {
        format!("treelift_taken_{}", self.number)
    }
}

/// What is done to so many of the run's rows of a table.
pub(in crate::database) struct Fate<'f> {
    pub(in crate::database) listed: Listed<'f>,
    /// By which number it is noted of rows in `treelift_apart`; those that are removed are noted by none.
    pub(in crate::database) number: usize,
    /// The columns that are emptied, or get earlier values; none where the rows are removed.
    pub(in crate::database) columns: &'f [String],
    /// The number of the run whose earlier values the columns get.
    pub(in crate::database) of_run: Option<i64>,
    pub(in crate::database) rows: u64,
}

/// The fate of rows that are removed.
pub(in crate::database) const REMOVE: usize = 0;

impl Fate<'_> {
    pub(in crate::database) fn removes(&self) -> bool {
        self.number == REMOVE
    }

    /// A query for the value that a column had before, of the row whose key this expression gives.
    pub(in crate::database) fn earlier(&self, column: &str, row_key: &str) -> String {
        let (run, table) = (self.of_run.unwrap_or_default(), self.listed.number);
        let column = column.replace('\'', "''");
        format!(
            "(SELECT e.value FROM treelift_earlier e WHERE e.\"table\" = {table} AND e.row_key = {row_key} AND e.run = {run}
              AND e.column_name = '{column}')"
        )
    }

    /// The rows of this fate, as often as they are listed: what stands behind FROM, with `s` for them.
    pub(in crate::database) fn noted(&self) -> String {
        let (listed, number) = (self.listed.name(), self.listed.number);
        let apart =
            format!("EXISTS (SELECT 1 FROM treelift_apart a WHERE a.\"table\" = {number} AND a.row_key = s.row_key");
        if self.removes() {
            format!("{listed} s WHERE NOT {apart})")
        } else {
            format!("{listed} s WHERE {apart} AND a.fate = {})", self.number)
        }
    }
}

/// Takes a row's key, what the ledger says of it, and what is to become of it.
pub(in crate::database) type Take<'t, E> =
    dyn FnMut(&mut E, &str, &[Noted], Disposition) -> Result<(), <E as Undoing>::Fault> + 't;

/// Numbers of tables as a list stands in SQL; `NULL`, which is in no list, where there are none.
pub(in crate::database) fn numbers(tables: &[i64]) -> String {
    let all: Vec<String> = tables.iter().map(i64::to_string).collect();
    if all.is_empty() { "NULL".to_owned() } else { all.join(", ") }
}

/// The number that a query about the ledger gives.
pub(in crate::database) fn number(cell: &Cell) -> i64 {
    if let Cell::Integer(number) = cell { *number } else { 0 }
}

/// The text that it gives.
pub(in crate::database) fn text_of(cell: &Cell) -> String {
    cell.text().unwrap_or_default()
}

/// What an engine does. The ledger's tables have the same names and columns in every engine.
pub(in crate::database) trait Undoing: Sized {
    /// A fault of the database, or one that is in words.
    type Fault: From<Error>;

    /// Whether two names of tables or columns are one.
    fn is_same(one: &str, other: &str) -> bool;
    /// Runs statements.
    fn run(&mut self, sql: &str) -> Result<(), Self::Fault>;
    /// The rows of a query about the ledger: integers and texts.
    fn ask(&self, sql: &str) -> Result<Vec<Vec<Cell>>, Self::Fault>;

    /// Makes treelift's own tables, or sees that they are the ones of this version.
    fn set_up(&mut self) -> Result<(), Self::Fault>;
    /// The runs recorded in the ledger, oldest first.
    fn runs(&self) -> Result<Vec<RunRecord>, Self::Fault>;
    /// Makes the temporary tables: `treelift_files_taken` with the numbers (`id`) of the run's files, `treelift_taken`
    /// with their rows of the ledger, and `treelift_apart`, empty, for [`Self::note_apart`].
    fn note_run(&mut self, run: &RunRecord) -> Result<(), Self::Fault>;
    /// Makes rows of `treelift_taken` be found by their keys.
    fn index_taken(&mut self) -> Result<(), Self::Fault>;
    /// Makes the same tables, with the rows of all runs in those tables of these numbers.
    fn note_all(&mut self, tables: &[i64]) -> Result<(), Self::Fault>;
    /// Makes the same tables, with the lines that this condition chooses: it stands behind the ledger's rows `r`.
    fn note_lines(&mut self, condition: &str) -> Result<(), Self::Fault>;
    /// A condition that finds the row of the table `t` of a line `s` of [`Listed::name`].
    fn same_row(&self, listed: Listed<'_>) -> Result<String, Self::Fault>;
    /// The keys and the registry of sealed values.
    fn sealing(&mut self) -> Box<dyn Sealing + '_>;
    /// The lists of columns in which runs wrote rows of a table, by their number.
    fn columns(&self, number: i64, table: &str) -> Result<HashMap<i64, Written>, Self::Fault>;
    /// Writes the record of a run.
    fn write_run(&mut self, run: &RunRecord) -> Result<(), Self::Fault>;
    /// Writes into the audit trail.
    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<(), Self::Fault>;

    /// How many rows every table has, treelift's own left out.
    fn counts(&self) -> Result<BTreeMap<String, u64>, Self::Fault>;
    /// Those of these tables that are there, by the names that are given.
    fn live(&self, names: &[&str]) -> Result<BTreeMap<String, Table>, Self::Fault>;
    /// Triggers that may reach the taken tables and that are not the set's.
    fn foreign_triggers(
        &self,
        is_own: &dyn Fn(&str, &Other) -> bool,
        is_taken: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<ForeignTrigger>, Self::Fault>;

    /// Finds the rows of a table that the run wrote, and lists them.
    fn list(&mut self, listed: Listed<'_>) -> Result<(), Self::Fault>;
    /// Tells of each listed row what is to become of it. Without a run, what runs did not write may be anything, and the
    /// digests are told that it has now.
    fn judge(
        &mut self,
        listed: Listed<'_>,
        columns: &HashMap<i64, Written>,
        run: Option<&RunRecord>,
        take: &mut Take<'_, Self>,
    ) -> Result<(), Self::Fault>;
    /// How many rows the table has that another run wrote, and how many it has in all.
    fn others(&self, listed: Listed<'_>) -> Result<(u64, u64), Self::Fault>;
    /// Notes the fate of a row that is not removed, as all that are listed are else; none where nothing is to be done.
    fn note_apart(&mut self, table: i64, key: &str, fate: Option<usize>) -> Result<(), Self::Fault>;

    /// Puts the tables into the order in which their rows can be taken, those together that must be taken together.
    fn groups<'t>(&self, tables: Vec<Listed<'t>>) -> Result<Vec<Vec<Listed<'t>>>, Self::Fault>;
    /// Looks at what references the rows, before any is taken: what blocks it that is known now.
    fn before_taking(
        &mut self,
        order: &Undo<'_>,
        tables: &[&str],
        fates: &[Fate<'_>],
    ) -> Result<Vec<Obstacle>, Self::Fault>;
    /// Does what is to become of the rows of a group, and tells how many are done. Ends at the first that the database
    /// refuses.
    fn take(&mut self, group: &[Fate<'_>], done: &dyn Fn(u64) -> Said<()>) -> Result<Option<Obstacle>, Self::Fault>;
    /// Whether the transaction ended by itself while rows were taken, so that nothing is left to be looked at.
    fn is_over(&self) -> bool;
    /// Looks at what is left.
    fn after_taking(&mut self, order: &Undo<'_>, tables: &[&str]) -> Result<Vec<Obstacle>, Self::Fault>;
}
