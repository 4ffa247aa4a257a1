//! What a chunk's decisions changed, so that they can be made again without a record that the database
//! rejects.

use super::Resolver;
use crate::import::context::Context;
use crate::mapping::keyindex;

/// A point that the resolver can go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    index: keyindex::Mark,
    ids: usize,
    earlier: usize,
    counted: usize,
    twins: usize,
    open: usize,
    pub(super) differing: usize,
}

impl Resolver<'_> {
    /// The point at hand.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            index: self.index.mark(),
            ids: self.ids.len(),
            earlier: self.earlier.taken.len(),
            counted: self.counted.len(),
            twins: self.kept.log.len(),
            open: self.open.mark(),
            differing: self.differed.len(),
        }
    }

    /// Undoes what was decided since the mark.
    pub(crate) fn back_to(&mut self, cx: &mut Context<'_>, mark: Mark) {
        self.index.back_to(mark.index);
        self.ids.drain(mark.ids..).for_each(|table| cx.writer.return_id(table));
        self.earlier.back_to(mark.earlier);
        self.unfold(mark.counted);
        self.kept.back_to(mark.twins);
        self.open.back_to(mark.open);
        for key in self.differed.drain(mark.differing..) {
            self.differing.remove(&key);
        }
    }

    /// Keeps what was decided: it is written.
    pub(crate) fn keep(&mut self) {
        self.index.keep();
        self.ids.clear();
        self.earlier.taken.clear();
        self.counted.clear();
        self.kept.log.clear();
        self.open.keep();
        self.differed.clear();
    }
}
