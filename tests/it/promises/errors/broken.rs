//! Broken trees: each is refused with the finding that its page lists, at the right place, and the
//! rest is imported where the page says so. The page, `sample_data/broken/README.md`, is the table of
//! this test.

use crate::house::independent::Tree;
use crate::house::{DATABASE, House, Ran, comparable, findings, listing, open, project, row_counts, tables};
use crate::promises::secrets::sealed::hits;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// A line of the page.
struct Case {
    tree: PathBuf,
    name: String,
    codes: BTreeSet<String>,
    severity: &'static str,
    rest: Rest,
}

/// The page's column on `--max-rejects 1`.
#[derive(PartialEq)]
enum Rest {
    /// The rest is imported.
    Imported,
    /// A decision is needed first.
    Refused,
    /// There is nothing to reject.
    Clean,
}

fn cases() -> Vec<Case> {
    let page = fs::read_to_string(project("sample_data/broken/README.md")).unwrap();
    let cases: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).map(case).collect();
    let named: BTreeSet<_> = cases.iter().map(|case| case.tree.clone()).collect();
    let folders = fs::read_dir(project("sample_data/broken")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(named, folders.filter(|path| path.is_dir()).collect(), "the page has a line for each folder");
    cases
}

fn case(line: &str) -> Case {
    let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, _what, finding, rest] = cells[..] else { panic!("`{line}` has four cells") };
    let name = name.trim_matches('`').to_owned();
    let is_code = |word: &&str| word.len() == 4 && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    let severity = ["note", "warning"].into_iter().find(|word| finding.contains(word)).unwrap_or("error");
    let rest = match rest.split([',', ' ']).next() {
        Some("yes") => Rest::Imported,
        Some("no") => Rest::Refused,
        _ => Rest::Clean,
    };
    let codes = finding.split('`').filter(is_code).map(str::to_owned).collect();
    Case { tree: project("sample_data/broken").join(&name), name, codes, severity, rest }
}

impl Case {
    /// The set is named, because a tree without its index is not recognised.
    fn import(&self, house: &House, more: &[&str]) -> Ran {
        house.import(&self.tree, &[&["--mappings", "fossawork"], more].concat())
    }

    /// Neither on the screen, nor in any file.
    fn has_no_secret_in_what_it_left(&self, house: &House, run: &Ran) {
        if self.name == "password_in_text" {
            return; // there the text of an order holds the secret too, as its finding says
        }
        house.file("stdout", &run.stdout);
        house.file("stderr", &run.stderr);
        assert_eq!(hits(&house.work(), &Tree::read(&self.tree).secrets()), Vec::<String>::new(), "{}", self.name);
    }

    fn is_refused(&self) -> bool {
        self.severity == "error" && !self.codes.is_empty()
    }

    #[track_caller]
    fn has_status(&self, run: &Ran, status: i32) {
        assert_eq!(run.status, Some(status), "{}:\n{}\n{}", self.name, run.stdout, run.stderr);
    }
}

#[test]
fn each_has_the_finding_that_its_page_lists_and_that_says_where_and_a_dry_run_says_the_same() {
    for case in cases() {
        let house = House::new();
        let before = listing(&house.work());
        let rehearsed = case.import(&house, &["--dry-run", "--json"]);
        let run = case.import(&house, &["--json"]);
        case.has_status(&run, i32::from(case.is_refused()));
        let report = run.json();
        assert_eq!(rehearsed.status, run.status, "{}", case.name);
        assert_eq!(comparable(rehearsed.json()), comparable(report.clone()), "{}", case.name);
        let found = findings(&report);
        let of_severity: BTreeSet<_> =
            found.iter().filter(|found| found.1 == case.severity).map(|found| found.0.clone()).collect();
        if case.severity == "error" {
            assert_eq!(of_severity, case.codes, "{}: {found:?}", case.name);
        } else {
            assert!(case.codes.is_subset(&of_severity), "{}: {found:?}", case.name);
        }
        if case.is_refused() {
            assert_eq!(report["outcome"], "rolled-back", "{}", case.name);
            assert_eq!(listing(&house.work()), before, "{}: nothing is written", case.name);
        } else {
            assert_eq!(report["outcome"], "committed", "{}", case.name);
        }
        if case.is_refused() {
            each_error_says_where(&case, &report);
        }
    }
}

