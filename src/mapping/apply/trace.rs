//! Traces how values are made: every column with its steps, as they happen.
//!
//! Columns may depend on each other, so what began last ends first.

use super::draft::Draft;
use crate::document::tape::NodeId;
use crate::mapping::declared::Doc;
use crate::row::Value;
use crate::step::{Datum, Step};

/// Observes how values are made.
pub trait Trace {
    /// A column, or a secret, of this row begins.
    fn begin(&self, column: &str, draft: &Draft);
    /// This node, and all that is below it, was read for what began last.
    fn read(&self, doc: Doc, node: NodeId);
    /// A step was applied for what began last.
    fn step(&self, taken: &StepTaken<'_>);
    /// What began last is made, or cannot be.
    fn end(&self, made: &Made<'_>);
}

/// A step with what it was given and what it gave.
pub struct StepTaken<'s> {
    /// The step, where it stands in the set.
    pub step: &'s Step,
    /// What it was given.
    pub before: &'s Datum,
    /// What it gave: nothing where what it looks for is missing, or why it failed.
    pub after: Result<&'s Option<Datum>, &'s String>,
    /// Whether the value comes from a secret and must not be shown.
    pub secret: bool,
}

/// A value as made.
#[derive(Debug)]
pub struct Made<'m> {
    /// Its number in the rule.
    pub field: usize,
    /// The value; nothing where it could not be made, or is sealed.
    pub value: Option<&'m Value>,
    /// Whether it comes from a secret and must not be shown.
    pub secret: bool,
}

impl std::fmt::Debug for StepTaken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StepTaken({})", self.step.name())
    }
}
