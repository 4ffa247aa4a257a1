//! Reading one file in one turn: skim, shape, records, rows, accounting.

use crate::account::{Class, Mark, NameLeaf, Sheet};
use crate::error::Result;
use crate::finding::{FILE_BLANK_IGNORED, Finding, Place, Severity};
use crate::mapping::apply::{Current, Draft, FileContext, Mapped, Origin, Owner, Scope, apply, follow};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::model::Mapping;
use crate::mapping::order::Turn;
use crate::pipeline::file_id;
use crate::plan::Fate;
use crate::record::{Kind, Tape};
use crate::report::FileStatus;
use crate::run::Run;
use crate::settle::RowFate;
use crate::shaping::{PathTable, Shaped, shape};
use crate::source::{self, Limits, Opened, RecordRef};
use std::collections::HashMap;
use std::rc::Rc;

/// What one reading of a file works with.
pub(crate) struct Reading<'r> {
    pub(crate) file: usize,
    pub(crate) turn: Turn,
    pub(crate) rules: &'r [&'r CompiledRule],
    pub(crate) context: FileContext,
    pub(crate) shaped: Shaped,
    pub(crate) frame_sheet: Sheet,
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
        let Some(shaped) = self.shape(file, mapping, &mut opened)? else {
            return Ok(()); // rejected or ignored, and said so
        };
        let shape = shaped.shape;
        self.files[file].owner = owner.map(|owner| owner.id.clone());
        self.files[file].records = 0;
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
        let frame_sheet = Sheet::new(shaped.frame.len());
        let mut reading = Reading { file, turn, rules, context, shaped, frame_sheet };
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
            self.files[file].shaped = Some(reading.shaped);
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

    /// The first look at a file, once for all of its turns.
    fn shape(&mut self, file: usize, mapping: &Mapping, opened: &mut Opened) -> Result<Option<Shaped>> {
        let shaped = match self.files[file].shaped.take() {
            Some(shaped) => shaped,
            None => match shape(opened, self.mapping, mapping, &mut self.paths) {
                Ok(shaped) => shaped,
                Err(findings) => {
                    self.broken(file, mapping, findings)?;
                    return Ok(None);
                }
            },
        };
        if self.files[file].shape.is_none() {
            self.findings.extend(shaped.notes.iter().cloned().map(|note| note.about(mapping.name.clone())));
        }
        self.files[file].shape = Some(shaped.shape);
        self.files[file].sha256 = shaped.sha256;
        self.files[file].tally.leaves.seen = shaped.leaves;
        Ok(Some(shaped))
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
        let selection = mapping.source.shapes[reading.shaped.shape].records.as_ref();
        let sensitive = self.limits(mapping).sensitive;
        let mut tape = Tape::new(sensitive);
        // The table is taken out while the file is read, so that the run stays free for use.
        let mut table = self.paths.take(self.mapping, mapping, reading.shaped.shape);
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
        self.paths.put_back(self.mapping, reading.shaped.shape, table);
        read
    }

    fn read_record(&mut self, reading: &mut Reading, table: &PathTable, record: &RecordRef) -> Result<()> {
        self.heed_signals()?;
        let plan = self.plan;
        let mapping = &plan.set.mappings[self.mapping];
        let shape = &mapping.source.shapes[reading.shaped.shape];
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
                frame: if whole { root } else { reading.shaped.frame.root() },
                whole,
                element: Current::Node(root),
                position: i64::try_from(record.number).unwrap_or(i64::MAX),
                names: Rc::new(
                    shape
                        .key_as
                        .iter()
                        .zip(record.name())
                        .map(|(context, name)| (context.clone(), name.to_owned(), last_name(record)))
                        .collect(),
                ),
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
        sheet.taken |= mapped.taken && (fates.is_empty() || fates.iter().any(|fate| fate.is_taken()));
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
        if !matches!(fate, RowFate::Inserted | RowFate::Unchanged | RowFate::Filled(_)) {
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

    /// The time by which a file is newer than another: the first of the mapping's `newest` that is
    /// there. What is wrong with the file is told when it is read.
    pub fn time_of(&mut self, file: usize, number: usize) -> Option<String> {
        let mapping = &self.plan.set.mappings[number];
        let mut opened = source::open(&self.plan.tree.files[file], self.limits(mapping)).ok()?;
        let shaped = shape(&mut opened, number, mapping, &mut self.paths).ok()?;
        let whole = match mapping.source.shapes[shaped.shape].records {
            Some(_) => None,
            None => Some(source::whole(&mut opened)?),
        };
        let root = whole.as_ref().unwrap_or(&shaped.frame).root();
        let time = mapping.source.newest.iter().find_map(|path| {
            let node = follow(root, path).filter(|node| node.kind() == Kind::String)?;
            let time = node.text().parse::<jiff::Timestamp>();
            Some(time.map_or_else(|_| node.text().to_owned(), |time| time.to_string()))
        });
        self.files[file].shaped = Some(shaped);
        time
    }
}

fn errors(findings: &[Finding]) -> u64 {
    findings.iter().filter(|finding| finding.severity == Severity::Error).count() as u64
}

fn last_name(record: &RecordRef) -> NameLeaf {
    NameLeaf::OfRecord(u32::try_from(record.names.len().saturating_sub(1)).unwrap_or(u32::MAX))
}
