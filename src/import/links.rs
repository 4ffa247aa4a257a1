//! Which records need which rows: where one is not made, all those go at once that need it, and those that need these.

use crate::finding::{FileId, Place};
use crate::import::resolve::verdict::RowFate;
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::{Answer, Asked, KeyIndex, Need};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// Where a record begins.
type Start = (FileId, u64);

/// What goes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    /// A record with all its rows.
    Record(Start),
    /// What a rule, by its number, made of an element.
    Row(Start, u32),
}

/// A row that a unit needs.
#[derive(Debug)]
struct Link {
    unit: Unit,
    row: Asked,
}

/// A record that may go.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: Start,
    end: u64,
    /// Whether rows of it, or for it, were decided before this is known.
    is_late: bool,
}

/// The needs of the records that were read.
#[derive(Debug, Default)]
pub(crate) struct Links {
    needs: Vec<Link>,
    records: Vec<Span>,
}

/// What goes because rows are not there.
#[derive(Debug, Default)]
pub(crate) struct Gone {
    /// By where it begins, where a record ends, and whether that is found late.
    records: BTreeMap<Start, (u64, bool)>,
    rows: HashSet<(Start, u32)>,
}

/// A record whose rows are decided.
pub(crate) struct Decided<'r> {
    pub(crate) file: FileId,
    pub(crate) span: Range<u64>,
    /// Whether it would be rejected too late.
    pub(crate) is_late: bool,
    pub(crate) rules: &'r [CompiledRule],
    pub(crate) drafts: &'r [Draft],
    pub(crate) fates: &'r [RowFate],
}

impl Links {
    /// Adds what a record needs.
    pub(crate) fn add(&mut self, record: &Decided<'_>, index: &KeyIndex) {
        let start = (record.file, record.span.start);
        let before = self.needs.len();
        for (draft, fate) in record.drafts.iter().zip(record.fates) {
            let is_written = fate.holds() || fate.is_there() || matches!(fate, RowFate::Filled(_));
            let unit = Unit::Row((record.file, draft.at), record.rules[draft.rule].number);
            // Without the rows above it there is none either.
            let mut above = Some(draft);
            while let Some(row) = above {
                let of_row = |number| is_written && index.needed(number) == Need::ForRow;
                self.add_all(unit, row, index, of_row);
                above = row.parent.map(|at| &record.drafts[at]);
            }
            self.add_all(Unit::Record(start), draft, index, |number| index.needed(number) == Need::ForRecord);
        }
        if self.needs[before..].iter().any(|need| matches!(need.unit, Unit::Record(_))) {
            self.records.push(Span { start, end: record.span.end, is_late: record.is_late });
        }
    }

    fn add_all(&mut self, unit: Unit, row: &Draft, index: &KeyIndex, is_it: impl Fn(usize) -> bool) {
        let asked = row.needs.iter().filter(|(number, _)| is_it(*number));
        self.needs.extend(asked.filter_map(|(number, key)| Some(Link { unit, row: index.asked(*number, key)? })));
    }

    /// What goes, by the rows that there are.
    pub(crate) fn gone(&self, index: &KeyIndex) -> Gone {
        let mut gone = Gone::default();
        let missing = self.needs.iter().filter(|need| index.answer(&need.row) == Answer::Missing);
        let mut next: Vec<Unit> = missing.map(|need| need.unit).collect();
        if next.is_empty() {
            return gone;
        }
        let mut records: BTreeMap<Start, (u64, bool)> = BTreeMap::new();
        for Span { start, end, is_late } in &self.records {
            records.entry(*start).or_insert((*end, false)).1 |= is_late;
        }
        let mut waiting: HashMap<Unit, Vec<Unit>> = HashMap::new();
        for need in &self.needs {
            if let Answer::Made(place, rule) = index.answer(&need.row) {
                let record = record_of(&records, place).map(Unit::Record);
                let row = Unit::Row((place.file, place.offset), rule);
                record.into_iter().chain([row]).for_each(|unit| waiting.entry(unit).or_default().push(need.unit));
            }
        }
        while let Some(unit) = next.pop() {
            match unit {
                Unit::Record(start) => _ = gone.records.insert(start, records[&start]),
                Unit::Row(start, rule) => _ = gone.rows.insert((start, rule)),
            }
            next.extend(waiting.remove(&unit).into_iter().flatten());
        }
        gone
    }
}

impl Gone {
    /// Whether nothing goes.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.rows.is_empty()
    }

    /// Whether what a rule makes of an element goes.
    pub(crate) fn has(&self, place: Place, rule: u32) -> bool {
        self.rows.contains(&((place.file, place.offset), rule)) || record_of(&self.records, place).is_some()
    }

    /// The records that go and are rejected too late.
    pub(crate) fn late(&self) -> impl Iterator<Item = Start> {
        self.records.iter().filter(|(_, (_, is_late))| *is_late).map(|(start, _)| *start)
    }
}

/// The record that an element lies in.
fn record_of(records: &BTreeMap<Start, (u64, bool)>, place: Place) -> Option<Start> {
    let (start, (end, _)) = records.range(..=(place.file, place.offset)).next_back()?;
    (start.0 == place.file && place.offset < *end).then_some(*start)
}
