//! The forms of the documents of a type, and where their records are.

use super::words::Shape;
use crate::document::tape::{Segment, Selection};
use crate::inspect::profile::{At, Profile, Stats};

/// More members beside the records are not the file's form: then the document is the row around them.
const MOST_BESIDE: usize = 5;
/// Words in the names of what is said about a file, and not in it.
const ABOUT_FILES: [&str; 22] = [
    "version",
    "schema",
    "saved",
    "updated",
    "exported",
    "generated",
    "created",
    "modified",
    "count",
    "total",
    "type",
    "kind",
    "format",
    "page",
    "next",
    "timestamp",
    "date",
    "source",
    "app",
    "key",
    "generator",
    "tool",
];
/// Why an empty document loses nothing.
pub(super) const NOTHING_IN_IT: &str = "nothing is in it";

/// The records of some shapes.
pub(super) struct Records {
    /// From the document.
    pub(super) records: Vec<Segment>,
    pub(super) at: At,
    /// What holds them.
    pub(super) map: At,
    /// The names of those shapes; none where there are no others.
    pub(super) shapes: Vec<&'static str>,
    /// Whether they are objects, although the same path leads to other documents, too, which another shape takes.
    pub(super) only_objects: bool,
    /// Whether they are no containers, since other shapes take all of those.
    pub(super) only_scalars: bool,
}

/// The shapes of a type with their records.
pub(super) struct Shapes {
    pub(super) shapes: Vec<Shape>,
    pub(super) records: Vec<Records>,
    /// Members of the document that are no part of its records.
    pub(super) beside: Vec<(Vec<Segment>, bool)>,
}

/// Documents that are lines: each is a record.
pub(super) fn lines() -> Shapes {
    let mut found = Shapes { shapes: Vec::new(), records: Vec::new(), beside: Vec::new() };
    found.add("line", Vec::new(), 0, 0);
    found.records.iter_mut().for_each(|records| records.shapes.clear());
    found
}

/// How the documents of a type are read, the most special form first.
pub(super) fn shapes(profile: &Profile) -> Shapes {
    let root = &profile.stats[0];
    let mut found = Shapes { shapes: Vec::new(), records: Vec::new(), beside: Vec::new() };
    let scalars = root.count - root.objects - root.arrays;
    let list = root.elements.filter(|at| root.arrays > 0 && profile.stats[*at].count > 0);
    if let Some(at) = list {
        found.add("list", vec![Segment::Elements], at, 0);
    }
    if let Some(any) = root.any_member
        && root.objects > 0
        && !root.odd_names
        && profile.stats[any].objects * 2 > profile.stats[any].count
    {
        found.add("by-name", vec![Segment::Members], any, 0);
    } else if let Some((name, list, at)) = wrapped(profile) {
        found.beside = beside(profile, root, list);
        found.add("wrapped", vec![Segment::Name(name), Segment::Elements], at, list);
    }
    // What is left is documents that are one record each, or arrays without elements.
    let read = |shapes: &[Shape], kind: &str| {
        shapes.iter().any(|shape| match shape.records.as_ref().map(|records| &records.0[..]) {
            Some([Segment::Elements]) => kind == "array",
            Some(_) => kind == "object",
            None => false,
        })
    };
    let (arrays, objects) = (read(&found.shapes, "array"), read(&found.shapes, "object"));
    if root.arrays > 0 && !arrays && root.arrays < root.count {
        found.shapes.push(Shape { name: "empty", ignore: Some(NOTHING_IN_IT), ..Shape::default() });
    }
    if root.arrays < root.count && (scalars > 0 || !objects) || found.shapes.is_empty() {
        found.add("one", Vec::new(), 0, 0);
        if let Some(one) = found.records.last_mut() {
            one.only_objects = root.objects > 0 && scalars == 0;
            one.only_scalars = objects && scalars > 0;
        }
    }
    if found.shapes.len() == 1 {
        found.records.iter_mut().for_each(|records| records.shapes.clear());
    }
    found
}

impl Shapes {
    fn add(&mut self, name: &'static str, records: Vec<Segment>, at: At, map: At) {
        let selection = (!records.is_empty()).then(|| Selection(records.clone()));
        self.shapes.push(Shape { name, records: selection, ..Shape::default() });
        match self.records.iter_mut().find(|known| known.at == at && !known.records.is_empty()) {
            // The same records in another form.
            Some(known) => known.shapes.push(name),
            None => self.records.push(Records {
                records,
                at,
                map,
                shapes: vec![name],
                only_objects: false,
                only_scalars: false,
            }),
        }
    }
}

/// The one list of rows in documents that are nothing else.
fn wrapped(profile: &Profile) -> Option<(String, At, At)> {
    let root = &profile.stats[0];
    let mut lists = root.members.iter().filter_map(|(name, at)| {
        let list = &profile.stats[*at];
        let element = list.elements.filter(|_| list.arrays == list.count && list.arrays == root.objects)?;
        let of = &profile.stats[element];
        (of.objects == of.count && of.count > 0 && of.any_member.is_none()).then(|| (name.clone(), *at, element))
    });
    let (name, list, element) = lists.next().filter(|_| lists.next().is_none())?;
    let others = || root.members.iter().filter(|(_, at)| *at != list && profile.stats[*at].count > 0);
    let fits = others().count() <= MOST_BESIDE
        && others()
            .all(|(name, at)| is_about_files(name) && profile.stats[*at].is_scalar() && !profile.stats[*at].secret);
    (root.any_member.is_none() && fits).then_some((name, list, element))
}

fn is_about_files(name: &str) -> bool {
    super::names::snake(name).split('_').any(|word| ABOUT_FILES.contains(&word))
}

fn beside(profile: &Profile, root: &Stats, list: At) -> Vec<(Vec<Segment>, bool)> {
    let others = root.members.iter().filter(|(_, at)| *at != list && profile.stats[*at].count > 0);
    others.map(|(name, _)| (vec![Segment::Name(name.clone())], false)).collect()
}
