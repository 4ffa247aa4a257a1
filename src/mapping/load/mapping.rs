//! A mapping file: which files, in which shapes, by which rules.

use super::expr::{condition, coverings_of, parsed, path_of, rooted_of};
use super::key_as::{check_key_as, names_of};
use super::tree::{Fields, Item};
use super::{keys, named, path, rule};
use crate::document::tape::FromJson;
use crate::mapping::codes;
use crate::mapping::model::{Covering, Format, IgnoredName, Mapping, Pattern, Root, Rooted, Rule, Shape, Source};
use std::sync::Arc;

/// The mapping of a file, with the lines of its patterns; none for one that could not be read.
pub(super) fn mapping(fields: &Fields<'_>, name: &str, file: &str) -> (Mapping, Vec<Option<u32>>) {
    named::learn_conditions(fields);
    let source_item = fields.need_for("source", &format!("mapping `{name}`"));
    let (source, lines) = match source_item.and_then(|item| item.fields(&[&keys::SOURCE])) {
        Some(fields) => source(&fields, name),
        None => {
            let shape = Shape { name: name.to_owned(), ..Shape::default() };
            (Source { shapes: vec![shape], ..Source::default() }, Vec::new())
        }
    };
    let expected = fields.texts("expected").into_iter();
    let tables = fields.entries("table");
    let mut rules: Vec<Rule> = tables.iter().filter_map(|item| rule::rule(*item, &tables)).collect();
    named::share_lets(fields, &mut rules);
    named::unused_conditions(fields);
    let mapping = Mapping {
        name: name.to_owned(),
        file: file.to_owned(),
        description: fields.text("description").unwrap_or_default(),
        source,
        expected: expected.flat_map(|item| coverings_of(item, item.as_text().unwrap_or_default())).collect(),
        ignore: with_reasons(fields, "ignore"),
        ignore_names: ignored_names(fields),
        rules,
    };
    (mapping, lines)
}

/// The entries of a table `SELECTION = "reason"`.
fn with_reasons(fields: &Fields<'_>, name: &str) -> Vec<(Covering, String, u32)> {
    let of_entry = |item: Item<'_>| {
        let reason = item.reason();
        let coverings = if reason.is_some() { coverings_of(item, item.name) } else { Vec::new() };
        coverings.into_iter().map(move |covering| (covering, reason.clone().unwrap_or_default(), item.line))
    };
    fields.entries(name).into_iter().filter(|item| !item.name.starts_with('#')).flat_map(of_entry).collect()
}

/// The entries of `[ignore]` that name members: `"#name" = "reason"`.
fn ignored_names(fields: &Fields<'_>) -> Vec<IgnoredName> {
    let of_entry = |item: Item<'_>| {
        let name = item.name.strip_prefix('#')?.to_owned();
        Some(IgnoredName { name, reason: item.reason()?, line: item.line })
    };
    fields.entries("ignore").into_iter().filter_map(of_entry).collect()
}

fn source(fields: &Fields<'_>, mapping: &str) -> (Source, Vec<Option<u32>>) {
    let mut files = Vec::new();
    let mut lines = Vec::new();
    if let Some(item) = fields.need("files") {
        let items = item.texts();
        if items.is_empty() {
            item.refuse("`files` names no file");
        }
        for item in items {
            let pattern = pattern(item, item.as_text().unwrap_or_default());
            lines.push(pattern.is_some().then_some(item.line));
            files.extend(pattern);
        }
    }
    let shapes = shapes(fields, mapping);
    let format = fields.variant("format", &keys::FORMAT).unwrap_or_default();
    if let (Format::Lines, Some(item)) = (format, fields.get("newest")) {
        let message = "`newest` compares documents, and a file of lines has many";
        item.refuse_as(&codes::LINES_UNFIT, message, None);
    }
    let source = Source {
        files,
        format,
        optional: fields.reason("optional"),
        blank: fields.reason("blank"),
        from_json: Arc::new(from_json(fields)),
        newest: fields.texts("newest").into_iter().filter_map(path_of).collect(),
        shapes,
    };
    (source, lines)
}

/// Texts that hold JSON, by what they are selected from.
fn from_json(fields: &Fields<'_>) -> FromJson {
    let selected: Vec<Rooted> = fields.texts("from_json").into_iter().filter_map(rooted_of).collect();
    let (frame, record): (Vec<Rooted>, Vec<Rooted>) = selected.into_iter().partition(|one| one.root == Root::Frame);
    let selections = |of: Vec<Rooted>| of.into_iter().map(|one| one.selection).collect();
    FromJson { record: selections(record), frame: selections(frame) }
}

/// A file pattern.
pub(super) fn pattern(item: Item<'_>, text: &str) -> Option<Pattern> {
    Pattern::parse(text).map_err(|message| item.refuse_as(&codes::PATTERN_WRONG, message, None)).ok()
}

/// The shapes that are written, else the one that `[source]` says itself.
fn shapes(fields: &Fields<'_>, mapping: &str) -> Vec<Shape> {
    let Some(written) = fields.get("shape") else {
        let name = fields.text("name").unwrap_or_else(|| mapping.to_owned());
        return vec![shape(fields, name)];
    };
    for item in fields.any_of(&["name", "when", "records", "key_as", "otherwise"]) {
        let message =
            format!("`{}` under [source] is for a mapping with one shape, and this one has several", item.name);
        item.refuse_with(message, "move it into the `[[source.shape]]` that it is for");
    }
    let named = |item: Item<'_>| {
        let fields = item.fields(&[&keys::SHAPE])?;
        let name = fields.need("name").and_then(|item| item.text()).unwrap_or_default();
        Some(shape(&fields, name.to_owned()))
    };
    let shapes: Vec<_> = written.one_or_more().into_iter().filter_map(named).collect();
    if shapes.is_empty() { vec![Shape { line: fields.item.line, ..Shape::default() }] } else { shapes }
}

fn shape(fields: &Fields<'_>, name: String) -> Shape {
    let shape = Shape {
        name,
        when: fields.get("when").and_then(condition),
        records: fields.get("records").and_then(|item| parsed(item, path::selection(frame(item.text()?)))),
        key_as: fields.get("key_as").map_or_else(Vec::new, names_of),
        otherwise: fields.reason("otherwise"),
        ignore: fields.reason("ignore"),
        line: fields.item.line,
    };
    if shape.ignore.is_some() {
        for item in fields.any_of(&["records", "key_as", "otherwise"]) {
            item.refuse(format!("`{}` has no effect for a shape that is ignored", item.name));
        }
    }
    if let Some(item) = fields.get("key_as")
        && fields.get("records").is_none()
    {
        item.refuse("`key_as` has no effect without `records`");
    }
    if let (Some(item), Some(records)) = (fields.get("key_as"), &shape.records) {
        check_key_as(item, &shape.key_as, &[records]);
    }
    shape
}

/// Records are selected in the document, which `$` says too.
fn frame(text: &str) -> &str {
    text.strip_prefix("$.").or_else(|| text.strip_prefix('$').filter(|rest| rest.starts_with('['))).unwrap_or(text)
}
