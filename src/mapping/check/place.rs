//! Where the values lie that a rule reads, with paths made whole.

use crate::mapping::model::{Condition, Expr, Mapping, PathExpr, PathStep, Root, Rooted, Rule};
use crate::mapping::secret_words::looks_secret;
use crate::mapping::walk::{self, Read, Visit};
use crate::record::{Segment, Selection};

/// A value's place in a file: below the record, or (in the frame) below the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mapping) struct Place {
    pub(in crate::mapping) frame: bool,
    pub(in crate::mapping) path: Vec<Segment>,
}

impl Place {
    pub(in crate::mapping) fn of(mapping: &Mapping, rooted: &Rooted) -> Self {
        // Where a document is itself the record, `$` and `@` are the same.
        let one_record = mapping.source.shapes.iter().any(|shape| shape.records.is_none() && shape.ignore.is_none());
        Self { frame: rooted.root == Root::Frame && !one_record, path: rooted.selection.0.clone() }
    }

    /// Whether it is `outer` or lies below it.
    pub(in crate::mapping) fn is_in(&self, outer: &Place) -> bool {
        self.frame == outer.frame
            && self.path.len() >= outer.path.len()
            && self.path.iter().zip(&outer.path).all(|(mine, theirs)| match (mine, theirs) {
                (Segment::Elements, other) | (other, Segment::Elements) => *other == Segment::Elements,
                (Segment::Members, _) | (_, Segment::Members) => true,
                (Segment::Name(mine), Segment::Name(theirs)) => mine == theirs,
            })
    }

    pub(in crate::mapping) fn sounds_secret(&self) -> bool {
        matches!(self.path.last(), Some(Segment::Name(name)) if looks_secret(name))
    }

    pub(in crate::mapping) fn show(&self) -> String {
        let path = Selection(self.path.clone()).to_string();
        if self.frame { format!("$.{path}") } else { path }
    }
}

/// A place that an expression reads.
pub(in crate::mapping) struct Used {
    pub(in crate::mapping) place: Place,
    pub(in crate::mapping) line: u32,
    /// Whether the value can be got back from what the expression gives.
    pub(in crate::mapping) keeps: bool,
    /// Whether it is left out of a value that is kept (`without`).
    pub(in crate::mapping) cut: bool,
}

/// A rule in its mapping, from where paths start.
pub(in crate::mapping) struct At<'c> {
    pub(in crate::mapping) mapping: &'c Mapping,
    pub(in crate::mapping) rule: &'c Rule,
}

impl At<'_> {
    /// The places that an expression reads, `let`s included.
    pub(in crate::mapping) fn reads(&self, expr: &Expr, see: &mut dyn FnMut(Used)) {
        self.reads_through(expr, true, &mut Vec::new(), see);
    }

    fn reads_through(&self, expr: &Expr, keeps: bool, through: &mut Vec<String>, see: &mut dyn FnMut(Used)) {
        let mut names = Vec::new();
        walk::expr(expr, &mut |visit| {
            let keeps = keeps && visit.keeps;
            let (places, keeps, cut) = match visit.read {
                Read::Path(PathExpr { root: Root::Column(name), .. }) => {
                    names.push((name.clone(), visit.line, keeps));
                    return;
                }
                // Of the elements that could be picked only one is kept.
                Read::Path(path) => {
                    let picks = path.steps.iter().any(|step| matches!(step, PathStep::Pick { .. }));
                    (self.places(path, visit.within), keeps && !picks, false)
                }
                Read::Without(..) => (self.named(&visit), keeps, true),
                Read::Each(each) => (self.elements(each, visit.within), false, false),
                Read::Row { .. } | Read::Namespace => return,
            };
            places.into_iter().for_each(|place| see(Used { place, line: visit.line, keeps, cut }));
        });
        for (name, line, keeps) in names {
            // A column that is used again is judged where it stands itself.
            let found = self.rule.lets.iter().find(|(other, _)| *other == name && !through.contains(&name));
            if let Some((_, expr)) = found {
                through.push(name);
                self.reads_through(expr, keeps, through, &mut |used| see(Used { line, ..used }));
            }
        }
    }

    /// The places whose values a condition compares; whether one is there, and its type, tell nothing.
    pub(in crate::mapping) fn compared(&self, condition: &Condition, see: &mut dyn FnMut(Place)) {
        match condition {
            Condition::Equals(pairs) => pairs.iter().flat_map(|(path, _)| self.places(path, &[])).for_each(see),
            Condition::Matches(pairs) => pairs.iter().flat_map(|(path, _)| self.places(path, &[])).for_each(see),
            Condition::Exists { by, .. } => {
                for (_, expr) in by {
                    self.reads(expr, &mut |used| see(used.place));
                }
            }
            Condition::Any(all) | Condition::All(all) => all.iter().for_each(|one| self.compared(one, see)),
            Condition::Not(one) => self.compared(one, see),
            Condition::Members(_) | Condition::Type(_) | Condition::Root(_) => {}
        }
    }

    /// The places that are named in any way.
    pub(in crate::mapping) fn named(&self, visit: &Visit<'_, '_>) -> Vec<Place> {
        match visit.read {
            Read::Path(path) => self.places(path, visit.within),
            Read::Each(each) => self.elements(each, visit.within),
            Read::Without(Some(path), selection) => {
                let mut places = self.places(path, visit.within);
                places.iter_mut().for_each(|place| place.path.extend(selection.0.iter().cloned()));
                places
            }
            Read::Without(None, _) | Read::Row { .. } | Read::Namespace => Vec::new(),
        }
    }

    pub(in crate::mapping) fn places(&self, path: &PathExpr, within: &[Rooted]) -> Vec<Place> {
        self.elements(&walk::selection_of(path), within)
    }

    pub(in crate::mapping) fn elements(&self, rooted: &Rooted, within: &[Rooted]) -> Vec<Place> {
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
