//! Expressions, conditions, and what becomes of a value that does not fit.

use super::paths::{PathExpr, Rooted};
use crate::document::tape::Selection;
use crate::fold;
use crate::step::{Datum, Literal, Step};
use regex::Regex;
use serde::Deserialize;
use std::sync::Arc;

/// What a value is made of.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Where it comes from.
    pub from: From,
    /// `when`: it is missing unless this holds.
    pub when: Option<Box<Condition>>,
    /// `without`: what is cut out of a container.
    pub without: Vec<Selection>,
    /// `steps`, in order.
    pub steps: Vec<Step>,
    /// `lossy`: why it may lose some of what it reads.
    pub lossy: Option<Arc<Lossy>>,
    /// The line it is written on.
    pub line: u32,
}

/// `lossy = "reason"`: what an expression reads counts as kept where a value comes out, and is listed.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Lossy {
    /// Why it is enough to keep so much.
    pub reason: String,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub enum From {
    /// A path.
    Path(PathExpr),
    /// `value`.
    Literal(Literal),
    /// `null = true`.
    Null,
    /// A list: the first that is present.
    First(Vec<Expr>),
    /// A path with stars: a list.
    Selected(Rooted),
    /// `template`.
    Template(Vec<TemplatePiece>),
    /// `join`.
    Join {
        /// The parts; missing, null and empty ones are left out.
        parts: Parts,
        /// `with`.
        with: String,
    },
    /// `object`: the members, of which missing ones are left out.
    Object(Vec<(String, Expr)>),
    /// `each`.
    Each(Box<Each>),
    /// `uuid5`, `md5`, `sha256`.
    Digest {
        /// Which.
        how: Digest,
        /// Of what: one expression, or a list.
        of: Vec<Expr>,
        /// Whether a list was written (its compact JSON is hashed even if it has one element).
        list: bool,
    },
    /// `lookup = "table.column"`: the first of these rows that is there.
    Lookup(Vec<Sought>),
}

impl Expr {
    /// What nothing stands beside.
    pub fn bare(from: From, line: u32) -> Self {
        Self { from, when: None, without: Vec::new(), steps: Vec::new(), lossy: None, line }
    }

    /// Whether nothing stands beside what it comes from.
    pub fn is_bare(&self) -> bool {
        self.when.is_none() && self.without.is_empty() && self.steps.is_empty() && self.lossy.is_none()
    }
}

/// What `join` joins.
#[derive(Debug, Clone)]
pub enum Parts {
    /// These.
    Of(Vec<Expr>),
    /// The elements of the list that an expression gives.
    In(Box<Expr>),
}

/// A list made from a list: `each`, `item`; with `member` an object.
#[derive(Debug, Clone)]
pub struct Each {
    /// The list: any other value is its only element, missing and null are none.
    pub each: Expr,
    /// The member's name, from the element.
    pub member: Option<Expr>,
    /// The item, from the element.
    pub item: Expr,
    /// What becomes of an item that is missing, null, empty or faulty.
    pub policies: Policies,
}

/// A row of a table that is looked for by a key: `lookup`, `exists`.
#[derive(Debug, Clone)]
pub struct Sought {
    /// The table.
    pub table: String,
    /// The column that a lookup gives.
    pub column: Option<String>,
    /// `by`, or one of its tables.
    pub by: Vec<By>,
    /// Its number among all of the set.
    pub number: usize,
}

impl Sought {
    /// The columns of the key.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.by.iter().map(|by| by.column.as_str())
    }
}

/// A column that is compared with an expression.
#[derive(Debug, Clone)]
pub struct By {
    /// The column.
    pub column: String,
    /// What it is compared with.
    pub expr: Expr,
    /// The form in which the two are compared.
    pub form: Form,
}

/// The form in which a column and a value are compared.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// `ignore_case`: full case folding of both.
    pub ignore_case: bool,
    /// `column_steps`: steps on the column.
    pub column_steps: Vec<Step>,
}

impl Form {
    /// Whether both are compared as they are.
    pub fn is_plain(&self) -> bool {
        !self.ignore_case && self.column_steps.is_empty()
    }

    /// The value that is compared.
    pub fn of_value(&self, text: &str) -> String {
        if self.ignore_case { fold::case(text) } else { text.to_owned() }
    }

    /// The column that is compared; none where its steps do not take it, so that it equals nothing.
    pub fn of_column(&self, text: &str) -> Option<String> {
        let mut datum = Datum::Text(text.to_owned());
        for step in &self.column_steps {
            datum = step.apply(datum).ok()??;
        }
        match datum {
            Datum::Text(text) | Datum::Number(text) => Some(self.of_value(&text)),
            Datum::Integer(value) => Some(value.to_string()),
            _ => None,
        }
    }
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub enum TemplatePiece {
    /// These characters.
    Text(String),
    /// `{path}`.
    Path(PathExpr),
}

/// A hash that is used as an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// UUID version 5 (RFC 9562, section 5.5) in the set's namespace.
    Uuid5,
    /// MD5 (RFC 1321), lower-case hex.
    Md5,
    /// SHA-256 (FIPS 180-4), lower-case hex.
    Sha256,
}

/// `when`. Conditions claim nothing.
#[derive(Debug, Clone)]
pub enum Condition {
    /// Every path is there (null counts).
    Members(Vec<PathExpr>),
    /// Every path has the literal's value.
    Equals(Vec<(PathExpr, Literal)>),
    /// Every path has the type; `.` is the element, or a shape's document.
    Type(Vec<(PathExpr, TypeName)>),
    /// Every path is a string that the expression matches.
    Matches(Vec<(PathExpr, Regex)>),
    /// There is such a row.
    Exists(Vec<Sought>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// All of them hold (several words in one table).
    All(Vec<Condition>),
}

/// A JSON type's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeName {
    /// `null`.
    Null,
    /// `boolean`.
    Boolean,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `array`.
    Array,
    /// `object`.
    Object,
}

/// `on_absent`, `on_missing`, `on_empty`, `on_error`, `on_dangling`, `default`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policies {
    /// `on_missing`: the source has no such value; without it, as `absent`.
    pub missing: Option<Policy>,
    /// `on_absent`: the source has no such value, or null.
    pub absent: Option<Policy>,
    /// The result is the empty text.
    pub empty: Option<Policy>,
    /// `on_error`: a step or the type refuses the value.
    pub error: Option<Policy>,
    /// `on_dangling`: a reference leads nowhere.
    pub dangling: Option<Policy>,
    /// `default`; without it the word `"default"` means the column's default in the schema.
    pub default: Option<Literal>,
}

impl Policies {
    /// Each with its key.
    pub fn words(&self) -> [(&'static str, Option<Policy>); 5] {
        [
            ("on_absent", self.absent),
            ("on_missing", self.missing),
            ("on_empty", self.empty),
            ("on_error", self.error),
            ("on_dangling", self.dangling),
        ]
    }
}

/// What happens when a value is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The record is rejected.
    Reject,
    /// NULL.
    Null,
    /// The column's `default`.
    Default,
    /// No row; the rule did not take the record.
    Skip,
}
