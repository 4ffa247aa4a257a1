//! Watches the import of one file and collects what happens to its leaves.

use super::answer::{By, Fate, LeafStory, MOST_LEAVES, MOST_WAYS, StepStory, Way};
use super::asked::{AskedRow, RowId};
use super::show::{hidden, show_datum, show_node, show_value};
use super::way::{Claimed, Judge, Making};
use crate::document::name::NameLeaf;
use crate::document::tape::{NodeId, NodeRef};
use crate::finding::Finding;
use crate::import::leaves::sheet::{Class, Mark, Tally};
use crate::import::plan::Plan;
use crate::import::watch::{Counted, Seen, Watch};
use crate::mapping::apply::{Claim, Draft, LeafSpan, Made, StepTaken, Trace};
use crate::mapping::declared::Doc;
use crate::mapping::secret_values::may_be_secret;
use crate::row::Value;
use crate::secret::proof::LeakSearch;
use crate::step::Datum;
use jiff::Timestamp;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

/// What is asked about.
pub(super) struct Asked {
    pub(super) file: usize,
    /// The index of its mapping.
    pub(super) mapping: usize,
    pub(super) span: Range<u64>,
    /// The files that must be read for it.
    pub(super) needed: BTreeSet<usize>,
    /// Only what goes into this row.
    pub(super) row: Option<AskedRow>,
    /// When the rehearsal began.
    pub(super) started: Timestamp,
}

/// Watches one file; the others are only read for what decides about it.
pub(super) struct Listener<'p> {
    plan: &'p Plan,
    /// The secrets of the tree: no copy of one is shown.
    secrets: LeakSearch,
    asked: &'p Asked,
    heard: RefCell<Heard>,
}

/// What is known of the file so far.
#[derive(Default)]
pub(super) struct Heard {
    /// What was begun and is not made yet, the innermost last.
    open: Vec<Making>,
    /// What is made of the record that is evaluated.
    made: Vec<Making>,
    /// The same of records that have no fate yet, by their number.
    waiting: HashMap<u64, Vec<Making>>,
    /// The claims of the record whose rows have just got their fate.
    claims: Vec<Claimed>,
    /// Why records were rejected, by their number.
    rejected: BTreeMap<u64, String>,
    /// The first claim of the best class, by record (0 for the frame) and node, until the leaf is counted.
    best: HashMap<(u64, NodeId), (Mark, By)>,
    /// The same of names.
    best_names: BTreeMap<(u64, NameLeaf), (Mark, By)>,
    /// The names whose row is asked for.
    names_of_row: BTreeSet<(u64, NameLeaf)>,
    /// By offset, until the leaf is counted: its ways, and how many more there are.
    ways: BTreeMap<u64, (Vec<Way>, u64)>,
    /// By offset.
    pub(super) leaves: BTreeMap<u64, LeafStory>,
    /// What names are counted as, with the offsets of their members or records.
    pub(super) names: Vec<(u64, Fate)>,
    /// Leaves that are not explained.
    pub(super) more: u64,
    /// How many rows may be the one that is asked for, where that is not known.
    pub(super) alike: u64,
    /// All leaves by class.
    pub(super) tally: Tally,
    /// What is wrong with the file.
    pub(super) broken: Option<String>,
}

impl Heard {
    fn count(&mut self, mark: Mark) {
        self.tally.leaves.seen += 1;
        self.tally.add(mark);
    }
}

impl<'p> Listener<'p> {
    pub(super) fn new(plan: &'p Plan, secrets: LeakSearch, asked: &'p Asked) -> Self {
        Self { plan, secrets, asked, heard: RefCell::default() }
    }

    /// What is known in the end.
    pub(super) fn take(&self) -> Heard {
        self.heard.take()
    }

    /// Whether a text on its way must not be shown: it holds a secret of the tree, or looks like one.
    pub(super) fn is_secret(&self, text: &str) -> bool {
        self.holds_copy(text) || may_be_secret([], text)
    }

    /// Whether a text holds a secret of the tree.
    pub(super) fn holds_copy(&self, text: &str) -> bool {
        self.secrets.finds(text)
    }

    fn holds_secret(&self, datum: &Datum) -> bool {
        match datum {
            Datum::Text(text) | Datum::Json(text) | Datum::Number(text) => self.is_secret(text),
            Datum::List(parts) => parts.iter().any(|part| self.holds_secret(part)),
            Datum::Integer(value) => self.is_secret(&value.to_string()),
            Datum::Bytes(bytes) => self.is_secret(&String::from_utf8_lossy(bytes)),
            Datum::Null | Datum::Bool(_) | Datum::Civil(_) | Datum::Day(_) | Datum::Instant(..) => false,
        }
    }

