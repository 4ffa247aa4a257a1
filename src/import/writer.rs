//! The writer: complete rows into the transaction, in batches of one table, with their ledger.

mod change;
mod fill;
mod fills;
mod lane;
mod refusal;
mod row;
mod updates;
mod verify;

use crate::database::ledger::{FileRecord, RowRecord};
use crate::database::rejection::Rejected;
use crate::database::upkeep::WrittenFrom;
use crate::database::{Dialect, Transaction};
use crate::error::Result;
use crate::finding::{FileId, Place};
use crate::import::vault::Vault;
use crate::import::verifier::Verifier;
use crate::mapping::compile::{CompiledRule, written_tables};
use crate::mapping::keyindex::KeyText;
use crate::mapping::model::Set;
use crate::report::TableReport;
use crate::row::{Batch, Value};
use change::Changed;
pub use change::Update;
use fill::Fill;
pub use fill::Given;
use lane::{Lane, Load, Undigested};
pub use refusal::RefusedRow;
use refusal::refuse;
pub(crate) use row::row_key;
use row::{Digested, add, digested, written};
pub use row::{NewRow, Noted, digest};
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Writes rows in batches, counts them, and gives ids.
pub struct Writer {
    /// The open transaction, here or at work.
    lane: Lane,
    /// How many rows each table had when the transaction began.
    before: HashMap<String, u64>,
    /// How its columns keep values.
    pub dialect: Dialect,
    /// Sealing, and the search for secrets.
    pub vault: Vault,
    /// What is to be written next.
    load: Load,
    /// The bytes of text in it, and up to about how many rows are gathered, from as many files as they come from.
    loaded: usize,
    load_bytes: usize,
    /// By the number of a rule, its place among all: rows that are written at once are in this order.
    ranks: Vec<usize>,
    /// The tables that are written, by number.
    tables: Vec<Counted>,
    /// By the number of the table, the columns that the rows are known by, and their key.
    fills: BTreeMap<(usize, Vec<String>, KeyText), Fill>,
    /// By rule, in which columns its rows are written.
    columns: Vec<Vec<Columns>>,
    /// Rows that were there and get other values.
    updates: Vec<Changed>,
    /// How many values are kept that rows had before.
    earlier: i64,
    /// Rows that the database rejected.
    pub refused: Vec<RefusedRow>,
    /// What a verification finds, where nothing is written.
    verifier: Option<Box<Verifier>>,
    /// The ledger's number for the first file, and the files from it on.
    first_file: Option<i64>,
    files: Vec<FileId>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} tables)", self.tables.len())
    }
}

/// The columns in which rows of a rule are written.
struct Columns {
    /// The fields that took the run's start time.
    clock: Vec<usize>,
    /// The ledger's number.
    number: i64,
    digested: Digested,
}

/// A table that is written.
struct Counted {
    report: TableReport,
    /// Whether a row of it was met.
    is_met: bool,
    /// The id of its next row, once one was given.
    next_id: Option<i128>,
    /// Whether the database may reject its rows, once it was asked.
    may_reject: Option<bool>,
}

impl Counted {
    fn new(name: &str) -> Self {
        let (inserted, updated, unchanged, kept, gone, rejected) = (0, 0, 0, 0, 0, 0);
        let report = TableReport { name: name.to_owned(), inserted, updated, unchanged, kept, gone, rejected };
        Self { report, is_met: false, next_id: None, may_reject: None }
    }
}

impl Writer {
    /// Writes the rows of a set's rules into this transaction, with more than one job in a thread of its own.
    pub fn new(transaction: Box<dyn Transaction>, vault: Vault, set: &Set, jobs: usize) -> Self {
        let tables = transaction.schema().tables.keys();
        Self {
            dialect: transaction.dialect(),
            load_bytes: transaction.load_bytes(),
            before: tables.map(|table| (table.clone(), transaction.rows_before(table))).collect(),
            lane: Lane::new(transaction, jobs > 1),
            vault,
            load: Load::default(),
            loaded: 0,
            ranks: Vec::new(),
            tables: written_tables(set).into_iter().map(Counted::new).collect(),
            fills: BTreeMap::new(),
            columns: set.mappings.iter().flat_map(|mapping| &mapping.rules).map(|_| Vec::new()).collect(),
            updates: Vec::new(),
            earlier: 0,
            refused: Vec::new(),
            verifier: None,
            first_file: None,
            files: Vec::new(),
        }
    }

    /// One that writes nothing, and compares instead.
    #[must_use]
    pub(crate) fn verifying(self) -> Self {
        Self { verifier: Some(Box::default()), ..self }
    }

    /// Whether nothing is written.
    pub(crate) fn is_verifying(&self) -> bool {
        self.verifier.is_some()
    }

    /// What a verification has found.
    pub(crate) fn verifier(&mut self) -> &mut Verifier {
        self.verifier.get_or_insert_default()
    }

