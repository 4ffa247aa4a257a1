//! What was made of a file's records before its turn.

use crate::mapping::apply::{Mapped, Owner};
use crate::mapping::order::Turn;
use crate::mapping::usage;
use std::sync::Arc;

/// The rows of a file's records, as far as they are made.
pub(crate) struct Made {
    /// By turn, in the order of the records.
    pub(crate) turns: Vec<(Turn, Vec<Mapped>)>,
    /// What came to each `map`.
    pub(crate) entries: usage::Mapped,
    /// Whose file it was.
    pub(crate) owner: Option<Arc<Owner>>,
    /// About how many bytes of memory it takes.
    pub(crate) memory: usize,
}

// The rows may hold secrets.
impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Made({} turns)", self.turns.len())
    }
}

impl Made {
    /// Whether it was made for this owner.
    pub(crate) fn is_for(&self, owner: Option<&Owner>) -> bool {
        self.owner.as_deref().map(std::ptr::from_ref) == owner.map(std::ptr::from_ref)
    }

    /// What was made of the records for the rules of a turn.
    pub(crate) fn take(&mut self, turn: Turn) -> Option<Vec<Mapped>> {
        let at = self.turns.iter().position(|(of, _)| *of == turn)?;
        Some(self.turns.swap_remove(at).1)
    }

    /// What came to each `map` in all turns.
    pub(crate) fn take_entries(&mut self) -> usage::Mapped {
        std::mem::take(&mut self.entries)
    }
}