    /// The first of the findings in words, without a secret.
    fn reason(&self, findings: &[Finding]) -> String {
        let first = findings.first().map(|finding| (finding.code, finding.message.as_str()));
        match first {
            Some((code, message)) if !self.holds_copy(message) => format!("{}: {message}", code.id),
            Some((code, _)) => format!("{}: {}", code.id, code.title),
            None => String::new(),
        }
    }

    fn fate(&self, heard: &Heard, counted: &Counted<'_>, best: Option<(Mark, By)>) -> Fate {
        let class = counted.mark.class();
        // What is in the frame is rejected with all records that claim it.
        let first = heard.rejected.values().next().filter(|_| counted.record == 0);
        Fate {
            class: class.name(),
            by: best.filter(|(mark, _)| *mark == counted.mark && class != Class::Rejected).map(|(_, by)| by),
            ignored: counted.ignored.map(|(_, why)| why.to_owned()),
            ignored_by: counted.ignored.map(|(what, _)| what.to_owned()),
            lossy: counted.lossy.map(str::to_owned),
            rejected: heard.rejected.get(&counted.record).or(first).filter(|_| class == Class::Rejected).cloned(),
        }
    }
}

impl Watch for Listener<'_> {
    fn wants(&self, file: usize) -> bool {
        self.asked.needed.contains(&file)
    }

    fn follows(&self, file: usize) -> bool {
        file == self.asked.file
    }

    fn trace(&self) -> Option<&dyn Trace> {
        Some(self)
    }

    fn made(&self, record: u64) {
        let mut heard = self.heard.borrow_mut();
        heard.open.clear();
        let made = std::mem::take(&mut heard.made);
        heard.waiting.insert(record, made);
    }

    fn claim(&self, draft: &Draft, claim: &Claim, mark: Mark) {
        let claim = Claimed::new(self.plan, self.asked.mapping, draft, claim, mark);
        self.heard.borrow_mut().claims.push(claim);
    }

    fn rejected(&self, record: u64, findings: &[Finding]) {
        let reason = self.reason(findings);
        self.heard.borrow_mut().rejected.insert(record, reason);
    }

    fn record(&self, seen: &Seen<'_>) {
        let mut heard = self.heard.borrow_mut();
        let heard = &mut *heard;
        let number = seen.record.number;
        let made = heard.waiting.remove(&number).unwrap_or_default();
        let claims = std::mem::take(&mut heard.claims);
        let wanted = self.asked.row.as_ref().map(|row| row.among(self.plan, self.asked.mapping, seen));
        if let Some(alike) = wanted.as_ref().map(Vec::len).filter(|rows| *rows > 1) {
            heard.alike += alike as u64;
        }
        let is_wanted = |of: &RowId| wanted.as_ref().is_none_or(|wanted| wanted.contains(of));
        for claimed in &claims {
            let best = (claimed.mark, claimed.by.clone());
            match &claimed.touch {
                LeafSpan::Name(name) => {
                    let held = heard.best_names.entry((number, *name)).or_insert_with(|| best.clone());
                    better(held, best);
                    if is_wanted(&claimed.of) {
                        heard.names_of_row.insert((number, *name));
                    }
                }
                LeafSpan::Part(..) | LeafSpan::Lossy(..) => {} // nothing counts as that
                LeafSpan::Nodes(doc, nodes) => {
                    let in_frame = *doc == Doc::Frame && !seen.frame.is_empty();
                    let tape = if in_frame { seen.frame } else { &seen.record.tape };
                    let asked = |id: &NodeId| {
                        let node = tape.node(*id);
                        node.is_leaf() && self.asked.span.contains(&node.at())
                    };
                    for id in nodes.clone().filter(asked) {
                        let key = (if in_frame { 0 } else { number }, id);
                        let held = heard.best.entry(key).or_insert_with(|| best.clone());
                        better(held, best.clone());
                    }
                }
            }
        }
        let rejected = heard.rejected.get(&number).map(String::as_str);
        for (doc, tape) in [(Doc::Frame, seen.frame), (Doc::Record, &seen.record.tape)] {
            let judge = Judge {
                plan: self.plan,
                mapping: self.asked.mapping,
                secrets: &self.secrets,
                seen,
                doc,
                tape,
                claims: &claims,
                rejected,
                started: self.asked.started,
            };
            for node in tape.nodes().filter(|node| node.is_leaf() && self.asked.span.contains(&node.at())) {
                let full = heard.leaves.len() + heard.ways.len() >= MOST_LEAVES;
                if full && !heard.ways.contains_key(&node.at()) {
                    continue; // the leaf is counted all the same
                }
                let mut ways = judge.ways(node, &made);
                ways.retain(|way| is_wanted(&way.of));
                if ways.is_empty() {
                    continue; // no row is made of it
                }
                let known = heard.ways.entry(node.at()).or_default();
                ways.into_iter().for_each(|way| add(known, way));
            }
        }
    }

    fn leaf(&self, node: NodeRef<'_>, counted: &Counted<'_>) {
        if !self.asked.span.contains(&node.at()) {
            return;
        }
        let mut heard = self.heard.borrow_mut();
        let best = heard.best.remove(&(counted.record, node.id()));
        let ways = heard.ways.remove(&node.at());
        if self.asked.row.is_some() && ways.is_none() {
            return; // nothing of it is in the row that is asked for
        }
        heard.count(counted.mark);
        if ways.is_none() && heard.leaves.len() + heard.ways.len() >= MOST_LEAVES {
            heard.more += 1;
            return;
        }
        let (goes, more_ways) = ways.unwrap_or_default();
        let hidden = hidden(counted.declared, counted.doc, counted.paths, node);
        let copy_of_secret = !hidden && self.holds_copy(node.text());
        let value = (!hidden && !copy_of_secret).then(|| show_node(node));
        let fate = self.fate(&heard, counted, best);
        let story = LeafStory { pointer: String::new(), line: 0, value, copy_of_secret, goes, more_ways, fate };
        heard.leaves.insert(node.at(), story);
    }

    fn name(&self, name: NameLeaf, at: u64, counted: &Counted<'_>) {
        let mut heard = self.heard.borrow_mut();
        let key = (counted.record, name);
        let best = heard.best_names.remove(&key);
        let of_row = heard.names_of_row.remove(&key);
        if !self.asked.span.contains(&at) || (self.asked.row.is_some() && !of_row) {
            return;
        }
        heard.count(counted.mark);
        if heard.names.len() >= MOST_LEAVES {
            heard.more += 1;
            return;
        }
        let fate = self.fate(&heard, counted, best);
        heard.names.push((at, fate));
    }

    fn broken(&self, file: usize, findings: &[Finding]) {
        if self.follows(file) {
            let broken = Some(self.reason(findings));
            *self.heard.borrow_mut() = Heard { broken, ..Heard::default() };
        }
    }
}

