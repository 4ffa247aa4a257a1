//! What a step does.

use super::bytes::BytesStep;
use super::number::NumberStep;
use super::structure::StructureStep;
use super::text::{Change, TextStep};
use super::time::TimeStep;

macro_rules! action {
    ($($family:ident($step:ident)),*) => {
        /// What a step does, by family.
        #[derive(Debug, Clone)]
        pub(super) enum Action {
            $($family($step)),*
        }
        $(impl From<$step> for Action {
            fn from(step: $step) -> Self {
                Action::$family(step)
            }
        })*
    };
}

action!(Text(TextStep), Number(NumberStep), Time(TimeStep), Structure(StructureStep), Json(ToJson), Bytes(BytesStep));

/// `to_json`: the value as a document, a container as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToJson;

impl From<Change> for Action {
    fn from(change: Change) -> Self {
        Action::Text(TextStep::Change(change))
    }
}
