//! What is counted of a file.

use super::parts::LeafCounts;
use serde::{Deserialize, Serialize};

/// What is counted of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records read.
    pub records: u64,
    /// Records rejected; a broken file counts as one.
    pub rejected: u64,
    /// Its leaves.
    pub leaves: LeafCounts,
}

/// The same in little room, as far as none of them is large, no record was rejected, and the sum closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PackedCounts {
    /// All but what follows from them: `seen` is the sum of the classes.
    Small([u16; 7]),
    Large(Box<Counts>),
}

impl Default for PackedCounts {
    fn default() -> Self {
        Self::Small([0; 7])
    }
}

impl PackedCounts {
    pub(crate) fn counts(&self) -> Counts {
        match self {
            Self::Small(all) => {
                let [records, column, json, sealed, ignored, rejected, unmapped] = all.map(u64::from);
                let leaves = LeafCounts { seen: 0, column, json, sealed, ignored, rejected, unmapped };
                Counts { records, rejected: 0, leaves: LeafCounts { seen: leaves.accounted(), ..leaves } }
            }
            Self::Large(all) => **all,
        }
    }

    /// Sets them. What was large once keeps its room: a large file is counted record by record.
    pub(crate) fn set(&mut self, counts: Counts) {
        match (&mut *self, Self::small(&counts)) {
            (Self::Large(large), _) => **large = counts,
            (Self::Small(all), Some(small)) => *all = small,
            (Self::Small(_), None) => *self = Self::Large(Box::new(counts)),
        }
    }

    /// Takes little room again where it can, once no more is counted.
    pub(crate) fn pack(&mut self) {
        if let Self::Large(all) = self
            && let Some(small) = Self::small(all)
        {
            *self = Self::Small(small);
        }
    }

    fn small(counts: &Counts) -> Option<[u16; 7]> {
        let Counts { records, rejected: 0, leaves } = *counts else { return None };
        let LeafCounts { seen, column, json, sealed, ignored, rejected, unmapped } = leaves;
        let mut small = [0; 7];
        for (small, count) in small.iter_mut().zip([records, column, json, sealed, ignored, rejected, unmapped]) {
            *small = u16::try_from(count).ok()?;
        }
        (leaves.accounted() == seen).then_some(small)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_any_size_are_what_they_were() {
        let leaves = LeafCounts { seen: 39, column: 4, json: 5, sealed: 6, ignored: 7, rejected: 8, unmapped: 9 };
        let small = Counts { records: 1, rejected: 0, leaves };
        let open = Counts { leaves: LeafCounts { seen: 40, ..leaves }, ..small };
        let rejected = Counts { rejected: 2, ..small };
        let large = Counts { records: u64::MAX, leaves: LeafCounts { unmapped: 1 << 16, ..leaves }, ..small };
        let mut packed = PackedCounts::default();
        for counts in [Counts::default(), small, open, small, rejected, large, small] {
            packed.set(counts);
            assert_eq!(packed.counts(), counts);
        }
        assert!(matches!(packed, PackedCounts::Large(_)));
        packed.pack();
        assert_eq!(packed.counts(), small);
        assert!(matches!(packed, PackedCounts::Small(_)));
    }
}
