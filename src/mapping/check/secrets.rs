//! Secrets stay secrets: what is sealed can be, and nothing else uses it in plaintext.

use super::spot::{Errors, Spot};
use crate::error::Error;
use crate::mapping::codes;
use crate::mapping::model::{ColumnRule, KeyPart, Mapping, OnDuplicate, Protection, Set};
use crate::mapping::place::{At, Covered, Place, has_whole_shape};
use crate::mapping::walk::{self, Visit};
use crate::table::ColumnType;

/// The shortest sealed value: `tl2.`, the key's id, and an empty text with nonce and tag.
const SHORTEST_SEALED: u32 = 59;

/// The characters of a hash: `$argon2id$v=19$m=19456,t=2,p=1$`, salt and hash in base64.
const HASH: u32 = 97;

/// Every path that a mapping names and whose last member looks like a secret must be decided.
pub fn check_secret_names(set: &Set) -> Vec<Error> {
    let errors = Errors::default();
    check_names(set, &errors);
    errors.sorted(set)
}

/// A rule that seals must know its row for life, and have columns that take sealed values.
pub(super) fn check_rule(spot: &Spot<'_>) {
    if let Some((first, _)) = spot.rule.protected().next()
        && spot.rule.on_duplicate == OnDuplicate::Fill
    {
        let message = format!("rule `{}` fills rows and keeps a secret in `{}`", spot.rule.name, first.name);
        let hint = "a secret cannot be added to a row that another rule made: let that rule seal it";
        spot.refuse(&codes::SEAL_UNKEYED, spot.rule.line_of("on_duplicate"), message, hint);
    }
    if let Some(first) = spot.rule.sealed().next() {
        check_key(spot, first);
    }
    for (column, protection) in spot.rule.protected() {
        fits(spot, column, protection);
    }
    for column in spot.rule.columns.iter().filter(|column| column.declassify.is_some()) {
        let mut reads = false;
        At::new(spot.mapping, spot.rule).made_from(&column.expr, &mut |_| reads = true);
        if !reads {
            let message = format!("`{}` is declassified, and reads nothing of the source", column.name);
            spot.refuse(&codes::DECLASSIFY_IDLE, column.line, message, codes::DECLASSIFY_IDLE.help);
        }
    }
}

/// The column takes what is kept of the secret.
fn fits(spot: &Spot<'_>, column: &ColumnRule, protection: Protection) {
    let Some(known) = spot.table.column(&column.name) else {
        return; // `columns` reports that it is missing.
    };
    let (least, what) = match protection {
        Protection::Seal => (SHORTEST_SEALED, "a sealed value"),
        Protection::Hash => (HASH, "a hash"),
    };
    let name = format!("`{}.{}`", spot.table.name, column.name);
    let message = match known.kind {
        ColumnType::Text { max: Some(max) } if max < least => {
            format!("{name} holds at most {max} characters, and {what} has more")
        }
        ColumnType::Text { .. } => return, // It fits.
        ColumnType::Json | ColumnType::JsonValue if protection == Protection::Seal => return,
        _ => format!("{name} is `{}`, and {what} is text", known.declared),
    };
    spot.refuse(&codes::SEAL_UNFIT, column.line, message, None);
}

/// What a sealed value is bound to is there for life.
fn check_key(spot: &Spot<'_>, first: &ColumnRule) {
    match spot.rule.key_columns() {
        None => {
            let message =
                format!("rule `{}` seals `{}`, and its key is not made of columns", spot.rule.name, first.name);
            let hint = "a sealed value is bound to its row: say `key = [\"column\", …]`";
            spot.refuse(&codes::SEAL_UNKEYED, spot.rule.line_of("key"), message, hint);
        }
        Some(key) => {
            for part in key {
                let kind = spot.table.column(part).map(|column| column.kind);
                if !matches!(kind, None | Some(ColumnType::Text { .. } | ColumnType::Integer)) {
                    let message =
                        format!("rule `{}` seals values under `{part}`, which is no text or integer", spot.rule.name);
                    let hint = "a sealed value is bound to its key's text, and other types have more than one";
                    spot.refuse(&codes::SEAL_UNKEYED, spot.rule.line_of("key"), message, hint);
                }
                if spot.table.integer_key() == Some(part) && spot.rule.column(part).is_none() {
                    let message =
                        format!("rule `{}` seals values under `{part}`, an id that the engine gives", spot.rule.name);
                    let hint = "a sealed value is bound to its row for life: choose a key that the source gives";
                    spot.refuse(&codes::SEAL_UNKEYED, spot.rule.line_of("key"), message, hint);
                }
            }
        }
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
                uses.extend(at.places(path, &[]).into_iter().map(|place| (place, rule.line_of("key"))));
            }
        }
        let in_plaintext = |column: &&ColumnRule| column.protection.is_none() && column.declassify.is_none();
        for expr in rule.columns.iter().filter(in_plaintext).flat_map(ColumnRule::exprs) {
            at.reads(expr, &mut |used| uses.extend((!used.cut && !used.tested).then_some((used.place, used.line))));
        }
        for when in rule.when.iter().chain(&rule.delete) {
            at.compared(when, &mut |place| uses.push((place, rule.line_of("when"))));
        }
    }
    uses.sort_by_key(|(_, line)| *line);
    uses.dedup();
    for (place, line) in uses {
        if let Some(secret) = places.secret.iter().find(|secret| place.is_in(secret)) {
            let message = format!("`{}` is a secret of this mapping, and is used in plaintext here", secret.show());
            let hint = "seal it here too, or say with `declassify` beside the column why it may be kept as it is";
            errors.refuse(&codes::SECRET_CLEAR, &mapping.file, line, message, hint);
        }
    }
}

