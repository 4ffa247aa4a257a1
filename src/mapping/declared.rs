//! What a mapping says about paths: which are named, expected, ignored, secret.
//!
//! Each answer is worked out once per path and then looked up by the path's number, so that
//! accounting costs a table access per leaf.

use super::model::{Covering, Mapping, Root, Rooted, Shape};
use super::place::{At, Covered, Place};
use super::secret_words::{looks_secret, looks_secret_below};
use super::walk::{self, Visit};
use crate::document::tape::{PathId, Paths, Segment, Selection};

/// Which of the two documents of a source file a node lies in. Where the document is itself the
/// record there is only [`Doc::Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doc {
    /// The record.
    Record,
    /// The document without its records.
    Frame,
}

/// What is known of a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathFacts {
    /// A column, condition, key, `let` or `expected` names it.
    pub named: bool,
    /// A rule names its last member, and not only by `.*`, or `expected` covers it.
    pub spelled: bool,
    /// It is sealed, hashed or dropped somewhere in the mapping: no JSON keeps it but that of a column that declassifies
    /// it, no message shows it.
    pub secret: bool,
    /// It is sealed or hashed: among what is secret, what was not only dropped.
    pub sealed: bool,
    /// `[ignore]` covers it: the index of the entry in the mapping.
    pub ignored: Option<u16>,
    /// `declassify` beside a column that reads it, or beside a secret, says that it may be kept as it is.
    pub declassified: bool,
    /// A rule makes a secret of it, and a column declassifies it: what is kept of it is in plaintext, as the set says.
    pub released: bool,
    /// Its name looks secret and nothing makes one of it: it may be left behind, and not be kept.
    pub suspicious: bool,
    /// The name of what it lies in looks secret, and its own does not say that it only describes it.
    pub in_suspicious: bool,
}

impl PathFacts {
    /// Whether no message shows the value: it is secret, or its name or that of what it lies in looks so.
    pub fn is_hidden(self) -> bool {
        self.is_searched() || self.suspicious || self.in_suspicious
    }

