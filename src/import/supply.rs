//! The records of a file, one after the other: from the file, or at hand.

use crate::document::tape::{Paths, Selection, Tape};
use crate::finding::Finding;
use crate::source::records::Records;
use crate::source::{self, Opened, Record};

/// Where the records of a file come from.
pub(crate) enum Supply<'o> {
    /// From the file, onto tapes some of which are used again.
    File(Box<Records<'o>>, Vec<Tape>),
    /// They are at hand, their paths numbered.
    Kept(std::vec::IntoIter<Record>),
}

impl<'o> Supply<'o> {
    /// Those that a selection selects in a file.
    pub(crate) fn of(opened: &'o mut Opened, selection: Option<&'o Selection>) -> Result<Self, Finding> {
        Ok(Supply::File(Box::new(source::records(opened, selection)?), Vec::new()))
    }

    /// Those at hand.
    pub(crate) fn kept(records: Vec<Record>) -> Self {
        Supply::Kept(records.into_iter())
    }

    /// How many of them are at hand.
    pub(crate) fn at_hand(&self) -> usize {
        match self {
            Supply::Kept(records) => records.len(),
            Supply::File(..) => 0,
        }
    }

    /// The next record, its paths numbered; `None` after the last.
    pub(crate) fn next(&mut self, sensitive: bool, paths: &mut Paths) -> Result<Option<Record>, Finding> {
        match self {
            Supply::Kept(records) => Ok(records.next()),
            Supply::File(records, spare) => {
                let tape = spare.pop().unwrap_or_else(|| Tape::new(sensitive));
                let record = records.take(tape)?;
                Ok(record.map(|mut record| {
                    record.tape.number_paths(paths);
                    record
                }))
            }
        }
    }

    /// Keeps the memory of small records for later ones.
    pub(crate) fn reuse(&mut self, records: impl IntoIterator<Item = Record>) {
        let small =
            records.into_iter().filter(|record| record.span.end - record.span.start <= LARGE).map(|record| record.tape);
        match self {
            Supply::File(_, spare) => spare.extend(small),
            Supply::Kept(_) => small.for_each(drop),
        }
    }
}

/// The memory of larger records is not kept for later ones.
const LARGE: u64 = 1 << 14;
