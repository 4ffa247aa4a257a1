//! Reading files for one thing before their rows are made: which record of each key is the last one, where a rule
//! says that it counts.

use crate::error::Result;
use crate::import::files::file_id;
use crate::import::look::{self, Looked, Shaped};
use crate::import::pipeline::Files;
use crate::import::readers::LineSupply;
use crate::import::resolve::Candidate;
use crate::import::run::Import;
use crate::import::shaping::{PathTable, record_scope};
use crate::import::supply::Supply;
use crate::mapping::apply::{FileContext, Owner, apply};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::model::{Format, OnDuplicate};
use crate::mapping::order::Turn;
use crate::source::{self, Record};

impl Import<'_> {
    /// Notes the last record of each key, for the rules of a turn where that one counts.
    pub(super) fn note_lasts(&mut self, turn: Turn, files: &Files, owner: Option<&Owner>) -> Result<()> {
        let plan = self.plan;
        let counts = |rule: &&CompiledRule| rule.model(&plan.set).on_duplicate == OnDuplicate::Last;
        self.resolver.begin_lasts();
        for (mapping, of_mapping) in files {
            // All rules of the turn: a record that one of them rejects makes no row.
            let rules = plan.order.rules_of(&plan.rules[*mapping], turn);
            if !rules.iter().any(counts) {
                continue;
            }
            for file in of_mapping {
                self.heed_signals()?;
                let is_known = self.rejects.known.contains_key(&(file_id(*file), u64::MAX));
                if self.files[*file].status.is_none() && !is_known {
                    self.mapping = *mapping;
                    self.survey_file(*file, &rules, owner)?;
                }
            }
        }
        Ok(())
    }

    /// What is wrong with the file is reported when its rows are made.
    fn survey_file(&mut self, file: usize, rules: &[&CompiledRule], owner: Option<&Owner>) -> Result<()> {
        let (plan, number) = (self.plan, self.mapping);
        let context = plan.file_context(file, owner, self.started);
        if plan.set.mappings[number].source.format == Format::Lines {
            return self.survey_lines(file, rules, &context);
        }
        let looked = match self.files[file].take_shaped() {
            Some(shaped) => Ok((shaped, None)),
            None => self.look(file, number),
        };
        let Ok((mut shaped, opened)) = looked else { return Ok(()) };
        let kept = shaped.records.take().or_else(|| self.shelf.take(file));
        match kept {
            Some(records) => {
                self.survey_kept(rules, &context, &shaped, &records);
                self.shelf.keep(file, records);
            }
            None => self.survey_opened(rules, &context, (&shaped, opened), 0)?,
        }
        self.files[file].unfinished().shaped = Some(shaped);
        Ok(())
    }

    fn survey_lines(&mut self, file: usize, rules: &[&CompiledRule], context: &FileContext<'_>) -> Result<()> {
        let (plan, number, depth) = (self.plan, self.mapping, self.options.max_depth);
        let limits = plan.limits(number, depth);
        let opened = source::open(&plan.tree.files[file], limits);
        let Ok(mut supply) = opened.and_then(|opened| LineSupply::of(opened, number)) else { return Ok(()) };
        let mut count = 0;
        while let Ok(Some(seen)) = self.readers.next_lines(plan, depth, &mut supply) {
            self.heed_signals()?;
            for line in seen.lines {
                count += 1;
                let Ok((mut shaped, opened)): Result<Looked, _> = line.looked else { continue };
                self.leaves.paths.number(number, &plan.set.mappings[number], &mut shaped);
                match shaped.records.take() {
                    Some(mut records) => {
                        let is_line = plan.set.mappings[number].source.shapes[shaped.shape].records.is_none();
                        let in_line = |record: &Record| if is_line { 0 } else { record.number };
                        records.iter_mut().for_each(|record| record.number = Record::of_line(count, in_line(record)));
                        self.survey_kept(rules, context, &shaped, &records);
                    }
                    None => self.survey_opened(rules, context, (&shaped, opened), count)?,
                }
            }
        }
        Ok(())
    }

    fn survey_kept(&mut self, rules: &[&CompiledRule], context: &FileContext<'_>, shaped: &Shaped, records: &[Record]) {
        let mapping = &self.plan.set.mappings[self.mapping];
        let mut table = self.leaves.paths.take(self.mapping, mapping, shaped.shape);
        records.iter().for_each(|record| self.survey_record(rules, context, shaped, &mut table, record));
        self.leaves.paths.put_back(self.mapping, shaped.shape, table);
    }

    fn survey_opened(
        &mut self,
        rules: &[&CompiledRule],
        context: &FileContext<'_>,
        (shaped, opened): (&Shaped, Option<source::Opened>),
        line: u64,
    ) -> Result<()> {
        let (plan, number) = (self.plan, self.mapping);
        let mapping = &plan.set.mappings[number];
        let limits = plan.limits(number, self.options.max_depth);
        let file = &plan.tree.files[context.id.0 as usize];
        let opened = opened.map_or_else(|| look::open(file, limits, mapping), Ok);
        let Ok(mut opened) = opened else { return Ok(()) };
        let selection = mapping.source.shapes[shaped.shape].records.as_ref();
        let Ok(mut from) = Supply::of(&mut opened, selection) else { return Ok(()) };
        let mut table = self.leaves.paths.take(number, mapping, shaped.shape);
        while let Ok(Some(mut record)) = from.next(limits.sensitive, &mut table.record) {
            record.number |= Record::of_line(line, 0);
            self.survey_record(rules, context, shaped, &mut table, &record);
            from.reuse([record]);
            self.heed_signals()?;
        }
        self.leaves.paths.put_back(number, shaped.shape, table);
        Ok(())
    }

    fn survey_record(
        &mut self,
        rules: &[&CompiledRule],
        context: &FileContext<'_>,
        shaped: &Shaped,
        table: &mut PathTable,
        record: &Record,
    ) {
        let plan = self.plan;
        let shape = &plan.set.mappings[self.mapping].source.shapes[shaped.shape];
        let is_known = self.rejects.known.contains_key(&(context.id, record.span.start));
        if shape.ignore.is_some() || is_known || !record.tape.broken().is_empty() {
            return;
        }
        table.declared.learn(Doc::Record, &table.record);
        let mapped = {
            let (index, frame) = (&self.resolver.index, &shaped.frame);
            let scope = record_scope(context, &table.declared, index, shape, record, frame, None);
            apply(&plan.set, rules, &shape.name, &scope)
        };
        if mapped.faults.is_empty() {
            for draft in &mapped.drafts {
                self.resolver.note_last(Candidate::new(&plan.rules[self.mapping], draft, context.id));
            }
        }
    }
}
