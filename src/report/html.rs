//! The report as one HTML file to read, print and sign off: no script, nothing fetched.

use super::{Report, text, words};
use crate::error::{Error, Result};
use crate::finding::{CODES, printable};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde_json::Value;

/// Marks the page as a report, near its beginning.
pub const MARKER: &str = "<meta name=\"generator\" content=\"treelift";

/// How every page begins, up to [`MARKER`].
pub const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";

/// Renders the page. Every text is escaped for HTML, and control and bidirectional characters are
/// replaced, so that they cannot rearrange what a reader sees.
pub fn page(report: &Report) -> Result<String> {
    render(report).map_err(|error| Error::bug(format!("the HTML report does not render: {:?}", error.kind())))
}

fn render(report: &Report) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("thousands", words::thousands);
    environment.add_filter("bytes", words::bytes);
    environment.add_filter("duration", words::duration);
    // The extension of the name turns escaping on.
    environment.add_template("report.html", include_str!("report.html"))?;
    let mut fields = serde_json::to_value(report).expect("strings, numbers and lists are always JSON");
    make_printable(&mut fields);
    environment.get_template("report.html")?.render(context! {
        report => Serde(&fields),
        verdict => text::verdict(report),
        ran => report.run.words().map(|words| printable(&words)),
        clean => report.is_clean(),
        closes => report.leaves.closes(),
        bar => Serde(bar(report)),
        kinds => Serde(kinds(&fields["findings"])),
        columns => Serde(columns(&fields["columns"])),
        version => env!("CARGO_PKG_VERSION"),
    })
}

/// Findings of one code.
#[derive(Debug, serde::Serialize)]
struct Kind<'f> {
    severity: &'f Value,
    code: &'f Value,
    /// What the code means; none where there is one finding, which says it itself.
    title: Option<&'static str>,
    /// What to do about all of them.
    help: Option<&'f Value>,
    count: u64,
    sayings: Vec<Saying<'f>>,
}

/// What findings say alike, with their places.
#[derive(Debug, serde::Serialize)]
struct Saying<'f> {
    /// The first of them.
    first: &'f Value,
    places: Vec<&'f Value>,
    count: u64,
}

/// Findings by code, in their order.
fn kinds(findings: &Value) -> Vec<Kind<'_>> {
    let all = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    let alike =
        |names: &'static [&str]| move |a: &Value, b: &Value| names.iter().all(|name| a.get(name) == b.get(name));
    let count = |of: &[Value]| of.iter().filter_map(|finding| finding["count"].as_u64()).sum();
    all.chunk_by(alike(&["severity", "code"]))
        .map(|of| {
            let help = of[0].get("help").filter(|help| of.iter().all(|one| one.get("help") == Some(help)));
            let sayings = of.chunk_by(alike(&["message", "subject", "mapping", "help"])).map(|alike| Saying {
                first: &alike[0],
                places: alike.iter().filter_map(|one| one.get("place")).collect(),
                count: count(alike),
            });
            let title = CODES.iter().find(|code| of[0]["code"] == code.id).map(|code| code.title);
            Kind {
                severity: &of[0]["severity"],
                code: &of[0]["code"],
                title: title.filter(|_| of.len() > 1),
                help,
                count: count(of),
                sayings: sayings.collect(),
            }
        })
        .collect()
}

/// The columns that were not always filled from one and the same place.
fn columns(columns: &Value) -> Vec<&Value> {
    let all = columns.as_array().map(Vec::as_slice).unwrap_or_default();
    let matters = |column: &&Value| {
        let some = |name: &str| column[name].as_u64().is_some_and(|count| count > 0);
        some("defaulted") || some("nulled") || column["alternatives"].as_array().is_some_and(|ways| ways.len() > 1)
    };
    all.iter().filter(matters).collect()
}

