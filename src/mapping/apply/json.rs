//! JSON columns: values, tables of members, and objects that are built from lists.

use super::draft::{Fault, LeafSpan};
use super::fit::{as_text, datum_json};
use super::maker::{RowMaker, Trail, Wrote, not_text};
use super::scope::{Current, Operand, Scope, Stop};
use crate::document::json::write_json_string;
use crate::document::tape::{Kind, NodeId, NodeRef, Selection};
use crate::finding::VALUE_STEP;
use crate::mapping::declared::Doc;
use crate::mapping::model::{Expr, From, JsonExpr};
use crate::step::Datum;
use std::borrow::Cow;
use std::collections::HashSet;

impl<'t> RowMaker<'_, 't> {
    /// Appends something found as compact JSON, without the secrets below it; claims nothing.
    pub(super) fn json_of(&mut self, got: &Operand<'t>, out: &mut String) {
        match got {
            Operand::Missing | Operand::Null => out.push_str("null"),
            Operand::Datum(datum) => datum_json(datum, out),
            Operand::Node(node, doc) => node.write_json(out, &|below| self.hides(below, *doc)),
        }
    }

    pub(super) fn json(
        &mut self,
        json: &JsonExpr,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
        out: &mut String,
    ) -> Result<Wrote, Stop> {
        match json {
            JsonExpr::Value { of, without } => match self.eval(of, scope, trail)? {
                Operand::Missing => Ok(Wrote::Nothing),
                Operand::Null => {
                    out.push_str("null");
                    Ok(Wrote::Null)
                }
                Operand::Node(node, doc) if node.is_container() => {
                    self.container(node, doc, without, trail, out);
                    Ok(Wrote::Value)
                }
                got => {
                    self.json_of(&got, out);
                    Ok(Wrote::Value)
                }
            },
            JsonExpr::Table(members) => self.json_table(members, scope, trail, out),
            JsonExpr::Each { each, key, value } => self.json_each(each, key, value, scope, trail, out),
        }
    }

    /// A container, without secrets and what `without` selects: all that is written is claimed.
    pub(super) fn container(
        &mut self,
        node: NodeRef<'t>,
        doc: Doc,
        without: &[Selection],
        trail: &mut Trail,
        out: &mut String,
    ) {
        let left_out = without.iter().flat_map(|selection| super::path::select(node, &selection.0));
        let mut left_out: Vec<NodeId> = left_out.map(|selected| selected.node.id()).collect();
        left_out.sort_unstable();
        let punctuation = 4 * node.span().len();
        out.reserve(node.text_len() + punctuation);
        if left_out.is_empty() && (self.sealing || !self.scope.declared.has_secrets()) {
            trail.push(LeafSpan::Nodes(doc, node.span()));
            node.write_json(out, &|_| false);
            return;
        }
        let skip = |below: NodeRef<'t>| left_out.binary_search(&below.id()).is_ok() || self.hides(below, doc);
        node.write_json(out, &skip);
        let mut start = node.id();
        let mut at = start;
        while at < node.next() {
            let below = node.sibling(at);
            if at != node.id() && skip(below) {
                trail.push(LeafSpan::Nodes(doc, start..at));
                start = below.next();
                at = start;
            } else {
                at += 1;
            }
        }
        trail.push(LeafSpan::Nodes(doc, start..at));
    }

    fn json_table(
        &mut self,
        members: &[(String, JsonExpr)],
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
        out: &mut String,
    ) -> Result<Wrote, Stop> {
        let (start, mut written, mut from_source) = (out.len(), 0, 0);
        out.push('{');
        for (name, value) in members {
            let before = out.len();
            if written > 0 {
                out.push(',');
            }
            write_json_string(out, name);
            out.push(':');
            if let Wrote::Nothing = self.json(value, scope, trail, out)? {
                out.truncate(before);
                continue; // an absent member is left out
            }
            written += 1;
            from_source += usize::from(!is_constant(value));
        }
        if from_source == 0 && members.iter().any(|(_, value)| !is_constant(value)) {
            out.truncate(start);
            return Ok(Wrote::Nothing);
        }
        out.push('}');
        Ok(Wrote::Value)
    }

    fn json_each(
        &mut self,
        each: &Expr,
        key: &Expr,
        value: &JsonExpr,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
        out: &mut String,
    ) -> Result<Wrote, Stop> {
        let before = trail.len();
        let got = self.eval(each, scope, trail)?;
        let elements: Vec<Current<'t>> = match got {
            Operand::Missing => return Ok(Wrote::Nothing),
            Operand::Null => return Ok(Wrote::Nothing),
            Operand::Node(node, _) if node.kind() != Kind::Array => {
                return Err(not_text(&got, "an object is built from a list, and this is not one"));
            }
            Operand::Node(node, doc) if node.is_leaf() => {
                trail.push(LeafSpan::Nodes(doc, node.span())); // no members, as the list has no elements
                Vec::new()
            }
            Operand::Node(node, _) => {
                trail.truncate(before); // the members claim what they take
                node.children().map(Current::Node).collect()
            }
            Operand::Datum(Datum::List(parts)) => parts.into_iter().map(Current::Datum).collect(),
            Operand::Datum(one) => vec![Current::Datum(one)],
        };
        out.push('{');
        let mut seen = HashSet::new();
        for (i, element) in elements.into_iter().enumerate() {
            let scope = scope.at(element, i + 1);
            let got = self.eval(key, &scope, trail)?;
            let Some(name) = as_text(&got).map(Cow::into_owned) else {
                return Err(not_text(&got, "the name of a member must be a string"));
            };
            if seen.contains(&name) {
                let fault = Fault::new(&VALUE_STEP, "two elements of the list give the same member name");
                return Err(fault.into());
            }
            if !seen.is_empty() {
                out.push(',');
            }
            write_json_string(out, &name);
            seen.insert(name);
            out.push(':');
            if let Wrote::Nothing = self.json(value, &scope, trail, out)? {
                out.push_str("null");
            }
        }
        out.push('}');
        Ok(Wrote::Value)
    }
}

fn is_constant(json: &JsonExpr) -> bool {
    match json {
        JsonExpr::Value { of, .. } => matches!(of.from, From::Literal(_) | From::Null),
        JsonExpr::Table(members) => members.iter().all(|(_, one)| is_constant(one)),
        JsonExpr::Each { .. } => false,
    }
}
