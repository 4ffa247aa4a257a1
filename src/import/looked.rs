//! What a reading ahead found out of records.

use crate::finding::{FileId, Finding};
use crate::import::links::{Gone, Links};
use crate::import::rejects::KnownRejects;
use crate::import::resolve::Cause;

/// What a reading ahead found out.
#[derive(Debug, Default)]
pub(crate) struct LookedAhead {
    /// Whether this is that reading: nothing is written.
    pub(crate) is_it: bool,
    /// The records that the database rejected when their rows were made: no reading ahead finds them.
    pub(super) only_now: KnownRejects,
    /// Which records need which rows.
    pub(super) links: Links,
    /// What goes because rows are not there that it needs.
    pub(super) gone: Gone,
    /// Whether it took rows of earlier runs for some of this tree, and they are not.
    pub(super) is_mistaken: bool,
    /// That it did not settle which rows there are.
    pub(super) unsettled: Option<Finding>,
}

impl LookedAhead {
    /// Notes that a record is rejected.
    pub(crate) fn note_reject(&mut self, at: (FileId, u64), findings: &[Finding], cause: Cause) {
        if !self.is_it && cause == Cause::Database {
            self.only_now.insert(at, findings.to_vec());
        }
    }
}
