//! Reading everything once before the rows are made, where lookups ask for rows that may be read later: which rows
//! there will be, by the keys that are asked for, and what is held of them.
//!
//! Nothing is written meanwhile, so that rows are written whole and in their order, whatever they refer to, and every
//! engine takes them that checks references at the end. Once the rows are made it is compared whether they are those
//! that were known: a record that only then turned out to be bad makes none, and the import begins anew.

use crate::config::{ImportOptions, Phase, Ui};
use crate::error::{Error, Result};
use crate::finding::{Finding, TARGET_UNSETTLED};
use crate::import::chunk::Held;
use crate::import::file::Reading;
use crate::import::leaves::sheet::Sheet;
use crate::import::plan::Plan;
use crate::import::rejects::{KnownRejects, Rejects};
use crate::import::run::Import;
use crate::import::watch::Watch;
use crate::import::writer::Writer;
use crate::mapping::keyindex::Ahead;
use jiff::Timestamp;

/// So often everything is read ahead at most until nothing changes any more. A record that is rejected because it
/// leads nowhere makes those lead nowhere that were read before it and refer to it.
const MOST_READINGS: usize = 100;

/// What comes of reading ahead.
pub(crate) enum Began<'p> {
    /// An import that knows which rows there will be.
    Ready(Box<Import<'p>>),
    /// Records turned out to be bad after others were decided with them.
    Anew(Box<Import<'p>>),
    /// Reading failed, or was interrupted.
    Failed(Box<Import<'p>>, Error),
}

/// What the next attempt is to know.
#[derive(Debug, Default)]
pub(crate) struct Next {
    /// Records that are bad.
    pub(crate) rejects: KnownRejects,
    /// Which rows there were.
    pub(crate) ahead: Ahead,
}

/// What every reading begins with.
pub(crate) struct Start<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) options: &'p ImportOptions,
    pub(crate) ui: &'p dyn Ui,
    pub(crate) started: Timestamp,
    pub(crate) known: &'p KnownRejects,
    pub(crate) watch: Option<&'p dyn Watch>,
}

impl<'p> Start<'p> {
    /// Begins an import, and reads everything ahead where the set needs that; `ahead` is what the attempt before this
    /// one knew of its rows.
    pub(crate) fn begin(&self, mut writer: Writer, mut ahead: Ahead, is_last: bool) -> Result<Began<'p>> {
        if !self.plan.order.looks_ahead() {
            return Ok(Began::Ready(Box::new(self.import(writer, Ahead::Nothing)?)));
        }
        let mut reading = 0;
        loop {
            reading += 1;
            let is_first = matches!(ahead, Ahead::Nothing);
            let mut run = Box::new(self.import(writer, ahead)?);
            run.ahead.is_it = true;
            if let Err(error) = run.read() {
                return Ok(Began::Failed(run, error));
            }
            if run.rejects.must_begin_anew(self.options.max_rejects) && !is_last {
                return Ok(Began::Anew(run));
            }
            let is_settled = is_first || run.resolver.index.is_as_known() || reading == MOST_READINGS;
            let rejected = std::mem::take(&mut run.ahead.rejected);
            ahead = run.resolver.index.known();
            writer = run.writer;
            writer.forget_counts();
            if is_settled {
                let mut run = Box::new(self.import(writer, ahead)?);
                run.ahead.rejected = rejected;
                return Ok(Began::Ready(run));
            }
        }
    }

    fn import(&self, writer: Writer, ahead: Ahead) -> Result<Import<'p>> {
        let Self { plan, options, ui, started, known, watch } = *self;
        ui.phase(Phase::Import, plan.mapped_files(), plan.mapped_bytes());
        let import = Import::begin(plan, options, ui, started, writer, Rejects::new(known), ahead)?;
        Ok(Import { watch, ..import })
    }
}

impl Import<'_> {
    /// What the next attempt is to know, where the rows are not those that were known ahead.
    pub(crate) fn not_as_known(&mut self, is_last: bool) -> Option<Next> {
        if self.resolver.index.is_as_known() || self.rejects.count > self.options.max_rejects {
            return None;
        }
        if is_last {
            let message = "which rows there are depends on other rows, and does not settle";
            self.findings.push(Finding::new(&TARGET_UNSETTLED, message).about("lookups"));
            return None;
        }
        let rejects = std::mem::take(&mut self.ahead.only_now);
        Some(Next { rejects, ahead: std::mem::take(&mut self.resolver.index).known() })
    }

    /// What is kept of a record that is read ahead: its owners, and whether it is bad.
    pub(super) fn take_ahead(&mut self, reading: &Reading, held: &mut Held) {
        let place = reading.place(held.record.span.start);
        let (before, refused) = (held.was_rejected(), std::mem::take(&mut held.decision.refused));
        let cause = held.decision.cause;
        self.files[reading.file].count(|counts| counts.records += 1);
        if !before && refused.is_empty() {
            let ids: Vec<Option<i64>> = held.decision.judged.iter().map(|one| one.id).collect();
            self.take_owners(place, &held.mapped, &held.decision.fates(), &ids);
            return;
        }
        self.count_rejected(place, &held.mapped);
        if before {
            self.rejects.note_again(place, refused);
        } else {
            self.note_reject(reading, &held.mapped, place, (&refused, cause));
            self.rejects.count += 1;
        }
        if self.plan.turns_of(self.mapping).1 != reading.turn {
            let mut sheet = Sheet::new(held.record.tape.len());
            sheet.rejected = true;
            let sheet = self.leaves.sheets.share(sheet);
            self.files[reading.file].unfinished().sheets.insert(held.record.number, sheet);
        }
    }
}
