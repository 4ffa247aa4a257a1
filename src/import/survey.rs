//! Reading files for one thing before their rows are made: which record of each key is the last one, where a rule
//! says that it counts.

use crate::error::Result;
use crate::import::chunk::Chunk;
use crate::import::file::{Pass, Reading};
use crate::import::files::file_id;
use crate::import::pipeline::Files;
use crate::import::resolve::Candidate;
use crate::import::run::Import;
use crate::import::shaping::{PathTable, record_scope};
use crate::mapping::apply::{Owner, keys};
use crate::mapping::compile::CompiledRule;
use crate::mapping::model::OnDuplicate;
use crate::mapping::order::Turn;

impl Import<'_> {
    /// Notes the last record of each key, for the rules of a turn where that one counts.
    pub(super) fn note_lasts(&mut self, turn: Turn, files: &Files, owner: Option<&Owner>) -> Result<()> {
        let plan = self.plan;
        self.resolver.begin_lasts();
        for (mapping, of_mapping) in files {
            let rules = with_parents(&plan.order.rules_of(&plan.rules[*mapping], turn), |rule| {
                rule.model(&plan.set).on_duplicate == OnDuplicate::Last
            });
            if rules.is_empty() {
                continue;
            }
            for file in of_mapping {
                self.heed_signals()?;
                let is_known = self.rejects.known_file(file_id(*file)).is_some();
                if self.files[*file].status.is_none() && !is_known {
                    self.mapping = *mapping;
                    self.read_file(*file, turn, &rules, owner, Pass::Lasts)?;
                }
            }
        }
        Ok(())
    }

    /// Notes the keys of the records of a chunk.
    pub(super) fn note_chunk(&mut self, reading: &Reading, table: &PathTable, chunk: &Chunk) {
        let plan = self.plan;
        let shape = &plan.set.mappings[self.mapping].source.shapes[reading.shaped.shape];
        let records = chunk.records.iter().map(|held| &held.record);
        for record in records.filter(|record| record.tape.broken().is_empty()) {
            if self.rejects.known(reading.place(record.span.start), false).is_some() {
                continue;
            }
            let (index, frame) = (&self.resolver.index, &reading.shaped.frame);
            let scope = record_scope(&reading.context, &table.declared, index, shape, record, frame, None);
            let drafts = keys(&plan.set, reading.rules, &shape.name, &scope);
            for draft in &drafts {
                self.resolver.note_last(Candidate::new(&plan.rules[self.mapping], draft, reading.context.id));
            }
        }
    }
}

/// The rules that count, and those on whose rows theirs hang.
fn with_parents<'r>(rules: &[&'r CompiledRule], counts: impl Fn(&CompiledRule) -> bool) -> Vec<&'r CompiledRule> {
    let mut wanted: Vec<usize> = rules.iter().filter(|rule| counts(rule)).map(|rule| rule.rule).collect();
    let mut next = wanted.clone();
    while let Some(rule) = next.pop().and_then(|at| rules.iter().find(|rule| rule.rule == at)) {
        let parent = rule.parent.filter(|parent| !wanted.contains(parent));
        wanted.extend(parent);
        next.extend(parent);
    }
    rules.iter().copied().filter(|rule| wanted.contains(&rule.rule)).collect()
}
