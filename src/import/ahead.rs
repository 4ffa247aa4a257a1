//! Reading everything once before the rows are made, where lookups ask for rows that may be read later: which rows
//! there will be, by the keys that are asked for, and what is held of them.
//!
//! Nothing is written meanwhile, so that rows are written whole and in their order, whatever they refer to, and every
//! engine takes them that checks references at the end. Once the rows are made it is compared whether they are those
//! that were known: a record that only then turned out to be bad makes none, and the import begins anew.

use crate::config::{ImportOptions, Phase, Ui};
use crate::error::Result;
use crate::finding::{FileId, Finding, TARGET_UNSETTLED};
use crate::import::chunk::Held;
use crate::import::file::Reading;
use crate::import::leaves::sheet::Sheet;
use crate::import::links::Decided;
use crate::import::plan::Plan;
use crate::import::rejects::{KnownRejects, KnownRows, Rejects, learn};
use crate::import::resolve::Foreknown;
use crate::import::run::Import;
use crate::import::watch::Watch;
use crate::import::writer::Writer;
use crate::mapping::keyindex::Ahead;
use jiff::Timestamp;
use std::collections::HashSet;

/// So often everything is read ahead at most. A record that is rejected because it leads nowhere makes those lead
/// nowhere that refer to it, which the next reading finds: chains of so many links are followed.
const MOST_READINGS: usize = 100;

/// What is known before anything is read.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Records that are bad.
    pub(crate) bad: KnownRejects,
    /// Records that were rejected too late, for what was known of other rows: they make none until they turn out to
    /// be good.
    pub(crate) doubtful: KnownRejects,
    /// Rows that make their records bad.
    pub(crate) bad_rows: KnownRows,
    /// Which rows there are.
    pub(crate) ahead: Ahead,
    /// Whether rows of the target that earlier runs made of this tree are just rows of the target.
    pub(crate) keeps_own: bool,
    /// Files of which rows are just that, though these are as large as when rows came of them last: they were changed.
    pub(crate) changed: HashSet<FileId>,
}

/// What every reading begins with.
pub(crate) struct Start<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) options: &'p ImportOptions,
    pub(crate) ui: &'p dyn Ui,
    pub(crate) started: Timestamp,
    pub(crate) watch: Option<&'p dyn Watch>,
}

impl<'p> Start<'p> {
    /// Begins an import, and reads everything ahead where the set needs that; beside it, whether that failed or was
    /// interrupted.
    pub(crate) fn begin(&self, mut writer: Writer, mut known: Known) -> Result<(Import<'p>, Result<()>)> {
        let (mut readings, mut unsettled) = (0, None);
        let mut is_settled = !self.plan.order.looks_ahead();
        while !is_settled && unsettled.is_none() {
            let (is_first, known_as_changed) = (matches!(known.ahead, Ahead::Nothing), known.changed.len());
            let mut run = self.import(writer, known, Phase::Ahead)?;
            run.ahead.is_it = true;
            run.resolver.index.note_needs();
            if let Err(error) = run.read() {
                return Ok((run, Err(error)));
            }
            let changed = run.resolver.changed_files();
            if changed.len() > known_as_changed {
                // What lookups found hangs on rows that these files may not give any more.
                known = Known { changed, ..Known::default() };
                writer = run.writer;
                writer.forget_counts();
                continue;
            }
            run.ahead.gone = run.ahead.links.gone(&run.resolver.index);
            is_settled = run.ahead.gone.is_empty()
                && run.rejects.are_as_known()
                && (is_first || run.resolver.index.is_as_known());
            readings += 1;
            unsettled = (!is_settled && readings == MOST_READINGS).then(|| run.unsettled());
            known = run.learned();
            writer = run.writer;
            writer.forget_counts();
        }
        let mut run = self.import(writer, known, Phase::Import)?;
        run.ahead.unsettled = unsettled;
        Ok((run, Ok(())))
    }

    fn import(&self, writer: Writer, known: Known, phase: Phase) -> Result<Import<'p>> {
        let Self { plan, options, ui, started, watch } = *self;
        ui.phase(phase, plan.mapped_files(), plan.mapped_bytes());
        let looks_ahead = plan.order.looks_ahead();
        let rejects = Rejects::new(known.bad, known.doubtful, looks_ahead).knowing(known.bad_rows);
        let hides_own = looks_ahead && !known.keeps_own && !plan.taken.is_replay();
        let foreknown = Foreknown { ahead: known.ahead, hides_own, changed: known.changed };
        let import = Import::begin(plan, options, ui, started, writer, rejects, foreknown)?;
        Ok(Import { watch, ..import })
    }
}

