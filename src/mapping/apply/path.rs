//! Where paths and selections lead in a record.

use super::scope::{Current, Operand, Scope};
use super::span::LeafSpan;
use crate::document::picks::Scalar;
use crate::document::tape::{Kind, NodeRef, Segment};
use crate::mapping::model::{Literal, PathExpr, PathStep, Picked, Root, Rooted};
use crate::step::Datum;

/// An element that a selection selected.
#[derive(Debug, Clone)]
pub struct Selected<'t> {
    /// The element.
    pub node: NodeRef<'t>,
    /// The members that a `.*` matched on the way, outermost first.
    pub matched: Vec<NodeRef<'t>>,
}

/// Every element that the selection selects, in the order of the file.
pub fn select<'t>(from: NodeRef<'t>, segments: &[Segment]) -> Vec<Selected<'t>> {
    let mut found = vec![Selected { node: from, matched: Vec::new() }];
    for segment in segments {
        let mut next = Vec::new();
        for selected in found {
            match (segment, selected.node.kind()) {
                (Segment::Name(name), _) => {
                    if let Some(node) = selected.node.member(name) {
                        next.push(Selected { node, ..selected });
                    }
                }
                (Segment::Members, Kind::Object) => {
                    for node in selected.node.children() {
                        let mut matched = selected.matched.clone();
                        matched.push(node);
                        next.push(Selected { node, matched });
                    }
                }
                (Segment::Names(names), Kind::Object) => {
                    let named =
                        |node: &NodeRef<'_>| node.name().is_some_and(|name| names.iter().any(|one| one == name));
                    let nodes = selected.node.children().filter(named);
                    next.extend(nodes.map(|node| Selected { node, matched: selected.matched.clone() }));
                }
                (Segment::Elements, Kind::Array) => {
                    next.extend(
                        selected.node.children().map(|node| Selected { node, matched: selected.matched.clone() }),
                    );
                }
                // `.*` on what is no object and `[*]` on what is no array select nothing.
                _ => {}
            }
        }
        found = next;
    }
    found
}

/// Where a selection ends early: at null or an empty container, which is all there is of what it would select.
pub fn empty_ends<'t>(from: NodeRef<'t>, segments: &[Segment]) -> Vec<EmptyEnd<'t>> {
    let is_list = |node: NodeRef, segment: &Segment| {
        matches!(
            (segment, node.kind()),
            (Segment::Elements, Kind::Array) | (Segment::Members | Segment::Names(_), Kind::Object)
        )
    };
    (0..segments.len())
        .flat_map(|at| select(from, &segments[..at]).into_iter().map(move |selected| (at, selected.node)))
        .filter(|(_, node)| is_void(*node))
        .map(|(at, node)| EmptyEnd { node, is_list: is_list(node, &segments[at]) })
        .collect()
}

/// Null or an empty container at which a selection ends early.
#[derive(Debug, Clone, Copy)]
pub struct EmptyEnd<'t> {
    /// The value.
    pub node: NodeRef<'t>,
    /// Whether it is of the kind that the selection expects there: a list without elements, an object without members.
    pub is_list: bool,
}

/// Null or an empty container: nothing lies below it.
fn is_void(node: NodeRef) -> bool {
    node.is_leaf() && matches!(node.kind(), Kind::Null | Kind::Array | Kind::Object)
}

