//! What was read of small files that are read again: kept for their next turn, as far as there is room.

use crate::document::tape::Tape;
use crate::source::{Opened, Record};
use std::collections::HashMap;

/// So many bytes are kept in all.
const ROOM: usize = 8 << 20;
/// Larger files are read again.
const LARGE_FILE: u64 = 2 << 20;
/// So many files are kept open: each of them holds one of the process's file handles.
const MOST_OPEN: usize = 64;
/// The memory of larger records is not kept for later ones.
const LARGE_RECORD: u64 = 1 << 14;
/// So many tapes are kept to be used again.
const MOST_SPARE: usize = 256;

/// What is kept of a file.
pub(crate) enum Kept {
    /// Its bytes, checked.
    Opened(Box<Opened>),
    /// Its records.
    Records(Vec<Record>),
}

/// What was read of files.
#[derive(Default)]
pub(crate) struct Shelf {
    opened: HashMap<usize, Opened>,
    records: HashMap<usize, Gathered>,
    /// How many bytes the kept files have.
    bytes: usize,
    spare: Vec<Tape>,
}

/// Records of a file that are gathered for its next turn.
#[derive(Default)]
pub(crate) struct Gathered {
    records: Vec<Record>,
    bytes: usize,
}

impl Shelf {
    /// What is kept of a file.
    pub(crate) fn take(&mut self, file: usize) -> Option<Kept> {
        if let Some(opened) = self.opened.remove(&file) {
            self.bytes -= opened.held();
            return Some(Kept::Opened(Box::new(opened)));
        }
        let gathered = self.records.remove(&file)?;
        self.bytes -= gathered.bytes;
        Some(Kept::Records(gathered.records))
    }

    /// Keeps a file that will be read.
    pub(crate) fn keep_opened(&mut self, file: usize, opened: Opened) {
        let bytes = opened.held();
        if self.opened.len() < MOST_OPEN && bytes as u64 <= LARGE_FILE && self.bytes + bytes <= ROOM {
            self.bytes += bytes;
            self.opened.insert(file, opened);
        }
    }

    /// Where the records of a file are gathered that has so many bytes; nowhere where they are too many.
    pub(crate) fn gather(file_bytes: u64) -> Option<Gathered> {
        (file_bytes <= LARGE_FILE).then(Gathered::default)
    }

    /// Gathers a record, unless it is one too many: then none is kept.
    pub(crate) fn add(&mut self, gathered: &mut Option<Gathered>, record: Record) {
        let Some(to) = gathered else { return self.reuse(record) };
        to.bytes += record.memory();
        to.records.push(record);
        if self.bytes + to.bytes > ROOM {
            *gathered = None;
        }
    }

    /// Keeps the records of a file for its next turn.
    pub(crate) fn keep_records(&mut self, file: usize, gathered: Gathered) {
        self.bytes += gathered.bytes;
        self.records.insert(file, gathered);
    }

    /// Closes the files of an owner that were looked at and not read.
    pub(crate) fn end_owner(&mut self) {
        self.bytes -= self.opened.drain().map(|(_, opened)| opened.held()).sum::<usize>();
    }

    /// An empty tape.
    pub(crate) fn tape(&mut self, sensitive: bool) -> Tape {
        self.spare.pop().map_or_else(|| Tape::new(sensitive), |tape| tape.used_again(sensitive))
    }

    /// Keeps the memory of a small record for another one.
    pub(crate) fn reuse(&mut self, record: Record) {
        if record.span.end - record.span.start <= LARGE_RECORD && self.spare.len() < MOST_SPARE {
            self.spare.push(record.tape);
        }
    }
}
