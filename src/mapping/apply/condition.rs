//! Conditions: whether a shape fits, whether a rule takes a record.

use super::path::{follow_from, scalar};
use super::scope::Stop;
use crate::document::tape::{Kind, NodeRef, Outer};
use crate::mapping::model::{Condition, Literal, PathExpr, Root, Sought, TypeName};

/// What a condition can look at.
pub(super) trait View<'t> {
    /// Follows a path that leads to a node.
    fn follow(&self, path: &PathExpr) -> Option<NodeRef<'t>>;
    /// The document, without its records.
    fn document(&self) -> NodeRef<'t>;
    /// Whether a column, `let` or context has a literal's value.
    fn equals(&mut self, path: &PathExpr, literal: &Literal) -> Result<bool, Stop>;
    /// Whether a row exists.
    fn exists(&mut self, row: &Sought) -> Result<bool, Stop>;
}

/// Whether a condition holds.
pub(super) fn holds<'t>(condition: &Condition, view: &mut impl View<'t>) -> Result<bool, Stop> {
    Ok(match condition {
        Condition::Members(paths) => paths.iter().all(|path| view.follow(path).is_some()),
        Condition::Equals(pairs) => {
            for (path, literal) in pairs {
                let equal = match path.root {
                    Root::Element | Root::Record | Root::Frame => view
                        .follow(path)
                        .is_some_and(|node| scalar(literal).is_some_and(|literal| node.equals(literal))),
                    Root::Parent(_) | Root::Column(_) | Root::Context(_) => view.equals(path, literal)?,
                };
                if !equal {
                    return Ok(false);
                }
            }
            true
        }
        Condition::Type(pairs) => {
            pairs.iter().all(|(path, wanted)| view.follow(path).is_some_and(|node| type_of(node) == Some(*wanted)))
        }
        Condition::Matches(pairs) => pairs.iter().all(|(path, regex)| {
            view.follow(path).is_some_and(|node| node.kind() == Kind::String && regex.is_match(node.text()))
        }),
        Condition::Root(wanted) => type_of(view.document()) == Some(*wanted),
        Condition::Exists { row, wanted } => view.exists(row)? == *wanted,
        Condition::Any(all) => {
            for one in all {
                if holds(one, view)? {
                    return Ok(true);
                }
            }
            false
        }
        Condition::All(all) => {
            for one in all {
                if !holds(one, view)? {
                    return Ok(false);
                }
            }
            true
        }
        Condition::Not(one) => !holds(one, view)?,
    })
}

/// The outline of a file, which a shape's condition looks at before there is any record.
struct Outline<'t>(NodeRef<'t>);

impl<'t> View<'t> for Outline<'t> {
    fn follow(&self, path: &PathExpr) -> Option<NodeRef<'t>> {
        follow_from(self.0, path)
    }
    fn document(&self) -> NodeRef<'t> {
        self.0
    }
    fn equals(&mut self, _: &PathExpr, _: &Literal) -> Result<bool, Stop> {
        Ok(false)
    }
    fn exists(&mut self, _: &Sought) -> Result<bool, Stop> {
        Ok(false)
    }
}

/// Whether a shape's condition holds for the outline of a file.
pub fn shape_fits(condition: &Condition, outline: NodeRef) -> bool {
    matches!(holds(condition, &mut Outline(outline)), Ok(true))
}

/// A node's JSON type; `None` for a scalar record of which only the place was kept.
fn type_of(node: NodeRef) -> Option<TypeName> {
    Some(match node.kind() {
        Kind::Null => TypeName::Null,
        Kind::Bool(_) => TypeName::Boolean,
        Kind::Number => TypeName::Number,
        Kind::String => TypeName::String,
        Kind::Array | Kind::Record(Outer::Array) => TypeName::Array,
        Kind::Object | Kind::Record(Outer::Object) => TypeName::Object,
        Kind::Record(Outer::Scalar) => return None,
    })
}
