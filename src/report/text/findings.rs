//! Findings as text: by kind, the worst first, with the first place of each.

use super::super::words::{count, thousands, wrap};
use super::super::{FindingReport, PlaceReport};
use super::layout::{Detail, WIDTH, lines};
use crate::finding::{Severity, printable};
use std::cmp::Reverse;
use std::fmt::Write;

/// The most kinds that a screen shows, however much room there is.
const MOST_KINDS: usize = 10;

/// Findings by kind, the first place of each; as many kinds as there is `room` for, at least three.
pub(super) fn kinds(findings: &[FindingReport], detail: Detail, room: usize) -> String {
    let mut kinds: Vec<_> = findings
        .chunk_by(|a, b| (a.severity, &a.code, &a.subject) == (b.severity, &b.code, &b.subject))
        .filter(|kind| match detail {
            Detail::All => true,
            Detail::Screen => kind[0].severity != Severity::Note,
            Detail::Brief => kind[0].severity == Severity::Error,
        })
        .collect();
    // What concerns the whole run comes before what has its place in a file.
    kinds.sort_by_key(|kind| (Reverse(kind[0].severity), kind[0].place.is_some()));
    let mut text = String::new();
    let mut shown = 0;
    for kind in &kinds {
        let next = finding(kind);
        let full = shown == MOST_KINDS || (shown >= 3 && lines(&text) + lines(&next) > room);
        if full && detail != Detail::All {
            break;
        }
        text += &next;
        shown += 1;
    }
    if shown < kinds.len() {
        let left = count((kinds.len() - shown) as u64, "more kind");
        let _ = writeln!(text, "and {left} of findings; --report FILE.json has all");
    }
    text
}

fn finding(kind: &[FindingReport]) -> String {
    let first = &kind[0];
    let place = first.place.as_ref().map(|place| format!(" {}", place_words(place))).unwrap_or_default();
    let others = match kind.iter().map(|finding| finding.count).sum::<u64>() - 1 {
        0 => String::new(),
        others => format!(" (and {} more)", thousands(others)),
    };
    let said = format!("{} {}{place}: {}{others}", first.severity, first.code, first.message);
    let mut text = format!("{}\n", wrap(&printable(&said), usize::from(WIDTH), 2));
    if let Some(help) = &first.help {
        let _ = writeln!(text, "{}", wrap(&printable(&format!("  help: {help}")), usize::from(WIDTH), 8));
    }
    text
}

/// A place as editors open it: `notes.json:12:7 /notes/3/id`.
pub fn place_words(place: &PlaceReport) -> String {
    let mut words = place.file.clone();
    match (place.line, place.column, place.record) {
        (Some(line), Some(column), _) => {
            let _ = write!(words, ":{line}:{column}");
        }
        (Some(line), None, _) => {
            let _ = write!(words, ":{line}");
        }
        (None, _, Some(record)) => {
            let _ = write!(words, ", record {record}");
        }
        (None, _, None) => {}
    }
    if let Some(pointer) = place.pointer.as_deref().filter(|pointer| !pointer.is_empty()) {
        let _ = write!(words, " {pointer}");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    #[test]
    fn notes_are_shown_on_request_only() {
        let notes = [sample::finding("F013", Severity::Note, 1, "read once")];
        assert_eq!(kinds(&notes, Detail::Screen, 40), "");
        assert_eq!(
            kinds(&notes, Detail::All, 40),
            "\
note F013 people/7/notes.json:1:7 /notes/1/id: read once
  help: fix the source, or add a step that converts it
"
        );
    }

    #[test]
    fn places_that_were_only_counted_are_counted_in() {
        let first = sample::finding("V004", Severity::Error, 1, "expected a number");
        let rest = FindingReport { place: None, count: 1_233, ..first.clone() };
        assert_eq!(
            kinds(&[first, rest], Detail::Screen, 40),
            "\
error V004 people/7/notes.json:1:7 /notes/1/id: expected a number (and 1,233
  more)
  help: fix the source, or add a step that converts it
"
        );
    }

    #[test]
    fn a_place_is_as_exact_as_it_is_known() {
        let file = || PlaceReport { file: "a.json".to_owned(), ..PlaceReport::default() };
        assert_eq!(place_words(&file()), "a.json");
        assert_eq!(place_words(&PlaceReport { record: Some(3), ..file() }), "a.json, record 3");
        assert_eq!(place_words(&PlaceReport { line: Some(3), ..file() }), "a.json:3");
        assert_eq!(
            place_words(&PlaceReport { line: Some(3), column: Some(9), pointer: Some("/x".into()), ..file() }),
            "a.json:3:9 /x"
        );
    }
}
