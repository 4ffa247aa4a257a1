//! The values in the files of one type: a tree of paths with counts, filled token by token.
//!
//! Memory is bounded: by the number of paths, and for each path by the number of different values
//! that are remembered.

use super::look::Look;
use crate::document::tape::{Segment, Selection};
use crate::mapping::secret_values;
use crate::mapping::secret_words::looks_secret;
use crate::source::json::{Event, Token};
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use zeroize::Zeroizing;

/// So many member names are counted separately below one path.
const MOST_NAMES: usize = 200;
/// So many paths are counted separately in all; later names count as any member.
const MOST_PATHS: usize = 20_000;
/// So many different values of a path are remembered.
const MOST_VALUES: usize = 20;
/// Only strings of at most so many characters are.
const LONGEST_VALUE: usize = 40;
/// So many values of a path are compared to find out whether it is an id.
const MOST_COMPARED: usize = 100_000;

/// The number of a path in its [`Profile`]; the root is 0.
pub type At = usize;

/// The values at a path.
#[derive(Debug, Default, Clone)]
pub struct Stats {
    /// How many values there are.
    pub count: u64,
    /// By kind.
    pub objects: u64,
    /// By kind.
    pub arrays: u64,
    /// By kind.
    pub strings: u64,
    /// Numbers written without fraction and exponent, of at most 64 bits.
    pub integers: u64,
    /// Other numbers.
    pub fractions: u64,
    /// By kind.
    pub booleans: u64,
    /// By kind.
    pub nulls: u64,
    /// Empty strings.
    pub empty_strings: u64,
    /// The least and the most characters of a string.
    pub chars: Option<(u64, u64)>,
    /// What strings look like.
    pub looks: BTreeMap<Look, u64>,
    /// Different short values; `None` when there are too many, or long ones, or none may be kept.
    pub values: Option<BTreeMap<String, u64>>,
    /// Whether its name, or that of a container around it, looks like a secret.
    pub secret: bool,
    /// Whether two values of one file are the same.
    pub repeats_in_file: bool,
    /// Whether two values of the whole type are the same.
    pub repeats: bool,
    /// The members, in the order they were met first.
    pub members: Vec<(String, At)>,
    /// Any member: names that are data.
    pub any_member: Option<At>,
    /// The elements.
    pub elements: Option<At>,
}

impl Stats {
    /// The strings that look like this.
    pub fn look(&self, look: Look) -> u64 {
        self.looks.get(&look).copied().unwrap_or(0)
    }

    /// Whether every string that is not empty looks like this.
    pub fn all_look(&self, look: Look) -> bool {
        self.strings > self.empty_strings && self.look(look) == self.strings - self.empty_strings
    }

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
        let numbers = self.integers + self.fractions;
        [self.objects, self.arrays, self.strings, numbers, self.booleans].into_iter().filter(|count| *count > 0).count()
    }
}

/// The paths of all files of one type.
#[derive(Debug)]
pub struct Profile {
    /// By number; the root first.
    pub stats: Vec<Stats>,
    hashes: Vec<Option<(HashSet<u64>, HashSet<u64>)>>,
    state: RandomState,
    file: u64,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    at: At,
    object: bool,
    member: At,
}

impl Default for Profile {
    fn default() -> Self {
        let mut profile =
            Self { stats: Vec::new(), hashes: Vec::new(), state: RandomState::new(), file: 0, open: Vec::new() };
        profile.add(false);
        profile
    }
}

impl Profile {
    /// The next file begins; what a broken one left open is forgotten.
    pub fn begin_file(&mut self) {
        self.file += 1;
        self.open.clear();
    }

