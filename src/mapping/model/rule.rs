//! Rules: which rows a record makes.

use super::expr::{Condition, Expr, Policies};
use super::paths::{PathExpr, Rooted};
use crate::document::tape::Selection;
use serde::Deserialize;

/// One `[table.NAME]`.
#[derive(Debug, Default)]
pub struct Rule {
    /// NAME.
    pub name: String,
    /// `into`, by default NAME.
    pub into: String,
    /// `key`: what identifies a row.
    pub key: Vec<KeyPart>,
    /// `each`: an element makes the row; the first that selects something.
    pub each: Vec<Elements>,
    /// `recurse`: followed from every element, to any depth.
    pub recurse: Option<Selection>,
    /// `key_as`: the context names of the member names that the last `.*` of `each` or `recurse` matched, in order.
    pub key_as: Vec<String>,
    /// `parent`: a rule of the same mapping whose row this one hangs on.
    pub parent: Option<String>,
    /// `when`.
    pub when: Option<Condition>,
    /// `shapes`; empty for all.
    pub shapes: Vec<String>,
    /// The expressions of the mapping's `[let]` that it uses, written nowhere by themselves.
    pub lets: Vec<Let>,
    /// `on_duplicate`.
    pub on_duplicate: OnDuplicate,
    /// `on_existing`; none where the import decides.
    pub on_existing: Option<OnExisting>,
    /// `delete`, beside `last`: such an element makes no row, and removes the earlier ones of its key.
    pub delete: Option<Condition>,
    /// `[table.NAME.columns]`.
    pub columns: Vec<ColumnRule>,
    /// `[table.NAME.drop]`: secrets that the rule writes nowhere.
    pub drops: Vec<Dropped>,
    /// Its line.
    pub line: u32,
    /// The lines of its keys.
    pub lines: Vec<(String, u32)>,
}

impl Rule {
    /// The line of a key of it; its own where the key is not written.
    pub fn line_of(&self, key: &str) -> u32 {
        self.lines.iter().find(|(name, _)| name == key).map_or(self.line, |(_, line)| *line)
    }

    /// What is said of a name in its key that none of its columns has.
    pub fn key_lacks(&self, name: &str) -> String {
        format!("the key of rule `{}` names `{name}`, which is not one of its columns", self.name)
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnRule> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The `let` of this name.
    pub fn let_of(&self, name: &str) -> Option<&Let> {
        self.lets.iter().find(|one| one.name == name)
    }

    /// The columns that hold secrets, sealed or hashed.
    pub fn protected(&self) -> impl Iterator<Item = (&ColumnRule, Protection)> {
        self.columns.iter().filter_map(|column| Some((column, column.protection?)))
    }

    /// The columns that are sealed.
    pub fn sealed(&self) -> impl Iterator<Item = &ColumnRule> {
        self.columns.iter().filter(|column| column.protection == Some(Protection::Seal))
    }

    /// Whether it makes a secret of anything.
    pub fn has_secrets(&self) -> bool {
        !self.drops.is_empty() || self.protected().next().is_some()
    }

    /// The expression of a column or `let`.
    pub fn named(&self, name: &str) -> Option<&Expr> {
        self.column(name).map(|column| &column.expr).or_else(|| self.let_of(name).map(|one| &one.expr))
    }

    /// The selections of its `each`.
    pub fn selections(&self) -> impl Iterator<Item = &Rooted> {
        self.each.iter().filter_map(|each| match each {
            Elements::Selection(rooted) => Some(rooted),
            Elements::Expr(_) => None,
        })
    }

    /// The expressions of its `each`.
    pub fn each_exprs(&self) -> impl Iterator<Item = &Expr> {
        self.each.iter().filter_map(|each| match each {
            Elements::Selection(_) => None,
            Elements::Expr(expr) => Some(expr),
        })
    }

    /// The key's columns, when every part is a column: then the key stands in the target too.
    pub fn key_columns(&self) -> Option<Vec<&str>> {
        if self.key.is_empty() {
            return None;
        }
        self.key
            .iter()
            .map(|part| match part {
                KeyPart::Column(name) => Some(name.as_str()),
                KeyPart::Path(_) => None,
            })
            .collect()
    }
}

/// An entry of `[let]`.
#[derive(Debug, Clone)]
pub struct Let {
    /// Its name.
    pub name: String,
    /// What it is worked out from where it is used.
    pub expr: Expr,
    /// What becomes of it there when it is missing, null, empty or faulty.
    pub policies: Policies,
}

/// What gives the elements that make rows.
#[derive(Debug, Clone)]
pub enum Elements {
    /// A path with stars.
    Selection(Rooted),
    /// An expression: the elements of its list, or its one value.
    Expr(Expr),
}

/// A part of a rule's key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyPart {
    /// A column of the rule.
    Column(String),
    /// A path, written with its prefix.
    Path(PathExpr),
}

/// `on_duplicate`: what happens to a later row with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDuplicate {
    /// It is a finding that names both places.
    #[default]
    Reject,
    /// It is superseded.
    First,
    /// It supersedes the earlier one, in the order in which files are read, then in the file.
    Last,
    /// It fills only columns that are NULL.
    Fill,
    /// It folds with the equal key of another feed; twins in one feed stay twins. A feed is one
    /// entry of `files` in one directory of the owner.
    Across,
}

/// `on_existing`: what happens to a row that the database has already, and that differs from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnExisting {
    /// It is a finding that shows both values.
    #[default]
    Refuse,
    /// It stays as it is, and is listed.
    Keep,
    /// It gets the source's values, unless it was edited since an import wrote it, or no import did.
    Update,
}

/// One entry of `[table.NAME.columns]`.
#[derive(Debug)]
pub struct ColumnRule {
    /// The column.
    pub name: String,
    /// What is written into it.
    pub expr: Expr,
    /// `seal` or `hash`: its value is a secret, and how it is kept.
    pub protection: Option<Protection>,
    /// `declassify`: why what it reads may be kept here as it is; beside `seal` and `hash`, elsewhere.
    pub declassify: Option<String>,
    /// `agrees_with`.
    pub agrees: Option<Agreement>,
    /// What happens when the value is missing.
    pub policies: Policies,
    /// Its line.
    pub line: u32,
}

/// `agrees_with`: what should give the same as a column; a difference is a warning.
#[derive(Debug)]
pub struct Agreement {
    /// The other expression.
    pub expr: Expr,
    /// `after`: what the application still needs after an import where they differ.
    pub after: Option<String>,
}

/// How a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// `seal`: encrypted, so that who has the key can read it.
    Seal,
    /// `hash`: so that a password can be compared with it, and nobody can read it.
    Hash,
}

impl Protection {
    /// The key of the language.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Hash => "hash",
        }
    }
}

/// One entry of `[table.NAME.drop]`.
#[derive(Debug)]
pub struct Dropped {
    /// Which secrets, each with everything below.
    pub selection: Rooted,
    /// Why they are left out.
    pub reason: String,
    /// Its line.
    pub line: u32,
}
