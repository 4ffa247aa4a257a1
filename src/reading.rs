//! Reading one file in one turn: skim, shape, records, rows, accounting.

use crate::account::{Class, Mark, NameLeaf, Sheet};
use crate::error::{Error, Result};
use crate::finding::{
    FILE_BLANK_IGNORED, Finding, MEMBER_CAUGHT, MEMBER_UNDECIDED, Place, SECRET_UNDECIDED, SHAPE_NONE, Severity,
};
use crate::mapping::apply::{
    Claim, ClaimAs, Current, Draft, FileContext, Mapped, Origin, Owner, Scope, Touch, apply, empty_ends, shape_fits,
};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::model::{Mapping, SecretKind, Shape};
use crate::mapping::order::Turn;
use crate::pipeline::file_id;
use crate::plan::Fate;
use crate::record::{Kind, NodeRef, Paths, Selection, Tape};
use crate::report::FileStatus;
use crate::run::{PathTable, Run};
use crate::settle::RowFate;
use crate::source::{self, Limits, Opened, RecordRef};
use std::collections::HashMap;

/// What one reading of a file works with.
struct Reading<'r> {
    file: usize,
    turn: Turn,
    rules: &'r [&'r CompiledRule],
    context: FileContext,
    frame: Tape,
    frame_sheet: Sheet,
    shape: usize,
}

