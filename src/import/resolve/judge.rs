//! Judges one row: by the keys of this run's rows, what it references, and what the database has.

use super::Resolver;
use super::compare::Among;
use super::verdict::{Judged, RowFate, Verdict};
use crate::error::Result;
use crate::finding::{Code, FileId, Finding, Place, ROW_DIFFERS, ROW_DUPLICATE, ROW_REFERENCE};
use crate::import::context::Context;
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::Entry;
use crate::mapping::model::OnDuplicate;
use crate::mapping::order::feeds;

/// So many rows of the target that differ are remembered. Past that, records that others supersede are compared too,
/// and a difference is reported twice.
const MOST_DIFFERING: usize = 100_000;

impl Resolver<'_> {
    /// A row that an earlier one of its key supersedes.
    fn superseded(&self, rule: &CompiledRule, draft: &Draft, place: Place, stayed: Option<&Entry>) -> Verdict {
        let dropped = stayed.map(|stayed| self.dropped(rule, draft, place, stayed)).unwrap_or_default();
        let stayed = stayed.and_then(|entry| entry.place);
        Verdict::Is(Judged { stayed, dropped, ..Judged::is(RowFate::Superseded) })
    }

    pub(super) fn judge(
        &mut self,
        cx: &mut Context<'_>,
        rule: &CompiledRule,
        file: FileId,
        draft: &Draft,
        parent: Option<RowFate>,
    ) -> Result<Verdict> {
        let decided = |fate| Ok(Verdict::Is(Judged::is(fate)));
        match parent {
            Some(fate @ (RowFate::Superseded | RowFate::NotTaken | RowFate::Empty | RowFate::Rejected)) => {
                return decided(fate);
            }
            Some(RowFate::Inserted | RowFate::Unchanged | RowFate::Filled(_)) | None => {}
        }
        let place = Place { file, offset: draft.at };
        match rule.model(&self.plan.set).on_duplicate {
            OnDuplicate::Across => {
                if let Some(number) = self.folds_across(rule, file, draft) {
                    let stayed = self.twin(rule, draft, number).or_else(|| self.earlier_of_key(rule, draft));
                    return Ok(self.superseded(rule, draft, place, stayed.as_ref()));
                }
            }
            OnDuplicate::Fill if rule.starts && self.earlier_of_key(rule, draft).is_none() => {
                if let Some(started) = self.started_before(cx, rule, file, draft)? {
                    return Ok(started);
                }
                if let Some(verdict) = self.judge_fill(cx, rule, draft, place)? {
                    return Ok(verdict);
                }
            }
            OnDuplicate::Fill => match self.judge_fill(cx, rule, draft, place)? {
                Some(verdict) => return Ok(verdict),
                None if rule.starts => {}
                None => return decided(RowFate::NotTaken),
            },
            OnDuplicate::Reject | OnDuplicate::First => {
                if let Some(earlier) = self.earlier_of_key(rule, draft) {
                    if self.may_give_way(rule, earlier.feeder) {
                        return Ok(self.superseded(rule, draft, place, Some(&earlier)));
                    }
                    let message = format!("an earlier row of `{}` has the same key", rule.table.name);
                    let finding = self.finding(&ROW_DUPLICATE, rule, message, place, earlier.place);
                    return Ok(Verdict::Refused(vec![finding]));
                }
            }
        }
        if draft.empty {
            return decided(RowFate::Empty);
        }
        let mut wrong = self.taken(cx, rule, draft, place, Among::Run, &|_| true)?;
        wrong.extend(self.references(cx, rule, draft, place)?);
        if !wrong.is_empty() {
            return Ok(Verdict::Refused(wrong));
        }
        let verdict = self.compare_with_target(cx, rule, file, draft, place)?;
        Ok(self.once_per_row(rule, draft, place, verdict))
    }

    /// A row of the target from which an earlier record differs already is not compared for those that the record
    /// supersedes, though it is rejected and its key is free.
    fn once_per_row(&mut self, rule: &CompiledRule, draft: &Draft, place: Place, verdict: Verdict) -> Verdict {
        let differs = |findings: &[Finding]| findings.iter().any(|finding| finding.code == &ROW_DIFFERS);
        let key = self.plan.keys.of(rule).own.zip(draft.key.clone());
        let (Verdict::Refused(findings), Some(key)) = (&verdict, key) else { return verdict };
        if !differs(findings) {
            return verdict;
        }
        match self.differing.get(&key) {
            Some((feeder, stayed)) if self.may_give_way(rule, *feeder) => {
                Verdict::Is(Judged { stayed: Some(*stayed), ..Judged::is(RowFate::Superseded) })
            }
            Some(_) => verdict,
            None => {
                if self.differing.len() < MOST_DIFFERING {
                    self.differed.push(key.clone());
                    self.differing.insert(key, (rule.number, place));
                }
                verdict
            }
        }
    }

    pub(crate) fn finding(
        &self,
        code: &'static Code,
        rule: &CompiledRule,
        message: String,
        at: Place,
        also: Option<Place>,
    ) -> Finding {
        let mut finding = Finding::new(code, message).at(at).also(also).about(rule.name.clone());
        finding.mapping = Some(rule.line_in(&self.plan.set).into());
        finding
    }

    /// The row of this run that has the draft's key.
    fn earlier_of_key(&self, rule: &CompiledRule, draft: &Draft) -> Option<Entry> {
        let spec = self.plan.keys.of(rule).own?;
        self.index.get(spec, draft.key.as_ref()?).filter(|entry| entry.place.is_some()).cloned()
    }

    /// Whether a `fill` rule has met the row before this one, so that the run's counts have it.
    pub(super) fn is_counted(&self, rule: &CompiledRule, draft: &Draft) -> bool {
        let own = self.plan.keys.of(rule).own.zip(draft.key.as_ref());
        let entry = own.and_then(|(spec, key)| self.index.get(spec, key));
        entry.is_some_and(|entry| entry.place.is_none() && entry.counted)
    }

    /// Whether an earlier row of another rule may supersede the rule's: `[precedence]`, or `first`.
    fn may_give_way(&self, rule: &CompiledRule, earlier: u32) -> bool {
        rule.model(&self.plan.set).on_duplicate == OnDuplicate::First || self.is_ranked_after(rule, earlier)
    }

    /// Whether `[precedence]` ranks the rule after the one of this number.
    pub(crate) fn is_ranked_after(&self, rule: &CompiledRule, earlier: u32) -> bool {
        let set = &self.plan.set;
        set.precedence.iter().find(|of| of.table == rule.table.name).is_some_and(|of| {
            let rank = |rule: &CompiledRule| of.feeders.iter().position(|entry| feeds(set, rule, entry));
            let other = self.plan.rule(earlier);
            matches!((other.and_then(rank), rank(rule)), (Some(first), Some(second)) if first < second)
        })
    }

    pub(crate) fn references(
        &mut self,
        cx: &mut Context<'_>,
        rule: &CompiledRule,
        draft: &Draft,
        place: Place,
    ) -> Result<Vec<Finding>> {
        let mut wrong = Vec::new();
        // A row may reference a later one of its own table: that is checked when all are written. What
        // only adds to rows comes after those.
        let own_is_done = rule.model(&self.plan.set).on_duplicate == OnDuplicate::Fill;
        let plan = self.plan;
        let references = plan.keys.of(rule).references.iter();
        for reference in references.filter(|key| own_is_done || key.table != rule.table.name) {
            let Some((key, values)) = reference.of(&draft.values) else {
                continue; // a NULL references nothing
            };
            let known = reference.spec.and_then(|spec| self.index.get(spec, &key)).is_some_and(|entry| entry.present);
            if !known && self.row_of(cx, reference.question, &values)?.is_none() {
                let message =
                    format!("({}) references a missing row of `{}`", reference.columns.join(", "), reference.table);
                wrong.push(self.finding(&ROW_REFERENCE, rule, message, place, None));
            }
        }
        Ok(wrong)
    }
}
