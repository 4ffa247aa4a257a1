//! What rows say that stay where others of their key are dropped.

use crate::mapping::keyindex::KeyText;
use foldhash::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

/// What rows say that stay, so that later ones can be compared with them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) hash: RandomState,
    /// The twins of a key in the order they were kept, where rows fold across source patterns: the numbers of rows
    /// that the key index has set apart.
    pub(super) twins: HashMap<(usize, KeyText), Vec<u32>>,
    /// The keys to which a twin was added, in order.
    pub(super) log: Vec<(usize, KeyText)>,
}

impl Kept {
    /// A hash of anything, alike within a run only.
    pub(super) fn hash(&self, what: &impl Hash) -> u64 {
        self.hash.hash_one(what)
    }

    /// Adds a twin of a key.
    pub(super) fn add(&mut self, key: (usize, KeyText), twin: u32) {
        self.twins.entry(key.clone()).or_default().push(twin);
        self.log.push(key);
    }

    /// Takes back what was added since the log had this length.
    pub(super) fn back_to(&mut self, mark: usize) {
        for key in self.log.drain(mark..).rev() {
            self.twins.get_mut(&key).map(Vec::pop);
        }
    }

    /// Forgets the twins of an owner.
    pub(super) fn end_owner(&mut self) {
        self.twins = HashMap::default();
    }
}
