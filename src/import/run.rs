//! A run in progress: the open transaction and everything that is known so far.

use crate::account::{Reasons, Tally};
use crate::config::{ImportOptions, Ui};
use crate::database::ledger::FileRecord;
use crate::database::{Cell, Transaction};
use crate::error::{Error, Result};
use crate::finding::{FileId, Finding, Place};
use crate::import::dropped::Kept;
use crate::import::earlier::Earlier;
use crate::import::followup::FollowUps;
use crate::import::leak::found::Leaks;
use crate::import::owners::OwnerTable;
use crate::import::plan::{Plan, SourcePattern};
use crate::import::rejects::RejectFolder;
use crate::import::shaping::{PathTables, Shaped};
use crate::import::vault::Vault;
use crate::import::writer::Writer;
use crate::instant::Instant;
use crate::mapping::apply::Owner;
use crate::mapping::keyindex::{Entry, KeyIndex, KeyText};
use crate::mapping::usage::{MapEntries, Met, has_maps};
use crate::report::findings::Findings;
use crate::report::{FileStatus, OwnerReport};
use crate::row::Value;
use crate::table::ColumnType;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use std::collections::{BTreeMap, HashMap};

/// Records that are known to be bad before they are read, with their findings: an attempt that
/// detects one only after rows of it were written is restarted, knowing it.
pub type KnownRejects = HashMap<(FileId, u64), Vec<Finding>>;

/// The state of a file so far.
#[derive(Debug, Default)]
pub struct FileState {
    /// Its status; `None` until it is read to its end.
    pub status: Option<FileStatus>,
    /// The reason, if there is one.
    pub reason: Option<String>,
    /// What ignored it, as the sign-off list shows it.
    pub what: Option<String>,
    /// The index of its shape.
    pub shape: Option<usize>,
    /// What the first look found, between two turns.
    pub shaped: Option<Shaped>,
    /// Its owner's number in the owner table.
    pub owner: Option<u32>,
    /// Records read.
    pub records: u64,
    /// Records rejected; a broken file counts as one.
    pub rejected: u64,
    /// Its leaves.
    pub tally: Tally,
    /// What was claimed in earlier readings: by record number, the frame's under 0.
    pub sheets: HashMap<u64, crate::account::Sheet>,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its number in the ledger, once a row came from it.
    pub ledger: Option<i64>,
}

/// How often each column was filled from where.
#[derive(Debug, Clone, Default)]
pub struct ColumnCounts {
    /// By alternative.
    pub hits: Vec<u64>,
    /// The default.
    pub defaulted: u64,
    /// NULL.
    pub nulled: u64,
}

/// A run in progress.
pub struct Run<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// The options.
    pub options: &'p ImportOptions,
    /// Progress and signals.
    pub ui: &'p dyn Ui,
    /// The one start time.
    pub started: Timestamp,
    /// The transaction.
    pub transaction: Box<dyn Transaction>,
    /// Keys of rows.
    pub index: KeyIndex,
    /// Rows on their way.
    pub writer: Writer,
    /// Sealing, and the leak proof.
    pub vault: Vault,
    /// Findings.
    pub findings: Findings,
    /// Records, and broken files, that were rejected.
    pub rejected: u64,
    /// Their findings at error level.
    pub reject_errors: u64,
    /// Sealed values that were opened again.
    pub opened_again: u64,
    /// Secrets found in plaintext.
    pub leaks: Leaks,
    /// Reasons of ignored leaves.
    pub reasons: Reasons,
    /// Files, by their number.
    pub files: Vec<FileState>,
    /// Paths met so far.
    pub paths: PathTables,
    /// The values met by each `map`.
    pub entries: MapEntries,
    /// Whether a mapping has a `map`, by its index.
    pub has_maps: Vec<bool>,
    /// Which paths the files had, by mapping and shape.
    pub met: HashMap<(usize, usize), Met>,
    /// By table and column.
    pub columns: BTreeMap<(String, String), ColumnCounts>,
    /// Leaves that only a catch-all kept: mapping, path, count.
    pub caught: BTreeMap<(String, String), u64>,
    /// Rows because of which the application needs something.
    pub follow_ups: FollowUps,
    /// Owners.
    pub owners: OwnerTable,
    /// Directories and their owners.
    pub directories: Vec<OwnerReport>,
    /// Rows of earlier runs.
    pub(crate) earlier: Earlier,
    /// What rows say that stay where others of their key are dropped.
    pub(crate) kept: Kept,
    /// Keys that are not ASCII, by a hash of their canonical form: a hash of how they were first met, and where.
    pub(crate) forms: HashMap<u64, (u64, Place)>,
    /// How many keys found no room among them.
    pub(crate) forms_left: u64,
    /// Rows of the target that a record of this run differed from: the number of its rule, and its place.
    pub(crate) differing: HashMap<(usize, KeyText), (u32, Place)>,
    /// What is known before reading.
    pub known: &'p KnownRejects,
    /// Bad records that were detected too late.
    pub late: KnownRejects,
    /// Records with rows that the database rejected.
    pub refused: KnownRejects,
    /// Where rejects go.
    pub rejects: Option<RejectFolder>,
    /// What the current record added to `folds`.
    pub counted: Vec<(usize, KeyText, SourcePattern)>,
    /// How many rows of a key each source pattern gave so far, where rows fold across source patterns.
    pub folds: HashMap<(usize, KeyText), Vec<(SourcePattern, u32)>>,
    /// The mapping that is being read.
    pub mapping: usize,
    /// The columns of the owner table that are kept.
    pub owner_columns: Vec<String>,
    next_file: Option<i64>,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({} files)", self.files.len())
    }
}

