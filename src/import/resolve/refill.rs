//! What `fill` rules gave to rows in an earlier import of this tree, judged again as that one judged it.

use super::Resolver;
use super::candidate::Candidate;
use super::compare::Among;
use super::verdict::Verdict;
use crate::error::Result;
use crate::import::context::Context;
use crate::import::refused::rejections;
use crate::mapping::keyindex::KeyText;
use crate::row::Value;

impl Resolver<'_> {
    /// What the target's row holds, in columns that are filled, and its own record does not give: the numbers of the columns
    /// among those that are asked of the table.
    pub(super) fn open_columns(&self, row: Candidate<'_>, held: &[Value]) -> Vec<usize> {
        let Candidate { rule, draft, .. } = row;
        let is_open = |(column, value): (&String, &Value)| {
            let is_given = rule.field(column).is_some_and(|at| draft.values[at] != Value::Null);
            *value != Value::Null && !is_given && self.plan.is_filled(&rule.table.name, column)
        };
        let asked = self.plan.keys.of(rule).held.iter().zip(held).enumerate();
        asked.filter(|(_, column)| is_open(*column)).map(|(at, _)| at).collect()
    }

    /// Notes these columns of a row.
    pub(super) fn note_open(&mut self, row: Candidate<'_>, columns: &[usize]) {
        if columns.is_empty() {
            return;
        }
        let key = self.plan.keys.of(row.rule).own.zip(row.draft.key.as_ref());
        if let Some(number) = key.and_then(|(spec, key)| self.index.row_number(spec, key)) {
            columns.iter().for_each(|column| self.open.add(number, *column));
        }
    }

    /// Whether the row of a key holds something in a column that no record has given it.
    pub(super) fn is_open(&self, row: Candidate<'_>, (spec, key): (usize, &KeyText), column: &str) -> bool {
        let number = self.index.row_number(spec, key).zip(self.asked_column(row, column));
        number.is_some_and(|(row, column)| self.open.has(row, column))
    }

    /// The number of a column among those that are asked of the row's table.
    fn asked_column(&self, row: Candidate<'_>, column: &str) -> Option<usize> {
        self.plan.keys.of(row.rule).held.iter().position(|name| name == column)
    }

    /// Notes what a record gave to the row of a key that holds it: the fields in which it was open. `held` are the values
    /// of the `wanted` columns.
    pub(super) fn close(
        &mut self,
        row: Candidate<'_>,
        (spec, key): (usize, &KeyText),
        (wanted, held): (&[String], &[Value]),
    ) -> Vec<usize> {
        let Candidate { rule, draft, .. } = row;
        let Some(number) = self.index.row_number(spec, key) else { return Vec::new() };
        let is_given = |at: &usize| {
            let column = &rule.fields[*at].column.name;
            let position = wanted.iter().position(|name| name == column);
            let is_same = position.is_some_and(|position| held[position] == draft.values[*at]);
            is_same && draft.values[*at] != Value::Null && self.is_open(row, (spec, key), column)
        };
        let given: Vec<usize> = (0..rule.fields.len()).filter(is_given).collect();
        let columns = given.iter().filter_map(|at| self.asked_column(row, &rule.fields[*at].column.name));
        columns.collect::<Vec<_>>().into_iter().for_each(|column| self.open.remove(number, column));
        given
    }

    /// Why a record cannot give a row what it has: in the fields `fills`, which are empty, and `open`, which the earlier
    /// import found empty.
    pub(super) fn refuse_fill(
        &mut self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        fills: &[usize],
        open: &[usize],
    ) -> Result<Option<Verdict>> {
        if fills.is_empty() && open.is_empty() {
            return Ok(None);
        }
        let (rule, all) = (row.rule, [fills, open].concat());
        let is_among = |fields: &[usize], columns: &[String]| {
            columns.iter().any(|column| rule.field(column).is_some_and(|at| fields.contains(&at)))
        };
        let mut wrong = self.taken(cx, row, Among::Run, &|columns| is_among(&all, columns))?;
        wrong.extend(self.references(cx, row)?);
        if !wrong.is_empty() {
            let is_told = !fills.is_empty() || self.is_own(cx, row)?;
            return Ok(is_told.then_some(Verdict::Refused(wrong)));
        }
        let taken = self.taken(cx, row, Among::Both, &|columns| is_among(fills, columns))?;
        let is_asked = match (taken.is_empty(), open.is_empty()) {
            (true, true) => false,
            (true, false) => self.is_own(cx, row)?,
            (false, _) => self.is_taken_by_own(cx, row, &|columns| is_among(fills, columns))?,
        };
        if is_asked && cx.writer.may_reject(&[rule])? {
            let given = self.given(row, &all, (row.place.offset, true));
            let refused = given.as_ref().map(|given| cx.writer.would_reject_fill(given)).transpose()?.flatten();
            if let Some(refused) = refused {
                let findings = rejections(cx, &[refused], &[])?.into_values().flatten().collect();
                return Ok(Some(Verdict::Rejected(findings)));
            }
        }
        Ok((!taken.is_empty()).then_some(Verdict::Refused(taken)))
    }

    /// Whether all rows of the target that have unique values of a row were made of this tree.
    fn is_taken_by_own(
        &mut self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        concerns: &dyn Fn(&[String]) -> bool,
    ) -> Result<bool> {
        let (plan, values) = (self.plan, &row.draft.values);
        for unique in plan.keys.of(row.rule).unique.iter().filter(|unique| concerns(&unique.columns)) {
            let key = unique.values(values);
            if unique.of(values).is_none() || self.row_of(cx, unique.question, &key)?.is_none() {
                continue; // NULLs are all different, and no row has it
            }
            let columns: Vec<&str> = unique.columns.iter().map(String::as_str).collect();
            if !self.is_made_of_this_tree(cx, &row.rule.table.name, &columns, &key)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
