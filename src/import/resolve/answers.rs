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
    /// Whether anything is asked at all.
    pub(super) is_any_asked: bool,
    /// By question, of those that the chunk asks.
    pub(super) known: HashMap<usize, HashMap<KeyText, Answer>>,
}

impl Answers {
    /// Nothing is known.
    pub(super) fn new(plan: &Plan, rows_before: impl Fn(&str) -> u64) -> Self {
        let asks: Vec<bool> = plan.keys.questions().iter().map(|question| rows_before(&question.table) > 0).collect();
        Self { is_any_asked: asks.contains(&true), asks, known: HashMap::new() }
    }

    /// What is known of the row that a key asks for.
    pub(super) fn get(&self, question: usize, key: &KeyText) -> Option<&Answer> {
        self.known.get(&question)?.get(key)
    }
}
