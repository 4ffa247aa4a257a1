//! When a rule runs.

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Before owners are known.
    Before,
    /// Owner by owner.
    Owners,
    /// After all owners.
    After,
}

/// When a rule runs: its stage, and its level inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Turn {
    /// The stage.
    pub stage: Stage,
    /// In [`Stage::Owners`]: which of the rounds over all owners, from 0. A round is complete, for every
    /// owner, before the next begins.
    pub round: u32,
    /// From 0; a level is complete before the next begins.
    pub level: u32,
}
