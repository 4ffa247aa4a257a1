//! Decides each row that a record gave: keys, references and uniqueness are checked against the key index
//! and the database before anything is written. What was decided is settled when it is.

use super::Resolver;
use super::compare::Among;
use super::verdict::{Judged, RowFate, Verdict};
use crate::error::{Error, Result};
use crate::finding::{
    Code, FILE_FORM_TWINS, FORMS_UNCOMPARED, FileId, Finding, Place, ROW_DIFFERS, ROW_DUPLICATE, ROW_ID_RANGE,
    ROW_REFERENCE, ROW_SUPERSEDED, SECRET_EMPTY, Severity,
};
use crate::fold;
use crate::import::context::Context;
use crate::import::writer::NewRow;
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::{Entry, KeyText, Source};
use crate::mapping::model::OnDuplicate;
use crate::mapping::order::feeds;
use crate::report::words::{count, thousands};
use crate::row::Value;

/// So many keys that are not ASCII are compared in their Unicode normal form; the others are counted.
const MOST_FORMS: usize = 1_000_000;

/// So many rows of the target that differ are remembered. Past that, records that others supersede are compared too,
/// and a difference is reported twice.
const MOST_DIFFERING: usize = 100_000;

/// What becomes of a record's rows, before anything of it is written.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    /// By draft.
    pub(crate) judged: Vec<Judged>,
    /// Why the record is rejected; empty where it is not.
    pub(crate) refused: Vec<Finding>,
    /// What else is to be reported.
    findings: Vec<Finding>,
}

impl Decision {
    /// The record is rejected, with nothing to be said of it here.
    pub(crate) fn rejected(drafts: usize, refused: Vec<Finding>) -> Self {
        let judged = (0..drafts).map(|_| Judged::is(RowFate::Rejected)).collect();
        Self { judged, refused, findings: Vec::new() }
    }

    /// What became of each row.
    pub(crate) fn fates(&self) -> Vec<RowFate> {
        self.judged.iter().map(|one| one.fate).collect()
    }
}