    /// Takes the next token of the file.
    pub fn token(&mut self, token: &Token<'_>) {
        match token.event {
            Event::Name(text) => {
                let mut scratch = Zeroizing::new(String::new());
                let name = text.decode(&mut scratch);
                if let Some(open) = self.open.last() {
                    let member = self.member(open.at, name);
                    if let Some(open) = self.open.last_mut() {
                        open.member = member;
                    }
                }
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                self.open.pop();
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
        let stats = &mut self.stats[at];
        stats.count += 1;
        match event {
            Event::ObjectStart => {
                stats.objects += 1;
                self.open.push(Open { at, object: true, member: at });
            }
            Event::ArrayStart => {
                stats.arrays += 1;
                self.open.push(Open { at, object: false, member: at });
            }
            Event::Null => stats.nulls += 1,
            Event::Bool(_) => stats.booleans += 1,
            Event::Number(text) => {
                let integer = text.parse::<i64>().is_ok() && text != "-0";
                *(if integer { &mut stats.integers } else { &mut stats.fractions }) += 1;
                self.note(at, text);
            }
            Event::String(text) => {
                let mut scratch = Zeroizing::new(String::new());
                let text = text.decode(&mut scratch);
                let chars = text.chars().count() as u64;
                stats.strings += 1;
                stats.empty_strings += u64::from(text.is_empty());
                stats.chars =
                    Some(stats.chars.map_or((chars, chars), |(least, most)| (least.min(chars), most.max(chars))));
                if let Some(look) = Look::of(text) {
                    *stats.looks.entry(look).or_default() += 1;
                }
                if !stats.secret && secret_values::recognise(text).is_some() {
                    (stats.secret, stats.values) = (true, None);
                }
                self.note(at, text);
            }
            Event::Name(_) | Event::ObjectEnd | Event::ArrayEnd => {}
        }
    }

    /// Remembers a value, as far as that is allowed.
    fn note(&mut self, at: At, text: &str) {
        let stats = &mut self.stats[at];
        if let Some(values) = &mut stats.values {
            if let Some(count) = values.get_mut(text) {
                *count += 1;
            } else if values.len() < MOST_VALUES && text.chars().take(LONGEST_VALUE + 1).count() <= LONGEST_VALUE {
                values.insert(text.to_owned(), 1);
            } else {
                stats.values = None;
            }
        }
        if let Some((in_file, in_all)) = &mut self.hashes[at] {
            stats.repeats_in_file |= !in_file.insert(self.state.hash_one((self.file, text)));
            stats.repeats |= !in_all.insert(self.state.hash_one(text));
            if stats.repeats_in_file || in_all.len() >= MOST_COMPARED {
                self.hashes[at] = None;
            }
        }
    }

    fn add(&mut self, secret: bool) -> At {
        let values = (!secret).then(BTreeMap::new);
        self.stats.push(Stats { secret, values, ..Stats::default() });
        self.hashes.push(Some(Default::default()));
        self.stats.len() - 1
    }

    fn member(&mut self, at: At, name: &str) -> At {
        let known = self.stats[at].members.iter().find(|(known, _)| known == name);
        if let Some((_, member)) = known {
            return *member;
        }
        if self.stats[at].any_member.is_some()
            || self.stats[at].members.len() >= MOST_NAMES
            || self.stats.len() >= MOST_PATHS
        {
            return self.any_member(at);
        }
        let member = self.add(self.stats[at].secret || looks_secret(name));
        self.stats[at].members.push((name.to_owned(), member));
        member
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

    /// Folds the members of objects whose names are data into one.
    pub fn fold_maps(&mut self) {
        self.hashes.iter_mut().for_each(|hashes| *hashes = None);
        let mut todo = vec![0];
        while let Some(at) = todo.pop() {
            if self.is_map(at) {
                let any = self.any_member(at);
                for (name, member) in std::mem::take(&mut self.stats[at].members) {
                    // One name that looks like a secret makes all of them so.
                    let secret = self.stats[member].secret || looks_secret(&name);
                    self.merge(any, member);
                    self.stats[any].secret |= secret;
                }
            }
            todo.extend(self.stats[at].below().map(|(_, below)| below));
        }
    }

    /// Whether the names of an object's members are data.
    fn is_map(&self, at: At) -> bool {
        let stats = &self.stats[at];
        let names = stats.members.len();
        let data = stats.members.iter().filter(|(name, _)| Look::of(name).is_some_and(Look::is_data)).count();
        let rare = stats.members.iter().all(|(_, member)| self.stats[*member].count * 4 <= stats.objects.max(1) * 3);
        stats.any_member.is_some() || (names > 0 && 5 * data >= 4 * names) || (names >= 20 && rare) || self.alike(at)
    }

    /// Whether three or more members are all objects of much the same members.
    fn alike(&self, at: At) -> bool {
        let members = &self.stats[at].members;
        let names = |member: At| -> HashSet<&str> {
            self.stats[member].members.iter().map(|(name, _)| name.as_str()).collect()
        };
        let objects = members.iter().all(|(_, member)| {
            let stats = &self.stats[*member];
            stats.objects == stats.count && !stats.members.is_empty()
        });
        let Some((_, first)) = members.first().filter(|_| members.len() >= 3 && objects) else { return false };
        let first = names(*first);
        members[1..].iter().all(|(_, member)| {
            let other = names(*member);
            2 * first.intersection(&other).count() >= first.len().max(other.len())
        })
    }

    /// Adds the values at one path to another.
    pub fn merge(&mut self, into: At, from: At) {
        let other = std::mem::take(&mut self.stats[from]);
        let stats = &mut self.stats[into];
        stats.count += other.count;
        stats.objects += other.objects;
        stats.arrays += other.arrays;
        stats.strings += other.strings;
        stats.integers += other.integers;
        stats.fractions += other.fractions;
        stats.booleans += other.booleans;
        stats.nulls += other.nulls;
        stats.empty_strings += other.empty_strings;
        stats.chars = match (stats.chars, other.chars) {
            (Some(one), Some(two)) => Some((one.0.min(two.0), one.1.max(two.1))),
            (one, two) => one.or(two),
        };
        for (look, count) in other.looks {
            *stats.looks.entry(look).or_default() += count;
        }
        stats.values = match (stats.values.take(), other.values) {
            (Some(mut one), Some(two)) => {
                two.into_iter().for_each(|(value, count)| *one.entry(value).or_default() += count);
                (one.len() <= MOST_VALUES).then_some(one)
            }
            _ => None,
        };
        stats.secret |= other.secret;
        // Each of the two was unique for itself, which says nothing of both.
        let both = stats.count > other.count;
        stats.repeats_in_file |= other.repeats_in_file || both;
        stats.repeats |= other.repeats || both;
        for (name, member) in other.members {
            match self.stats[into].members.iter().find(|(known, _)| *known == name).map(|(_, at)| *at) {
                Some(known) => self.merge(known, member),
                None => self.stats[into].members.push((name, member)),
            }
        }
        if let Some(any) = other.any_member {
            let mine = self.any_member(into);
            self.merge(mine, any);
        }
        if let Some(element) = other.elements {
            let mine = self.element(into);
            self.merge(mine, element);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FileId;
    use crate::source::{Limits, Opened, scan::scan};

    fn profile(files: &[&str]) -> Profile {
        let mut profile = Profile::default();
        for text in files {
            let mut opened = Opened::of_bytes(FileId(0), text.as_bytes().to_vec(), Limits::default());
            profile.begin_file();
            scan(&mut opened, &mut |token| profile.token(token)).expect("it is valid");
        }
        profile.fold_maps();
        profile
    }

    fn shown(profile: &Profile) -> Vec<String> {
        profile.walk().into_iter().map(|(path, at, _)| format!("{path} {}", profile.stats[at].count)).collect()
    }

    #[test]
    fn every_path_is_counted() {
        let profile = profile(&[r#"[{"a": 1, "b": [true, null]}, {"a": "x"}]"#, r#"[{"a": 2}]"#]);
        assert_eq!(shown(&profile), [". 2", "[*] 3", "[*].a 3", "[*].b 1", "[*].b[*] 2"]);
        let a = &profile.stats[2];
        assert_eq!((a.integers, a.strings, a.chars, a.repeats), (2, 1, Some((1, 1)), false));
    }

    #[test]
    fn names_that_are_data_become_one_path() {
        let profile = profile(&[r#"{"2024-01-01": {"n": 1}, "2024-01-02": {"n": 2, "m": 3}}"#]);
        assert_eq!(shown(&profile), [". 1", "* 2", "*.n 2", "*.m 1"]);
    }

    #[test]
    fn values_below_a_name_that_looks_like_a_secret_are_not_kept() {
        let profile =
            profile(&[r#"{"credentials": {"name": "ada"}, "colour": "red", "feed": "https://bob:hunter22@h/"}"#]);
        let of = |path: &str| {
            let (_, at, _) = profile.walk().into_iter().find(|(of, _, _)| of.to_string() == path).expect("it is there");
            (profile.stats[at].secret, profile.stats[at].values.clone().map(|values| values.len()))
        };
        assert_eq!(of("credentials.name"), (true, None));
        assert_eq!(of("colour"), (false, Some(1)));
        assert_eq!(of("feed"), (true, None));
    }
}