    /// The open transaction, once it has written what it was given.
    ///
    /// # Errors
    /// What went wrong meanwhile.
    pub fn transaction(&mut self) -> Result<&mut dyn Transaction> {
        self.flush()?;
        self.lane.transaction(&mut self.refused)
    }

    /// The transaction, to end it.
    ///
    /// # Errors
    /// What went wrong while it wrote.
    pub fn end(mut self) -> Result<Box<dyn Transaction>> {
        self.transaction()?;
        self.lane.end()
    }

    /// Undoes everything; what went wrong while it wrote does not matter then.
    ///
    /// # Errors
    /// Those of the database.
    pub fn roll_back(mut self) -> Result<()> {
        _ = self.lane.transaction(&mut self.refused);
        self.lane.end()?.rollback()
    }

    /// How many rows the table had when the transaction began.
    pub fn rows_before(&self, table: &str) -> u64 {
        self.before.get(table).copied().unwrap_or_default()
    }

    /// Whether a table of the set had no row when the transaction began.
    pub fn was_empty(&self, table: &str) -> bool {
        self.before.get(table) == Some(&0)
    }

    /// Registers the sealed columns and the key.
    pub fn register(&mut self) -> Result<()> {
        self.vault.register(self.lane.transaction(&mut self.refused)?)
    }

    /// Opens again what was sealed: how many values, and the columns in which one does not open.
    pub fn prove(&mut self) -> Result<(u64, Vec<(String, String)>)> {
        self.flush()?;
        self.vault.prove(self.lane.transaction(&mut self.refused)?)
    }

    /// Takes a file in from which a first row comes, and gives which it is in the ledger among those of the run, from 1.
    pub fn add_file(&mut self, file: FileId) -> NonZeroU32 {
        self.files.push(file);
        let count = u32::try_from(self.files.len()).ok().and_then(NonZeroU32::new);
        count.expect("one was added, and the walk numbers fewer files")
    }

    /// The ledger's number for such a file: they are counted on from the first.
    pub fn file_number(&mut self, file: NonZeroU32) -> Result<i64> {
        let first = match self.first_file {
            Some(first) => first,
            None => self.transaction()?.next_file_id()?,
        };
        self.first_file = Some(first);
        Ok(first + i64::from(file.get()) - 1)
    }

    /// The file of this run that has this number in the ledger.
    pub fn file_of(&self, number: i64) -> Option<FileId> {
        let at = usize::try_from(number - self.first_file?).ok()?;
        self.files.get(at).copied()
    }

    /// Where this run wrote a row from.
    pub fn place_of(&self, origin: WrittenFrom) -> Option<Place> {
        Some(Place { file: self.file_of(origin.file)?, offset: origin.offset })
    }

    /// The next id of a row whose integer key no source value fills; `None` when none is left.
    pub fn next_id(&mut self, rule: &CompiledRule, column: &str) -> Result<Option<i64>> {
        let next = match self.tables[rule.table_number].next_id {
            Some(next) => next,
            None => i128::from(self.transaction()?.highest_id(&rule.table.name, column)?) + 1,
        };
        self.tables[rule.table_number].next_id = Some(next + 1);
        Ok(i64::try_from(next).ok())
    }

    /// Takes the last id of a table back: its row is not written.
    pub fn return_id(&mut self, table: usize) {
        if let Some(next) = &mut self.tables[table].next_id {
            *next -= 1;
        }
    }

