//! What a tree never used of a mapping set: mappings, shapes, paths, columns, entries of a `map`.
//!
//! A typo in a path quietly gives NULL; this is where it shows. Pure: it compares the set with what
//! was found in the tree.

use super::apply::Draft;
use super::apply::{Made, StepTaken, Trace};
use super::declared::Doc;
use super::model::{Covering, Expr, Mapping, Root, Rooted, Rule, Set};
use super::place::{At, Place, has_whole_shape};
use super::walk::{self, Read, Visit};
use crate::document::tape::{NodeId, PathId, Paths, Segment, Selection};
use crate::finding::{
    COLUMN_UNUSED, Code, IGNORE_NARROW, MAP_UNUSED, MAPPING_UNUSED, PATH_UNUSED, SHAPE_UNUSED, excerpt,
};
use crate::step::{Datum, Step};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// What was found of one shape of a mapping.
#[derive(Debug)]
pub struct Found<'f> {
    /// The index of the mapping.
    pub mapping: usize,
    /// The index of the shape.
    pub shape: usize,
    /// The paths below its records, and below its frames.
    pub paths: [&'f Paths; 2],
    /// Which of them a file really had.
    pub met: &'f Met,
}

/// The paths that files really had: a mapping's own are numbered before any file is read.
#[derive(Debug, Default, Clone)]
pub struct Met([Vec<bool>; 2]);

impl Met {
    /// A value stands at this path. For containers that are not empty it is enough to tell of what
    /// they hold.
    pub fn note(&mut self, doc: Doc, path: PathId) {
        let (of, at) = (&mut self.0[doc as usize], path as usize);
        if of.len() <= at {
            of.resize(at + 1, false);
        }
        of[at] = true;
    }

    fn has(&self, doc: Doc, path: PathId) -> bool {
        self.0[doc as usize].get(path as usize).copied().unwrap_or(false)
    }
}

/// The strings that came to each `map`, by the step's address in the set.
#[derive(Debug, Default)]
pub struct Mapped {
    texts: HashMap<usize, BTreeSet<String>>,
}

impl Mapped {
    /// A string came to a `map` of the set; others are skipped.
    pub fn note(&mut self, step: &Step, text: &str) {
        let listed = step.listed();
        if listed.contains(&text) {
            self.texts.entry(std::ptr::from_ref(step) as usize).or_default().insert(text.to_owned());
        }
    }

    /// Takes over what was noted elsewhere.
    fn add(&mut self, other: Mapped) {
        for (step, texts) in other.texts {
            self.texts.entry(step).or_default().extend(texts);
        }
    }

    fn met(&self, step: &Step, text: &str) -> bool {
        self.texts.get(&(std::ptr::from_ref(step) as usize)).is_some_and(|texts| texts.contains(text))
    }
}

/// Records what comes to each `map` while rows are made.
#[derive(Debug, Default)]
pub struct MapEntries(RefCell<Mapped>);

impl MapEntries {
    /// Takes over what was recorded elsewhere.
    pub fn add(&self, other: Mapped) {
        self.0.borrow_mut().add(other);
    }

    /// What was recorded.
    pub fn into_inner(self) -> Mapped {
        self.0.into_inner()
    }
}

impl Trace for MapEntries {
    fn begin(&self, _: &str, _: &Draft) {}
    fn read(&self, _: Doc, _: NodeId) {}
    fn step(&self, taken: &StepTaken<'_>) {
        note(&mut self.0.borrow_mut(), taken, taken.before);
    }
    fn end(&self, _: &Made<'_>) {}
}

/// Notes a value that comes to a step, part by part where it is a list.
fn note(mapped: &mut Mapped, taken: &StepTaken<'_>, datum: &Datum) {
    match datum {
        Datum::Text(text) | Datum::Number(text) => mapped.note(taken.step, text),
        Datum::Integer(value) => mapped.note(taken.step, &value.to_string()),
        Datum::List(parts) => parts.iter().for_each(|part| note(mapped, taken, part)),
        _ => {}
    }
}

/// Whether a rule of the mapping has a `map`, so that its steps are worth listening to.
pub fn has_maps(mapping: &Mapping) -> bool {
    let mut found = false;
    let mut see = |visit: Visit<'_, '_>| found |= listed(&visit).next().is_some();
    mapping.rules.iter().flat_map(Rule::exprs).for_each(|expr| walk::expr(expr, &mut see));
    found
}

/// Something of the set that the tree never used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// What kind of thing.
    pub code: &'static Code,
    /// It in words.
    pub message: String,
    /// The mapping's name.
    pub mapping: String,
    /// Where it stands: `file:line`.
    pub place: String,
}

