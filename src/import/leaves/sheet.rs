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

/// A class with the reason of an ignored leaf, or of one that is not kept whole, in two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) struct Mark(u16);

const REASON_BITS: u32 = 13;

/// The ranks of marks with a reason.
const IGNORED: u16 = 2;
const LOSSY_JSON: u16 = 3;
const LOSSY_COLUMN: u16 = 4;

impl Mark {
    /// The mark of a class that needs no reason.
    pub(crate) fn of(class: Class) -> Self {
        let rank = match class {
            Class::Unmapped => 0,
            Class::Rejected => 1,
            Class::Ignored => IGNORED,
            Class::Sealed => 5,
            Class::Json => 6,
            Class::Column => 7,
        };
        Self(rank << REASON_BITS)
    }

    /// Ignored for a reason.
    pub(crate) fn ignored(reason: Reason) -> Self {
        Self((IGNORED << REASON_BITS) | reason.0)
    }

    /// Part of a column's value, or (`json`) inside a JSON column, and for a reason not so that it can be got back.
    pub(crate) fn lossy(json: bool, reason: Reason) -> Self {
        Self(((if json { LOSSY_JSON } else { LOSSY_COLUMN }) << REASON_BITS) | reason.0)
    }

    /// Its class.
    pub(crate) fn class(self) -> Class {
        match self.rank() {
            0 => Class::Unmapped,
            1 => Class::Rejected,
            IGNORED => Class::Ignored,
            5 => Class::Sealed,
            LOSSY_JSON | 6 => Class::Json,
            _ => Class::Column,
        }
    }

    fn rank(self) -> u16 {
        self.0 >> REASON_BITS
    }

    /// Its reason, where it is ignored or not kept whole.
    pub(crate) fn reason(self) -> Option<Reason> {
        let has_one = (IGNORED..=LOSSY_COLUMN).contains(&self.rank());
        has_one.then_some(Reason(self.0 & ((1 << REASON_BITS) - 1)))
    }

    /// The better of two claims, of which one that keeps the whole leaf is; of two equal ones the first stays.
    pub(crate) fn better(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// What leaves something out: with the number of its rule, or of its mapping, that is a reason of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Why {
    /// The rule's entry of `drop` of this index.
    Dropped(usize),
    /// The row that a rule adds to has another value.
    Filled,
    /// The database has another row of the same key, which stays.
    Kept,
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
    /// Null or empty, for which a policy of this field makes no row or item.
    Skipped(Option<usize>),
    /// What this field reads is not kept whole, as the mapping says here: the address of its `lossy`.
    Lossy(Option<usize>, usize),
    /// A secret is empty.
    EmptySecret,
    /// Its row has an empty secret.
    Empty,
    /// The mapping's `[ignore]` of this index.
    Ignored(u16),
    /// The member names of the mapping's `[ignore]` of this index.
    IgnoredName(usize),
    /// The member names of elements of which the rule makes no row.
    IdleName,
    /// `otherwise` of the mapping's shape of this index.
    Otherwise(usize),
    /// A file of this shape has no records.
    NoRecords(usize),
    /// Lines of this shape carry nothing.
    Shape(usize),
}

/// A reason in words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Said {
    what: String,
    why: String,
    /// Whether what it is said of is kept, but not whole.
    lossy: bool,
}

/// The reasons of a run, each once.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    known: HashMap<(usize, Why), Reason>,
    numbers: HashMap<Said, Reason>,
    texts: Vec<Said>,
}

impl Reasons {
    /// The number of a reason, whose text says what is left out (a mapping and what of it), and why. It is
    /// put into words once.
    pub(crate) fn number(&mut self, why: (usize, Why), text: impl FnOnce() -> (String, String)) -> Reason {
        if let Some(known) = self.known.get(&why) {
            return *known;
        }
        let (what, said) = text();
        let text = Said { what, why: said, lossy: matches!(why.1, Why::Lossy(..)) };
        let next = self.texts.len();
        let reason = *self.numbers.entry(text.clone()).or_insert_with(|| {
            self.texts.push(text);
            // Past the last number reasons share one; the counts stay right.
            Reason(u16::try_from(next).unwrap_or(u16::MAX).min((1 << REASON_BITS) - 1))
        });
        self.known.insert(why, reason);
        reason
    }

    /// What was left out or is not kept whole, and why.
    pub(crate) fn text(&self, reason: Reason) -> (&str, &str) {
        self.texts.get(usize::from(reason.0)).map_or(("", ""), |said| (&said.what, &said.why))
    }

    /// Whether it is one of leaves that are kept, but not whole.
    pub(crate) fn is_lossy(&self, reason: Reason) -> bool {
        self.texts.get(usize::from(reason.0)).is_some_and(|said| said.lossy)
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

/// Leaves by class, and those that are ignored or not kept whole by reason.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// By class.
    pub leaves: LeafCounts,
    /// Leaves that are ignored or not kept whole, by reason.
    pub reasons: BTreeMap<Reason, u64>,
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
            Class::Ignored => leaves.ignored += 1,
        }
        if let Some(reason) = mark.reason() {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }
}
