//! Reading one file in one turn: looked at, then its records chunk by chunk.

use crate::document::tape::{Kind, Tape};
use crate::error::Result;
use crate::finding::{FILE_BLANK_IGNORED, Finding, Place, VALUE_TIME};
use crate::import::chunk::Chunk;
use crate::import::file::{Pass, Reading};
use crate::import::files::{Why, file_id};
use crate::import::leaves::sheet::Sheet;
use crate::import::look::{self, Looked, Shaped, look};
use crate::import::record::errors;
use crate::import::run::{Import, Parts};
use crate::import::shaping::{PathTable, record_scope};
use crate::import::supply::Supply;
use crate::import::taken::OfFile;
use crate::import::watch::Watch;
use crate::instant::Instant;
use crate::mapping::apply::{Owner, Trace, apply, complete, follow, time_of};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::model::{Format, Mapping};
use crate::mapping::order::Turn;
use crate::report::FileStatus;
use crate::source::{self, Opened, Record};
use std::sync::Arc;

impl Import<'_> {
    /// Reads a file for the rules of one turn.
    pub(crate) fn read_file(
        &mut self,
        file: usize,
        turn: Turn,
        rules: &[&CompiledRule],
        owner: Option<&Owner>,
        pass: Pass,
    ) -> Result<()> {
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        if let Some(findings) = self.rejects.known_file(file_id(file)).cloned() {
            self.readers.forget(plan, [file].into_iter());
            return self.reject_file(file, findings);
        }
        if mapping.source.format == Format::Lines {
            return self.read_lines(file, turn, rules, owner, pass);
        }
        let looked = match self.files[file].take_shaped() {
            Some(shaped) => Ok((shaped, None)),
            None => self.look(file, self.mapping),
        };
        let (mut shaped, opened) = match looked {
            Ok(looked) => looked,
            Err(_) if pass == Pass::Lasts => return Ok(()),
            Err(findings) => return self.broken(file, mapping, findings),
        };
        if pass != Pass::Lasts {
            self.learn_shape(file, mapping, &shaped);
        }
        let kept = shaped.records.take().or_else(|| self.shelf.take(file));
        let made = if pass == Pass::Lasts { None } else { self.shelf.take_made(file) };
        let mut made = made.filter(|made| kept.is_some() && made.is_for(owner));
        let shape = shaped.shape;
        self.files[file].belongs_to(owner.and_then(|owner| self.resolver.owners.number(&owner.id)));
        self.files[file].count(|counts| counts.records = 0);
        if let Some(reason) = &mapping.source.shapes[shape].ignore {
            if pass == Pass::Lasts {
                self.files[file].unfinished().shaped = Some(shaped);
                return Ok(());
            }
            self.files[file].ignore(&mapping.title_of(shape), reason);
            return Ok(());
        }
        let context = plan.file_context(file, owner, self.started);
        let frame_sheet = Sheet::new(shaped.frame.len());
        let may_reject = self.writer.may_reject(rules)?;
        let of_turn = made.as_mut().and_then(|made| {
            self.leaves.entries.add(made.take_entries());
            made.take(turn)
        });
        let (last_names, line, of_turn) = (Vec::new(), 0, of_turn.unwrap_or_default().into_iter());
        let mut reading = Reading {
            file,
            pass,
            turn,
            rules,
            context,
            shaped,
            frame_sheet,
            may_reject,
            last_names,
            made: of_turn,
            line,
        };
        let is_last = pass != Pass::Lasts && plan.turns_of(self.mapping).1 == turn;
        let is_taken = plan.taken.part_of(file).is_none();
        let gathered = match kept {
            Some(records) => Some(self.read_records(&mut reading, Supply::kept(records), !is_last && is_taken)?),
            None => {
                self.read_from_file(&mut reading, opened)?;
                None
            }
        };
        if self.files[file].status == Some(FileStatus::Rejected) {
            return Ok(()); // nothing of it counts
        }
        if let Some(records) = gathered.filter(|_| !is_last && is_taken) {
            self.shelf.keep(file, records);
            made.into_iter().for_each(|made| self.shelf.keep_made(file, made));
        }
        if is_last {
            if pass == Pass::Rows {
                let Parts { resolver, leaves, rejects, mut cx } = self.parts();
                resolver.report_left_over(&mut cx, file)?;
                let has_records = cx.files[file].counts().records > 0;
                let (undecided, rejected) = leaves.account_frame(&mut cx, &mut reading, has_records || !is_taken);
                let findings = undecided.findings().into_iter();
                findings.for_each(|findings| rejects.note_undecided((file_id(file), u64::MAX), findings));
                self.keep_frame(file, rejected)?;
            }
            self.files[file].status.get_or_insert(FileStatus::Imported);
            self.files[file].finish();
        } else if pass == Pass::Lasts {
            self.files[file].unfinished().shaped = Some(reading.shaped);
        } else {
            let earlier = self.files[file].take_sheet(0);
            earlier.iter().for_each(|earlier| reading.frame_sheet.merge(earlier));
            let unfinished = self.files[file].unfinished();
            unfinished.sheets.insert(0, Arc::new(reading.frame_sheet));
            unfinished.shaped = Some(reading.shaped);
        }
        Ok(())
    }

    /// Takes a file that cannot be read or is broken: it is named, and nothing of it is written.
    pub(super) fn reject_file(&mut self, file: usize, findings: Vec<Finding>) -> Result<()> {
        let source = &self.plan.tree.files[file];
        let mapping = &self.plan.set.mappings[self.mapping];
        let place = source.place(0);
        if self.files[file].status == Some(FileStatus::Rejected) {
            return Ok(()); // later findings follow from the first
        }
        // What was read ahead counts as written.
        let rows_written =
            self.files[file].ledger.is_some() || (self.ahead.is_it && self.files[file].counts().records > 0);
        if self.plan.feeds_owners(self.mapping) {
            let at = findings.first().and_then(|finding| finding.place).unwrap_or(place);
            self.resolver.owners.lose(file_id(file), at);
        }
        // Its records that were rejected before are part of it.
        self.rejects.count = self.rejects.count + 1 - self.files[file].counts().rejected;
        self.files[file].reject(findings.first().map(|finding| Arc::new(Why::rejected(finding.code.title))));
        let findings: Vec<Finding> = findings.into_iter().map(|finding| finding.about(mapping.name.clone())).collect();
        if rows_written {
            // It changed while it was read: its rows are rolled back with the run.
            self.rejects.note_late_file(place.file, findings.clone());
        }
        if !self.keep_part(file)? {
            let Parts { rejects, cx, .. } = self.parts();
            rejects.keep_file(&cx, file, &findings)?;
        }
        self.watching().iter().for_each(|watch| watch.broken(file, &findings));
        self.rejects.errors += errors(&findings);
        self.findings.extend(findings);
        Ok(())
    }

    /// The first look at a file, once for all of its turns.
    pub(super) fn look(&mut self, file: usize, number: usize) -> Result<Looked, Vec<Finding>> {
        let (source, mapping) = (&self.plan.tree.files[file], &self.plan.set.mappings[number]);
        let seen = self.readers.take(self.plan, file);
        let (mut shaped, opened) =
            seen.unwrap_or_else(|| look(source, self.plan.limits(number, self.options.max_depth), mapping))?;
        self.leaves.paths.number(number, mapping, &mut shaped);
        let made = shaped.made.take().filter(|_| !self.leaves.paths.shares(number, shaped.shape));
        made.into_iter().for_each(|made| self.shelf.keep_made(file, made));
        Ok((shaped, opened))
    }

    fn learn_shape(&mut self, file: usize, mapping: &Mapping, shaped: &Shaped) {
        let is_first = self.files[file].shape().is_none();
        if is_first {
            self.findings.extend(shaped.notes.iter().cloned().map(|note| note.about(mapping.name.clone())));
        }
        self.files[file].learn(shaped);
        if is_first && self.plan.taken.part_of(file).is_some() {
            self.files[file].count(|counts| counts.leaves.seen = 0); // those of the records that are taken count
        }
        self.note_digest(file, shaped.sha256);
    }

    /// A file of nothing but whitespace may mean that nothing is lost; every other broken file is rejected.
    pub(super) fn broken(&mut self, file: usize, mapping: &Mapping, findings: Vec<Finding>) -> Result<()> {
        let Some(reason) = mapping.excuse(&findings) else { return self.reject_file(file, findings) };
        self.files[file].ignore(&format!("{} (blank)", mapping.name), reason);
        let note = Finding::new(&FILE_BLANK_IGNORED, "the file is empty or only whitespace")
            .at(self.plan.tree.files[file].place(0));
        self.findings.push(note.about(mapping.name.clone()));
        Ok(())
    }

    /// Reads the records of a file that are not at hand.
    fn read_from_file(&mut self, reading: &mut Reading, opened: Option<Opened>) -> Result<()> {
        let (file, mapping) = (reading.file, &self.plan.set.mappings[self.mapping]);
        let selection = mapping.source.shapes[reading.shaped.shape].records.as_ref();
        let limits = self.plan.limits(self.mapping, self.options.max_depth);
        let open = || {
            let source = &self.plan.tree.files[file];
            source.unchanged().and_then(|()| look::open(source, limits, mapping))
        };
        let opened = opened.map_or_else(open, Ok);
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(_) if reading.pass == Pass::Lasts => return Ok(()),
            Err(finding) => return self.broken(file, mapping, vec![finding]),
        };
        match Supply::of(&mut opened, selection) {
            Ok(records) => _ = self.read_records(reading, records, false)?,
            Err(_) if reading.pass == Pass::Lasts => {}
            Err(finding) => self.reject_file(file, vec![finding])?,
        }
        match opened.unchanged() {
            Ok(()) => Ok(()),
            Err(_) if reading.pass == Pass::Lasts => Ok(()),
            Err(finding) => self.reject_file(file, vec![finding]),
        }
    }

    /// Takes a file's records in; gives them back where its next turn needs them.
    pub(super) fn read_records(
        &mut self,
        reading: &mut Reading,
        mut from: Supply<'_>,
        again: bool,
    ) -> Result<Vec<Record>> {
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        let sensitive = plan.has_secrets(self.mapping);
        let alone = reading.pass != Pass::Lasts && plan.looks_up_own_rows(reading.rules);
        let mut chunk = Chunk::new(from.at_hand(), alone);
        let part = plan.taken.part_of(reading.file);
        let mut gathered = Vec::new();
        // The table is taken out while the file is read, so that the run stays free for use.
        let mut table = self.leaves.paths.take(self.mapping, mapping, reading.shaped.shape);
        let read = (|| loop {
            self.heed_signals()?;
            let next = from.next(sensitive, &mut table.record);
            let is_last = !matches!(next, Ok(Some(_)));
            let fault = match next {
                Ok(Some(mut record)) => {
                    record.number |= reading.frame_number();
                    match part {
                        None => chunk.add(record, reading.made.next()),
                        Some(part) => self.add_part(reading, part, &mut table, record, &mut chunk)?,
                    }
                    None
                }
                Ok(None) => None,
                Err(finding) => Some(finding),
            };
            if chunk.is_full() || is_last {
                self.take_chunk(reading, &mut table, &mut chunk)?;
                if again { gathered.extend(chunk.empty()) } else { from.reuse(chunk.empty()) }
            }
            match fault {
                Some(_) if reading.pass == Pass::Lasts => return Ok(()),
                Some(finding) => return self.reject_file(reading.file, vec![finding]),
                None if is_last => return Ok(()),
                None => {}
            }
        })();
        self.leaves.paths.put_back(self.mapping, reading.shaped.shape, table);
        read.map(|()| gathered)
    }

    /// Takes a record of a file in of which not all are taken.
    fn add_part(
        &mut self,
        reading: &Reading,
        part: &OfFile,
        table: &mut PathTable,
        record: Record,
        chunk: &mut Chunk,
    ) -> Result<()> {
        let is_told = reading.pass == Pass::Rows && self.plan.turns_of(self.mapping).0 == reading.turn;
        let names = record.names.clone();
        match self.take_part((reading.file, reading.shaped.shape, is_told), part, record)? {
            Some((mut record, reject)) => {
                record.tape.number_paths(&mut table.record);
                chunk.add_again(record, reject);
            }
            None => chunk.pass(names),
        }
        Ok(())
    }

    /// Maps the records of a chunk, decides what becomes of their rows, and accounts for their leaves.
    pub(super) fn take_chunk(&mut self, reading: &mut Reading, table: &mut PathTable, chunk: &mut Chunk) -> Result<()> {
        table.declared.learn(Doc::Record, &table.record);
        if reading.pass == Pass::Lasts {
            self.note_chunk(reading, table, chunk);
            return Ok(());
        }
        self.map(reading, table, chunk);
        self.decide(reading, chunk)?;
        for held in &mut chunk.records {
            if reading.pass == Pass::Ahead {
                self.take_ahead(reading, held);
            } else {
                self.take_record(reading, table, held)?;
            }
        }
        Ok(())
    }

    /// Makes rows of the records of a chunk.
    fn map(&mut self, reading: &Reading, table: &PathTable, chunk: &mut Chunk) {
        let plan = self.plan;
        let shape = &plan.set.mappings[self.mapping].source.shapes[reading.shaped.shape];
        let watch = self.watching().filter(|watch| watch.follows(reading.file));
        let maps = plan.has_maps[self.mapping].then_some(&self.leaves.entries as &dyn Trace);
        let trace = watch.and_then(Watch::trace).or(maps);
        let (frame, index) = (&reading.shaped.frame, &self.resolver.index);
        for held in &mut chunk.records {
            let record = &held.record;
            if !held.is_made || !held.mapped.is_complete() {
                let scope = record_scope(&reading.context, &table.declared, index, shape, record, frame, trace);
                if held.is_made {
                    complete(&plan.set, reading.rules, &shape.name, &scope, &mut held.mapped);
                } else {
                    held.mapped = apply(&plan.set, reading.rules, &shape.name, &scope);
                }
            }
            watch.inspect(|watch| watch.made(record.number));
            held.earlier = self.files[reading.file].take_sheet(record.number);
        }
    }

    /// The time by which a file is newer than another: the first of the mapping's `newest` that is
    /// present. What is wrong with the file is reported when it is read.
    pub fn time_of(&mut self, file: usize, number: usize) -> Option<Instant> {
        let mapping = &self.plan.set.mappings[number];
        let (mut shaped, opened) = self.look(file, number).ok()?;
        let is_whole = mapping.source.shapes[shaped.shape].records.is_none();
        let kept = shaped.records.take();
        let read = match &kept {
            None if is_whole => source::records(&mut opened?, None).ok()?.take(Tape::new(true)).ok()?,
            _ => None,
        };
        let whole = kept.iter().flatten().chain(&read).next().filter(|_| is_whole);
        let root = whole.map_or(&shaped.frame, |record| &record.tape).root();
        let mut present = mapping.source.newest.iter().filter_map(|path| follow(root, path));
        let written =
            present.find(|node| node.kind() != Kind::Null && !(node.kind() == Kind::String && node.text().is_empty()));
        let time = written.and_then(|node| time_of(node, self.plan.newest.as_ref()?));
        let unread = written.filter(|_| time.is_none()).map(|node| Place { file: file_id(file), offset: node.at() });
        self.files[file].unfinished().shaped = Some(shaped);
        if let Some(records) = kept {
            self.shelf.keep(file, records);
        }
        if let Some(place) = unread {
            let message = "this cannot be read as a time, so the file counts as the oldest";
            self.findings.push(Finding::new(&VALUE_TIME, message).at(place).about(mapping.name.clone()));
        }
        time
    }
}
