//! What `fill` rules give to rows that are there, and how rows fold across source patterns.

use super::Resolver;
use super::candidate::Candidate;
use super::compare::Among;
use super::verdict::{Judged, RowFate, Verdict};
use crate::database::Cell;
use crate::error::Result;
use crate::finding::{Finding, ROW_FILL_DIFFERS};
use crate::import::context::Context;
use crate::import::stored::Stored;
use crate::import::writer::Given;
use crate::mapping::keyindex::{KeyText, Known};
use crate::row::Value;

impl Resolver<'_> {
    /// What a `fill` rule adds to the row of its key; `None` when there is no such row.
    pub(super) fn judge_fill(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Option<Verdict>> {
        let Candidate { rule, draft, .. } = row;
        let (Some(spec), Some(key)) = (self.plan.keys.of(rule).own, &draft.key) else { return Ok(None) };
        self.learn_row(cx, row, spec, key)?;
        // An empty secret takes its key and makes no row.
        let known = self.index.get(spec, key).filter(|known| known.present);
        let Some((known, held)) = known.zip(self.index.values(spec, key)) else { return Ok(None) };
        if let Some(wrong) = self.wrong_as_first(cx, row, &known)? {
            return Ok(Some(Verdict::Refused(wrong)));
        }
        let wanted = self.plan.specs.all[spec].wanted.clone();
        let (mut fills, mut open, mut noted, mut differing) = (Vec::new(), Vec::new(), Vec::new(), 0_u64);
        for (at, field) in rule.fields.iter().enumerate() {
            let column = &field.column.name;
            let Some(position) = wanted.iter().position(|name| name == column) else {
                continue; // the index does not hold it
            };
            let (old, new) = (&held[position], &draft.values[at]);
            if *new == Value::Null || self.same_value(cx, &rule.table.name, column, old, new) {
                continue; // nothing to give, or given already
            }
            if *old == Value::Null {
                fills.push(at);
            } else if !draft.clock.contains(&at) {
                open.extend(self.is_open(row, (spec, key), column).then_some(at));
                differing |= 1 << at.min(63);
                let message = format!("`{}.{column}` keeps a different value from another source", rule.table.name);
                noted.push(self.finding(&ROW_FILL_DIFFERS, row, message, known.place));
            }
        }
        if let Some(verdict) = self.refuse_fill(cx, row, &fills, &open)? {
            return Ok(Some(verdict));
        }
        let is_start = !noted.is_empty() && rule.starts && known.place.is_none() && self.is_own(cx, row)?;
        if is_start { &mut self.noted_of_own } else { &mut self.noted }.append(&mut noted);
        let is_in_the_way = self.would_start(cx, row, &known)?;
        Ok(Some(Verdict::Is(Judged { fills, is_in_the_way, ..Judged::is(RowFate::Filled(differing)) })))
    }

    /// What is wrong with a row that the rule would make if an earlier import had not made it of a later record of this
    /// tree: that import found the same.
    fn wrong_as_first(
        &mut self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        known: &Known,
    ) -> Result<Option<Vec<Finding>>> {
        if !row.rule.starts || known.place.is_some() {
            return Ok(None);
        }
        let mut wrong = self.taken(cx, row, Among::Run, &|_| true)?;
        wrong.extend(self.references(cx, row)?);
        Ok(if !wrong.is_empty() && self.is_own(cx, row)? { Some(wrong) } else { None })
    }

    /// Whether an earlier run made the row with the row's key of a file that this one reads.
    pub(super) fn is_own(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<bool> {
        let (Some(columns), Some(key)) = (row.rule.key_columns(), row.key_values()) else { return Ok(false) };
        self.is_made_of_this_tree(cx, &row.rule.table.name, &columns, &key)
    }

    /// Whether the rule would make the row if an earlier import had not made it of a later record of this tree.
    fn would_start(&mut self, cx: &mut Context<'_>, row: Candidate<'_>, known: &Known) -> Result<bool> {
        let Candidate { rule, .. } = row;
        if !rule.starts || known.place.is_some() || !cx.writer.may_reject(&[rule])? {
            return Ok(false);
        }
        self.is_own(cx, row)
    }

    /// Makes a row known by what it was given.
    fn index_fills(
        &mut self,
        row: Candidate<'_>,
        fills: &[usize],
        (known, held): (&Known, &[Value]),
        wanted: &[String],
    ) -> Result<()> {
        let Candidate { rule, draft, .. } = row;
        let value_of = |column: &String| -> Option<Value> {
            match rule.field(column) {
                Some(at) if fills.contains(&at) || rule.key_fields.iter().flatten().any(|key| *key == at) => {
                    Some(draft.values[at].clone())
                }
                _ => wanted.iter().position(|name| name == column).map(|at| held[at].clone()),
            }
        };
        let given = |column: &String| rule.field(column).is_some_and(|at| fills.contains(&at));
        let specs = &self.plan.specs;
        for spec in specs.of_table(&rule.table.name) {
            let asked = &specs.all[*spec];
            if !asked.by.iter().any(given) {
                continue; // asked by other columns
            }
            let key: Option<Vec<Value>> = asked.by.iter().map(value_of).collect();
            let Some(key) = key.and_then(|values| KeyText::of(&values)) else {
                continue; // a part of the key is not known, or NULL
            };
            let values: Vec<Value> =
                asked.wanted.iter().map(|column| value_of(column).unwrap_or(Value::Null)).collect();
            self.index.insert(*spec, &key, known, &values)?;
        }
        Ok(())
    }

    /// Asks the target for the row of a key that no rule of this run has met.
    fn learn_row(&mut self, cx: &mut Context<'_>, row: Candidate<'_>, spec: usize, key: &KeyText) -> Result<()> {
        let asked = self.plan.keys.of(row.rule).fill.zip(row.key_values());
        if let Some((question, values)) = asked.filter(|_| self.index.get(spec, key).is_none())
            && let Some(cells) = self.row_of(cx, question, &values)?
        {
            let wanted: Vec<&str> = self.plan.specs.all[spec].wanted.iter().map(String::as_str).collect();
            let values: Vec<Value> = Stored::of(self.plan, &row.rule.table.name, &wanted).values(cells).collect();
            self.index.insert_lasting(spec, key, &values)?;
        }
        Ok(())
    }

    fn same_value(&self, cx: &mut Context<'_>, table: &str, column: &str, old: &Value, new: &Value) -> bool {
        let cell = match old {
            Value::Null => return *new == Value::Null,
            Value::Integer(value) => Cell::Integer(*value),
            Value::Text(text) => Cell::Text(text.to_string()),
            _ => return old == new,
        };
        let kind = self.plan.schema.kind(table, column);
        old == new || cx.writer.dialect.same(kind, &cell, new)
    }

    /// Makes known what a row was given.
    pub(super) fn learn_fill(&mut self, row: Candidate<'_>, one: &mut Judged) -> Result<()> {
        let Candidate { rule, draft, .. } = row;
        let (Some(spec), Some(key)) = (self.plan.keys.of(rule).own, &draft.key) else { return Ok(()) };
        let Some(known) = self.index.get(spec, key) else { return Ok(()) };
        let mut held = self.index.values(spec, key).unwrap_or_default();
        let wanted = self.plan.specs.all[spec].wanted.clone();
        one.existing = known.existing;
        one.counts = known.existing && self.index.count(spec, key);
        let closed = self.close(row, (spec, key), (&wanted, &held));
        self.index_fills(row, &[&closed[..], &one.fills].concat(), (&known, &held), &wanted)?;
        for at in &one.fills {
            let column = &rule.fields[*at].column.name;
            if let Some(position) = wanted.iter().position(|name| name == column) {
                held[position] = draft.values[*at].clone();
            }
        }
        if !one.fills.is_empty() {
            self.index.set(spec, key, &held);
        }
        Ok(())
    }

    /// What the writer is to know of these fields of a row that is filled; its file has no number in the ledger yet.
    pub(super) fn given(&self, row: Candidate<'_>, fields: &[usize], (record, existing): (u64, bool)) -> Option<Given> {
        let Candidate { rule, draft, place } = row;
        let (columns, values) = (rule.key_columns()?, row.key_values()?);
        let columns = columns.into_iter().map(str::to_owned).collect();
        let given = |at: &usize| (rule.fields[*at].column.name.clone(), draft.values[*at].clone());
        let cells: Vec<(String, Value)> = fields.iter().map(given).collect();
        let (table, key, rule, file) = (rule.table_number, (columns, values), rule.number, 0);
        (!cells.is_empty()).then_some(Given { table, key, cells, existing, place, record, rule, file })
    }

    /// Gives values to a row; they are written before the checks, once per row.
    pub(super) fn fill(&self, cx: &mut Context<'_>, row: Candidate<'_>, record: u64, one: &Judged) -> Result<()> {
        if one.counts {
            cx.writer.count(row.rule.table_number).unchanged += 1;
        }
        if let Some(given) = self.given(row, &one.fills, (record, one.existing)) {
            let file = if cx.writer.is_verifying() { 0 } else { cx.ledger_file(row.place.file)? };
            cx.writer.fill(Given { file, ..given });
        }
        Ok(())
    }

    /// Which row of this key this is of its source pattern, from 0, where an earlier one gave as many.
    pub(super) fn folds_across(&mut self, row: Candidate<'_>) -> Option<u32> {
        let (spec, key) = (self.plan.keys.of(row.rule).own?, row.draft.key.as_ref()?);
        let feed = self.plan.source_pattern_of(row.place.file.0 as usize);
        self.counted.push((spec, key.clone(), feed.clone()));
        let feeds = self.folds.entry((spec, key.clone())).or_default();
        let kept = feeds.iter().map(|(_, count)| *count).max().unwrap_or(0);
        match feeds.iter_mut().find(|(known, _)| *known == feed) {
            Some((_, count)) => {
                *count += 1;
                (*count <= kept).then(|| *count - 1)
            }
            None => {
                feeds.push((feed, 1));
                (kept >= 1).then_some(0)
            }
        }
    }

    /// Undoes what [`Resolver::folds_across`] counted since so much was.
    pub(super) fn unfold(&mut self, mark: usize) {
        for (spec, key, feed) in self.counted.split_off(mark) {
            if let Some(feeds) = self.folds.get_mut(&(spec, key))
                && let Some((_, count)) = feeds.iter_mut().find(|(known, _)| *known == feed)
            {
                *count = count.saturating_sub(1);
            }
        }
    }
}
