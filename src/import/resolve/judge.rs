//! Judges one row: by the keys of this run's rows, what it references, and what the database has.

use super::Resolver;
use super::candidate::Candidate;
use super::compare::Among;
use super::verdict::{Judged, RowFate, Verdict};
use crate::error::Result;
use crate::finding::{Code, Finding, Place, ROW_DIFFERS, ROW_DUPLICATE, ROW_REFERENCE};
use crate::import::context::Context;
use crate::import::plan::FieldKey;
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::Known;
use crate::mapping::model::OnDuplicate;
use crate::mapping::order::feeds;
use crate::row::Value;

/// So many rows of the target that differ are remembered. Past that, records that others supersede are compared too,
/// and a difference is reported twice.
const MOST_DIFFERING: usize = 100_000;

impl Resolver<'_> {
    /// A row that an earlier one of its key supersedes.
    fn superseded(&self, row: Candidate<'_>, stayed: Option<&Known>) -> Result<Verdict> {
        let dropped = stayed.map_or(Ok(Vec::new()), |stayed| self.dropped(row, stayed))?;
        let stayed = stayed.and_then(|known| known.place);
        Ok(Verdict::Is(Judged { stayed, dropped, ..Judged::is(RowFate::Superseded) }))
    }

    pub(super) fn judge(
        &mut self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        parent: Option<RowFate>,
    ) -> Result<Verdict> {
        let rule = row.rule;
        let decided = |fate| Ok(Verdict::Is(Judged::is(fate)));
        match parent {
            Some(
                fate @ (RowFate::Superseded
                | RowFate::Replaced
                | RowFate::Removed
                | RowFate::NotTaken
                | RowFate::Empty
                | RowFate::Rejected),
            ) => {
                return decided(fate);
            }
            Some(RowFate::Inserted | RowFate::Unchanged | RowFate::Kept | RowFate::Updated | RowFate::Filled(_))
            | None => {}
        }
        match rule.model(&self.plan.set).on_duplicate {
            OnDuplicate::Across => {
                if let Some(number) = self.folds_across(row) {
                    let stayed = self.twin(row, number).or_else(|| self.earlier_of_key(row));
                    return self.superseded(row, stayed.as_ref());
                }
                if let Some(removal) = self.earlier_of_key(row).filter(|earlier| earlier.removed) {
                    return Ok(self.in_the_way(row, &removal));
                }
            }
            OnDuplicate::Fill if rule.starts => {
                match self.earlier_of_key(row) {
                    Some(earlier) if earlier.removed => return Ok(self.in_the_way(row, &earlier)),
                    Some(_) => {}
                    None => {
                        if let Some(started) = self.started_before(cx, row)? {
                            return Ok(started);
                        }
                    }
                }
                // The rows that imports made of this tree are not there for what is verified.
                let is_first = (self.takes_own() || cx.writer.is_verifying())
                    && self.earlier_of_key(row).is_none()
                    && self.is_own(cx, row)?;
                let verdict = if is_first { None } else { self.judge_fill(cx, row)? };
                if let Some(verdict) = verdict {
                    return Ok(verdict);
                }
            }
            OnDuplicate::Fill => match self.judge_fill(cx, row)? {
                Some(verdict) => return Ok(verdict),
                None => return decided(RowFate::NotTaken),
            },
            OnDuplicate::Reject | OnDuplicate::First | OnDuplicate::Last => {
                if let Some(verdict) = self.judge_last(cx, row)? {
                    return Ok(verdict);
                }
                if let Some(earlier) = self.earlier_of_key(row) {
                    if self.may_give_way(rule, earlier.feeder) {
                        return self.superseded(row, Some(&earlier));
                    }
                    return Ok(self.in_the_way(row, &earlier));
                }
            }
        }
        if row.draft.empty {
            return decided(RowFate::Empty);
        }
        let mut wrong = self.taken(cx, row, Among::Run, &|_| true)?;
        wrong.extend(self.references(cx, row)?);
        if !wrong.is_empty() {
            return Ok(Verdict::Refused(wrong));
        }
        let verdict = self.compare_with_target(cx, row)?;
        Ok(self.once_per_row(row, verdict))
    }

    /// A row whose key an earlier one has, or a record of another owner or turn that removes it.
    fn in_the_way(&self, row: Candidate<'_>, earlier: &Known) -> Verdict {
        let table = &row.rule.table.name;
        let message = if earlier.removed {
            format!("an earlier record removes the row of `{table}` with the same key")
        } else {
            format!("an earlier row of `{table}` has the same key")
        };
        Verdict::Refused(vec![self.finding(&ROW_DUPLICATE, row, message, earlier.place)])
    }

    /// A row of the target from which an earlier record differs already is not compared for those that the record
    /// supersedes, though it is rejected and its key is free.
    fn once_per_row(&mut self, row: Candidate<'_>, verdict: Verdict) -> Verdict {
        let differs = |findings: &[Finding]| findings.iter().any(|finding| finding.code == &ROW_DIFFERS);
        let key = self.plan.keys.of(row.rule).own.zip(row.draft.key.clone());
        let (Verdict::Refused(findings) | Verdict::InTheWay(findings), Some(key)) = (&verdict, key) else {
            return verdict;
        };
        if !differs(findings) {
            return verdict;
        }
        match self.differing.get(&key) {
            Some((feeder, stayed)) if self.may_give_way(row.rule, *feeder) => {
                Verdict::Is(Judged { stayed: Some(*stayed), ..Judged::is(RowFate::Superseded) })
            }
            Some(_) => verdict,
            None => {
                if self.differing.len() < MOST_DIFFERING {
                    self.differed.push(key.clone());
                    self.differing.insert(key, (row.rule.number, row.place));
                }
                verdict
            }
        }
    }

    pub(crate) fn finding(
        &self,
        code: &'static Code,
        row: Candidate<'_>,
        message: String,
        also: Option<Place>,
    ) -> Finding {
        // Several rows come of one text that is taken apart.
        let part = row.draft.part.as_ref().and_then(|part| part.shown());
        let message = match part {
            Some(part) => format!("{message}, for the part {part} of the text"),
            None => message,
        };
        let mut finding = Finding::new(code, message).at(row.place).also(also).about(row.rule.name.clone());
        finding.mapping = Some(row.rule.line_in(&self.plan.set).into());
        finding
    }

    /// The row of this run that has the draft's key.
    pub(super) fn earlier_of_key(&self, row: Candidate<'_>) -> Option<Known> {
        self.known_of_key(row).filter(|known| known.place.is_some())
    }

    /// Whether a `fill` rule has met the row before this one, so that the run's counts have it.
    pub(super) fn is_counted(&self, row: Candidate<'_>) -> bool {
        self.known_of_key(row).is_some_and(|entry| entry.place.is_none() && entry.counted)
    }

    /// What is known of the row that has the row's key.
    fn known_of_key(&self, row: Candidate<'_>) -> Option<Known> {
        self.index.get(self.plan.keys.of(row.rule).own?, row.draft.key.as_ref()?)
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

    /// Whether the target has the row that a reference leads to.
    fn has_target(&mut self, cx: &mut Context<'_>, reference: &FieldKey, values: &[Value]) -> Result<bool> {
        let key = reference.values(values);
        if self.row_of(cx, reference.question, &key)?.is_none() {
            return Ok(false);
        }
        let plan = self.plan;
        let by: Vec<&str> = plan.keys.questions()[reference.question].by.iter().map(String::as_str).collect();
        if !self.takes_own() {
            return Ok(true);
        }
        // A file that was changed may not give it any more, and it stays.
        let made_of = self.made_of(cx, &reference.table, &by, &key)?;
        Ok(!made_of.is_some_and(|(file, record)| self.is_same_file(file, record)))
    }

    pub(super) fn references(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Vec<Finding>> {
        let (mut wrong, plan, rule) = (Vec::new(), self.plan, row.rule);
        // A row may reference a later one of its own table, or of one that is not waited for: that is checked when all
        // are written. What only adds to rows comes after those.
        let own_is_done = rule.model(&self.plan.set).on_duplicate == OnDuplicate::Fill;
        let references = plan.keys.of(rule).references.iter();
        for reference in references.filter(|key| !key.is_late && (own_is_done || key.table != rule.table.name)) {
            let Some(key) = reference.of(&row.draft.values) else {
                continue; // a NULL references nothing
            };
            let takes_own = self.takes_own();
            let is_met = |entry: &Known| entry.present && (entry.place.is_some() || !takes_own);
            let known = reference.spec.and_then(|spec| self.index.get(spec, &key)).as_ref().is_some_and(is_met);
            if !known && !self.has_target(cx, reference, &row.draft.values)? {
                let message =
                    format!("({}) references a missing row of `{}`", reference.columns.join(", "), reference.table);
                wrong.push(self.finding(&ROW_REFERENCE, row, message, None));
            }
        }
        Ok(wrong)
    }
}
