//! Secrets stay secrets: what is sealed can be, and nothing else uses it in plaintext.

use super::spot::{Errors, Spot};
use crate::error::Error;
use crate::mapping::codes;
use crate::mapping::model::{Covering, KeyPart, Mapping, OnDuplicate, SecretKind, Set};
use crate::mapping::place::{At, Covered, Place, has_whole_shape};
use crate::mapping::walk::{self, Visit};
use crate::table::ColumnType;

/// The shortest sealed value: `tl2.`, the key's id, and an empty text with nonce and tag.
const SHORTEST_SEALED: u32 = 59;

/// Every path that a mapping names and whose last member looks like a secret must be decided.
pub fn check_secret_names(set: &Set) -> Vec<Error> {
    let errors = Errors::default();
    check_names(set, &errors);
    errors.sorted(set)
}

/// A rule that seals must know its row for life, and have columns that take sealed values.
pub(super) fn check_rule(spot: &Spot<'_>) {
    let sealed: Vec<_> = spot.rule.secrets.iter().filter(|secret| secret.kind == SecretKind::Seal).collect();
    let Some(first) = sealed.first() else {
        return;
    };
    if spot.rule.on_duplicate == OnDuplicate::Fill {
        let message = format!("rule `{}` fills rows and seals `{}`", spot.rule.name, first.name);
        let hint = "sealing into rows that others made is not built yet: let the rule that makes the row seal";
        spot.refuse(&codes::SEAL_UNKEYED, spot.rule.line, message, hint);
    }
    match spot.rule.key_columns() {
        None => {
            let message =
                format!("rule `{}` seals `{}`, and its key is not made of columns", spot.rule.name, first.name);
            let hint = "a sealed value is bound to its row: say `key = [\"column\", …]`";
            spot.refuse(&codes::SEAL_UNKEYED, spot.rule.line, message, hint);
        }
        Some(key) => {
            for part in key {
                let kind = spot.table.column(part).map(|column| column.kind);
                if !matches!(kind, None | Some(ColumnType::Text { .. } | ColumnType::Integer)) {
                    let message =
                        format!("rule `{}` seals values under `{part}`, which is no text or integer", spot.rule.name);
                    let hint = "a sealed value is bound to its key's text, and other types have more than one";
                    spot.refuse(&codes::SEAL_UNKEYED, spot.rule.line, message, hint);
                }
                if spot.table.integer_key() == Some(part) && spot.rule.column(part).is_none() {
                    let message =
                        format!("rule `{}` seals values under `{part}`, an id that the engine gives", spot.rule.name);
                    let hint = "a sealed value is bound to its row for life: choose a key that the source gives";
                    spot.refuse(&codes::SEAL_UNKEYED, spot.rule.line, message, hint);
                }
            }
        }
    }
    for secret in sealed {
        let Some(column) = spot.table.column(&secret.name) else {
            continue; // `columns` reports that it is missing.
        };
        let message = match column.kind {
            ColumnType::Text { max: Some(max) } if max < SHORTEST_SEALED => {
                format!(
                    "`{}.{}` holds at most {max} characters, and a sealed value has more",
                    spot.table.name, secret.name
                )
            }
            ColumnType::Text { .. } | ColumnType::Json => continue, // It fits.
            _ => format!("`{}.{}` is `{}`, and a sealed value is text", spot.table.name, secret.name, column.declared),
        };
        spot.refuse(&codes::SEAL_UNFIT, secret.line, message, None);
    }
}

/// A path that is secret somewhere in a mapping is secret in all of it.
pub(super) fn check_clear_uses(mapping: &Mapping, errors: &Errors) {
    let places = Places::of(mapping);
    let mut uses: Vec<(Place, u32)> = Vec::new();
    for rule in &mapping.rules {
        let at = At::new(mapping, rule);
        for part in &rule.key {
            if let KeyPart::Path(path) = part {
                uses.extend(at.places(path, &[]).into_iter().map(|place| (place, rule.line)));
            }
        }
        for expr in rule.column_exprs() {
            at.reads(expr, &mut |used| uses.extend((!used.cut && !used.tested).then_some((used.place, used.line))));
        }
        if let Some(when) = &rule.when {
            at.compared(when, &mut |place| uses.push((place, rule.line)));
        }
    }
    uses.sort_by_key(|(_, line)| *line);
    uses.dedup();
    for (place, line) in uses {
        if let Some(secret) = places.secret.iter().find(|secret| place.is_in(secret)) {
            let message = format!("`{}` is a secret of this mapping, and is used in plaintext here", secret.show());
            let hint = "seal it here too, or say why it is none under [declassify]";
            errors.refuse(&codes::SECRET_CLEAR, &mapping.file, line, message, hint);
        }
    }
}

