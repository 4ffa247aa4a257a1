//! Rows that the database rejected: the other row of a unique value is looked up, and their records
//! are rejected in the next attempt.

use crate::error::{Error, Result};
use crate::finding::{FileId, Finding, Place, TARGET_UNSETTLED};
use crate::rejects::locate;
use crate::run::Run;
use crate::target::rejection::Rejection;
use crate::writer::RefusedRow;

/// A record has so many findings of this kind at most: a list of a million elements may be one.
const MOST_OF_A_RECORD: usize = 100;

impl Run<'_> {
    /// Takes over the rows that the database rejected, as records that the next attempt rejects.
    pub fn take_refused(&mut self) -> Result<()> {
        for row in std::mem::take(&mut self.writer.refused) {
            let RefusedRow { record, place, rule, table, why } = row;
            let other = match &why {
                Rejection::Unique { other: Some(key), .. } => self.place_of(&table, key)?,
                _ => None,
            };
            let mut finding = Finding::new(why.code(), why.message(&table)).at(place).also(other).about(table);
            finding.mapping = self.line_of(rule);
            let findings = self.refused.entry((record.file, record.offset)).or_default();
            if findings.len() < MOST_OF_A_RECORD {
                findings.push(finding);
            }
        }
        Ok(())
    }

    /// The line of a rule, as `file:line`.
    fn line_of(&self, number: u32) -> Option<String> {
        let rule = self.plan.rules.iter().flatten().find(|rule| rule.number == number)?;
        let set = &self.plan.set;
        Some(format!("{}:{}", rule.mapping_of(set).file, rule.model(set).line))
    }

    /// Where this run wrote the row of a key from.
    fn place_of(&mut self, table: &str, key: &str) -> Result<Option<Place>> {
        let Some(origin) = self.transaction.ledger().origin(table, key)? else { return Ok(None) };
        let file = self.files.iter().position(|file| file.ledger == Some(origin.file));
        let file = file.and_then(|file| u32::try_from(file).ok()).map(FileId);
        Ok(file.map(|file| Place { file, offset: origin.offset }))
    }

    /// Reports what the last attempt found, when there is none after it.
    pub fn report_refused(&mut self) {
        if self.refused.is_empty() {
            return;
        }
        let message = format!("{} more records were rejected in the last attempt", self.refused.len());
        self.findings.push(Finding::new(&TARGET_UNSETTLED, message).about("target"));
        self.findings.extend(self.refused.values().flatten().cloned().collect::<Vec<_>>());
    }

    /// Adds the place of the row at which a trigger rolled the transaction back.
    pub fn with_place(&self, error: Error) -> Error {
        let is_it = |row: &&RefusedRow| matches!(row.why, Rejection::RolledBack { .. });
        let Some(row) = self.writer.refused.iter().find(is_it) else { return error };
        let source = &self.plan.tree.files[row.place.file.0 as usize];
        let at = locate(source, row.place.offset);
        error.at(format!("{}:{}:{}", self.or_withheld(&source.path), at.line, at.column))
    }
}