/// What a run starts with.
pub struct Begin<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// The options.
    pub options: &'p ImportOptions,
    /// Progress and signals.
    pub ui: &'p dyn Ui,
    /// The one start time.
    pub started: Timestamp,
    /// The open transaction.
    pub transaction: Box<dyn Transaction>,
    /// The vault.
    pub vault: Vault,
    /// What is known before reading.
    pub known: &'p KnownRejects,
    /// Where rejects go.
    pub rejects: Option<RejectFolder>,
}

impl std::fmt::Debug for Begin<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Begin")
    }
}

impl<'p> Run<'p> {
    /// Begins: the key index learns what the target already has.
    pub fn begin(begin: Begin<'p>) -> Result<Self> {
        let Begin { plan, options, ui, started, transaction, vault, known, rejects } = begin;
        let mut run = Self {
            plan,
            options,
            ui,
            started,
            transaction,
            index: KeyIndex::new(plan.specs.clone()),
            writer: Writer::default(),
            vault,
            findings: Findings::new(),
            rejected: 0,
            reject_errors: 0,
            opened_again: 0,
            leaks: Leaks::default(),
            reasons: Reasons::default(),
            files: plan.tree.files.iter().map(|_| FileState::default()).collect(),
            paths: PathTables::default(),
            entries: MapEntries::default(),
            has_maps: plan.set.mappings.iter().map(has_maps).collect(),
            met: HashMap::new(),
            columns: BTreeMap::new(),
            caught: BTreeMap::new(),
            follow_ups: FollowUps::default(),
            owners: OwnerTable::default(),
            directories: Vec::new(),
            earlier: Earlier::default(),
            kept: Kept::default(),
            forms: HashMap::new(),
            forms_left: 0,
            differing: HashMap::new(),
            known,
            late: KnownRejects::new(),
            refused: KnownRejects::new(),
            rejects,
            counted: Vec::new(),
            folds: HashMap::new(),
            mapping: 0,
            owner_columns: plan.owner_columns(),
            next_file: None,
        };
        run.learn_target()?;
        run.learn_owners()?;
        Ok(run)
    }

    /// Adds rows of the target to the key index, where something looks them up.
    fn learn_target(&mut self) -> Result<()> {
        for spec in 0..self.index.specs().len() {
            let asked = self.index.specs()[spec].clone();
            let looked_up = !asked.wanted.is_empty() || self.plan.is_looked_up(&asked);
            if !looked_up || self.transaction.rows_before(&asked.table) == 0 {
                continue; // nothing asks for it, or the table is empty
            }
            if asked.of_own_table {
                self.learn_own_table(spec, &asked)?;
                continue;
            }
            let columns: Vec<&str> = asked.by.iter().chain(&asked.wanted).map(String::as_str).collect();
            let stored = self.stored_as(&asked.table, &columns);
            for cells in self.transaction.select(&asked.table, &columns, None)? {
                let mut values = cells.into_iter().zip(&stored).map(|(cell, stored)| cell_value(cell, *stored));
                let key: Vec<Value> = values.by_ref().take(asked.by.len()).collect();
                if let Some(key) = KeyText::of(&key) {
                    self.index.insert_lasting(spec, key, Entry::existing(values.collect()));
                }
            }
        }
        Ok(())
    }

    /// Owners that the target has.
    fn learn_owners(&mut self) -> Result<()> {
        let Some(owners) = &self.plan.set.owners else { return Ok(()) };
        if self.transaction.rows_before(&owners.table) == 0 {
            return Ok(());
        }
        let columns: Vec<&str> = self.owner_columns.iter().map(String::as_str).collect();
        let stored = self.stored_as(&owners.table, &columns);
        for cells in self.transaction.select(&owners.table, &columns, None)? {
            let values = cells.into_iter().zip(&stored).map(|(cell, stored)| cell_value(cell, *stored));
            let values: Vec<(String, Value)> = self.owner_columns.iter().cloned().zip(values).collect();
            if let Some(id) = values.first().and_then(|(_, value)| value.as_key_text()) {
                self.owners.add_existing(Owner { id, columns: values });
            }
        }
        Ok(())
    }

    /// How the cells of a table's columns are read.
    pub(crate) fn stored_as(&self, table: &str, columns: &[&str]) -> Vec<StoredAs> {
        let known = self.plan.schema.table(table);
        let stored = |column: &&str| StoredAs {
            kind: known.and_then(|table| table.column(column)).map(|column| column.kind),
            instant: self.plan.writes_instants(table, column),
        };
        columns.iter().map(stored).collect()
    }

