//! Records of a file that are decided together: the database is asked about all of them at once, and
//! their rows are written at once.

use crate::error::Result;
use crate::import::context::Context;
use crate::import::file::{Pass, Reading};
use crate::import::leaves::sheet::Sheet;
use crate::import::look::broken;
use crate::import::refused::rejections;
use crate::import::resolve::{Cause, Decision, Resolver};
use crate::import::run::{Import, Parts};
use crate::import::taken::Entry;
use crate::import::writer::{NewRow, Noted};
use crate::mapping::apply::Mapped;
use crate::source::Record;
use std::sync::Arc;

/// So many records are decided together at most,
const MOST_RECORDS: usize = 256;
/// of so many bytes.
const MOST_BYTES: u64 = 1 << 18;

/// Records that are decided together.
pub(crate) struct Chunk {
    pub(crate) records: Vec<Held>,
    bytes: u64,
    most: usize,
    /// The names on the way to the record that came last, where it was not taken.
    passed: Option<Vec<String>>,
}

/// A record until it is accounted for.
pub(crate) struct Held {
    pub(crate) record: Record,
    /// What was claimed of it in earlier turns.
    pub(crate) earlier: Option<Arc<Sheet>>,
    /// The rows that the rules of this turn make of it.
    pub(crate) mapped: Mapped,
    /// Whether these are made, but for what asks for other rows.
    pub(crate) is_made: bool,
    /// What becomes of them.
    pub(crate) decision: Decision,
    /// Its reject, where it comes back.
    pub(crate) reject: Option<Arc<Entry>>,
    /// The names on the way to the record before it, where that one is not taken.
    pub(crate) after: Option<Vec<String>>,
}

impl Held {
    /// Whether an earlier turn rejected the record.
    pub(crate) fn was_rejected(&self) -> bool {
        self.earlier.as_ref().is_some_and(|earlier| earlier.rejected)
    }
}

impl Chunk {
    /// An empty one for so many records in all; `alone` where each is to be decided before the next one is mapped.
    pub(crate) fn new(records: usize, alone: bool) -> Self {
        let most = if alone { 1 } else { MOST_RECORDS };
        Self { records: Vec::with_capacity(records.min(most)), bytes: 0, most, passed: None }
    }

    /// Passes a record by that is not taken.
    pub(crate) fn pass(&mut self, names: Vec<String>) {
        self.passed = Some(names);
    }

    /// Takes a record in that comes back.
    pub(crate) fn add_again(&mut self, record: Record, reject: Arc<Entry>) {
        self.add(record, None);
        if let Some(held) = self.records.last_mut() {
            held.reject = Some(reject);
        }
    }

    /// Takes a record in, with what is made of it already.
    pub(crate) fn add(&mut self, record: Record, made: Option<Mapped>) {
        self.bytes += record.span.end - record.span.start;
        let (earlier, decision, reject) = Default::default();
        let (is_made, mapped) = (made.is_some(), made.unwrap_or_default());
        let after = self.passed.take();
        self.records.push(Held { record, earlier, mapped, is_made, decision, reject, after });
    }

    /// Whether it is to be decided before another record is read in.
    pub(crate) fn is_full(&self) -> bool {
        self.records.len() >= self.most || self.bytes >= MOST_BYTES
    }

    /// Gives its records back as they were read.
    pub(crate) fn empty(&mut self) -> impl Iterator<Item = Record> {
        self.bytes = 0;
        self.records.drain(..).map(|held| held.record)
    }
}

