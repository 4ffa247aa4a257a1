//! Reading a file of lines in one turn: every line is a document with its own shape, frame, place and rejection.
//! Lines that each are one record of one shape are decided together.

use crate::error::Result;
use crate::finding::{FILE_EMPTY, Finding, JSON_TRUNCATED, JSON_UTF8, LINE_CUT, LINE_OPEN, LINES_BLANK, Place};
use crate::import::chunk::Chunk;
use crate::import::file::{Pass, Reading};
use crate::import::files::file_id;
use crate::import::leaves::sheet::Sheet;
use crate::import::look::{LineSeen, Looked, Shaped};
use crate::import::owners::Unread;
use crate::import::readers::LineSupply;
use crate::import::record::errors;
use crate::import::run::{Import, Parts};
use crate::import::shaping::PathTable;
use crate::import::supply::Supply;
use crate::mapping::apply::Owner;
use crate::mapping::compile::CompiledRule;
use crate::mapping::order::Turn;
use crate::report::FileStatus;
use crate::report::words;
use crate::source::{self, Record};
use std::ops::Range;

/// A file of lines that is being read in one turn.
struct Lines<'r> {
    file: usize,
    pass: Pass,
    turn: Turn,
    rules: &'r [&'r CompiledRule],
    owner: Option<&'r Owner>,
    may_reject: bool,
    /// Whether this is the first of the file's turns, in which what is found in its lines is told.
    is_first: bool,
    /// How many lines that are not blank came by.
    count: u64,
    /// How many are blank, and where the first of them is.
    blank: u64,
    first_blank: Option<u64>,
    /// Lines that are decided together.
    batch: Option<Batch<'r>>,
}

/// Lines of one shape that each are one record.
struct Batch<'r> {
    reading: Reading<'r>,
    table: PathTable,
    chunk: Chunk,
}

impl<'p> Import<'p> {
    /// Reads a file of lines for the rules of one turn.
    pub(super) fn read_lines(
        &mut self,
        file: usize,
        turn: Turn,
        rules: &[&CompiledRule],
        owner: Option<&Owner>,
        pass: Pass,
    ) -> Result<()> {
        let (plan, depth) = (self.plan, self.options.max_depth);
        let (first, last) = plan.turns_of(self.mapping);
        let mapping = &plan.set.mappings[self.mapping];
        let is_first = first == turn && pass != Pass::Lasts;
        let opened = source::open(&plan.tree.files[file], plan.limits(self.mapping, depth)).and_then(|mut opened| {
            if is_first {
                let sha256 = opened.digest()?;
                self.files[file].unfinished().sha256 = sha256;
                self.note_digest(file, sha256);
            }
            LineSupply::of(opened, self.mapping)
        });
        let mut supply = match opened {
            Ok(supply) => supply,
            Err(_) if pass == Pass::Lasts => return Ok(()),
            Err(finding) => return self.broken(file, mapping, vec![finding]),
        };
        self.files[file].belongs_to(owner.and_then(|owner| self.resolver.owners.number(&owner.id)));
        self.files[file].count(|counts| counts.records = 0);
        let may_reject = self.writer.may_reject(rules)?;
        let (batch, first_blank) = (None, None);
        let mut lines =
            Lines { file, pass, turn, rules, owner, may_reject, is_first, count: 0, blank: 0, first_blank, batch };
        let fault = loop {
            self.heed_signals()?;
            let seen = match self.readers.next_lines(plan, depth, &mut supply) {
                Ok(Some(seen)) => seen,
                Ok(None) => break supply.unchanged().err(),
                Err(finding) => break Some(finding),
            };
            lines.blank += seen.blank.len() as u64;
            lines.first_blank = lines.first_blank.or(seen.blank.first().copied());
            for line in seen.lines {
                self.take_line(&mut lines, line)?;
            }
        };
        self.end_batch(&mut lines)?;
        if pass == Pass::Lasts {
            return Ok(());
        }
        if let Some(finding) = fault {
            return self.reject_file(file, vec![finding]);
        }
        if lines.count == 0 {
            let place = plan.tree.files[file].place(0);
            return self.broken(
                file,
                mapping,
                vec![Finding::new(&FILE_EMPTY, "the file has no line that is not blank").at(place)],
            );
        }
        if let Some(at) = lines.first_blank.filter(|_| is_first) {
            let message = format!("{}, the first one here", words::count(lines.blank, "blank line"));
            let note = Finding::new(&LINES_BLANK, message).at(plan.tree.files[file].place(at));
            self.findings.push(note.about(mapping.name.clone()));
        }
        if last == turn {
            if pass == Pass::Rows {
                let Parts { resolver, mut cx, .. } = self.parts();
                resolver.report_left_over(&mut cx, file)?;
            }
            self.files[file].status.get_or_insert(FileStatus::Imported);
            self.files[file].finish();
        }
        Ok(())
    }

