//! What is counted of a file.

use super::parts::LeafCounts;

/// What is counted of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records read.
    pub records: u64,
    /// Records rejected; a broken file counts as one.
    pub rejected: u64,
    /// Its leaves.
    pub leaves: LeafCounts,
}

/// The same in little room, as far as none of them is large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PackedCounts {
    Small([u16; 9]),
    Large(Box<[u64; 9]>),
}

impl Default for PackedCounts {
    fn default() -> Self {
        Self::Small([0; 9])
    }
}

impl PackedCounts {
    pub(crate) fn counts(&self) -> Counts {
        let all = match self {
            Self::Small(all) => all.map(u64::from),
            Self::Large(all) => **all,
        };
        let [records, rejected, seen, column, json, sealed, ignored, of_rejected, unmapped] = all;
        let leaves = LeafCounts { seen, column, json, sealed, ignored, rejected: of_rejected, unmapped };
        Counts { records, rejected, leaves }
    }

    /// Sets them. What was large once keeps its room: a large file is counted record by record.
    pub(crate) fn set(&mut self, counts: Counts) {
        let Counts { records, rejected, leaves } = counts;
        let LeafCounts { seen, column, json, sealed, ignored, rejected: of_rejected, unmapped } = leaves;
        let all = [records, rejected, seen, column, json, sealed, ignored, of_rejected, unmapped];
        match self {
            Self::Large(large) => **large = all,
            Self::Small(small) => {
                for (small, count) in small.iter_mut().zip(all) {
                    let Ok(count) = u16::try_from(count) else {
                        *self = Self::Large(Box::new(all));
                        return;
                    };
                    *small = count;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_any_size_are_what_they_were() {
        let leaves = LeafCounts { seen: 3, column: 4, json: 5, sealed: 6, ignored: 7, rejected: 8, unmapped: 9 };
        let small = Counts { records: 1, rejected: 2, leaves };
        let large = Counts { records: u64::MAX, leaves: LeafCounts { unmapped: 1 << 16, ..leaves }, ..small };
        let mut packed = PackedCounts::default();
        for counts in [Counts::default(), small, large, small] {
            packed.set(counts);
            assert_eq!(packed.counts(), counts);
        }
        let mut packed = PackedCounts::default();
        packed.set(small);
        assert!(matches!(packed, PackedCounts::Small(_)));
    }
}
