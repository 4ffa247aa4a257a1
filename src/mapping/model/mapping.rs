//! Mappings: the file types of a set.

use super::expr::Condition;
use super::owners::Pattern;
use super::paths::{Covering, PathExpr};
use super::rule::Rule;
use crate::document::tape::Selection;
use crate::finding::{FILE_EMPTY, Finding};
use serde::Deserialize;

/// One source file type.
#[derive(Debug)]
pub struct Mapping {
    /// The file's stem.
    pub name: String,
    /// The TOML file as the user would write it.
    pub file: String,
    /// `description`.
    pub description: String,
    /// `[source]`.
    pub source: Source,
    /// `expected`: what catch-alls are known to keep.
    pub expected: Vec<Covering>,
    /// `[ignore]`: what it covers, the reason and the line of each entry.
    pub ignore: Vec<(Covering, String, u32)>,
    /// `[declassify]`: selections that look like secrets and are none, each with its reason and line.
    pub declassify: Vec<(Covering, String, u32)>,
    /// `[table.X]`, in the order of the file.
    pub rules: Vec<Rule>,
}

impl Mapping {
    /// The index of the rule of this name.
    pub fn rule(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.name == name)
    }

    /// The rule whose rows those of another one hang on.
    pub fn parent_of(&self, rule: &Rule) -> Option<&Rule> {
        self.rule(rule.parent.as_deref()?).map(|at| &self.rules[at])
    }

    /// Why a blank file loses nothing, if being blank is its only fault.
    pub fn excuse(&self, findings: &[Finding]) -> Option<&str> {
        let blank = findings.iter().all(|finding| finding.code.id == FILE_EMPTY.id);
        self.source.blank.as_deref().filter(|_| blank)
    }
}

/// `[source]`.
#[derive(Debug, Default)]
pub struct Source {
    /// `files`, in order.
    pub files: Vec<Pattern>,
    /// `format`.
    pub format: Format,
    /// `optional = "reason"`: read only with `--with`.
    pub optional: Option<String>,
    /// `blank = "reason"`.
    pub blank: Option<String>,
    /// `newest`: the files of one owner are read newest first by the first of these that is there.
    pub newest: Vec<PathExpr>,
    /// `[[source.shape]]`; never empty (one without name, `when` and `records` when none is written).
    pub shapes: Vec<Shape>,
}

/// `format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// The file is one text.
    Text,
    /// JSON if the first byte that is not whitespace is `{` or `[`, else one string.
    Sniff,
}

/// One historical form of a file type.
#[derive(Debug, Default)]
pub struct Shape {
    /// `name`; empty for the implied shape.
    pub name: String,
    /// `when`; without it the shape takes the rest.
    pub when: Option<Condition>,
    /// `records`; without it the document is the one record.
    pub records: Option<Selection>,
    /// `key_as`: the context name of the member name that the last `.*` matched.
    pub key_as: Option<String>,
    /// `otherwise`: why the leaves of a record that no rule took are ignored.
    pub otherwise: Option<String>,
    /// `ignore`: this shape carries nothing.
    pub ignore: Option<String>,
    /// Its line.
    pub line: u32,
}
