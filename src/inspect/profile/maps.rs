//! Which objects are maps, whose names are data: their members are folded into one.

use super::{At, Profile};
use crate::document::tape::Segment;
use crate::inspect::look::Look;
use crate::inspect::stamp::{has_stamp, is_id};
use crate::mapping::secret_words::looks_secret;
use std::collections::HashSet;

impl Profile {
    /// Takes note of what a name that is data says of the values: one of a secret makes all of them secrets, and an id
    /// may look like one by chance.
    pub(super) fn note_name(&mut self, any: At, name: &str) {
        if !self.measuring && looks_secret(name) {
            if is_surely_data(name) {
                self.stats[any].by_chance = true;
            } else {
                self.stats[any].secret = true;
            }
        }
    }

    /// Folds the members of objects whose names are data into one.
    pub(super) fn fold_maps(&mut self) {
        let mut todo = vec![0];
        while let Some(at) = todo.pop() {
            if self.is_map(at) {
                let any = self.any_member(at);
                for (name, member) in std::mem::take(&mut self.stats[at].members) {
                    if is_surely_data(&name) && !self.stats[at].secret && self.stats[member].secret {
                        self.show_again(member);
                    }
                    self.note_name(any, &name);
                    self.merge(any, member);
                }
                if self.stats[any].secret {
                    self.hide_below(any);
                }
                let mut lists = Some(any).filter(|any| self.stats[*any].by_chance);
                while let Some(at) = lists {
                    self.stats[at].by_chance = true;
                    lists = self.stats[at].elements;
                }
            }
            todo.extend(self.stats[at].below().map(|(_, below)| below));
        }
    }

    /// What was a secret by this one's name alone is none.
    fn show_again(&mut self, at: At) {
        let below: Vec<(Segment, At)> = self.stats[at].below().collect();
        (self.stats[at].secret, self.stats[at].named_secret) = (false, false);
        for (segment, below) in below {
            if !matches!(segment, Segment::Name(name) if looks_secret(&name)) {
                self.show_again(below);
            }
        }
    }

    fn hide_below(&mut self, at: At) {
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            (self.stats[at].secret, self.stats[at].named_secret) = (true, true);
            todo.extend(self.stats[at].below().map(|(_, below)| below));
        }
    }

    /// Whether the names of an object's members are data.
    fn is_map(&self, at: At) -> bool {
        let stats = &self.stats[at];
        if stats.any_member.is_some() {
            return true;
        }
        let names = stats.members.len();
        let kind = |member: At| {
            let stats = &self.stats[member];
            let one = stats.kinds() == 1;
            (one && stats.objects > 0, one && stats.arrays > 0, one && stats.facts.strings > 0, one)
        };
        let of_a_kind = stats.members.windows(2).all(|pair| kind(pair[0].1) == kind(pair[1].1));
        let objects = stats.members.iter().all(|(_, member)| kind(*member).0);
        let strong = stats.members.iter().filter(|(name, _)| is_surely_data(name)).count();
        // `u_01`, `h1`: ids if objects are called so, and a line of an address if not.
        let weak = stats.members.iter().filter(|(name, _)| is_surely_data(name) || is_id(name)).count();
        // A word for a secret among other words is a member of its own.
        let has_secret = stats.members.iter().any(|(name, _)| looks_secret(name) && !is_surely_data(name));
        let marked = stats.members.iter().all(|(name, _)| name.contains(['_', '-', ':']));
        let share = |most: u64, of: u64| {
            stats.members.iter().all(|(_, member)| self.stats[*member].count * of <= stats.objects.max(1) * most)
        };
        (names > 0 && 5 * strong >= 4 * names)
            || (names > 0 && 5 * weak >= 4 * names && ((objects && (names > 1 || marked)) || (of_a_kind && names >= 8)))
            || (!has_secret && names >= 20 && share(3, 4))
            || (!has_secret && names >= 8 && stats.objects >= 4 && of_a_kind && share(1, 2))
            || (!has_secret && self.alike(at))
    }

    /// Whether three or more members are all objects of much the same members.
    fn alike(&self, at: At) -> bool {
        let members = &self.stats[at].members;
        let objects = members.iter().all(|(_, member)| {
            let stats = &self.stats[*member];
            stats.objects == stats.count && !stats.members.is_empty()
        });
        let Some((_, first)) = members.first().filter(|_| members.len() >= 3 && objects) else { return false };
        members[1..].iter().all(|(_, member)| self.like(*first, *member))
    }

    /// Whether two have half of their members in common.
    fn like(&self, one: At, other: At) -> bool {
        let names =
            |at: At| -> HashSet<&str> { self.stats[at].members.iter().map(|(name, _)| name.as_str()).collect() };
        let (one, other) = (names(one), names(other));
        2 * one.intersection(&other).count() >= one.len().max(other.len())
    }

    /// Elements of a document that is a list, and of the list in one that is an object, are the same records if they
    /// have members in common.
    pub(super) fn unify_records(&mut self) {
        let Some(element) = self.stats[0].elements.filter(|at| self.stats[*at].objects > 0) else { return };
        let lists: Vec<(At, At)> = self.stats[0]
            .members
            .iter()
            .filter_map(|(_, list)| Some((*list, self.stats[*list].elements?)))
            .filter(|(_, other)| self.stats[*other].objects > 0 && self.like(element, *other))
            .collect();
        if let [(list, other)] = lists.as_slice() {
            self.merge(element, *other);
            self.stats[*list].elements = Some(element);
        }
    }

    /// Adds the outline of one path to another.
    fn merge(&mut self, into: At, from: At) {
        let other = std::mem::take(&mut self.stats[from]);
        let stats = &mut self.stats[into];
        stats.count += other.count;
        stats.objects += other.objects;
        stats.arrays += other.arrays;
        stats.booleans += other.booleans;
        stats.nulls += other.nulls;
        stats.facts.add_counts(&other.facts);
        stats.secret |= other.secret;
        stats.named_secret |= other.named_secret;
        stats.by_chance |= other.by_chance;
        stats.odd_names |= other.odd_names;
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
}

/// Whether a name is surely none of the format: a date, a number, an id.
fn is_surely_data(name: &str) -> bool {
    Look::of(name).is_some_and(Look::is_data) || (is_id(name) && has_stamp(name))
}
