//! Which row is asked for, among those that one record or element makes.

use crate::database::Dialect;
use crate::database::ledger::{Turn, row_key};
use crate::import::plan::Plan;
use crate::import::resolve::verdict::RowFate;
use crate::import::watch::Seen;
use crate::mapping::apply::Draft;

/// A row as the ledger knows it.
#[derive(Debug)]
pub struct AskedRow {
    /// The table.
    pub table: String,
    /// Where the record or element that made it begins in the file.
    pub at: u64,
    /// Its primary key, as the ledger writes it.
    pub row_key: String,
    /// Its place among the rows that were made of the same.
    pub turn: Turn,
    /// How the ledger's database writes values.
    pub dialect: Dialect,
}

/// What makes a row, told apart from all others of its record: several may be made of one element, part by part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowId {
    /// The rule's index in its mapping.
    pub rule: usize,
    /// Where the record or element begins in the file.
    pub at: u64,
    /// The place of the element, or of a part of it, in its selection.
    position: i64,
    /// The rows above it, by their index among those of the record.
    parent: Option<usize>,
    above: Option<usize>,
}

impl RowId {
    /// That of a row.
    pub(super) fn of(draft: &Draft) -> Self {
        let Draft { rule, at, position, parent, above, .. } = *draft;
        Self { rule, at, position, parent, above }
    }
}

impl AskedRow {
    /// The rows of a record among which the one is that is asked for: one, where the key or the order of writing tells it.
    pub(super) fn among(&self, plan: &Plan, mapping: usize, seen: &Seen<'_>) -> Vec<RowId> {
        let drafts = seen.mapped.drafts.iter().zip(seen.fates);
        let is_candidate =
            |draft: &Draft| draft.at == self.at && plan.rules[mapping][draft.rule].table.name == self.table;
        let candidates: Vec<(&Draft, RowFate)> =
            drafts.filter(|(draft, _)| is_candidate(draft)).map(|(draft, fate)| (draft, *fate)).collect();
        let keys = candidates.iter().map(|(draft, _)| self.key_of(plan, mapping, draft)).collect::<Option<Vec<_>>>();
        let ids = |chosen: &dyn Fn(usize) -> bool| {
            let all = candidates.iter().enumerate().filter(|(at, _)| chosen(*at));
            all.map(|(_, (draft, _))| RowId::of(draft)).collect::<Vec<_>>()
        };
        if let Some(keys) = keys {
            let of_key = ids(&|at| keys[at] == self.row_key);
            return if of_key.is_empty() { ids(&|_| true) } else { of_key };
        }
        let written: Vec<usize> =
            (0..candidates.len()).filter(|&at| matches!(candidates[at].1, RowFate::Inserted)).collect();
        match written.get(self.turn.before as usize) {
            Some(&one) if written.len() as u64 == self.turn.of => ids(&|at| at == one),
            _ => ids(&|_| true),
        }
    }

    /// The primary key of a row as the ledger writes it; none where the database gives a part of it.
    fn key_of(&self, plan: &Plan, mapping: usize, draft: &Draft) -> Option<String> {
        let rule = &plan.rules[mapping][draft.rule];
        let part = |column: &str| {
            let field = rule.field(column)?;
            let text = self.dialect.written(rule.fields[field].column.kind, &draft.values[field])?;
            Some(Some(text.into_owned()))
        };
        let parts: Vec<Option<String>> = rule.table.primary_key().into_iter().map(part).collect::<Option<_>>()?;
        (!parts.is_empty()).then(|| row_key(parts))
    }
}
