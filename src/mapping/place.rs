//! Resolves the paths of a rule to full places in a file.

use crate::document::tape::{Segment, Selection};
use crate::mapping::model::{Condition, Covering, Expr, Mapping, PathExpr, PathStep, Root, Rooted, Rule};
use crate::mapping::secret_words::looks_secret;
use crate::mapping::walk::{self, Read, Visit};

/// A value's place in a file: below the record, or (in the frame) below the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) frame: bool,
    pub(crate) path: Vec<Segment>,
}

impl Place {
    /// Where a document is itself the record (`whole`), `$` and `@` are the same.
    pub(crate) fn of(whole: bool, rooted: &Rooted) -> Self {
        Self { frame: rooted.root == Root::Frame && !whole, path: rooted.selection.0.clone() }
    }

    /// Whether it is `outer` or lies below it.
    pub(crate) fn is_in(&self, outer: &Place) -> bool {
        self.frame == outer.frame
            && self.path.len() >= outer.path.len()
            && self.path.iter().zip(&outer.path).all(|(mine, theirs)| match (mine, theirs) {
                (Segment::Elements, other) | (other, Segment::Elements) => *other == Segment::Elements,
                (Segment::Members, _) | (_, Segment::Members) => true,
                (Segment::Name(mine), Segment::Name(theirs)) => mine == theirs,
            })
    }

    pub(crate) fn looks_secret(&self) -> bool {
        matches!(self.path.last(), Some(Segment::Name(name)) if looks_secret(name))
    }

    pub(crate) fn show(&self) -> String {
        let root = if self.frame { Root::Frame } else { Root::Element };
        Rooted { root, selection: Selection(self.path.clone()) }.to_string()
    }
}

/// The places that an entry of `expected` or `[ignore]` covers.
pub(crate) struct Covered {
    pub(crate) place: Place,
    pub(crate) below: bool,
}

impl Covered {
    pub(crate) fn of(whole: bool, covering: &Covering) -> Self {
        Self { place: Place::of(whole, &covering.rooted), below: covering.below }
    }

    pub(crate) fn covers(&self, place: &Place) -> bool {
        place.is_in(&self.place) && (self.below || place.path.len() == self.place.path.len())
    }
}

/// A place that an expression reads.
pub(crate) struct Used {
    pub(crate) place: Place,
    pub(crate) line: u32,
    /// Whether the value can be got back from what the expression gives.
    pub(crate) keeps: bool,
    /// Whether it is left out of a value that is kept (`without`).
    pub(crate) cut: bool,
    /// Whether only its presence or type is tested, which reveals nothing.
    pub(crate) tested: bool,
}

/// Whether the files of a mapping have one record, the document, in any of their shapes.
pub(crate) fn has_whole_shape(mapping: &Mapping) -> bool {
    mapping.source.shapes.iter().any(|shape| shape.records.is_none() && shape.ignore.is_none())
}

/// A rule in its mapping, from where paths start.
pub(crate) struct At<'c> {
    pub(crate) mapping: &'c Mapping,
    pub(crate) rule: &'c Rule,
    /// Whether the document is itself the record.
    pub(crate) whole: bool,
}

impl<'c> At<'c> {
    /// The rule in any shape of its mapping.
    pub(crate) fn new(mapping: &'c Mapping, rule: &'c Rule) -> Self {
        Self { mapping, rule, whole: has_whole_shape(mapping) }
    }

    /// The places that an expression reads, `let`s included.
    pub(crate) fn reads(&self, expr: &Expr, see: &mut dyn FnMut(Used)) {
        self.reads_through(expr, true, None, see);
    }

    /// The places that a secret is made from, through `let`s and other columns.
    pub(crate) fn made_from(&self, expr: &Expr, see: &mut dyn FnMut(Used)) {
        self.reads_through(expr, true, Some(&mut Vec::new()), see);
    }

    /// `through`: the columns that were followed so far; without it none is, as a column that is used again is checked
    /// where it is defined.
    fn reads_through(&self, expr: &Expr, keeps: bool, through: Option<&mut Vec<String>>, see: &mut dyn FnMut(Used)) {
        let mut names = Vec::new();
        walk::through(self.rule, expr, &mut |visit| {
            let keeps = keeps && visit.keeps;
            let tested = matches!(visit.read, Read::Test(_));
            let (places, keeps, cut) = match visit.read {
                Read::Path(PathExpr { root: Root::Column(name), .. })
                | Read::Test(PathExpr { root: Root::Column(name), .. }) => {
                    names.push((name.clone(), visit.line, keeps));
                    return;
                }
                // Of the elements that could be picked only one is kept.
                Read::Path(path) | Read::Test(path) => {
                    let picks = path.steps.iter().any(|step| matches!(step, PathStep::Pick { .. }));
                    (self.places(path, visit.within), keeps && !picks, false)
                }
                Read::Without(..) => (self.named(&visit), keeps, true),
                Read::Selected(rooted) => (self.elements(rooted, visit.within), keeps, false),
                Read::Each(each) => (self.elements(each, visit.within), false, false),
                Read::Key(path) => (self.places(path, visit.within), false, false),
                Read::Row(_) | Read::Steps(_) | Read::Namespace => return,
            };
            places.into_iter().for_each(|place| see(Used { place, line: visit.line, keeps, cut, tested }));
        });
        let Some(through) = through else { return };
        for (name, line, keeps) in names {
            if through.contains(&name) {
                continue; // seen on the way here
            }
            if let Some(column) = self.rule.column(&name) {
                through.push(name);
                let see = &mut |used| see(Used { line, ..used });
                self.reads_through(&column.expr, keeps, Some(through), see);
            }
        }
    }

