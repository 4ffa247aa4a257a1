//! A mapping as the loader sees it.

use super::doc::Doc;
use crate::mapping::model::Mapping;

/// A mapping and what only the loader needs to know of it.
pub(super) struct Loaded {
    pub(super) doc: Doc,
    pub(super) mapping: Mapping,
    /// The lines of `files`, in order.
    pub(super) pattern_lines: Vec<u32>,
    /// Whether all of them could be read: else it is not known what they capture.
    pub(super) knows_patterns: bool,
}
