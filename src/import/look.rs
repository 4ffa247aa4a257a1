//! The first look at a file: checked whole, its shape chosen, its frame kept, and its records if it is small. It
//! depends on the file and its mapping alone.

use crate::document::tape::{Kind, NodeRef, Segment, Selection, Tape};
use crate::finding::{FILE_UNREADABLE, FileId, Finding, JSON_INSIDE, Place, SHAPE_NONE};
use crate::import::made::Made;
use crate::mapping::apply::{kind_name, select, shape_fits};
use crate::mapping::model::{Mapping, Shape, TypeName};
use crate::source::lines::Block;
use crate::source::{self, Limits, Opened, Record, SourceFile};
use std::ops::Range;

/// What the first look at a file found.
#[derive(Debug)]
pub(crate) struct Shaped {
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
    /// What was made of them ahead.
    pub made: Option<Made>,
}

/// Files up to this size are read once: their records are kept, unless these take many times as much memory.
pub(crate) const SMALL: usize = 2 << 20;

/// Opens a file, checks all of it, and chooses its shape. Where its records were kept it is closed again.
///
/// # Errors
/// Findings, when the file is not what the walk saw, is broken, or has none of the mapping's shapes.
pub(crate) fn look(file: &SourceFile, limits: Limits, mapping: &Mapping) -> Result<Looked, Vec<Finding>> {
    let changed_or = |finding: Finding| match file.unchanged() {
        Err(changed) if finding.code != &FILE_UNREADABLE => changed,
        _ => finding,
    };
    let mut opened = open(file, limits, mapping).map_err(|finding| vec![changed_or(finding)])?;
    let is_small = opened.extent() <= SMALL;
    let shaped = shape(&mut opened, mapping, is_small);
    // One that was being written to is not broken: it changed.
    opened.is_it().map_err(|finding| vec![finding])?;
    let shaped = shaped?;
    let stays_open = shaped.records.is_none();
    Ok((shaped, stays_open.then_some(opened)))
}

/// Opens a file as its mapping reads it; whether it is what the walk saw is to be asked when it was read.
///
/// # Errors
/// A finding when it cannot be read.
pub(crate) fn open(file: &SourceFile, limits: Limits, mapping: &Mapping) -> Result<Opened, Finding> {
    let mut opened = source::open_as(file, limits, mapping.source.format)?;
    opened.unfold(&mapping.source.from_json, false);
    Ok(opened)
}

/// What a look at a file gives: the file too, where its records are still to be read.
pub(crate) type Looked = (Shaped, Option<Opened>);

/// A document of a file of lines, as it was looked at.
#[derive(Debug)]
pub(crate) struct LineSeen {
    /// Its bytes, without the line's end.
    pub(crate) span: Range<u64>,
    /// Whether the line has an end.
    pub(crate) has_end: bool,
    /// What was found in it.
    pub(crate) looked: Result<Looked, Vec<Finding>>,
}

/// Some lines of a file.
#[derive(Debug, Default)]
pub(crate) struct LinesSeen {
    /// Those that are not blank.
    pub(crate) lines: Vec<LineSeen>,
    /// Where the blank ones are.
    pub(crate) blank: Vec<u64>,
}

/// Looks at the lines of a block, each a document of its own. It depends on them and the mapping alone.
pub(crate) fn look_at_lines(block: &Block, limits: Limits, mapping: &Mapping) -> LinesSeen {
    let mut seen = LinesSeen::default();
    if let Some((span, finding)) = block.too_long() {
        seen.lines.push(LineSeen { span, has_end: true, looked: Err(vec![finding]) });
    }
    for line in block.lines() {
        if line.is_blank() {
            seen.blank.push(line.at);
            continue;
        }
        let mut opened = Opened::of_line(block.file, line.at, line.text.to_vec(), limits);
        opened.unfold(&mapping.source.from_json, false);
        let looked = shape(&mut opened, mapping, true).map(|shaped| {
            let stays_open = shaped.records.is_none();
            (shaped, stays_open.then_some(opened))
        });
        let span = line.at..line.at + line.text.len() as u64;
        seen.lines.push(LineSeen { span, has_end: line.has_end, looked });
    }
    seen
}

