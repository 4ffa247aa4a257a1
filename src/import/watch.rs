//! Watches an import: what it reads of a file, how it makes values, and what becomes of each leaf.

use crate::document::name::NameLeaf;
use crate::document::tape::{NodeRef, Paths, Tape};
use crate::finding::Finding;
use crate::import::leaves::sheet::Mark;
use crate::import::resolve::verdict::RowFate;
use crate::import::shaping::PathTable;
use crate::mapping::apply::{Claim, Draft, Mapped, Trace};
use crate::mapping::declared::{Declared, Doc};
use crate::source::Record;

/// A record with its rows, and what became of them, in one turn.
pub(crate) struct Seen<'s> {
    /// The record.
    pub(crate) record: &'s Record,
    /// The document without its records; empty where the document is the record.
    pub(crate) frame: &'s Tape,
    /// Paths of the record, and what the mapping says of all paths.
    pub(crate) table: &'s PathTable,
    /// Paths of the frame.
    pub(crate) frame_paths: &'s Paths,
    /// The rows.
    pub(crate) mapped: &'s Mapped,
    /// What became of each row.
    pub(crate) fates: &'s [RowFate],
}

/// A leaf as it is counted.
pub(crate) struct Counted<'c> {
    /// What the mapping says of paths.
    pub(crate) declared: &'c Declared,
    /// The document's paths.
    pub(crate) paths: &'c Paths,
    /// The document it is in.
    pub(crate) doc: Doc,
    /// The number of the record that it is in, from 1; 0 for the frame.
    pub(crate) record: u64,
    /// Its class.
    pub(crate) mark: Mark,
    /// What ignores it, and why.
    pub(crate) ignored: Option<(&'c str, &'c str)>,
    /// Why not all of it is kept.
    pub(crate) lossy: Option<&'c str>,
}

/// Sees what an import does. What belongs to a file is told only of the one that is followed.
pub(crate) trait Watch {
    /// Whether a file is to be read at all.
    fn wants(&self, _file: usize) -> bool {
        true
    }
    /// Whether what becomes of a file's leaves is to be told.
    fn follows(&self, _file: usize) -> bool {
        false
    }
    /// The receiver of how values are made.
    fn trace(&self) -> Option<&dyn Trace> {
        None
    }
    /// The values of this record are made.
    fn made(&self, _record: u64) {}
    /// A row claims leaves, which counts as this mark. The claims of a record come before it is seen.
    fn claim(&self, _draft: &Draft, _claim: &Claim, _mark: Mark) {}
    /// The rows of a record have their fate.
    fn record(&self, _seen: &Seen<'_>) {}
    /// The record of this number was rejected.
    fn rejected(&self, _record: u64, _findings: &[Finding]) {}
    /// A leaf is counted, once its record (or the frame) was read in all of its turns.
    fn leaf(&self, _node: NodeRef<'_>, _counted: &Counted<'_>) {}
    /// The name of a member is counted as a leaf: where the member, or the record, begins.
    fn name(&self, _name: NameLeaf, _at: u64, _counted: &Counted<'_>) {}
    /// A file is broken, and nothing of it counts; told of every file.
    fn broken(&self, _file: usize, _findings: &[Finding]) {}
}
