//! The files of a run, and what is known of each so far.

use crate::finding::FileId;
use crate::import::leaves::sheet::{Sheet, Tally};
use crate::import::look::Shaped;
use crate::report::FileStatus;
use std::collections::HashMap;

/// The state of a file so far.
#[derive(Debug, Default)]
pub struct FileState {
    /// Its status; `None` until it is read to its end.
    pub status: Option<FileStatus>,
    /// The reason, if there is one.
    pub reason: Option<String>,
    /// What ignored it, as the sign-off list shows it.
    pub what: Option<String>,
    /// The index of its shape.
    pub shape: Option<usize>,
    /// What the first look found, between two turns.
    pub shaped: Option<Shaped>,
    /// Its owner's number in the owner table.
    pub owner: Option<u32>,
    /// Records read.
    pub records: u64,
    /// Records rejected; a broken file counts as one.
    pub rejected: u64,
    /// Its leaves.
    pub tally: Tally,
    /// What was claimed in earlier readings: by record number, the frame's under 0.
    pub sheets: HashMap<u64, Sheet>,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its number in the ledger, once a row came from it.
    pub ledger: Option<i64>,
}

impl FileState {
    /// Leaves the file out, for a reason that the sign-off list shows.
    pub(crate) fn ignore(&mut self, what: &str, reason: &str) {
        self.status = Some(FileStatus::Ignored);
        self.what = Some(what.to_owned());
        self.reason = Some(reason.to_owned());
    }
}

/// The number of a file.
pub(crate) fn file_id(file: usize) -> FileId {
    FileId(u32::try_from(file).expect("the walk numbers fewer files"))
}