/// What a column declassifies is kept there: left out as well, one of the two is wrong.
pub(super) fn check_declassified(mapping: &Mapping, errors: &Errors) {
    let whole = has_whole_shape(mapping);
    let mut left_out: Vec<Covered> =
        mapping.ignore.iter().map(|(covering, _, _)| Covered::of(whole, covering)).collect();
    for rule in &mapping.rules {
        let at = At::new(mapping, rule);
        let places = rule.drops.iter().flat_map(|drop| at.elements(&drop.selection, &[]));
        left_out.extend(places.map(|place| Covered { place, below: true }));
    }
    for rule in &mapping.rules {
        let declassified = |column: &&ColumnRule| column.protection.is_none() && column.declassify.is_some();
        for column in rule.columns.iter().filter(declassified) {
            At::new(mapping, rule).made_from(&column.expr, &mut |used| {
                if !used.cut && left_out.iter().any(|out| out.covers(&used.place)) {
                    let message = format!("`{}` is declassified, and is ignored or dropped as well", used.place.show());
                    let hint = "keep it with its `declassify`, or leave it out with the other: not both";
                    errors.refuse(&codes::SECRET_CONTRADICTED, &mapping.file, column.line, message, hint);
                }
            });
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
                let places = at.named(&visit).into_iter().filter(|place| !places.is_declassified(place));
                named.extend(places.map(|place| (place, visit.line)));
            };
            walk::tests(rule, &mut see);
            // Where a column reads it, that column decides.
            let is_open = |column: &&ColumnRule| column.protection.is_none() && column.declassify.is_none();
            for expr in rule.columns.iter().filter(is_open).flat_map(ColumnRule::exprs) {
                walk::through(rule, expr, &mut |visit| {
                    named.extend(at.named(&visit).into_iter().map(|place| (place, visit.line)));
                });
            }
        }
        let line = mapping.rules.first().map_or(1, |rule| rule.line);
        named.extend(
            mapping.expected.iter().map(|covering| (Place::of(has_whole_shape(mapping), &covering.rooted), line)),
        );
        named.sort_by_key(|(_, line)| *line);
        let mut seen: Vec<Place> = Vec::new();
        for (place, line) in named {
            if place.looks_secret() && !places.decides_secret(&place) && !seen.contains(&place) {
                let message = format!("`{}` looks like a secret, and nothing decides it", place.show());
                let hint = "seal it, drop it, ignore it with a reason, or say with `declassify` beside its column why it is none";
                errors.refuse(&codes::SECRET_UNDECIDED, &mapping.file, line, message, hint);
                seen.push(place);
            }
        }
    }
}

/// What a mapping decided.
pub(super) struct Places {
    /// Sealed, hashed or dropped, and not declassified for the whole mapping.
    secret: Vec<Place>,
    /// Sealed, hashed or dropped.
    named: Vec<Place>,
    ignored: Vec<Covered>,
    /// What columns declassify.
    declassified: Vec<Place>,
}

impl Places {
    pub(super) fn of(mapping: &Mapping) -> Self {
        let (mut named, mut released, mut declassified) = (Vec::new(), Vec::new(), Vec::new());
        for rule in &mapping.rules {
            let at = At::new(mapping, rule);
            for column in &rule.columns {
                let lists = match (column.protection, &column.declassify) {
                    (Some(_), Some(_)) => [Some(&mut named), Some(&mut released)],
                    (Some(_), None) => [Some(&mut named), None],
                    (None, Some(_)) => [Some(&mut declassified), None],
                    (None, None) => continue, // an ordinary column
                };
                let mut made_of = Vec::new();
                at.made_from(&column.expr, &mut |used| made_of.push(used.place));
                lists.into_iter().flatten().for_each(|list| list.extend(made_of.iter().cloned()));
            }
            named.extend(rule.drops.iter().flat_map(|drop| at.elements(&drop.selection, &[])));
        }
        let ignored =
            mapping.ignore.iter().map(|(covering, _, _)| Covered::of(has_whole_shape(mapping), covering)).collect();
        let secret = named.iter().filter(|place| !released.contains(place)).cloned().collect();
        Self { secret, named, ignored, declassified }
    }

    /// Whether the value is sealed, hashed, dropped or ignored: it may be lost where nothing keeps it.
    pub(super) fn decided(&self, place: &Place) -> bool {
        self.named.iter().any(|named| place.is_in(named)) || self.ignored.iter().any(|entry| entry.covers(place))
    }

    /// Whether something says what becomes of a value that looks like a secret; what only a `**` covers is not decided.
    fn decides_secret(&self, place: &Place) -> bool {
        self.named.iter().any(|named| place.is_in(named)) || self.ignored.iter().any(|entry| entry.names(place))
    }

    /// Whether a column keeps it as it is.
    fn is_declassified(&self, place: &Place) -> bool {
        self.declassified.iter().any(|open| place.is_in(open))
    }
}
