//! What keeps a database in order without a change of any row: statistics, files, indexes.

/// What is to be put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chores {
    /// The statistics by which the engine chooses its ways.
    pub analyze: bool,
    /// The room that deleted rows have left.
    pub vacuum: bool,
    /// Every index, made again of the rows.
    pub reindex: bool,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Chore {
    /// It as SQL.
    pub statement: String,
    /// The table that it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Whether it belongs to the one before: a signal does not come between them.
    #[serde(skip)]
    pub is_owed: bool,
    /// Whether the engine runs it in no transaction.
    #[serde(skip)]
    pub is_alone: bool,
}

/// What is to be done, and what is not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The statements, in their order.
    pub chores: Vec<Chore>,
    /// What is left out, and why, in sentences.
    pub left: Vec<String>,
    /// How many bytes the database has.
    pub bytes: u64,
}
