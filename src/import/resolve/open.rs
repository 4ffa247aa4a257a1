//! What rows hold that an earlier import of this tree gave them by `fill` rules, until a record of this one gives it again.
//!
//! The earlier import gave it after it had judged the records before that one: these are judged as if it were not there.

use foldhash::HashMap;

/// The number of a row in the key index, and whether it outlasts the owner.
type RowNumber = (bool, u32);

/// By row that the target had, the columns as a mask that no record has given yet.
#[derive(Debug, Default)]
pub(super) struct Open {
    columns: HashMap<RowNumber, u64>,
    /// What was known before each change, in order.
    log: Vec<(RowNumber, Option<u64>)>,
}

impl Open {
    /// The columns of a row.
    pub(super) fn of(&self, row: RowNumber) -> u64 {
        self.columns.get(&row).copied().unwrap_or_default()
    }

    /// Notes the columns of a row.
    pub(super) fn set(&mut self, row: RowNumber, columns: u64) {
        let before = if columns == 0 { self.columns.remove(&row) } else { self.columns.insert(row, columns) };
        self.log.push((row, before));
    }

    pub(super) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Undoes what was changed since the log had this length.
    pub(super) fn back_to(&mut self, mark: usize) {
        for (row, before) in self.log.drain(mark..).rev() {
            match before {
                Some(before) => self.columns.insert(row, before),
                None => self.columns.remove(&row),
            };
        }
    }

    pub(super) fn keep(&mut self) {
        self.log.clear();
    }

    /// Forgets the rows of an owner.
    pub(super) fn end_owner(&mut self) {
        self.columns.retain(|(lasts, _), _| *lasts);
    }
}

/// The bit of a column, by its number among those that are asked of the table; the 65th and on have none.
pub(super) fn bit(column: usize) -> u64 {
    1_u64.checked_shl(u32::try_from(column).unwrap_or(u32::MAX)).unwrap_or(0)
}
