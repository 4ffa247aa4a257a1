//! Sheets of documents that are read again in a later turn.

use super::sheet::Sheet;
use foldhash::{HashMap, HashSet};
use std::sync::Arc;

/// The sheets of one file between two turns, by the number of their record; that of the frame under 0.
#[derive(Debug, Default)]
pub(crate) struct Sheets {
    /// Records are numbered one after the other,
    numbered: Vec<Option<Arc<Sheet>>>,
    /// but for those of lines: see [`Record::of_line`](crate::source::Record::of_line).
    of_lines: HashMap<u64, Arc<Sheet>>,
}

impl Sheets {
    /// Keeps the sheet of a record.
    pub(crate) fn insert(&mut self, record: u64, sheet: Arc<Sheet>) {
        match Self::position(record) {
            Some(at) => {
                if self.numbered.capacity() <= at {
                    // By an eighth at a time: there is one for each record of a file, whatever its size.
                    self.numbered.reserve_exact(at + 1 + at / 8 - self.numbered.len());
                }
                self.numbered.resize(self.numbered.len().max(at + 1), None);
                self.numbered[at] = Some(sheet);
            }
            None => _ = self.of_lines.insert(record, sheet),
        }
    }

    /// Gives the sheet of a record.
    pub(crate) fn take(&mut self, record: u64) -> Option<Arc<Sheet>> {
        match Self::position(record) {
            Some(at) => self.numbered.get_mut(at)?.take(),
            None => self.of_lines.remove(&record),
        }
    }

    fn position(record: u64) -> Option<usize> {
        u32::try_from(record).ok().map(|at| at as usize)
    }
}

/// So many sheets may be known before those are looked for that nobody has any more.
const FEW: usize = 1 << 10;

/// Sheets of all files, each once: most records have the same leaves, which are claimed alike.
#[derive(Debug, Default)]
pub(crate) struct SharedSheets {
    known: HashSet<Arc<Sheet>>,
    /// How many were left when those that nobody had were last removed.
    left: usize,
}

impl SharedSheets {
    /// The one sheet that is equal to this one.
    pub(crate) fn share(&mut self, sheet: Sheet) -> Arc<Sheet> {
        if self.known.len() >= FEW.max(self.left * 2) {
            self.known.retain(|sheet| Arc::strong_count(sheet) > 1);
            self.left = self.known.len();
        }
        if let Some(known) = self.known.get(&sheet) {
            return Arc::clone(known);
        }
        let sheet = Arc::new(sheet);
        self.known.insert(Arc::clone(&sheet));
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Class, Mark};
    use super::*;
    use crate::source::Record;

    fn sheet(nodes: u32, claimed: u32) -> Sheet {
        let mut sheet = Sheet::new(nodes);
        sheet.claim(0..claimed, Mark::of(Class::Column));
        sheet
    }

    #[test]
    fn records_that_are_claimed_alike_have_one_sheet() {
        let (mut shared, mut sheets) = (SharedSheets::default(), Sheets::default());
        (0..10_000).for_each(|record| sheets.insert(record, shared.share(sheet(20, (record % 3) as u32))));
        assert_eq!(shared.known.len(), 3);
        for record in 0..10_000 {
            let taken = sheets.take(record).unwrap();
            assert!(*taken == sheet(20, (record % 3) as u32) && sheets.take(record).is_none());
        }
        assert!(sheets.take(10_000).is_none());
        let of_line = Record::of_line(1 << 20, 2);
        sheets.insert(of_line, shared.share(sheet(20, 1)));
        assert!(sheets.numbered.len() == 10_000 && *sheets.take(of_line).unwrap() == sheet(20, 1));
    }

    #[test]
    fn sheets_that_nobody_has_any_more_are_forgotten() {
        let mut shared = SharedSheets::default();
        let distinct = (0..20 * FEW).map(|number| {
            let mut sheet = Sheet::new(16);
            (0..16)
                .filter(|bit| number >> bit & 1 == 1)
                .for_each(|bit| sheet.claim(bit..bit + 1, Mark::of(Class::Json)));
            shared.share(sheet)
        });
        let kept: Vec<Arc<Sheet>> = distinct.step_by(100).collect();
        assert!(shared.known.len() <= 2 * FEW, "{} sheets", shared.known.len());
        assert!(kept.iter().all(|sheet| shared.known.contains(sheet)));
    }
}
