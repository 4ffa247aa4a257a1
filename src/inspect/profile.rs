//! The values in the files of one type: a tree of paths with counts, filled token by token.
//!
//! Files are seen twice. The first time only the names count ([`Profile::outline`]): which members there are, and
//! which objects are maps whose names are data. The second time the values of each path are measured
//! ([`Profile::measure`]), so that what is said of all values of a map holds over all of its members.
//!
//! Memory is bounded: by the number of paths, and for each path by the number of different values
//! that are remembered.

mod maps;
#[cfg(test)]
mod tests;

use super::facts::Facts;
use crate::document::tape::{Segment, Selection};
use crate::mapping::secret_values;
use crate::mapping::secret_words::looks_secret;
use crate::secret::whole::is_strong;
use crate::source::json::{Event, Token};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use zeroize::Zeroizing;

/// So many member names are counted separately below one path.
const MOST_NAMES: usize = 200;
/// So many paths are counted separately in all; later names count as any member.
const MOST_PATHS: usize = 20_000;

/// The number of a path in its [`Profile`]; the root is 0.
pub type At = usize;

/// The values at a path.
#[derive(Debug, Default)]
pub struct Stats {
    /// How many values there are.
    pub count: u64,
    /// By kind.
    pub objects: u64,
    /// By kind.
    pub arrays: u64,
    /// By kind.
    pub booleans: u64,
    /// By kind.
    pub nulls: u64,
    /// Strings and numbers: how many, and what is true of all of them.
    pub facts: Facts,
    /// Whether its name, or that of a container around it, looks like a secret, or one of its values does.
    pub secret: bool,
    /// Whether it is one by a name, and not only by one of its values.
    named_secret: bool,
    /// Whether names above it that are ids look like a secret's by chance.
    pub by_chance: bool,
    /// What its values have in common with secrets elsewhere.
    pub copies: Copies,
    /// Objects without members.
    pub empties: u64,
    /// Whether a member's name cannot be kept as text.
    pub odd_names: bool,
    /// The members, in the order they were met first.
    pub members: Vec<(String, At)>,
    /// Any member: names that are data.
    pub any_member: Option<At>,
    /// Hashes of those names.
    pub names: HashSet<u64>,
    /// The elements.
    pub elements: Option<At>,
}

/// What values have in common with the secrets of other paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Copies {
    /// Nothing.
    #[default]
    Nothing,
    /// One stands beside secrets, too, although it looks like none, or may do so.
    Neighbour,
    /// One has the name of a secret elsewhere.
    Secret,
}

impl Stats {
    /// Whether it is always a scalar or null.
    pub fn is_scalar(&self) -> bool {
        self.objects == 0 && self.arrays == 0
    }

    /// What lies directly below, in the order of the document.
    pub fn below(&self) -> impl Iterator<Item = (Segment, At)> {
        let members = self.members.iter().map(|(name, member)| (Segment::Name(name.clone()), *member));
        let any = self.any_member.map(|any| (Segment::Members, any));
        members.chain(any).chain(self.elements.map(|element| (Segment::Elements, element)))
    }

    /// How many kinds of values there are, null not counted.
    pub fn kinds(&self) -> usize {
        let kinds = [self.objects, self.arrays, self.facts.strings, self.facts.numbers(), self.booleans];
        kinds.into_iter().filter(|count| *count > 0).count()
    }
}

/// The paths of all files of one type.
#[derive(Debug)]
pub struct Profile {
    /// By number; the root first.
    pub stats: Vec<Stats>,
    /// Hashes of values that are no words, at paths that are secret by their names, and at other secret ones.
    secrets: [HashSet<u64>; 2],
    /// Whether a string or name has U+FFFD, which may stand for half a character.
    pub has_replaced: bool,
    state: RandomState,
    measuring: bool,
    file: u64,
    list: u64,
    open: Vec<Open>,
}

/// A container that is being read.
#[derive(Debug)]
struct Open {
    at: At,
    object: bool,
    member: At,
    /// Where the next member is looked for first.
    next: usize,
    /// The number of the innermost list or map.
    list: u64,
    /// Whether no member was met yet.
    empty: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self::new(RandomState::new())
    }
}

