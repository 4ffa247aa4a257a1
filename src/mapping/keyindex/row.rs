//! What is known of a row, in little room.

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

/// The number of no rule: there are fewer.
pub(super) const NO_RULE: u32 = (1 << 27) - 1;

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

/// The same in five words: the file; the rule, with a bit for each thing that is so or not; the lower words of the
/// offset and of where it stands what the row says; and 16 bits more of both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed([u32; 5]);

const REMOVED: u32 = 1 << 27;
const HAS_PLACE: u32 = 1 << 28;
const EXISTING: u32 = 1 << 29;
const PRESENT: u32 = 1 << 30;
const COUNTED: u32 = 1 << 31;

/// The first number that does not fit: of bytes that is more than any file system keeps in one file that could be
/// read, and of hashes that many times more.
const END: u64 = 1 << 48;

impl Packed {
    #[expect(clippy::cast_possible_truncation, reason = "each word is a part of the number")]
    pub(super) fn new(known: &Known) -> Self {
        let says = known.says.map_or(END - 1, |said| said.at);
        let (file, offset) = known.place.map_or((0, 0), |place| (place.file.0, place.offset));
        assert!(known.feeder <= NO_RULE && offset < END && says < END, "sets, files and runs are smaller");
        let bit = |is_so: bool, bit: u32| if is_so { bit } else { 0 };
        let bits = bit(known.place.is_some(), HAS_PLACE)
            | bit(known.existing, EXISTING)
            | bit(known.present, PRESENT)
            | bit(known.removed, REMOVED)
            | bit(known.counted, COUNTED);
        let high = (offset >> 32 << 16 | says >> 32) as u32;
        Self([file, known.feeder | bits, offset as u32, says as u32, high])
    }

    /// What is known; `lasts` where what the row says outlasts the owner.
    pub(super) fn known(self, lasts: bool) -> Known {
        let Self([file, rule, offset, says, high]) = self;
        let [offset, says] =
            [(offset, high >> 16), (says, high & 0xffff)].map(|(low, high)| u64::from(high) << 32 | u64::from(low));
        let has = |bit: u32| rule & bit != 0;
        Known {
            place: has(HAS_PLACE).then_some(Place { file: FileId(file), offset }),
            feeder: rule & NO_RULE,
            existing: has(EXISTING),
            present: has(PRESENT),
            removed: has(REMOVED),
            counted: has(COUNTED),
            says: (says != END - 1).then_some(Said { lasts, at: says }),
        }
    }

    /// Whether it came from a file of this run.
    pub(super) fn has_place(self) -> bool {
        self.0[1] & HAS_PLACE != 0
    }

    /// Says whether the run's counts have it, and gives whether they had.
    pub(super) fn count(&mut self, counted: bool) -> bool {
        let had = self.0[1] & COUNTED != 0;
        self.0[1] = self.0[1] & !COUNTED | if counted { COUNTED } else { 0 };
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_row_takes_twenty_bytes_and_is_what_it_was() {
        assert_eq!(size_of::<Packed>(), 20);
        let place = |file, offset| Place { file: FileId(file), offset };
        let made = Known::made(place(u32::MAX, END - 1), NO_RULE - 1);
        let said = |lasts, at| Some(Said { lasts, at });
        let rows = [
            Known::existing(),
            Known { counted: true, ..Known::existing() },
            made,
            Known { present: false, removed: true, ..made },
            Known { present: false, says: said(false, END - 2), ..made },
            Known { existing: true, says: said(true, 0), ..Known::made(place(0, 0), 0) },
        ];
        for row in rows {
            assert_eq!(Packed::new(&row).known(row.says.is_some_and(|said| said.lasts)), row);
        }
        let mut packed = Packed::new(&Known::existing());
        assert_eq!([true, true, false].map(|counted| packed.count(counted)), [false, true, true]);
        assert!(!packed.known(false).counted && !packed.has_place() && Packed::new(&made).has_place());
    }
}
