//! A mapping file: which files, in which shapes, by which rules.

use super::condition::condition;
use super::expr::{covering_of, parsed, path_of};
use super::tree::{Fields, Item};
use super::{keys, path, rule};
use crate::mapping::codes;
use crate::mapping::model::{Covering, Format, Mapping, Pattern, Shape, Source};

/// The mapping of a file, with the lines of its patterns.
pub(super) fn mapping(fields: &Fields<'_>, name: &str, file: &str) -> (Mapping, Vec<u32>) {
    let (source, lines) =
        match fields.need("source", &format!("mapping `{name}`")).and_then(|item| item.fields(&[&keys::SOURCE])) {
            Some(fields) => source(&fields),
            None => (nothing(), Vec::new()),
        };
    let rules = fields.get("table").and_then(|item| item.entries()).unwrap_or_default();
    let mapping = Mapping {
        name: name.to_owned(),
        file: file.to_owned(),
        description: fields.text("description").unwrap_or_default(),
        source,
        expected: fields.get("expected").map_or_else(Vec::new, |item| {
            item.texts().into_iter().filter_map(|item| covering_of(item, item.text()?)).collect()
        }),
        ignore: with_reasons(fields, "ignore"),
        declassify: with_reasons(fields, "declassify"),
        rules: rules.into_iter().filter_map(rule::rule).collect(),
    };
    (mapping, lines)
}

/// The entries of a table `SELECTION = "reason"`.
fn with_reasons(fields: &Fields<'_>, name: &str) -> Vec<(Covering, String, u32)> {
    let entries = fields.get(name).and_then(|item| item.entries()).unwrap_or_default();
    let entry = |item: Item<'_>| Some((covering_of(item, item.name)?, item.reason()?, item.line));
    entries.into_iter().filter_map(entry).collect()
}

fn nothing() -> Source {
    Source {
        files: Vec::new(),
        format: Format::Json,
        optional: None,
        blank: None,
        newest: Vec::new(),
        shapes: vec![implied(0)],
    }
}

/// The shape when none is written: the document is the one record.
fn implied(line: u32) -> Shape {
    Shape { name: String::new(), when: None, records: None, key_as: None, otherwise: None, ignore: None, line }
}

fn source(fields: &Fields<'_>) -> (Source, Vec<u32>) {
    let mut files = Vec::new();
    let mut lines = Vec::new();
    if let Some(item) = fields.need("files", "`[source]`") {
        let items = item.texts();
        if items.is_empty() {
            item.refuse("`files` names no file");
        }
        for item in items {
            if let Some(pattern) = pattern(item, item.as_text().unwrap_or_default()) {
                files.push(pattern);
                lines.push(item.line);
            }
        }
    }
    let format = match fields.get("format").and_then(|item| item.word(&keys::FORMAT)) {
        Some("text") => Format::Text,
        Some("sniff") => Format::Sniff,
        _ => Format::Json,
    };
    let mut shapes: Vec<_> =
        fields.get("shape").map_or_else(Vec::new, |item| item.one_or_more()).into_iter().filter_map(shape).collect();
    if fields.get("shape").is_none() || shapes.is_empty() {
        shapes = vec![implied(fields.item.line)];
    }
    let source = Source {
        files,
        format,
        optional: fields.reason("optional"),
        blank: fields.reason("blank"),
        newest: fields
            .get("newest")
            .map_or_else(Vec::new, |item| item.texts().into_iter().filter_map(path_of).collect()),
        shapes,
    };
    (source, lines)
}

/// A file pattern.
pub(super) fn pattern(item: Item<'_>, text: &str) -> Option<Pattern> {
    Pattern::parse(text).map_err(|message| item.refuse_as(&codes::PATTERN_WRONG, message, None)).ok()
}

fn shape(item: Item<'_>) -> Option<Shape> {
    let fields = item.fields(&[&keys::SHAPE])?;
    let name = fields.need("name", "a shape").and_then(|item| item.text()).unwrap_or_default();
    let shape = Shape {
        name: name.to_owned(),
        when: fields.get("when").and_then(condition),
        records: fields.get("records").and_then(|item| parsed(item, path::selection(frame(item.text()?)))),
        key_as: fields.text("key_as"),
        otherwise: fields.reason("otherwise"),
        ignore: fields.reason("ignore"),
        line: item.line,
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
    Some(shape)
}

/// Records are selected in the document, which `$` says too.
fn frame(text: &str) -> &str {
    text.strip_prefix("$.").or_else(|| text.strip_prefix('$').filter(|rest| rest.starts_with('['))).unwrap_or(text)
}
