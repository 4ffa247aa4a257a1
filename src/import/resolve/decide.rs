//! Decides each row that a record gave: keys, references and uniqueness are checked against the key index
//! and the database before anything is written.

use super::Resolver;
use super::candidate::Candidate;
use super::verdict::{Cause, Judged, RowFate, Verdict};
use crate::error::Result;
use crate::finding::{Finding, Place, ROW_ID_RANGE};
use crate::import::context::Context;
use crate::import::writer::NewRow;
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::{KeyText, Known, Source};
use crate::mapping::model::OnDuplicate;
use crate::row::Value;

/// What becomes of a record's rows, before anything of it is written.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    /// By draft.
    pub(crate) judged: Vec<Judged>,
    /// Why the record is rejected; empty where it is not.
    pub(crate) refused: Vec<Finding>,
    /// What it is rejected for, where it is.
    pub(crate) cause: Cause,
    /// What else is to be reported.
    pub(super) findings: Vec<Finding>,
}

impl Decision {
    /// The record is rejected, with nothing to be said of it here.
    pub(crate) fn rejected(drafts: usize, refused: Vec<Finding>, cause: Cause) -> Self {
        let judged = (0..drafts).map(|_| Judged::is(RowFate::Rejected)).collect();
        Self { judged, refused, cause, findings: Vec::new() }
    }

    /// What became of each row.
    pub(crate) fn fates(&self) -> Vec<RowFate> {
        self.judged.iter().map(|one| one.fate).collect()
    }
}

