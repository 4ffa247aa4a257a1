//! Decides each row that a record gave: keys, references and uniqueness are checked against the key index
//! and the database before anything is written.

use super::Resolver;
use super::verdict::{Judged, RowFate, Verdict};
use crate::error::{Error, Result};
use crate::finding::{FileId, Finding, Place, ROW_ID_RANGE};
use crate::import::context::Context;
use crate::import::writer::NewRow;
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::{Entry, KeyText, Source};
use crate::mapping::model::OnDuplicate;
use crate::row::Value;

/// What becomes of a record's rows, before anything of it is written.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    /// By draft.
    pub(crate) judged: Vec<Judged>,
    /// Why the record is rejected; empty where it is not.
    pub(crate) refused: Vec<Finding>,
    /// What else is to be reported.
    pub(super) findings: Vec<Finding>,
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
            if let Some(at) = draft.parent {
                take_parents_id(rule, draft, decision.judged[at].id);
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

/// Puts the parent's generated id where the child refers to it; NULL where it has none, which may be
/// another verdict than that of an earlier round.
fn take_parents_id(rule: &CompiledRule, draft: &mut Draft, id: Option<i64>) {
    if draft.parents_id.is_empty() {
        return;
    }
    for at in &draft.parents_id {
        draft.values[*at] = id.map_or(Value::Null, Value::Integer);
    }
    if let Some(fields) = &rule.key_fields {
        let mut key = KeyText::default();
        fields.iter().filter_map(|at| draft.values[*at].as_key_text()).for_each(|part| key.push(&part));
        draft.key = Some(key);
    }
}
