//! What becomes of a record: its rows are reported, and its leaves claimed and counted.

use crate::document::name::NameLeaf;
use crate::error::Result;
use crate::finding::{Finding, Place, ROW_DANGLING, Severity};
use crate::import::chunk::Held;
use crate::import::file::Reading;
use crate::import::leaves::sheet::{Class, Mark, Sheet};
use crate::import::owners::{Unread, owner_of};
use crate::import::resolve::verdict::RowFate;
use crate::import::resolve::{Candidate, Cause};
use crate::import::run::{Import, Parts};
use crate::import::shaping::PathTable;
use crate::import::taken::Entry;
use crate::import::watch::Seen;
use crate::mapping::apply::Mapped;
use crate::source::Record;

impl Import<'_> {
    /// Reports and counts what became of a record, and of each of its leaves.
    pub(super) fn take_record(&mut self, reading: &mut Reading, table: &PathTable, held: &mut Held) -> Result<()> {
        let plan = self.plan;
        let more = match plan.taken.part_of(reading.file) {
            _ if plan.turns_of(self.mapping).0 != reading.turn => 0,
            Some(_) => held.record.tape.leaves(),
            None => held.record.tape.more_leaves(),
        };
        self.files[reading.file].count(|counts| {
            counts.records += 1;
            counts.leaves.seen += more;
        });
        if plan.turns_of(self.mapping).0 == reading.turn {
            let (replace, name) = (plan.replace(), &plan.set.mappings[self.mapping].name);
            let odd = held.record.tape.odd().iter().map(|odd| replace.finding(reading.context.id, *odd));
            self.findings.extend(odd.map(|finding| finding.about(name.clone())));
        }
        let (before, fates) = (held.was_rejected(), held.decision.fates());
        let place = reading.place(held.record.span.start);
        let Parts { resolver, mut cx, .. } = self.parts();
        resolver.settle(&mut cx, place, &held.mapped.drafts, &mut held.decision)?;
        let (cause, refused) = (held.decision.cause, std::mem::take(&mut held.decision.refused));
        let (record, mapped) = (&held.record, &held.mapped);
        let watch = self.watching().filter(|watch| watch.follows(reading.file));
        let mut sheet = Sheet::new(record.tape.len());
        if before || !refused.is_empty() {
            self.count_rejected(place, mapped);
        } else {
            let ids: Vec<Option<i64>> = held.decision.judged.iter().map(|one| one.id).collect();
            self.take_rows(place, mapped, &fates, &ids);
        }
        if !refused.is_empty() {
            // A record that was known to be bad is reported once, when it is read first.
            if before {
                self.rejects.note_again(place, refused, cause);
            } else {
                self.note_reject(reading, mapped, place, (&refused, cause));
                self.reject_record(reading, table, (record, held.reject.as_deref()), refused)?;
            }
            sheet.rejected = true;
        }
        let Parts { leaves, rejects, mut cx, .. } = self.parts();
        leaves.search_rows(&mut cx, reading, table, record, mapped, &fates);
        let (mapping, of) = (&plan.set.mappings[cx.mapping], record.names.len());
        let shape = &mapping.source.shapes[reading.shaped.shape];
        let mut ignored_names = mapped.ignored_names.clone();
        if let Some(names) = held.after.take() {
            reading.last_names = names;
        }
        for i in reading.new_names(&record.names) {
            sheet.claim_name(NameLeaf::OfRecord(i), Mark::default());
            let ignored = shape.called(i as usize, of).and_then(|name| mapping.ignored_name(name));
            ignored_names.extend(ignored.map(|at| (at, NameLeaf::OfRecord(i))));
        }
        for name in &mapped.names {
            sheet.claim_name(*name, Mark::default());
        }
        leaves.ignore_names(cx.mapping, &ignored_names, &mut sheet);
        leaves.leave_idle_names(cx.mapping, &mapped.idle_names, &mut sheet);
        for touch in &mapped.empty {
            reading.mark(touch, Mark::of(Class::Column), &mut sheet);
        }
        for (draft, fate) in mapped.drafts.iter().zip(&fates) {
            let rule = &plan.rules[cx.mapping][draft.rule];
            leaves.count_columns(&mut cx, draft, *fate, place.file);
            for claim in &draft.claims {
                leaves.note_dropped(&mut cx, claim, reading, record);
                let mark = leaves.claim_mark(rule, claim, *fate);
                reading.mark(&claim.touch, mark, &mut sheet);
                watch.inspect(|watch| watch.claim(draft, claim, mark));
            }
        }
        for draft in &mapped.skipped {
            let rule = &plan.rules[cx.mapping][draft.rule];
            for claim in draft.claims.iter().filter(|claim| claim.is_left_out()) {
                let mark = leaves.claim_mark(rule, claim, RowFate::Empty);
                reading.mark(&claim.touch, mark, &mut sheet);
                watch.inspect(|watch| watch.claim(draft, claim, mark));
            }
        }
        let rejected = Mark::of(Class::Rejected);
        for draft in &mapped.partial {
            for claim in &draft.claims {
                reading.mark(&claim.touch, rejected, &mut sheet);
                watch.inspect(|watch| watch.claim(draft, claim, rejected));
            }
        }
        if let Some(watch) = watch {
            let (frame, frame_paths) =
                (&reading.shaped.frame, &*leaves.paths.frame(cx.mapping, &plan.set.mappings[cx.mapping]));
            watch.record(&Seen { record, frame, table, frame_paths, mapped, fates: &fates });
        }
        sheet.taken |= mapped.taken && (fates.is_empty() || fates.iter().any(|fate| fate.is_taken()));
        if let Some(earlier) = &held.earlier {
            sheet.merge(earlier);
        }
        if plan.turns_of(cx.mapping).1 == reading.turn {
            let undecided = leaves.account_record(&mut cx, reading, table, record, sheet).findings();
            undecided.into_iter().for_each(|findings| rejects.note_undecided((place.file, place.offset), findings));
        } else {
            cx.files[reading.file].unfinished().sheets.insert(record.number, leaves.sheets.share(sheet));
        }
        Ok(())
    }

    /// Reports what is to be said of rows that were taken, and learns owners and what the application needs.
    fn take_rows(&mut self, place: Place, mapped: &Mapped, fates: &[RowFate], ids: &[Option<i64>]) {
        self.take_owners(place, mapped, fates, ids);
        let Parts { leaves, mut cx, .. } = self.parts();
        for (draft, fate) in mapped.drafts.iter().zip(fates) {
            // A row that is not written has no column that leads nowhere.
            let written = fate.holds() || matches!(fate, RowFate::Filled(_));
            for (severity, fault) in draft.differing.iter().filter(|(_, of)| written || of.code != &ROW_DANGLING) {
                let finding = cx.finding(place, draft.rule, fault, Some(*severity));
                cx.findings.push(finding);
            }
        }
        for draft in &mapped.skipped {
            for (severity, fault) in &draft.differing {
                let finding = cx.finding(place, draft.rule, fault, Some(*severity));
                cx.findings.push(finding);
            }
        }
        leaves.learn_follow_ups(&mut cx, mapped, fates);
    }

    /// Learns the owners among the rows that were taken.
    pub(super) fn take_owners(&mut self, place: Place, mapped: &Mapped, fates: &[RowFate], ids: &[Option<i64>]) {
        let plan = self.plan;
        for ((draft, fate), given) in mapped.drafts.iter().zip(fates).zip(ids) {
            if (*fate == RowFate::Inserted || fate.is_there())
                && let Some(owner) = owner_of(plan, &plan.rules[self.mapping][draft.rule], draft, *given)
                && !owner.id.is_empty()
            {
                let directory = plan.directory_of(place.file.0 as usize);
                if let Some(directory) = directory.filter(|_| plan.makes_owners(self.mapping)) {
                    self.resolver.owners.make(&directory, &owner.id, Place { offset: draft.at, ..place });
                }
                self.resolver.owners.add(owner, place.file);
            }
        }
    }

    /// Whether it is too late to reject a record: rows of it were decided in an earlier turn, or earlier rows were left
    /// out for it, which count without it.
    pub(super) fn is_too_late(&self, reading: &Reading, mapped: &Mapped, place: Place) -> bool {
        let row = |draft| Candidate::new(&self.plan.rules[self.mapping], draft, place.file);
        self.plan.turns_of(self.mapping).0 != reading.turn
            || mapped.drafts.iter().chain(&mapped.partial).any(|draft| self.resolver.is_later(row(draft)))
    }

    /// Notes a record that is rejected, where that is too late.
    pub(super) fn note_reject(
        &mut self,
        reading: &Reading,
        mapped: &Mapped,
        place: Place,
        (findings, cause): (&[Finding], Cause),
    ) {
        // Whether rows of earlier runs are really in its way shows once it is known what else is rejected.
        let may_be_own = cause == Cause::Target && self.resolver.index.hides_any();
        if !may_be_own && self.is_too_late(reading, mapped, place) {
            self.rejects.note_late(place, findings.to_vec(), cause);
        }
        if cause == Cause::Target {
            self.rejects.for_target.insert((place.file, place.offset));
        }
        if self.plan.order.looks_ahead() {
            self.ahead.note_reject((place.file, place.offset), findings, cause);
        }
    }

    /// Counts the rows that a rejected record would have given, as far as they could be made.
    pub(super) fn count_rejected(&mut self, place: Place, mapped: &Mapped) {
        let rules = &self.plan.rules[self.mapping];
        for draft in mapped.drafts.iter().chain(&mapped.partial) {
            self.writer.count(rules[draft.rule].table_number).rejected += 1;
            if let Some(owner) = owner_of(self.plan, &rules[draft.rule], draft, None) {
                let directory = self.plan.directory_of(place.file.0 as usize);
                if let Some(directory) = directory.filter(|_| self.plan.makes_owners(self.mapping)) {
                    self.resolver.owners.make_rejected(&directory);
                }
                self.resolver.owners.add_rejected(owner, place.file);
            }
        }
        let mut faults = mapped.faults.iter();
        if faults.any(|(rule, fault)| self.plan.names_owners(&rules[*rule], fault.column.as_deref())) {
            self.resolver.owners.miss(Unread { at: place, whole: false });
        }
    }

    fn reject_record(
        &mut self,
        reading: &Reading,
        table: &PathTable,
        (record, reject): (&Record, Option<&Entry>),
        findings: Vec<Finding>,
    ) -> Result<()> {
        self.rejects.count += 1;
        self.files[reading.file].count(|counts| counts.rejected += 1);
        let Parts { rejects, cx, .. } = self.parts();
        let edited = reject.filter(|reject| reject.is_edited);
        rejects.keep(&cx, reading.file, &table.declared, record, (&findings, edited))?;
        cx.watching(reading.file).inspect(|watch| watch.rejected(record.number, &findings));
        self.rejects.errors += errors(&findings);
        self.findings.extend(findings);
        Ok(())
    }
}

/// How many of them are errors.
pub(super) fn errors(findings: &[Finding]) -> u64 {
    findings.iter().filter(|finding| finding.severity == Severity::Error).count() as u64
}
