//! JSON: containers of the source, objects of named members, and lists that are made from lists.

use super::draft::Fault;
use super::fit::{as_text, to_datum};
use super::inner::no_item;
use super::list::Elements;
use super::maker::{RowMaker, Trail, Wrote, not_text};
use super::scope::{Operand, Scope, Stop};
use super::span::LeafSpan;
use crate::document::json::write_json_string;
use crate::document::tape::{NodeId, NodeRef, Selection};
use crate::finding::{VALUE_MISSING, VALUE_STEP, VALUE_TYPE};
use crate::mapping::declared::Doc;
use crate::mapping::model::{Each, Expr, From, Policies};
use crate::step::Datum;
use std::borrow::Cow;
use std::collections::HashSet;

impl<'t> RowMaker<'_, 't> {
    /// Appends something found as compact JSON, without the secrets below it; claims nothing.
    pub(super) fn json_of(&mut self, got: &Operand<'t>, out: &mut String) {
        match got {
            Operand::Missing | Operand::Null => out.push_str("null"),
            Operand::Datum(datum) => datum.write_json(out),
            Operand::Node(node, doc) => node.write_json(out, &|below| self.hides(below, *doc)),
        }
    }

    /// Appends the value of an expression as compact JSON, and claims it.
    fn write(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
        out: &mut String,
    ) -> Result<Wrote, Stop> {
        match &expr.from {
            From::Object(members) if expr.is_bare() => self.object(members, scope, trail, out),
            From::Each(each) if expr.is_bare() => self.write_each(each, scope, trail, out),
            _ => {
                let got = self.eval(expr, scope, trail)?;
                Ok(self.write_operand(got, trail, out))
            }
        }
    }

    fn write_operand(&mut self, got: Operand<'t>, trail: &mut Trail, out: &mut String) -> Wrote {
        match got {
            Operand::Missing => return Wrote::Nothing,
            Operand::Null => {
                out.push_str("null");
                return Wrote::Null;
            }
            Operand::Node(node, doc) if node.is_container() => self.container(node, doc, &[], trail, out),
            got => self.json_of(&got, out),
        }
        Wrote::Value
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
        self.shown(node, node.next(), doc, &skip, trail);
    }

    /// A container without what `without` selects.
    pub(super) fn cut(
        &mut self,
        got: Operand<'t>,
        without: &[Selection],
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        match got {
            Operand::Node(node, doc) if node.is_container() => {
                let mut out = String::new();
                self.container(node, doc, without, trail, &mut out);
                Ok(Operand::Datum(Datum::Json(out)))
            }
            Operand::Datum(Datum::Json(_) | Datum::List(_)) => {
                let message = "`without` cuts from what is in the file, and this is made from it";
                Err(Fault::new(&VALUE_TYPE, message).into())
            }
            other => Ok(other),
        }
    }

    /// An object of named members; nothing where the source gives none of them.
    pub(super) fn object(
        &mut self,
        members: &[(String, Expr)],
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
        out: &mut String,
    ) -> Result<Wrote, Stop> {
        let (start, mut written, mut from_source) = (out.len(), 0, 0);
        out.push('{');
        for (name, value) in members {
            let (before, read) = (out.len(), self.read_so_far());
            if written > 0 {
                out.push(',');
            }
            write_json_string(out, name);
            out.push(':');
            if let Wrote::Nothing = self.write(value, scope, trail, out)? {
                out.truncate(before);
                self.read_only(read, &[]);
                continue; // a member that is missing is left out
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

    /// A list that is made from a list; with `member` an object, as JSON.
    pub(super) fn each_of(
        &mut self,
        each: &Each,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        if each.member.is_some() {
            let mut out = String::with_capacity(128);
            return Ok(match self.write_each(each, scope, trail, &mut out)? {
                Wrote::Nothing => Operand::Missing,
                Wrote::Null => Operand::Null,
                Wrote::Value => Operand::Datum(Datum::Json(out)),
            });
        }
        let elements = match self.elements(&each.each, scope, trail)? {
            Elements::Missing => return Ok(Operand::Missing),
            Elements::Null => return Ok(Operand::Null),
            Elements::Of(elements) => elements,
        };
        let mut list = Vec::with_capacity(elements.len());
        for (i, element) in elements.into_iter().enumerate() {
            let scope = scope.at(element, i + 1);
            let Some(got) = self.item(each, &scope, trail)? else { continue };
            list.push(self.as_datum(got, trail)?);
        }
        Ok(Operand::Datum(Datum::List(list)))
    }

    /// Something found as a part of a list; a container is claimed.
    pub(super) fn as_datum(&mut self, got: Operand<'t>, trail: &mut Trail) -> Result<Datum, Stop> {
        Ok(match got {
            Operand::Datum(datum) => datum,
            Operand::Node(node, _) if !node.is_container() => to_datum(node)?,
            got => {
                let mut out = String::new();
                if let Wrote::Nothing = self.write_operand(got, trail, &mut out) {
                    out.push_str("null");
                }
                Datum::Json(out)
            }
        })
    }

    fn write_each(
        &mut self,
        each: &Each,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
        out: &mut String,
    ) -> Result<Wrote, Stop> {
        let elements = match self.elements(&each.each, scope, trail)? {
            Elements::Missing => return Ok(Wrote::Nothing),
            Elements::Null => {
                out.push_str("null");
                return Ok(Wrote::Null);
            }
            Elements::Of(elements) => elements,
        };
        let (open, close) = if each.member.is_some() { ('{', '}') } else { ('[', ']') };
        out.push(open);
        let mut names = HashSet::new();
        let mut first = true;
        for (i, element) in elements.into_iter().enumerate() {
            let scope = scope.at(element, i + 1);
            let (before, claimed, read) = (out.len(), trail.len(), self.read_so_far());
            if !first {
                out.push(',');
            }
            let mut name = None;
            let wrote = match self.write_item(each, &scope, trail, out, &mut name) {
                Err(Stop::SkipItem) => Wrote::Nothing,
                wrote => wrote?,
            };
            if let Wrote::Nothing = wrote {
                out.truncate(before);
                trail.truncate(claimed);
                self.read_only(read, &[]);
                continue;
            }
            first = false;
            if let Some(name) = name
                && !names.insert(name)
            {
                let fault = Fault::new(&VALUE_STEP, "two elements of the list give the same member name");
                return Err(fault.into());
            }
        }
        out.push(close);
        Ok(Wrote::Value)
    }

    /// An item, with its name in an object; nothing where it is left out.
    fn write_item(
        &mut self,
        each: &Each,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
        out: &mut String,
        name: &mut Option<String>,
    ) -> Result<Wrote, Stop> {
        if let Some(member) = &each.member {
            let text = self.member_name(member, scope, trail)?;
            write_json_string(out, &text);
            out.push(':');
            *name = Some(text);
        }
        if each.policies == Policies::default() {
            return match self.write(&each.item, scope, trail, out)? {
                Wrote::Nothing => Err(no_item(&VALUE_MISSING, "is missing", scope).into()),
                wrote => Ok(wrote),
            };
        }
        Ok(match self.item(each, scope, trail)? {
            Some(got) => self.write_operand(got, trail, out),
            None => Wrote::Nothing,
        })
    }

    fn member_name(&mut self, member: &Expr, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<String, Stop> {
        let got = self.eval(member, scope, trail)?;
        as_text(&got).map(Cow::into_owned).ok_or_else(|| {
            let Stop::Reject(fault) = not_text(&got, "the name of a member must be a string") else {
                return Stop::Skip;
            };
            let at = fault.at.or(scope.element_at());
            fault.at(at).into()
        })
    }
}

fn is_constant(expr: &Expr) -> bool {
    match &expr.from {
        From::Literal(_) | From::Null => expr.when.is_none(),
        From::Object(members) => members.iter().all(|(_, member)| is_constant(member)),
        _ => false,
    }
}