impl Trace for Listener<'_> {
    fn begin(&self, column: &str, draft: &Draft) {
        self.heard.borrow_mut().open.push(Making::new(RowId::of(draft), column));
    }

    fn read(&self, doc: Doc, node: NodeId) {
        if let Some(making) = self.heard.borrow_mut().open.last_mut() {
            making.reads.push((doc, node));
        }
    }

    fn step(&self, taken: &StepTaken<'_>) {
        if let Some(making) = self.heard.borrow_mut().open.last_mut() {
            let after = taken.after.ok().and_then(Option::as_ref);
            making.secret |=
                taken.secret || self.holds_secret(taken.before) || after.is_some_and(|after| self.holds_secret(after));
            let after = match taken.after {
                Ok(Some(after)) => show_datum(after),
                Ok(None) => "missing".to_owned(),
                Err(why) => format!("failed: {why}"),
            };
            let before = Some(show_datum(taken.before));
            let step = StepStory { step: taken.step.name().to_owned(), before, after: Some(after) };
            making.steps.push((making.reads.len(), step));
        }
    }

    fn end(&self, made: &Made<'_>) {
        let mut heard = self.heard.borrow_mut();
        if let Some(mut making) = heard.open.pop() {
            making.secret |=
                made.secret || made.value.and_then(Value::as_key_text).is_some_and(|text| self.is_secret(&text));
            making.field = Some(made.field);
            making.value = made.value.map(|value| show_value(value, self.asked.started));
            // The same column made again for another one adds nothing.
            heard.made.push(making);
        }
    }
}

/// Keeps the better of two claims, as a sheet of the accounting does.
fn better(held: &mut (Mark, By), other: (Mark, By)) {
    if held.0.better(other.0) != held.0 {
        *held = other;
    }
}

/// Adds a way, unless the same is known from another turn or record.
fn add((ways, more): &mut (Vec<Way>, u64), way: Way) {
    let known = ways.iter().any(|other| {
        let (one, same) = ((&way.rule, &way.column, way.how), (&other.rule, &other.column, other.how));
        one == same && (&way.row, &way.value) == (&other.row, &other.value)
    });
    if !known && ways.len() < MOST_WAYS {
        ways.push(way);
    } else if !known {
        *more += 1;
    }
}
