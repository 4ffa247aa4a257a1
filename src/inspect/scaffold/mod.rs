//! A first mapping set for a tree, made from its contents. It passes `check`; every guess in it is
//! marked for review.

mod columns;
mod words;

use super::profile::{At, Profile};
use super::{FileType, Inspection};
use crate::database::ddl::drop_table;
use crate::document::tape::{Segment, Selection};
use crate::mapping::model::Root;
use columns::Table;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use words::{snake, toml_string, unique};

/// The files of a set: relative name and text.
pub type Files = Vec<(String, String)>;

/// A first mapping set of this name.
pub fn scaffold(mut inspection: Inspection, name: &str) -> Files {
    let name = snake(name);
    let mut taken = BTreeSet::from(["set".to_owned()]);
    let (mut files, mut tables, mut ignored) = (Files::new(), Vec::<Table>::new(), Vec::new());
    for of in &mut inspection.types {
        if of.other + of.broken.len() as u64 == of.files {
            let what = if of.broken.is_empty() { "not JSON" } else { "invalid JSON" };
            ignored.push((of.pattern.clone(), what));
            continue; // nothing is known of what is in it
        }
        let mapping = unique(&snake(stem(&of.pattern)), &mut taken);
        let (text, made) = mapping_file(of, &mapping, &mut tables);
        files.push((format!("{mapping}.toml"), text));
        tables.extend(made);
    }
    let (up, down) = schema(&tables);
    files.push(("schema/001_first.up.sql".to_owned(), up));
    files.push(("schema/001_first.down.sql".to_owned(), down));
    files.insert(0, ("set.toml".to_owned(), set_file(&inspection, &name, &ignored)));
    files
}

/// The last literal word of a pattern: `notes` of `people/{folder}/notes.json`.
fn stem(pattern: &str) -> &str {
    let name = pattern.rsplit('/').next().unwrap_or(pattern);
    let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let word = name.split('{').next().unwrap_or(name).trim_end_matches(['_', '-', '.']);
    if word.is_empty() { "files" } else { word }
}

/// The captures of a pattern.
fn captures(pattern: &str) -> Vec<String> {
    pattern.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

fn set_file(inspection: &Inspection, name: &str, ignored: &[(String, &str)]) -> String {
    let mut out = format!("# A first mapping set, made from {}.\n", inspection.root);
    out += "# Every line with `guess:` needs review: correct it, then remove the word.\n\n";
    let _ = writeln!(out, "name        = {}", toml_string(name));
    let _ = writeln!(
        out,
        "description = {} # guess: say what it moves into what",
        toml_string(&format!("{name} into a database"))
    );
    let fixed: Vec<String> = inspection
        .types
        .iter()
        .filter(|of| !of.pattern.contains(['{', '*']) && of.other + (of.broken.len() as u64) < of.files)
        .take(2)
        .map(|of| toml_string(&of.pattern))
        .collect();
    if fixed.is_empty() {
        out += "# guess: no file has the same path in every tree; with one, `recognise` could identify such trees\n";
    } else {
        let _ = writeln!(
            out,
            "recognise   = {{ files = [{}], below = [\"\", \"data\"] }} # guess: these are in every such tree",
            fixed.join(", ")
        );
    }
    let _ = writeln!(out, "database    = {}", toml_string(&format!("sqlite:///./{name}.db")));
    if inspection.types.iter().any(|of| of.pattern.contains("/{folder}/")) {
        out += "\n# guess: a folder may be a person's. Then rename `{folder}` in the mappings, say whose rows people are,\n";
        out += "# and use `#owner.id` in place of `#folder`:\n#\n";
        out += "# [owners]\n# capture = \"owner\"\n# table   = \"people\"\n# find    = [{ by = \"id\" }]\n";
    }
    ignore_table(&mut out, ignored.iter().map(|(pattern, what)| (pattern, *what)));
    out
}

fn ignore_table<'i>(out: &mut String, ignored: impl Iterator<Item = (&'i String, &'i str)>) {
    for (at, (what, why)) in ignored.enumerate() {
        *out += if at == 0 { "\n[ignore]\n" } else { "" };
        let reason = format!("{why}; say why it may be skipped");
        let _ = writeln!(out, "{} = {} # guess: not needed", toml_string(what), toml_string(&reason));
    }
}

/// A form of a document, and where its records are.
struct Shape {
    name: &'static str,
    records: Option<Selection>,
    at: At,
}

