//! Conditions: whether a shape fits, whether a rule takes a record.

use super::fit::{as_text, literal_datum};
use super::path::{follow_from, scalar};
use super::scope::{Operand, Stop};
use crate::document::tape::{Kind, NodeRef, Outer, Segment, Selection};
use crate::mapping::declared::Doc;
use crate::mapping::model::{Condition, Literal, PathExpr, Shape, Sought, TypeName};
use crate::step::Datum;
use regex::Regex;

/// What a condition can look at.
pub(super) trait View<'t> {
    /// What a path leads to.
    fn look(&mut self, path: &PathExpr) -> Result<Operand<'t>, Stop>;
    /// Whether a row exists.
    fn exists(&mut self, row: &Sought) -> Result<bool, Stop>;
}

/// Whether a condition holds.
pub(super) fn holds<'t>(condition: &Condition, view: &mut impl View<'t>) -> Result<bool, Stop> {
    Ok(match condition {
        Condition::Members(paths) => all(paths, |path| Ok(!matches!(view.look(path)?, Operand::Missing)))?,
        Condition::Equals(pairs) => all(pairs, |(path, literal)| Ok(equals(&view.look(path)?, literal)))?,
        Condition::Type(pairs) => all(pairs, |(path, wanted)| Ok(type_of(&view.look(path)?) == Some(*wanted)))?,
        Condition::Matches(pairs) => all(pairs, |(path, regex)| Ok(matches(&view.look(path)?, regex)))?,
        Condition::Exists(ways) => {
            for row in ways {
                if view.exists(row)? {
                    return Ok(true);
                }
            }
            false
        }
        Condition::Any(parts) => {
            for one in parts {
                if holds(one, view)? {
                    return Ok(true);
                }
            }
            false
        }
        Condition::All(parts) => all(parts, |one| holds(one, view))?,
        Condition::Not(one) => !holds(one, view)?,
    })
}

/// Whether it holds of every one.
fn all<T>(of: &[T], mut holds: impl FnMut(&T) -> Result<bool, Stop>) -> Result<bool, Stop> {
    for one in of {
        if !holds(one)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equals(got: &Operand<'_>, literal: &Literal) -> bool {
    match got {
        Operand::Missing | Operand::Null => false,
        Operand::Node(node, _) => scalar(literal).is_some_and(|literal| node.equals(literal)),
        Operand::Datum(found) => {
            let wanted = literal_datum(literal);
            *found == wanted || as_text(got).is_some_and(|text| Some(text) == as_text(&Operand::Datum(wanted)))
        }
    }
}

fn matches(got: &Operand<'_>, regex: &Regex) -> bool {
    match got {
        Operand::Node(node, _) => node.kind() == Kind::String && regex.is_match(node.text()),
        Operand::Datum(Datum::Text(text)) => regex.is_match(text),
        Operand::Missing | Operand::Null | Operand::Datum(_) => false,
    }
}

/// A value's JSON type; `None` for what is missing, and for a scalar record of which only the place was kept.
fn type_of(got: &Operand<'_>) -> Option<TypeName> {
    Some(match got {
        Operand::Missing => return None,
        Operand::Null => TypeName::Null,
        Operand::Node(node, _) => return type_of_node(*node),
        Operand::Datum(Datum::Bool(_)) => TypeName::Boolean,
        Operand::Datum(Datum::Integer(_) | Datum::Number(_)) => TypeName::Number,
        Operand::Datum(Datum::List(_)) => TypeName::Array,
        Operand::Datum(Datum::Json(text)) => match text.as_bytes().first() {
            Some(b'{') => TypeName::Object,
            Some(b'[') => TypeName::Array,
            Some(b'"') => TypeName::String,
            Some(b't' | b'f') => TypeName::Boolean,
            Some(b'n') => TypeName::Null,
            _ => TypeName::Number,
        },
        Operand::Datum(_) => TypeName::String,
    })
}

fn type_of_node(node: NodeRef) -> Option<TypeName> {
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

/// The outline of a file, which a shape's condition looks at before there is any record.
struct Outline<'t>(NodeRef<'t>);

impl<'t> View<'t> for Outline<'t> {
    fn look(&mut self, path: &PathExpr) -> Result<Operand<'t>, Stop> {
        Ok(follow_from(self.0, path).map_or(Operand::Missing, |node| Operand::of_node(node, Doc::Frame)))
    }
    fn exists(&mut self, _: &Sought) -> Result<bool, Stop> {
        Ok(false)
    }
}

/// Whether the outline of a file is of a shape: its condition holds, and the part of its `records` before the first
/// star leads to what the star takes.
pub fn shape_fits(shape: &Shape, outline: NodeRef) -> bool {
    let holds = |condition| matches!(holds(condition, &mut Outline(outline)), Ok(true));
    shape.when.as_ref().is_none_or(holds) && records_lead(shape, outline)
}

/// Of a union one of the names must lead there.
fn records_lead(shape: &Shape, outline: NodeRef) -> bool {
    let Some(records) = &shape.records else { return true };
    if records.0.iter().any(|segment| matches!(segment, Segment::Names(_))) {
        return records.choices().iter().any(|choice| leads(choice, outline));
    }
    leads(records, outline)
}

fn leads(records: &Selection, outline: NodeRef) -> bool {
    let (names, star) = records.before_star();
    let leads_to = names.iter().try_fold(outline, |node, segment| match segment {
        Segment::Name(name) => node.member(name),
        _ => None,
    });
    let wanted = star.map(|star| if *star == Segment::Elements { TypeName::Array } else { TypeName::Object });
    leads_to.is_some_and(|node| wanted.is_none_or(|wanted| type_of_node(node) == Some(wanted)))
}
