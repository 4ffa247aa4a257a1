//! What the database said of the keys of a chunk's rows.

use crate::database::Cell;
use crate::import::plan::Plan;
use crate::mapping::keyindex::KeyText;
use std::collections::HashMap;

/// A row's cells, where there is such a row.
pub(super) type Answer = Option<Vec<Cell>>;

/// What the database said of a chunk's keys.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// By question, whether the database had rows of its table before the run: else nothing is asked.
    pub(super) asks: Vec<bool>,
    /// By question.
    pub(super) known: Vec<HashMap<KeyText, Answer>>,
}

impl Answers {
    /// Nothing is known.
    pub(super) fn new(plan: &Plan, rows_before: impl Fn(&str) -> u64) -> Self {
        let questions = plan.keys.questions();
        Self {
            asks: questions.iter().map(|question| rows_before(&question.table) > 0).collect(),
            known: questions.iter().map(|_| HashMap::new()).collect(),
        }
    }
}