    /// Whether the database may reject rows of these rules by what no key says.
    pub fn may_reject(&mut self, rules: &[&CompiledRule]) -> Result<bool> {
        let asked = if self.is_verifying() { &[] } else { rules }; // what is not written is not rejected
        for rule in asked {
            let known = match self.tables[rule.table_number].may_reject {
                Some(known) => known,
                None => self.transaction()?.may_reject(&rule.table.name)?,
            };
            self.tables[rule.table_number].may_reject = Some(known);
            if known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The counts of the table of this number.
    pub fn count(&mut self, table: usize) -> &mut TableReport {
        let counted = &mut self.tables[table];
        counted.is_met = true;
        &mut counted.report
    }

    /// Begins to count again, rows and ids: none was written.
    pub fn forget_counts(&mut self) {
        for counted in &mut self.tables {
            *counted = Counted { may_reject: counted.may_reject, ..Counted::new(&counted.report.name) };
        }
    }

    /// The counts of all tables of which a row was met, by name.
    pub fn counts(&self) -> Vec<TableReport> {
        self.tables.iter().filter(|counted| counted.is_met).map(|counted| counted.report.clone()).collect()
    }

    /// Takes rows in, which the database is not expected to reject, and writes what was taken in once it is much.
    pub fn insert(&mut self, rows: Vec<NewRow<'_>>, file: i64) -> Result<()> {
        for row in rows {
            let (number, digested) = (row.rule.number, self.record(Noted::of(&row, self.dialect), file)?);
            let (row, bytes) = add(&mut self.load.batches, &self.ranks, row);
            self.load.undigested.push(Undigested { record: self.load.ledger.len() - 1, rule: number, row, digested });
            self.loaded += bytes;
            if self.loaded >= self.load_bytes {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes rows at once: all of them, of which the ledger is then to know, or, where the database refuses some,
    /// none. Gives the rows, and those that were refused.
    ///
    /// # Errors
    /// Where a trigger rolled the whole transaction back, besides what the database reports.
    pub fn insert_together<'r>(&mut self, rows: Vec<NewRow<'r>>) -> Result<(Vec<Noted<'r>>, Vec<RefusedRow>)> {
        if rows.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let noted = rows.iter().map(|row| Noted::of(row, self.dialect).digested(row, self.dialect)).collect();
        let (rules, batches) = self.batches(rows);
        let mut refused = Vec::new();
        for (batch, Rejected { row, why }) in self.transaction()?.insert_together(&batches)? {
            let row = RefusedRow::of(rules[batch], &batches[batch], row, why);
            let rows = if row.ends_the_run() { &mut self.refused } else { &mut refused };
            refuse(rows, row)?;
        }
        Ok((noted, refused))
    }

    /// What the database would reject of rows, were none in their way; nothing is written.
    pub fn would_reject(&mut self, rows: Vec<NewRow<'_>>) -> Result<Vec<RefusedRow>> {
        let (rules, batches) = self.batches(rows);
        let rejected = self.transaction()?.would_reject(&batches)?;
        let row = |(batch, Rejected { row, why }): (usize, _)| RefusedRow::of(rules[batch], &batches[batch], row, why);
        Ok(rejected.into_iter().map(row).collect())
    }

    /// What the database would reject of values that a row gets, were no other row in their way; nothing is written.
    pub fn would_reject_fill(&mut self, given: &Given) -> Result<Option<RefusedRow>> {
        let table = self.tables[given.table].report.name.clone();
        let (columns, values): (Vec<String>, Vec<Value>) = given.cells.iter().cloned().unzip();
        let key_columns: Vec<&str> = given.key.0.iter().map(String::as_str).collect();
        let why = self.transaction()?.would_reject_update(&table, &columns, &values, &key_columns, &given.key.1)?;
        let record = Place { offset: given.record, ..given.place };
        Ok(why.map(|why| RefusedRow { record, place: given.place, rule: Some(given.rule), table, why }))
    }

    /// Rows by their rules, in the order in which those are written.
    fn batches(&self, rows: Vec<NewRow<'_>>) -> (Vec<u32>, Vec<Batch>) {
        let mut batches = Vec::new();
        rows.into_iter().for_each(|row| _ = add(&mut batches, &self.ranks, row));
        batches.into_iter().unzip()
    }

    /// Notes for the ledger and the counts that rows are written.
    pub fn record_all(&mut self, rows: Vec<Noted<'_>>, file: i64) -> Result<()> {
        rows.into_iter().try_for_each(|row| self.record(row, file).map(drop))
    }

    /// Notes a row, and gives what its digest is over.
    fn record(&mut self, row: Noted<'_>, file: i64) -> Result<Digested> {
        let Noted { rule, row_key, offset, digest, own, clock } = row;
        self.count(rule.table_number).inserted += 1;
        let number = rule.number as usize;
        let at = match self.columns[number].iter().position(|known| known.clock == clock) {
            Some(at) => at,
            None => {
                let transaction = self.lane.transaction(&mut self.refused)?;
                let known = transaction.record_columns(&written(rule, &clock))?;
                let digested = digested(rule, &clock);
                self.columns[number].push(Columns { clock, number: known, digested });
                self.columns[number].len() - 1
            }
        };
        let columns = &self.columns[number][at];
        self.load.ledger.push(RowRecord {
            table: rule.table.name.clone(),
            row_key,
            file,
            offset,
            digest,
            own,
            columns: columns.number,
        });
        Ok(Arc::clone(&columns.digested))
    }

    /// Records a source file that rows come from.
    pub fn record_file(&mut self, file: FileRecord) {
        self.load.files.push(file);
    }

    /// Writes everything that was taken in, in the order of the rules.
    fn flush(&mut self) -> Result<()> {
        let load = std::mem::take(&mut self.load);
        self.loaded = 0;
        if load.is_empty() { Ok(()) } else { self.lane.write(load, &mut self.refused) }
    }

    /// Says in which order rows are written at once: that of these rules.
    pub fn order<'r>(&mut self, rules: impl Iterator<Item = &'r CompiledRule>) {
        self.ranks = vec![usize::MAX; self.columns.len()];
        rules.enumerate().for_each(|(rank, rule)| self.ranks[rule.number as usize] = rank);
    }
}
