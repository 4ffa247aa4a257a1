//! Values that are made of several: templates, joined texts and digests.

use super::fit::as_text;
use super::list::Elements;
use super::maker::{RowMaker, Trail, not_text};
use super::scope::{Current, Operand, Scope, Stop};
use crate::hex;
use crate::mapping::model::{Digest, Expr, From, Parts, TemplatePiece};
use crate::step::Datum;
use md5::Md5;
use sha2::{Digest as _, Sha256};

impl<'t> RowMaker<'_, 't> {
    pub(super) fn template(
        &mut self,
        pieces: &[TemplatePiece],
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        let before = trail.len();
        let mut out = String::new();
        let mut null = false; // null, unless another part is missing
        for piece in pieces {
            match piece {
                TemplatePiece::Text(text) => out.push_str(text),
                TemplatePiece::Path(path) => {
                    let got = self.path(path, scope, trail)?;
                    match (&got, as_text(&got)) {
                        (_, Some(text)) => out.push_str(&text),
                        (Operand::Missing, None) => {
                            trail.truncate(before);
                            return Ok(Operand::Missing);
                        }
                        (Operand::Null, None) => null = true,
                        (_, None) => return Err(not_text(&got, "a template takes strings and numbers")),
                    }
                }
            }
        }
        if null {
            trail.truncate(before);
            return Ok(Operand::Null);
        }
        Ok(Operand::Datum(Datum::Text(out)))
    }

    pub(super) fn join(
        &mut self,
        parts: &Parts,
        with: &str,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        let mut out: Option<String> = None;
        let mut add = |got: &Operand<'t>| {
            match (got, as_text(got)) {
                (_, Some(text)) if !text.is_empty() => match &mut out {
                    Some(out) => {
                        out.push_str(with);
                        out.push_str(&text);
                    }
                    None => out = Some(text.into_owned()),
                },
                (_, Some(_)) | (Operand::Missing | Operand::Null, None) => {}
                (_, None) => return Err(not_text(got, "`join` takes strings and numbers")),
            }
            Ok(())
        };
        match parts {
            Parts::Of(parts) => {
                for part in parts {
                    let read = self.read_so_far();
                    let got = self.eval(part, scope, trail)?;
                    if matches!(got, Operand::Missing) {
                        self.read_only(read, &[]); // no value came of it
                    }
                    add(&got)?;
                }
            }
            Parts::In(list) => {
                let (before, outer) = (trail.len(), std::mem::take(&mut self.splits));
                let elements = self.elements(list, scope, trail)?;
                let is_split = std::mem::replace(&mut self.splits, outer);
                let mut is_whole = true;
                if let Elements::Of(elements) = elements {
                    for element in elements {
                        add(&match element {
                            Current::Node(node) => self.node(node, scope.doc_of_node(node), trail),
                            Current::Datum(Datum::Json(text)) if text == "null" => Operand::Null,
                            Current::Datum(datum) => {
                                is_whole &= !matches!(&datum, Datum::Text(text) if text.is_empty());
                                Operand::Datum(datum)
                            }
                        })?;
                    }
                }
                if is_split && !is_whole {
                    trail.truncate(before); // without its empty parts the text cannot be got back
                }
            }
        }
        Ok(out.map_or(Operand::Missing, |out| Operand::Datum(Datum::Text(out))))
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
        let mut null = false;
        if list {
            text.push('[');
            for (i, one) in of.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                match self.eval(one, scope, trail)? {
                    // An id without one of its parts would be the same for different rows.
                    Operand::Missing => return Ok(Operand::Missing),
                    Operand::Null if !ends_in_null(one) => null = true,
                    got => self.json_of(&got, &mut text),
                }
            }
            text.push(']');
            if null {
                return Ok(Operand::Null);
            }
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

/// Whether an expression gives null on purpose where it finds nothing else.
fn ends_in_null(expr: &Expr) -> bool {
    match &expr.from {
        From::Null => true,
        From::First(all) => all.last().is_some_and(ends_in_null),
        _ => false,
    }
}
