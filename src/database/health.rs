//! How a database fares in its engine's own check: whether the file is sound, and whether its rows
//! keep the rules of their tables. A row that breaks one is fixed by a statement, a damaged file by a
//! backup, so the two are never mixed.

use crate::report::words::count;
use std::collections::BTreeMap;
use std::fmt;

/// What the engine's own check says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// What is wrong with the file, line by line.
    pub damage: Vec<String>,
    /// The rules that rows break, each with how many do.
    pub broken: BTreeMap<Rule, u64>,
    /// Whether there was more than is kept.
    pub more: bool,
    /// Whether the database is no file, so that none was looked at.
    pub without_file: bool,
    /// Why not everything could be checked, where something needs what only its application has.
    pub unchecked: Option<String>,
}

/// A rule that the engine would have held every row to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The conditions of a table.
    Check(String),
    /// A column, as `table.column`, that must not be NULL.
    NotNull(String),
    /// A column, as `table.column`, whose values must be of its type.
    Type(String),
    /// A unique index.
    Unique(String),
}

impl Health {
    /// The broken rules in words, without those that were reported already.
    pub fn broken_rules(&self, already: impl Fn(&Rule) -> bool) -> Vec<String> {
        let broken = self.broken.iter().filter(|(rule, _)| !already(rule));
        let mut messages: Vec<String> =
            broken.map(|(rule, rows)| format!("{rule} in {}", count(*rows, "row"))).collect();
        if self.more && !messages.is_empty() {
            messages.push("there are more that were not counted".to_owned());
        }
        messages
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(table) => write!(f, "a CHECK constraint of `{table}` is violated"),
            Self::NotNull(column) => write!(f, "`{column}` is NULL"),
            Self::Type(column) => write!(f, "`{column}` holds a value of another type"),
            Self::Unique(index) => write!(f, "the unique index `{index}` has a duplicate value"),
        }
    }
}
