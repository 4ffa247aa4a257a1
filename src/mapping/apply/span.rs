//! The leaves that a value was made from.

use crate::document::name::NameLeaf;
use crate::document::tape::NodeId;
use crate::finding::excerpt;
use crate::mapping::declared::Doc;
use crate::mapping::model::Lossy;
use crate::mapping::secret_values::may_be_secret;
use crate::step::Datum;
use std::ops::Range;
use std::sync::Arc;

/// A leaf, or a range of them, that a value was made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LeafSpan {
    /// Nodes of a document.
    Nodes(Doc, Range<NodeId>),
    /// The name of a member.
    Name(NameLeaf),
    /// Nodes of a text that an `each` took apart: theirs is the claim once every part has a row.
    Part(Doc, Range<NodeId>),
    /// What a value was made from that may not be got back from it, as `lossy` allows.
    Lossy(Box<LeafSpan>, Arc<Lossy>),
}

impl LeafSpan {
    /// The leaves, whatever is said of them.
    pub(super) fn plain(self) -> Self {
        match self {
            LeafSpan::Lossy(span, _) => span.plain(),
            span => span,
        }
    }

    /// The leaves of which `lossy` allows to keep less than all.
    pub(super) fn lossy(self, lossy: &Arc<Lossy>) -> Self {
        LeafSpan::Lossy(Box::new(self.plain()), Arc::clone(lossy))
    }
}

/// A value that the document does not have as an element: a part of a text that an `each` took apart.
#[derive(Clone)]
pub struct Part {
    /// The value.
    pub datum: Datum,
    /// The leaves that it was taken from.
    pub of: Vec<LeafSpan>,
    /// Whether those are secret, bound to the run's start, or shown in no message.
    pub(super) marks: Marks,
}

impl Part {
    /// The value for a message; none of what may be a secret, or was not taken from the source.
    pub fn shown(&self) -> Option<String> {
        let (Datum::Text(text) | Datum::Number(text)) = &self.datum else { return None };
        let is_hidden = self.marks.tainted || self.marks.clock || self.marks.hidden || may_be_secret([], text);
        (!is_hidden).then(|| excerpt(text))
    }
}

// It may be a secret.
impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part(of {} leaves)", self.of.len())
    }
}

/// What is known of where a value came from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    pub(super) tainted: bool,
    pub(super) clock: bool,
    pub(super) hidden: bool,
}