/// Everything of a set that was not used, in the order of its files. Without `mapped` nothing is said
/// of what a `map` lists.
pub fn unused(set: &Set, found: &[Found<'_>], mapped: Option<&Mapped>) -> Vec<Unused> {
    let mut told = Vec::new();
    for (number, mapping) in set.mappings.iter().enumerate() {
        let mine: Vec<&Found<'_>> = found.iter().filter(|found| found.mapping == number).collect();
        let mut judge = Judge { mapping, found: mine, told: &mut told };
        if judge.found.is_empty() {
            // An optional mapping is read only with `--with`.
            if mapping.source.optional.is_none() {
                judge.tell(&MAPPING_UNUSED, 1, format!("no file of the tree matches mapping `{}`", mapping.name));
            }
            continue; // Then nothing in it was used.
        }
        judge.shapes();
        // Of a shape that is ignored nothing is read, so that nothing in it can be used.
        judge.found.retain(|found| mapping.source.shapes[found.shape].ignore.is_none());
        if judge.found.is_empty() {
            continue; // that there are only such files is no fault of the rules
        }
        judge.selections();
        let all = std::mem::take(&mut judge.found);
        let mapped = mapped.map(|mapped| met_entries(mapping, mapped));
        for rule in &mapping.rules {
            // An unused shape is reported once, and not again by each of its rules.
            let is_for = |found: &&&Found<'_>| {
                let name = &mapping.source.shapes[found.shape].name;
                rule.shapes.is_empty() || rule.shapes.contains(name)
            };
            judge.found = all.iter().filter(is_for).copied().collect();
            if !judge.found.is_empty() {
                judge.rule(rule, mapped.as_ref());
            }
        }
    }
    // A path that several columns name is reported once, at the first.
    let mut seen = std::collections::HashSet::new();
    told.retain(|one| seen.insert((one.code.id, one.message.clone())));
    told
}

struct Judge<'j> {
    mapping: &'j Mapping,
    found: Vec<&'j Found<'j>>,
    told: &'j mut Vec<Unused>,
}

impl Judge<'_> {
    fn tell(&mut self, code: &'static Code, line: u32, message: String) {
        let place = format!("{}:{line}", self.mapping.file);
        self.told.push(Unused { code, message, mapping: self.mapping.name.clone(), place });
    }

    fn shapes(&mut self) {
        for (number, shape) in self.mapping.source.shapes.iter().enumerate() {
            if !self.found.iter().any(|found| found.shape == number) {
                self.tell(&SHAPE_UNUSED, shape.line, format!("no file of the tree has the shape `{}`", shape.name));
            }
        }
    }

    /// `[ignore]`.
    fn selections(&mut self) {
        for (covering, _, line) in &self.mapping.ignore {
            let place = Place::of(has_whole_shape(self.mapping), &covering.rooted);
            if !self.holds(&place) {
                self.tell(&PATH_UNUSED, *line, format!("no file of the tree has a value at `{}`", place.show()));
            }
        }
        for (covering, _, line) in self.mapping.ignore.iter().filter(|(covering, _, _)| !covering.below) {
            let place = Place::of(has_whole_shape(self.mapping), &covering.rooted);
            let holds_below = |segment: Segment| {
                let mut below = place.clone();
                below.path.push(segment);
                self.holds(&below)
            };
            if place.path.last() != Some(&Segment::AnyDepth)
                && (holds_below(Segment::Members) || holds_below(Segment::Elements))
            {
                let below = Covering { below: true, ..covering.clone() };
                let message = format!(
                    "`{covering}` under [ignore] covers no more than the value itself, and files have values below it; \
                     `{below}` covers those, too"
                );
                self.tell(&IGNORE_NARROW, *line, message);
            }
        }
    }

    fn holds(&self, place: &Place) -> bool {
        self.found.iter().any(|found| {
            let [record, frame] = found.paths;
            // Where one shape has records and another has none, `$` may mean either document.
            frame.holds(&place.path, &|path| found.met.has(Doc::Frame, path))
                || (!place.frame && record.holds(&place.path, &|path| found.met.has(Doc::Record, path)))
        })
    }

    fn rule(&mut self, rule: &Rule, mapped: Option<&MetEntries>) {
        let mut missing: Vec<(Place, u32)> = Vec::new();
        let at = At::new(self.mapping, rule);
        if !rule.each.is_empty() {
            let element = Rooted { root: Root::Element, selection: Selection::default() };
            missing.extend(at.elements(&element, &[]).into_iter().map(|place| (place, rule.line)));
        }
        walk::tests(rule, &mut |visit| {
            missing.extend(at.named(&visit).into_iter().map(|place| (place, visit.line)));
        });
        for column in &rule.columns {
            let mut places = self.places(&at, &column.expr);
            if !places.is_empty() && !places.iter().any(|(place, _)| self.holds(place)) {
                let shown: Vec<String> = places.iter().map(|(place, _)| format!("`{}`", place.show())).collect();
                let of = format!("`{}.{}`", rule.name, column.name);
                let message = format!("no file of the tree has a value for {of}, at {}", shown.join(" or "));
                self.tell(&COLUMN_UNUSED, column.line, message);
                places.clear();
            }
            missing.extend(places);
            if let Some(agrees) = &column.agrees {
                missing.extend(self.places(&at, &agrees.expr));
            }
        }
        for drop in &rule.drops {
            missing.extend(at.elements(&drop.selection, &[]).into_iter().map(|place| (place, drop.line)));
        }
        missing.retain(|(place, _)| !self.holds(place));
        missing.sort_by_key(|(place, line)| (*line, place.show()));
        missing.dedup();
        for (place, line) in missing {
            self.tell(&PATH_UNUSED, line, format!("no file of the tree has a value at `{}`", place.show()));
        }
        if let Some(mapped) = mapped {
            rule.exprs().for_each(|expr| walk::expr(expr, &mut |visit| self.entries(&visit, mapped)));
        }
    }

    fn places(&self, at: &At<'_>, expr: &Expr) -> Vec<(Place, u32)> {
        let mut places = Vec::new();
        walk::through(at.rule, expr, &mut |visit| {
            places.extend(at.named(&visit).into_iter().map(|place| (place, visit.line)));
        });
        places.dedup();
        places
    }

    /// What a `map` lists.
    fn entries(&mut self, visit: &Visit<'_, '_>, met: &MetEntries) {
        for (_, text) in listed(visit).filter(|(_, text)| !met.contains(&(visit.line, (*text).to_owned()))) {
            let message = format!("no file of the tree has the value {} that `map` lists", excerpt(text));
            self.tell(&MAP_UNUSED, visit.line, message);
        }
    }
}