    fn take_line<'r>(&mut self, of: &mut Lines<'r>, line: LineSeen) -> Result<()>
    where
        'p: 'r,
    {
        of.count += 1;
        let LineSeen { span, has_end, looked } = line;
        let part = self.plan.taken.part_of(of.file);
        if part.is_some_and(|part| !part.concerns(&span, of.count)) {
            return Ok(()); // it is not taken
        }
        let (mut shaped, opened) = match looked {
            Ok(looked) => looked,
            Err(findings) => {
                let findings = if has_end { findings } else { cut_off(findings, span.end) };
                return self.reject_line(of, span, findings);
            }
        };
        let mapping = &self.plan.set.mappings[self.mapping];
        let shape = &mapping.source.shapes[shaped.shape];
        self.leaves.line_shapes.insert((self.mapping, shaped.shape));
        if of.is_first {
            if part.is_none() {
                self.files[of.file].count(|counts| counts.leaves.seen += shaped.leaves + shaped.frame.more_leaves());
            }
            let place = Place { file: file_id(of.file), offset: span.start };
            let open = (!has_end).then(|| Finding::new(&LINE_OPEN, "the last line has no end and is whole").at(place));
            let notes = std::mem::take(&mut shaped.notes).into_iter().chain(open);
            self.findings.extend(notes.map(|note| note.about(mapping.name.clone())));
        }
        if shape.ignore.is_some() {
            self.files[of.file].count(|counts| counts.records += 1);
            if of.is_first {
                // Its paths are known, as those of other shapes.
                self.leaves.paths.number(self.mapping, mapping, &mut shaped);
                let Parts { leaves, mut cx, .. } = self.parts();
                leaves.ignore_line(&mut cx, of.file, &shaped, of.count);
            }
            return Ok(());
        }
        if shape.records.is_some() {
            self.end_batch(of)?;
            return self.take_document(of, (shaped, opened));
        }
        // The only record of a document is at hand.
        let Some(mut record) = shaped.records.take().and_then(|mut records| records.pop()) else { return Ok(()) };
        record.number = Record::of_line(of.count, 0);
        let mut reject = None;
        if let Some(part) = part {
            let is_told = of.pass == Pass::Rows && of.is_first;
            let Some(taken) = self.take_part((of.file, shaped.shape, is_told), part, record)? else { return Ok(()) };
            (record, reject) = (taken.0, Some(taken.1));
        }
        if of.batch.as_ref().is_some_and(|batch| batch.reading.shaped.shape != shaped.shape) {
            self.end_batch(of)?;
        }
        if of.batch.is_none() {
            let alone = of.pass != Pass::Lasts && self.plan.looks_up_own_rows(of.rules);
            self.leaves.paths.frame(self.mapping, mapping); // known, and without paths
            let table = self.leaves.paths.take(self.mapping, mapping, shaped.shape);
            let reading = self.reading(of, (shaped, 0));
            of.batch = Some(Batch { reading, table, chunk: Chunk::new(0, alone) });
        }
        let Some(batch) = &mut of.batch else { return Ok(()) };
        record.tape.number_paths(&mut batch.table.record);
        match reject {
            Some(reject) => batch.chunk.add_again(record, reject),
            None => batch.chunk.add(record, None),
        }
        if batch.chunk.is_full() { self.decide_batch(batch) } else { Ok(()) }
    }

    fn reading<'r>(&self, of: &Lines<'r>, (shaped, line): (Shaped, u64)) -> Reading<'r>
    where
        'p: 'r,
    {
        let Lines { file, pass, turn, rules, owner, may_reject, .. } = *of;
        let context = self.plan.file_context(file, owner, self.started);
        let frame_sheet = Sheet::new(shaped.frame.len());
        let (last_names, made) = (Vec::new(), Vec::new().into_iter());
        Reading { file, pass, turn, rules, context, shaped, frame_sheet, may_reject, last_names, made, line }
    }

    fn decide_batch(&mut self, batch: &mut Batch<'_>) -> Result<()> {
        self.take_chunk(&mut batch.reading, &mut batch.table, &mut batch.chunk)?;
        batch.chunk.empty().for_each(drop);
        Ok(())
    }

    /// Decides what was gathered.
    fn end_batch(&mut self, of: &mut Lines<'_>) -> Result<()> {
        let Some(mut batch) = of.batch.take() else { return Ok(()) };
        self.decide_batch(&mut batch)?;
        self.leaves.paths.put_back(self.mapping, batch.reading.shaped.shape, batch.table);
        Ok(())
    }

    /// Takes a line that is a document around records.
    fn take_document(&mut self, of: &mut Lines<'_>, (mut shaped, opened): Looked) -> Result<()> {
        let mapping = &self.plan.set.mappings[self.mapping];
        let selection = mapping.source.shapes[shaped.shape].records.as_ref();
        self.leaves.paths.number(self.mapping, mapping, &mut shaped);
        let (kept, before) = (shaped.records.take(), self.files[of.file].counts().records);
        let mut reading = self.reading(of, (shaped, of.count));
        match (kept, opened) {
            (Some(records), _) => _ = self.read_records(&mut reading, Supply::kept(records), false)?,
            (None, Some(mut opened)) => match Supply::of(&mut opened, selection) {
                Ok(records) => _ = self.read_records(&mut reading, records, false)?,
                Err(_) if of.pass == Pass::Lasts => {}
                Err(finding) => return self.reject_file(of.file, vec![finding]),
            },
            (None, None) => {}
        }
        if of.pass != Pass::Rows {
            return Ok(());
        }
        let number = reading.frame_number();
        if self.plan.turns_of(self.mapping).1 == of.turn {
            let has_records = self.files[of.file].counts().records > before;
            let Parts { leaves, rejects, mut cx, .. } = self.parts();
            let (undecided, _) = leaves.account_frame(&mut cx, &mut reading, has_records);
            let file = (file_id(of.file), u64::MAX);
            undecided.findings().into_iter().for_each(|findings| rejects.note_undecided(file, findings));
        } else {
            let earlier = self.files[of.file].take_sheet(number);
            earlier.iter().for_each(|earlier| reading.frame_sheet.merge(earlier));
            let sheet = self.leaves.sheets.share(reading.frame_sheet);
            self.files[of.file].unfinished().sheets.insert(number, sheet);
        }
        Ok(())
    }

    /// Takes a line that is broken, or of no shape: it is named, and nothing of it is written.
    fn reject_line(&mut self, of: &Lines<'_>, span: Range<u64>, findings: Vec<Finding>) -> Result<()> {
        self.files[of.file].count(|counts| counts.records += 1);
        if !of.is_first {
            return Ok(()); // it was told in the first turn
        }
        let place = Place { file: file_id(of.file), offset: span.start };
        if self.plan.feeds_owners(self.mapping) {
            self.resolver
                .owners
                .miss(Unread { at: findings.first().and_then(|one| one.place).unwrap_or(place), whole: false });
        }
        let mapping = &self.plan.set.mappings[self.mapping];
        let findings: Vec<Finding> = findings.into_iter().map(|finding| finding.about(mapping.name.clone())).collect();
        let reject =
            self.plan.taken.part_of(of.file).and_then(|part| part.entry(span.start, Record::of_line(of.count, 0)));
        reject.iter().for_each(|reject| _ = self.rejects.met.insert(reject.line));
        self.rejects.count += 1;
        self.files[of.file].count(|counts| counts.rejected += 1);
        let Parts { rejects, cx, .. } = self.parts();
        rejects.keep_line(&cx, of.file, (of.count, span), &findings)?;
        cx.watching(of.file).inspect(|watch| watch.rejected(Record::of_line(of.count, 0), &findings));
        self.rejects.errors += errors(&findings);
        self.findings.extend(findings);
        Ok(())
    }
}

/// What is said of the last line where it has no end and is broken: that it was cut off, if its fault is its end.
fn cut_off(findings: Vec<Finding>, end: u64) -> Vec<Finding> {
    let is_end = |finding: &Finding| {
        let at = finding.place.map_or(end, |place| place.offset);
        finding.code == &JSON_TRUNCATED || finding.code == &JSON_UTF8 && at + 4 > end
    };
    let cut = |finding: Finding| {
        if !is_end(&finding) {
            return finding;
        }
        let message = "the last line has no end and is no whole document: it was cut off while it was written";
        Finding { code: &LINE_CUT, message: message.to_owned(), ..finding }
    };
    findings.into_iter().map(cut).collect()
}
