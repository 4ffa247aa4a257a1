//! What `check` says of a set, in words.

use crate::against::{Judgement, Undecided};
use crate::finding::{Severity, printable};
use crate::mapping::model::Set;
use crate::report::PlaceReport;
use crate::report::words::{count, thousands};
use crate::table::Schema;
use std::path::Path;

/// A set that is sound.
pub(super) fn valid(set: &Set, schema: &Schema) -> String {
    format!(
        "{}: valid ({}, {}, {})\n",
        printable(&set.folder),
        count(set.mappings.len() as u64, "mapping"),
        count(set.rules().count() as u64, "rule"),
        count(schema.tables.len() as u64, "table"),
    )
}

/// What a tree shows, the weightiest first.
pub(super) fn against_words(judgement: &Judgement, root: &Path) -> String {
    let [mapped, ignored, unmapped] = judgement.files.map(thousands);
    let mut words = format!(
        "{}: {mapped} files mapped, {ignored} ignored, {unmapped} unmapped\n",
        printable(&root.display().to_string())
    );
    if let Some(read) = judgement.sample {
        let read = count(read, "file");
        words += &format!("a sample: {read} read; references to rows of other files were not checked\n");
    }
    for (path, finding) in &judgement.broken {
        words += &format!("error {}: {}\n  at {path}\n", finding.code.id, printable(&finding.message));
    }
    for Undecided { first, count: times } in &judgement.undecided {
        let severity = if first.severity == Severity::Error { "error" } else { "warning" };
        let times = if *times > 1 { format!(" ({} times)", thousands(*times)) } else { String::new() };
        words += &format!("{severity} {}{times}: {}\n", first.code, printable(&first.message));
        words += &first.place.as_ref().map_or_else(String::new, |place| format!("  at {}\n", at(place)));
    }
    let sampled = if judgement.sample.is_some() { " (in the sample)" } else { "" };
    for unused in &judgement.unused {
        words += &format!("note {}{sampled}: {}\n  at {}\n", unused.code.id, printable(&unused.message), unused.place);
    }
    if judgement.unused.is_empty() {
        words += "every part of the set was used\n";
    }
    words
}

/// `file:line:column /pointer`, as far as it is known.
fn at(place: &PlaceReport) -> String {
    let mut words = printable(&place.file);
    for number in [place.line, place.column].into_iter().flatten() {
        words += &format!(":{number}");
    }
    match place.pointer.as_deref() {
        Some(pointer) if !pointer.is_empty() => words + " " + &printable(pointer),
        _ => words,
    }
}
