//! Reading one file in one turn: skim, shape, records, rows, accounting.

use crate::document::name::NameLeaf;
use crate::document::tape::{Kind, Paths, Tape};
use crate::error::Result;
use crate::finding::{FILE_BLANK_IGNORED, FileId, Finding, Place, ROW_DANGLING, Severity, VALUE_TIME};
use crate::import::chunk::{Chunk, Held};
use crate::import::file::Reading;
use crate::import::files::file_id;
use crate::import::leaves::sheet::{Class, Mark, Sheet, Tally};
use crate::import::look::{Looked, Shaped, look};
use crate::import::owners::{Unread, owner_of};
use crate::import::resolve::verdict::RowFate;
use crate::import::run::{Import, Parts};
use crate::import::shaping::{PathTable, record_scope};
use crate::import::watch::{Seen, Watch};
use crate::instant::Instant;
use crate::mapping::apply::{Draft, Mapped, Owner, Trace, apply, follow};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::model::Mapping;
use crate::mapping::order::Turn;
use crate::report::FileStatus;
use crate::source::records::Records;
use crate::source::{self, Limits, Opened, Record, RecordRef};
use std::collections::HashMap;

impl Import<'_> {
    /// Reads a file for the rules of one turn.
    pub fn read_file(&mut self, file: usize, turn: Turn, rules: &[&CompiledRule], owner: Option<&Owner>) -> Result<()> {
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        if let Some(findings) = self.rejects.known.get(&(file_id(file), u64::MAX)) {
            return self.reject_file(file, findings.clone());
        }
        let looked = match self.files[file].shaped.take() {
            Some(shaped) => Ok((shaped, None)),
            None => self.look(file, self.mapping),
        };
        let (mut shaped, opened) = match looked {
            Ok(looked) => looked,
            Err(findings) => return self.broken(file, mapping, findings),
        };
        self.learn_shape(file, mapping, &shaped);
        let shape = shaped.shape;
        self.files[file].owner = owner.and_then(|owner| self.resolver.owners.number(&owner.id));
        self.files[file].records = 0;
        if let Some(reason) = &mapping.source.shapes[shape].ignore {
            self.files[file].status = Some(FileStatus::Ignored);
            self.files[file].what = Some(format!("{} ({})", mapping.name, mapping.source.shapes[shape].name));
            self.files[file].reason = Some(reason.clone());
            return Ok(());
        }
        let kept = shaped.records.take().or_else(|| self.shelf.take(file));
        let context = plan.file_context(file, owner, self.started);
        let frame_sheet = Sheet::new(shaped.frame.len());
        let may_reject = self.writer.may_reject(rules)?;
        let last_names = Vec::new();
        let mut reading = Reading { file, turn, rules, context, shaped, frame_sheet, may_reject, last_names };
        let is_last = plan.turns_of(self.mapping).1 == turn;
        let gathered = match kept {
            Some(records) => self.read_records(&mut reading, Source::Kept(records.into_iter()), !is_last)?,
            None => self.read_from_file(&mut reading, opened)?,
        };
        if self.files[file].status == Some(FileStatus::Rejected) {
            return Ok(()); // nothing of it counts
        }
        if !gathered.is_empty() {
            self.shelf.keep(file, gathered);
        }
        if is_last {
            let Parts { resolver, leaves, mut cx, .. } = self.parts();
            resolver.report_left_over(&mut cx, file)?;
            leaves.account_frame(&mut cx, &mut reading);
            self.files[file].status.get_or_insert(FileStatus::Imported);
            self.files[file].sheets = HashMap::new();
        } else {
            let earlier = self.files[file].sheets.remove(&0);
            earlier.iter().for_each(|earlier| reading.frame_sheet.merge(earlier));
            self.files[file].sheets.insert(0, reading.frame_sheet);
            self.files[file].shaped = Some(reading.shaped);
        }
        Ok(())
    }

    fn limits(&self, mapping: usize) -> Limits {
        Limits { depth: self.options.max_depth, sensitive: self.plan.has_secrets(mapping), ..Limits::default() }
    }

    /// Takes a file that cannot be read or is broken: it is named, and nothing of it is written.
    fn reject_file(&mut self, file: usize, findings: Vec<Finding>) -> Result<()> {
        let source = &self.plan.tree.files[file];
        let mapping = &self.plan.set.mappings[self.mapping];
        let place = source.place(0);
        if self.files[file].status == Some(FileStatus::Rejected) {
            return Ok(()); // later findings follow from the first
        }
        let rows_written = self.files[file].ledger.is_some();
        if self.plan.feeds_owners(self.mapping) {
            let at = findings.first().and_then(|finding| finding.place).unwrap_or(place);
            self.resolver.owners.lose(file_id(file), at);
        }
        self.files[file].shaped = None;
        self.files[file].sheets = HashMap::new();
        self.files[file].tally = Tally::default();
        self.files[file].status = Some(FileStatus::Rejected);
        self.files[file].reason = findings.first().map(|finding| finding.code.title.to_owned());
        // Its records that were rejected before are part of it.
        self.rejects.count = self.rejects.count + 1 - self.files[file].rejected;
        self.files[file].rejected = 1;
        let findings: Vec<Finding> = findings.into_iter().map(|finding| finding.about(mapping.name.clone())).collect();
        if rows_written {
            // It changed while it was read: its rows are rolled back with the run.
            self.rejects.late.insert((place.file, u64::MAX), findings.clone());
        }
        let Parts { rejects, cx, .. } = self.parts();
        rejects.keep_file(&cx, file, &findings)?;
        self.watch.iter().for_each(|watch| watch.broken(file, &findings));
        self.rejects.errors += errors(&findings);
        self.findings.extend(findings);
        Ok(())
    }

    /// The first look at a file, once for all of its turns.
    fn look(&mut self, file: usize, number: usize) -> Result<Looked, Vec<Finding>> {
        let (source, mapping) = (&self.plan.tree.files[file], &self.plan.set.mappings[number]);
        let seen = self.readers.take(file);
        let (mut shaped, opened) = seen.unwrap_or_else(|| look(source, self.limits(number), mapping))?;
        self.leaves.paths.number(number, mapping, &mut shaped);
        Ok((shaped, opened))
    }

    fn learn_shape(&mut self, file: usize, mapping: &Mapping, shaped: &Shaped) {
        if self.files[file].shape.is_none() {
            self.findings.extend(shaped.notes.iter().cloned().map(|note| note.about(mapping.name.clone())));
        }
        self.files[file].shape = Some(shaped.shape);
        self.files[file].sha256 = shaped.sha256;
        self.files[file].tally.leaves.seen = shaped.leaves;
    }

    /// A file of nothing but whitespace may mean that nothing is lost; every other broken file is rejected.
    fn broken(&mut self, file: usize, mapping: &Mapping, findings: Vec<Finding>) -> Result<()> {
        let Some(reason) = mapping.excuse(&findings) else { return self.reject_file(file, findings) };
        let state = &mut self.files[file];
        state.status = Some(FileStatus::Ignored);
        state.what = Some(format!("{} (blank)", mapping.name));
        state.reason = Some(reason.to_owned());
        let note = Finding::new(&FILE_BLANK_IGNORED, "the file is empty or only whitespace")
            .at(self.plan.tree.files[file].place(0));
        self.findings.push(note.about(mapping.name.clone()));
        Ok(())
    }

    /// Reads the records of a file that is too large to be kept.
    fn read_from_file(&mut self, reading: &mut Reading, opened: Option<Opened>) -> Result<Vec<Record>> {
        let (file, mapping) = (reading.file, &self.plan.set.mappings[self.mapping]);
        let selection = mapping.source.shapes[reading.shaped.shape].records.as_ref();
        let opened = opened.map_or_else(
            || source::open_as(&self.plan.tree.files[file], self.limits(self.mapping), mapping.source.format),
            Ok,
        );
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(finding) => return self.broken(file, mapping, vec![finding]).map(|()| Vec::new()),
        };
        match source::records(&mut opened, selection) {
            Ok(records) => _ = self.read_records(reading, Source::File(Box::new(records), Vec::new()), false)?,
            Err(finding) => self.reject_file(file, vec![finding])?,
        }
        if let Err(finding) = opened.unchanged() {
            self.reject_file(file, vec![finding])?;
        }
        Ok(Vec::new())
    }

    /// Takes a file's records in; gives them back where its next turn needs them.
    fn read_records(&mut self, reading: &mut Reading, mut from: Source<'_>, again: bool) -> Result<Vec<Record>> {
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        let sensitive = plan.has_secrets(self.mapping);
        let mut chunk = Chunk::new(plan.looks_up_own_rows(reading.rules));
        let mut gathered = Vec::new();
        // The table is taken out while the file is read, so that the run stays free for use.
        let mut table = self.leaves.paths.take(self.mapping, mapping, reading.shaped.shape);
        let read = (|| loop {
            self.heed_signals()?;
            let next = from.next(sensitive, &mut table.record);
            let is_last = !matches!(next, Ok(Some(_)));
            let fault = next.map(|record| record.into_iter().for_each(|record| chunk.add(record))).err();
            if chunk.is_full() || is_last {
                self.take_chunk(reading, &mut table, &mut chunk)?;
                if again { gathered.extend(chunk.empty()) } else { from.reuse(chunk.empty()) }
            }
            match fault {
                Some(finding) => return self.reject_file(reading.file, vec![finding]),
                None if is_last => return Ok(()),
                None => {}
            }
        })();
        self.leaves.paths.put_back(self.mapping, reading.shaped.shape, table);
        read.map(|()| gathered)
    }

    /// Maps the records of a chunk, decides what becomes of their rows, and accounts for their leaves.
    fn take_chunk(&mut self, reading: &mut Reading, table: &mut PathTable, chunk: &mut Chunk) -> Result<()> {
        table.declared.learn(Doc::Record, &table.record);
        self.map(reading, table, chunk);
        self.decide(reading, chunk)?;
        for held in &mut chunk.records {
            self.take_record(reading, table, held)?;
        }
        Ok(())
    }

    /// Makes rows of the records of a chunk.
    fn map(&mut self, reading: &Reading, table: &PathTable, chunk: &mut Chunk) {
        let plan = self.plan;
        let shape = &plan.set.mappings[self.mapping].source.shapes[reading.shaped.shape];
        let watch = self.watch.filter(|watch| watch.follows(reading.file));
        let maps = plan.has_maps[self.mapping].then_some(&self.leaves.entries as &dyn Trace);
        let trace = watch.and_then(Watch::trace).or(maps);
        let (frame, index) = (&reading.shaped.frame, &self.resolver.index);
        for held in &mut chunk.records {
            let record = held.record();
            let scope = record_scope(&reading.context, &table.declared, index, shape, &record, frame, trace);
            let mapped = apply(&plan.set, reading.rules, &shape.name, &scope);
            watch.inspect(|watch| watch.made(record.number));
            held.earlier = self.files[reading.file].sheets.remove(&record.number);
            held.mapped = mapped;
        }
    }

    /// Reports and counts what became of a record, and of each of its leaves.
    fn take_record(&mut self, reading: &mut Reading, table: &PathTable, held: &mut Held) -> Result<()> {
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        self.files[reading.file].records += 1;
        let whole = mapping.source.shapes[reading.shaped.shape].records.is_none();
        let (before, fates) = (held.was_rejected(), held.decision.fates());
        let place = reading.place(held.record().span.start);
        let Parts { resolver, mut cx, .. } = self.parts();
        resolver.settle(&mut cx, place, &held.mapped.drafts, &mut held.decision)?;
        let refused = std::mem::take(&mut held.decision.refused);
        let (record, mapped) = (&held.record(), &held.mapped);
        let watch = self.watch.filter(|watch| watch.follows(reading.file));
        let mut sheet = Sheet::new(record.tape.len());
        if before || !refused.is_empty() {
            self.count_rejected(place, mapped);
        } else {
            self.take_rows(place, mapped, &fates);
        }
        if !refused.is_empty() {
            // A record that was known to be bad is reported once, when it is read first.
            if !before {
                self.reject_record(reading, table, record, refused)?;
            }
            sheet.rejected = true;
        }
        let Parts { leaves, mut cx, .. } = self.parts();
        leaves.search_rows(&mut cx, reading, table, record, mapped, &fates);
        for i in reading.new_names(record.names) {
            sheet.claim_name(NameLeaf::OfRecord(i), Mark::default());
        }
        for name in &mapped.names {
            sheet.claim_name(*name, Mark::default());
        }
        for touch in &mapped.empty {
            leaves.mark(touch, Mark::of(Class::Column), &mut sheet, reading, whole);
        }
        for (draft, fate) in mapped.drafts.iter().zip(&fates) {
            let rule = &plan.rules[cx.mapping][draft.rule];
            leaves.count_columns(&mut cx, draft, *fate, place.file);
            for claim in &draft.claims {
                leaves.note_dropped(&mut cx, claim, record, &reading.shaped.frame, whole);
                let mark = leaves.claim_mark(rule, claim, *fate);
                leaves.mark(&claim.touch, mark, &mut sheet, reading, whole);
                watch.inspect(|watch| watch.claim(draft, claim, mark));
            }
        }
        for (draft, claim) in
            mapped.partial.iter().flat_map(|draft| draft.claims.iter().map(move |claim| (draft, claim)))
        {
            leaves.mark(&claim.touch, Mark::of(Class::Rejected), &mut sheet, reading, whole);
            watch.inspect(|watch| watch.claim(draft, claim, Mark::of(Class::Rejected)));
        }
        if let Some(watch) = watch {
            let (frame, frame_paths) = (&reading.shaped.frame, &*leaves.paths.frame(cx.mapping, mapping));
            watch.record(&Seen { record, frame, table, frame_paths, mapped, fates: &fates });
        }
        sheet.taken |= mapped.taken && (fates.is_empty() || fates.iter().any(|fate| fate.is_taken()));
        if let Some(earlier) = &held.earlier {
            sheet.merge(earlier);
        }
        if plan.turns_of(cx.mapping).1 == reading.turn {
            leaves.account_record(&mut cx, reading, table, record, sheet);
        } else {
            cx.files[reading.file].sheets.insert(record.number, sheet);
        }
        Ok(())
    }

    /// Reports what is to be said of rows that were taken, and learns owners and what the application needs.
    fn take_rows(&mut self, place: Place, mapped: &Mapped, fates: &[RowFate]) {
        let Parts { leaves, mut cx, .. } = self.parts();
        for (draft, fate) in mapped.drafts.iter().zip(fates) {
            // A row that is not written has no column that ends NULL.
            let written = matches!(fate, RowFate::Inserted | RowFate::Unchanged | RowFate::Filled(_));
            for (severity, fault) in draft.differing.iter().filter(|(_, of)| written || of.code != &ROW_DANGLING) {
                let finding = cx.finding(place, draft.rule, fault, Some(*severity));
                cx.findings.push(finding);
            }
        }
        leaves.learn_follow_ups(&mut cx, mapped, fates);
        self.learn_owner_rows(place.file, mapped, fates);
    }

    fn learn_owner_rows(&mut self, file: FileId, mapped: &Mapped, dispositions: &[RowFate]) {
        for (draft, fate) in mapped.drafts.iter().zip(dispositions) {
            if matches!(fate, RowFate::Inserted | RowFate::Unchanged)
                && let Some(owner) = self.owner_of(draft).filter(|owner| !owner.id.is_empty())
            {
                self.resolver.owners.add(owner, file);
            }
        }
    }

    fn owner_of(&self, draft: &Draft) -> Option<Owner> {
        owner_of(self.plan, &self.plan.owner_columns, &self.plan.rules[self.mapping][draft.rule], draft)
    }

    /// Counts the rows that a rejected record would have given, as far as they could be made.
    fn count_rejected(&mut self, place: Place, mapped: &Mapped) {
        for draft in mapped.drafts.iter().chain(&mapped.partial) {
            let table = self.plan.rules[self.mapping][draft.rule].table_number;
            self.writer.count(table).rejected += 1;
            if let Some(owner) = self.owner_of(draft) {
                self.resolver.owners.add_rejected(owner, place.file);
            }
        }
        let rules = &self.plan.rules[self.mapping];
        let mut faults = mapped.faults.iter();
        if faults.any(|(rule, fault)| self.plan.names_owners(&rules[*rule], fault.column.as_deref())) {
            self.resolver.owners.miss(Unread { at: place, whole: false });
        }
    }

    fn reject_record(
        &mut self,
        reading: &Reading,
        table: &PathTable,
        record: &RecordRef,
        findings: Vec<Finding>,
    ) -> Result<()> {
        let at = (reading.context.id, record.span.start);
        self.rejects.count += 1;
        self.files[reading.file].rejected += 1;
        if self.plan.turns_of(self.mapping).0 != reading.turn {
            self.rejects.late.insert(at, findings.clone());
        }
        let Parts { rejects, cx, .. } = self.parts();
        rejects.keep(&cx, reading.file, &table.declared, record, &findings)?;
        cx.watching(reading.file).inspect(|watch| watch.rejected(record.number, &findings));
        self.rejects.errors += errors(&findings);
        self.findings.extend(findings);
        Ok(())
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
        let time = written.and_then(|node| match node.kind() {
            Kind::String => node.text().parse::<Instant>().ok(),
            _ => None,
        });
        let unread = written.filter(|_| time.is_none()).map(|node| Place { file: file_id(file), offset: node.at() });
        self.files[file].shaped = Some(shaped);
        if let Some(records) = kept {
            self.shelf.keep(file, records);
        }
        if let Some(place) = unread {
            let message = "this is not a time with a zone, so the file counts as the oldest";
            self.findings.push(Finding::new(&VALUE_TIME, message).at(place).about(mapping.name.clone()));
        }
        time
    }
}

