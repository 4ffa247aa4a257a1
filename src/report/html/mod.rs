//! The report as one HTML file to read, print and sign off: nothing is fetched, and the one script, which finds files by
//! their names, is named by its digest, so that no other runs.

mod parts;

use super::{Report, text, words};
use crate::error::{Error, Result};
use crate::finding::printable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value as Shown, context};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Marks the page as a report, near its beginning.
pub const MARKER: &str = "<meta name=\"generator\" content=\"treelift";

/// How every page begins, up to [`MARKER`].
pub const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";

const STYLE: &str = include_str!("../page/report.css");
const SCRIPT: &str = include_str!("../page/report.js");

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
    environment.add_filter("text", |text: &str| Shown::from_safe_string(escaped(text)));
    // The extension of the name turns escaping on.
    environment.add_template("report.html", include_str!("../page/report.html"))?;
    // The files, of which there may be many, are shown without a second copy of all that is known of them.
    let rest = Report { files: super::Files::default(), ..report.clone() };
    let mut fields = serde_json::to_value(rest).expect("strings, numbers and lists are always JSON");
    make_printable(&mut fields);
    environment.get_template("report.html")?.render(context! {
        report => Serde(&fields),
        verdict => text::verdict(report),
        ran => report.run.words().map(|words| printable(&words)),
        clean => report.is_clean(),
        closes => report.leaves.closes(),
        bar => Serde(parts::bar(report)),
        kinds => Serde(parts::kinds(&fields["findings"])),
        sign_off => Serde(parts::sign_off(report)),
        tracks => Serde(parts::tracks(&report.tables)),
        columns => Serde(parts::columns(&fields["columns"])),
        files => Serde(parts::files(report)),
        style => Shown::from_safe_string(STYLE.to_owned()),
        script => Shown::from_safe_string(SCRIPT.to_owned()),
        script_digest => format!("sha256-{}", STANDARD.encode(Sha256::digest(SCRIPT))),
        version => env!("CARGO_PKG_VERSION"),
    })
}

/// A text for HTML. The library's own way escapes every `/` too, of which paths are full.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

pub(super) fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => *text = printable(text),
        Value::Array(values) => values.iter_mut().for_each(make_printable),
        Value::Object(members) => members.values_mut().for_each(make_printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ColumnReport, FileReport, FindingReport, PlaceReport, TableReport, sample};
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
                assert!(page.contains(&format!("<tr><td>{}<", file.path)), "{page}");
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
            "<ul><li><code>a.json</code></li><li><code>b.json</code></li></ul>",
            "<li><code>c.json</code></li>",
            "secrets remain in plaintext in files of the source <b>1,203</b>",
            "a password remains <b>1,202</b>",
            "and 1,200 more",
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
    }

    #[test]
    fn the_weightiest_findings_come_first() {
        let mut report = sample::refused();
        let found = |code: &str, severity| sample::finding(code, severity, 1, "it is so");
        report.findings = [("F005", Severity::Warning), ("R004", Severity::Error), ("F001", Severity::Error)]
            .into_iter()
            .chain([("X005", Severity::Warning), ("U003", Severity::Note)])
            .map(|(code, severity)| found(code, severity))
            .collect();
        let page = page(&report).expect("renders");
        let places: Vec<_> = ["error F001", "error R004", "warning X005", "warning F005", "note U003"]
            .map(|words| page.find(words).unwrap_or_else(|| panic!("{words} in {page}")))
            .into();
        assert!(places.is_sorted(), "{page}");
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
    fn the_page_fetches_nothing_and_runs_only_its_own_script() {
        let page = page(&sample::refused()).expect("renders");
        for word in ["http:", "https:", "@import", "url(", "<link", "onclick", "src="] {
            assert!(!page.contains(word), "{word} in {page}");
        }
        let (_, script) = page.split_once("<script>").expect("one script");
        let (script, rest) = script.split_once("</script>").expect("its end");
        assert!(!rest.contains("<script"), "{page}");
        let digest = STANDARD.encode(Sha256::digest(script));
        let policy = format!("content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'\"");
        assert!(page.replace("&#x2f;", "/").contains(&policy), "{policy} in {page}");
    }

    #[test]
    fn what_somebody_is_to_agree_to_stands_in_one_list_with_room_for_names() {
        let mut report = sample::committed();
        report.losses = vec![crate::report::Loss {
            kind: crate::report::LossKind::Column,
            what: "notes.colour".to_owned(),
            rows: 3,
            before: 12,
            after: 12,
        }];
        let page = page(&report).expect("renders");
        let (_, list) = page.split_once(r#"<h2 id="sign-off">"#).expect("the list");
        let (list, _) = list.split_once(r#"<h2 id="tables">"#).expect("its end");
        let titles: Vec<&str> =
            list.split("<h3>").skip(1).map(|rest| rest.split_once("</h3>").expect("its end").0).collect();
        assert_eq!(
            titles,
            [
                "Left out",
                "Not kept whole",
                "Kept by a catch-all only",
                "Secrets that are written in plaintext",
                "Lost by migrations",
                "What the application still needs"
            ]
        );
        for words in [
            "people/*/cache.json",
            "rebuilt by itself",
            "how an accent is written",
            "extra.mood",
            "a word from a list of three",
            "notes.colour",
            "the column goes; the table has 12 rows before and 12 after",
            "sign everybody in again",
            "Name and role",
            "Date",
            "Signature",
        ] {
            assert!(list.contains(words), "{words} in {list}");
        }
        assert_eq!(list.matches(r#"class="box""#).count(), 7, "{list}");
    }

    #[test]
    fn twelve_thousand_files_take_less_than_two_megabytes() {
        let mut report = sample::committed();
        let file = report.files.get(0).expect("three files");
        let path = |at: usize| format!("users/{:032x}/history/scraped_content_{at:05}.json", at / 12);
        report.files = (0..12_000).map(|at| FileReport { path: path(at).into(), ..file.clone() }).collect();
        let page = page(&report).expect("renders");
        assert!(page.len() < 2_000_000, "{} bytes", page.len());
        assert!(page.contains("12,000 files"));
    }

    #[test]
    fn the_longest_bar_is_that_of_the_table_with_most_rows() {
        let table = |name: &str, inserted, rejected| TableReport {
            name: name.to_owned(),
            inserted,
            rejected,
            ..sample::committed().tables[0].clone()
        };
        let tables = [table("notes", 30, 10), table("people", 1, 0)];
        let expected = [["75.0", "0.0", "0.0", "0.0", "0.0", "25.0"], ["2.5", "0.0", "0.0", "0.0", "0.0", "0.0"]];
        assert_eq!(parts::tracks(&tables), expected);
        assert!(parts::tracks(&[]).is_empty());
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
}
