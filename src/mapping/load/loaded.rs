//! A mapping as the loader sees it.

use super::tree::Doc;
use crate::mapping::model::Mapping;

/// A mapping and what only the loader needs to know of it.
pub(super) struct Loaded {
    pub(super) doc: Doc,
    pub(super) mapping: Mapping,
    /// The lines of `files`, in order.
    pub(super) pattern_lines: Vec<u32>,
}
