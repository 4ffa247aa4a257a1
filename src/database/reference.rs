//! References between tables.

use std::fmt;

/// A reference that mappings follow, whether the database declares it or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The table.
    pub table: String,
    /// Its column.
    pub column: String,
    /// The table pointed at.
    pub parent: String,
    /// The column pointed at.
    pub to: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}.{}` → `{}.{}`", self.table, self.column, self.parent, self.to)
    }
}
