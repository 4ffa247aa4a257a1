//! Rows that the database rejected.

use crate::database::rejection::{RejectedLate, Rejection};
use crate::error::{Error, Result};
use crate::finding::Place;
use crate::import::plan::Plan;
use crate::row::{Batch, Row};

/// A row that the database rejected.
#[derive(Debug)]
pub struct RefusedRow {
    /// The record that gave it.
    pub record: Place,
    /// Where the row itself came from.
    pub place: Place,
    /// The number of its rule, where that is known.
    pub rule: Option<u32>,
    /// The table.
    pub table: String,
    /// Why it was rejected.
    pub why: Rejection,
}

impl RefusedRow {
    /// A row of a rule's batch.
    pub(super) fn of(rule: u32, batch: &Batch, row: usize, why: Rejection) -> Self {
        let Row { place, record, .. } = batch.rows[row];
        Self { record: Place { offset: record, ..place }, place, rule: Some(rule), table: batch.table.clone(), why }
    }

    /// A row that was rejected only once it was written. Its rule is known where one alone writes its table.
    pub(crate) fn late(row: RejectedLate, plan: &Plan) -> Self {
        let RejectedLate { table, place, record, why } = row;
        let mut rules = plan.rules.iter().flatten().filter(|rule| rule.table.name == table);
        let rule = rules.next().filter(|_| rules.next().is_none()).map(|rule| rule.number);
        Self { record: Place { offset: record, ..place }, place, rule, table, why }
    }

    /// Whether the transaction is gone with it, so that nothing can go on.
    pub(super) fn ends_the_run(&self) -> bool {
        matches!(self.why, Rejection::RolledBack { .. })
    }
}

/// Remembers a row that the database rejected; once the transaction is gone, nothing can go on.
pub(super) fn refuse(refused: &mut Vec<RefusedRow>, row: RefusedRow) -> Result<()> {
    let error = row.ends_the_run().then(|| {
        Error::environment(row.why.message(&row.table))
            .hint("nothing was written; fix the record, or drop the trigger for the import")
    });
    refused.push(row);
    error.map_or(Ok(()), Err)
}
