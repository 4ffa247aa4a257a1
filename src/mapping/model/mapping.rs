//! Mappings: the file types of a set.

use super::expr::{Condition, TypeName};
use super::owners::Pattern;
use super::paths::{Covering, PathExpr};
use super::rule::Rule;
use crate::document::tape::{FromJson, Segment, Selection};
use crate::finding::{FILE_EMPTY, Finding};
use serde::Deserialize;
use std::sync::Arc;

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
    /// `"#name"` in `[ignore]`: member names that a `key_as` calls so.
    pub ignore_names: Vec<IgnoredName>,
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

    /// The entry of `[ignore]` for the member names that a `key_as` calls so.
    pub fn ignored_name(&self, name: &str) -> Option<usize> {
        self.ignore_names.iter().position(|ignored| ignored.name == name)
    }

    /// What a report calls the files of a shape: a mapping with one shape is that shape.
    pub fn title_of(&self, shape: usize) -> String {
        match self.shape_name(shape) {
            None => self.name.clone(),
            Some(shape) => format!("{} ({shape})", self.name),
        }
    }

    /// The name of a shape, where it says more than that of its mapping.
    pub fn shape_name(&self, shape: usize) -> Option<&str> {
        let shapes = &self.source.shapes;
        Some(shapes[shape].name.as_str()).filter(|name| shapes.len() > 1 || *name != self.name)
    }

    /// Why a blank file loses nothing, if being blank is its only fault.
    pub fn excuse(&self, findings: &[Finding]) -> Option<&str> {
        let blank = findings.iter().all(|finding| finding.code.id == FILE_EMPTY.id);
        self.source.blank.as_deref().filter(|_| blank)
    }
}

/// Member names that are not imported, by what `key_as` calls them.
#[derive(Debug)]
pub struct IgnoredName {
    /// The context name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Its line.
    pub line: u32,
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
    /// `from_json`: texts that hold JSON, which stands in their place.
    pub from_json: Arc<FromJson>,
    /// `newest`: the files of one owner are read newest first by the first of these that is there.
    pub newest: Vec<PathExpr>,
    /// `[[source.shape]]`; never empty: what `[source]` says itself is the one shape of a mapping.
    pub shapes: Vec<Shape>,
}

/// `format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// JSON if the first byte that is not whitespace is `{` or `[`, else one string.
    Sniff,
    /// Every line that is not blank is a document of its own.
    Lines,
}

/// One historical form of a file type.
#[derive(Debug, Default)]
pub struct Shape {
    /// `name`; the only shape may be called as its mapping.
    pub name: String,
    /// `when`: it must hold, and `records` must lead to what it takes.
    pub when: Option<Condition>,
    /// `records`; without it the document is the one record.
    pub records: Option<Selection>,
    /// `key_as`: the context names of the member names that the last `.*` matched, in order.
    pub key_as: Vec<String>,
    /// `otherwise`: why the leaves of a record that no rule took are ignored.
    pub otherwise: Option<String>,
    /// `ignore`: this shape carries nothing.
    pub ignore: Option<String>,
    /// Its line.
    pub line: u32,
}

impl Shape {
    /// What `key_as` calls the name at this place among so many on the way to a record: a list of fewer calls the last.
    pub fn called(&self, at: usize, of: usize) -> Option<&str> {
        let place = (self.key_as.len() + at).checked_sub(of)?;
        self.key_as.get(place).map(String::as_str)
    }

    /// What a document needs so that the shape's `records` fit: the path before the first star, and the type that it
    /// leads to, if there is a star. Without `records`, or where they are the document, it needs nothing.
    pub fn need(&self) -> Option<(&[Segment], Option<TypeName>)> {
        let (names, star) = self.records.as_ref()?.before_star();
        let wanted = star.map(|star| match star {
            Segment::Elements => TypeName::Array,
            _ => TypeName::Object,
        });
        (!names.is_empty() || wanted.is_some()).then_some((names, wanted))
    }
}
