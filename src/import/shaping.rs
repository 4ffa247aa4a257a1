//! The first look at a file: checked whole, its shape chosen, its frame kept.

use crate::document::name::NameLeaf;
use crate::document::tape::{Kind, NodeRef, Paths, Segment, Selection, Tape};
use crate::finding::{Finding, SHAPE_NONE};
use crate::mapping::apply::{Current, FileContext, Scope, Trace, kind_name, select, shape_fits};
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::keyindex::KeyIndex;
use crate::mapping::model::{Mapping, Shape};
use crate::mapping::secret_words::looks_secret;
use crate::source::{self, Opened, Record, RecordRef};
use std::collections::HashMap;
use std::rc::Rc;

/// What the first look at a file found.
#[derive(Debug)]
pub struct Shaped {
    /// The index of the shape in its mapping.
    pub shape: usize,
    /// The document without its records; empty where the document is the record.
    pub frame: Tape,
    /// How many leaves the whole file has.
    pub leaves: u64,
    /// Notes, none of them an error.
    pub notes: Vec<Finding>,
    /// SHA-256 of the file's bytes.
    pub sha256: [u8; 32],
    /// Its records, where they were kept.
    pub records: Option<Vec<Record>>,
}

/// Paths of records of one shape, and what the mapping says about paths.
#[derive(Debug)]
pub struct PathTable {
    /// Below the record.
    pub record: Paths,
    /// What the mapping says.
    pub declared: Declared,
}

/// Every path met so far: they are learnt once and not once per file.
#[derive(Debug, Default)]
pub struct PathTables {
    tables: HashMap<(usize, usize), PathTable>,
    frames: HashMap<usize, Paths>,
}

impl PathTables {
    /// Takes a shape's table out, for the time that a file is read.
    pub fn take(&mut self, number: usize, mapping: &Mapping, shape: usize) -> PathTable {
        self.tables.remove(&(number, shape)).unwrap_or_else(|| {
            let declared = Declared::new(mapping, &mapping.source.shapes[shape]);
            let mut record = Paths::keeping_apart(looks_secret);
            declared.intern(Doc::Record, &mut record);
            PathTable { record, declared }
        })
    }

    /// Puts it back.
    pub fn put_back(&mut self, number: usize, shape: usize, table: PathTable) {
        self.tables.insert((number, shape), table);
    }

    /// What is known of a shape's paths, below its records and in the frames of its mapping's files.
    pub fn known(&self, number: usize, shape: usize) -> Option<(&PathTable, &Paths)> {
        Some((self.tables.get(&(number, shape))?, self.frames.get(&number)?))
    }

    /// Paths of frames of a mapping's files.
    pub fn frame(&mut self, number: usize, mapping: &Mapping) -> &mut Paths {
        self.frames.entry(number).or_insert_with(|| {
            let mut paths = Paths::keeping_apart(looks_secret);
            for shape in &mapping.source.shapes {
                Declared::new(mapping, shape).intern(Doc::Frame, &mut paths);
            }
            paths
        })
    }
}

/// Files up to this size are read once: their records are kept.
const SMALL: usize = 2 << 20;

