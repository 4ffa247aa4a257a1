//! What the checks work with: one rule with all that is known around it, and the errors so far.

use crate::error::{Error, Hint};
use crate::finding::Code;
use crate::mapping::model::{Mapping, Rule, Set};
use crate::table::{Schema, Table};
use std::cell::RefCell;

/// One rule with all that is known around it.
#[derive(Clone, Copy)]
pub(super) struct Spot<'c> {
    pub(super) set: &'c Set,
    pub(super) schema: &'c Schema,
    pub(super) mapping: &'c Mapping,
    pub(super) rule: &'c Rule,
    pub(super) table: &'c Table,
    pub(super) errors: &'c Errors,
}

impl<'c> Spot<'c> {
    pub(super) fn refuse(&self, code: &Code, line: u32, message: impl Into<String>, hint: impl Hint) {
        self.errors.refuse(code, &self.mapping.file, line, message, hint);
    }

    pub(super) fn parent(&self) -> Option<&'c Rule> {
        self.mapping.parent_of(self.rule)
    }
}

/// Errors with what sorts them.
#[derive(Default)]
pub(super) struct Errors {
    errors: RefCell<Vec<(String, u32, Error)>>,
}

impl Errors {
    pub(super) fn refuse(&self, code: &Code, file: &str, line: u32, message: impl Into<String>, hint: impl Hint) {
        let error = Error::request(message).coded(code.id).at(format_args!("{file}:{line}")).hint(hint);
        self.errors.borrow_mut().push((file.to_owned(), line, error));
    }

    pub(super) fn sorted(self, set: &Set) -> Vec<Error> {
        let place = |file: &str| set.mappings.iter().position(|mapping| mapping.file == file);
        let mut errors = self.errors.into_inner();
        errors.sort_by_key(|(file, line, _)| (place(file), *line));
        errors.into_iter().map(|(_, _, error)| error).collect()
    }
}

pub(super) fn set_file(set: &Set) -> String {
    format!("{}/set.toml", set.folder)
}

pub(super) fn tables(schema: &Schema) -> Vec<&str> {
    schema.tables.keys().map(String::as_str).collect()
}

pub(super) fn columns_of(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}
