//! Leaf accounting: every leaf of every mapped file is counted once, in the most readable class
//! that was really written.

use crate::document::name::NameLeaf;
use crate::document::tape::{NodeId, Tape};
use crate::report::LeafCounts;
use foldhash::HashMap;
use std::collections::BTreeMap;

/// What became of a leaf, from the least to the most readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Nothing says what becomes of it.
    Unmapped,
    /// Its record was rejected.
    Rejected,
    /// Left out, with a reason.
    Ignored,
    /// Inside a sealed value only.
    Sealed,
    /// Inside a JSON column only.
    Json,
    /// A column's value, or part of one.
    Column,
}

impl Class {
    /// As the counts of a report name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::Unmapped => "unmapped",
            Class::Rejected => "rejected",
            Class::Ignored => "ignored",
            Class::Sealed => "sealed",
            Class::Json => "json",
            Class::Column => "column",
        }
    }
}

/// The number of a reason in [`Reasons`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reason(u16);

/// A class with the reason of an ignored leaf, in two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) struct Mark(u16);

const REASON_BITS: u32 = 13;

impl Mark {
    /// The mark of a class that needs no reason.
    pub(crate) fn of(class: Class) -> Self {
        Self((class as u16) << REASON_BITS)
    }

    /// Ignored for a reason.
    pub(crate) fn ignored(reason: Reason) -> Self {
        Self(((Class::Ignored as u16) << REASON_BITS) | reason.0)
    }

    /// Its class.
    pub(crate) fn class(self) -> Class {
        match self.0 >> REASON_BITS {
            0 => Class::Unmapped,
            1 => Class::Rejected,
            2 => Class::Ignored,
            3 => Class::Sealed,
            4 => Class::Json,
            _ => Class::Column,
        }
    }

    /// Its reason; of use only when it is ignored.
    pub(crate) fn reason(self) -> Reason {
        Reason(self.0 & ((1 << REASON_BITS) - 1))
    }

    /// The better of two claims; of two equal classes the first stays.
    pub(crate) fn better(self, other: Self) -> Self {
        if other.class() > self.class() { other } else { self }
    }
}

/// What leaves something out: with the number of its rule, or of its mapping, that is a reason of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Why {
    /// The rule's entry of `drop` of this index.
    Dropped(usize),
    /// The row that a rule adds to has another value.
    Filled,
    /// An earlier row of the same key stays.
    Superseded,
    /// A later row of the same key stays.
    Replaced,
    /// A later record of the same key removes it, or it removes earlier ones.
    Removed,
    /// The value of this field became NULL.
    NotConvertible(Option<usize>),
    /// The reference of this field leads nowhere.
    Dangling(Option<usize>),
    /// A secret is empty.
    EmptySecret,
    /// Its row has an empty secret.
    Empty,
    /// The mapping's `[ignore]` of this index.
    Ignored(u16),
    /// The member names of the mapping's `[ignore]` of this index.
    IgnoredName(usize),
    /// `otherwise` of the mapping's shape of this index.
    Otherwise(usize),
    /// A file of this shape has no records.
    NoRecords(usize),
    /// Lines of this shape carry nothing.
    Shape(usize),
}

/// The reasons of a run, each once.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    known: HashMap<(usize, Why), Reason>,
    numbers: HashMap<(String, String), Reason>,
    texts: Vec<(String, String)>,
}

impl Reasons {
    /// The number of a reason, whose text says what is left out (a mapping and what of it), and why. It is
    /// put into words once.
    pub(crate) fn number(&mut self, why: (usize, Why), text: impl FnOnce() -> (String, String)) -> Reason {
        if let Some(known) = self.known.get(&why) {
            return *known;
        }
        let text = text();
        let next = self.texts.len();
        let reason = *self.numbers.entry(text.clone()).or_insert_with(|| {
            self.texts.push(text);
            // Past the last number reasons share one; the counts stay right.
            Reason(u16::try_from(next).unwrap_or(u16::MAX).min((1 << REASON_BITS) - 1))
        });
        self.known.insert(why, reason);
        reason
    }

