//! Follows selections down a document as it is scanned.

use crate::document::tape::{Segment, Selection};
use zeroize::Zeroizing;

/// Which selections reach into the open containers.
///
/// Pass it every [name](Matcher::name) and [value](Matcher::value), then of the value's
/// [start](Matcher::open) and, at its end, [end](Matcher::close) if it is a container.
pub(super) struct Matcher<'s> {
    selections: Vec<&'s Selection>,
    /// For every open container, the selections whose first segments lead to it.
    alive: Vec<usize>,
    open: Vec<Level>,
    /// Where in `alive` the part of the last value starts.
    fresh: usize,
    name: Zeroizing<String>,
}

/// An open container.
struct Level {
    object: bool,
    /// Where its part of `alive` starts; it ends where that of the last value starts.
    alive: usize,
}

impl<'s> Matcher<'s> {
    pub(super) fn new(selections: Vec<&'s Selection>) -> Self {
        Self { selections, alive: Vec::new(), open: Vec::new(), fresh: 0, name: Zeroizing::default() }
    }

    /// How many containers are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether a selection may select something directly in the innermost container.
    pub(super) fn is_watching(&self) -> bool {
        self.open.last().is_none_or(|level| level.alive < self.fresh)
    }

    /// Takes the name of the member whose value comes next.
    #[inline]
    pub(super) fn name(&mut self, name: &str) {
        if self.is_watching() {
            self.name.clear();
            self.name.push_str(name);
        }
    }

    /// Takes the next value; `selected` receives the number of each selection that selects it.
    #[inline]
    pub(super) fn value(&mut self, mut selected: impl FnMut(usize)) {
        self.alive.truncate(self.fresh);
        let depth = self.open.len();
        let Some(level) = self.open.last() else {
            for (number, selection) in self.selections.iter().enumerate() {
                if selection.0.is_empty() { selected(number) } else { self.alive.push(number) }
            }
            return;
        };
        for at in level.alive..self.fresh {
            let number = self.alive[at];
            let segments = &self.selections[number].0;
            let leads_here = match &segments[depth - 1] {
                Segment::Name(wanted) => level.object && *wanted == *self.name,
                Segment::Members => level.object,
                Segment::Names(wanted) => level.object && wanted.iter().any(|wanted| *wanted == *self.name),
                Segment::Elements => !level.object,
                Segment::AnyDepth | Segment::Spread => false, // of patterns only
            };
            if leads_here {
                if segments.len() == depth { selected(number) } else { self.alive.push(number) }
            }
        }
    }

    /// The name of the last value, where it is a member that a selection selects or leads through.
    pub(super) fn last_name(&self, selected: bool) -> Option<&str> {
        let reached = selected || self.alive.len() > self.fresh;
        (reached && self.open.last()?.object).then_some(self.name.as_str())
    }

    /// The last value is a container, and what follows lies in it.
    #[inline]
    pub(super) fn open(&mut self, object: bool) {
        self.open.push(Level { object, alive: self.fresh });
        self.fresh = self.alive.len();
    }

    /// The innermost container ends.
    #[inline]
    pub(super) fn close(&mut self) {
        self.fresh = self.open.pop().map_or(0, |level| level.alive);
        self.alive.truncate(self.fresh);
    }
}
