//! How much of a report is shown, and how wide.

/// The columns of the screen.
pub(super) const WIDTH: u16 = 80;

/// How much of the report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Errors and the verdict (`-q`).
    Brief,
    /// What fits the screen.
    #[default]
    Screen,
    /// Everything that is shown at all, however long (`-v`).
    All,
}

pub(super) fn lines(text: &str) -> usize {
    text.lines().count()
}