/// A file for what is wrong with a file, line and column for what is wrong in its text, and a pointer
/// for what is wrong with a value. What is missing from the tree as a whole has no place.
fn each_error_says_where(case: &Case, report: &serde_json::Value) {
    for finding in report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error") {
        let (code, place) = (finding["code"].as_str().unwrap(), &finding["place"]);
        assert_eq!(place["file"].is_string(), !matches!(code, "F016" | "F017"), "{}: {finding}", case.name);
        let in_text = matches!(&code[..1], "J" | "V" | "R" | "X") || code == "S002";
        if in_text && code != "J008" {
            assert!(place["line"].is_u64() && place["column"].is_u64(), "{}: {finding}", case.name);
        }
        if in_text && !code.starts_with('J') {
            assert!(place["pointer"].is_string(), "{}: {finding}", case.name);
        }
        assert!(finding["help"].is_string(), "{}: {finding}", case.name);
    }
}

#[test]
fn the_rest_is_imported_where_one_reject_is_allowed_and_no_secret_is_left() {
    for case in cases() {
        let house = House::new();
        let files = ["--rejects", "rejects", "--report", "report.json", "--report", "report.html"];
        let run = case.import(&house, &[&["--max-rejects", "1", "-v"], &files[..]].concat());
        case.has_no_secret_in_what_it_left(&house, &run);
        let report: serde_json::Value = serde_json::from_slice(&fs::read(house.path("report.json")).unwrap()).unwrap();
        match case.rest {
            Rest::Imported => {
                case.has_status(&run, 1);
                assert_eq!(report["outcome"], "committed", "{}", case.name);
                assert!(
                    run.last_line().starts_with("committed without 1 rejected record: "),
                    "{}: {}",
                    case.name,
                    run.last_line()
                );
                assert!(!rejected(&house).is_empty(), "{}: the bad one lies in the reject folder", case.name);
                let counts = row_counts(&open(&house.path(DATABASE)));
                assert_eq!(tables(&report, "inserted"), counts, "{}: the report counts what stands there", case.name);
                assert!(counts["users"] >= 1, "{}", case.name);
            }
            Rest::Refused => {
                case.has_status(&run, 1);
                assert!(!house.path(DATABASE).exists(), "{}", case.name);
                assert!(run.last_line().starts_with("refused: "), "{}: {}", case.name, run.last_line());
            }
            Rest::Clean => {
                case.has_status(&run, 0);
                assert_eq!(rejected(&house), "", "{}: nothing was rejected", case.name);
            }
        }
    }
}

/// Everything that lies in the reject folder.
fn rejected(house: &House) -> String {
    let files = walkdir::WalkDir::new(house.path("rejects")).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(|entry| fs::read_to_string(entry.path()).unwrap()).collect()
}

#[test]
fn a_rejected_record_is_in_the_reject_folder_and_the_good_ones_are_in_the_database() {
    let house = House::new();
    let tree = project("sample_data/broken/bad_order_number");
    house.import(&tree, &["--max-rejects", "1", "--rejects", "rejects"]).status(1);
    let rejected = rejected(&house);
    assert!(rejected.contains("W-1000A1"), "{rejected}");
    let good = Tree::read(&tree)
        .work_orders()
        .into_iter()
        .filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(house.one("SELECT count(*) FROM work_orders"), good.count().to_string());
}

#[test]
fn all_errors_of_a_tree_are_reported_at_once() {
    let house = House::new();
    let source = house.sample_copy();
    let dana = "users/838292413927eeea974aad707290121f";
    crate::house::edit(
        &source.join(dana).join("scraped_content.json"),
        "05/12/2025\",\n          \"time",
        "02/30/2025\",\n          \"time",
    );
    fs::write(source.join(dana).join("activity_log.json"), "[{").unwrap();
    fs::write(source.join("stray.json"), "{}").unwrap();
    let report = house.import(&source, &["--json"]).status(1).json();
    let errors = findings(&report).into_iter().filter(|finding| finding.1 == "error").map(|finding| finding.0);
    assert_eq!(errors.collect::<BTreeSet<_>>(), ["F001", "J002", "V005"].map(str::to_owned).into());
    assert!(!house.path(DATABASE).exists());
}
