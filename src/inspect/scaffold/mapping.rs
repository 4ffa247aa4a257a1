//! What was decided for one type of files.

use super::guess::Out;
use super::plan::{Made, Planner};
use super::shapes::{NOTHING_IN_IT, lines, shapes};
use super::table::{Table, covering};
use super::words::{self, MappingText, Shape};
use crate::inspect::FileType;
use crate::mapping::model::Root;
use std::collections::BTreeSet;

/// What was decided for one type of files.
pub(super) struct Mapping<'a> {
    pub(super) of: &'a FileType,
    pub(super) name: String,
    shapes: Vec<Shape>,
    pub(super) made: Made,
}

impl<'a> Mapping<'a> {
    /// Decides about a type; the names of its tables are taken then.
    pub(super) fn new(of: &'a FileType, name: String, tables: &mut BTreeSet<String>) -> Self {
        let captures = captures(&of.pattern);
        let by_path = of.files > 1 && (captures.is_empty() || of.pattern.contains('*'));
        let mut found = if of.lines { lines() } else { shapes(&of.profile) };
        let mut planner = Planner::new(of, &captures, by_path, &name, tables);
        for records in &found.records {
            let key_as = planner.records(records);
            for shape in found
                .shapes
                .iter_mut()
                .filter(|shape| records.shapes.is_empty() || records.shapes.contains(&shape.name))
            {
                shape.key_as.clone_from(&key_as);
            }
        }
        let mut made = planner.made();
        for shape in &mut found.shapes {
            let makes_rows = |table: &&Table| {
                table.parent.is_none()
                    && table.each.is_none()
                    && (table.shapes.is_empty() || table.shapes.contains(&shape.name))
            };
            if shape.ignore.is_none() && !made.tables.iter().any(|table| makes_rows(&table)) {
                shape.otherwise = Some(NOTHING_IN_IT);
            }
        }
        let outside = found
            .beside
            .iter()
            .map(|(way, below)| (covering(Root::Frame, way, *below), "outside the records".to_owned()));
        made.ignored.splice(0..0, outside);
        Self { of, name, shapes: found.shapes, made }
    }

    /// The mapping file.
    pub(super) fn text(&self) -> Out {
        words::mapping(
            &format!("{}.toml", self.name),
            &MappingText {
                description: format!("{} in {}", self.name.replace('_', " "), self.of.pattern),
                patterns: std::iter::once(&self.of.pattern).chain(&self.of.packed).collect(),
                lines: self.of.lines,
                shapes: &self.shapes,
                tables: &self.made.tables,
                expected: &self.made.expected,
                ignored: &self.made.ignored,
            },
        )
    }
}

/// Endings that say the form of a file, and not what is in it.
const FORMS: [&str; 8] = [".gz", ".json", ".jsonl", ".ndjson", ".geojson", ".db", ".txt", ".log"];

/// The last literal words of a pattern: `notes` of `people/{person}/notes.json`, `flows` of `flows/{flow}.json`.
pub(super) fn stem(pattern: &str) -> &str {
    let mut pattern = pattern;
    while let Some(shorter) = FORMS.iter().find_map(|form| pattern.strip_suffix(form)).filter(|rest| !rest.is_empty()) {
        pattern = shorter;
    }
    let found = pattern.rsplit('/').find_map(|segment| {
        let end = segment.find(['{', '*']).unwrap_or(segment.len());
        let word = segment[..end].trim_matches(['_', '-', '.']);
        (!word.is_empty()).then_some(word)
    });
    found.unwrap_or("files")
}

/// The captures of a pattern.
fn captures(pattern: &str) -> Vec<String> {
    pattern.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_called_by_the_words_of_its_pattern() {
        for (pattern, name) in [
            ("people/{person}/notes.json", "notes"),
            ("flows/{flow}.json", "flows"),
            ("logs/log_{day}.jsonl.gz", "log"),
            (".storage/core.devices", "core.devices"),
            ("{part}.json", "files"),
        ] {
            assert_eq!(stem(pattern), name, "{pattern}");
        }
    }
}