impl Resolver<'_> {
    /// Decides what becomes of the rows of one record. If anything is wrong, nothing is changed.
    pub(crate) fn decide(&mut self, cx: &mut Context<'_>, record: Place, drafts: &mut [Draft]) -> Result<Decision> {
        let (rules, mark) = (&self.plan.rules[cx.mapping], self.mark());
        let (mut decision, mut in_the_way, mut rejected) = (Decision::default(), Vec::new(), Vec::new());
        let mut is_bad = false;
        for draft in drafts.iter_mut() {
            let parent = draft.parent.map(|at| &decision.judged[at]);
            take_ids_above(&rules[draft.rule], draft, &|at| decision.judged[at].id);
            let row = Candidate::new(rules, draft, record.file);
            let is_in_the_way = parent.is_some_and(|parent| parent.is_in_the_way && parent.fate == RowFate::Rejected);
            match self.judge(cx, row, parent.map(|parent| parent.fate))? {
                Verdict::Is(mut one) => {
                    one.is_in_the_way |= is_in_the_way;
                    if let (RowFate::Inserted, Some(column)) = (one.fate, &row.rule.generated_id) {
                        if cx.writer.is_verifying() {
                            one.id = self.identify(cx, row)?;
                        }
                        if one.id.is_none() {
                            one.id = cx.writer.next_id(row.rule, column)?;
                            self.ids.push(row.rule.table_number);
                        }
                        if one.id.is_none() {
                            let message = format!("no id is left for another row of `{}`", row.rule.table.name);
                            decision.refused.push(self.finding(&ROW_ID_RANGE, row, message, None));
                        }
                    }
                    if one.fate.is_there() {
                        one.counted = self.is_counted(row);
                    }
                    // A record that removes a row takes its key: no other owner can make the row.
                    let removes = one.fate == RowFate::Removed && one.stayed.is_none() && row.draft.removes;
                    if removes || one.fate.is_there() || matches!(one.fate, RowFate::Inserted | RowFate::Empty) {
                        self.place(row, &one)?;
                    }
                    decision.judged.push(one);
                }
                Verdict::Refused(findings) => {
                    (is_bad, decision.cause) = (true, Cause::Rows);
                    decision.refused.extend(findings);
                    decision.judged.push(Judged::is(RowFate::Rejected));
                }
                Verdict::Rejected(findings) => {
                    rejected.extend(findings);
                    decision.judged.push(Judged::is(RowFate::Rejected));
                }
                Verdict::InTheWay(findings) => {
                    in_the_way.extend(findings);
                    decision.judged.push(Judged { is_in_the_way: true, ..Judged::is(RowFate::Rejected) });
                }
            }
        }
        // What is wrong with a record whatever rows of it are there already is all that the import found that made these.
        if !is_bad && decision.judged.iter().any(|one| one.is_in_the_way) {
            let refused = self.replay(cx, record, drafts, &decision.judged)?;
            if refused.is_empty() {
                decision.refused.append(&mut in_the_way);
                decision.cause = Cause::Target; // of a record that is rejected
            } else {
                (decision.refused, decision.cause) = (refused, Cause::Database);
                self.noted.clear();
            }
        }
        if !is_bad && decision.cause != Cause::Database && !rejected.is_empty() {
            (decision.refused, decision.cause) = (rejected, Cause::Database);
            self.noted.clear();
        }
        let of_own = std::mem::take(&mut self.noted_of_own);
        decision.findings = std::mem::take(&mut self.noted);
        decision.findings.extend(of_own.into_iter().filter(|_| decision.refused.is_empty()));
        if decision.refused.is_empty() {
            self.learn_rows(cx, record, drafts, &mut decision)?;
        } else {
            // The rows from which it differs are reported with it, and stay known.
            let is_told = decision.cause != Cause::Database && in_the_way.is_empty();
            let reported = if is_told { mark.differing } else { self.differed.len() };
            let differed = self.differed.split_off(reported);
            self.back_to(cx, mark);
            self.differed.extend(differed);
            decision.judged = drafts.iter().map(|_| Judged::is(RowFate::Rejected)).collect();
        }
        Ok(decision)
    }

    /// Makes known what later records are compared with, once all rows of a record are decided.
    fn learn_rows(&mut self, cx: &Context<'_>, record: Place, drafts: &[Draft], decision: &mut Decision) -> Result<()> {
        for (draft, one) in drafts.iter().zip(&mut decision.judged) {
            let row = Candidate::new(&self.plan.rules[cx.mapping], draft, record.file);
            let across = row.rule.model(&self.plan.set).on_duplicate == OnDuplicate::Across;
            match one.fate {
                RowFate::Inserted | RowFate::Unchanged | RowFate::Kept if across => self.keep_twin(row)?,
                RowFate::Filled(_) => self.learn_fill(row, one)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds the rows of a record that are new, with their secrets sealed.
    pub(crate) fn add_new_rows<'r>(
        &self,
        cx: &mut Context<'r>,
        record: Place,
        drafts: &[Draft],
        decision: &Decision,
        rows: &mut Vec<NewRow<'r>>,
    ) -> Result<()> {
        for (draft, one) in drafts.iter().zip(&decision.judged).filter(|(_, one)| one.fate == RowFate::Inserted) {
            let rule = &cx.plan.rules[cx.mapping][draft.rule];
            rows.push(self.new_row(cx, (rule, draft), draft.values.clone(), one.id, record)?);
        }
        Ok(())
    }

    /// Makes the row known to what asks for its keys.
    fn place(&mut self, row: Candidate<'_>, one: &Judged) -> Result<()> {
        let Candidate { rule, draft, place } = row;
        let given = one.id.map(Value::Integer);
        let value_of = |source: &Source| {
            let id = given.as_ref().filter(|_| source.is_generated);
            let held = || one.held.get(source.held?);
            let field = || Some(&draft.values[source.field?]);
            id.or_else(held).or_else(field).unwrap_or(&Value::Null)
        };
        let mut known = Known::made(place, rule.number);
        (known.existing, known.removed) = (one.fate.is_there(), one.fate == RowFate::Removed);
        known.present = !known.removed && one.fate != RowFate::Empty;
        let says = self.says(row);
        let open = self.open_columns(row, &one.held);
        let null = Value::Null;
        // It is found by what a record gave it.
        let part_of = |source: &Source| match source.held {
            Some(at) if open.contains(&at) => source.field.map_or(&null, |field| &draft.values[field]),
            _ => value_of(source),
        };
        let feeds = &self.plan.keys.of(rule).feeds;
        self.index.enter(feeds, draft.key.as_ref(), (&part_of, &value_of), &known, &says)?;
        self.note_open(row, &open);
        Ok(())
    }
}

/// Puts the generated ids of rows above where the row refers to them; NULL where one has none, which may be
/// another verdict than that of an earlier round.
fn take_ids_above(rule: &CompiledRule, draft: &mut Draft, id: &dyn Fn(usize) -> Option<i64>) {
    if draft.ids_above.is_empty() {
        return;
    }
    for (field, row) in &draft.ids_above {
        draft.values[*field] = id(*row).map_or(Value::Null, Value::Integer);
    }
    if let Some(fields) = &rule.key_fields {
        let mut key = KeyText::default();
        fields.iter().filter_map(|at| draft.values[*at].as_key_text()).for_each(|part| key.push(&part));
        draft.key = Some(key);
    }
}