    /// What was left out, and why.
    pub(crate) fn text(&self, reason: Reason) -> (&str, &str) {
        self.texts.get(usize::from(reason.0)).map_or(("", ""), |(what, why)| (what, why))
    }
}

/// The marks of one document: one per node, of use only at leaves, and those of names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sheet {
    marks: Vec<Mark>,
    names: BTreeMap<NameLeaf, Mark>,
    /// Whether a rule took the record.
    pub taken: bool,
    /// Whether the record was rejected.
    pub rejected: bool,
}

impl Sheet {
    /// A sheet for a document of so many nodes, all unmapped.
    pub(crate) fn new(nodes: u32) -> Self {
        Self { marks: vec![Mark::default(); nodes as usize], ..Self::default() }
    }

    /// Claims every node of a range.
    pub(crate) fn claim(&mut self, nodes: std::ops::Range<NodeId>, mark: Mark) {
        for held in &mut self.marks[nodes.start as usize..nodes.end as usize] {
            *held = held.better(mark);
        }
    }

    /// Claims, or only introduces (as unmapped), the name of a member.
    pub(crate) fn claim_name(&mut self, name: NameLeaf, mark: Mark) {
        let held = self.names.entry(name).or_default();
        *held = held.better(mark);
    }

    /// The mark of a node.
    pub(crate) fn mark(&self, node: NodeId) -> Mark {
        self.marks[node as usize]
    }

    /// The marks of names.
    pub(crate) fn names(&self) -> &BTreeMap<NameLeaf, Mark> {
        &self.names
    }

    /// Takes over the claims of an earlier reading of the same document.
    pub(crate) fn merge(&mut self, earlier: &Sheet) {
        for (held, mark) in self.marks.iter_mut().zip(&earlier.marks) {
            *held = mark.better(*held);
        }
        for (name, mark) in &earlier.names {
            self.claim_name(*name, *mark);
        }
        self.taken |= earlier.taken;
        self.rejected |= earlier.rejected;
    }

    /// Turns every unclaimed leaf into an ignored one.
    pub(crate) fn ignore_rest(&mut self, reason: Reason) {
        let mark = Mark::ignored(reason);
        for held in self.marks.iter_mut().chain(self.names.values_mut()) {
            if held.class() == Class::Unmapped {
                *held = mark;
            }
        }
    }

    /// Makes every leaf a rejected one.
    pub(crate) fn reject_all(&mut self) {
        self.rejected = true;
        let mark = Mark::of(Class::Rejected);
        self.marks.fill(mark);
        self.names.values_mut().for_each(|held| *held = mark);
    }

    /// Adds the leaves of the document to the counts, and those ignored to their reasons. What was
    /// *seen* is counted elsewhere, by the skim, so that the sum proves something.
    pub(crate) fn count(&self, tape: &Tape, tally: &mut Tally) {
        for node in tape.nodes().filter(|node| node.is_leaf()) {
            tally.add(self.mark(node.id()));
        }
        for mark in self.names.values() {
            tally.add(*mark);
        }
        tally.leaves.seen += self.names.len() as u64;
    }
}

/// Leaves by class, and the ignored ones by reason.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// By class.
    pub leaves: LeafCounts,
    /// Ignored leaves by reason.
    pub ignored: BTreeMap<Reason, u64>,
}

impl Tally {
    /// Adds a leaf.
    pub(crate) fn add(&mut self, mark: Mark) {
        let leaves = &mut self.leaves;
        match mark.class() {
            Class::Unmapped => leaves.unmapped += 1,
            Class::Rejected => leaves.rejected += 1,
            Class::Sealed => leaves.sealed += 1,
            Class::Json => leaves.json += 1,
            Class::Column => leaves.column += 1,
            Class::Ignored => {
                leaves.ignored += 1;
                *self.ignored.entry(mark.reason()).or_default() += 1;
            }
        }
    }
}
