//! Resolves the paths of a rule to full places in a file.

use crate::document::tape::{Segment, Selection};
use crate::mapping::model::{
    Condition, Covering, Elements, Expr, From, Mapping, PathExpr, PathStep, Root, Rooted, Rule,
};
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

    /// As [`Place::of`], one place for each choice of a union's names.
    pub(crate) fn all_of(whole: bool, rooted: &Rooted) -> Vec<Self> {
        let frame = rooted.root == Root::Frame && !whole;
        rooted.selection.choices().into_iter().map(|Selection(path)| Self { frame, path }).collect()
    }

    /// Whether it may be `outer` or lie below it.
    pub(crate) fn is_in(&self, outer: &Place) -> bool {
        self.frame == outer.frame && leads_to(&self.path, &outer.path, true)
    }

    pub(crate) fn looks_secret(&self) -> bool {
        matches!(self.path.last(), Some(Segment::Name(name)) if looks_secret(name))
    }

    pub(crate) fn show(&self) -> String {
        let root = if self.frame { Root::Frame } else { Root::Element };
        Rooted { root, selection: Selection(self.path.clone()) }.to_string()
    }
}

/// Whether the value at a path may be what the pattern selects, or (`below`) lie below that.
fn leads_to(path: &[Segment], pattern: &[Segment], below: bool) -> bool {
    use Segment::{AnyDepth, Elements, Members, Name, Spread};
    match (path.split_first(), pattern.split_first()) {
        (_, None) => below || path.iter().all(|segment| matches!(segment, AnyDepth | Spread)),
        (_, Some((AnyDepth, rest))) => {
            leads_to(path, rest, below) || path.split_first().is_some_and(|(_, path)| leads_to(path, pattern, below))
        }
        (Some((AnyDepth, more)), Some((_, rest))) => leads_to(more, pattern, below) || leads_to(path, rest, below),
        (Some((Spread, more)), Some((first, rest))) => {
            leads_to(more, pattern, below) || (matches!(first, Elements | Spread) && leads_to(more, rest, below))
        }
        (mine, Some((Spread, rest))) => {
            leads_to(path, rest, below)
                || mine.is_some_and(|(mine, more)| *mine == Elements && leads_to(more, rest, below))
        }
        (None, Some(_)) => false,
        (Some((mine, more)), Some((theirs, rest))) => {
            let same = match (mine, theirs) {
                (Elements, other) | (other, Elements) => *other == Elements,
                (Members, _) | (_, Members) => true,
                (Name(mine), Name(theirs)) => mine == theirs,
                _ => true, // unions are taken apart before
            };
            same && leads_to(more, rest, below)
        }
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
        self.place.frame == place.frame && leads_to(&place.path, &self.place.path, self.below)
    }

    /// Whether it covers the place by its last name, and not only by a `**`, which decides no secret.
    pub(crate) fn names(&self, place: &Place) -> bool {
        let named = !self.below || self.place.path.len() == place.path.len();
        named && self.place.path.last() != Some(&Segment::AnyDepth) && self.covers(place)
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
                // Of the elements that could be picked only one is kept; those beside a place are counted as they are read.
                Read::Path(path) | Read::Test(path) => {
                    let picks = path.steps.iter().any(|step| matches!(step, PathStep::Pick { .. }));
                    (self.places(path, visit.within), keeps && !picks, false)
                }
                Read::Without(..) => (self.named(&visit), keeps, true),
                Read::Selected(rooted) => (self.elements(rooted, visit.within), keeps, false),
                Read::Each(each) => (self.elements(each, visit.within), false, false),
                Read::Key(path) => (self.places(path, visit.within), false, false),
                Read::Row(_) | Read::Steps(_) | Read::Namespace | Read::Lossy(_) => return,
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
                self.rule.let_of(name).into_iter().for_each(|one| self.reads(&one.expr, &mut |used| see(used.place)));
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
            Read::Without(None, _) | Read::Row(_) | Read::Steps(_) | Read::Namespace | Read::Lossy(_) => Vec::new(),
        }
    }

    pub(crate) fn places(&self, path: &PathExpr, within: &[Vec<Rooted>]) -> Vec<Place> {
        self.elements(&walk::selection_of(path), within)
    }

    /// The members that the picks of a path compare.
    fn picked_by(&self, path: &PathExpr, within: &[Vec<Rooted>]) -> Vec<Place> {
        let picks = path.steps.iter().enumerate().filter_map(|(at, step)| match step {
            PathStep::Pick { member, .. } => Some((at, member)),
            PathStep::Name(_) | PathStep::Index(_) => None,
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
            Root::Record | Root::Frame => Place::all_of(self.whole, rooted),
            Root::Element => {
                let choices = rooted.selection.choices();
                let below = |place: &Place, choice: &Selection| {
                    let path = place.path.iter().chain(&choice.0).cloned().collect();
                    Place { path, ..place.clone() }
                };
                starts().iter().flat_map(|place| choices.iter().map(move |choice| below(place, choice))).collect()
            }
            Root::Outside => self.around(self.rule, self.mapping.rules.len()),
            Root::Parent(_) | Root::Above { .. } | Root::Column(_) | Root::Context(_) => Vec::new(),
        }
    }

    /// Where the elements of a rule lie: what its `each` selects, below its parent's element, and what `recurse` does
    /// from there.
    fn starts(&self, rule: &Rule, generations: usize) -> Vec<Place> {
        let outer = self.around(rule, generations);
        let mut starts = if rule.each.is_empty() {
            outer
        } else {
            rule.each.iter().flat_map(|each| self.selected(rule, each, &outer)).collect()
        };
        if let Some(recurse) = &rule.recurse {
            let deeper = |start: &Place| {
                let mut path = start.path.clone();
                path.push(Segment::AnyDepth);
                let start = Place { path, ..start.clone() };
                self.below(&Rooted { root: Root::Element, selection: recurse.clone() }, || vec![start])
            };
            let deeper: Vec<Place> = starts.iter().flat_map(deeper).collect();
            starts.extend(deeper);
        }
        starts
    }

    /// The elements around those of a rule: its parent's, else the record.
    fn around(&self, rule: &Rule, generations: usize) -> Vec<Place> {
        // A rule that is its own ancestor is reported elsewhere.
        match self.mapping.parent_of(rule).filter(|_| generations > 0) {
            Some(parent) => self.starts(parent, generations - 1),
            None => vec![Place { frame: false, path: Vec::new() }],
        }
    }

    fn selected(&self, rule: &Rule, each: &Elements, outer: &[Place]) -> Vec<Place> {
        match each {
            Elements::Selection(rooted) => self.below(rooted, || outer.to_vec()),
            Elements::Expr(expr) => self.spread(rule, expr, outer, 0),
        }
    }

    /// Where the elements of an expression's list lie, as far as it is one of the document's.
    fn spread(&self, rule: &Rule, expr: &Expr, outer: &[Place], depth: u32) -> Vec<Place> {
        if depth > 16 {
            return Vec::new(); // a cycle of `let`s is reported elsewhere
        }
        match &expr.from {
            From::Path(PathExpr { root: Root::Column(name), .. }) => {
                rule.let_of(name).map_or_else(Vec::new, |one| self.spread(rule, &one.expr, outer, depth + 1))
            }
            From::Path(path) => {
                let mut rooted = walk::selection_of(path);
                rooted.selection.0.push(Segment::Spread);
                self.below(&rooted, || outer.to_vec())
            }
            From::Selected(rooted) => self.below(rooted, || outer.to_vec()),
            From::First(all) => all.iter().flat_map(|one| self.spread(rule, one, outer, depth + 1)).collect(),
            _ => Vec::new(),
        }
    }
}
