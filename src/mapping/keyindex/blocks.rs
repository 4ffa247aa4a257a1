//! A list that grows by blocks, so that nothing of it is moved when it does.

/// A block behind the first takes so many bytes, which allocators hand out without a rest.
const BYTES: usize = 1 << 14;

/// Items by number.
#[derive(Debug)]
pub(super) struct Blocks<T>(Vec<Vec<T>>);

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Blocks<T> {
    /// So many items are in a block.
    const BLOCK: usize = BYTES / size_of::<T>();

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * Self::BLOCK + last.len())
    }

    /// Adds one, and gives its number.
    pub(super) fn push(&mut self, item: T) -> u32 {
        let number = u32::try_from(self.len()).expect("memory holds fewer");
        match self.0.last_mut() {
            Some(last) if last.len() < Self::BLOCK => last.push(item),
            // The first one is as small as what is in it: there may be no more.
            None => self.0.push(vec![item]),
            Some(_) => {
                let mut next = Vec::with_capacity(Self::BLOCK);
                next.push(item);
                self.0.push(next);
            }
        }
        number
    }

    /// The one of a number.
    pub(super) fn get(&self, number: u32) -> T {
        self.0[number as usize / Self::BLOCK][number as usize % Self::BLOCK]
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        &mut self.0[number as usize / Self::BLOCK][number as usize % Self::BLOCK]
    }

    /// Removes all but the first so many.
    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len.div_ceil(Self::BLOCK));
        if let Some(last) = self.0.len().checked_sub(1) {
            self.0[last].truncate(len - last * Self::BLOCK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_numbers_over_blocks_and_after_others_were_removed() {
        const BLOCK: usize = Blocks::<u32>::BLOCK;
        let mut blocks = Blocks::default();
        for len in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            while blocks.len() < 3 * BLOCK + 5 {
                let next = blocks.len();
                assert_eq!(blocks.push(next) as usize, next);
            }
            blocks.truncate(len);
            assert_eq!(blocks.len(), len);
            assert!((0..len).all(|number| blocks.get(u32::try_from(number).unwrap()) == number));
        }
    }
}