impl Run<'_> {
    /// Reads a file for the rules of one turn.
    pub fn read_file(&mut self, file: usize, turn: Turn, rules: &[&CompiledRule], owner: Option<&Owner>) -> Result<()> {
        let plan = self.plan;
        let source = &plan.tree.files[file];
        let mapping = &plan.set.mappings[self.mapping];
        if let Some(findings) = self.known.get(&(file_id(file), u64::MAX)) {
            return self.reject_file(file, findings.clone());
        }
        let mut opened = match source::open(source, self.limits(mapping)) {
            Ok(opened) => opened,
            Err(finding) => return self.reject_file(file, vec![finding]),
        };
        let Some((shape, frame)) = self.skim(file, mapping, &mut opened)? else {
            return Ok(()); // rejected or ignored, and said so
        };
        self.files[file].shape = Some(shape);
        self.files[file].owner = owner.map(|owner| owner.id.clone());
        self.files[file].records = 0;
        match opened.digest() {
            Ok(digest) => self.files[file].sha256 = digest,
            Err(finding) => return self.reject_file(file, vec![finding]),
        }
        if let Some(reason) = &mapping.source.shapes[shape].ignore {
            self.files[file].status = Some(FileStatus::Ignored);
            self.files[file].what = Some(format!("{} ({})", mapping.name, mapping.source.shapes[shape].name));
            self.files[file].reason = Some(reason.clone());
            return Ok(());
        }
        let captures = match &plan.fates[file] {
            Fate::Mapped { captures, .. } => captures.clone(),
            _ => Vec::new(),
        };
        let context = FileContext {
            id: file_id(file),
            path: source.path.clone(),
            captures,
            directory: plan.directory_of(file).map(str::to_owned),
            owner: owner.cloned(),
            started: self.started,
            namespace: plan.set.namespace,
        };
        let frame_sheet = Sheet::new(frame.len());
        let mut reading = Reading { file, turn, rules, context, frame, frame_sheet, shape };
        self.read_records(&mut reading, &mut opened)?;
        self.earlier.retain(|(of, _), _| *of != file_id(file));
        if let Err(finding) = opened.unchanged() {
            return self.reject_file(file, vec![finding]);
        }
        if plan.turns_of(self.mapping).1 == turn {
            self.account_frame(&mut reading);
            self.files[file].status.get_or_insert(FileStatus::Imported);
            self.files[file].sheets = HashMap::new();
        } else {
            let earlier = self.files[file].sheets.remove(&0);
            earlier.iter().for_each(|earlier| reading.frame_sheet.merge(earlier));
            self.files[file].sheets.insert(0, reading.frame_sheet);
        }
        Ok(())
    }

    fn limits(&self, mapping: &Mapping) -> Limits {
        let sensitive = mapping.rules.iter().any(|rule| !rule.secrets.is_empty());
        Limits { depth: self.options.max_depth, sensitive, ..Limits::default() }
    }

    /// Takes a file that cannot be read or is broken: it is named, and nothing of it is written.
    fn reject_file(&mut self, file: usize, findings: Vec<Finding>) -> Result<()> {
        let source = &self.plan.tree.files[file];
        let mapping = &self.plan.set.mappings[self.mapping];
        let place = source.place(0);
        let rows_written = self.files[file].ledger.is_some();
        self.files[file].status = Some(FileStatus::Rejected);
        self.files[file].reason = findings.first().map(|finding| finding.code.title.to_owned());
        self.files[file].rejected = 1;
        self.rejected += 1;
        let findings: Vec<Finding> = findings.into_iter().map(|finding| finding.about(mapping.name.clone())).collect();
        if rows_written {
            // It changed while it was read: what came of it is taken back with the run.
            self.late.insert((place.file, u64::MAX), findings.clone());
        }
        self.keep_reject_of_file(file, &findings)?;
        self.reject_errors += errors(&findings);
        self.findings.extend(findings);
        Ok(())
    }

    /// Judges the whole file and chooses its shape.
    fn skim(&mut self, file: usize, mapping: &Mapping, opened: &mut Opened) -> Result<Option<(usize, Tape)>> {
        let first = self.files[file].shape.is_none();
        let all: Vec<&Selection> = mapping.source.shapes.iter().filter_map(|shape| shape.records.as_ref()).collect();
        let mut paths = Paths::new();
        let outline = match source::skim(opened, &all, &mut paths) {
            Ok(outline) => outline,
            Err(findings) => {
                self.broken(file, mapping, findings)?;
                return Ok(None);
            }
        };
        if first {
            self.findings.extend(outline.notes.into_iter().map(|note| note.about(mapping.name.clone())));
        }
        self.files[file].tally.leaves.seen = outline.leaves;
        let root = outline.tape.root();
        let fits = |shape: &Shape| shape.when.as_ref().is_none_or(|when| shape_fits(when, root));
        let Some(shape) = mapping.source.shapes.iter().position(fits) else {
            let names: Vec<&str> = mapping.source.shapes.iter().map(|shape| shape.name.as_str()).collect();
            let message = format!("the file has none of the shapes {}", names.join(", "));
            self.reject_file(
                file,
                vec![Finding::new(&SHAPE_NONE, message).at(self.plan.tree.files[file].place(root.at()))],
            )?;
            return Ok(None);
        };
        let Some(records) = &mapping.source.shapes[shape].records else { return Ok(Some((shape, Tape::new(false)))) };
        let table = path_table(&mut self.paths, self.mapping, mapping, shape);
        match source::skim(opened, &[records], &mut table.frame) {
            Ok(outline) => {
                table.declared.learn(Doc::Frame, &table.frame);
                Ok(Some((shape, outline.tape)))
            }
            Err(findings) => {
                self.broken(file, mapping, findings)?;
                Ok(None)
            }
        }
    }

    /// A blank file may mean that nothing is lost; everything else that is broken is rejected.
    fn broken(&mut self, file: usize, mapping: &Mapping, findings: Vec<Finding>) -> Result<()> {
        let blank = findings.iter().all(|finding| finding.code.id == crate::finding::FILE_EMPTY.id);
        match (&mapping.source.blank, blank) {
            (Some(reason), true) => {
                self.files[file].status = Some(FileStatus::Ignored);
                self.files[file].what = Some(format!("{} (blank)", mapping.name));
                self.files[file].reason = Some(reason.clone());
                let note =
                    Finding::new(&FILE_BLANK_IGNORED, "the file is blank").at(self.plan.tree.files[file].place(0));
                self.findings.push(note.about(mapping.name.clone()));
                Ok(())
            }
            _ => self.reject_file(file, findings),
        }
    }

    fn read_records(&mut self, reading: &mut Reading, opened: &mut Opened) -> Result<()> {
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        let selection = mapping.source.shapes[reading.shape].records.as_ref();
        let sensitive = self.limits(mapping).sensitive;
        let mut tape = Tape::new(sensitive);
        // The table is taken out while the file is read, so that the run stays free for use.
        path_table(&mut self.paths, self.mapping, mapping, reading.shape);
        let number = (self.mapping, reading.shape);
        let mut table = self.paths.remove(&number).ok_or_else(|| Error::bug("a path table is gone"))?;
        let read = (|| {
            let mut records = match source::records(opened, selection) {
                Ok(records) => records,
                Err(finding) => return self.reject_file(reading.file, vec![finding]),
            };
            loop {
                match records.next(&mut table.record, &mut tape) {
                    Ok(Some(record)) => {
                        table.declared.learn(Doc::Record, &table.record);
                        self.read_record(reading, &table, &record)?;
                    }
                    Ok(None) => return Ok(()),
                    Err(finding) => return self.reject_file(reading.file, vec![finding]),
                }
            }
        })();
        self.paths.insert(number, table);
        read
    }

    fn read_record(&mut self, reading: &mut Reading, table: &PathTable, record: &RecordRef) -> Result<()> {
        self.heed_signals()?;
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        let shape = &mapping.source.shapes[reading.shape];
        self.files[reading.file].records += 1;
        let whole = shape.records.is_none();
        let root = record.tape.root();
        let mut sheet = Sheet::new(record.tape.len());
        let earlier = self.files[reading.file].sheets.remove(&record.number);
        let place = Place { file: reading.context.id, offset: record.span.start };
        let (mapped, fates) = if let Some(findings) = self.known.get(&(place.file, place.offset)) {
            if plan.turns_of(self.mapping).0 == reading.turn {
                let findings = findings.clone();
                self.reject_record(reading, table, record, findings, &Mapped::default())?;
            }
            sheet.rejected = true;
            (Mapped::default(), Vec::new())
        } else if earlier.as_ref().is_some_and(|earlier| earlier.rejected) {
            (Mapped::default(), Vec::new())
        } else {
            let index = std::mem::take(&mut self.index);
            let scope = Scope {
                file: &reading.context,
                declared: &table.declared,
                index: &index,
                record: root,
                frame: if whole { root } else { reading.frame.root() },
                whole,
                element: Current::Node(root),
                position: i64::try_from(record.number).unwrap_or(i64::MAX),
                trace: None,
                names: shape
                    .key_as
                    .iter()
                    .zip(record.name())
                    .map(|(context, name)| (context.clone(), name.to_owned(), last_name(record)))
                    .collect(),
            };
            let mapped = apply(&plan.set, reading.rules, &shape.name, &scope);
            self.index = index;
            let (fates, refused) = self.judge_record(reading, place, &mapped)?;
            if !refused.is_empty() {
                self.reject_record(reading, table, record, refused, &mapped)?;
                sheet.rejected = true;
            }
            (mapped, fates)
        };
        for i in 0..record.names.len() {
            sheet.claim_name(NameLeaf::OfRecord(u32::try_from(i).unwrap_or(u32::MAX)), Mark::default());
        }
        for name in &mapped.names {
            sheet.claim_name(*name, Mark::default());
        }
        for touch in &mapped.empty {
            self.mark(touch, Mark::of(Class::Column), &mut sheet, reading, whole);
        }
        for (draft, fate) in mapped.drafts.iter().zip(&fates) {
            self.count_columns(draft, *fate);
            for claim in &draft.claims {
                let mark = self.claim_mark(mapping, draft, claim, *fate);
                self.mark(&claim.touch, mark, &mut sheet, reading, whole);
            }
        }
        sheet.taken |= mapped.taken;
        if let Some(earlier) = &earlier {
            sheet.merge(earlier);
        }
        if plan.turns_of(self.mapping).1 == reading.turn {
            self.account_record(reading, table, record, sheet);
        } else {
            self.files[reading.file].sheets.insert(record.number, sheet);
        }
        Ok(())
    }

    /// Settles the rows of a record, unless mapping already found something wrong.
    fn judge_record(
        &mut self,
        reading: &Reading,
        place: Place,
        mapped: &Mapped,
    ) -> Result<(Vec<RowFate>, Vec<Finding>)> {
        let mapping = &self.plan.set.mappings[self.mapping];
        let finding = |rule: usize, fault: &crate::mapping::apply::Fault, severity: Option<Severity>| {
            let column = fault.column.as_deref().unwrap_or_default();
            let mut finding = Finding::new(fault.code, fault.message.clone())
                .at(Place { file: place.file, offset: fault.at.unwrap_or(place.offset) })
                .about(format!("{}.{}.{column}", mapping.name, mapping.rules[rule].name).trim_end_matches('.'));
            finding.mapping = (fault.line > 0).then(|| format!("{}:{}", mapping.file, fault.line));
            finding.severity = severity.unwrap_or(finding.severity);
            finding
        };
        let mut refused: Vec<Finding> = mapped.faults.iter().map(|(rule, fault)| finding(*rule, fault, None)).collect();
        let mut fates = vec![RowFate::Rejected; mapped.drafts.len()];
        if refused.is_empty() {
            (fates, refused) = self.settle(reading.context.id, &mapped.drafts)?;
        }
        if refused.is_empty() {
            for draft in &mapped.drafts {
                let differing: Vec<Finding> = draft
                    .differing
                    .iter()
                    .map(|(severity, fault)| finding(draft.rule, fault, Some(*severity)))
                    .collect();
                self.findings.extend(differing);
            }
            self.learn_owner_rows(mapped, &fates);
        }
        Ok((fates, refused))
    }

    fn learn_owner_rows(&mut self, mapped: &Mapped, fates: &[RowFate]) {
        for (draft, fate) in mapped.drafts.iter().zip(fates) {
            if matches!(fate, RowFate::Inserted | RowFate::Unchanged)
                && let Some(owner) = self.owner_of(draft)
            {
                self.owners.add(owner);
            }
        }
    }

    /// The owner that a row of the owner table makes.
    fn owner_of(&self, draft: &Draft) -> Option<Owner> {
        let rule = &self.plan.rules[self.mapping][draft.rule];
        let owners = self.plan.set.owners.as_ref().filter(|owners| owners.table == rule.table.name)?;
        let columns: Vec<_> = self
            .owner_columns
            .iter()
            .map(|name| {
                (name.clone(), rule.field(name).map_or(crate::row::Value::Null, |field| draft.values[field].clone()))
            })
            .collect();
        let key = rule.table.primary_key();
        let id = columns.iter().find(|(name, _)| key == [name.as_str()]).and_then(|(_, value)| value.as_key_text())?;
        debug_assert_eq!(owners.table, rule.table.name);
        Some(Owner { id, columns })
    }

    fn reject_record(
        &mut self,
        reading: &Reading,
        table: &PathTable,
        record: &RecordRef,
        findings: Vec<Finding>,
        mapped: &Mapped,
    ) -> Result<()> {
        let at = (reading.context.id, record.span.start);
        self.rejected += 1;
        self.files[reading.file].rejected += 1;
        for draft in mapped.drafts.iter().chain(&mapped.partial) {
            let name = self.plan.rules[self.mapping][draft.rule].table.name.clone();
            self.writer.count(&name).rejected += 1;
            if let Some(owner) = self.owner_of(draft) {
                self.rejected_owners.insert(owner.id);
            }
        }
        if self.plan.turns_of(self.mapping).0 != reading.turn {
            self.late.insert(at, findings.clone());
        }
        self.keep_reject(reading.file, &table.declared, record, &findings)?;
        self.reject_errors += errors(&findings);
        self.findings.extend(findings);
        Ok(())
    }

    fn count_columns(&mut self, draft: &Draft, fate: RowFate) {
        if !matches!(fate, RowFate::Inserted | RowFate::Unchanged) {
            return;
        }
        let rule = &self.plan.rules[self.mapping][draft.rule];
        for (field, origin) in rule.fields.iter().zip(&draft.origins) {
            if *origin == Origin::Own {
                continue; // the mapping's own word; the source has no part in it
            }
            let counts = self.columns.entry((rule.name.clone(), field.column.name.clone())).or_default();
            match origin {
                Origin::Found(at) => {
                    let at = usize::from(*at);
                    if counts.hits.len() <= at {
                        counts.hits.resize(at + 1, 0);
                    }
                    counts.hits[at] += 1;
                }
                Origin::Defaulted => counts.defaulted += 1,
                Origin::Nulled => counts.nulled += 1,
                Origin::Own => {}
            }
        }
    }

    fn claim_mark(&mut self, mapping: &Mapping, draft: &Draft, claim: &Claim, fate: RowFate) -> Mark {
        let rule = &mapping.rules[draft.rule];
        let what = || format!("{}.{}", mapping.name, rule.name);
        match (claim.class, fate) {
            (_, RowFate::Rejected) => Mark::of(Class::Rejected),
            (ClaimAs::Dropped(at), _) => match &rule.secrets[at].kind {
                SecretKind::Drop(reason) => {
                    Mark::ignored(self.reasons.number(&format!("{}.{}", what(), rule.secrets[at].name), reason))
                }
                SecretKind::Seal => Mark::default(),
            },
            (_, RowFate::Superseded) => {
                Mark::ignored(self.reasons.number(&what(), "superseded by an earlier row of the same key"))
            }
            (ClaimAs::EmptySecret, _) | (_, RowFate::Empty) => {
                Mark::ignored(self.reasons.number(&what(), "empty secret"))
            }
            (ClaimAs::Column, _) => Mark::of(Class::Column),
            (ClaimAs::Json, _) => Mark::of(Class::Json),
            (ClaimAs::Sealed, _) => Mark::of(Class::Sealed),
        }
    }

    fn mark(&self, touch: &Touch, mark: Mark, sheet: &mut Sheet, reading: &mut Reading, whole: bool) {
        match touch {
            Touch::Name(name) => sheet.claim_name(*name, mark),
            Touch::Nodes(Doc::Frame, nodes) if !whole => reading.frame_sheet.claim(nodes.clone(), mark),
            Touch::Nodes(_, nodes) => sheet.claim(nodes.clone(), mark),
        }
    }

    /// Counts the leaves of a record, each in its best class.
    fn account_record(&mut self, reading: &Reading, table: &PathTable, record: &RecordRef, mut sheet: Sheet) {
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        self.ignore_as_told(mapping, &table.declared, Doc::Record, record.tape, &mut sheet);
        let shape = &mapping.source.shapes[reading.shape];
        if sheet.rejected {
            sheet.reject_all();
        } else if let (false, Some(reason)) = (sheet.taken, &shape.otherwise) {
            let reason = self.reasons.number(&format!("{} ({})", mapping.name, shape.name), reason);
            sheet.ignore_rest(reason);
        }
        let judged = Judged { mapping, declared: &table.declared, paths: &table.record, doc: Doc::Record };
        self.report_leaves(reading, &judged, record.tape, &sheet, record.span.start);
    }

    /// Counts the leaves of the frame, once all records have claimed what they take from it.
    fn account_frame(&mut self, reading: &mut Reading) {
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        let shape = &mapping.source.shapes[reading.shape];
        let Some(records) = &shape.records else { return };
        let mut sheet = std::mem::take(&mut reading.frame_sheet);
        if let Some(earlier) = self.files[reading.file].sheets.remove(&0) {
            sheet.merge(&earlier);
        }
        let Some(table) = self.paths.remove(&(self.mapping, reading.shape)) else { return };
        self.ignore_as_told(mapping, &table.declared, Doc::Frame, &reading.frame, &mut sheet);
        for node in empty_ends(reading.frame.root(), &records.0) {
            sheet.claim(node.span(), Mark::of(Class::Column));
        }
        if self.files[reading.file].records == 0 {
            let reason = self.reasons.number(&format!("{} ({})", mapping.name, shape.name), "no records");
            sheet.ignore_rest(reason);
        } else if self.files[reading.file].rejected > 0 {
            sheet.reject_rest();
        }
        let judged = Judged { mapping, declared: &table.declared, paths: &table.frame, doc: Doc::Frame };
        self.report_leaves(reading, &judged, &reading.frame, &sheet, 0);
        self.paths.insert((self.mapping, reading.shape), table);
    }

    fn ignore_as_told(&mut self, mapping: &Mapping, declared: &Declared, doc: Doc, tape: &Tape, sheet: &mut Sheet) {
        if mapping.ignore.is_empty() {
            return;
        }
        for node in tape.nodes() {
            if let Some(at) = declared.facts(doc, node.path()).ignored {
                let (rooted, reason, _) = &mapping.ignore[usize::from(at)];
                let what =
                    format!("{}: {}{}", mapping.name, if doc == Doc::Frame { "$." } else { "" }, rooted.selection);
                let mark = Mark::ignored(self.reasons.number(&what, reason));
                sheet.claim(node.id()..node.id() + 1, mark);
                if sheet.names().iter().any(|(name, _)| *name == NameLeaf::OfNode(node.id())) {
                    sheet.claim_name(NameLeaf::OfNode(node.id()), mark);
                }
            }
        }
    }

    fn report_leaves(&mut self, reading: &Reading, judged: &Judged, tape: &Tape, sheet: &Sheet, start: u64) {
        sheet.count(tape, &mut self.files[reading.file].tally);
        let file = reading.context.id;
        for (name, mark) in sheet.names() {
            if mark.class() == Class::Unmapped {
                let at = match name {
                    NameLeaf::OfNode(node) => tape.node(*node).at(),
                    NameLeaf::OfRecord(_) => start,
                };
                let finding = Finding::new(&MEMBER_UNDECIDED, "no rule says what becomes of this member's name");
                self.findings.push(finding.at(Place { file, offset: at }).about(judged.mapping.name.clone()));
            }
        }
        for node in tape.nodes().filter(|node| node.is_leaf()) {
            self.report_leaf(judged, file, node, sheet.mark(node.id()).class());
        }
    }

    fn report_leaf(&mut self, judged: &Judged, file: crate::finding::FileId, node: NodeRef, class: Class) {
        let facts = judged.declared.facts(judged.doc, node.path());
        let kept = matches!(class, Class::Column | Class::Json | Class::Unmapped);
        let caught = class == Class::Json && !facts.named;
        if !(class == Class::Unmapped || caught || (facts.suspicious && kept)) {
            return;
        }
        let path = format!("{}{}", if judged.doc == Doc::Frame { "$." } else { "" }, judged.paths.show(node.path()));
        let subject = format!("{}: {path}", judged.mapping.name);
        let place = Place { file, offset: node.at() };
        if class == Class::Unmapped {
            let message = format!("no rule says what becomes of `{path}`");
            self.findings.push(Finding::new(&MEMBER_UNDECIDED, message).at(place).about(subject.clone()));
        }
        // An empty text or null hides nothing.
        if facts.suspicious
            && kept
            && !(node.kind() == Kind::Null || node.text().is_empty() && node.kind() == Kind::String)
        {
            let message = format!("`{path}` looks like a secret, and nothing decides it");
            self.findings.push(Finding::new(&SECRET_UNDECIDED, message).at(place).about(subject.clone()));
        }
        if caught {
            *self.caught.entry((judged.mapping.name.clone(), path.clone())).or_default() += 1;
            let severity = if self.plan.set.refuse_unknown { Severity::Error } else { Severity::Warning };
            let message = format!("only a catch-all keeps `{path}`");
            self.findings.push(Finding::new(&MEMBER_CAUGHT, message).at(place).about(subject).weighing(severity));
        }
    }

    /// The time by which a file is newer than another: the first of the mapping's `newest` that is there.
    pub fn time_of(&mut self, file: usize, mapping: usize) -> Option<String> {
        let plan = self.plan;
        let of = &plan.set.mappings[mapping];
        let mut opened = source::open(&plan.tree.files[file], self.limits(of)).ok()?;
        let all: Vec<&Selection> = of.source.shapes.iter().filter_map(|shape| shape.records.as_ref()).collect();
        // What is wrong with the file is found again, and told, when it is read.
        let outline = source::skim(&mut opened, &all, &mut Paths::new()).ok()?;
        let root = outline.tape.root();
        of.source.newest.iter().find_map(|path| {
            let text = crate::mapping::apply::follow(root, path)?;
            let text = (text.kind() == Kind::String).then(|| text.text())?;
            Some(text.parse::<jiff::Timestamp>().map_or_else(|_| text.to_owned(), |time| time.to_string()))
        })
    }
}

fn errors(findings: &[Finding]) -> u64 {
    findings.iter().filter(|finding| finding.severity == Severity::Error).count() as u64
}

/// What leaves are judged by.
struct Judged<'j> {
    mapping: &'j Mapping,
    declared: &'j Declared,
    paths: &'j Paths,
    doc: Doc,
}

fn last_name(record: &RecordRef) -> NameLeaf {
    NameLeaf::OfRecord(u32::try_from(record.names.len().saturating_sub(1)).unwrap_or(u32::MAX))
}

pub(crate) fn path_table<'t>(
    tables: &'t mut HashMap<(usize, usize), PathTable>,
    number: usize,
    mapping: &Mapping,
    shape: usize,
) -> &'t mut PathTable {
    tables.entry((number, shape)).or_insert_with(|| PathTable {
        record: Paths::new(),
        frame: Paths::new(),
        declared: Declared::new(mapping, &mapping.source.shapes[shape]),
    })
}
