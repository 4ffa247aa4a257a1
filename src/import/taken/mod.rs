//! What an import takes of its tree: all of it, or the records that rejects name, each as it stands in its file or as it
//! was edited beside its fault.

mod entry;
mod overlay;

pub(crate) use entry::Entry;
pub(crate) use overlay::{How, compact, digest_of, overlaid};

use crate::finding::{FileId, Finding, REJECT_ASSUMED, REJECT_UNSURE};
use crate::source::Record;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// What is taken of a tree.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The files of which only some records are taken; of others all is.
    files: HashMap<FileId, OfFile>,
    /// Where the rejects are that say so, if that is how the tree came to be.
    pub(crate) replays: Option<Replays>,
}

/// The rejects that come back.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    /// The runs that rejected them.
    pub(crate) runs: Vec<String>,
    /// The files that they name and that the source does not have any more.
    pub(crate) gone: Vec<String>,
}

/// The records that are taken of one file.
#[derive(Debug)]
pub(crate) struct OfFile {
    /// Whether the file is as it was when they were rejected: then they are known by where they begin, else by number.
    pub(crate) is_same: bool,
    by_place: BTreeMap<u64, Arc<Entry>>,
    by_number: BTreeMap<u64, Arc<Entry>>,
    /// The leaves around the records that were rejected with them: their pointers, those of names with `#` behind.
    pub(crate) frame: BTreeSet<String>,
    /// Lines of the rejects that say something of the frame.
    pub(crate) others: Vec<String>,
}

/// What becomes of a record.
pub(crate) enum Take {
    /// It is not taken.
    Not,
    /// It is, with what is to be said of that.
    Taken(Arc<Entry>, Option<Finding>),
    /// Its reject stays as it is.
    Stays(Arc<Entry>, Finding),
}

impl Taken {
    /// The records that are taken of these files.
    pub(crate) fn of_rejects(files: HashMap<FileId, OfFile>, replays: Replays) -> Self {
        Self { files, replays: Some(replays) }
    }

    /// Which records of a file are taken; nothing where all are.
    pub(crate) fn part_of(&self, file: usize) -> Option<&OfFile> {
        if self.files.is_empty() { None } else { self.files.get(&FileId(u32::try_from(file).ok()?)) }
    }

    /// Whether it is rejects that come back.
    pub(crate) fn is_replay(&self) -> bool {
        self.replays.is_some()
    }
}

impl OfFile {
    /// Of a file that is as it was, or is not.
    pub(crate) fn new(is_same: bool) -> Self {
        let (by_place, by_number, frame, others) = Default::default();
        Self { is_same, by_place, by_number, frame, others }
    }

    /// Adds a record.
    pub(crate) fn add(&mut self, entry: Entry) {
        let entry = Arc::new(entry);
        if let Some(span) = &entry.span {
            self.by_place.insert(span.start, Arc::clone(&entry));
        }
        self.by_number.insert(entry.number, entry);
    }

    /// All of them.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.by_number.values()
    }

    /// The reject of the record that begins here and has this number.
    pub(crate) fn entry(&self, offset: u64, number: u64) -> Option<&Arc<Entry>> {
        if self.is_same { self.by_place.get(&offset) } else { self.by_number.get(&number) }
    }

    /// Whether something of a line of the file, by its place and number, may be taken.
    pub(crate) fn concerns(&self, line: &Range<u64>, number: u64) -> bool {
        if self.is_same {
            self.by_place.range(line.start..=line.end).next().is_some()
        } else {
            self.by_number.range(Record::of_line(number, 0)..Record::of_line(number + 1, 0)).next().is_some()
        }
    }

    /// Whether an element that begins here lies in a record that is taken, if that is known.
    pub(crate) fn holds(&self, offset: u64) -> bool {
        let before = self.by_place.range(..=offset).next_back();
        !self.is_same || before.is_some_and(|(_, one)| one.span.as_ref().is_some_and(|span| span.contains(&offset)))
    }

    /// What becomes of a record of the file.
    pub(crate) fn take(&self, record: &Record) -> Take {
        let Some(entry) = self.entry(record.span.start, record.number).cloned() else { return Take::Not };
        let is_there = self.is_same || entry.span.as_ref().is_some_and(|span| span.start == record.span.start);
        if is_there {
            return Take::Taken(entry, None);
        }
        let named = format!("record {} of the file, which was changed since it was rejected", record.position() - 1);
        match entry.value.as_ref().map(|value| overlay::is_alike(value, record.tape.root())) {
            Some(true) => Take::Taken(entry, None),
            Some(false) => {
                let message = format!("{named}, has little in common with that of line {} of the rejects", entry.line);
                Take::Stays(entry, Finding::new(&REJECT_UNSURE, message))
            }
            None => {
                let message = format!("{named}, is taken for that of line {} of the rejects", entry.line);
                Take::Taken(entry, Some(Finding::new(&REJECT_ASSUMED, message)))
            }
        }
    }
}
