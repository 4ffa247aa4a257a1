//! What is known of a row, in little room.

use crate::error::{Error, Result};
use crate::finding::{FileId, Place};

/// What the index knows of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Where it came from; `None` for one that was in the target before.
    pub place: Option<Place>,
    /// The number of the rule that made it; that of no rule for one that was in the target before.
    pub feeder: u32,
    /// Whether the target had the row before the run.
    pub existing: bool,
    /// Whether there is a row at all: an empty secret reserves its key and makes no row.
    pub present: bool,
    /// Whether a record that removes the row took the key, so that there is none.
    pub removed: bool,
    /// Whether the run's counts have the row.
    pub counted: bool,
    /// Where it stands what its rule's fields say, where a later row of the key may be dropped and is compared with it.
    pub(super) says: Option<Said>,
}

/// The number of no rule: there are fewer, as each takes lines of its set.
pub(super) const NO_RULE: u32 = (1 << 19) - 1;

/// Where it stands what a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// Whether it outlasts the owner.
    pub(super) lasts: bool,
    pub(super) at: u64,
}

impl Known {
    /// A row of this run.
    pub fn made(place: Place, feeder: u32) -> Self {
        Self { place: Some(place), feeder, existing: false, present: true, removed: false, counted: true, says: None }
    }

    /// A row that the target had before the run.
    pub fn existing() -> Self {
        Self { place: None, feeder: NO_RULE, existing: true, present: true, removed: false, counted: false, says: None }
    }
}

/// The same in 17 bytes: four of the file; three of the rule, with a bit for each thing that is so or not; five of the
/// offset; and five of where it stands what the row says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed([u8; 17]);

const REMOVED: u8 = 1 << 3;
const HAS_PLACE: u8 = 1 << 4;
const EXISTING: u8 = 1 << 5;
const PRESENT: u8 = 1 << 6;
const COUNTED: u8 = 1 << 7;

/// The byte that has these bits, beside the highest three of the rule.
const BITS: usize = 6;

/// The first number that does not fit: of bytes that is a tebibyte in one file, and of hashes eight of them.
const END: u64 = 1 << 40;

/// Where that stands of a row that says nothing.
const UNSAID: u64 = END - 1;

impl Packed {
    /// # Errors
    /// Where its file is too large, or all rows say too much.
    pub(super) fn new(known: &Known) -> Result<Self> {
        let says = known.says.map_or(UNSAID, |said| said.at);
        let (file, offset) = known.place.map_or((0, 0), |place| (place.file.0, place.offset));
        assert!(known.feeder <= NO_RULE, "a set has fewer rules");
        if offset >= END || known.says.is_some_and(|said| said.at >= UNSAID) {
            let error = Error::request(
                "one file of the source is larger than 1 TiB, or the rows of the run have too many values",
            );
            return Err(error.hint("split the file, and import one part after the other"));
        }
        let bit = |is_so: bool, bit: u8| if is_so { bit } else { 0 };
        let bits = bit(known.place.is_some(), HAS_PLACE)
            | bit(known.existing, EXISTING)
            | bit(known.present, PRESENT)
            | bit(known.removed, REMOVED)
            | bit(known.counted, COUNTED);
        let mut packed = [0; 17];
        packed[..4].copy_from_slice(&file.to_le_bytes());
        packed[4..7].copy_from_slice(&known.feeder.to_le_bytes()[..3]);
        packed[BITS] |= bits;
        packed[7..12].copy_from_slice(&offset.to_le_bytes()[..5]);
        packed[12..].copy_from_slice(&says.to_le_bytes()[..5]);
        Ok(Self(packed))
    }

    /// What is known; `lasts` where what the row says outlasts the owner.
    pub(super) fn known(self, lasts: bool) -> Known {
        let Self([f0, f1, f2, f3, r0, r1, bits, o0, o1, o2, o3, o4, s0, s1, s2, s3, s4]) = self;
        let file = u32::from_le_bytes([f0, f1, f2, f3]);
        let [offset, says] = [[o0, o1, o2, o3, o4], [s0, s1, s2, s3, s4]]
            .map(|[a, b, c, d, e]| u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]));
        let has = |bit: u8| bits & bit != 0;
        Known {
            place: has(HAS_PLACE).then_some(Place { file: FileId(file), offset }),
            feeder: u32::from_le_bytes([r0, r1, bits & 0b111, 0]),
            existing: has(EXISTING),
            present: has(PRESENT),
            removed: has(REMOVED),
            counted: has(COUNTED),
            says: (says != UNSAID).then_some(Said { lasts, at: says }),
        }
    }

    /// Whether it came from a file of this run.
    pub(super) fn has_place(self) -> bool {
        self.0[BITS] & HAS_PLACE != 0
    }

    /// Says whether the run's counts have it, and gives whether they had.
    pub(super) fn count(&mut self, counted: bool) -> bool {
        let had = self.0[BITS] & COUNTED != 0;
        self.0[BITS] = self.0[BITS] & !COUNTED | if counted { COUNTED } else { 0 };
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_row_takes_seventeen_bytes_and_is_what_it_was() {
        assert_eq!(size_of::<Packed>(), 17);
        let place = |file, offset| Place { file: FileId(file), offset };
        let made = Known::made(place(u32::MAX, END - 1), NO_RULE - 1);
        let said = |lasts, at| Some(Said { lasts, at });
        let rows = [
            Known::existing(),
            Known { counted: true, ..Known::existing() },
            made,
            Known { present: false, removed: true, ..made },
            Known { present: false, says: said(false, UNSAID - 1), ..made },
            Known { existing: true, says: said(true, 0), ..Known::made(place(0, 0), 0) },
        ];
        for row in rows {
            assert_eq!(Packed::new(&row).unwrap().known(row.says.is_some_and(|said| said.lasts)), row);
        }
        let too_far = [Known::made(place(0, END), 0), Known { says: said(true, UNSAID), ..made }];
        assert!(too_far.iter().all(|row| Packed::new(row).is_err()));
        let mut packed = Packed::new(&Known::existing()).unwrap();
        assert_eq!([true, true, false].map(|counted| packed.count(counted)), [false, true, true]);
        assert!(!packed.known(false).counted && !packed.has_place() && Packed::new(&made).unwrap().has_place());
    }
}
