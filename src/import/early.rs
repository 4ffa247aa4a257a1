//! Rows of records that are made before the turn of their file, by those who look ahead: as far as they ask for no
//! other rows. It depends on the file, its mapping and its owner alone.

use crate::import::leaves::holds_secret;
use crate::import::look::Shaped;
use crate::import::made::Made;
use crate::import::plan::Plan;
use crate::import::shaping::{PathTables, record_scope};
use crate::mapping::apply::{Claim, Draft, Mapped, Owner, Trace, apply};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::keyindex::KeyIndex;
use crate::mapping::order::Turn;
use crate::mapping::usage::MapEntries;
use crate::row::Value;
use crate::secret::proof::LeakSearch;
use jiff::Timestamp;
use std::sync::Arc;

/// The turns in which a mapping makes rows, with its rules.
type Turns<'p> = Vec<(Turn, Vec<&'p CompiledRule>)>;

/// What rows are made with before their file's turn.
#[derive(Clone)]
pub(crate) struct Early<'p> {
    plan: &'p Plan,
    started: Timestamp,
    /// By mapping.
    turns: Arc<Vec<Turns<'p>>>,
    /// What rows are searched for, where they are new.
    search: Arc<LeakSearch>,
    /// By the number of the table, whether all of its rows are new.
    is_new: Arc<Vec<bool>>,
}

impl<'p> Early<'p> {
    /// Rows are searched with `search` where their table `is_new`, by its number.
    pub(crate) fn new(plan: &'p Plan, started: Timestamp, search: Arc<LeakSearch>, is_new: Vec<bool>) -> Self {
        let turns_of = |rules: &'p Vec<CompiledRule>| {
            let turns = plan.order.turns().into_iter().map(|turn| (turn, plan.order.rules_of(rules, turn)));
            turns.filter(|(_, rules)| !rules.is_empty()).collect()
        };
        let turns = plan.rules.iter().map(turns_of).collect();
        Self { plan, started, turns: Arc::new(turns), search, is_new: Arc::new(is_new) }
    }

    /// Makes the rows of a file that was looked at. Where names share paths, what is known of these depends on who met
    /// which name first: then none are made.
    pub(crate) fn make(
        &self,
        paths: &mut PathTables,
        (file, number): (usize, usize),
        owner: Option<&Arc<Owner>>,
        shaped: &mut Shaped,
    ) -> Option<Made> {
        let mapping = &self.plan.set.mappings[number];
        if mapping.source.shapes[shaped.shape].ignore.is_some() || shaped.records.is_none() {
            return None;
        }
        paths.number(number, mapping, shaped);
        if paths.shares(number, shaped.shape) {
            return None;
        }
        let shape = &mapping.source.shapes[shaped.shape];
        let mut table = paths.take(number, mapping, shaped.shape);
        table.declared.learn(Doc::Record, &table.record);
        let (entries, context) =
            (MapEntries::default(), self.plan.file_context(file, owner.map(Arc::as_ref), self.started));
        let trace = self.plan.has_maps[number].then_some(&entries as &dyn Trace);
        let mut memory = 0;
        let mut rows_of = |rules: &[&CompiledRule], record| {
            let unknown = None::<&KeyIndex>;
            let scope = record_scope(&context, &table.declared, unknown, shape, record, &shaped.frame, trace);
            let mut mapped = apply(&self.plan.set, rules, &shape.name, &scope);
            mapped.drafts.iter_mut().for_each(|draft| self.search(number, draft));
            memory += mapped.drafts.iter().map(memory_of).sum::<usize>() + size_of::<Mapped>();
            mapped
        };
        let records = || shaped.records.iter().flatten();
        let of_turn =
            |(turn, rules): &(Turn, Vec<_>)| (*turn, records().map(|record| rows_of(rules, record)).collect());
        let turns = self.turns[number].iter().map(of_turn).collect();
        paths.put_back(number, shaped.shape, table);
        Some(Made { turns, entries: entries.into_inner(), owner: owner.cloned(), memory })
    }

    /// Searches a row that will be new for secrets.
    fn search(&self, number: usize, draft: &mut Draft) {
        let table = self.plan.rules[number][draft.rule].table_number;
        if self.search.is_empty() || !self.is_new.get(table).copied().unwrap_or_default() {
            return;
        }
        let found = (0..draft.values.len()).filter(|at| holds_secret(&self.search, &draft.values[*at]));
        let given_later = draft.ids_above.iter().map(|(field, _)| *field);
        draft.unsearched = Some(found.chain(given_later).chain(draft.unmade()).collect());
    }
}

/// About how many bytes of memory a row takes.
fn memory_of(draft: &Draft) -> usize {
    let texts = draft.values.iter().map(|value| match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    });
    size_of::<Draft>()
        + draft.values.len() * size_of::<Value>()
        + draft.claims.capacity() * size_of::<Claim>()
        + texts.sum::<usize>()
}
