//! What an expression can see, and what it finds.

use super::draft::Fault;
use super::span::Part;
use super::trace::Trace;
use crate::document::name::NameLeaf;
use crate::document::tape::{Kind, NodeRef};
use crate::finding::FileId;
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::keyindex::KeyIndex;
use crate::row::Value;
use crate::step::Datum;
use jiff::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;

/// The owner of a directory: columns of the owner table's row.
#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    /// The row's primary key, as text.
    pub id: String,
    /// Columns that mappings refer to, by name.
    pub columns: Vec<(String, Value)>,
}

impl Owner {
    pub(super) fn column<'t>(&self, name: &str) -> Operand<'t> {
        match self.columns.iter().find(|(known, _)| known == name) {
            Some((_, value)) => Operand::of_value(value),
            None => Operand::Missing,
        }
    }
}

/// What is the same for all records of a file.
#[derive(Debug)]
pub struct FileContext<'f> {
    /// Its number.
    pub id: FileId,
    /// Its path below the root.
    pub path: &'f str,
    /// What the pattern captured.
    pub captures: Vec<(&'f str, &'f str)>,
    /// The owner's directory.
    pub directory: Option<Cow<'f, str>>,
    /// The owner.
    pub owner: Option<&'f Owner>,
    /// The run's one start time.
    pub started: Timestamp,
    /// `namespace` of the set.
    pub namespace: Option<uuid::Uuid>,
    /// `nul = "keep"`: columns of text take U+0000.
    pub keeps_nul: bool,
}

impl FileContext<'_> {
    /// The file's name without its last ending.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// What an expression found.
#[derive(Clone)]
pub enum Operand<'t> {
    /// No such value.
    Missing,
    /// null.
    Null,
    /// A node that is not null.
    Node(NodeRef<'t>, Doc),
    /// A value that steps or context made.
    Datum(Datum),
}

impl<'t> Operand<'t> {
    /// A node of a document.
    pub(super) fn of_node(node: NodeRef<'t>, doc: Doc) -> Self {
        if node.kind() == Kind::Null { Operand::Null } else { Operand::Node(node, doc) }
    }

    /// What a value of another row is, as something found.
    pub fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Operand::Null,
            Value::Bool(value) => Operand::Datum(Datum::Bool(*value)),
            Value::Integer(value) => Operand::Datum(Datum::Integer(*value)),
            Value::Real(value) => Operand::Datum(Datum::Number(value.to_string())),
            Value::Text(text) | Value::Sealed(text) => Operand::Datum(Datum::Text(text.to_string())),
            Value::Json(text) => Operand::Datum(Datum::Json(text.to_string())),
            Value::Civil(time) => Operand::Datum(Datum::Civil(*time)),
            Value::Day(day) => Operand::Datum(Datum::Day(*day)),
            Value::Bytes(bytes) => Operand::Datum(Datum::Bytes(bytes.to_vec())),
            Value::Instant(time) => Operand::Datum(Datum::Instant(*time, None)),
        }
    }
}

/// Why a record gave no row.
#[derive(Debug)]
pub enum Stop {
    /// The rule did not take the record.
    Skip,
    /// The item of a list is left out; outside of one, as `Skip`.
    SkipItem,
    /// The record is bad.
    Reject(Box<Fault>),
    /// The value is that of a row which may be read later.
    Later,
    /// It asks for other rows, and they are not known yet.
    Asks,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Reject(Box::new(fault))
    }
}

/// The current element: a node, or a part of a text that was split.
#[derive(Clone)]
pub enum Current<'t> {
    /// A node.
    Node(NodeRef<'t>),
    /// A part.
    Datum(Datum),
}

/// Everything an expression can see.
#[derive(Clone)]
pub struct Scope<'a, 't> {
    /// The file.
    pub file: &'a FileContext<'a>,
    /// What the mapping says about paths.
    pub declared: &'a Declared,
    /// Keys of finished levels; none where rows are made before these are known.
    pub index: Option<&'a KeyIndex>,
    /// The record.
    pub record: NodeRef<'t>,
    /// The frame; the record itself where the document is the record.
    pub frame: NodeRef<'t>,
    /// Whether the document is the record.
    pub whole: bool,
    /// The current element.
    pub element: Current<'t>,
    /// The part that the element is, where an `each` took it from a text.
    pub part: Option<Arc<Part>>,
    /// Its position in the innermost selection, from 1.
    pub position: i64,
    /// Observes how values are made, if requested.
    pub trace: Option<&'a dyn Trace>,
    /// Names given by `key_as`: context name, member name, and its leaf.
    pub names: Arc<Vec<(String, String, NameLeaf)>>,
}

impl<'t> Scope<'_, 't> {
    /// Which document a path of this root leads into.
    pub(super) fn doc_of(&self, root: &crate::mapping::model::Root) -> Doc {
        use crate::mapping::model::Root;
        match (root, &self.element) {
            (Root::Frame, _) if !self.whole => Doc::Frame,
            (Root::Element, Current::Node(node)) => self.doc_of_node(*node),
            _ => Doc::Record,
        }
    }

    /// The document that a node lies in.
    pub(super) fn doc_of_node(&self, node: NodeRef<'_>) -> Doc {
        if !self.whole && node.is_beside(self.frame) { Doc::Frame } else { Doc::Record }
    }

    /// The place of the current element, where it is a node.
    pub(super) fn element_at(&self) -> Option<u64> {
        match &self.element {
            Current::Node(node) => Some(node.at()),
            Current::Datum(_) => None,
        }
    }

    /// The same with another current element.
    pub(super) fn at(&self, element: Current<'t>, position: usize) -> Self {
        Self { element, part: None, position: i64::try_from(position).unwrap_or(i64::MAX), ..self.clone() }
    }
}
