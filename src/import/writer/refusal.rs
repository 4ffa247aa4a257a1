//! Rows that the database rejected.

use crate::database::rejection::Rejection;
use crate::error::Error;
use crate::finding::Place;

/// A row that the database rejected.
#[derive(Debug)]
pub struct RefusedRow {
    /// The record that gave it.
    pub record: Place,
    /// Where the row itself came from.
    pub place: Place,
    /// The number of its rule.
    pub rule: u32,
    /// The table.
    pub table: String,
    /// Why it was rejected.
    pub why: Rejection,
}

impl RefusedRow {
    /// The error of a run whose transaction is gone: nothing can go on.
    pub(super) fn ends_the_run(&self) -> Option<Error> {
        matches!(self.why, Rejection::RolledBack { .. }).then(|| {
            Error::environment(self.why.message(&self.table))
                .hint("nothing was written; fix the record, or drop the trigger for the import")
        })
    }
}