/// Checks a whole file and chooses its shape.
///
/// # Errors
/// Findings, when the file is broken or has none of the mapping's shapes.
pub fn shape(
    opened: &mut Opened,
    number: usize,
    mapping: &Mapping,
    tables: &mut PathTables,
) -> Result<Shaped, Vec<Finding>> {
    let shapes = &mapping.source.shapes;
    let mut selections: Vec<&Selection> = shapes.iter().filter_map(|shape| shape.records.as_ref()).collect();
    // Where all shapes have the same records, these are known before the shape is.
    let is_one = shapes.iter().all(|shape| shape.records == shapes[0].records);
    if is_one {
        selections.truncate(1);
    }
    let keep = is_one && opened.held() <= SMALL;
    let mut outline = source::skim(opened, &selections, keep)?;
    let root = outline.tape.root();
    let fits = |shape: &Shape| shape.when.as_ref().is_none_or(|when| shape_fits(when, root));
    let Some(chosen) = shapes.iter().position(fits) else {
        let names: Vec<&str> = shapes.iter().map(|shape| shape.name.as_str()).collect();
        let place = crate::finding::Place { file: opened.file(), offset: root.at() };
        let message = format!(
            "the file matches none of the shapes {}; `[[source.shape]]` with `name = \"new\"`, `when = {}` and `ignore = \"why\"` \
             in {} would ignore it",
            names.join(", "),
            condition_for(root),
            mapping.file
        );
        return Err(vec![Finding::new(&SHAPE_NONE, message).at(place)]);
    };
    let (leaves, notes) = (outline.leaves, std::mem::take(&mut outline.notes));
    // How many records the shape finds in the file; one without a selection finds one.
    let counted = |records: &Selection| selections.iter().zip(&outline.selected).find(|(of, _)| **of == records);
    let count = shapes[chosen].records.as_ref().and_then(counted).map_or(1, |(_, count)| *count);
    let mut records = keep.then(|| std::mem::take(&mut outline.records));
    let mut frame = match &shapes[chosen].records {
        None => {
            let (tape, span) = (outline.tape, outline.span);
            records = keep.then(|| vec![Record { tape, number: 1, names: Vec::new(), span }]);
            Tape::new(false)
        }
        // What only other shapes select belongs to the frame: if there is such a thing, look again.
        Some(records) => {
            let others = selections.iter().zip(&outline.selected).any(|(other, count)| *other != records && *count > 0);
            if others { source::skim(opened, &[records], false)?.tape } else { outline.tape }
        }
    };
    frame.number_paths(tables.frame(number, mapping));
    if let (Some(records), None, 0) = (&shapes[chosen].records, &shapes[chosen].ignore, count) {
        let wrong = other_kind(frame.root(), &shapes[chosen], records, tables.frame(number, mapping));
        if let Some((at, message)) = wrong {
            let place = crate::finding::Place { file: opened.file(), offset: at };
            return Err(vec![Finding::new(&SHAPE_NONE, message).at(place)]);
        }
    }
    let sha256 = opened.digest().map_err(|finding| vec![finding])?;
    let mut table = tables.take(number, mapping, chosen);
    records.iter_mut().flatten().for_each(|record| record.tape.number_paths(&mut table.record));
    table.declared.learn(Doc::Frame, tables.frame(number, mapping));
    tables.put_back(number, chosen, table);
    Ok(Shaped { shape: chosen, frame, leaves, notes, sha256, records })
}

/// What the rules see of one record.
pub fn record_scope<'a, 't>(
    file: &'a FileContext,
    declared: &'a Declared,
    index: &'a KeyIndex,
    shape: &Shape,
    record: &RecordRef<'t>,
    frame: &'t Tape,
    trace: Option<&'a dyn Trace>,
) -> Scope<'a, 't> {
    let (root, whole) = (record.tape.root(), shape.records.is_none());
    let last = u32::try_from(record.names.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let named = shape.key_as.iter().zip(record.name());
    let names = named.map(|(context, name)| (context.clone(), name.to_owned(), NameLeaf::OfRecord(last)));
    Scope {
        file,
        declared,
        index,
        record: root,
        frame: if whole { root } else { frame.root() },
        whole,
        element: Current::Node(root),
        position: i64::try_from(record.number).unwrap_or(i64::MAX),
        trace,
        names: Rc::new(names.collect()),
    }
}

/// The first value on the way to the records that is of another kind than the selection needs, where
/// it found no record. A missing value, null or an empty container holds no record and is not an error.
fn other_kind(root: NodeRef, shape: &Shape, records: &Selection, paths: &Paths) -> Option<(u64, String)> {
    let segments = &records.0;
    let wrong = |segment: &Segment, node: NodeRef| match (segment, node.kind()) {
        (_, Kind::Null | Kind::Record(_)) => None,
        (_, Kind::Array | Kind::Object) if node.is_leaf() => None,
        (Segment::Elements, Kind::Array) | (Segment::Members | Segment::Name(_), Kind::Object) => None,
        (Segment::Elements, _) => Some("an array"),
        (Segment::Members | Segment::Name(_), _) => Some("an object"),
    };
    segments.iter().enumerate().find_map(|(depth, segment)| {
        select(root, &segments[..depth]).into_iter().find_map(|selected| {
            let node = selected.node;
            let expected = wrong(segment, node)?;
            let what = if depth == 0 { "the document".to_owned() } else { format!("`{}`", paths.show(node.path())) };
            let found = kind_name(node);
            let message = format!("shape `{}`: {what} is {found} where {expected} is expected", shape.name);
            Some((node.at(), message))
        })
    })
}

/// A condition that holds for a document of this form.
fn condition_for(root: NodeRef<'_>) -> String {
    match (root.kind(), root.children().find_map(NodeRef::name)) {
        (Kind::Object, Some(name)) => format!("{{ members = [{}] }}", serde_json::Value::from(name)),
        (Kind::Object, None) => "{ root = \"object\" }".to_owned(),
        (Kind::Array, _) => "{ root = \"array\" }".to_owned(),
        _ => "{ root = \"string\" }".to_owned(),
    }
}
