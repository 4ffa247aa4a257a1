//! What every part of an import works with while a file is read.

use crate::database::ledger::FileRecord;
use crate::error::Result;
use crate::finding::FileId;
use crate::import::files::FileState;
use crate::import::plan::Plan;
use crate::import::watch::Watch;
use crate::import::writer::Writer;
use crate::report::findings::Findings;

/// The mapping that is being read, and what is written and reported of it.
pub(crate) struct Context<'c> {
    pub(crate) plan: &'c Plan,
    /// The index of the mapping.
    pub(crate) mapping: usize,
    pub(crate) files: &'c mut [FileState],
    pub(crate) writer: &'c mut Writer,
    pub(crate) findings: &'c mut Findings,
    pub(crate) watch: Option<&'c dyn Watch>,
}

impl<'c> Context<'c> {
    /// Who follows a file.
    pub(crate) fn watching(&self, file: usize) -> Option<&'c dyn Watch> {
        self.watch.filter(|watch| watch.follows(file))
    }

    /// The number of a source file in the ledger, recorded when the first row comes from it.
    pub(crate) fn ledger_file(&mut self, file: FileId) -> Result<i64> {
        let at = file.0 as usize;
        if let Some(number) = self.files[at].ledger {
            return Ok(number);
        }
        let number = self.writer.next_file()?;
        self.files[at].ledger = Some(number);
        let source = &self.plan.tree.files[at];
        let path = self.writer.vault.ledger_path(&source.path)?;
        let record = FileRecord { id: number, path, sha256: self.files[at].sha256, bytes: source.bytes };
        self.writer.transaction.record_file(&record)?;
        Ok(number)
    }
}