fn mapping_file(of: &mut FileType, name: &str, known: &mut [Table]) -> (String, Vec<Table>) {
    let captures = captures(&of.pattern);
    let shapes = shapes(&of.profile);
    let frame = frame(&of.profile, &shapes);
    let by_name =
        shapes.iter().any(|shape| matches!(shape.records.as_ref().and_then(|s| s.0.last()), Some(Segment::Members)));
    let record = records(&mut of.profile, &shapes);
    let taken: BTreeSet<String> = known.iter().map(|table| table.name.clone()).collect();
    let one_record = shapes.iter().any(|shape| shape.records.is_none());
    let asked = columns::Asked { profile: &of.profile, record, captures: &captures, by_name, one_record, name, taken };
    let made = columns::tables(&asked);

    let mut out = format!(
        "description = {} # guess: say what the files hold\n",
        toml_string(&format!("{} in {}", name.replace('_', " "), of.pattern))
    );
    if !made.expected.is_empty() {
        out += "# What the JSON columns are known to keep; anything else gives a warning.\nexpected = [\n";
        made.expected.iter().for_each(|path| {
            let _ = writeln!(out, "  {},", toml_string(path));
        });
        out += "]\n";
    }
    out += &source(&of.pattern, &shapes);
    made.tables.iter().for_each(|table| out += &table.rule());
    let secret = "may hold secrets; what holds none can be kept, with `declassify` beside its column";
    let outside = frame.iter().map(|path| (path, "outside the records"));
    ignore_table(&mut out, outside.chain(made.ignored.iter().map(|path| (path, secret))));
    (out, made.tables)
}

/// `[source]`, with the keys of the one shape, or with a table for each of several.
fn source(pattern: &str, shapes: &[Shape]) -> String {
    let files = format!("[{}]", toml_string(pattern));
    let one = if let [one] = shapes { one.records.as_ref() } else { None };
    let mut out = format!("\n[source]\nfiles{} = {files}\n", if one.is_some() { "  " } else { "" });
    out += &one.map(records_keys).unwrap_or_default();
    for shape in shapes.iter().filter(|_| shapes.len() > 1) {
        let records = shape.records.as_ref();
        let _ = write!(
            out,
            "\n[[source.shape]]\nname{} = \"{}\"\n",
            if records.is_some() { "   " } else { "" },
            shape.name
        );
        out += &records.map(records_keys).unwrap_or_default();
    }
    out
}

fn records_keys(records: &Selection) -> String {
    let key_as = if matches!(records.0.last(), Some(Segment::Members)) { "key_as  = \"name\"\n" } else { "" };
    format!("records = {} # guess: these make the rows\n{key_as}", toml_string(&records.to_string()))
}

/// The forms of the documents of a type, the most special first.
fn shapes(profile: &Profile) -> Vec<Shape> {
    let root = &profile.stats[0];
    let mut shapes = Vec::new();
    if let Some(at) = root.elements {
        shapes.push(Shape { name: "list", records: Some(Selection(vec![Segment::Elements])), at });
    }
    if let Some(at) = root.any_member {
        let is_rows = profile.stats[at].objects * 2 > profile.stats[at].count;
        if is_rows {
            shapes.push(Shape { name: "by-name", records: Some(Selection(vec![Segment::Members])), at });
            return shapes;
        }
    }
    // Of several lists the longest one is the records.
    let lists = root.members.iter().filter_map(|(name, member)| {
        let list = &profile.stats[*member];
        let element = list.elements?;
        let rows = profile.stats[element].objects;
        (2 * rows > profile.stats[element].count).then_some((name, list.arrays, element, rows))
    });
    let mut wrapped = 0;
    if let Some((name, arrays, element, _)) = lists.max_by_key(|(_, _, _, rows)| *rows) {
        wrapped = arrays;
        let records = Selection(vec![Segment::Name(name.clone()), Segment::Elements]);
        shapes.push(Shape { name: "wrapped", records: Some(records), at: element });
    }
    // What is left is documents that are one record each, or arrays without elements.
    let scalars = root.count - root.objects - root.arrays;
    if root.objects > wrapped || scalars > 0 || shapes.is_empty() {
        shapes.push(Shape { name: "one", records: None, at: 0 });
    }
    shapes
}

/// The outermost paths of a document outside its records.
fn frame(profile: &Profile, shapes: &[Shape]) -> Vec<String> {
    if shapes.iter().any(|shape| shape.records.is_none()) {
        return Vec::new(); // Then it is of some record.
    }
    let rows = shapes.iter().find_map(|shape| match shape.records.as_ref().map(|records| records.0.as_slice()) {
        Some([Segment::Name(name), Segment::Elements]) => Some(name.clone()),
        _ => None,
    });
    let root = &profile.stats[0];
    let beside = root.members.iter().filter(|(name, _)| Some(name) != rows.as_ref());
    let entry = |(name, at): (&String, &At)| {
        columns::covering(Root::Frame, Segment::Name(name.clone()), &profile.stats[*at]).to_string()
    };
    beside.map(|(name, at)| entry((name, at))).collect()
}

/// The records of all shapes, merged at one path.
fn records(profile: &mut Profile, shapes: &[Shape]) -> At {
    // What lies deepest first, so that a document does not swallow the records in it.
    let first = shapes.first().map_or(0, |shape| shape.at);
    for shape in &shapes[1.min(shapes.len())..] {
        if shape.at == 0 {
            return 0; // Records of whole documents, and in them the others' too: left to the person.
        }
        profile.merge(first, shape.at);
    }
    first
}

fn schema(tables: &[Table]) -> (String, String) {
    let mut up = String::from("-- description: guess: the tables that the mappings write into\n");
    tables.iter().for_each(|table| up += &table.create());
    let down = tables.iter().rev().map(|table| drop_table(&table.name)).collect();
    (up, down)
}
