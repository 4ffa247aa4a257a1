//! Rows that the target has and that differ from the source: kept, or given the source's values.

use super::Resolver;
use super::candidate::Candidate;
use super::compare::Among;
use super::verdict::{Change, Judged, RowFate, Verdict};
use crate::database::lines::Left;
use crate::database::{Cell, ledger};
use crate::error::Result;
use crate::finding::{FileId, Place, ROW_KEPT};
use crate::import::context::Context;
use crate::import::refused::rejections;
use crate::import::writer::Update;
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::KeyText;
use crate::mapping::model::{OnExisting, Protection};
use crate::row::Value;
use std::collections::{BTreeMap, BTreeSet};

impl Resolver<'_> {
    /// What happens to a row of a rule that the target has and that differs.
    pub(super) fn on_existing(&self, rule: &CompiledRule) -> OnExisting {
        match self.existing {
            Some(OnExisting::Refuse) => OnExisting::Refuse,
            flag => rule.model(&self.plan.set).on_existing.or(flag).unwrap_or_default(),
        }
    }

    /// What becomes of a row that the target has under this key, with other values in these fields.
    pub(super) fn existing_row(
        &mut self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        (key, mut cells): (&[Value], Vec<Cell>),
        fields: Vec<usize>,
    ) -> Result<Verdict> {
        let (rule, plan) = (row.rule, self.plan);
        let id = match (&rule.generated_id, cells.get(rule.fields.len())) {
            (Some(_), Some(Cell::Integer(id))) => Some(*id),
            _ => None,
        };
        let asked = &plan.keys.of(rule).held;
        let held_cells: Vec<Cell> = cells.split_off(cells.len() - asked.len());
        let mut held = self.held_values(&rule.table.name, asked, held_cells);
        let row_key = row_key(cx, rule, &cells);
        let why = match self.on_existing(rule) {
            OnExisting::Update => self.why_kept(cx, row, (key, &cells), (&fields, &row_key))?,
            OnExisting::Keep | OnExisting::Refuse => Some(None),
        };
        if let Some(why) = why {
            let differing = self.in_words(cx, row, &fields, &cells)?;
            self.note_kept(row, &differing, why);
            return Ok(Verdict::Is(Judged { id, held, row_key: Some(row_key), ..Judged::is(RowFate::Kept) }));
        }
        if let Some(verdict) = self.refuse_update(cx, row, &fields)? {
            return Ok(verdict);
        }
        for (name, held) in asked.iter().zip(&mut held) {
            if let Some(at) = rule.field(name).filter(|at| fields.contains(at)) {
                held.clone_from(&row.draft.values[at]);
            }
        }
        let change = Some(Box::new(Change { row_key, fields, cells }));
        Ok(Verdict::Is(Judged { id, held, change, ..Judged::is(RowFate::Updated) }))
    }

    /// Notes that a row of the target is kept, and why where the import was to update it.
    pub(super) fn note_kept(&mut self, row: Candidate<'_>, differing: &[String], why: Option<&str>) {
        let why = why.map_or_else(String::new, |why| format!(", and {why}"));
        let (table, columns) = (&row.rule.table.name, differing.join(", "));
        let message = format!("the database's row of `{table}` with this key is kept: it differs in {columns}{why}");
        let finding = self.finding(&ROW_KEPT, row, message, None);
        self.noted.push(finding);
    }

    /// Why a row is kept though rows of the rule are updated; none where it is not.
    fn why_kept(
        &mut self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        (key, cells): (&[Value], &[Cell]),
        (fields, row_key): (&[usize], &str),
    ) -> Result<Option<Option<&'static str>>> {
        let (rule, table) = (row.rule, &row.rule.table.name);
        let of_key = rule.key_columns().unwrap_or_default();
        let names = |at: &usize| rule.fields[*at].column.name.as_str();
        let primary = rule.table.primary_key();
        if fields.iter().map(names).any(|name| of_key.contains(&name) || primary.contains(&name)) {
            return Ok(Some(Some("its key would change")));
        }
        for at in fields.iter().filter(|at| rule.fields[**at].protection.is_some()) {
            let name = &rule.fields[*at].column.name;
            if cx.writer.transaction()?.handed_over(table, name)?.is_some() {
                return Ok(Some(None));
            }
            let opens = match &cells[*at] {
                Cell::Null => true,
                Cell::Text(token) => {
                    let sealed = self.plan.sealed_column(rule, *at)?;
                    cx.writer.vault.opens(sealed, key, token)?
                }
                _ => false,
            };
            if !opens {
                return Ok(Some(Some("a sealed value in it does not open")));
            }
        }
        let has_secrets = fields.iter().any(|at| rule.fields[*at].protection.is_some());
        Ok(match self.standing_of(cx, table, row_key)? {
            Left::Resealed if has_secrets => {
                Some(Some("its sealed value is not the one that an import wrote: it was edited, or keys were changed"))
            }
            Left::Untouched | Left::Resealed => None,
            Left::Edited | Left::Absent => Some(Some("it was edited since an import wrote it")),
            Left::Foreign => Some(Some("no import wrote it")),
        })
    }

    fn standing_of(&mut self, cx: &mut Context<'_>, table: &str, row_key: &str) -> Result<Left> {
        let row = (table.to_owned(), row_key.to_owned());
        if let Some(known) = self.standing.get(&row) {
            return Ok(*known);
        }
        let found = cx.writer.transaction()?.left_as(table, std::slice::from_ref(&row.1))?.pop();
        let found = found.unwrap_or(Left::Foreign);
        self.standing.insert(row, found);
        Ok(found)
    }

    /// Why a row cannot get other values in these fields.
    fn refuse_update(&mut self, cx: &mut Context<'_>, row: Candidate<'_>, fields: &[usize]) -> Result<Option<Verdict>> {
        let rule = row.rule;
        let concerns =
            |columns: &[String]| columns.iter().any(|name| rule.field(name).is_some_and(|at| fields.contains(&at)));
        let taken = self.taken(cx, row, Among::Target, &concerns)?;
        if !taken.is_empty() {
            return Ok(Some(Verdict::Refused(taken)));
        }
        if cx.writer.may_reject(&[rule])?
            && let Some(given) = self.given(row, fields, (row.place.offset, true))
            && let Some(refused) = cx.writer.would_reject_fill(&given)?
        {
            let findings = rejections(cx, &[refused], &[])?.into_values().flatten().collect();
            return Ok(Some(Verdict::Rejected(findings)));
        }
        Ok(None)
    }

    /// Asks how those rows of a chunk stand that may be updated: all at once.
    pub(super) fn ask_standing<'d>(
        &mut self,
        cx: &mut Context<'_>,
        rules: &[CompiledRule],
        drafts: impl Iterator<Item = &'d Draft>,
    ) -> Result<()> {
        let mut asked: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for draft in drafts {
            let rule = &rules[draft.rule];
            if self.on_existing(rule) != OnExisting::Update || rule.is_known_by_ledger(&self.plan.set) {
                continue; // it is not updated
            }
            let row = Candidate { rule, draft, place: Place { file: FileId(0), offset: draft.at } };
            let question = self.plan.keys.of(rule).row;
            let key = row.key_values().and_then(|values| KeyText::of(&values));
            let known = question.zip(key).and_then(|(question, key)| self.answers.get(question, &key));
            let Some(Some(cells)) = known else { continue }; // it is new
            let is_plain = |at: &usize| {
                rule.fields[*at].protection.is_none() && !draft.ids_above.iter().any(|(field, _)| field == at)
            };
            let mut fields = (0..rule.fields.len()).filter(is_plain);
            if fields.any(|at| self.differs_in(cx, row, at, &cells[at])) {
                asked.entry(&rule.table.name).or_default().insert(row_key(cx, rule, cells));
            }
        }
        for (table, keys) in asked {
            let keys: Vec<String> = keys.into_iter().collect();
            let found = cx.writer.transaction()?.left_as(table, &keys)?;
            self.standing.extend(keys.into_iter().map(|key| (table.to_owned(), key)).zip(found));
        }
        Ok(())
    }

    /// Gives a row of the target the source's values; they are written before the checks.
    pub(super) fn update(&self, cx: &mut Context<'_>, row: Candidate<'_>, record: Place, one: &Judged) -> Result<()> {
        let Candidate { rule, draft, place } = row;
        let (Some(change), Some(columns), Some(key)) = (&one.change, rule.key_columns(), row.key_values()) else {
            return Ok(());
        };
        let file = cx.ledger_file(place.file)?;
        let mut earlier = Vec::with_capacity(change.fields.len());
        let mut values = Vec::with_capacity(change.fields.len());
        let run = cx.writer.transaction()?.run_number()?;
        for at in &change.fields {
            let field = &rule.fields[*at];
            let number = cx.writer.next_earlier();
            let secret = draft.secrets.iter().find(|(of, _)| of == at);
            // Also where it gives way to none: the earlier one must go on under the keys of later days.
            let sealed = match (&field.protection, &change.cells[*at]) {
                (Some(Protection::Seal), Cell::Text(token)) => {
                    let column = self.plan.sealed_column(rule, *at)?;
                    Some(cx.writer.vault.set_aside((column, &key, token), (run, number))?)
                }
                _ => None,
            };
            let value = match secret {
                None => draft.values[*at].clone(),
                Some((_, secret)) => cx.writer.vault.seal(self.plan.sealed_column(rule, *at)?, &key, secret)?,
            };
            earlier.push((number, sealed));
            values.push((field.column.name.clone(), value));
        }
        let dialect = cx.writer.dialect;
        let texts = rule.fields.iter().enumerate().map(|(at, field)| {
            let kind = field.column.kind;
            match change.fields.iter().position(|changed| *changed == at) {
                Some(place) => dialect.written(kind, &values[place].1).map(std::borrow::Cow::into_owned),
                None => dialect.text_of(kind, &change.cells[at]),
            }
        });
        let update = Update {
            rule,
            row_key: change.row_key.clone(),
            key: (columns.into_iter().map(str::to_owned).collect(), key),
            texts: texts.collect(),
            clock: draft.clock.clone(),
            cells: values,
            earlier,
            counted: one.counted,
            place,
            record: record.offset,
            file,
        };
        cx.writer.update_row(update)
    }
}

/// The key by which the ledger knows the row with these cells of a rule.
fn row_key(cx: &Context<'_>, rule: &CompiledRule, cells: &[Cell]) -> String {
    let dialect = cx.writer.dialect;
    let part = |at: &Option<usize>| match at {
        Some(at) => dialect.text_of(rule.fields[*at].column.kind, &cells[*at]),
        None => cells.get(rule.fields.len()).and_then(Cell::text),
    };
    ledger::row_key(rule.primary.iter().map(part).collect())
}
