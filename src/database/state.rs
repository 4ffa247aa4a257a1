//! What treelift keeps about a database itself, in `treelift_state`.

/// The number of the form that this version writes. A database without `treelift_state` is of format 1.
pub const FORMAT: u32 = 3;
/// The table.
pub const TABLE_NAME: &str = "treelift_state";

/// What the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The format number.
    pub format: u32,
    /// The database's own id: 32 lower-case hex digits, random. A copy of the file has the same one.
    pub id: Option<String>,
}
