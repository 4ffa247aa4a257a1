//! A row whose fate is to be decided.

use crate::database::Dialect;
use crate::finding::{FileId, Place};
use crate::import::writer::digest;
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::row::Value;

/// A row that a record gave, with its rule.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'c> {
    pub(crate) rule: &'c CompiledRule,
    pub(crate) draft: &'c Draft,
    /// Where the element that made it begins.
    pub(crate) place: Place,
}

impl<'c> Candidate<'c> {
    /// A row that a mapping's rules made of a file.
    pub(crate) fn new(rules: &'c [CompiledRule], draft: &'c Draft, file: FileId) -> Self {
        Self { rule: &rules[draft.rule], draft, place: Place { file, offset: draft.at } }
    }

    /// The values of its key's columns; none when the key does not stand in the target.
    pub(super) fn key_values(self) -> Option<Vec<Value>> {
        self.rule.key_of(&self.draft.values)
    }

    /// See [`digest`].
    pub(super) fn digest(self, dialect: Dialect) -> [u8; 16] {
        digest(self.rule, &self.draft.values, &self.draft.clock, dialect)
    }
}
