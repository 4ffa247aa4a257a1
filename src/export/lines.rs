//! The lines that a form has for the rows of a table.

use super::odd::Odd;
use crate::database::Cell;

/// Makes the lines of a table.
pub(super) trait Lines {
    /// What stands before all rows.
    fn header(&self) -> String;
    /// The line of a row. What is odd about its values is counted.
    fn row(&mut self, cells: &[Cell], odd: &mut Odd) -> &str;
}
