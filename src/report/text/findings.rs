//! Findings as text: every error with its places, a line for each kind of warning.

use super::super::words::{count, thousands, wrap};
use super::super::{FindingReport, PlaceReport};
use super::layout::{Detail, Layout};
use crate::finding::{CODES, Severity, printable};
use crate::report::weight::weight;
use std::cmp::Reverse;
use std::fmt::Write;

/// So many places of one kind of error are on the screen; the rest is counted.
const MOST_PLACES: usize = 3;

/// Every kind of error, causes before what follows from them; then what else is to be known, the weightiest first: of
/// warnings a line for each code, notes as a count.
pub(super) fn kinds(findings: &[FindingReport], layout: Layout) -> String {
    let mut text = String::new();
    for kind in errors(findings) {
        text += &each(kind, layout);
    }
    match layout.detail {
        Detail::Brief => {}
        Detail::Screen => {
            for kind in by_code(findings, Severity::Warning) {
                text += &in_one_line(kind, layout.width);
            }
            let notes: u64 = findings.iter().filter(|one| one.severity == Severity::Note).map(|one| one.count).sum();
            if notes > 0 {
                let _ = writeln!(text, "and {}: `-v` lists them, as a report does", count(notes, "note"));
            }
        }
        Detail::All => {
            let others = [Severity::Warning, Severity::Note].into_iter();
            for kind in others.flat_map(|severity| by_code(findings, severity)) {
                text += &each(kind, layout);
            }
        }
    }
    text
}

/// Errors of one code and subject together; what concerns the whole run comes before what has its place in a file.
fn errors(findings: &[FindingReport]) -> Vec<&[FindingReport]> {
    let alike =
        |a: &FindingReport, b: &FindingReport| (a.severity, &a.code, &a.subject) == (b.severity, &b.code, &b.subject);
    let mut kinds: Vec<_> = findings.chunk_by(alike).filter(|kind| kind[0].severity == Severity::Error).collect();
    kinds.sort_by_key(|kind| (weight(Severity::Error, &kind[0].code), kind[0].place.is_some()));
    kinds
}

/// Findings of one severity by their code.
fn by_code(findings: &[FindingReport], severity: Severity) -> Vec<&[FindingReport]> {
    let alike = |a: &FindingReport, b: &FindingReport| (a.severity, &a.code) == (b.severity, &b.code);
    let mut kinds: Vec<_> = findings.chunk_by(alike).filter(|kind| kind[0].severity == severity).collect();
    kinds.sort_by_key(|kind| (weight(severity, &kind[0].code), Reverse(sum(kind))));
    kinds
}

fn sum(kind: &[FindingReport]) -> u64 {
    kind.iter().map(|finding| finding.count).sum()
}

/// A kind with its places, and what to do about it.
fn each(kind: &[FindingReport], layout: Layout) -> String {
    let width = usize::from(layout.width);
    // Places that were only counted have one entry, at the end.
    let listed = kind.iter().take_while(|one| one.place.is_some() == kind[0].place.is_some()).count();
    let shown = if layout.detail == Detail::All { listed } else { listed.min(MOST_PLACES) };
    let others = sum(kind) - sum(&kind[..shown]);
    let mut text = String::new();
    for (at, one) in kind[..shown].iter().enumerate() {
        let more = match (at + 1 == shown, others) {
            (true, 1..) => format!(" (and {} more)", thousands(others)),
            _ => String::new(),
        };
        let times = if one.count > 1 { format!(" ({} times)", thousands(one.count)) } else { String::new() };
        let said = format!("{} {}{}: {}{times}{more}", one.severity, one.code, place_of(one), one.message);
        let _ = writeln!(text, "{}", wrap(&printable(&said), width, 2));
        let is_last = kind[..shown].get(at + 1).is_none_or(|next| next.help != one.help);
        if let Some(help) = one.help.as_ref().filter(|_| is_last) {
            let _ = writeln!(text, "{}", wrap(&printable(&format!("  help: {help}")), width, 8));
        }
    }
    text
}

