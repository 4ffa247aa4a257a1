//! The files of a report, in little room: a tree may have millions, and they have most texts in common.

use super::counts::{Counts, PackedCounts};
use super::parts::{FileReport, FileStatus};
use crate::shared::Shared;
use foldhash::HashMap;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The files of a report, in order. It reads and writes them as a list of [`FileReport`].
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: Vec<File>,
    /// What files have in common.
    kinds: Vec<Kind>,
    numbers: HashMap<Kind, u32>,
}

/// A file without what it has in common with others: much shorter than a [`FileReport`] where it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) path: Shared,
    bytes: u64,
    counts: PackedCounts,
    /// The position of the rest among [`Files::kinds`].
    kind: u32,
}

/// What many files have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Kind {
    mapping: Option<Shared>,
    status: FileStatus,
    reason: Option<Shared>,
    shape: Option<Shared>,
    owner: Option<Shared>,
}

impl Files {
    /// What files have in common.
    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Each without what it has in common with others.
    pub(crate) fn in_kinds(&self) -> &[File] {
        &self.files
    }

    /// No file yet of those that have this in common, and room for so many.
    pub(crate) fn of_kinds(kinds: Vec<Kind>, files: usize) -> Self {
        let numbers = (0..).zip(&kinds).map(|(number, kind)| (kind.clone(), number)).collect();
        Self { files: Vec::with_capacity(files), kinds, numbers }
    }

    /// Adds one; `false` where there is no such kind.
    pub(crate) fn push_in_kind(&mut self, file: File) -> bool {
        let is_known = (file.kind as usize) < self.kinds.len();
        if is_known {
            self.files.push(file);
        }
        is_known
    }

    /// Room for so many.
    pub fn with_capacity(files: usize) -> Self {
        Self { files: Vec::with_capacity(files), ..Self::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Adds one.
    pub fn push(&mut self, file: FileReport) {
        let file = self.packed(file);
        self.files.push(file);
    }

    /// The one at a position.
    pub fn get(&self, at: usize) -> Option<FileReport> {
        self.files.get(at).map(|file| self.unpacked(file))
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = FileReport> {
        self.files.iter().map(|file| self.unpacked(file))
    }

    /// The status, the size and the counts of each.
    pub fn sizes(&self) -> impl Iterator<Item = (FileStatus, u64, Counts)> {
        self.files.iter().map(|file| (self.kinds[file.kind as usize].status, file.bytes, file.counts.counts()))
    }

    /// Changes each.
    pub fn change(&mut self, mut change: impl FnMut(&mut FileReport)) {
        for at in 0..self.files.len() {
            let mut file = self.unpacked(&self.files[at]);
            change(&mut file);
            self.files[at] = self.packed(file);
        }
    }

    /// Puts the last one first.
    pub fn reverse(&mut self) {
        self.files.reverse();
    }

    /// Keeps the paths of the last ones together.
    fn keep_together(&mut self, last: usize) {
        let first = self.files.len().saturating_sub(last);
        let paths = Shared::all_of(&self.files[first..].iter().map(|file| &*file.path).collect::<Vec<_>>());
        self.files[first..].iter_mut().zip(paths).for_each(|(file, path)| file.path = path);
    }

    fn packed(&mut self, file: FileReport) -> File {
        let FileReport { path, mapping, status, reason, shape, owner, bytes, records, rejected, leaves } = file;
        let kind = Kind { mapping, status, reason, shape, owner };
        let kind = match self.numbers.get(&kind) {
            Some(number) => *number,
            None => {
                let next = u32::try_from(self.kinds.len()).expect("there are no more kinds than files");
                self.kinds.push(kind.clone());
                *self.numbers.entry(kind).or_insert(next)
            }
        };
        let mut counts = PackedCounts::default();
        counts.set(Counts { records, rejected, leaves });
        File { path, bytes, counts, kind }
    }

    fn unpacked(&self, file: &File) -> FileReport {
        let Kind { mapping, status, reason, shape, owner } = self.kinds[file.kind as usize].clone();
        let (path, bytes, Counts { records, rejected, leaves }) = (file.path.clone(), file.bytes, file.counts.counts());
        FileReport { path, mapping, status, reason, shape, owner, bytes, records, rejected, leaves }
    }
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Files {}

impl FromIterator<FileReport> for Files {
    fn from_iter<I: IntoIterator<Item = FileReport>>(all: I) -> Self {
        let mut files = Self::default();
        all.into_iter().for_each(|file| files.push(file));
        files
    }
}

impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OneByOne)
    }
}

/// The paths of so many files that are read are kept together.
const TOGETHER: usize = 1024;

/// Takes files in as they are read: as a list of reports they would take many times the room.
struct OneByOne;

impl<'de> Visitor<'de> for OneByOne {
    type Value = Files;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Files, A::Error> {
        let mut files = Files::default();
        while let Some(file) = list.next_element()? {
            files.push(file);
            if files.len().is_multiple_of(TOGETHER) {
                files.keep_together(TOGETHER);
            }
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_file_takes_48_bytes_and_what_files_have_in_common_is_kept_once() {
        assert!(size_of::<File>() <= 48, "{} bytes", size_of::<File>());
        let file = sample::committed().files.get(0).unwrap();
        let files: Files = (0..10_000).map(|records| FileReport { records: records % 7, ..file.clone() }).collect();
        assert_eq!((files.len(), files.kinds.len()), (10_000, 1));
    }

    #[test]
    fn files_are_what_they_were_also_when_one_was_changed() {
        let large = |mut file: FileReport| {
            file.leaves.seen = u64::MAX;
            file
        };
        let of_all = |report: super::super::Report| report.files.iter().collect::<Vec<_>>();
        let mut expected = [of_all(sample::committed()), of_all(sample::refused())].concat();
        expected.push(large(expected[0].clone()));
        let mut files: Files = expected.iter().cloned().collect();
        assert_eq!(files.iter().collect::<Vec<_>>(), expected);
        assert_eq!(
            files.sizes().collect::<Vec<_>>(),
            expected
                .iter()
                .map(|of| {
                    let (records, rejected, leaves) = (of.records, of.rejected, of.leaves);
                    (of.status, of.bytes, Counts { records, rejected, leaves })
                })
                .collect::<Vec<_>>()
        );
        let change = |file: &mut FileReport| {
            if file.rejected > 0 {
                file.reason = Some("changed".into());
            }
        };
        files.change(change);
        expected.iter_mut().for_each(change);
        files.reverse();
        expected.reverse();
        assert_eq!(files.iter().collect::<Vec<_>>(), expected);
        let json = serde_json::to_string(&files).unwrap();
        assert_eq!(json, serde_json::to_string(&expected).unwrap());
        assert!(serde_json::from_str::<Files>(&json).unwrap() == files);
        let mut again = Files::of_kinds(files.kinds().to_vec(), files.len());
        for file in files.in_kinds() {
            let json = serde_json::to_string(file).unwrap();
            assert!(again.push_in_kind(serde_json::from_str(&json).unwrap()), "{json}");
        }
        assert_eq!(again.iter().collect::<Vec<_>>(), expected);
        assert!(!again.push_in_kind(File { kind: u32::MAX, ..files.in_kinds()[0].clone() }));
    }
}