    /// Whether the value is looked for in all that is written.
    pub fn is_searched(self) -> bool {
        self.secret && !self.declassified
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declaration {
    Named,
    Expected,
    Sealed,
    Dropped,
    /// By the column that reads it, for itself.
    Declassified,
    /// By the column that makes a secret of it, for all others.
    Released,
    Ignored(u16),
}

/// What is said of the values at a place.
#[derive(Debug)]
struct Entry {
    doc: Doc,
    pattern: Vec<Segment>,
    /// Whether it is said of everything below as well.
    below: bool,
    declaration: Declaration,
}

impl Entry {
    fn covers(&self, steps: &[&Segment]) -> bool {
        matches(&self.pattern, steps, self.below, &same)
    }

    fn is_secret(&self) -> bool {
        matches!(self.declaration, Declaration::Sealed | Declaration::Dropped)
    }
}

/// What a mapping says about the paths of one of its shapes.
#[derive(Debug, Default)]
pub struct Declared {
    entries: Vec<Entry>,
    /// By document, then by the path's number.
    facts: [Vec<PathFacts>; 2],
}

impl Declared {
    /// Collects what `mapping` says, for files of this shape.
    pub fn new(mapping: &Mapping, shape: &Shape) -> Self {
        let mut collector = Collector { whole: shape.records.is_none(), entries: Vec::new() };
        for (i, (covering, _, _)) in mapping.ignore.iter().enumerate() {
            let at = u16::try_from(i).expect("fewer than 65,536 entries");
            collector.cover(covering, Declaration::Ignored(at));
        }
        for covering in &mapping.expected {
            collector.cover(covering, Declaration::Expected);
        }
        let document = vec![Rooted { root: Root::Frame, selection: Selection::default() }];
        for rule in &mapping.rules {
            let at = At { mapping, rule, whole: collector.whole };
            // What shapes test and what files are sorted by starts at the document.
            for when in mapping.source.shapes.iter().filter_map(|shape| shape.when.as_ref()) {
                walk::condition(when, 0, &mut |visit| {
                    let within = std::slice::from_ref(&document);
                    let visit = Visit { within, ..visit };
                    at.named(&visit).into_iter().for_each(|place| collector.name(place));
                });
            }
            for path in &mapping.source.newest {
                at.places(path, &[]).into_iter().for_each(|place| collector.name(place));
            }
            collector.rule(&at);
        }
        Self { entries: collector.entries, ..Self::default() }
    }

    /// Numbers the names that the mapping says before any that a file brings: those beyond a
    /// certain number share one path.
    pub fn intern(&self, doc: Doc, paths: &mut Paths) {
        for entry in self.entries.iter().filter(|entry| entry.doc == doc) {
            let mut path = 0;
            for segment in &entry.pattern {
                path = match segment {
                    Segment::Name(name) => paths.member(path, name),
                    Segment::Elements => paths.element(path),
                    _ => break, // any name
                };
            }
        }
    }

    /// Works out what is not known yet of the paths that a reader has interned.
    pub fn learn(&mut self, doc: Doc, paths: &Paths) {
        for path in self.facts[doc as usize].len()..paths.len() {
            let path = PathId::try_from(path).expect("path numbers are of this type");
            let facts = self.facts_of(doc, &paths.steps(path), paths.is_apart(path));
            self.facts[doc as usize].push(facts);
        }
    }

    /// What is known of a path; nothing of one that was never learnt.
    pub fn facts(&self, doc: Doc, path: PathId) -> PathFacts {
        self.facts[doc as usize].get(path as usize).copied().unwrap_or_default()
    }

    /// The last names of the secret paths.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| entry.is_secret()).filter_map(|entry| match entry.pattern.last() {
            Some(Segment::Name(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether any path is secret, so that what is read must be wiped.
    pub fn has_secrets(&self) -> bool {
        self.entries.iter().any(Entry::is_secret)
    }

    /// `apart`: the last name is not known, but that it looks secret.
    fn facts_of(&self, doc: Doc, steps: &[&Segment], apart: bool) -> PathFacts {
        let mut facts = PathFacts::default();
        // How much of the path the entry says that makes a secret of it, and the one that declassifies it.
        let (mut secret, mut open, mut released) = (None, None, false);
        for entry in self.entries.iter().filter(|entry| entry.doc == doc) {
            match entry.declaration {
                Declaration::Named if entry.covers(steps) => {
                    facts.named = true;
                    facts.spelled |= !ends_in_any_member(&entry.pattern);
                }
                Declaration::Expected if entry.covers(steps) => (facts.named, facts.spelled) = (true, true),
                Declaration::Named | Declaration::Expected => {}
                Declaration::Sealed | Declaration::Dropped => {
                    if may_cover(&entry.pattern, steps) {
                        secret = secret.max(Some(entry.pattern.len()));
                        facts.sealed |= entry.declaration == Declaration::Sealed;
                    }
                }
                Declaration::Declassified if entry.covers(steps) => open = open.max(Some(entry.pattern.len())),
                Declaration::Released => released |= entry.covers(steps),
                Declaration::Declassified => {}
                Declaration::Ignored(at) => {
                    if facts.ignored.is_none() && entry.covers(steps) {
                        facts.ignored = Some(at);
                    }
                }
            }
        }
        let mut names = steps.iter().rev().filter_map(|step| match step {
            Segment::Name(name) => Some(name.as_str()),
            Segment::Members => Some(""), // any name
            _ => None,
        });
        let name = names.next().unwrap_or_default();
        // A container that is declassified keeps the secrets that are named below it.
        facts.declassified = released || (open.is_some() && open >= secret);
        facts.secret = secret.is_some() && !released;
        facts.released = facts.secret && facts.declassified;
        // What is ignored and yet kept, by a catch-all above it, is in plaintext as if it were undecided.
        let undecided = !facts.secret && !facts.declassified;
        facts.suspicious = undecided && (apart || looks_secret(name));
        facts.in_suspicious = undecided && names.any(|outer| looks_secret_below(outer, name));
        facts.sealed &= facts.is_searched();
        facts
    }
}

/// Whether the last name of the pattern is any: the rule took what was there.
fn ends_in_any_member(pattern: &[Segment]) -> bool {
    pattern.iter().rev().find(|step| **step != Segment::Elements) == Some(&Segment::Members)
}

fn same(pattern: &Segment, step: &Segment) -> bool {
    match pattern {
        Segment::Members => matches!(step, Segment::Name(_) | Segment::Members),
        _ => pattern == step,
    }
}

/// Whether the steps are those of a value that the pattern selects, or (`below`) of one below.
fn matches(pattern: &[Segment], steps: &[&Segment], below: bool, same: &dyn Fn(&Segment, &Segment) -> bool) -> bool {
    match pattern.split_first() {
        None => below || steps.is_empty(),
        Some((Segment::AnyDepth, rest)) => (0..=steps.len()).any(|at| matches(rest, &steps[at..], below, same)),
        Some((Segment::Spread, rest)) => {
            matches(rest, steps, below, same)
                || (steps.first() == Some(&&Segment::Elements) && matches(rest, &steps[1..], below, same))
        }
        Some((first, rest)) => {
            steps.split_first().is_some_and(|(step, steps)| same(first, step) && matches(rest, steps, below, same))
        }
    }
}

/// Whether the pattern covers one of the names that share the path, or something above it: with secrets it must be
/// assumed.
fn may_cover(pattern: &[Segment], steps: &[&Segment]) -> bool {
    matches(pattern, steps, true, &|pattern, step| same(pattern, step) || *step == Segment::Members)
}

struct Collector {
    whole: bool,
    entries: Vec<Entry>,
}

impl Collector {
    /// An entry of the mapping says it, of what the entry covers.
    fn cover(&mut self, covering: &Covering, declaration: Declaration) {
        let Covered { place, below } = Covered::of(self.whole, covering);
        self.say(place, below, declaration);
    }

    /// A rule names the place.
    fn name(&mut self, place: Place) {
        self.say(place, false, Declaration::Named);
    }

    fn say(&mut self, place: Place, below: bool, declaration: Declaration) {
        let doc = if place.frame { Doc::Frame } else { Doc::Record };
        let entry = Entry { doc, pattern: place.path, below, declaration };
        let is_known = |known: &Entry| {
            (known.doc, known.below, known.declaration) == (doc, below, declaration) && known.pattern == entry.pattern
        };
        if !self.entries.iter().any(is_known) {
            self.entries.push(entry);
        }
    }

    fn rule(&mut self, at: &At) {
        let mut name = |visit: Visit<'_, '_>| {
            at.named(&visit).into_iter().for_each(|place| self.name(place));
        };
        walk::rule(at.rule, &mut name);
        for column in &at.rule.columns {
            let declaration = match (column.protection, &column.declassify) {
                (Some(_), Some(_)) => Declaration::Released,
                (Some(_), None) => Declaration::Sealed,
                (None, Some(_)) => Declaration::Declassified,
                (None, None) => continue, // an ordinary column
            };
            at.made_from(&column.expr, &mut |used| {
                if !used.cut {
                    self.say(used.place, true, declaration);
                }
            });
        }
        for drop in &at.rule.drops {
            let places = at.elements(&drop.selection, &[]);
            places.into_iter().for_each(|place| self.say(place, true, Declaration::Dropped));
        }
    }
}
