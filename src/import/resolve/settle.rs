//! Settles what was decided of a record's rows, once those that are new are written: counts, findings, and
//! what `fill` rules give.

use super::Resolver;
use super::candidate::Candidate;
use super::decide::Decision;
use super::verdict::{Judged, RowFate};
use crate::error::Result;
use crate::finding::{
    FILE_FORM_TWINS, FORMS_UNCOMPARED, Finding, Place, ROW_REMOVED, ROW_REPLACED, ROW_SUPERSEDED, SECRET_EMPTY,
    Severity,
};
use crate::fold;
use crate::import::context::Context;
use crate::mapping::apply::Draft;
use crate::report::words::{count, thousands};

/// So many keys that are not ASCII are compared in their Unicode normal form; the others are counted.
const MOST_FORMS: usize = 1_000_000;

impl Resolver<'_> {
    /// Reports and counts what was decided of a record's rows, and gives what `fill` rules give: what is
    /// new is written.
    pub(crate) fn settle(
        &mut self,
        cx: &mut Context<'_>,
        record: Place,
        drafts: &[Draft],
        decision: &mut Decision,
    ) -> Result<()> {
        cx.findings.extend(std::mem::take(&mut decision.findings));
        if !decision.refused.is_empty() {
            return Ok(());
        }
        for (draft, one) in drafts.iter().zip(&decision.judged) {
            let row = Candidate::new(&self.plan.rules[cx.mapping], draft, record.file);
            self.meet(cx, row, one)?;
            if one.fate == RowFate::Inserted || one.fate.is_there() {
                self.report_form_twin(cx, row);
            }
            match one.fate {
                RowFate::Unchanged => cx.writer.count(row.rule.table_number).unchanged += u64::from(!one.counted),
                RowFate::Kept => cx.writer.count(row.rule.table_number).kept += 1,
                RowFate::Updated => self.update(cx, row, record, one)?,
                RowFate::Filled(_) => self.fill(cx, row, record.offset, one)?,
                RowFate::Superseded | RowFate::Replaced | RowFate::Removed | RowFate::Empty => {
                    self.note(cx, row, one);
                }
                RowFate::Inserted | RowFate::NotTaken | RowFate::Rejected => {}
            }
        }
        Ok(())
    }

    /// Warns of a key that looks like another one and differs in its Unicode normal form.
    fn report_form_twin(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) {
        let key = row.draft.key.as_ref().filter(|key| !key.is_ascii());
        let Some((spec, key)) = self.plan.keys.of(row.rule).own.zip(key) else { return };
        let form = self.kept.hash(&(spec, key.map(|part| fold::canonical(part).into_owned())));
        let hash = self.kept.hash(key);
        if self.forms.len() >= MOST_FORMS && !self.forms.contains_key(&form) {
            self.forms_left += 1;
            return;
        }
        let (first, other) = *self.forms.entry(form).or_insert((hash, row.place));
        if first != hash {
            let message = format!("another row of `{}` has a key that looks the same", row.rule.table.name);
            let finding = self.finding(&FILE_FORM_TWINS, row, message, Some(other));
            cx.findings.push(finding);
        }
    }

    /// Says how many keys were not compared in their normal form.
    pub(crate) fn report_forms_left(&mut self, cx: &mut Context<'_>) {
        if self.forms_left > 0 {
            let message = format!(
                "{} came after {} others and were not compared",
                count(self.forms_left, "key"),
                thousands(MOST_FORMS as u64)
            );
            cx.findings.push(Finding::new(&FORMS_UNCOMPARED, message).about("keys"));
        }
    }

    /// Notes a row that is not written, nor are its children.
    fn note(&self, cx: &mut Context<'_>, row: Candidate<'_>, one: &Judged) {
        let (code, message) = match one.fate {
            RowFate::Empty if row.draft.empty => (&SECRET_EMPTY, "the secrets of the row are empty".to_owned()),
            RowFate::Replaced if one.stayed.is_some() => {
                (&ROW_REPLACED, format!("row of `{}` superseded by a later row with the same key", row.rule.table.name))
            }
            RowFate::Removed if one.stayed.is_some() && !row.draft.removes => {
                (&ROW_REMOVED, format!("row of `{}` removed by a later record with the same key", row.rule.table.name))
            }
            RowFate::Superseded if one.stayed.is_some() => (
                &ROW_SUPERSEDED,
                format!("row of `{}` superseded by an earlier row with the same key", row.rule.table.name),
            ),
            RowFate::Superseded if !one.dropped.is_empty() => (
                &ROW_SUPERSEDED,
                format!(
                    "row of `{}` superseded by the one that the database has (`verify` says which of them is right)",
                    row.rule.table.name
                ),
            ),
            _ => return,
        };
        let mut finding = self.finding(code, row, message, one.stayed);
        if !one.dropped.is_empty() {
            finding.message += &format!(", and its other values of {} are dropped", one.dropped.join(", "));
            finding = finding.weighing(Severity::Warning);
        }
        cx.findings.push(finding);
    }
}
