//! Finds members of one name in the objects that are open, without an allocation per name.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Up to so many members, comparing fingerprints one by one is faster than hashing.
const FEW: usize = 32;

/// The member names of all open objects, one object after the other.
#[derive(Default)]
pub(super) struct Names {
    text: String,
    fingerprints: Vec<u64>,
    /// Where the name starts in `text`, and its offset in the file.
    members: Vec<(usize, u64)>,
    open: Vec<Object>,
    state: RandomState,
}

/// Where an open object's names start.
struct Object {
    text: usize,
    members: usize,
    /// Member numbers by a keyed hash (a file cannot choose what collides), once there are many.
    index: Option<HashMap<u64, usize>>,
}

thread_local! {
    static SPARE: Cell<Option<Names>> = const { Cell::new(None) };
}

impl Names {
    /// None, in the memory of names that were put back by this thread.
    pub(super) fn spare() -> Self {
        SPARE.take().unwrap_or_default()
    }

    /// Keeps the memory for the next document, if that is little.
    pub(super) fn put_back(mut self) {
        const LITTLE: usize = 1 << 12;
        self.text.clear();
        self.fingerprints.clear();
        self.members.clear();
        self.open.clear();
        if self.text.capacity() <= LITTLE && self.members.capacity() * size_of::<(usize, u64)>() <= LITTLE {
            SPARE.set(Some(self));
        }
    }

    /// An object begins.
    pub(super) fn open(&mut self) {
        self.open.push(Object { text: self.text.len(), members: self.members.len(), index: None });
    }

    /// The innermost object ends.
    pub(super) fn close(&mut self) {
        if let Some(object) = self.open.pop() {
            self.text.truncate(object.text);
            self.fingerprints.truncate(object.members);
            self.members.truncate(object.members);
        }
    }

    /// Takes a name of the innermost object; if it had one of that name, the offset of the first.
    #[inline]
    pub(super) fn insert(&mut self, name: &str, at: u64) -> Option<u64> {
        let first = self.open.last()?.members;
        let fingerprint = fingerprint(name.as_bytes());
        let known = if self.members.len() - first < FEW {
            self.search(first, fingerprint, name)
        } else {
            self.look_up(first, fingerprint, name)
        };
        if let Some(known) = known {
            return Some(self.members[known].1);
        }
        self.members.push((self.text.len(), at));
        self.fingerprints.push(fingerprint);
        self.text.push_str(name);
        None
    }

    fn search(&self, first: usize, fingerprint: u64, name: &str) -> Option<usize> {
        (first..self.members.len())
            .find(|member| self.fingerprints[*member] == fingerprint && self.name(*member) == name)
    }

    fn look_up(&mut self, first: usize, fingerprint: u64, name: &str) -> Option<usize> {
        let next = self.members.len();
        let mut index = self.open.last_mut()?.index.take().unwrap_or_default();
        if index.is_empty() {
            index.extend((first..next).map(|member| (self.state.hash_one(self.name(member)), member)));
        }
        let known = *index.entry(self.state.hash_one(name)).or_insert(next);
        self.open.last_mut()?.index = Some(index);
        if known == next {
            None
        } else if self.name(known) == name {
            Some(known)
        } else {
            // Two names of one hash: the later ones are not in the index.
            self.search(first, fingerprint, name)
        }
    }

    fn name(&self, member: usize) -> &str {
        let end = self.members.get(member + 1).map_or(self.text.len(), |(start, _)| *start);
        &self.text[self.members[member].0..end]
    }
}

/// Tells most names apart: their length, first and last eight bytes. Equal ones are compared.
fn fingerprint(name: &[u8]) -> u64 {
    let mix = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        _ => name.iter().fold(0, |mix, byte| mix << 8 | u64::from(*byte)),
    };
    mix ^ (name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_in_small_and_large_objects() {
        for count in [1, FEW - 1, FEW, FEW + 1, 1_000] {
            let mut names = Names::default();
            names.open();
            for i in 0..count {
                assert_eq!(names.insert(&format!("a rather long name {i} of many"), i as u64), None);
            }
            for i in 0..count {
                assert_eq!(
                    names.insert(&format!("a rather long name {i} of many"), 5_000),
                    Some(i as u64),
                    "{i} of {count}"
                );
            }
        }
    }

    #[test]
    fn objects_do_not_share_names() {
        let mut names = Names::default();
        names.open();
        assert_eq!(names.insert("", 1), None);
        assert_eq!(names.insert("a", 2), None);
        names.open();
        assert_eq!(names.insert("a", 3), None);
        assert_eq!(names.insert("a", 4), Some(3));
        names.close();
        assert_eq!(names.insert("a", 5), Some(2));
        assert_eq!(names.insert("", 6), Some(1));
    }
}
