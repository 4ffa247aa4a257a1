//! What is counted of a file.

use crate::report::LeafCounts;

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
pub(crate) enum Packed {
    Small([u32; 9]),
    Large(Box<[u64; 9]>),
}

impl Default for Packed {
    fn default() -> Self {
        Self::Small([0; 9])
    }
}

impl From<Counts> for Packed {
    fn from(counts: Counts) -> Self {
        let Counts { records, rejected, leaves } = counts;
        let LeafCounts { seen, column, json, sealed, ignored, rejected: of_rejected, unmapped } = leaves;
        let all = [records, rejected, seen, column, json, sealed, ignored, of_rejected, unmapped];
        let mut small = [0; 9];
        for (small, count) in small.iter_mut().zip(all) {
            match u32::try_from(count) {
                Ok(count) => *small = count,
                Err(_) => return Self::Large(Box::new(all)),
            }
        }
        Self::Small(small)
    }
}

impl Packed {
    pub(crate) fn counts(&self) -> Counts {
        let all = match self {
            Self::Small(all) => all.map(u64::from),
            Self::Large(all) => **all,
        };
        let [records, rejected, seen, column, json, sealed, ignored, of_rejected, unmapped] = all;
        let leaves = LeafCounts { seen, column, json, sealed, ignored, rejected: of_rejected, unmapped };
        Counts { records, rejected, leaves }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_any_size_are_what_they_were() {
        let leaves = LeafCounts { seen: 3, column: 4, json: 5, sealed: 6, ignored: 7, rejected: 8, unmapped: 9 };
        let small = Counts { records: 1, rejected: 2, leaves };
        let large = Counts { records: u64::MAX, leaves: LeafCounts { unmapped: 1 << 32, ..leaves }, ..small };
        for counts in [Counts::default(), small, large] {
            assert_eq!(Packed::from(counts).counts(), counts);
        }
        assert!(matches!(Packed::from(small), Packed::Small(_)));
    }
}
