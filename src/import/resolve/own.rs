//! Rows of the target that earlier runs made of this tree, while everything is read ahead.
//!
//! What becomes of rows that ask for each other depends on which of them are assumed at first. So that an import of the
//! same tree comes to what the one before came to, it does not assume that the rows are there which that one made: each
//! is taken for a row that this import will make, and known by the place that it came from, since what it says is not
//! known yet. Where that turns out to be wrong, the import begins anew without it.

use super::Resolver;
use super::candidate::Candidate;
use super::gone::{Pool, SameFile};
use super::verdict::{Judged, Verdict};
use crate::error::Result;
use crate::finding::FileId;
use crate::import::context::Context;
use crate::import::files::file_id;
use std::collections::{HashMap, HashSet};

impl Resolver<'_> {
    /// Whether rows of the target that earlier runs made of this tree are taken for rows that this one will make.
    pub(super) fn takes_own(&self) -> bool {
        self.index.is_ahead() && self.index.hides_own()
    }

    /// What becomes of a row in whose way others are: if all of these are of this tree, it is made, or was.
    pub(super) fn unless_own(&self, verdict: Verdict, made: impl FnOnce() -> Judged) -> Verdict {
        match verdict {
            Verdict::InTheWay(_) if self.takes_own() => Verdict::Is(made()),
            other => other,
        }
    }

    /// Learns which files of the tree are as large as when rows came of them last: the same, until they are read again.
    pub(super) fn learn_same_files(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !self.index.hides_own() {
            return Ok(());
        }
        let mut known: HashMap<String, Vec<_>> = HashMap::new();
        for record in cx.writer.transaction()?.earlier_files()? {
            known.entry(record.path.clone()).or_default().push(record);
        }
        for number in self.plan.mapped().filter(|number| !self.earlier.changed.contains(&file_id(*number))) {
            let file = &self.plan.tree.files[number];
            let records = known.remove(&cx.writer.vault.ledger_path(&file.path)?).unwrap_or_default();
            if let Some(last) = records.last().filter(|last| last.bytes == file.bytes) {
                // What it said before it was changed is not what it says now.
                let as_last = records.iter().filter(|record| record.sha256 == last.sha256);
                let same =
                    SameFile { sha256: last.sha256, records: as_last.map(|record| record.id).collect(), is_it: false };
                self.earlier.same.insert(file_id(number), same);
            }
        }
        Ok(())
    }

    /// Notes the digest of a file that is read.
    pub(crate) fn note_digest(&mut self, file: FileId, sha256: [u8; 32]) {
        self.told.note_digest(file, sha256);
        if let Some(same) = self.earlier.same.get_mut(&file).filter(|same| same.sha256 == sha256) {
            same.is_it = true;
        }
    }

    /// The files of the tree that were taken for the same and are not, or were not read, and those that were known before.
    pub(crate) fn changed_files(&self) -> HashSet<FileId> {
        let others = self.earlier.same.iter().filter(|(_, same)| !same.is_it);
        others.map(|(file, _)| *file).chain(self.earlier.changed.iter().copied()).collect()
    }

    /// Whether a row of the target that was made of a file, as this record of the ledger has it, is taken for one that this
    /// run will make of it.
    pub(super) fn is_same_file(&self, file: FileId, record: i64) -> bool {
        self.earlier.same.get(&file).is_some_and(|same| same.records.contains(&record))
    }

    /// The key of the row that an earlier run made of the same element, if it made one; none where that is not asked, or
    /// the file is not the same.
    pub(super) fn row_of_place(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Option<Option<String>>> {
        let (file, table) = (row.place.file, row.rule.table.name.clone());
        if !self.takes_own() || !self.earlier.same.get(&file).is_some_and(|same| same.is_it) {
            return Ok(None);
        }
        let pool = (file, table);
        if !self.earlier.of_place.contains_key(&pool) {
            let path = cx.writer.vault.ledger_path(&self.plan.tree.files[file.0 as usize].path)?;
            let mut rows: HashMap<u64, std::collections::VecDeque<String>> = HashMap::new();
            for row in cx.writer.transaction()?.earlier_rows(&path, &pool.1)? {
                if self.is_same_file(file, row.file) {
                    rows.entry(row.offset).or_default().push_back(row.row_key);
                }
            }
            self.earlier.of_place.insert(pool.clone(), rows);
        }
        let rows = self.earlier.of_place.get_mut(&pool).and_then(|rows| rows.get_mut(&row.place.offset));
        let found = rows.and_then(std::collections::VecDeque::pop_front);
        if let Some(row_key) = &found {
            let pool = Pool::Place(pool.0, pool.1, row.place.offset);
            self.earlier.taken.push((pool, [0; 16], row_key.clone()));
        }
        Ok(Some(found))
    }
}
