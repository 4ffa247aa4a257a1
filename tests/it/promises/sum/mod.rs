//! The sum closes: every leaf of a tree is counted, once, as what became of it.

mod accounting;
mod claims;
mod empty_leaves;
mod ignoring;
pub(crate) mod laws;
mod lossy;
mod rejected_records;
mod unused;