impl Profile {
    /// An empty one; values are compared by hashes of this state.
    pub fn new(state: RandomState) -> Self {
        let stats = vec![Stats::default()];
        Self {
            stats,
            secrets: Default::default(),
            has_replaced: false,
            state,
            measuring: false,
            file: 0,
            list: 0,
            open: Vec::new(),
        }
    }

    /// The next document is of another file.
    pub fn begin_file(&mut self) {
        self.file += 1;
    }

    /// The next token belongs to another document.
    pub fn begin_document(&mut self) {
        self.open.clear();
    }

    /// Takes note of the names in a document.
    pub fn outline(&mut self, token: &Token<'_>) {
        debug_assert!(!self.measuring, "names are known by now");
        self.token(token);
    }

    /// Counts what is in a document that was outlined.
    pub fn measure(&mut self, token: &Token<'_>) {
        debug_assert!(self.measuring, "what is counted while names are noted would be wrong for maps");
        self.token(token);
    }

    fn token(&mut self, token: &Token<'_>) {
        match token.event {
            Event::Name(text) => {
                let mut scratch = String::new();
                let name = text.decode(&mut scratch);
                self.has_replaced |= name.contains(char::REPLACEMENT_CHARACTER);
                if let Some(open) = self.open.last() {
                    let (at, next) = (open.at, open.next);
                    if self.measuring && self.stats[at].any_member.is_some() {
                        self.stats[at].names.insert(self.state.hash_one(name));
                    }
                    let (member, next) = self.member(at, next, name);
                    if let Some(open) = self.open.last_mut() {
                        (open.member, open.next, open.empty) = (member, next, false);
                    }
                }
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                if let Some(open) = self.open.pop().filter(|open| open.object && open.empty) {
                    self.stats[open.at].empties += 1;
                }
            }
            event => {
                let at = match self.open.last() {
                    None => 0,
                    Some(open) if open.object => open.member,
                    Some(open) => self.element(open.at),
                };
                self.value(at, event);
            }
        }
    }

    fn value(&mut self, at: At, event: Event<'_>) {
        let list = self.open.last().map_or(0, |open| open.list);
        let stats = &mut self.stats[at];
        stats.count += 1;
        match event {
            Event::ObjectStart => {
                stats.objects += 1;
                let list = if stats.any_member.is_some() { self.next_list() } else { list };
                self.open.push(Open { at, object: true, member: at, next: 0, list, empty: true });
            }
            Event::ArrayStart => {
                stats.arrays += 1;
                let list = self.next_list();
                self.open.push(Open { at, object: false, member: at, next: 0, list, empty: true });
            }
            Event::Null => stats.nulls += 1,
            Event::Bool(_) => stats.booleans += 1,
            Event::Number(text) => {
                stats.facts.number(text);
                if self.measuring {
                    note_secret(&mut self.secrets, stats, text, &self.state);
                    stats.facts.compare(text, self.file, list, stats.secret, &self.state);
                }
            }
            Event::String(text) => {
                let mut scratch = Zeroizing::new(String::new());
                let text = text.decode(&mut scratch);
                if !self.measuring {
                    stats.facts.strings += 1;
                    return;
                }
                self.has_replaced |= text.contains(char::REPLACEMENT_CHARACTER);
                stats.facts.string(text);
                if !stats.secret && secret_values::recognise(text).is_some() {
                    stats.secret = true;
                    self.secrets[1].extend(stats.facts.distinct.iter().flatten());
                }
                note_secret(&mut self.secrets, stats, text, &self.state);
                stats.facts.compare(text, self.file, list, stats.secret, &self.state);
            }
            Event::Name(_) | Event::ObjectEnd | Event::ArrayEnd => {}
        }
    }

    fn next_list(&mut self) -> u64 {
        self.list += 1;
        self.list
    }

    fn add(&mut self, secret: bool) -> At {
        self.stats.push(Stats { secret, named_secret: secret, ..Stats::default() });
        self.stats.len() - 1
    }

