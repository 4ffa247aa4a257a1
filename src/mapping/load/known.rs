//! What a file has defined so far for what is read after it.

use crate::mapping::model::Condition;

/// A condition of `[when]`.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) line: u32,
    /// The condition, unless it could not be read.
    pub(super) condition: Option<Condition>,
    /// The names that it mentions itself.
    pub(super) needs: Vec<String>,
    /// Whether anything but a condition of `[when]` uses it.
    pub(super) used: bool,
}
