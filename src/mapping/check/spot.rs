//! What the checks work with: one rule with all that is known around it, and the errors so far.

use crate::error::Error;
use crate::finding::Code;
use crate::mapping::model::{ColumnRule, Expr, Mapping, Rule, Set};
use crate::table::{Schema, Table};

/// One rule with all that is known around it.
#[derive(Clone, Copy)]
pub(super) struct Spot<'c> {
    pub(super) set: &'c Set,
    pub(super) schema: &'c Schema,
    pub(super) mapping: &'c Mapping,
    pub(super) rule: &'c Rule,
    pub(super) table: &'c Table,
}

impl<'c> Spot<'c> {
    pub(super) fn refuse(
        &self,
        errors: &mut Errors,
        code: &Code,
        line: u32,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        errors.refuse(code, &self.mapping.file, line, message, hint);
    }

    /// The expression of a column or `let`.
    pub(super) fn named(&self, name: &str) -> Option<&'c Expr> {
        let column = self.rule.columns.iter().find(|column| column.name == name).map(|column| &column.expr);
        column.or_else(|| self.rule.lets.iter().find(|(other, _)| other == name).map(|(_, expr)| expr))
    }

    pub(super) fn column(&self, name: &str) -> Option<&'c ColumnRule> {
        self.rule.columns.iter().find(|column| column.name == name)
    }

    pub(super) fn parent(&self) -> Option<&'c Rule> {
        let parent = self.rule.parent.as_deref()?;
        self.mapping.rules.iter().find(|rule| rule.name == parent)
    }
}

/// Errors with what sorts them.
#[derive(Default)]
pub(super) struct Errors {
    errors: Vec<(String, u32, Error)>,
}

impl Errors {
    pub(super) fn refuse(
        &mut self,
        code: &Code,
        file: &str,
        line: u32,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let error = Error::request(message).coded(code.id).at(format_args!("{file}:{line}"));
        let error = match hint {
            Some(hint) => error.hint(hint),
            None => error,
        };
        self.errors.push((file.to_owned(), line, error));
    }

    pub(super) fn sorted(mut self, set: &Set) -> Vec<Error> {
        let place = |file: &str| set.mappings.iter().position(|mapping| mapping.file == file);
        self.errors.sort_by_key(|(file, line, _)| (place(file), *line));
        self.errors.into_iter().map(|(_, _, error)| error).collect()
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