    /// The path of a member, and where the one after it is likely to be.
    fn member(&mut self, at: At, next: usize, name: &str) -> (At, usize) {
        let members = &self.stats[at].members;
        if let Some((_, member)) = members.get(next).filter(|(known, _)| known == name) {
            return (*member, next + 1);
        }
        if let Some(found) = members.iter().position(|(known, _)| known == name) {
            return (members[found].1, found + 1);
        }
        if self.stats[at].any_member.is_some()
            || self.stats[at].members.len() >= MOST_NAMES
            || self.stats.len() >= MOST_PATHS
        {
            self.stats[at].odd_names |= name.contains('\0');
            let any = self.any_member(at);
            self.note_name(any, name);
            return (any, 0);
        }
        let member = self.add(self.stats[at].secret || looks_secret(name));
        self.stats[at].odd_names |= name.contains('\0');
        self.stats[at].members.push((name.to_owned(), member));
        (member, self.stats[at].members.len())
    }

    fn any_member(&mut self, at: At) -> At {
        self.only_one(at, |stats| &mut stats.any_member)
    }

    fn element(&mut self, at: At) -> At {
        self.only_one(at, |stats| &mut stats.elements)
    }

    /// The path below that there is one of, which is added where it is not there yet.
    fn only_one(&mut self, at: At, of: fn(&mut Stats) -> &mut Option<At>) -> At {
        if let Some(known) = *of(&mut self.stats[at]) {
            return known;
        }
        let added = self.add(self.stats[at].secret);
        *of(&mut self.stats[at]) = Some(added);
        added
    }

    /// Ends the outline: maps are told, and the counts begin anew.
    pub fn end_outline(&mut self) {
        self.fold_maps();
        self.unify_records();
        for stats in &mut self.stats {
            (stats.count, stats.objects, stats.arrays, stats.booleans, stats.nulls) = (0, 0, 0, 0, 0);
            stats.empties = 0;
            stats.facts = Facts::default();
        }
        (self.measuring, self.file, self.list) = (true, 0, 0);
    }

    /// Marks the paths whose values are secrets of some profile, or stand beside secrets.
    pub(super) fn mark_copies<'p>(profiles: impl Iterator<Item = &'p mut Profile>) {
        let mut profiles: Vec<&mut Profile> = profiles.collect();
        let [mut named, mut others] = <[HashSet<u64>; 2]>::default();
        for profile in &mut profiles {
            let [mine, beside] = std::mem::take(&mut profile.secrets);
            named.extend(mine);
            others.extend(beside);
        }
        let mut mark = |secrets: &HashSet<u64>, copies: Copies, more: &mut HashSet<u64>| {
            for stats in profiles.iter_mut().flat_map(|profile| &mut profile.stats) {
                let has = stats.facts.distinct.as_ref().is_none_or(|values| !values.is_disjoint(secrets));
                // Where the values are not known, they may be.
                let known = stats.facts.distinct.is_some() || copies == Copies::Neighbour;
                if has && known && !stats.secret && !secrets.is_empty() {
                    stats.copies = stats.copies.max(copies);
                    more.extend(stats.facts.distinct.iter().flatten());
                }
            }
        };
        mark(&named, Copies::Secret, &mut others);
        // Those that are made secrets by this may be anywhere.
        others.extend(named);
        mark(&others, Copies::Neighbour, &mut HashSet::new());
    }

    /// Every path in the order of the document, each with what it lies in.
    pub fn walk(&self) -> Vec<(Selection, At, Option<At>)> {
        let mut found = Vec::new();
        self.walk_below(0, None, &mut Vec::new(), &mut found);
        found
    }

    fn walk_below(
        &self,
        at: At,
        outer: Option<At>,
        way: &mut Vec<Segment>,
        found: &mut Vec<(Selection, At, Option<At>)>,
    ) {
        found.push((Selection(way.clone()), at, outer));
        for (segment, below) in self.stats[at].below() {
            way.push(segment);
            self.walk_below(below, Some(at), way, found);
            way.pop();
        }
    }
}

/// Remembers what is no ordinary word, and stands where secrets are.
fn note_secret(secrets: &mut [HashSet<u64>; 2], stats: &Stats, text: &str, state: &RandomState) {
    let text = text.trim();
    if stats.secret && is_strong(text) {
        secrets[usize::from(!stats.named_secret)].insert(state.hash_one(text));
    }
}