/// What `[declassify]` lets stand is kept somewhere: left out as well, one of the two is wrong.
pub(super) fn check_declassified(mapping: &Mapping, errors: &Errors) {
    let whole = has_whole_shape(mapping);
    let mut left_out: Vec<Covered> =
        mapping.ignore.iter().map(|(covering, _, _)| Covered::of(whole, covering)).collect();
    for rule in &mapping.rules {
        for secret in rule.secrets.iter().filter(|secret| matches!(secret.kind, SecretKind::Drop(_))) {
            At::new(mapping, rule).made_from(&secret.expr, &mut |used| {
                left_out.push(Covered { place: used.place, below: true });
            });
        }
    }
    for (covering, _, line) in &mapping.declassify {
        let place = Place::of(whole, &covering.rooted);
        if left_out.iter().any(|out| out.covers(&place)) {
            let message = format!("`{}` is declassified, and is ignored or dropped as well", place.show());
            let hint = "keep it with its reason under [declassify], or leave it out with the other: not both";
            errors.refuse(&codes::SECRET_CONTRADICTED, &mapping.file, *line, message, hint);
        }
    }
}

pub(super) fn check_names(set: &Set, errors: &Errors) {
    for mapping in &set.mappings {
        let places = Places::of(mapping);
        let mut named: Vec<(Place, u32)> = Vec::new();
        for rule in &mapping.rules {
            let at = At::new(mapping, rule);
            let mut see = |visit: Visit<'_, '_>| {
                named.extend(at.named(&visit).into_iter().map(|place| (place, visit.line)));
            };
            rule.column_exprs().for_each(|expr| walk::through(rule, expr, &mut see));
            walk::tests(rule, &mut see);
        }
        let line = mapping.rules.first().map_or(1, |rule| rule.line);
        named.extend(
            mapping.expected.iter().map(|covering| (Place::of(has_whole_shape(mapping), &covering.rooted), line)),
        );
        named.sort_by_key(|(_, line)| *line);
        let mut seen: Vec<Place> = Vec::new();
        for (place, line) in named {
            if place.looks_secret() && !places.decided_as_secret(&place) && !seen.contains(&place) {
                let message = format!("`{}` looks like a secret, and nothing decides it", place.show());
                let hint = "seal it, drop it, ignore it with a reason, or say under [declassify] why it is none";
                errors.refuse(&codes::SECRET_UNDECIDED, &mapping.file, line, message, hint);
                seen.push(place);
            }
        }
    }
}

/// What a mapping decided.
pub(super) struct Places {
    /// Sealed or dropped, and not declassified.
    secret: Vec<Place>,
    /// Sealed, dropped or declassified there.
    named: Vec<Place>,
    ignored: Vec<Covered>,
    /// What `[declassify]` covers.
    declassified: Vec<Covered>,
}

impl Places {
    pub(super) fn of(mapping: &Mapping) -> Self {
        let mut named = Vec::new();
        let mut open = Vec::new();
        for rule in &mapping.rules {
            for secret in &rule.secrets {
                At::new(mapping, rule).made_from(&secret.expr, &mut |used| {
                    if secret.declassify.is_some() {
                        open.push(used.place.clone());
                    }
                    named.push(used.place);
                });
            }
        }
        let places = |entries: &[(Covering, String, u32)]| -> Vec<Covered> {
            entries.iter().map(|(covering, _, _)| Covered::of(has_whole_shape(mapping), covering)).collect()
        };
        let declassified = places(&mapping.declassify);
        let is_open = |place: &Place| open.contains(place) || declassified.iter().any(|open| open.covers(place));
        let secret = named.iter().filter(|place| !is_open(place)).cloned().collect();
        Self { secret, named, ignored: places(&mapping.ignore), declassified }
    }

    /// Whether the value is sealed, dropped or ignored: it may be lost where nothing keeps it.
    pub(super) fn decided(&self, place: &Place) -> bool {
        self.named.iter().any(|named| place.is_in(named)) || self.ignored.iter().any(|entry| entry.covers(place))
    }

    /// Whether something says what becomes of a value that looks like a secret.
    fn decided_as_secret(&self, place: &Place) -> bool {
        self.decided(place) || self.declassified.iter().any(|open| open.covers(place))
    }
}
