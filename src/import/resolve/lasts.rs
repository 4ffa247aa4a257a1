//! The last records of keys.

use crate::finding::Place;
use crate::mapping::keyindex::ByKey;
use std::hash::{BuildHasher, Hash, RandomState};

/// The last records of keys. Keys are known by 128 bits of two hashes, seeded anew in each run.
#[derive(Debug, Default)]
pub(crate) struct Lasts {
    pub(super) known: ByKey<Last>,
    seeds: [RandomState; 2],
}

/// The last record of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) place: Place,
    pub(super) rule: u32,
    pub(super) removes: bool,
    /// Whether there is an earlier one.
    pub(super) is_later: bool,
}

impl Lasts {
    /// The two hashes of a key.
    pub(super) fn hash(&self, key: &impl Hash) -> u128 {
        let [one, two] = &self.seeds;
        u128::from(one.hash_one(key)) << 64 | u128::from(two.hash_one(key))
    }
}
