//! The last record of each key, where it is the one that counts: known before the rows of a turn are made.

use super::Resolver;
use super::candidate::Candidate;
use super::lasts::Last;
use super::verdict::{Judged, RowFate, Verdict};
use crate::error::Result;
use crate::finding::{ROW_DIFFERS, ROW_DUPLICATE};
use crate::import::context::Context;
use crate::mapping::keyindex::{ByKey, KeyHash};
use crate::mapping::model::OnDuplicate;

impl Resolver<'_> {
    /// Forgets the last records of the turn before.
    pub(crate) fn begin_lasts(&mut self) {
        self.lasts.known = ByKey::default();
    }

    /// Notes a record, in the order in which they are read: so far it is the last one of its key.
    pub(crate) fn note_last(&mut self, row: Candidate<'_>) {
        let Some(key) = self.last_key(row) else { return };
        let is_later = self.lasts.known.get(key).is_some();
        let last = Last { place: row.place, rule: row.rule.number, removes: row.draft.removes, is_later };
        self.lasts.known.put(key, last);
    }

    fn last_key(&self, row: Candidate<'_>) -> Option<KeyHash> {
        if row.rule.model(&self.plan.set).on_duplicate != OnDuplicate::Last {
            return None;
        }
        let key = (self.plan.keys.of(row.rule).own?, row.draft.key.as_ref()?);
        Some(self.lasts.hash(&key))
    }

    fn last_of_key(&self, row: Candidate<'_>) -> Option<Last> {
        self.lasts.known.get(self.last_key(row)?)
    }

    /// Whether earlier rows were left out for a record: without it they count again.
    pub(crate) fn is_later(&self, row: Candidate<'_>) -> bool {
        let is_it = |last: &Last| last.is_later && last.place == row.place && last.rule == row.rule.number;
        self.last_of_key(row).as_ref().is_some_and(is_it)
    }

    /// What becomes of a row for which a later record of its key counts, or that removes others; none where it is the
    /// one that counts.
    pub(super) fn judge_last(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Option<Verdict>> {
        let Some(last) = self.last_of_key(row) else { return Ok(None) };
        let stays = last.place == row.place && last.rule == row.rule.number;
        if stays && !last.removes {
            return Ok(None);
        }
        // A row of another owner, or of another turn, is not one that the record comes after.
        if let Some(earlier) = self.earlier_of_key(row).filter(|earlier| stays && earlier.present) {
            let message =
                format!("the source removes the row of `{}` that an earlier record made", row.rule.table.name);
            let finding = self.finding(&ROW_DUPLICATE, row, message, earlier.place);
            return Ok(Some(Verdict::Refused(vec![finding])));
        }
        if stays && self.is_in_target(cx, row)? {
            let message =
                format!("the database has a row of `{}` with this key, and the source removes it", row.rule.table.name);
            let findings = vec![self.finding(&ROW_DIFFERS, row, message, None)];
            let key = (row.rule.key_columns().unwrap_or_default(), row.key_values().unwrap_or_default());
            let verdict = self.in_the_way_of(cx, row.rule, &[key], findings)?;
            return Ok(Some(self.unless_own(verdict, || Judged::is(RowFate::Removed))));
        }
        let fate = if last.removes || row.draft.removes { RowFate::Removed } else { RowFate::Replaced };
        let stayed = (!stays).then_some(last.place);
        Ok(Some(Verdict::Is(Judged { stayed, ..Judged::is(fate) })))
    }

    fn is_in_target(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<bool> {
        let asked = self.plan.keys.of(row.rule).row.zip(row.key_values()).filter(|_| !cx.writer.is_verifying());
        let Some((question, key)) = asked else { return Ok(false) };
        Ok(cx.writer.rows_before(&row.rule.table.name) > 0 && self.row_of(cx, question, &key)?.is_some())
    }
}