/// A kind of warning: how many there are, and one of them.
fn in_one_line(kind: &[FindingReport], width: u16) -> String {
    let first = &kind[0];
    let said = match (sum(kind), CODES.iter().find(|code| code.id == first.code)) {
        (total @ 2.., Some(code)) => {
            let example = if first.place.is_some() { place_of(first) } else { format!(" {}", first.message) };
            format!("{} {}: {} ({}, such as{example})", first.severity, first.code, code.title, thousands(total))
        }
        _ => format!("{} {}{}: {}", first.severity, first.code, place_of(first), first.message),
    };
    format!("{}\n", wrap(&printable(&said), usize::from(width), 2))
}

/// Where a finding is, after a space; nothing where it is nowhere.
fn place_of(finding: &FindingReport) -> String {
    finding.place.as_ref().map(|place| format!(" {}", place_words(place))).unwrap_or_default()
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

    fn at(detail: Detail) -> Layout {
        Layout { detail, width: 80 }
    }

    fn codes(text: &str) -> Vec<&str> {
        let said = text.lines().filter(|line| line.starts_with("error ") || line.starts_with("warning "));
        said.filter_map(|line| line.split([' ', ':']).nth(1)).collect()
    }

    #[test]
    fn every_error_is_shown_and_causes_come_before_what_follows_from_them() {
        let all = ["A001", "F001", "F016", "J002", "O001", "O002", "R001", "R004", "S002", "V004", "X001"];
        let mut findings: Vec<_> = all.iter().map(|code| sample::finding(code, Severity::Error, 1, "bad")).collect();
        findings.extend((0..40).map(|n| FindingReport {
            subject: format!("column {n}"),
            ..sample::finding("Y001", Severity::Error, 1, "bad")
        }));
        for detail in [Detail::Brief, Detail::Screen, Detail::All] {
            let text = kinds(&findings, at(detail));
            let expected = ["F001", "J002", "S002", "O001", "V004", "X001", "R001"];
            assert_eq!(codes(&text)[..7], expected, "{text}");
            assert_eq!(codes(&text)[47..], ["O002", "R004", "F016", "A001"], "{text}");
        }
    }

    #[test]
    fn a_kind_of_error_shows_three_places_and_counts_the_rest() {
        let findings: Vec<_> = (1..=5).map(|line| sample::finding("V004", Severity::Error, line, "a word")).collect();
        assert_eq!(
            kinds(&findings, at(Detail::Screen)),
            "\
error V004 people/7/notes.json:1:7 /notes/1/id: a word
error V004 people/7/notes.json:2:7 /notes/2/id: a word
error V004 people/7/notes.json:3:7 /notes/3/id: a word (and 2 more)
  help: fix the source, or add a step that converts it
"
        );
        assert_eq!(codes(&kinds(&findings, at(Detail::All))).len(), 5);
    }

    #[test]
    fn warnings_are_a_line_for_each_code_with_the_weightiest_first() {
        let warning = |code: &str, line| sample::finding(code, Severity::Warning, line, "it is so");
        let findings = [warning("F005", 1), warning("F005", 2), warning("R008", 1), warning("X005", 1)];
        assert_eq!(
            kinds(&findings, Layout { width: 200, ..at(Detail::Screen) }),
            "\
warning X005 people/7/notes.json:1:7 /notes/1/id: it is so
warning R008 people/7/notes.json:1:7 /notes/1/id: it is so
warning F005: the file is empty or only whitespace, and the mapping says that nothing is lost by it (2, such as people/7/notes.json:1:7 /notes/1/id)
"
        );
        assert_eq!(kinds(&findings, at(Detail::Brief)), "");
    }

    #[test]
    fn notes_are_shown_on_request_only() {
        let notes = [sample::finding("F013", Severity::Note, 1, "read once")];
        assert_eq!(kinds(&notes, at(Detail::Screen)), "and 1 note: `-v` lists them, as a report does\n");
        assert_eq!(kinds(&notes, at(Detail::Brief)), "");
        assert_eq!(
            kinds(&notes, at(Detail::All)),
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
            kinds(&[first, rest], at(Detail::Screen)),
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