    /// The places whose values a condition compares; whether one is present, and its type, reveal nothing.
    pub(crate) fn compared(&self, condition: &Condition, see: &mut dyn FnMut(Place)) {
        match condition {
            Condition::Equals(pairs) => pairs.iter().for_each(|(path, _)| self.compared_path(path, see)),
            Condition::Matches(pairs) => pairs.iter().for_each(|(path, _)| self.compared_path(path, see)),
            Condition::Exists(ways) => {
                for by in ways.iter().flat_map(|row| &row.by) {
                    self.reads(&by.expr, &mut |used| see(used.place));
                }
            }
            Condition::Any(all) | Condition::All(all) => all.iter().for_each(|one| self.compared(one, see)),
            Condition::Not(one) => self.compared(one, see),
            Condition::Members(_) | Condition::Type(_) => {}
        }
    }

    fn compared_path(&self, path: &PathExpr, see: &mut dyn FnMut(Place)) {
        match &path.root {
            Root::Column(name) => {
                self.rule.let_of(name).into_iter().for_each(|expr| self.reads(expr, &mut |used| see(used.place)));
            }
            _ => self.places(path, &[]).into_iter().for_each(see),
        }
    }

    /// The places that are named in any way.
    pub(crate) fn named(&self, visit: &Visit<'_, '_>) -> Vec<Place> {
        match visit.read {
            Read::Path(path) | Read::Test(path) => {
                let mut places = self.places(path, visit.within);
                places.extend(self.picked_by(path, visit.within));
                places
            }
            Read::Key(path) => self.places(path, visit.within),
            Read::Selected(rooted) | Read::Each(rooted) => self.elements(rooted, visit.within),
            Read::Without(Some(path), selection) => {
                let mut places = self.places(path, visit.within);
                places.iter_mut().for_each(|place| place.path.extend(selection.0.iter().cloned()));
                places
            }
            Read::Without(None, _) | Read::Row(_) | Read::Steps(_) | Read::Namespace => Vec::new(),
        }
    }

    pub(crate) fn places(&self, path: &PathExpr, within: &[Vec<Rooted>]) -> Vec<Place> {
        self.elements(&walk::selection_of(path), within)
    }

    /// The members that the picks of a path compare.
    fn picked_by(&self, path: &PathExpr, within: &[Vec<Rooted>]) -> Vec<Place> {
        let picks = path.steps.iter().enumerate().filter_map(|(at, step)| match step {
            PathStep::Pick { member, .. } => Some((at, member)),
            PathStep::Name(_) => None,
        });
        picks
            .flat_map(|(at, member)| {
                let picked = PathExpr { root: path.root.clone(), steps: path.steps[..=at].to_vec() };
                let mut places = self.places(&picked, within);
                places.iter_mut().for_each(|place| place.path.push(Segment::Name(member.clone())));
                places
            })
            .collect()
    }

    pub(crate) fn elements(&self, rooted: &Rooted, within: &[Vec<Rooted>]) -> Vec<Place> {
        let starts = || match within.split_last() {
            Some((last, outer)) => last.iter().flat_map(|rooted| self.elements(rooted, outer)).collect(),
            None => self.starts(self.rule, self.mapping.rules.len()),
        };
        self.below(rooted, starts)
    }

    fn below(&self, rooted: &Rooted, starts: impl FnOnce() -> Vec<Place>) -> Vec<Place> {
        match rooted.root {
            Root::Record | Root::Frame => vec![Place::of(self.whole, rooted)],
            Root::Element => {
                let mut starts = starts();
                starts.iter_mut().for_each(|place| place.path.extend(rooted.selection.0.iter().cloned()));
                starts
            }
            Root::Parent(_) | Root::Column(_) | Root::Context(_) => Vec::new(),
        }
    }

    /// Where the elements of a rule lie: what its `each` selects, below its parent's element.
    fn starts(&self, rule: &Rule, generations: usize) -> Vec<Place> {
        // A rule that is its own ancestor is reported elsewhere.
        let outer = match self.mapping.parent_of(rule).filter(|_| generations > 0) {
            Some(parent) => self.starts(parent, generations - 1),
            None => vec![Place { frame: false, path: Vec::new() }],
        };
        if rule.each.is_empty() {
            return outer;
        }
        rule.each.iter().flat_map(|each| self.below(each, || outer.clone())).collect()
    }
}
