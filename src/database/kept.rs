//! Whether a database kept what a run wrote: rows counted, and compared by key where something may
//! have changed them.

/// A trigger that no migration of the mapping set makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignTrigger {
    /// Its name.
    pub name: String,
    /// The table it is on.
    pub table: String,
}

/// A table that is not as the run must have left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unkept {
    /// The table.
    pub table: String,
    /// Rows before the run, and those it inserted.
    pub expected: u64,
    /// Rows now.
    pub found: u64,
    /// Rows of this run that are gone or changed, as many as are kept.
    pub rows: Vec<Strayed>,
    /// Whether a trigger that is not the set's may have done it.
    pub foreign: bool,
}

/// A row of this run that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strayed {
    /// The number of its file in the ledger.
    pub file: i64,
    /// Where it begins in the file, in bytes.
    pub offset: u64,
    /// Whether it is there with other values; else it is gone.
    pub changed: bool,
}
