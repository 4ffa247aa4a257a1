//! What rows say that stay where others of their key are dropped.

use crate::mapping::keyindex::{Entry, KeyText};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};

/// What rows say that stay, so that later ones can be compared with them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) hash: RandomState,
    /// The twins of a key in the order they were kept, where rows fold across source patterns.
    pub(super) twins: HashMap<(usize, KeyText), Vec<Entry>>,
}

impl Kept {
    /// A hash of anything, alike within a run only.
    pub(super) fn hash(&self, what: &impl Hash) -> u64 {
        self.hash.hash_one(what)
    }

    /// Forgets the twins of an owner.
    pub(super) fn end_owner(&mut self) {
        self.twins = HashMap::new();
    }
}