/// Where a path leads.
pub(super) enum Reached<'t> {
    /// To this node.
    Node(NodeRef<'t>),
    /// Through null or an empty container, where it ends.
    Void(NodeRef<'t>),
    /// To a part of a string that was split.
    Part(Datum),
    /// Nowhere.
    Nothing,
}

impl<'t> Scope<'_, 't> {
    /// The node that a selection's root stands for; `None` where there is none (a list of texts).
    pub(super) fn start(&self, root: &Root) -> Option<NodeRef<'t>> {
        match root {
            Root::Element => match &self.element {
                Current::Node(node) => Some(*node),
                Current::Datum(_) => None,
            },
            Root::Record => Some(self.record),
            Root::Frame => Some(self.frame),
            _ => None,
        }
    }

    /// The elements that a rooted selection selects.
    pub(super) fn select(&self, rooted: &Rooted) -> Vec<Selected<'t>> {
        self.start(&rooted.root).map_or_else(Vec::new, |node| select(node, &rooted.selection.0))
    }

    /// What a rooted selection selects, and where it ends early.
    pub(super) fn ends_and_selected(&self, rooted: &Rooted) -> (Vec<EmptyEnd<'t>>, Vec<Selected<'t>>) {
        let Some(start) = self.start(&rooted.root) else { return Default::default() };
        (empty_ends(start, &rooted.selection.0), select(start, &rooted.selection.0))
    }

    /// Where a path in a document leads; `picked` are the values of the paths that its picks compare with, in order.
    pub(super) fn reach(&self, path: &PathExpr, picked: &[Operand<'t>]) -> Reached<'t> {
        match (self.start(&path.root), &self.element) {
            (Some(start), _) => match walk_from(start, path, picked) {
                Ok(node) => Reached::Node(node),
                Err(last) if is_void(last) => Reached::Void(last),
                Err(_) => Reached::Nothing,
            },
            (None, Current::Datum(part)) if path.steps.is_empty() => Reached::Part(part.clone()),
            (None, _) => Reached::Nothing,
        }
    }

    /// The value of a `#name`, claiming the name of a member where it is one.
    pub(super) fn context(&self, name: &str, trail: &mut Vec<LeafSpan>) -> Operand<'t> {
        if let Some((_, text, leaf)) = self.names.iter().rev().find(|(known, _, _)| known == name) {
            trail.push(LeafSpan::Name(*leaf));
            return Operand::Datum(Datum::Text(text.clone()));
        }
        match name {
            "position" => Operand::Datum(Datum::Integer(self.position)),
            "index" => Operand::Datum(Datum::Integer(self.position - 1)),
            "file" => Operand::Datum(Datum::Text(self.file.path.to_owned())),
            "stem" => Operand::Datum(Datum::Text(self.file.stem().to_owned())),
            "started" => Operand::Datum(Datum::Instant(self.file.started.into(), None)),
            "owner" => {
                let directory = self.file.directory.as_deref();
                directory.map_or(Operand::Missing, |name| Operand::Datum(Datum::Text(name.to_owned())))
            }
            _ => match name.strip_prefix("owner.") {
                Some(column) => self.file.owner.map_or(Operand::Missing, |owner| owner.column(column)),
                None => self
                    .file
                    .captures
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map_or(Operand::Missing, |(_, text)| Operand::Datum(Datum::Text((*text).to_owned()))),
            },
        }
    }
}

/// Follows a path's steps from a node; a pick by a path finds nothing here.
pub fn follow_from<'t>(node: NodeRef<'t>, path: &PathExpr) -> Option<NodeRef<'t>> {
    walk_from(node, path, &[]).ok()
}

/// The node that a path's steps lead to from a node, else the last one on the way.
fn walk_from<'t>(mut node: NodeRef<'t>, path: &PathExpr, picked: &[Operand<'t>]) -> Result<NodeRef<'t>, NodeRef<'t>> {
    let mut picked = picked.iter();
    for step in &path.steps {
        let next = match step {
            PathStep::Name(name) => node.member(name),
            PathStep::Index(place) => node.element(*place),
            PathStep::Pick { member, equals: Picked::Literal(literal) } => {
                scalar(literal).and_then(|equals| node.pick(member, equals))
            }
            PathStep::Pick { member, equals: Picked::Path(_) } => {
                picked.next().and_then(|value| node.pick(member, scalar_of(value)?))
            }
        };
        node = next.ok_or(node)?;
    }
    Ok(node)
}

/// A value that was found, to compare nodes with: numbers and texts differ.
fn scalar_of<'g>(value: &'g Operand<'_>) -> Option<Scalar<'g>> {
    let number = |text: &str| text.parse().map(Scalar::Integer).or_else(|_| text.parse().map(Scalar::Real)).ok();
    match value {
        Operand::Node(node, _) => match node.kind() {
            Kind::Bool(value) => Some(Scalar::Bool(value)),
            Kind::String => Some(Scalar::Text(node.text())),
            Kind::Number => number(node.text()),
            _ => None,
        },
        Operand::Datum(Datum::Bool(value)) => Some(Scalar::Bool(*value)),
        Operand::Datum(Datum::Text(text)) => Some(Scalar::Text(text)),
        Operand::Datum(Datum::Integer(value)) => Some(Scalar::Integer(*value)),
        Operand::Datum(Datum::Number(text)) => number(text),
        _ => None,
    }
}

/// The members that `key_as` names, outermost first: of fewer names than `.*`, the last ones.
pub(super) fn named<'s, 't>(
    key_as: &'s [String],
    selected: &Selected<'t>,
) -> impl Iterator<Item = (&'s String, NodeRef<'t>)> + use<'s, 't> {
    let skipped = selected.matched.len().saturating_sub(key_as.len());
    let matched = selected.matched[skipped..].to_vec();
    key_as.iter().skip(key_as.len().saturating_sub(matched.len())).zip(matched)
}

/// A literal, to compare nodes with; `None` for lists and tables, which no node equals.
pub(super) fn scalar(literal: &Literal) -> Option<Scalar<'_>> {
    Some(match literal {
        Literal::Bool(value) => Scalar::Bool(*value),
        Literal::Text(text) => Scalar::Text(text),
        Literal::Integer(number) => Scalar::Integer(*number),
        Literal::Real(number) => Scalar::Real(*number),
        Literal::List(_) | Literal::Table(_) => return None,
    })
}