impl Import<'_> {
    /// Whether another attempt is to be made: records were rejected too late, or the rows are not those that were
    /// known ahead. Where there is none after this one, what does not settle is reported.
    pub(crate) fn must_begin_anew(&mut self, is_last: bool) -> bool {
        let most = self.options.max_rejects;
        // An undecided secret would be hidden by what is set aside with it.
        if !self.leaves.leaks.refuse(|secret| self.writer.vault.is_only_dropped(secret)) {
            self.rejects.set_undecided_aside();
        }
        if self.is_mistaken() {
            self.ahead.is_mistaken = !is_last;
            let unsettled = is_last.then(|| self.unsettled());
            self.findings.extend(unsettled);
            return !is_last;
        }
        if let Some(unsettled) = self.ahead.unsettled.take() {
            self.findings.push(unsettled);
            return false;
        }
        if self.rejects.must_begin_anew(most) && !is_last {
            self.rejects.dangling.clear(); // for now: it may only be for what the next attempt knows better
            return true;
        }
        let is_other = self.has_other_rows();
        if is_other && is_last {
            let unsettled = self.unsettled();
            self.findings.push(unsettled);
        }
        if is_other {
            self.rejects.dangling.clear();
        }
        (is_other || !self.rejects.dangling.is_empty()) && !is_last
    }

    /// Whether there are other rows than those that were known ahead, and the rest may be committed without what the
    /// database rejected: that is bad, whatever rows there are.
    fn has_other_rows(&self) -> bool {
        self.ahead.only_now.len() as u64 <= self.options.max_rejects && !self.resolver.index.is_as_known()
    }

    /// Whether the tree does not make again what earlier runs made of it, though it was read ahead as if it did: then
    /// their rows are in its way.
    fn is_mistaken(&self) -> bool {
        let is_other =
            self.ahead.unsettled.is_some() || !self.rejects.for_target.is_empty() || self.resolver.leaves_rows;
        if !is_other || !self.resolver.index.hides_any() {
            return false;
        }
        // Without what else is rejected they may not be.
        let is_late = !self.rejects.is_none_late() || !self.rejects.refused.is_empty();
        !is_late && (self.ahead.only_now.is_empty() || !self.has_other_rows())
    }

    /// What is known after this reading. The rows are not known here any more.
    pub(crate) fn learned(&mut self) -> Known {
        if self.ahead.is_mistaken {
            return Known { keeps_own: true, ..Known::default() };
        }
        let (mut bad, mut doubtful, bad_rows) = self.rejects.learned(self.ahead.is_it);
        learn(&mut bad, std::mem::take(&mut self.ahead.only_now));
        if !self.plan.order.looks_ahead() {
            return Known { bad, doubtful, bad_rows, ..Known::default() };
        }
        let (gone, mut index) = (std::mem::take(&mut self.ahead.gone), std::mem::take(&mut self.resolver.index));
        gone.late()
            .filter(|record| !bad.contains_key(record))
            .for_each(|record| _ = doubtful.entry(record).or_default());
        if !gone.is_empty() {
            index.forget(&|place, rule| gone.has(place, rule));
        }
        let changed = self.resolver.changed_files();
        Known { bad, doubtful, bad_rows, keeps_own: !index.hides_own(), changed, ahead: index.known() }
    }

    /// That it is not known which rows there are, with one of those that come and go.
    fn unsettled(&self) -> Finding {
        let (table, place) = self.resolver.index.first_unlike().unzip();
        let rows = table.map_or_else(|| "which rows".to_owned(), |table| format!("which rows of `{table}`"));
        let place = place.flatten().or_else(|| self.rejects.first_doubtful());
        let message =
            format!("{rows} there are depends on other rows, and does not settle in {MOST_READINGS} readings of them");
        Finding { place, ..Finding::new(&TARGET_UNSETTLED, message).about("lookups") }
    }

    /// What is kept of a record that is read ahead: its owners, and whether it is bad.
    pub(super) fn take_ahead(&mut self, reading: &Reading, held: &mut Held) {
        let place = reading.place(held.record.span.start);
        let (before, refused) = (held.was_rejected(), std::mem::take(&mut held.decision.refused));
        let cause = held.decision.cause;
        let is_doubtful = self.rejects.is_doubtful(place);
        self.files[reading.file].count(|counts| counts.records += 1);
        if !before && !is_doubtful && refused.is_empty() {
            let ids: Vec<Option<i64>> = held.decision.judged.iter().map(|one| one.id).collect();
            let fates = held.decision.fates();
            self.take_owners(place, &held.mapped, &fates, &ids);
            let (file, span, is_late) =
                (place.file, held.record.span.clone(), self.is_too_late(reading, &held.mapped, place));
            let (rules, drafts) = (&self.plan.rules[self.mapping], &held.mapped.drafts);
            let decided = Decided { file, span, is_late, rules, drafts, fates: &fates };
            self.ahead.links.add(&decided, &self.resolver.index);
            return;
        }
        self.count_rejected(place, &held.mapped);
        if !before {
            self.rejects.count += 1;
        }
        if !refused.is_empty() {
            if is_doubtful {
                self.rejects.note_late(place, refused, cause);
            } else if before {
                self.rejects.note_again(place, refused, cause);
            } else {
                self.note_reject(reading, &held.mapped, place, (&refused, cause));
            }
        }
        if self.plan.turns_of(self.mapping).1 != reading.turn {
            let mut sheet = Sheet::new(held.record.tape.len());
            sheet.rejected = true;
            let sheet = self.leaves.sheets.share(sheet);
            self.files[reading.file].unfinished().sheets.insert(held.record.number, sheet);
        }
    }
}
