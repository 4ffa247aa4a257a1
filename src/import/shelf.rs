//! The records of small files that are read again: kept for their next turn, as far as there is room.

use crate::source::Record;
use std::collections::HashMap;

/// So many bytes of memory are kept in all.
const ROOM: usize = 8 << 20;

/// Records that were read, by file.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: HashMap<usize, (Vec<Record>, usize)>,
    bytes: usize,
}

impl Shelf {
    /// The records of a file, if they are kept.
    pub(crate) fn take(&mut self, file: usize) -> Option<Vec<Record>> {
        let (records, bytes) = self.files.remove(&file)?;
        self.bytes -= bytes;
        Some(records)
    }

    /// Keeps the records of a file, unless there is no room.
    pub(crate) fn keep(&mut self, file: usize, records: Vec<Record>) {
        let bytes = records.iter().map(Record::memory).sum();
        if self.bytes + bytes <= ROOM {
            self.bytes += bytes;
            self.files.insert(file, (records, bytes));
        }
    }
}
