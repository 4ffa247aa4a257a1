//! Secrets of a row: sealed or hashed, dropped, or empty.

use super::draft::{ClaimAs, Fault};
use super::fit::as_text;
use super::maker::{RowMaker, first_place};
use super::scope::{Operand, Stop};
use super::span::LeafSpan;
use super::trace::Made;
use crate::finding::{VALUE_EMPTY, VALUE_TYPE};
use crate::mapping::model::{ColumnRule, Literal, Policy};
use crate::step::Datum;
use secrecy::{ExposeSecret, SecretString};

/// What the source has for a secret.
enum Found {
    Missing,
    /// null, or an empty text, which is none either.
    Nothing,
    Text(SecretString),
}

impl RowMaker<'_, '_> {
    pub(super) fn secret(&mut self, field: usize) -> Result<(), Stop> {
        let column = &self.rule.columns[field];
        if let Some(trace) = self.scope.trace {
            trace.begin(&column.name, &self.draft);
        }
        let outer_asides = std::mem::take(&mut self.asides);
        let mut trail = Vec::new();
        let (made, voids) = self.noting_voids(|maker| maker.secret_text(column, &mut trail));
        self.put_aside(Some(field));
        self.asides = outer_asides;
        if let Some(trace) = self.scope.trace {
            trace.end(&Made { field, value: None, secret: true });
        }
        let policies = &column.policies;
        let dangling = self.dangling.take();
        let policy = match made {
            Ok(Found::Text(text)) => {
                self.claim(&mut trail, voids, ClaimAs::Sealed, Some(field));
                self.draft.secrets.push((field, text));
                return Ok(());
            }
            Ok(Found::Missing) if dangling.is_some() => {
                self.without_secret |= policies.dangling == Some(Policy::Null);
                policies.dangling
            }
            Ok(Found::Missing) => policies.missing.or(policies.absent),
            Ok(Found::Nothing) => policies.absent,
            Err(Stop::Reject(fault)) if fault.replaced_by(policies.error).is_some() => {
                self.not_convertible(Some(field), *fault, std::mem::take(&mut trail));
                self.without_secret |= policies.error == Some(Policy::Null);
                policies.error
            }
            Err(stop) => return Err(stop),
        };
        let not_null = self.compiled.fields[field].column.not_null;
        let otherwise = match (&policies.default, not_null) {
            (Some(_), _) => Policy::Default,
            (None, true) => Policy::Reject,
            (None, false) => Policy::Null,
        };
        let policy = policy.unwrap_or(otherwise);
        let class = if policy == Policy::Default { ClaimAs::Sealed } else { ClaimAs::EmptySecret };
        self.claim(&mut trail, voids, class, Some(field));
        match (policy, &policies.default) {
            (Policy::Default, Some(Literal::Text(text))) => {
                self.draft.secrets.push((field, SecretString::from(text.clone())));
            }
            (Policy::Skip, _) => self.draft.empty = true,
            (Policy::Null, _) if !not_null => {}
            _ => {
                let why = if not_null { "the column is NOT NULL" } else { "the mapping requires it" };
                let message = format!("the secret for `{}` is empty, and {why}", column.name);
                let help = Some("fix the source, or choose a policy with `on_absent`: `\"skip\"` makes no row");
                let fault = Fault { help, ..Fault::new(&VALUE_EMPTY, message).of_column(&column.name, column.line) };
                return Err(fault.at(Some(self.draft.at)).into());
            }
        }
        Ok(())
    }

    fn secret_text(&mut self, column: &ColumnRule, trail: &mut Vec<LeafSpan>) -> Result<Found, Stop> {
        let scope = self.scope;
        let (tainted, clock) = (self.tainted, self.clock);
        self.sealing = true;
        let mut got = self.eval(&column.expr, scope, trail);
        if let Ok(Operand::Node(node, doc)) = &got
            && node.is_container()
        {
            let mut json = String::new();
            self.container(*node, *doc, &[], trail, &mut json);
            got = Ok(Operand::Datum(Datum::Json(json)));
        }
        self.sealing = false;
        (self.tainted, self.clock) = (tainted, clock);
        let fault = |message: String, at| Fault::new(&VALUE_TYPE, message).of_column(&column.name, column.line).at(at);
        match got {
            Ok(Operand::Missing) => Ok(Found::Missing),
            Ok(Operand::Null) => Ok(Found::Nothing),
            Ok(got) => match as_text(&got) {
                Some(text) if text.is_empty() => Ok(Found::Nothing),
                Some(text) => Ok(Found::Text(SecretString::from(text.into_owned()))),
                None => {
                    let message = format!("the secret for `{}` is not a string", column.name);
                    Err(fault(message, first_place(trail, scope)).into())
                }
            },
            // A step's message may quote the value: say only that it failed.
            Err(Stop::Reject(bad)) => {
                let fault = fault(format!("a step cannot convert the secret for `{}`", column.name), bad.at);
                Err(Fault { is_final: bad.is_final, ..fault }.into())
            }
            Err(Stop::Asks) => Err(Stop::Asks),
            Err(Stop::Skip | Stop::SkipItem) => Err(Stop::Skip),
            Err(Stop::Later) => Err(Stop::Later),
        }
    }

    /// Claims what the rule drops with a reason, whatever it is.
    pub(super) fn dropped(&mut self) {
        let (rule, scope) = (self.rule, self.scope);
        for (at, drop) in rule.drops.iter().enumerate() {
            let doc = scope.doc_of(&drop.selection.root);
            let (ends, selected) = scope.ends_and_selected(&drop.selection);
            let spans = ends.iter().map(|end| end.node).chain(selected.iter().map(|one| one.node));
            let mut trail = spans.map(|node| LeafSpan::Nodes(doc, node.span())).collect();
            self.claim(&mut trail, Vec::new(), ClaimAs::Dropped(at), None);
        }
    }

    /// A row all of whose secrets are empty is no credential, unless the mapping says that it may be without one.
    /// Nothing is known of a secret that is left open.
    pub(super) fn without_secrets(&mut self) {
        if self.draft.later.iter().any(|field| self.compiled.fields[*field].protection.is_some()) {
            return;
        }
        let sealed = self.compiled.fields.iter().any(|field| field.protection.is_some());
        let all_empty = self.draft.secrets.iter().all(|(_, text)| text.expose_secret().is_empty());
        let may_be_without = self.without_secret || self.rule.protected().any(|(column, _)| may_be_without(column));
        if sealed && all_empty && !may_be_without {
            self.draft.empty = true;
        }
        if self.draft.empty {
            for claim in &mut self.draft.claims {
                claim.class = match claim.class {
                    ClaimAs::Sealed | ClaimAs::EmptySecret => ClaimAs::EmptySecret,
                    other => other,
                };
            }
        }
    }
}

/// Whether the mapping asks for a row without this secret where the source has none, by the word.
fn may_be_without(column: &ColumnRule) -> bool {
    [column.policies.absent, column.policies.missing].contains(&Some(Policy::Null))
}
