//! The last records of keys.

use crate::finding::Place;
use crate::mapping::keyindex::{ByKey, KeyHash};
use std::hash::{Hash, RandomState};

/// The last records of keys. What stands for keys is seeded anew in each run.
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
    /// What stands for a key.
    pub(super) fn hash(&self, key: &impl Hash) -> KeyHash {
        KeyHash::of(&self.seeds, key)
    }
}
