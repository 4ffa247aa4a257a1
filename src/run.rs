//! A run in progress: the open transaction and everything that is known so far.

use crate::account::{Reasons, Tally};
use crate::config::{Companion, ImportOptions};
use crate::error::{Error, Result};
use crate::finding::{FileId, Finding};
use crate::keyindex::{Entry, KeyIndex, KeyText};
use crate::mapping::apply::Owner;
use crate::owners::OwnerTable;
use crate::plan::{Feed, Plan};
use crate::rejects::RejectFolder;
use crate::report::findings::Findings;
use crate::report::{FileStatus, OwnerReport};
use crate::row::Value;
use crate::settle::EarlierRows;
use crate::shaping::{PathTables, Shaped};
use crate::target::ledger::FileRecord;
use crate::target::{Cell, Transaction};
use crate::vault::Vault;
use crate::writer::Writer;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Records that are known to be bad before they are read, with what is wrong about them: an
/// attempt that found one out only after rows of it were written is begun anew, knowing it.
pub type KnownRejects = HashMap<(FileId, u64), Vec<Finding>>;

/// What is known of a file so far.
#[derive(Debug, Default)]
pub struct FileState {
    /// What became of it; `None` while it is not read to its end.
    pub status: Option<FileStatus>,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// What ignored it, as the sign-off list names it.
    pub what: Option<String>,
    /// The index of its shape.
    pub shape: Option<usize>,
    /// What the first look found, between two turns.
    pub shaped: Option<Shaped>,
    /// Its owner's id.
    pub owner: Option<String>,
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
    /// What was asked for.
    pub options: &'p ImportOptions,
    /// Progress and signals.
    pub companion: &'p dyn Companion,
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
    /// Findings at error level that told of them.
    pub reject_errors: u64,
    /// Sealed values that were opened again.
    pub opened_again: u64,
    /// Reasons of ignored leaves.
    pub reasons: Reasons,
    /// Files, by their number.
    pub files: Vec<FileState>,
    /// Paths met so far.
    pub paths: PathTables,
    /// By table and column.
    pub columns: BTreeMap<(String, String), ColumnCounts>,
    /// Leaves that only a catch-all kept: mapping, path, count.
    pub caught: BTreeMap<(String, String), u64>,
    /// Owners.
    pub owners: OwnerTable,
    /// Ids of owners whose record was rejected.
    pub rejected_owners: BTreeSet<String>,
    /// Directories and whose they are.
    pub directories: Vec<OwnerReport>,
    /// Rows of earlier runs.
    pub earlier: HashMap<(FileId, String), EarlierRows>,
    /// What is known before reading.
    pub known: &'p KnownRejects,
    /// What was found out too late.
    pub late: KnownRejects,
    /// Where rejects go.
    pub rejects: Option<RejectFolder>,
    /// How many rows of a key each feed gave so far, where rows fold across feeds.
    pub folds: HashMap<(usize, KeyText), Vec<(Feed, u32)>>,
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

/// What a run is begun with.
pub struct Begin<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// What was asked for.
    pub options: &'p ImportOptions,
    /// Progress and signals.
    pub companion: &'p dyn Companion,
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
        let Begin { plan, options, companion, started, transaction, vault, known, rejects } = begin;
        let mut run = Self {
            plan,
            options,
            companion,
            started,
            transaction,
            index: KeyIndex::new(plan.specs.clone()),
            writer: Writer::default(),
            vault,
            findings: Findings::new(),
            rejected: 0,
            reject_errors: 0,
            opened_again: 0,
            reasons: Reasons::default(),
            files: plan.tree.files.iter().map(|_| FileState::default()).collect(),
            paths: PathTables::default(),
            columns: BTreeMap::new(),
            caught: BTreeMap::new(),
            owners: OwnerTable::default(),
            rejected_owners: BTreeSet::new(),
            directories: Vec::new(),
            earlier: HashMap::new(),
            known,
            late: KnownRejects::new(),
            rejects,
            folds: HashMap::new(),
            mapping: 0,
            owner_columns: plan.owner_columns(),
            next_file: None,
        };
        run.learn_target()?;
        run.learn_owners()?;
        Ok(run)
    }

    /// Puts rows that the target has into the key index, where something looks them up.
    fn learn_target(&mut self) -> Result<()> {
        for spec in 0..self.index.specs().len() {
            let asked = self.index.specs()[spec].clone();
            let looked_up = !asked.wanted.is_empty() || self.plan.is_looked_up(&asked);
            if !looked_up || self.transaction.rows_before(&asked.table) == 0 {
                continue; // nobody asks, or nothing is there
            }
            let columns: Vec<&str> = asked.by.iter().chain(&asked.wanted).map(String::as_str).collect();
            for cells in self.transaction.select(&asked.table, &columns, None)? {
                let mut values = cells.into_iter().map(cell_value);
                let key: Vec<Value> = values.by_ref().take(asked.by.len()).collect();
                if let Some(key) = KeyText::of(&key) {
                    self.index.insert_lasting(
                        spec,
                        key,
                        Entry { place: None, feeder: u32::MAX, values: values.collect(), existing: true },
                    );
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
        for cells in self.transaction.select(&owners.table, &columns, None)? {
            let values: Vec<(String, Value)> =
                self.owner_columns.iter().cloned().zip(cells.into_iter().map(cell_value)).collect();
            if let Some(id) = values.first().and_then(|(_, value)| value.as_key_text()) {
                self.owners.add(Owner { id, columns: values });
            }
        }
        Ok(())
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
        let record =
            FileRecord { id: number, path: source.path.clone(), sha256: self.files[at].sha256, bytes: source.bytes };
        self.transaction.ledger().file(&record)?;
        Ok(number)
    }

    /// Takes in what the walk found, and what may still be in use.
    pub fn report_walk(&mut self) {
        let findings = crate::summary::walk_findings(self);
        self.findings.extend(findings);
    }

    /// Whether records turned out to be bad only after rows of theirs were written, and the rest may
    /// be committed without them: then the run is begun anew, knowing them.
    pub fn must_begin_anew(&self) -> bool {
        !self.late.is_empty() && self.rejected <= self.options.max_rejects
    }

    /// Whether nothing was found but rejects, and no more of those than are allowed.
    pub fn is_acceptable(&self) -> bool {
        self.findings.errors() == self.reject_errors
            && self.rejected <= self.options.max_rejects
            && self.late.is_empty()
            && self.files.iter().all(|file| file.tally.leaves.unmapped == 0)
    }

    /// Ends the run early when a signal asked for it.
    pub fn heed_signals(&self) -> Result<()> {
        match self.companion.interrupted() {
            Some(signal) => Err(Error::interrupted(signal)),
            None => Ok(()),
        }
    }
}

/// A cell of the target as a value.
pub(crate) fn cell_value(cell: Cell) -> Value {
    match cell {
        Cell::Null | Cell::Blob(_) => Value::Null,
        Cell::Integer(value) => Value::Integer(value),
        Cell::Real(value) => Value::Real(value),
        Cell::Text(text) => Value::Text(text),
    }
}
