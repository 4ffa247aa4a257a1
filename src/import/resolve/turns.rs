//! What finds the rows of the database that a verification compares.

use crate::finding::{FileId, Place};
use std::collections::HashMap;

/// Keys of rows, by where the elements begin that they were made of.
pub(super) type OfPlaces = HashMap<u64, Vec<String>>;

/// What finds the rows of the database that have no key by which records know them.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The digests of the files of the ledger, by their numbers.
    pub(super) files: Option<HashMap<i64, [u8; 32]>>,
    /// The rows of files that are as they were, by table.
    pub(super) of_place: HashMap<(FileId, String), OfPlaces>,
    /// By table, how many rows were made of the element that was met last.
    pub(super) turns: HashMap<usize, (Place, usize)>,
    /// The digests of the files of the tree, where they are compared with those of the ledger.
    pub(super) digests: Option<HashMap<FileId, [u8; 32]>>,
}

impl Told {
    /// Keeps the digests of files from now on.
    pub(super) fn keep_digests(&mut self) {
        self.digests = Some(HashMap::new());
    }

    /// Notes the digest of a file.
    pub(super) fn note_digest(&mut self, file: FileId, sha256: [u8; 32]) {
        self.digests.iter_mut().for_each(|digests| _ = digests.insert(file, sha256));
    }

    /// Forgets the rows of a file that was read to its end.
    pub(super) fn end_file(&mut self, file: FileId) {
        self.of_place.retain(|(of, _), _| *of != file);
    }
}
