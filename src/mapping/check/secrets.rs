//! Secrets stay secrets: what is sealed can be, and nothing else uses it in clear text.

use super::{Spot, Told};
use crate::error::Error;
use crate::mapping::model::{Condition, Expr, KeyPart, Mapping, PathExpr, Root, Rooted, Rule, SecretKind, Set};
use crate::mapping::secret_words::looks_secret;
use crate::mapping::walk::{self, Read, Visit};
use crate::record::{Segment, Selection};
use crate::table::ColumnType;

/// The shortest sealed value: `tl1.`, the key's id, and an empty text with nonce and tag.
const SHORTEST_SEALED: u32 = 59;

/// Every path that a mapping names and whose last member sounds like a secret must be decided.
pub fn check_secret_names(set: &Set) -> Vec<Error> {
    let mut told = Told::default();
    check_names(set, &mut told);
    told.sorted(set)
}

/// A rule that seals must know its row for life, and have columns that take sealed values.
pub(super) fn check_rule(spot: &Spot<'_>, told: &mut Told) {
    let sealed: Vec<_> = spot.rule.secrets.iter().filter(|secret| secret.kind == SecretKind::Seal).collect();
    let Some(first) = sealed.first() else {
        return;
    };
    match spot.rule.key_columns() {
        None => {
            let message =
                format!("rule `{}` seals `{}`, and its key is not made of columns", spot.rule.name, first.name);
            let hint = "a sealed value is bound to its row: say `key = [\"column\", …]`";
            spot.refuse(told, spot.rule.line, message, Some(hint.to_owned()));
        }
        Some(key) => {
            for part in key {
                if spot.table.integer_key() == Some(part) && spot.column(part).is_none() {
                    let message =
                        format!("rule `{}` seals values under `{part}`, an id that the engine gives", spot.rule.name);
                    let hint = "a sealed value is bound to its row for life: choose a key that the source gives";
                    spot.refuse(told, spot.rule.line, message, Some(hint.to_owned()));
                }
            }
        }
    }
    for secret in sealed {
        let Some(column) = spot.table.column(&secret.name) else {
            continue; // `columns` tells that it is not there.
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
        spot.refuse(told, secret.line, message, None);
    }
}

/// A path that is secret somewhere in a mapping is secret in all of it.
pub(super) fn check_clear_uses(mapping: &Mapping, told: &mut Told) {
    let places = Places::of(mapping);
    let mut uses: Vec<(Place, u32)> = Vec::new();
    for rule in &mapping.rules {
        let at = At { mapping, rule };
        for part in &rule.key {
            if let KeyPart::Path(path) = part {
                uses.extend(at.places(path, &[]).into_iter().map(|place| (place, rule.line)));
            }
        }
        for expr in rule
            .columns
            .iter()
            .flat_map(|column| std::iter::once(&column.expr).chain(column.agrees.as_ref().map(|(expr, _)| expr)))
        {
            at.reads(expr, &mut |place, line| uses.push((place, line)));
        }
        if let Some(when) = &rule.when {
            at.compared(when, &mut |place| uses.push((place, rule.line)));
        }
    }
    uses.sort_by_key(|(_, line)| *line);
    uses.dedup();
    for (place, line) in uses {
        if let Some(secret) = places.secret.iter().find(|secret| place.is_in(secret)) {
            let message = format!("`{}` is a secret of this mapping, and is used in clear text here", secret.show());
            let hint = "seal it here too, or say why it is none with `declassify = \"reason\"` beside the secret";
            told.refuse(&mapping.file, line, message, Some(hint.to_owned()));
        }
    }
}

pub(super) fn check_names(set: &Set, told: &mut Told) {
    for mapping in &set.mappings {
        let places = Places::of(mapping);
        let mut named: Vec<(Place, u32)> = Vec::new();
        for rule in &mapping.rules {
            let at = At { mapping, rule };
            let mut see =
                |visit: &Visit<'_, '_>| named.extend(at.named(visit).into_iter().map(|place| (place, visit.line)));
            for expr in rule
                .columns
                .iter()
                .flat_map(|column| std::iter::once(&column.expr).chain(column.agrees.as_ref().map(|(expr, _)| expr)))
            {
                walk::expr(expr, &mut |visit| see(&visit));
            }
            rule.lets.iter().for_each(|(_, expr)| walk::expr(expr, &mut |visit| see(&visit)));
            if let Some(when) = &rule.when {
                walk::condition(when, rule.line, &mut |visit| see(&visit));
            }
            for part in &rule.key {
                if let KeyPart::Path(path) = part {
                    named.extend(at.places(path, &[]).into_iter().map(|place| (place, rule.line)));
                }
            }
        }
        let line = mapping.rules.first().map_or(1, |rule| rule.line);
        named.extend(mapping.expected.iter().map(|rooted| (Place::of(mapping, rooted), line)));
        named.sort_by_key(|(_, line)| *line);
        let mut seen: Vec<Place> = Vec::new();
        for (place, line) in named {
            if place.sounds_secret() && !places.decided(&place) && !seen.contains(&place) {
                let message = format!("`{}` sounds like a secret, and nothing says that it is one", place.show());
                let hint = "seal it, drop it, or ignore it with a reason";
                told.refuse(&mapping.file, line, message, Some(hint.to_owned()));
                seen.push(place);
            }
        }
    }
}

/// A value's place in a file: below the record, or (in the frame) below the document.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    frame: bool,
    path: Vec<Segment>,
}

impl Place {
    fn of(mapping: &Mapping, rooted: &Rooted) -> Self {
        // Where a document is itself the record, `$` and `@` are the same.
        let one_record = mapping.source.shapes.iter().any(|shape| shape.records.is_none() && shape.ignore.is_none());
        Self { frame: rooted.root == Root::Frame && !one_record, path: rooted.selection.0.clone() }
    }

