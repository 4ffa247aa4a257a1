//! What the ledger says of earlier runs.

use crate::database::ledger::FileRecord;
use crate::finding::FileId;
use std::collections::{HashMap, VecDeque};

/// Keys of rows, by their digest.
pub(super) type Rows<K> = HashMap<[u8; 16], VecDeque<K>>;

/// What the ledger says of earlier runs, as far as it was asked.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    pub(super) of_file: HashMap<(FileId, String), Rows<String>>,
    /// The files that earlier runs read and the tree no longer has.
    pub(super) gone_files: Option<Vec<GoneFile>>,
    /// The rows of those files, by table: their key, and the position of their file in `gone_files`.
    pub(super) of_gone: HashMap<String, Rows<(String, usize)>>,
    /// The rows that the record at hand was found to be.
    pub(super) taken: Vec<(Pool, [u8; 16], String)>,
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
    Gone(String, usize),
}
