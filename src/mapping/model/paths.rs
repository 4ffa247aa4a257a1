//! Paths, what they start from, and what an entry covers.

use crate::document::tape::Selection;
use crate::step::Literal;

/// A path: at most one node.
#[derive(Debug, Clone, PartialEq)]
pub struct PathExpr {
    /// What it starts from.
    pub root: Root,
    /// Its steps.
    pub steps: Vec<PathStep>,
}

impl PathExpr {
    /// The element itself: `.`.
    pub fn element() -> Self {
        Self { root: Root::Element, steps: Vec::new() }
    }
}

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// No prefix, or `.`: the current element.
    Element,
    /// `@`: the record.
    Record,
    /// `$`: the frame.
    Frame,
    /// `^col`: a column of the parent row.
    Parent(String),
    /// `^RULE.col`: a column of the nearest row above that the rule made.
    Above {
        /// The rule.
        rule: String,
        /// Its column.
        column: String,
    },
    /// `=name`: another column, or a `let`.
    Column(String),
    /// `#name`, `#owner.id`: context.
    Context(String),
    /// In a rule's `each`: the element around those of the rule. It is not written.
    Outside,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum PathStep {
    /// A member.
    Name(String),
    /// `[0]`, `[-1]`: the element at this place, from the start or from the end.
    Index(i64),
    /// `[member = value]`: the first element whose member equals the value.
    Pick {
        /// The member that is compared.
        member: String,
        /// The value.
        equals: Picked,
    },
}

/// What a pick compares a member with.
#[derive(Debug, Clone, PartialEq)]
pub enum Picked {
    /// A literal.
    Literal(Literal),
    /// The value of a path.
    Path(Box<PathExpr>),
}

/// A selection with what it starts from: the record (also inside `each`: the element) or the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rooted {
    /// What it starts from; only `Element`, `Record` and `Frame`.
    pub root: Root,
    /// Its segments.
    pub selection: Selection,
}

impl std::fmt::Display for Rooted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let prefix = match self.root {
            Root::Record => "@",
            Root::Frame => "$",
            _ => return self.selection.fmt(f),
        };
        match self.selection.0.first() {
            None => f.write_str(prefix),
            // A bracket follows the prefix at once, a name after a dot.
            Some(_) => {
                let text = self.selection.to_string();
                write!(f, "{prefix}{}{text}", if text.starts_with('[') { "" } else { "." })
            }
        }
    }
}

/// Which values an entry of `expected` or `[ignore]` covers.
///
/// A selection alone is narrow: it covers a scalar, null or an empty container at its place. With `.**` behind it, it
/// covers that and everything below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covering {
    /// The place.
    pub rooted: Rooted,
    /// `.**`: with everything below.
    pub below: bool,
}

impl std::fmt::Display for Covering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.below, self.rooted.to_string().as_str()) {
            (false, text) => f.write_str(text),
            (true, ".") => f.write_str("**"),
            (true, text) => write!(f, "{text}.**"),
        }
    }
}
