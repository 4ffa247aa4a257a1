//! Values that are made of several: templates, joined texts and digests.

use super::draft::LeafSpan;
use super::fit::as_text;
use super::maker::{RowMaker, Trail, not_text};
use super::path::empty_ends;
use super::scope::{Current, Operand, Scope, Stop};
use crate::document::name::NameLeaf;
use crate::hex;
use crate::mapping::model::{Digest, Expr, From, Rooted, TemplatePiece};
use crate::step::Datum;
use md5::Md5;
use sha2::{Digest as _, Sha256};

impl<'a, 't> RowMaker<'a, 't> {
    pub(super) fn template(
        &mut self,
        pieces: &[TemplatePiece],
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        let before = trail.len();
        let mut out = String::new();
        for piece in pieces {
            match piece {
                TemplatePiece::Text(text) => out.push_str(text),
                TemplatePiece::Path(path) => {
                    let got = self.path(path, scope, trail)?;
                    match (&got, as_text(&got)) {
                        (_, Some(text)) => out.push_str(&text),
                        (Operand::Missing | Operand::Null, None) => {
                            trail.truncate(before);
                            return Ok(Operand::Missing);
                        }
                        (_, None) => return Err(not_text(&got, "a template takes strings and numbers")),
                    }
                }
            }
        }
        Ok(Operand::Datum(Datum::Text(out)))
    }

    pub(super) fn join(
        &mut self,
        parts: &[Expr],
        with: &str,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        let mut found: Vec<String> = Vec::new();
        for part in parts {
            let got = self.eval(part, scope, trail)?;
            match (&got, as_text(&got)) {
                (_, Some(text)) if !text.is_empty() => found.push(text.into_owned()),
                (_, Some(_)) | (Operand::Missing | Operand::Null, None) => {}
                (_, None) => return Err(not_text(&got, "`join` takes strings and numbers")),
            }
        }
        Ok(if found.is_empty() { Operand::Missing } else { Operand::Datum(Datum::Text(found.join(with))) })
    }

    pub(super) fn each_text(
        &mut self,
        each: &Rooted,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
        make: &mut MakeText<'_, 'a, 't>,
    ) -> Result<Operand<'t>, Stop> {
        let selected = scope.select(each);
        let Some(start) = scope.start(&each.root) else { return Ok(Operand::Missing) };
        let ends = empty_ends(start, &each.selection.0);
        let doc = scope.doc_of(&each.root);
        ends.iter().for_each(|end| self.note_void(LeafSpan::Nodes(doc, end.node.span())));
        if selected.is_empty() && !ends.iter().any(|end| end.is_list) {
            return Ok(Operand::Missing);
        }
        let mut list = Vec::new();
        for (i, one) in selected.into_iter().enumerate() {
            self.draft.names.extend(one.matched.iter().map(|node| NameLeaf::OfNode(node.id())));
            // An element that gives no text is left out of the list; its leaves need another home.
            if let Operand::Datum(datum) = make(self, &scope.at(Current::Node(one.node), i + 1), trail)? {
                list.push(datum);
            }
        }
        Ok(Operand::Datum(Datum::List(list)))
    }

    pub(super) fn digest(
        &mut self,
        how: Digest,
        of: &[Expr],
        list: bool,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        let mut text = String::new();
        if list {
            text.push('[');
            for (i, one) in of.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                match self.eval(one, scope, trail)? {
                    // An id without one of its parts would be the same for different rows.
                    Operand::Missing => return Ok(Operand::Missing),
                    Operand::Null if !ends_in_null(one) => return Ok(Operand::Missing),
                    got => self.json_of(&got, &mut text),
                }
            }
            text.push(']');
        } else {
            let Some(one) = of.first() else { return Ok(Operand::Missing) };
            match self.eval(one, scope, trail)? {
                Operand::Missing => return Ok(Operand::Missing),
                Operand::Null => return Ok(Operand::Null),
                got => match as_text(&got) {
                    Some(scalar) => text = scalar.into_owned(),
                    None => self.json_of(&got, &mut text),
                },
            }
        }
        Ok(Operand::Datum(Datum::Text(match how {
            Digest::Md5 => hex::encode(Md5::digest(text.as_bytes())),
            Digest::Sha256 => hex::encode(Sha256::digest(text.as_bytes())),
            Digest::Uuid5 => {
                let namespace = scope.file.namespace.unwrap_or_default();
                uuid::Uuid::new_v5(&namespace, text.as_bytes()).to_string()
            }
        })))
    }
}

pub(super) type MakeText<'f, 'a, 't> =
    dyn FnMut(&mut RowMaker<'a, 't>, &Scope<'_, 't>, &mut Trail) -> Result<Operand<'t>, Stop> + 'f;

/// Whether an expression gives null on purpose where it finds nothing else.
fn ends_in_null(expr: &Expr) -> bool {
    match &expr.from {
        From::Null => true,
        From::First(all) => all.last().is_some_and(ends_in_null),
        _ => false,
    }
}
