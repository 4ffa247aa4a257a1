//! What the scaffold decided: tables with their rules, before a word of them is written.

use super::names::{one_of, unique};
use crate::document::tape::{Segment, Selection};
use crate::inspect::profile::At;
use crate::mapping::model::{Covering, Root, Rooted};
use std::collections::BTreeSet;

/// A table with the rule that fills it, which is called as it is.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) name: String,
    /// The table whose rule has the same elements.
    pub(super) like: Option<String>,
    /// The shapes it is for; all where there are none.
    pub(super) shapes: Vec<&'static str>,
    pub(super) parent: Option<String>,
    pub(super) each: Option<Selection>,
    pub(super) key_as: Option<String>,
    pub(super) key: Vec<String>,
    /// Why these columns are the key.
    pub(super) why: Option<String>,
    pub(super) columns: Vec<Column>,
    pub(super) secrets: Vec<Secret>,
    pub(super) names: BTreeSet<String>,
}

/// A column with what is written into it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// The declared type.
    pub(super) sql: String,
    pub(super) expr: Expr,
    pub(super) guess: Option<String>,
    /// Where its values come from, if they are written as they are.
    pub(super) at: Option<Source>,
    /// The table and column that it refers to.
    pub(super) references: Option<(String, String)>,
    /// Whether it is there because the row around has it.
    pub(super) inherited: bool,
    /// Why it is kept as it is, although its name looks like that of a secret.
    pub(super) declassify: Option<&'static str>,
}

impl Column {
    /// A column of a declared type.
    pub(super) fn new(name: &str, sql: &str, expr: Expr) -> Self {
        Self {
            name: name.to_owned(),
            sql: sql.to_owned(),
            expr,
            guess: None,
            at: None,
            references: None,
            inherited: false,
            declassify: None,
        }
    }

    /// With a guess beside it.
    pub(super) fn guessed(self, why: impl Into<String>) -> Self {
        Self { guess: Some(why.into()), ..self }
    }

    /// With where its values come from.
    pub(super) fn of(self, at: Source) -> Self {
        Self { at: Some(at), ..self }
    }
}

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A path of the profile.
    Path(At),
    /// The names of the members of this one.
    NamesOf(At),
    /// A capture.
    Capture(String),
    /// The elements of a list of scalars, at this way from the row; what says that the column keeps them.
    List { elements: At, way: Vec<Segment>, expected: String },
}

/// An expression, without the words for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// A path with its prefix.
    Path(String),
    /// With steps, and perhaps with NULL for what is empty.
    Steps { from: String, steps: Vec<Step>, empty_is_null: bool },
    /// Compact JSON, without these selections below it.
    Json { from: String, without: Vec<Selection> },
    /// The same, where it may be a bare scalar.
    AnyJson { from: String, without: Vec<Selection> },
    /// The column of another table whose row has this value there.
    Lookup { table: String, column: String, from: String },
}

/// A step, without the word for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A time in one of these forms.
    Time(Vec<&'static str>),
    /// A number as text.
    Text,
    /// A text as a number.
    Number,
    /// A text with commas as a list.
    Commas,
    /// Without blanks at its ends.
    Trim,
}

/// A value that is sealed, or left out where no column could take it.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) seal: bool,
    /// What stands beside it.
    pub(super) why: &'static str,
}

impl Table {
    pub(super) fn new(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// Adds a column and gives the name that was free for it.
    pub(super) fn add(&mut self, column: Column, key: bool) -> String {
        let name = unique(&column.name, &mut self.names);
        if key {
            self.key.push(name.clone());
        }
        self.columns.push(Column { name: name.clone(), ..column });
        name
    }

    /// The columns that rows below its rows have because of it: its key.
    pub(super) fn outer(&self) -> Vec<Column> {
        let one = one_of(&self.name).unwrap_or_else(|| self.name.clone());
        let key = self.columns.iter().filter(|column| self.key.contains(&column.name));
        key.map(|column| {
            let is_told = column.inherited || column.name.starts_with(&one);
            let name = if is_told { column.name.clone() } else { format!("{one}_{}", column.name) };
            Column {
                name,
                expr: Expr::Path(format!("^{}", column.name)),
                guess: None,
                references: None,
                inherited: true,
                declassify: None,
                ..column.clone()
            }
        })
        .collect()
    }

    pub(super) fn add_secret(&mut self, name: &str, path: String, seal: bool, why: &'static str) {
        let name = unique(name, &mut self.names);
        self.secrets.push(Secret { name, path, seal, why });
    }

    /// A table for what is sealed: one whose secrets are all empty makes no row, which must not cost
    /// the other values theirs.
    pub(super) fn split_secrets(&mut self, names: &mut BTreeSet<String>) -> Option<Table> {
        let (sealed, dropped): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.secrets).into_iter().partition(|secret| secret.seal);
        self.secrets = dropped;
        if sealed.is_empty() {
            return None;
        }
        let mut table = Table::new(unique(&format!("{}_secrets", self.name), names));
        table.like = self.each.as_ref().map(|_| self.name.clone());
        table.shapes.clone_from(&self.shapes);
        table.parent.clone_from(&self.parent);
        table.each.clone_from(&self.each);
        table.key_as.clone_from(&self.key_as);
        table.secrets = sealed;
        for column in self.columns.iter().filter(|column| self.key.contains(&column.name)) {
            table.key.push(column.name.clone());
            table.columns.push(Column { guess: None, ..column.clone() });
        }
        Some(table)
    }
}

/// A path as text.
pub(super) fn path_of(way: &[Segment]) -> String {
    Selection(way.to_vec()).to_string()
}

/// An entry that covers what lies at the end of a way from the record, or from the frame.
pub(super) fn covering(root: Root, way: &[Segment], below: bool) -> String {
    Covering { rooted: Rooted { root, selection: Selection(way.to_vec()) }, below }.to_string()
}