fn shape(opened: &mut Opened, mapping: &Mapping, is_small: bool) -> Result<Shaped, Vec<Finding>> {
    let shapes = &mapping.source.shapes;
    let selections: Vec<&Selection> = shapes.iter().filter_map(|shape| shape.records.as_ref()).collect();
    // Texts are selected from a document that may turn out to be a record as from a record, where it can be nothing else.
    let from_json = &mapping.source.from_json;
    let all_whole = selections.is_empty();
    opened.unfold(from_json, all_whole);
    let mut outline = source::skim(opened, &selections, is_small)?;
    let root = outline.tape.root();
    let Some(chosen) = shapes.iter().position(|shape| shape_fits(shape, root)) else {
        let (at, message) = fits_none(root, mapping, opened.unit());
        return Err(vec![Finding::new(&SHAPE_NONE, message).at(Place { file: opened.file(), offset: at })]);
    };
    let (leaves, mut notes) = (outline.leaves, std::mem::take(&mut outline.notes));
    let is_other = |selection: &Selection| Some(selection) != shapes[chosen].records.as_ref();
    let mut counted = selections.iter().zip(&outline.selected);
    let others = counted.clone().any(|(selection, count)| is_other(selection) && *count > 0);
    // How many records the shape finds in the file; one without a selection finds one.
    let count = counted.find(|(selection, _)| !is_other(selection)).map_or(1, |(_, count)| *count);
    // What only other shapes select belongs to the frame, or to the document that is the record: if there is such a
    // thing, look again.
    let is_whole = shapes[chosen].records.is_none();
    opened.unfold(from_json, is_whole);
    if others || !from_json.record.is_empty() && is_whole != all_whole {
        let own: Vec<&Selection> = shapes[chosen].records.iter().collect();
        outline = source::skim(opened, &own, is_small)?;
    }
    let (frame, records) = match &shapes[chosen].records {
        None => {
            let record = Record { tape: outline.tape, number: 1, names: Vec::new(), span: outline.span };
            (Tape::new(false), is_small.then(|| vec![record]))
        }
        Some(_) => (outline.tape, outline.records),
    };
    if let (Some(records), None, 0) = (&shapes[chosen].records, &shapes[chosen].ignore, count)
        && let Some((at, message)) = other_kind(&frame, &shapes[chosen], records)
    {
        return Err(vec![Finding::new(&SHAPE_NONE, message).at(Place { file: opened.file(), offset: at })]);
    }
    if let Some(broken) = broken(&frame, opened.file()) {
        return Err(broken);
    }
    let sha256 = opened.digest().map_err(|finding| vec![finding])?;
    let (file, replace) = (opened.file(), opened.replace());
    notes.extend(frame.odd().iter().map(|odd| replace.finding(file, *odd)));
    Ok(Shaped { shape: chosen, frame, leaves, notes, sha256, records, made: None })
}

/// Why a document is of no shape of its mapping, and where that shows.
fn fits_none(root: NodeRef<'_>, mapping: &Mapping, unit: &str) -> (u64, String) {
    if let [only] = mapping.source.shapes.as_slice()
        && let Some((at, why)) = leads_elsewhere(root, only)
    {
        return (at, format!("shape `{}`: {why}", only.name));
    }
    let names: Vec<&str> = mapping.source.shapes.iter().map(|shape| shape.name.as_str()).collect();
    let message = format!(
        "the {unit} matches none of the shapes {}; `[[source.shape]]` with `name = \"new\"`, `when = {}` and `ignore = \"why\"` \
         in {} would ignore it",
        names.join(", "),
        condition_for(root),
        mapping.file
    );
    (root.at(), message)
}

/// Where the way to the records leads to something else than the shape's first star takes.
fn leads_elsewhere(root: NodeRef<'_>, shape: &Shape) -> Option<(u64, String)> {
    let (names, wanted) = shape.need()?;
    let what = |depth: usize| match depth {
        0 => "the document".to_owned(),
        _ => format!("`{}`", Selection(names[..depth].to_vec())),
    };
    let differs = |node: NodeRef, depth: usize, expected: &str| {
        Some((node.at(), format!("{} is {} where {expected} is expected", what(depth), kind_name(node))))
    };
    let mut node = root;
    for (depth, segment) in names.iter().enumerate() {
        let Segment::Name(name) = segment else { return None };
        if node.kind() != Kind::Object {
            return differs(node, depth, "an object");
        }
        let Some(member) = node.member(name) else {
            return Some((node.at(), format!("{} is missing", what(depth + 1))));
        };
        node = member;
    }
    match wanted {
        Some(TypeName::Array) if node.kind() != Kind::Array => differs(node, names.len(), "an array"),
        Some(TypeName::Object) if node.kind() != Kind::Object => differs(node, names.len(), "an object"),
        _ => None,
    }
}

/// What is wrong with texts that should hold JSON, if anything is.
pub(crate) fn broken(tape: &Tape, file: FileId) -> Option<Vec<Finding>> {
    let finding = |(at, why): &(u64, String)| Finding::new(&JSON_INSIDE, why).at(Place { file, offset: *at });
    (!tape.broken().is_empty()).then(|| tape.broken().iter().map(finding).collect())
}

/// The first value on the way to the records that is of another kind than the selection needs, where
/// it found no record. A missing value, null or an empty container holds no record and is not an error.
fn other_kind(frame: &Tape, shape: &Shape, records: &Selection) -> Option<(u64, String)> {
    let (root, segments) = (frame.root(), &records.0);
    let wrong = |segment: &Segment, node: NodeRef| match (segment, node.kind()) {
        (_, Kind::Null | Kind::Record(_)) => None,
        (_, Kind::Array | Kind::Object) if node.is_leaf() => None,
        (Segment::Elements, Kind::Array) => None,
        (Segment::Elements, _) => Some("an array"),
        (_, Kind::Object) => None,
        _ => Some("an object"),
    };
    segments.iter().enumerate().find_map(|(depth, segment)| {
        select(root, &segments[..depth]).into_iter().find_map(|selected| {
            let node = selected.node;
            let expected = wrong(segment, node)?;
            let what = if depth == 0 {
                "the document".to_owned()
            } else {
                format!("`{}`", Selection(segments[..depth].to_vec()))
            };
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
        (Kind::Object, None) => "{ type = \"object\" }".to_owned(),
        (Kind::Array, _) => "{ type = \"array\" }".to_owned(),
        _ => "{ type = \"string\" }".to_owned(),
    }
}
