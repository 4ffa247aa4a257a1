//! What a column keeps of the value that its expression gives.

use super::draft::{Claim, ClaimAs, Fault, Found, Origin};
use super::fit::{as_text, fit, has_text, is_empty_text, is_same_text, literal_datum, loses_sign};
use super::maker::{RowMaker, first_place};
use super::scope::{Operand, Stop};
use super::span::LeafSpan;
use super::times::cut_start;
use crate::document::{list, meaning};
use crate::finding::{
    Severity, VALUE_DIFFERS, VALUE_EMPTY, VALUE_FORM, VALUE_MISSING, VALUE_NULL, VALUE_RANGE, VALUE_SIGN, VALUE_STEP,
};
use crate::mapping::model::{Agreement, ColumnRule, From, Literal, Policy};
use crate::mapping::schema_default::{self, SchemaDefault};
use crate::row::Value;
use crate::step::{Datum, Step};
use crate::table::{ColumnType, Element};

impl<'t> RowMaker<'_, 't> {
    pub(super) fn judged_value(
        &mut self,
        field: usize,
        column: &ColumnRule,
        trail: &mut Vec<LeafSpan>,
        class: &mut ClaimAs,
    ) -> Result<Value, Stop> {
        let scope = self.scope;
        let target = &self.compiled.fields[field].column;
        let policies = &column.policies;
        let is_lenient = !matches!(policies.error, None | Some(Policy::Reject));
        let mut faulty = false;
        let (made, mut read) = if is_lenient {
            self.noting_reads(|maker| maker.eval(&column.expr, scope, trail))
        } else {
            (self.eval(&column.expr, scope, trail), Vec::new())
        };
        let mut got = match made {
            Err(Stop::Reject(fault)) if fault.replaced_by(policies.error).is_some() => {
                faulty = true;
                read.append(trail);
                self.not_convertible(Some(field), *fault, std::mem::take(&mut read));
                Operand::Null
            }
            other => other?,
        };
        let dangling = self.dangling.take().filter(|_| matches!(got, Operand::Missing));
        let mut json = String::new();
        let is_text = matches!(target.kind, ColumnType::Text { .. } | ColumnType::List(_));
        match &got {
            Operand::Node(node, doc) if node.is_container() && (is_text || target.kind.is_json()) => {
                self.container(*node, *doc, &[], trail, &mut json);
            }
            _ => {}
        }
        // What the step `to_json` makes of a scalar is no more than the scalar.
        let is_deep = |span: &LeafSpan| matches!(span, LeafSpan::Nodes(_, nodes) if nodes.len() > 1);
        let is_scalar = column.expr.steps.last().is_some_and(Step::takes_containers) && !trail.iter().any(is_deep);
        if is_text && !is_scalar && (!json.is_empty() || matches!(got, Operand::Datum(Datum::Json(_) | Datum::List(_))))
        {
            *class = ClaimAs::Json;
        }
        if self.clock {
            got = cut_start(got, target.kind);
        } else if let ColumnType::Date(_) = target.kind {
            got = self.only_day(column, got, trail);
        }
        let own = matches!(column.expr.from, From::Literal(_) | From::Null);
        let empty = is_empty_text(&got);
        let policy = match &got {
            Operand::Missing if dangling.is_some() => Some((policies.dangling, &VALUE_MISSING, "is missing")),
            Operand::Missing => Some((policies.missing.or(policies.absent), &VALUE_MISSING, "is missing")),
            Operand::Null if faulty => Some((policies.error, &VALUE_NULL, "is null")),
            Operand::Null if own => None,
            Operand::Null => Some((policies.absent, &VALUE_NULL, "is null")),
            _ if empty && policies.empty.is_some() => Some((policies.empty, &VALUE_EMPTY, "is empty")),
            _ => None,
        };
        let value = if let Some((policy, code, what)) = policy {
            let fallback = match (&policies.default, target.not_null) {
                // What is there and leads nowhere is not absent.
                (Some(_), _) if code != &VALUE_EMPTY && dangling.is_none() => Policy::Default,
                (_, true) => Policy::Reject,
                (_, false) => Policy::Null,
            };
            let policy = policy.unwrap_or(fallback);
            if policy == Policy::Reject || (policy == Policy::Null && target.not_null) {
                // An empty string is a value for the column: it is the mapping alone that does not take it.
                let is_columns = target.not_null && (code != &VALUE_EMPTY || policy == Policy::Null);
                let why = if is_columns { "the column is NOT NULL" } else { "the mapping requires it" };
                let message = format!("the value for `{}` {what}, and {why}", column.name);
                let mut fault = Fault::new(code, message).at(first_place(trail, scope));
                if let Some(dangling) = dangling {
                    fault.message += &format!(": `{}` has no row", dangling.table);
                    fault.found = Some(Found::Row(dangling.key));
                    fault.at = dangling.at;
                }
                return Err(fault.into());
            }
            if let Some(dangling) = dangling {
                self.leads_nowhere(field, column, dangling);
            }
            if policy == Policy::Skip {
                let skipped = trail.drain(..).filter_map(|touch| Claim::of(touch, ClaimAs::Skipped, Some(field)));
                self.draft.claims.extend(skipped);
            }
            self.instead(field, column, policy)?
        } else {
            if !own {
                // Alternatives further inside are not the column's.
                let chosen = self.chosen.filter(|_| matches!(column.expr.from, From::First(_))).unwrap_or(0);
                self.draft.origins[field] = Origin::Found(u16::try_from(chosen).unwrap_or(u16::MAX));
            }
            let fitted = fit(&got, target, scope.file.keeps_nul, &mut |got| {
                if json.is_empty() { self.json_text(got) } else { std::mem::take(&mut json) }
            });
            match fitted {
                Ok(value) => {
                    if loses_sign(&got, target) {
                        self.note_sign(column, first_place(trail, scope));
                    }
                    self.note_form(column, &value, target.kind, first_place(trail, scope));
                    value
                }
                Err(mut fault) => {
                    let node = if let Operand::Node(node, _) = &got { Some(node.at()) } else { None };
                    fault.at = fault.at.or(node).or_else(|| first_place(trail, scope));
                    if fault.code == &VALUE_RANGE && !self.hidden && !self.tainted {
                        fault.found = as_text(&got).map(|text| Found::Value(text.into_owned()));
                    }
                    if !is_lenient {
                        return Err(fault.into());
                    }
                    if let Operand::Node(node, doc) = &got {
                        trail.push(LeafSpan::Nodes(*doc, node.span()));
                    }
                    trail.append(&mut read);
                    self.not_convertible(Some(field), fault, std::mem::take(trail));
                    return self.instead(field, column, policies.error.unwrap_or(Policy::Null));
                }
            }
        };
        if let Some(agrees) = &column.agrees {
            self.compare(column, &got, agrees, trail)?;
        }
        Ok(value)
    }

    /// What stands in the place of a value, as a policy other than reject says.
    fn instead(&mut self, field: usize, column: &ColumnRule, policy: Policy) -> Result<Value, Stop> {
        let of = &self.compiled.fields[field];
        let mut is_start = false;
        let datum = match (policy, &column.policies.default, &of.default) {
            (Policy::Skip, ..) => return Err(Stop::Skip),
            (Policy::Default, Some(literal), _) => literal_datum(literal),
            (Policy::Default, None, Some(SchemaDefault::Constant(Literal::Text(text)))) => {
                schema_default::datum(text, of.column.kind)
            }
            (Policy::Default, None, Some(SchemaDefault::Constant(literal))) => literal_datum(literal),
            (Policy::Default, None, Some(SchemaDefault::Clock)) => {
                (self.clock, is_start) = (true, true);
                Datum::Instant(self.scope.file.started.into(), None)
            }
            _ if of.column.not_null => {
                let message = format!("`{}` would be NULL, and the column is NOT NULL", column.name);
                return Err(Fault::new(&VALUE_NULL, message).into());
            }
            _ => {
                self.draft.origins[field] = Origin::Nulled;
                return Ok(Value::Null);
            }
        };
        self.draft.origins[field] = Origin::Defaulted;
        let is_time = matches!(datum, Datum::Instant(..) | Datum::Civil(_) | Datum::Day(_));
        let read = match self.reads.filter(|_| !is_time) {
            Some(reads) => reads.apply(datum),
            None => Ok(Some(datum)),
        };
        let read = read.map_err(|why| Fault::new(&VALUE_STEP, format!("its default cannot be read: {why}")))?;
        let mut read = read.map_or(Operand::Missing, Operand::Datum);
        if is_start {
            read = cut_start(read, of.column.kind);
        }
        Ok(fit(&read, &of.column, self.scope.file.keeps_nul, &mut |got| self.json_text(got))?)
    }

    fn note_sign(&mut self, column: &ColumnRule, at: Option<u64>) {
        let message = format!("`{}` is minus zero and is kept as zero", column.name);
        let fault = Fault::new(&VALUE_SIGN, message).of_column(&column.name, column.line).at(at);
        self.draft.differing.push((Severity::Note, fault));
    }

    /// What an engine that keeps the meaning of a document does not keep of its text.
    fn note_form(&mut self, column: &ColumnRule, value: &Value, kind: ColumnType, at: Option<u64>) {
        let Value::Json(text) = value else { return };
        if kind == ColumnType::List(Element::Integer) && list::has_minus_zero(text) {
            self.note_sign(column, at);
        }
        let ColumnType::JsonValue = kind else { return };
        let Ok(meaning) = meaning::of(text) else { return };
        if meaning.has_minus_zero {
            self.note_sign(column, at);
        }
        if meaning.has_form {
            let message =
                format!("`{}` keeps what the document means: members and numbers get a form of its own", column.name);
            let fault = Fault::new(&VALUE_FORM, message).of_column(&column.name, column.line).at(at);
            self.draft.differing.push((Severity::Note, fault));
        }
    }

    pub(super) fn json_text(&mut self, got: &Operand<'t>) -> String {
        let mut out = String::new();
        self.json_of(got, &mut out);
        out
    }

    fn compare(
        &mut self,
        column: &ColumnRule,
        got: &Operand<'t>,
        agrees: &Agreement,
        trail: &mut Vec<LeafSpan>,
    ) -> Result<(), Stop> {
        let scope = self.scope;
        let before = trail.len();
        let asides = self.asides.len();
        let (other, read) = match self.compared(column, |maker| maker.eval(&agrees.expr, scope, trail)) {
            Err(Stop::Later) => (Operand::Missing, None), // the value itself is known
            other => other?,
        };
        self.asides.truncate(asides);
        let is_same = has_text(&other) && is_same_text(got, &other);
        if !is_same {
            trail.truncate(before);
        }
        if has_text(&other) && !is_same {
            let message = format!("`{}` differs from what the mapping compares it with", column.name);
            let fault = Fault::new(&VALUE_DIFFERS, message).of_column(&column.name, column.line);
            self.draft.differing.push((Severity::Warning, fault.at(first_place(trail, scope))));
            self.draft.follow_up.extend(agrees.after.is_some().then(|| column.name.clone()));
        }
        let is_lost = !is_same && !matches!(other, Operand::Missing);
        if let (Some(lossy), Some(read), true) = (self.lossy_of(column), read, is_lost) {
            self.lose(read, lossy, trail);
        }
        Ok(())
    }
}
