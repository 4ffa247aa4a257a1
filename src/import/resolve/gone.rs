//! What the ledger says of earlier runs.

use crate::database::ledger::{EarlierLine, FileRecord};
use crate::finding::FileId;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// Keys of rows, by their digest.
pub(super) type Rows<K> = HashMap<[u8; 16], VecDeque<K>>;

/// The rows of a table that earlier runs made of files which this one reads, by their key: the file, and its number in
/// the ledger.
pub(super) type Made = HashMap<String, (FileId, i64)>;

/// What the ledger says of earlier runs, as far as it was asked.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    pub(super) of_file: HashMap<(FileId, String), Rows<String>>,
    /// The files of earlier runs by their path, where only some records of files are read.
    pub(super) of_path: Option<HashMap<String, Vec<FileRecord>>>,
    /// The files that earlier runs read and the tree no longer has.
    pub(super) gone_files: Option<Vec<GoneFile>>,
    /// The rows of those files, by table: their key, and the position of their file in `gone_files`.
    pub(super) of_gone: HashMap<String, Rows<(String, usize)>>,
    /// By table, the rows that were made of files of the tree at hand, as far as it was asked.
    pub(super) made: HashMap<String, Made>,
    /// The files of the tree that are as they were when rows came of them last, as far as that is known.
    pub(super) same: HashMap<FileId, SameFile>,
    /// Files that are as large as then, and not the same.
    pub(super) changed: HashSet<FileId>,
    /// The rows of such a file and a table, by where the element begins that each was made of.
    pub(super) of_place: HashMap<(FileId, String), HashMap<u64, VecDeque<String>>>,
    /// The rows that records of the chunk at hand were found to be, in order.
    pub(super) taken: Vec<(Pool, [u8; 16], String)>,
}

impl Earlier {
    /// Gives back what was found since so many were.
    pub(super) fn back_to(&mut self, mark: usize) {
        for (pool, digest, row_key) in self.taken.drain(mark..).rev() {
            match pool {
                Pool::File(file, table) => {
                    let rows = self.of_file.entry((file, table)).or_default();
                    rows.entry(digest).or_default().push_front(row_key);
                }
                Pool::Place(file, table, offset) => {
                    let rows = self.of_place.entry((file, table)).or_default();
                    rows.entry(offset).or_default().push_front(row_key);
                }
                Pool::Gone { table, from, at } => {
                    let rows = self.of_gone.entry(table).or_default();
                    rows.entry(digest).or_default().insert(at, (row_key, from));
                }
            }
        }
    }
}

/// A file that is as large as when rows came of it last.
#[derive(Debug)]
pub(super) struct SameFile {
    /// Its digest then.
    pub(super) sha256: [u8; 32],
    /// Its numbers in the ledger, of runs in which it had that digest.
    pub(super) records: Vec<i64>,
    /// Whether this run read it, and it has that digest.
    pub(super) is_it: bool,
}

/// A file that an earlier run read and the tree no longer has.
#[derive(Debug)]
pub(super) struct GoneFile {
    pub(super) record: FileRecord,
    pub(super) mapping: Option<usize>,
    pub(super) owner: Option<String>,
}

/// Where an earlier row was known from.
#[derive(Debug)]
pub(super) enum Pool {
    File(FileId, String),
    /// An element of a file that is as it was.
    Place(FileId, String, u64),
    /// A file that is gone: the position among those, and that of the row among those that say the same.
    Gone {
        table: String,
        from: usize,
        at: usize,
    },
}

/// What is known of the rows of files that earlier runs read.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// Of files that are being read, the rows that earlier runs wrote from them and that were not met yet.
    pub(super) of_file: HashMap<FileId, HashMap<(String, String), EarlierLine>>,
    /// The hashes of rows that were met in another file than the one from which they were written.
    pub(super) elsewhere: HashSet<u64>,
    /// Rows that no record gave again of the file from which they were written.
    pub(super) candidates: Vec<(String, EarlierLine)>,
    /// The files of those that were reported, and those that give rows which were written from another one: the ledger
    /// does not say so.
    pub(super) read_again: BTreeSet<String>,
}