    /// Whether it is `outer` or lies below it.
    fn is_in(&self, outer: &Place) -> bool {
        self.frame == outer.frame
            && self.path.len() >= outer.path.len()
            && self.path.iter().zip(&outer.path).all(|(mine, theirs)| match (mine, theirs) {
                (Segment::Elements, other) | (other, Segment::Elements) => *other == Segment::Elements,
                (Segment::Members, _) | (_, Segment::Members) => true,
                (Segment::Name(mine), Segment::Name(theirs)) => mine == theirs,
            })
    }

    fn sounds_secret(&self) -> bool {
        matches!(self.path.last(), Some(Segment::Name(name)) if looks_secret(name))
    }

    fn show(&self) -> String {
        let path = Selection(self.path.clone()).to_string();
        if self.frame { format!("$.{path}") } else { path }
    }
}

/// What a mapping decided.
struct Places {
    /// Sealed or dropped, and not declassified.
    secret: Vec<Place>,
    /// Sealed, dropped or declassified.
    named: Vec<Place>,
    ignored: Vec<Place>,
}

impl Places {
    fn of(mapping: &Mapping) -> Self {
        let mut named = Vec::new();
        let mut open = Vec::new();
        for rule in &mapping.rules {
            for secret in &rule.secrets {
                At { mapping, rule }.reads(&secret.expr, &mut |place, _| {
                    if secret.declassify.is_some() {
                        open.push(place.clone());
                    }
                    named.push(place);
                });
            }
        }
        let secret = named.iter().filter(|place| !open.contains(place)).cloned().collect();
        let ignored = mapping.ignore.iter().map(|(rooted, _, _)| Place::of(mapping, rooted)).collect();
        Self { secret, named, ignored }
    }

    fn decided(&self, place: &Place) -> bool {
        self.named.iter().chain(&self.ignored).any(|decided| place.is_in(decided))
    }
}

/// A rule in its mapping, from where paths start.
struct At<'c> {
    mapping: &'c Mapping,
    rule: &'c Rule,
}

impl At<'_> {
    /// The places that an expression reads, `let`s and other columns included.
    fn reads(&self, expr: &Expr, see: &mut dyn FnMut(Place, u32)) {
        self.reads_through(expr, &mut Vec::new(), see);
    }

    fn reads_through(&self, expr: &Expr, through: &mut Vec<String>, see: &mut dyn FnMut(Place, u32)) {
        let mut names = Vec::new();
        walk::expr(expr, &mut |visit| match visit.read {
            Read::Path(PathExpr { root: Root::Column(name), .. }) => names.push((name.clone(), visit.line)),
            Read::Path(path) => self.places(path, visit.within).into_iter().for_each(|place| see(place, visit.line)),
            Read::Each(each) => self.elements(each, visit.within).into_iter().for_each(|place| see(place, visit.line)),
            Read::Without(..) | Read::Row(..) | Read::Namespace => {}
        });
        for (name, line) in names {
            // A column that is used again is judged where it stands itself.
            let found = self.rule.lets.iter().find(|(other, _)| *other == name && !through.contains(&name));
            if let Some((_, expr)) = found {
                through.push(name);
                self.reads_through(expr, through, &mut |place, _| see(place, line));
            }
        }
    }

    /// The places whose values a condition compares; whether one is there, and its type, tell nothing.
    fn compared(&self, condition: &Condition, see: &mut dyn FnMut(Place)) {
        match condition {
            Condition::Equals(pairs) => pairs.iter().flat_map(|(path, _)| self.places(path, &[])).for_each(see),
            Condition::Matches(pairs) => pairs.iter().flat_map(|(path, _)| self.places(path, &[])).for_each(see),
            Condition::Exists { by, .. } => {
                by.iter().for_each(|(_, expr)| self.reads(expr, &mut |place, _| see(place)))
            }
            Condition::Any(all) | Condition::All(all) => all.iter().for_each(|one| self.compared(one, see)),
            Condition::Not(one) => self.compared(one, see),
            Condition::Members(_) | Condition::Type(_) | Condition::Root(_) => {}
        }
    }

    /// The places that are named in any way.
    fn named(&self, visit: &Visit<'_, '_>) -> Vec<Place> {
        match visit.read {
            Read::Path(path) => self.places(path, visit.within),
            Read::Each(each) => self.elements(each, visit.within),
            Read::Without(Some(path), selection) => {
                let mut places = self.places(path, visit.within);
                places.iter_mut().for_each(|place| place.path.extend(selection.0.iter().cloned()));
                places
            }
            Read::Without(None, _) | Read::Row(..) | Read::Namespace => Vec::new(),
        }
    }

    fn places(&self, path: &PathExpr, within: &[Rooted]) -> Vec<Place> {
        self.elements(&walk::selection_of(path), within)
    }

    fn elements(&self, rooted: &Rooted, within: &[Rooted]) -> Vec<Place> {
        match rooted.root {
            Root::Record | Root::Frame => vec![Place::of(self.mapping, rooted)],
            Root::Element => {
                let mut starts = match within.split_last() {
                    Some((last, outer)) => self.elements(last, outer),
                    None if self.rule.each.is_empty() => vec![Place { frame: false, path: Vec::new() }],
                    None => self.rule.each.iter().map(|each| Place::of(self.mapping, each)).collect(),
                };
                starts.iter_mut().for_each(|place| place.path.extend(rooted.selection.0.iter().cloned()));
                starts
            }
            Root::Parent(_) | Root::Column(_) | Root::Context(_) => Vec::new(),
        }
    }
}
