//! Secrets of a row: sealed, dropped, or empty.

use super::draft::ClaimAs;
use super::draft::{Fault, LeafSpan};
use super::fit::as_text;
use super::maker::{RowMaker, first_place};
use super::scope::{Operand, Stop};
use super::trace::Made;
use crate::finding::{VALUE_EMPTY, VALUE_TYPE};
use crate::mapping::compile::FieldSource;
use crate::mapping::model::{SecretKind, SecretRule};
use crate::step::Datum;
use secrecy::{ExposeSecret, SecretString};

impl RowMaker<'_, '_> {
    pub(super) fn secret(&mut self, field: usize, at: usize) -> Result<(), Stop> {
        let rule = self.rule;
        let secret = &rule.secrets[at];
        if let Some(trace) = self.scope.trace {
            trace.begin(self.compiled, &secret.name, self.draft.at);
        }
        let (made, voids) = self.noting_voids(|maker| maker.secret_text(secret));
        if let Some(trace) = self.scope.trace {
            trace.end(&Made { field, value: None, secret: true });
        }
        let (text, mut trail) = made?;
        let empty = text.as_ref().is_none_or(|text| text.expose_secret().is_empty());
        let class = if empty && secret.default.is_none() { ClaimAs::EmptySecret } else { ClaimAs::Sealed };
        self.claim(&mut trail, voids, class, Some(field));
        match (text, &secret.default) {
            (Some(text), _) if !empty => self.draft.secrets.push((field, text)),
            (_, Some(default)) => self.draft.secrets.push((field, SecretString::from(default.clone()))),
            _ if secret.need => self.draft.empty = true,
            _ if self.compiled.fields[field].column.not_null => {
                let message = format!("the secret for `{}` is empty, and the column is NOT NULL", secret.name);
                let fault = Fault::new(&VALUE_EMPTY, message).of_column(&secret.name, secret.line);
                return Err(fault.at(Some(self.draft.at)).into());
            }
            _ => {}
        }
        Ok(())
    }

    fn secret_text(&mut self, secret: &SecretRule) -> Result<(Option<SecretString>, Vec<LeafSpan>), Stop> {
        let scope = self.scope;
        let mut trail = Vec::new();
        let (tainted, clock) = (self.tainted, self.clock);
        self.sealing = true;
        let mut got = self.eval(&secret.expr, scope, &mut trail);
        if let Ok(Operand::Node(node, doc)) = &got
            && node.is_container()
        {
            let mut json = String::new();
            self.container(*node, *doc, &[], &mut trail, &mut json);
            got = Ok(Operand::Datum(Datum::Json(json)));
        }
        self.sealing = false;
        (self.tainted, self.clock) = (tainted, clock);
        let fault = |message: String, at| {
            Stop::from(Fault::new(&VALUE_TYPE, message).of_column(&secret.name, secret.line).at(at))
        };
        match got {
            Ok(Operand::Missing | Operand::Null) => Ok((None, trail)),
            Ok(got) => match as_text(&got) {
                Some(text) => Ok((Some(SecretString::from(text.into_owned())), trail)),
                None => {
                    Err(fault(format!("the secret for `{}` is not a string", secret.name), first_place(&trail, scope)))
                }
            },
            // A step's message may quote the value: say only that it failed.
            Err(Stop::Reject(bad)) => {
                Err(fault(format!("a step cannot convert the secret for `{}`", secret.name), bad.at))
            }
            Err(Stop::Skip) => Err(Stop::Skip),
        }
    }

    /// Claims what the rule drops with a reason.
    pub(super) fn dropped(&mut self) {
        let rule = self.rule;
        for (at, secret) in rule.secrets.iter().enumerate() {
            if matches!(secret.kind, SecretKind::Drop(_)) {
                let scope = self.scope;
                let mut trail = Vec::new();
                // Dropped whatever it is: its steps have nothing to say here.
                let (made, voids) = self.noting_voids(|maker| maker.eval(&secret.expr, scope, &mut trail));
                if let Ok(Operand::Node(node, doc)) = made
                    && node.is_container()
                {
                    trail.push(LeafSpan::Nodes(doc, node.span()));
                }
                self.claim(&mut trail, voids, ClaimAs::Dropped(at), None);
            }
        }
    }

    /// A row all of whose secrets are empty is no credential.
    pub(super) fn without_secrets(&mut self) {
        let sealed = self.compiled.fields.iter().any(|field| matches!(field.source, FieldSource::Secret(_)));
        if sealed && self.draft.secrets.iter().all(|(_, text)| text.expose_secret().is_empty()) {
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
