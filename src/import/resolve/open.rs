//! What rows hold that an earlier import of this tree gave them by `fill` rules, until a record of this one gives it again.
//!
//! The earlier import gave it after it had judged the records before that one: these are judged as if it were not there.

use foldhash::HashSet;

/// The number of a row in the key index, and whether it outlasts the owner.
type RowNumber = (bool, u32);

/// The columns of rows that the target had which no record has given yet; each by its number among those that are asked
/// of the table.
#[derive(Debug, Default)]
pub(super) struct Open {
    columns: HashSet<(RowNumber, usize)>,
    /// What was changed, in order, and whether it was among them before.
    log: Vec<((RowNumber, usize), bool)>,
}

impl Open {
    /// Whether a column of a row is among them.
    pub(super) fn has(&self, row: RowNumber, column: usize) -> bool {
        self.columns.contains(&(row, column))
    }

    /// Notes a column of a row.
    pub(super) fn add(&mut self, row: RowNumber, column: usize) {
        if self.columns.insert((row, column)) {
            self.log.push(((row, column), false));
        }
    }

    /// Notes that a record gave a column of a row.
    pub(super) fn remove(&mut self, row: RowNumber, column: usize) {
        if self.columns.remove(&(row, column)) {
            self.log.push(((row, column), true));
        }
    }

    pub(super) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Undoes what was changed since the log had this length.
    pub(super) fn back_to(&mut self, mark: usize) {
        for (column, was_there) in self.log.drain(mark..).rev() {
            if was_there {
                self.columns.insert(column);
            } else {
                self.columns.remove(&column);
            }
        }
    }

    pub(super) fn keep(&mut self) {
        self.log.clear();
    }

    /// Forgets the rows of an owner.
    pub(super) fn end_owner(&mut self) {
        self.columns.retain(|((lasts, _), _)| *lasts);
    }
}
