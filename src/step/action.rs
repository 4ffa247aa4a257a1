//! What a step does.

use super::number::NumberStep;
use super::structure::StructureStep;
use super::text::{Change, TextStep};
use super::time::TimeStep;

/// What a step does, by family.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Text(TextStep),
    Number(NumberStep),
    Time(TimeStep),
    Structure(StructureStep),
}

impl From<TextStep> for Action {
    fn from(step: TextStep) -> Self {
        Action::Text(step)
    }
}

impl From<NumberStep> for Action {
    fn from(step: NumberStep) -> Self {
        Action::Number(step)
    }
}

impl From<TimeStep> for Action {
    fn from(step: TimeStep) -> Self {
        Action::Time(step)
    }
}

impl From<StructureStep> for Action {
    fn from(step: StructureStep) -> Self {
        Action::Structure(step)
    }
}

impl From<Change> for Action {
    fn from(change: Change) -> Self {
        Action::Text(TextStep::Change(change))
    }
}
