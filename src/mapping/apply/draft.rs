//! A row as mapped, with the leaves it claims.

use super::span::{LeafSpan, Part};
use super::unmade::{Lengths, Unmade};
use crate::document::name::NameLeaf;
use crate::finding::{Code, Severity, excerpt};
use crate::mapping::keyindex::KeyText;
use crate::mapping::model::{Lossy, Policy};
use crate::mapping::suggest::and;
use crate::row::Value;
use secrecy::SecretString;
use std::sync::Arc;

/// What is bad about a record.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What kind.
    pub code: &'static Code,
    /// In words, never with the value of a secret.
    pub message: String,
    /// What to do about it, where the kind's own help does not fit.
    pub help: Option<&'static str>,
    /// What was found, for an excerpt; never the value of a secret.
    pub found: Option<Found>,
    /// The offset in the file, where a leaf is to blame.
    pub at: Option<u64>,
    /// The column, where one is concerned.
    pub column: Option<String>,
    /// The line of the mapping.
    pub line: u32,
    /// Whether a policy asked for it, or those of another column let it be: then nothing around it replaces it.
    pub is_final: bool,
}

/// What a fault shows of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The value that is wrong.
    Value(String),
    /// The row that was looked for, by its columns; none where a value may be a secret.
    Row(Option<Vec<(String, String)>>),
}

impl Found {
    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let (value, row) = match self {
            Self::Value(value) => (Some(value.as_str()), None),
            Self::Row(row) => (None, row.as_ref()),
        };
        value.into_iter().chain(row.into_iter().flatten().map(|(_, value)| value.as_str()))
    }

    /// What stands behind a message; without the values where they must not be shown.
    pub fn words(&self, is_shown: bool) -> String {
        match self {
            Self::Value(value) if is_shown => format!(", found {}", excerpt(value)),
            Self::Value(_) => String::new(),
            Self::Row(Some(row)) if is_shown => {
                let parts: Vec<_> = row.iter().map(|(name, value)| format!("`{name}` = {}", excerpt(value))).collect();
                format!(" with {}", and(&parts))
            }
            Self::Row(_) => " of this key".to_owned(),
        }
    }
}

impl Claim {
    /// The claim of leaves; of a secret that says less than they do, none.
    pub(super) fn of(touch: LeafSpan, class: ClaimAs, field: Option<usize>) -> Option<Self> {
        let lossy = match (&touch, class) {
            (LeafSpan::Lossy(_, lossy), ClaimAs::Column | ClaimAs::Json) => Some(Arc::clone(lossy)),
            (LeafSpan::Lossy(..), ClaimAs::Sealed | ClaimAs::EmptySecret) => return None,
            _ => None,
        };
        Some(Self { touch: touch.plain(), class, field, lossy })
    }

    /// Whether it says why a value is left out, also where a policy makes no row.
    pub fn is_left_out(&self) -> bool {
        matches!(self.class, ClaimAs::NotConvertible | ClaimAs::Dangling | ClaimAs::Skipped)
    }
}

impl Fault {
    /// A fault of this kind.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        let (help, found, at, column) = (None, None, None, None);
        Self { code, message: message.into(), help, found, at, column, line: 0, is_final: false }
    }

    /// One that nothing around it replaces.
    #[must_use]
    pub(super) fn finally(self) -> Self {
        Self { is_final: true, ..self }
    }

    /// What stands in the place of a value that this is wrong with, by the `on_error` around it; none where the record
    /// is bad. A fault that another column already reported has no message.
    pub(super) fn replaced_by(&self, on_error: Option<Policy>) -> Option<Policy> {
        on_error.filter(|policy| *policy != Policy::Reject && !self.is_final && !self.message.is_empty())
    }

    /// The fault of a column, which stands in this line of the mapping.
    #[must_use]
    pub(super) fn of_column(self, column: &str, line: u32) -> Self {
        Self { column: Some(column.to_owned()), line, ..self }
    }

    /// The fault of what is at this offset, as far as that is known.
    #[must_use]
    pub(super) fn at(self, at: Option<u64>) -> Self {
        Self { at, ..self }
    }
}