/// Where the records of a file come from.
enum Source<'o> {
    /// From the file, onto tapes some of which are used again.
    File(Box<Records<'o>>, Vec<Tape>),
    /// They are at hand, their paths numbered.
    Kept(std::vec::IntoIter<Record>),
}

impl Source<'_> {
    fn next(&mut self, sensitive: bool, paths: &mut Paths) -> Result<Option<Record>, Finding> {
        match self {
            Source::Kept(records) => Ok(records.next()),
            Source::File(records, spare) => {
                let tape = spare.pop().unwrap_or_else(|| Tape::new(sensitive));
                let record = records.take(tape)?;
                Ok(record.map(|mut record| {
                    record.tape.number_paths(paths);
                    record
                }))
            }
        }
    }

    /// Keeps the memory of small records for later ones.
    fn reuse(&mut self, records: impl Iterator<Item = Record>) {
        let small = records.filter(|record| record.span.end - record.span.start <= LARGE).map(|record| record.tape);
        match self {
            Source::File(_, spare) => spare.extend(small),
            Source::Kept(_) => small.for_each(drop),
        }
    }
}

/// The memory of larger records is not kept for later ones.
const LARGE: u64 = 1 << 14;

fn errors(findings: &[Finding]) -> u64 {
    findings.iter().filter(|finding| finding.severity == Severity::Error).count() as u64
}