/// The values of each `map` that came to it, by its line: rules may share what is written once.
type MetEntries = BTreeSet<(u32, String)>;

fn met_entries(mapping: &Mapping, mapped: &Mapped) -> MetEntries {
    let mut met = MetEntries::new();
    let mut see = |visit: Visit<'_, '_>| {
        let entries = listed(&visit).filter(|(step, text)| mapped.met(step, text));
        met.extend(entries.map(|(_, text)| (visit.line, text.to_owned())));
    };
    mapping.rules.iter().flat_map(Rule::exprs).for_each(|expr| walk::expr(expr, &mut see));
    met
}

/// The values that each `map` lists, where the steps of an expression are visited.
fn listed<'m>(visit: &Visit<'m, '_>) -> impl Iterator<Item = (&'m Step, &'m str)> {
    let steps = match visit.read {
        Read::Steps(steps) => steps,
        _ => &[],
    };
    steps.iter().flat_map(|step| step.listed().into_iter().map(move |text| (step, text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::load::{SetSource, load};

    #[test]
    fn what_no_file_has_is_reported_with_its_line() {
        let mapping = "\
[source]
files = [\"notes.json\"]
[[source.shape]]
name = \"list\"
records = \"[*]\"
[[source.shape]]
name = \"old\"
records = \"items[*]\"
[table.notes]
key = [\"id\"]
[table.notes.columns]
id = \"id\"
title = { from = [\"title\", \"nmae\"] }
colour = \"color\"
kind = { from = \"kind\", steps = [{ map = { a = \"A\", b = \"B\" } }] }
[ignore]
\"size\" = \"not used\"
";
        let files = vec![
            ("set.toml".to_owned(), "name = \"n\"".to_owned()),
            ("notes.toml".to_owned(), mapping.to_owned()),
            ("other.toml".to_owned(), mapping.replace("notes.json", "other.json")),
        ];
        let set = load(&SetSource::Files { folder: "m".to_owned(), files }).expect("it is sound");
        let mut record = Paths::new();
        let mut met = Met::default();
        for name in ["id", "title", "kind"] {
            met.note(Doc::Record, record.member(0, name));
        }
        record.member(0, "color"); // numbered, and in no file
        let mut mapped = Mapped::default();
        let rule = &set.mappings[0].rules[0];
        mapped.note(&rule.columns[3].expr.steps[0], "a");
        let frame = Paths::new();
        let found = [Found { mapping: 0, shape: 0, paths: [&record, &frame], met: &met }];
        let told: Vec<String> = unused(&set, &found, Some(&mapped))
            .into_iter()
            .map(|unused| format!("{} {} @ {}", unused.code.id, unused.message, unused.place))
            .collect();
        assert_eq!(
            told,
            [
                "U002 no file of the tree has the shape `old` @ m/notes.toml:6",
                "U003 no file of the tree has a value at `size` @ m/notes.toml:17",
                "U004 no file of the tree has a value for `notes.colour`, at `color` @ m/notes.toml:14",
                "U003 no file of the tree has a value at `nmae` @ m/notes.toml:13",
                "U005 no file of the tree has the value \"b\" that `map` lists @ m/notes.toml:15",
                "U001 no file of the tree matches mapping `other` @ m/other.toml:1",
            ]
        );
    }
}
