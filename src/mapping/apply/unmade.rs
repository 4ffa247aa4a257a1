//! What is known of the columns of a row that is being made, and what is still to be made of it.

/// What is known of a column of the row; its value stands in the draft.
#[derive(Debug)]
pub(super) enum Memo {
    Unknown,
    Running,
    Failed,
    /// It asks for other rows, and they are not known yet.
    Asks,
    /// Its value is that of a row which may be read later.
    Later,
    Known {
        tainted: bool,
        clock: bool,
        hidden: bool,
    },
}

/// What is still to be made of a row.
#[derive(Debug, Default)]
pub(super) struct Unmade {
    /// The fields that ask for other rows, in their order.
    pub(super) fields: Vec<UnmadeField>,
    /// What is known of the columns.
    pub(super) memo: Vec<Memo>,
    /// Whether `on_error` or `on_dangling` made NULL of a secret of the row.
    pub(super) without_secret: bool,
}

/// A field that asks for other rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnmadeField {
    /// Its number.
    pub(super) at: usize,
    /// How much of the row there was when its turn was over: what it gives has its place there.
    pub(super) until: Lengths,
}

/// How much was found out about a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lengths {
    pub(super) claims: usize,
    pub(super) differing: usize,
}
