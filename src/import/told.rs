//! What the ledger says of the rows that a verification compares.

use crate::database::ledger::{RunRecord, ToldFile};
use crate::database::standing::Standing;
use crate::error::Result;
use crate::finding::FileId;
use crate::import::files::file_id;
use crate::import::run::Import;
use crate::import::verifier::{RowId, row_id};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// The ledger's files and runs, as far as they are of this tree.
pub(super) struct Ledger {
    pub(super) files: HashMap<i64, ToldFile>,
    pub(super) runs: HashMap<String, RunRecord>,
    /// The runs whose rows the tree is to give.
    pub(super) own: HashSet<String>,
    /// The files of the tree, by their paths in the ledger.
    pub(super) here: HashMap<String, FileId>,
    /// The digests of these when they were read last.
    pub(super) last: HashMap<FileId, [u8; 32]>,
}

/// What the ledger says of the rows of one table.
#[derive(Default)]
pub(super) struct Told {
    pub(super) edited: HashSet<RowId>,
    /// Those whose sealed values are not the ones that were written.
    pub(super) resealed: HashSet<RowId>,
    pub(super) gone: HashSet<RowId>,
    /// The rows that stand, by which file made them.
    pub(super) standing: HashMap<RowId, (i64, u64)>,
    /// Of those that are gone.
    pub(super) removed: HashMap<RowId, (i64, u64)>,
    /// How often a row of an element is gone.
    pub(super) removed_at: HashMap<(i64, u64), u64>,
    /// Rows that no record gave: their keys.
    pub(super) unmet: BTreeMap<(i64, u64, String), RowId>,
}

impl Import<'_> {
    /// What the ledger says of the runs of this set, and of the files of this tree.
    pub(super) fn ledger(&mut self) -> Result<Ledger> {
        let transaction = self.writer.transaction()?;
        let runs: HashMap<String, RunRecord> =
            transaction.runs()?.into_iter().map(|run| (run.id.clone(), run)).collect();
        let files = transaction.told_files()?.into_iter().map(|told| (told.file.id, told)).collect();
        let root = &self.plan.tree.root;
        let of_set = || runs.values().filter(|run| run.set == self.plan.set.name);
        let is_here = |run: &&RunRecord| is_same_folder(Path::new(&run.source), root);
        let mut own: HashSet<String> = of_set().filter(is_here).map(|run| run.id.clone()).collect();
        if own.is_empty() {
            // The tree was moved, or was imported from elsewhere.
            own = of_set().map(|run| run.id.clone()).collect();
        }
        let mut here = HashMap::new();
        for (at, file) in self.plan.tree.files.iter().enumerate() {
            here.insert(self.writer.vault.ledger_path(&file.path)?, file_id(at));
        }
        let mut last: BTreeMap<FileId, &ToldFile> = BTreeMap::new();
        for told in HashMap::<i64, ToldFile>::values(&files) {
            if let Some(file) = here.get(&told.file.path) {
                let newest = last.entry(*file).or_insert(told);
                *newest = if told.file.id > newest.file.id { told } else { newest };
            }
        }
        let last = last.into_iter().map(|(file, told)| (file, told.file.sha256)).collect();
        Ok(Ledger { files, runs, own, here, last })
    }

    /// What it says of the rows of a table.
    pub(super) fn told(&mut self, number: usize, table: &str) -> Result<Told> {
        let mut told = Told::default();
        let has_key = self.plan.schema.table(table).is_some_and(|table| !table.primary_key().is_empty());
        if !has_key {
            return Ok(told);
        }
        let transaction = self.writer.transaction()?;
        transaction.standing(table, None, &mut |row_key, standing| {
            let row = row_id(number, row_key);
            for rows in [&mut told.edited, &mut told.gone, &mut told.resealed] {
                rows.remove(&row);
            }
            _ = match standing {
                Standing::Gone => told.gone.insert(row),
                Standing::Edited => told.edited.insert(row),
                Standing::Resealed => told.resealed.insert(row),
                Standing::AsLeft | Standing::Nameless => false,
            };
            Ok(())
        })?;
        let mut keys = HashMap::new();
        transaction.told_rows(table, &mut |row| {
            let id = row_id(number, &row.row_key);
            if told.gone.contains(&id) {
                told.removed.insert(id, (row.file, row.offset));
            } else {
                told.standing.insert(id, (row.file, row.offset));
                keys.insert(id, row.row_key);
            }
            Ok(())
        })?;
        told.removed.values().for_each(|from| *told.removed_at.entry(*from).or_default() += 1);
        let met = &self.writer.verifier().met;
        for (id, row_key) in keys.into_iter().filter(|(id, _)| !met.contains(id)) {
            let (file, offset) = told.standing[&id];
            told.unmet.insert((file, offset, row_key), id);
        }
        Ok(told)
    }
}

/// Whether two paths name one folder, as far as that can be told.
fn is_same_folder(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}
