//! What stands inside a column and has policies of its own: the items of a list, and the entries of `[let]`.

use super::draft::{ClaimAs, Fault};
use super::fit::{is_empty_text, literal_datum};
use super::maker::{Aside, Dangling, RowMaker, Trail, first_place};
use super::scope::{Operand, Scope, Stop};
use crate::finding::{Code, Severity, VALUE_EMPTY, VALUE_INSTEAD, VALUE_MISSING, VALUE_NULL, VALUE_NULLED, VALUE_STEP};
use crate::mapping::model::{Each, Expr, Let, Literal, Policies, Policy};

/// Something inside a column, with policies of its own.
#[derive(Clone, Copy)]
enum Inner<'m> {
    Item(&'m Each),
    Let(&'m Let),
}

impl<'m> Inner<'m> {
    fn parts(self) -> (&'m Expr, &'m Policies) {
        match self {
            Self::Item(each) => (&each.item, &each.policies),
            Self::Let(one) => (&one.expr, &one.policies),
        }
    }

    /// In words.
    fn name(self, scope: &Scope<'_, '_>) -> String {
        match self {
            Self::Item(_) => format!("item {} of the list", scope.position),
            Self::Let(one) => format!("`={}`", one.name),
        }
    }
}

impl<'t> RowMaker<'_, 't> {
    /// An item as its policies judge it; none where it is left out.
    pub(super) fn item(
        &mut self,
        each: &Each,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Option<Operand<'t>>, Stop> {
        match self.judged(Inner::Item(each), scope, trail) {
            Err(Stop::SkipItem) => Ok(None),
            Ok(Operand::Missing) => Err(no_item(&VALUE_MISSING, "is missing", scope).into()),
            got => got.map(Some),
        }
    }

    /// The value of a `let` where it is used, as its policies judge it.
    pub(super) fn named(&mut self, one: &Let, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        if one.policies == Policies::default() {
            return self.eval(&one.expr, scope, trail);
        }
        self.judged(Inner::Let(one), scope, trail)
    }

    /// A value as its own policies judge it; what none of them judges is left to what it stands in.
    fn judged(&mut self, inner: Inner<'_>, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        let (expr, policies) = inner.parts();
        let before = trail.len();
        let since = self.read_so_far();
        let outer_ends = self.ends_on_empty;
        self.ends_on_empty = policies.empty.is_some() || (outer_ends && matches!(inner, Inner::Let(_)));
        let outer_dangling = self.dangling.take();
        let is_lenient = !matches!(policies.error, None | Some(Policy::Reject));
        let (made, mut read) = if is_lenient {
            self.noting_reads(|maker| maker.eval(expr, scope, trail))
        } else {
            (self.eval(expr, scope, trail), Trail::new())
        };
        self.ends_on_empty = outer_ends;
        let dangling = std::mem::replace(&mut self.dangling, outer_dangling);
        let (policy, code, what) = match made {
            Err(Stop::Reject(fault)) if fault.replaced_by(policies.error).is_some() => {
                read.extend(trail.drain(before..));
                let left = Some((ClaimAs::NotConvertible, read));
                let fault = Fault { code: &VALUE_NULLED, help: None, ..*fault };
                self.asides.push(Aside { severity: Severity::Warning, fault, left });
                self.read_only(since, &[]); // no value came of it
                let policy = policies.error.unwrap_or(Policy::Null);
                return self.instead_of(policy, policies.default.as_ref());
            }
            Err(Stop::Reject(fault)) if policies.error == Some(Policy::Reject) => return Err(fault.finally().into()),
            Err(Stop::SkipItem) if matches!(inner, Inner::Item(_)) => {
                trail.truncate(before); // a `let` in it leaves it out
                self.read_only(since, &[]);
                return Err(Stop::SkipItem);
            }
            Err(stop) => return Err(stop),
            Ok(Operand::Missing) => {
                self.read_only(since, &[]);
                if let Some(dangling) = dangling {
                    return self.leads_nowhere_inside(inner, dangling, scope);
                }
                (policies.missing.or(policies.absent), &VALUE_MISSING, "is missing")
            }
            Ok(Operand::Null) => (policies.absent, &VALUE_NULL, "is null"),
            Ok(got) if is_empty_text(&got) => match policies.empty {
                None => return Ok(got),
                policy => (policy, &VALUE_EMPTY, "is empty"),
            },
            Ok(got) => return Ok(got),
        };
        let at = first_place(&trail[before..], scope).or(scope.element_at());
        match policy {
            None if code == &VALUE_NULL => Ok(Operand::Null),
            None => Ok(Operand::Missing),
            Some(Policy::Reject) => {
                let fault = match inner {
                    Inner::Item(_) => no_item(code, what, scope),
                    Inner::Let(one) => {
                        let message = format!("{} {what}, and the mapping requires it", inner.name(scope));
                        Fault { line: one.expr.line, ..Fault::new(code, message).at(at) }
                    }
                };
                Err(fault.finally().into())
            }
            Some(policy) => {
                self.read_only(since, &[]);
                let skipped = if policy == Policy::Skip { trail.split_off(before) } else { Trail::new() };
                self.note_policy(inner, what, policy, at, scope, skipped);
                self.instead_of(policy, policies.default.as_ref())
            }
        }
    }

    /// A reference inside a column leads nowhere. Without a word for that an item is missing, and a `let` is what the
    /// column says of it.
    fn leads_nowhere_inside(
        &mut self,
        inner: Inner<'_>,
        mut dangling: Dangling,
        scope: &Scope<'_, 't>,
    ) -> Result<Operand<'t>, Stop> {
        let (expr, policies) = inner.parts();
        let policy = match inner {
            Inner::Item(_) => policies.dangling.or(policies.missing).or(policies.absent),
            Inner::Let(_) => policies.dangling,
        };
        let is_asked = policy.is_some();
        let Some(policy) = policy.or_else(|| matches!(inner, Inner::Item(_)).then_some(Policy::Reject)) else {
            self.dangling = Some(dangling);
            return Ok(Operand::Missing);
        };
        let touched = std::mem::take(&mut dangling.touched);
        let fault = Fault { line: expr.line, ..dangling.inside(&inner.name(scope)) };
        if policy == Policy::Reject {
            return Err(Fault { code: &VALUE_MISSING, is_final: is_asked, ..fault }.into());
        }
        let left = Some((ClaimAs::Dangling, touched));
        self.asides.push(Aside { severity: Severity::Note, fault, left });
        self.instead_of(policy, policies.default.as_ref())
    }

    /// Counts what a policy says.
    fn note_policy(
        &mut self,
        inner: Inner<'_>,
        what: &str,
        policy: Policy,
        at: Option<u64>,
        scope: &Scope<'_, 't>,
        skipped: Trail,
    ) {
        let became = match (policy, inner) {
            (Policy::Skip, Inner::Let(_)) => "makes no row, and no item",
            (Policy::Skip, Inner::Item(_)) => "is left out",
            (Policy::Default, _) => "became its default",
            _ => "became null",
        };
        let fault = Fault::new(&VALUE_INSTEAD, format!("{} {what} and {became}", inner.name(scope))).at(at);
        self.asides.push(Aside { severity: Severity::Note, fault, left: Some((ClaimAs::Skipped, skipped)) });
    }

    /// What stands in the place of a value, as a policy other than reject says.
    fn instead_of(&mut self, policy: Policy, default: Option<&Literal>) -> Result<Operand<'t>, Stop> {
        let literal = match (policy, default) {
            (Policy::Skip, _) => return Err(Stop::SkipItem),
            (Policy::Default, Some(literal)) => literal,
            _ => return Ok(Operand::Null),
        };
        let datum = literal_datum(literal);
        let read = match self.reads {
            Some(reads) => reads.apply(datum),
            None => Ok(Some(datum)),
        };
        let read = read.map_err(|why| Fault::new(&VALUE_STEP, format!("its default cannot be read: {why}")))?;
        Ok(read.map_or(Operand::Missing, Operand::Datum))
    }
}

/// An item that is none, which an error says.
pub(super) fn no_item(code: &'static Code, what: &str, scope: &Scope<'_, '_>) -> Fault {
    let message = format!("item {} of the list {what}", scope.position);
    let help = "leave it out with `on_absent = \"skip\"` in the `item`, or give it a `default`";
    Fault { help: Some(help), ..Fault::new(code, message).at(scope.element_at()) }
}