impl Import<'_> {
    /// Decides what becomes of the rows of a chunk, and writes those that are new.
    pub(crate) fn decide(&mut self, reading: &Reading, chunk: &mut Chunk) -> Result<()> {
        let Parts { resolver, rejects, mut cx, .. } = self.parts();
        for held in &mut chunk.records {
            let place = reading.place(held.record.span.start);
            let findings = match rejects.known(place, reading.pass == Pass::Ahead) {
                Some(known) => known.clone(),
                None => {
                    // What rules make of a text that should be JSON follows from that it is none.
                    let inside = broken(&held.record.tape, place.file).unwrap_or_default();
                    let faults = held.mapped.faults.iter().filter(|_| inside.is_empty());
                    let faults = faults.map(|(rule, fault)| cx.finding(place, *rule, fault, None));
                    let mapping = &cx.plan.set.mappings[cx.mapping].name;
                    inside.iter().map(|one| one.clone().about(mapping.clone())).chain(faults).collect()
                }
            };
            held.decision = Decision::rejected(held.mapped.drafts.len(), findings, Cause::Record);
            if held.decision.refused.is_empty() {
                let rules = &cx.plan.rules[cx.mapping];
                let rows = held.mapped.drafts.iter().map(|draft| (draft.at, &rules[draft.rule].table.name));
                let findings = rejects.known_of_rows(place.file, rows);
                held.decision = Decision::rejected(held.mapped.drafts.len(), findings, Cause::Database);
            }
        }
        if !rejects.for_target.is_empty() {
            for held in chunk.records.iter_mut().filter(|held| held.was_rejected() && held.decision.refused.is_empty())
            {
                let place = reading.place(held.record.span.start);
                if rejects.for_target.contains(&(place.file, place.offset)) {
                    let found = resolver.would_be_rejected(&mut cx, place, &mut held.mapped.drafts)?;
                    held.decision = Decision::rejected(held.mapped.drafts.len(), found, Cause::Database);
                }
            }
        }
        let is_doubtful = |held: &Held| rejects.is_doubtful(reading.place(held.record.span.start));
        let open = |held: &&mut Held| held.decision.refused.is_empty() && !held.was_rejected() && !is_doubtful(held);
        let mut open: Vec<&mut Held> = chunk.records.iter_mut().filter(open).collect();
        resolver.ask(&mut cx, open.iter().flat_map(|held| &held.mapped.drafts))?;
        let (mark, sealed) = (resolver.mark(), cx.writer.vault.mark());
        if reading.pass == Pass::Ahead {
            for held in open {
                let place = reading.place(held.record.span.start);
                held.decision = resolver.decide(&mut cx, place, &mut held.mapped.drafts)?;
            }
            resolver.keep();
            return Ok(());
        }
        if cx.writer.is_verifying() {
            for held in &mut open {
                let place = reading.place(held.record.span.start);
                held.decision = resolver.decide(&mut cx, place, &mut held.mapped.drafts)?;
            }
            let records = open.iter().map(|held| (&held.mapped.drafts[..], &held.decision));
            resolver.verify(&mut cx, reading.context.id, records)?;
            resolver.keep();
            cx.writer.vault.keep();
            return Ok(());
        }
        loop {
            let rows = rows_of(resolver, &mut cx, reading, &mut open)?;
            if !reading.may_reject {
                write(&mut cx, reading, rows)?;
                break;
            }
            let (rows, refused) = cx.writer.insert_together(rows)?;
            if refused.is_empty() {
                record(&mut cx, reading, rows)?;
                break;
            }
            resolver.back_to(&mut cx, mark);
            cx.writer.vault.back_to(sealed);
            if !refused.iter().all(|row| row.why.is_found_later()) {
                // One by one, so that each is judged without those before it that the database rejects.
                open.into_iter().try_for_each(|held| decide_alone(resolver, &mut cx, reading, held))?;
                break;
            }
            // What a later row did to an earlier one shows only when both are written.
            let mut rejected = rejections(&mut cx, &refused, &[])?;
            open.retain_mut(|held| {
                let findings = rejected.remove(&(reading.context.id, held.record.span.start));
                let stays = findings.is_none();
                if let Some(findings) = findings {
                    held.decision = Decision::rejected(held.mapped.drafts.len(), findings, Cause::Database);
                }
                stays
            });
        }
        resolver.keep();
        cx.writer.vault.keep();
        Ok(())
    }
}

/// Decides the records, and gives their new rows.
fn rows_of<'r>(
    resolver: &mut Resolver<'_>,
    cx: &mut Context<'r>,
    reading: &Reading,
    open: &mut [&mut Held],
) -> Result<Vec<NewRow<'r>>> {
    let mut rows = Vec::new();
    for held in open {
        let place = reading.place(held.record.span.start);
        held.decision = resolver.decide(cx, place, &mut held.mapped.drafts)?;
        resolver.add_new_rows(cx, place, &held.mapped.drafts, &held.decision, &mut rows)?;
    }
    Ok(rows)
}

/// Decides and writes one record; where the database rejects a row of it, the record is rejected.
fn decide_alone(resolver: &mut Resolver<'_>, cx: &mut Context<'_>, reading: &Reading, held: &mut Held) -> Result<()> {
    let (mark, sealed) = (resolver.mark(), cx.writer.vault.mark());
    let rows = rows_of(resolver, cx, reading, &mut [held])?;
    let (rows, refused) = cx.writer.insert_together(rows)?;
    if refused.is_empty() {
        return record(cx, reading, rows);
    }
    resolver.back_to(cx, mark);
    cx.writer.vault.back_to(sealed);
    let findings = rejections(cx, &refused, &rows)?.into_values().flatten().collect();
    held.decision = Decision::rejected(held.mapped.drafts.len(), findings, Cause::Database);
    Ok(())
}

fn write(cx: &mut Context<'_>, reading: &Reading, rows: Vec<NewRow<'_>>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let file = cx.ledger_file(reading.context.id)?;
    cx.writer.insert(rows, file)
}

fn record(cx: &mut Context<'_>, reading: &Reading, rows: Vec<Noted<'_>>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let file = cx.ledger_file(reading.context.id)?;
    cx.writer.record_all(rows, file)
}
