//! Reading everything once before the rows are made, where lookups ask for rows that may be read later: which rows
//! there will be, by the keys that are asked for, and what is held of them.
//!
//! Nothing is written meanwhile, so that rows are written whole and in their order, whatever they refer to, and every
//! engine takes them that checks references at the end. Once the rows are made it is compared whether they are those
//! that were known: a record that only then turned out to be bad makes none, and the import begins anew.

use crate::config::{ImportOptions, Phase, Ui};
use crate::error::Result;
use crate::finding::{Finding, TARGET_UNSETTLED};
use crate::import::chunk::Held;
use crate::import::file::Reading;
use crate::import::leaves::sheet::Sheet;
use crate::import::plan::Plan;
use crate::import::rejects::{KnownRejects, Rejects, learn};
use crate::import::run::Import;
use crate::import::watch::Watch;
use crate::import::writer::Writer;
use crate::mapping::keyindex::Ahead;
use jiff::Timestamp;

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
    /// Which rows there are.
    pub(crate) ahead: Ahead,
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
            let is_first = matches!(known.ahead, Ahead::Nothing);
            let mut run = self.import(writer, known, Phase::Ahead)?;
            run.ahead.is_it = true;
            if let Err(error) = run.read() {
                return Ok((run, Err(error)));
            }
            is_settled = run.rejects.are_as_known() && (is_first || run.resolver.index.is_as_known());
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
        let rejects = Rejects::new(known.bad, known.doubtful, plan.order.looks_ahead());
        let import = Import::begin(plan, options, ui, started, writer, rejects, known.ahead)?;
        Ok(Import { watch, ..import })
    }
}

impl Import<'_> {
    /// Whether another attempt is to be made: records were rejected too late, or the rows are not those that were
    /// known ahead. Where there is none after this one, what does not settle is reported.
    pub(crate) fn must_begin_anew(&mut self, is_last: bool) -> bool {
        let most = self.options.max_rejects;
        if let Some(unsettled) = self.ahead.unsettled.take() {
            self.findings.push(unsettled);
            return false;
        }
        if self.rejects.must_begin_anew(most) && !is_last {
            return true;
        }
        // What the database rejected is bad, whatever rows there are.
        let is_open = self.ahead.only_now.len() as u64 <= most;
        let is_other = is_open && !self.resolver.index.is_as_known();
        if is_other && is_last {
            let unsettled = self.unsettled();
            self.findings.push(unsettled);
        }
        is_other && !is_last
    }

    /// What is known after this reading. The rows are not known here any more.
    pub(crate) fn learned(&mut self) -> Known {
        let (mut bad, doubtful) = self.rejects.learned(self.ahead.is_it);
        learn(&mut bad, std::mem::take(&mut self.ahead.only_now));
        let is_asked = self.plan.order.looks_ahead();
        let ahead = if is_asked { std::mem::take(&mut self.resolver.index).known() } else { Ahead::Nothing };
        Known { bad, doubtful, ahead }
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
            self.take_owners(place, &held.mapped, &held.decision.fates(), &ids);
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
