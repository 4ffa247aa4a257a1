//! Rows of the target that an earlier import of the same tree made are in the way of records that it rejected before
//! it made them. So that a second import rejects these for the same reason, the database is asked what it would say
//! of them if those rows were not there.

use super::Resolver;
use super::earlier::stored_key;
use super::verdict::{Cause, Judged, RowFate, Verdict};
use crate::error::{Error, Result};
use crate::finding::{FileId, Finding, Place};
use crate::import::context::Context;
use crate::import::refused::rejections;
use crate::import::writer::NewRow;
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::model::Protection;
use crate::report::FileStatus;
use crate::row::Value;

impl Resolver<'_> {
    /// What becomes of a row of a rule that the rows with these keys are in the way of: columns and their values.
    pub(super) fn in_the_way_of(
        &mut self,
        cx: &mut Context<'_>,
        rule: &CompiledRule,
        keys: &[(Vec<&str>, Vec<Value>)],
        findings: Vec<Finding>,
    ) -> Result<Verdict> {
        for (columns, values) in keys {
            if !self.is_made_of_this_tree(cx, &rule.table.name, columns, values)? {
                return Ok(Verdict::Refused(findings));
            }
        }
        Ok(Verdict::InTheWay(findings))
    }

    /// Whether an earlier run made the row with this key of a file that this one reads.
    pub(super) fn is_made_of_this_tree(
        &mut self,
        cx: &mut Context<'_>,
        table: &str,
        columns: &[&str],
        key: &[Value],
    ) -> Result<bool> {
        Ok(self.made_of(cx, table, columns, key)?.is_some())
    }

    /// The file that this run reads of which an earlier run made the row with this key, and that file's number in the ledger.
    pub(super) fn made_of(
        &mut self,
        cx: &mut Context<'_>,
        table: &str,
        columns: &[&str],
        key: &[Value],
    ) -> Result<Option<(FileId, i64)>> {
        let name = cx.writer.transaction()?.row_name(table)?;
        let wanted: Vec<&str> = name.iter().map(String::as_str).collect();
        let mut found = cx.writer.transaction()?.find(table, columns, &wanted, &[key.to_vec()])?;
        let Some(cells) = found.pop().flatten().filter(|cells| !cells.is_empty()) else { return Ok(None) };
        let row_key = stored_key(self.plan, cx, table, (&name, &cells));
        if !self.earlier.made.contains_key(table) {
            let made = self.made_of_this_tree(cx, table)?;
            self.earlier.made.insert(table.to_owned(), made);
        }
        let made_of = self.earlier.made[table].get(&row_key).copied();
        Ok(made_of.filter(|(file, _)| cx.files[file.0 as usize].status != Some(FileStatus::Ignored)))
    }

    /// What the database says of the rows of a record that are new, or would be without the rows in their way.
    pub(super) fn replay(
        &mut self,
        cx: &mut Context<'_>,
        record: Place,
        drafts: &[Draft],
        judged: &[Judged],
    ) -> Result<Vec<Finding>> {
        let rules = &cx.plan.rules[cx.mapping];
        let is_tried =
            |draft: &Draft, one: &Judged| one.fate == RowFate::Inserted || (one.is_in_the_way && !draft.removes);
        let tried = || drafts.iter().zip(judged).enumerate().filter(|(_, (draft, one))| is_tried(draft, one));
        let of_rules: Vec<&CompiledRule> = tried().map(|(_, (draft, _))| &rules[draft.rule]).collect();
        if !cx.writer.may_reject(&of_rules)? {
            return Ok(Vec::new());
        }
        let sealed = cx.writer.vault.mark();
        let mut ids: Vec<Option<i64>> = judged.iter().map(|one| one.id).collect();
        let (mut given, mut rows) = (Vec::new(), Vec::new());
        for (at, (draft, _)) in tried() {
            let rule = &rules[draft.rule];
            if let (None, Some(column)) = (ids[at], &rule.generated_id) {
                ids[at] = cx.writer.next_id(rule, column)?;
                given.push(rule.table_number);
            }
            let mut values = draft.values.clone();
            for (field, above) in &draft.ids_above {
                values[*field] = ids[*above].map_or(Value::Null, Value::Integer);
            }
            rows.push(self.new_row(cx, (rule, draft), values, ids[at], record)?);
        }
        let refused = cx.writer.would_reject(rows)?;
        given.into_iter().for_each(|table| cx.writer.return_id(table));
        cx.writer.vault.back_to(sealed);
        Ok(rejections(cx, &refused, &[])?.into_values().flatten().collect())
    }

    /// What the database says of the new rows of a record that is rejected already; nothing is changed.
    pub(crate) fn would_be_rejected(
        &mut self,
        cx: &mut Context<'_>,
        record: Place,
        drafts: &mut [Draft],
    ) -> Result<Vec<Finding>> {
        let mark = self.mark();
        let decision = self.decide(cx, record, drafts)?;
        let found = match decision.refused.is_empty() {
            true => self.replay(cx, record, drafts, &decision.judged)?,
            false if decision.cause == Cause::Database => decision.refused,
            false => Vec::new(),
        };
        self.back_to(cx, mark);
        Ok(found)
    }

    /// A row with its secrets sealed.
    pub(super) fn new_row<'r>(
        &self,
        cx: &mut Context<'r>,
        (rule, draft): (&'r CompiledRule, &Draft),
        mut values: Vec<Value>,
        id: Option<i64>,
        record: Place,
    ) -> Result<NewRow<'r>> {
        for (at, secret) in &draft.secrets {
            values[*at] = if rule.fields[*at].protection == Some(Protection::Hash) {
                cx.writer.vault.hash(secret)?
            } else {
                let key = rule.key_of(&values).ok_or_else(|| Error::bug("a rule that seals has no key"))?;
                cx.writer.vault.seal(self.plan.sealed_column(rule, *at)?, &key, secret)?
            };
        }
        let place = Place { offset: draft.at, ..record };
        Ok(NewRow { rule, values, id, place, record: record.offset, clock: draft.clock.clone() })
    }
}