    /// The number of a source file in the ledger, recorded when the first row comes from it.
    pub fn ledger_file(&mut self, file: FileId) -> Result<i64> {
        let at = file.0 as usize;
        if let Some(number) = self.files[at].ledger {
            return Ok(number);
        }
        let number = match self.next_file {
            Some(number) => number,
            None => self.transaction.ledger().next_file_id()?,
        };
        self.next_file = Some(number + 1);
        self.files[at].ledger = Some(number);
        let source = &self.plan.tree.files[at];
        let path = self.vault.ledger_path(&source.path)?;
        let record = FileRecord { id: number, path, sha256: self.files[at].sha256, bytes: source.bytes };
        self.transaction.ledger().file(&record)?;
        Ok(number)
    }

    /// Adds the findings of the walk, and files that may still be in use.
    pub fn report_walk(&mut self) {
        let findings = crate::import::summary::walk_findings(self);
        self.findings.extend(findings);
    }

    /// Whether records turned out to be bad only after rows of theirs were written, and the rest may
    /// be committed without them: then the run is restarted, knowing them.
    pub fn must_begin_anew(&self) -> bool {
        !self.refused.is_empty() || (!self.late.is_empty() && self.rejected <= self.options.max_rejects)
    }

    /// Checks that every file has a status, once everything was read.
    pub fn all_files_decided(&self) -> Result<()> {
        match self.files.iter().filter(|file| file.status.is_none()).count() {
            0 => Ok(()),
            count => Err(Error::bug(format!("nothing became of {count} files that a mapping should have read"))),
        }
    }

    /// Whether there are no errors but rejects, and no more of those than allowed.
    pub fn is_acceptable(&self) -> bool {
        self.findings.errors() == self.reject_errors
            && self.rejected <= self.options.max_rejects
            && self.late.is_empty()
            && self.refused.is_empty()
            && self.files.iter().all(|file| file.tally.leaves.unmapped == 0)
    }

    /// Frees what only reading needs.
    pub fn forget_keys(&mut self) {
        self.index = KeyIndex::default();
        self.folds = HashMap::new();
        self.earlier = Earlier::default();
        self.kept = Kept::default();
        self.forms = HashMap::new();
        self.differing = HashMap::new();
    }

    /// Ends the run early when a signal asked for it.
    pub fn heed_signals(&self) -> Result<()> {
        match self.ui.interrupted() {
            Some(signal) => Err(Error::interrupted(signal)),
            None => Ok(()),
        }
    }
}

/// A cell of the target as the value that a rule would have written into its column.
pub(crate) fn cell_value(cell: Cell, kind: StoredAs) -> Value {
    match (cell, kind.kind) {
        (Cell::Null | Cell::Blob(_), _) => Value::Null,
        (Cell::Integer(value @ (0 | 1)), Some(ColumnType::Boolean)) => Value::Bool(value == 1),
        (Cell::Integer(value), _) => Value::Integer(value),
        (Cell::Real(value), _) => Value::Real(value),
        (Cell::Text(text), Some(ColumnType::Time)) => time_value(&text, kind.instant).unwrap_or(Value::Text(text)),
        (Cell::Text(text), Some(ColumnType::Json)) => Value::Json(text),
        (Cell::Text(text), _) => Value::Text(text),
    }
}

/// How the cells of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredAs {
    kind: Option<ColumnType>,
    /// Whether rules write instants into it, rather than times without a zone.
    instant: bool,
}

/// A stored time: with a zone it is an instant; without one the column decides.
fn time_value(text: &str, instant: bool) -> Option<Value> {
    let time: DateTime = text.parse::<Instant>().map(Instant::utc).or_else(|_| text.parse()).ok()?;
    if instant { Instant::at(time, Offset::UTC).map(Value::Instant) } else { Some(Value::Civil(time)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_value_that_was_written() {
        let of = |cell, kind, instant| cell_value(cell, StoredAs { kind: Some(kind), instant });
        let text = |text: &str| Cell::Text(text.to_owned());
        assert!(of(Cell::Integer(1), ColumnType::Boolean, false) == Value::Bool(true));
        assert!(of(Cell::Integer(2), ColumnType::Boolean, false) == Value::Integer(2));
        assert!(of(Cell::Integer(1), ColumnType::Integer, false) == Value::Integer(1));
        assert!(of(text("{}"), ColumnType::Json, false) == Value::Json("{}".to_owned()));
        let stored = "2025-05-07 15:09:12.500000";
        let civil = Value::Civil("2025-05-07T15:09:12.5".parse().unwrap());
        let moment = Value::Instant("2025-05-07T15:09:12.5Z".parse().unwrap());
        assert!(of(text(stored), ColumnType::Time, false) == civil);
        assert!(of(text(stored), ColumnType::Time, true) == moment);
        assert!(of(text("2025-05-07 10:09:12.5-05:00"), ColumnType::Time, true) == moment);
        assert!(of(text("soon"), ColumnType::Time, true) == Value::Text("soon".to_owned()));
    }
}
