//! Lists: what paths with stars select, and the elements of what any expression gives.

use super::draft::Fault;
use super::fit::to_datum;
use super::maker::{RowMaker, Trail};
use super::path::empty_ends;
use super::scope::{Current, Operand, Scope, Stop};
use super::span::LeafSpan;
use crate::document::name::NameLeaf;
use crate::document::tape::{Kind, NodeRef};
use crate::finding::VALUE_TYPE;
use crate::mapping::model::{Expr, From, Rooted};
use crate::step::Datum;

/// The elements of a list.
pub(super) enum Elements<'t> {
    /// There is no list.
    Missing,
    /// The list is null.
    Null,
    /// These.
    Of(Vec<Current<'t>>),
}

impl<'t> RowMaker<'_, 't> {
    /// The elements of the list that an expression gives: any other value is the only one. They claim nothing by
    /// themselves, but for the parts of a text.
    pub(super) fn elements(
        &mut self,
        list: &Expr,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Elements<'t>, Stop> {
        if let (From::Selected(rooted), true) = (&list.from, list.is_bare()) {
            return Ok(match self.selected_nodes(rooted, scope) {
                None => Elements::Missing,
                Some(nodes) => Elements::Of(nodes.into_iter().map(Current::Node).collect()),
            });
        }
        let before = trail.len();
        let read = self.read_so_far();
        Ok(match self.eval(list, scope, trail)? {
            Operand::Missing => Elements::Missing,
            Operand::Null => Elements::Null,
            Operand::Node(node, _) if node.kind() == Kind::Array && node.is_leaf() => Elements::Of(Vec::new()),
            Operand::Node(node, _) => {
                trail.truncate(before); // the elements claim what they take
                self.read_only(read, &[]);
                Elements::Of(match node.kind() {
                    Kind::Array => node.children().map(Current::Node).collect(),
                    _ => vec![Current::Node(node)],
                })
            }
            Operand::Datum(Datum::List(parts)) => Elements::Of(parts.into_iter().map(Current::Datum).collect()),
            Operand::Datum(Datum::Json(text)) if text.starts_with('[') => {
                let message = "the elements of a list are taken from the file, and this is JSON that was made from it";
                return Err(Fault::new(&VALUE_TYPE, message).into());
            }
            Operand::Datum(one) => Elements::Of(vec![Current::Datum(one)]),
        })
    }

    /// The values of a path with stars, as a list.
    pub(super) fn selected(
        &mut self,
        expr: &Expr,
        rooted: &Rooted,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        let Some(nodes) = self.selected_nodes(rooted, scope) else { return Ok(Operand::Missing) };
        let doc = scope.doc_of(&rooted.root);
        let mut list = Vec::with_capacity(nodes.len());
        for node in nodes {
            let got = self.node(node, doc, trail);
            // Steps work on scalars alone.
            list.push(if expr.steps.is_empty() { self.as_datum(got, trail)? } else { to_datum(node)? });
        }
        Ok(Operand::Datum(Datum::List(list)))
    }

    /// What a path with stars selects; none where there is no list that it could select from.
    fn selected_nodes(&mut self, rooted: &Rooted, scope: &Scope<'_, 't>) -> Option<Vec<NodeRef<'t>>> {
        let start = scope.start(&rooted.root)?;
        let ends = empty_ends(start, &rooted.selection.0);
        let doc = scope.doc_of(&rooted.root);
        ends.iter().for_each(|end| self.note_void(LeafSpan::Nodes(doc, end.node.span())));
        let selected = scope.select(rooted);
        if selected.is_empty() && !ends.iter().any(|end| end.is_list) {
            return None;
        }
        Some(
            selected
                .into_iter()
                .map(|one| {
                    self.draft.names.extend(one.matched.iter().map(|node| NameLeaf::OfNode(node.id())));
                    one.node
                })
                .collect(),
        )
    }
}