pub(super) fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => *text = printable(text),
        Value::Array(values) => values.iter_mut().for_each(make_printable),
        Value::Object(members) => members.values_mut().for_each(make_printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A piece of the stacked bar; lengths are thousandths of the whole.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
struct Segment {
    name: &'static str,
    count: u64,
    start: u64,
    length: u64,
}

/// The classes of leaves side by side. A class with at least one leaf stays visible.
fn bar(report: &Report) -> Vec<Segment> {
    let total = u128::from(report.leaves.accounted().max(1));
    let mut before = 0_u128;
    let mut segments = Vec::new();
    for (name, count) in report.leaves.classes() {
        let thousandths = |leaves: u128| u64::try_from(leaves * 1_000 / total).expect("at most the whole, 1,000");
        let start = thousandths(before);
        before += u128::from(count);
        if count > 0 {
            segments.push(Segment { name, count, start, length: (thousandths(before) - start).max(2) });
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::super::{ColumnReport, FindingReport, PlaceReport, sample};
    use super::*;
    use crate::finding::Severity;

    #[test]
    fn every_section_of_every_kind_of_report_renders() {
        for report in [sample::committed(), sample::refused(), sample::with_rejects()] {
            let page = page(&report).expect("renders");
            assert!(page.contains(&text::verdict(&report).replace('/', "&#x2f;")), "{page}");
            for table in &report.tables {
                assert!(page.contains(&format!("<td>{}</td>", table.name)), "{page}");
            }
            for file in report.files.iter() {
                assert!(page.contains(&file.path.replace('/', "&#x2f;")), "{page}");
            }
            for finding in &report.findings {
                assert!(page.contains(&finding.code), "{page}");
            }
        }
    }

    #[test]
    fn the_page_begins_with_its_marker() {
        let page = page(&sample::committed()).expect("renders");
        assert!(page.strip_prefix(HEAD).is_some_and(|rest| rest.starts_with(MARKER)), "{page}");
    }

    #[test]
    fn an_empty_report_renders() {
        let mut report = sample::committed();
        report.files = crate::report::Files::default();
        report.leaves = crate::report::LeafCounts::default();
        report.caught_all.clear();
        report.owners.clear();
        report.ignored.clear();
        report.tables.clear();
        report.columns.clear();
        report.checks.clear();
        report.lossy.clear();
        report.losses.clear();
        report.after.clear();
        report.secrets.declassified.clear();
        assert!(page(&report).is_ok());
    }

    #[test]
    fn findings_of_one_code_stand_together_with_their_places() {
        let mut report = sample::refused();
        let at = |file: &str, message: &str| FindingReport {
            place: Some(PlaceReport { file: file.to_owned(), ..PlaceReport::default() }),
            ..sample::finding("X005", Severity::Warning, 1, message)
        };
        let rest = FindingReport { place: None, count: 1_200, ..at("", "a password remains") };
        report.findings = vec![
            at("a.json", "a password remains"),
            at("b.json", "a password remains"),
            rest,
            at("c.json", "a key remains"),
        ];
        let page = page(&report).expect("renders");
        assert_eq!(page.matches("warning X005").count(), 1, "{page}");
        assert_eq!(page.matches("a password remains").count(), 1, "{page}");
        assert_eq!(page.matches("fix the source, or add a step that converts it").count(), 1, "{page}");
        for words in [
            "<code>a.json</code><br><code>b.json</code>",
            "<code>c.json</code>",
            "secrets remain in plaintext in files of the source",
            r#"<td class="n">1,203</td>"#,
            r#"<td class="n">1,202</td>"#,
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
    }

    #[test]
    fn only_columns_that_were_filled_in_several_ways_are_listed() {
        let mut report = sample::committed();
        let column = |name: &str, ways: usize, nulled| ColumnReport {
            column: name.to_owned(),
            alternatives: report.columns[0].alternatives[..ways].to_vec(),
            nulled,
            ..report.columns[0].clone()
        };
        report.columns = vec![column("one", 1, 0), column("two", 2, 0), column("null", 1, 3)];
        let page = page(&report).expect("renders");
        let listed = ["one", "two", "null"].map(|name| page.contains(&format!("<code>notes.{name}</code>")));
        assert_eq!(listed, [false, true, true], "{page}");
    }

    #[test]
    fn the_page_fetches_nothing_and_runs_nothing() {
        let page = page(&sample::refused()).expect("renders");
        for word in ["<script", "http:", "https:", "@import", "url(", "<link", "onclick"] {
            assert!(!page.contains(word), "{word} in {page}");
        }
    }

    #[test]
    fn hostile_texts_stay_texts() {
        let mut report = sample::refused();
        let hostile = "<img src=x onerror=alert(1)>\u{202e}\u{1b}[2J";
        report.findings = vec![FindingReport {
            place: Some(PlaceReport {
                file: hostile.to_owned(),
                pointer: Some(hostile.to_owned()),
                ..PlaceReport::default()
            }),
            help: Some(hostile.to_owned()),
            subject: hostile.to_owned(),
            mapping: Some(hostile.to_owned()),
            ..sample::finding(hostile, Severity::Error, 1, hostile)
        }];
        hostile.clone_into(&mut report.source.root);
        report.files.change(|file| file.path = hostile.into());
        hostile.clone_into(&mut report.tables[0].name);
        hostile.clone_into(&mut report.ignored[0].reason);
        let page = page(&report).expect("renders");
        assert!(!page.contains("<img"), "{page}");
        assert!(!page.contains(['\u{202e}', '\u{1b}']), "{page}");
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;\\u{202e}\\u{1b}[2J"), "{page}");
    }

    #[test]
    fn the_bar_is_whole_and_small_classes_stay_visible() {
        let mut report = sample::committed();
        report.leaves =
            crate::report::LeafCounts { seen: 100_001, column: 75_000, json: 25_000, sealed: 1, ..Default::default() };
        assert_eq!(
            bar(&report),
            [
                Segment { name: "column", count: 75_000, start: 0, length: 749 },
                Segment { name: "json", count: 25_000, start: 749, length: 250 },
                Segment { name: "sealed", count: 1, start: 999, length: 2 },
            ]
        );
    }
}