/// What a leaf is claimed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimAs {
    /// A column's value, or part of one.
    Column,
    /// Kept in a JSON column.
    Json,
    /// Sealed.
    Sealed,
    /// Dropped by the rule's entry of `drop` of this index, with its reason.
    Dropped(usize),
    /// A secret that is empty and makes no row.
    EmptySecret,
    /// `on_error` says what stands in its place, so that nothing keeps it.
    NotConvertible,
    /// It says that earlier rows of a key are to go.
    Removal,
    /// The key of a reference that leads nowhere.
    Dangling,
    /// Null or empty, for which a policy makes no row or item.
    Skipped,
}

/// Leaves that a row claims.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Which.
    pub touch: LeafSpan,
    /// As what.
    pub class: ClaimAs,
    /// The field it was claimed for; none for what is dropped.
    pub field: Option<usize>,
    /// Why it is enough that the value says less.
    pub lossy: Option<Arc<Lossy>>,
}

/// How a column came to its value, for the report's counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The source gave it, by the alternative of this number (0 where there is one).
    Found(u16),
    /// The mapping's default.
    Defaulted,
    /// NULL, because the source has no such value.
    Nulled,
    /// The mapping's own: a literal, NULL on purpose, a sealed value.
    Own,
}

/// A row as mapped: its fate is not decided yet.
#[derive(Debug)]
pub struct Draft {
    /// The index of the rule in its mapping.
    pub rule: usize,
    /// The node that made it: the record, or an element of it.
    pub node: Option<u32>,
    /// That node's offset in the file.
    pub at: u64,
    /// The position of that element in its selection, from 1.
    pub position: i64,
    /// Values in the order of the compiled rule's fields; NULL where `secrets` has one.
    pub values: Vec<Value>,
    /// What is to be sealed, by field.
    pub secrets: Vec<(usize, SecretString)>,
    /// Fields that hold the run's start time, left out of every comparison.
    pub clock: Vec<usize>,
    /// Fields made from a secret path: never allowed to reach the target.
    pub tainted: Vec<usize>,
    /// How each field came to its value.
    pub origins: Vec<Origin>,
    /// The rule's key; `None` when it has none.
    pub key: Option<KeyText>,
    /// The index, among the record's drafts, of the parent's.
    pub parent: Option<usize>,
    /// The index of the row of the element from which `recurse` led here.
    pub above: Option<usize>,
    /// What made it, where that is no node.
    pub part: Option<Arc<Part>>,
    /// The leaves it is made from.
    pub claims: Vec<Claim>,
    /// All its secrets are empty: it takes its key, and makes no row.
    pub empty: bool,
    /// It makes no row, and removes the earlier ones of its key; only the columns of the key have values.
    pub removes: bool,
    /// Fields that hold the id of a row above once the engine has given it, with the index of that row.
    pub ids_above: Vec<(usize, usize)>,
    /// Names that a `.*` matched; they count as leaves.
    pub names: Vec<NameLeaf>,
    /// The names that `key_as` gave, which the rules below it see as well.
    pub named: Arc<Vec<(String, String, NameLeaf)>>,
    /// What was found out about values that are written all the same.
    pub differing: Vec<(Severity, Fault)>,
    /// Columns that do not agree, where the mapping says what the application then needs.
    pub follow_up: Vec<String>,
    /// Fields whose values are those of rows that may be read later: NULL meanwhile, and nothing is written.
    pub later: Vec<usize>,
    /// The rows that its lookups asked for, by their numbers, where it is noted who needs which.
    pub needs: Vec<(usize, KeyText)>,
    /// What is still to be made of it, once other rows are known.
    pub(super) unmade: Option<Box<Unmade>>,
    /// The fields in which secrets are still to be looked for; none where that is all of them.
    pub unsearched: Option<Vec<usize>>,
}

impl Draft {
    /// How much was found out about it.
    pub(super) fn lengths(&self) -> Lengths {
        Lengths { claims: self.claims.len(), differing: self.differing.len() }
    }

    /// The fields whose values are made once other rows are known.
    pub fn unmade(&self) -> impl Iterator<Item = usize> {
        self.unmade.iter().flat_map(|unmade| &unmade.fields).map(|field| field.at)
    }
}
