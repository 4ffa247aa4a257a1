//! What every part of an import works with while a file is read.

use crate::database::ledger::FileRecord;
use crate::error::Result;
use crate::finding::{FileId, Finding, Place, Severity};
use crate::import::files::FileState;
use crate::import::plan::Plan;
use crate::import::watch::Watch;
use crate::import::writer::Writer;
use crate::mapping::apply::{Fault, Found};
use crate::mapping::secret_values;
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
        if let Some(known) = self.files[at].ledger {
            return self.writer.file_number(known);
        }
        let next = self.writer.add_file(file);
        self.files[at].ledger = Some(next);
        let number = self.writer.file_number(next)?;
        let source = &self.plan.tree.files[at];
        let path = self.writer.vault.ledger_path(&source.path)?;
        let record = FileRecord { id: number, path, sha256: self.files[at].sha256(), bytes: source.bytes };
        self.writer.record_file(record);
        Ok(number)
    }

    /// A fault as a finding, with an excerpt of the value that was found.
    pub(crate) fn finding(&self, record: Place, rule: usize, fault: &Fault, severity: Option<Severity>) -> Finding {
        let mapping = &self.plan.set.mappings[self.mapping];
        let column = fault.column.as_deref().unwrap_or_default();
        // The whole value is searched: a secret may continue in the part that is cut off.
        let hides = |text: &str| self.writer.vault.finds_secret(text) || secret_values::recognise(text).is_some();
        let words = |found: &Found| found.words(!found.values().any(hides));
        let found = fault.found.as_ref().map_or_else(String::new, words);
        let mut finding = Finding::new(fault.code, fault.message.clone() + &found)
            .at(Place { file: record.file, offset: fault.at.unwrap_or(record.offset) })
            .about(format!("{}.{}.{column}", mapping.name, mapping.rules[rule].name).trim_end_matches('.'))
            .helped_by(fault.help);
        finding.mapping = (fault.line > 0).then(|| format!("{}:{}", mapping.file, fault.line).into());
        finding.severity = severity.unwrap_or(finding.severity);
        finding
    }
}
