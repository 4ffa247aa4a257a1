//! The records of small files that are read again: kept for their next turn, as far as there is room.

use crate::import::made::Made;
use crate::source::Record;
use std::collections::HashMap;

/// So many bytes of memory are kept in all.
const ROOM: usize = 8 << 20;

/// Records that were read, by file.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: HashMap<usize, (Vec<Record>, usize)>,
    /// What was made of such records ahead.
    made: HashMap<usize, Made>,
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

    /// What was made of a file's records ahead, if it is kept.
    pub(crate) fn take_made(&mut self, file: usize) -> Option<Made> {
        let made = self.made.remove(&file)?;
        self.bytes -= made.memory;
        Some(made)
    }

    /// Keeps what was made of a file's records ahead, unless there is no room.
    pub(crate) fn keep_made(&mut self, file: usize, made: Made) {
        if self.bytes + made.memory <= ROOM {
            self.bytes += made.memory;
            self.made.insert(file, made);
        }
    }
}