impl Resolver<'_> {
    /// Decides what becomes of the rows of one record. If anything is wrong, nothing is changed.
    pub(crate) fn decide(&mut self, cx: &mut Context<'_>, record: Place, drafts: &mut [Draft]) -> Result<Decision> {
        let (plan, file, mark) = (self.plan, record.file, self.mark());
        let mut decision = Decision::default();
        for draft in drafts.iter_mut() {
            let rule = &plan.rules[cx.mapping][draft.rule];
            let parent = draft.parent.map(|at| decision.judged[at].fate);
            if let Some(id) = draft.parent.and_then(|at| decision.judged[at].id) {
                take_parents_id(rule, draft, id);
            }
            match self.judge(cx, rule, file, draft, parent)? {
                Verdict::Is(mut one) => {
                    if let (RowFate::Inserted, Some(column)) = (one.fate, &rule.generated_id) {
                        one.id = cx.writer.next_id(rule, column)?;
                        self.ids.push(rule.table_number);
                        if one.id.is_none() {
                            let message = format!("no id is left for another row of `{}`", rule.table.name);
                            let place = Place { file, offset: draft.at };
                            decision.refused.push(self.finding(&ROW_ID_RANGE, rule, message, place, None));
                        }
                    }
                    if one.fate == RowFate::Unchanged {
                        one.counted = self.is_counted(rule, draft);
                    }
                    if matches!(one.fate, RowFate::Inserted | RowFate::Unchanged | RowFate::Empty) {
                        self.place(rule, file, draft, &one);
                    }
                    decision.judged.push(one);
                }
                Verdict::Refused(findings) => {
                    decision.refused.extend(findings);
                    decision.judged.push(Judged::is(RowFate::Rejected));
                }
            }
        }
        decision.findings = std::mem::take(&mut self.noted);
        if decision.refused.is_empty() {
            self.learn_rows(cx, record, drafts, &mut decision);
        } else {
            // The rows from which it differs are reported with it, and stay known.
            let differed = self.differed.split_off(mark.differing);
            self.back_to(cx, mark);
            self.differed.extend(differed);
            decision.judged = drafts.iter().map(|_| Judged::is(RowFate::Rejected)).collect();
        }
        Ok(decision)
    }

    /// Makes known what later records are compared with, once all rows of a record are decided.
    fn learn_rows(&mut self, cx: &Context<'_>, record: Place, drafts: &[Draft], decision: &mut Decision) {
        for (draft, one) in drafts.iter().zip(&mut decision.judged) {
            let rule = &self.plan.rules[cx.mapping][draft.rule];
            let across = rule.model(&self.plan.set).on_duplicate == OnDuplicate::Across;
            match one.fate {
                RowFate::Inserted | RowFate::Unchanged if across => {
                    self.keep_twin(rule, draft, Place { offset: draft.at, ..record });
                }
                RowFate::Filled(_) => self.learn_fill(rule, draft, one),
                _ => {}
            }
        }
    }

    /// The rows of a record that are new, with their secrets sealed.
    pub(crate) fn new_rows<'r>(
        &mut self,
        cx: &mut Context<'r>,
        record: Place,
        drafts: &[Draft],
        decision: &Decision,
    ) -> Result<Vec<NewRow<'r>>> {
        let mut rows = Vec::new();
        for (draft, one) in drafts.iter().zip(&decision.judged) {
            if one.fate == RowFate::Inserted {
                let rule = &cx.plan.rules[cx.mapping][draft.rule];
                rows.push(self.new_row(cx, rule, record, draft, one)?);
            }
        }
        Ok(rows)
    }

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
            let rule = &self.plan.rules[cx.mapping][draft.rule];
            if matches!(one.fate, RowFate::Inserted | RowFate::Unchanged) {
                self.report_form_twin(cx, rule, draft, Place { offset: draft.at, ..record });
            }
            match one.fate {
                RowFate::Unchanged => cx.writer.count(rule.table_number).unchanged += u64::from(!one.counted),
                RowFate::Filled(_) => self.fill(cx, rule, record, draft, one)?,
                RowFate::Superseded | RowFate::Empty => self.note(cx, rule, record.file, draft, one),
                RowFate::Inserted | RowFate::NotTaken | RowFate::Rejected => {}
            }
        }
        Ok(())
    }

    /// Warns of a key that looks like another one and differs in its Unicode normal form.
    fn report_form_twin(&mut self, cx: &mut Context<'_>, rule: &CompiledRule, draft: &Draft, place: Place) {
        let key = draft.key.as_ref().filter(|key| !key.is_ascii());
        let Some((spec, key)) = self.plan.keys.of(rule).own.zip(key) else { return };
        let form = self.kept.hash(&(spec, key.map(|part| fold::canonical(part).into_owned())));
        let hash = self.kept.hash(key);
        if self.forms.len() >= MOST_FORMS && !self.forms.contains_key(&form) {
            self.forms_left += 1;
            return;
        }
        let (first, other) = *self.forms.entry(form).or_insert((hash, place));
        if first != hash {
            let message = format!("another row of `{}` has a key that looks the same", rule.table.name);
            let finding = self.finding(&FILE_FORM_TWINS, rule, message, place, Some(other));
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
    fn note(&mut self, cx: &mut Context<'_>, rule: &CompiledRule, file: FileId, draft: &Draft, one: &Judged) {
        let place = Place { file, offset: draft.at };
        let (code, message) = match one.fate {
            RowFate::Empty if draft.empty => (&SECRET_EMPTY, "the secrets of the row are empty".to_owned()),
            RowFate::Superseded if one.stayed.is_some() => (
                &ROW_SUPERSEDED,
                format!("row of `{}` superseded by an earlier row with the same key", rule.table.name),
            ),
            _ => return,
        };
        let mut finding = self.finding(code, rule, message, place, one.stayed);
        if !one.dropped.is_empty() {
            finding.message += &format!(", and its other values of {} are dropped", one.dropped.join(", "));
            finding = finding.weighing(Severity::Warning);
        }
        cx.findings.push(finding);
    }

    /// A row that an earlier one of its key supersedes.
    fn superseded(&self, rule: &CompiledRule, draft: &Draft, place: Place, stayed: Option<&Entry>) -> Verdict {
        let dropped = stayed.map(|stayed| self.dropped(rule, draft, place, stayed)).unwrap_or_default();
        let stayed = stayed.and_then(|entry| entry.place);
        Verdict::Is(Judged { stayed, dropped, ..Judged::is(RowFate::Superseded) })
    }

    fn judge(
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
    fn is_counted(&self, rule: &CompiledRule, draft: &Draft) -> bool {
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

    /// Makes the row known to what asks for its keys.
    fn place(&mut self, rule: &CompiledRule, file: FileId, draft: &Draft, one: &Judged) {
        let given = one.id.map(Value::Integer);
        let value_of = |source: &Source| {
            let id = given.as_ref().filter(|_| source.is_generated);
            let held = || one.held.get(source.held?);
            let field = || Some(&draft.values[source.field?]);
            id.or_else(held).or_else(field).unwrap_or(&Value::Null)
        };
        let entry = Entry {
            place: Some(Place { file, offset: draft.at }),
            feeder: rule.number,
            values: Vec::new(),
            existing: one.fate == RowFate::Unchanged,
            present: one.fate != RowFate::Empty,
            counted: true,
            says: self.says(rule, draft),
        };
        self.index.enter(&self.plan.keys.of(rule).feeds, draft.key.as_ref(), &value_of, &entry);
    }

    fn new_row<'r>(
        &self,
        cx: &mut Context<'r>,
        rule: &'r CompiledRule,
        record: Place,
        draft: &Draft,
        one: &Judged,
    ) -> Result<NewRow<'r>> {
        let mut values = draft.values.clone();
        for (at, secret) in &draft.secrets {
            let key = rule.key_of(&draft.values).ok_or_else(|| Error::bug("a rule with secrets has no key"))?;
            let column = self.plan.sealed_column(rule, *at)?;
            values[*at] = cx.writer.vault.seal(column, &key, secret)?;
        }
        Ok(NewRow {
            rule,
            values,
            id: one.id,
            place: Place { offset: draft.at, ..record },
            record: record.offset,
            digest: one.digest,
            clock: draft.clock.clone(),
        })
    }
}

/// Puts the parent's generated id where the child refers to it.
fn take_parents_id(rule: &CompiledRule, draft: &mut Draft, id: i64) {
    for at in &draft.parents_id {
        draft.values[*at] = Value::Integer(id);
        if let Some(fields) = &rule.key_fields {
            draft.key = KeyText::of(fields.iter().map(|at| &draft.values[*at]));
        }
    }
}
