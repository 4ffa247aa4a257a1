//! Nothing changes unseen: reports and tables of 250 random trees and sets, compared as digests with
//! those of an earlier version.
//!
//! `differential.txt` is never written anew as a whole. Where a change is intended, the lines that it
//! prints are added at the end, each followed by the reason; the last line of a case counts.
//! `TREELIFT_DIFFERENTIAL=DIR` keeps what the digests are made of, to compare it with that of another
//! version.

use crate::house::{DATABASE, House, application_dump, hex, open, rows};
use crate::promises::again::set_laws;
use crate::promises::sum::laws;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// The digests by case.
fn known() -> HashMap<&'static str, &'static str> {
    let lines = include_str!("differential.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(case, rest)| (case, rest.get(..50).unwrap_or(rest))).collect()
}

/// Members of the report that differ from run to run.
const OF_THE_RUN: [&str; 4] = ["run_id", "run", "timings", "source"];

/// What the report says, without what differs from run to run.
fn report(mut report: Value) -> String {
    OF_THE_RUN.iter().for_each(|member| {
        report.as_object_mut().unwrap().remove(*member);
    });
    // How a set is written says nothing of what it does.
    report["mappings"].as_object_mut().unwrap().remove("digest").unwrap();
    format!("{report:#}")
}

/// Every row of the application's tables, and what the ledger says of where it came from. Sealed
/// values differ each time.
fn database(house: &House) -> String {
    let mut text = String::new();
    if !house.path(DATABASE).exists() {
        return text;
    }
    let database = open(&house.path(DATABASE));
    let cell =
        |cell: String| if cell.starts_with("tl2.") || cell.starts_with("tl2:") { "sealed".to_owned() } else { cell };
    let mut put = |table: &str, rows: Vec<Vec<String>>| {
        for row in rows {
            let row: Vec<String> = row.into_iter().map(cell).collect();
            writeln!(text, "{table}: {row:?}").unwrap();
        }
    };
    application_dump(&database).into_iter().for_each(|(table, rows)| put(&table, rows));
    let ledger = "SELECT f.path, t.name, r.number, r.row_key, r.\"offset\", r.digest, substr(r.own, 1, 16), c.digested, c.clock, c.sealed, c.filled
                  FROM treelift_rows r JOIN treelift_files f ON f.id = r.file JOIN treelift_tables t ON t.id = r.\"table\"
                  JOIN treelift_columns c ON c.id = r.columns ORDER BY r.file, t.name, r.number";
    put("ledger", rows(&database, ledger));
    let runs = "SELECT number, files, leaves, inserted, updated, unchanged, rejected FROM treelift_runs";
    put("runs", rows(&database, runs));
    text
}

/// What one case says in one run.
fn said(house: &House, more: &[&str]) -> (String, String) {
    let lifted = house.lift(more);
    (format!("exit {:?}\n{}\n", lifted.status(), report(lifted.report())), database(house))
}

fn short(text: &str) -> String {
    hex(&Sha256::digest(text))[..16].to_owned()
}

/// The same inputs each time.
fn inputs<S: Strategy>(count: usize, strategy: &S) -> Vec<S::Value> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Compares the cases with what is known of them; prints the lines of those that differ.
fn compare(kind: &str, cases: impl IntoIterator<Item = BTreeMap<&'static str, String>>) {
    let known = known();
    let kept = std::env::var_os("TREELIFT_DIFFERENTIAL").map(PathBuf::from);
    let mut differing = String::new();
    for (number, case) in cases.into_iter().enumerate() {
        let name = format!("{kind}-{number:03}");
        if let Some(folder) = &kept {
            fs::create_dir_all(folder).unwrap();
            let all: String = case.iter().map(|(part, text)| format!("== {part}\n{text}\n")).collect();
            fs::write(folder.join(format!("{name}.txt")), all).unwrap();
        }
        let digests: Vec<String> = case.iter().map(|(part, text)| format!("{part}={}", short(text))).collect();
        let digests = digests.join(" ");
        if known.get(name.as_str()).is_none_or(|line| *line != digests) {
            writeln!(differing, "{name} {digests}").unwrap();
        }
    }
    assert!(
        differing.is_empty(),
        "reports or tables changed; lines for `tests/it/project/differential.txt`:\n{differing}"
    );
}

/// A first import and a second one, in turn with one thread, two and eight, which must not show.
fn twice(house: &House, more: &[&str], case: usize) -> BTreeMap<&'static str, String> {
    let with_jobs = |at: usize| [more, &["--jobs", ["1", "2", "8"][at % 3]]].concat();
    let (mut report, mut tables) = said(house, &with_jobs(case));
    let (second, after) = said(house, &with_jobs(case + 1));
    report.push_str(&second);
    tables.push_str(&after);
    BTreeMap::from([("report", report), ("tables", tables)])
}

/// A slice of the sets, so that the test runner divides the work.
fn sets(slice: usize) {
    let inputs = inputs(150, &(set_laws::rules(), set_laws::trees(), proptest::bool::weighted(0.3)));
    let inputs = inputs.iter().enumerate().skip(slice * 50).take(50);
    let cases = inputs.map(|(number, (rules, tree, staged))| {
        let house = set_laws::house(rules, tree);
        let before = staged.then(|| said(&house, &["--max-rejects", "99", "--only-mapping", "people"]));
        let mut case = twice(&house, &["--max-rejects", "99"], number);
        if let Some((report, tables)) = before {
            case.get_mut("report").unwrap().push_str(&report);
            case.get_mut("tables").unwrap().push_str(&tables);
        }
        case
    });
    compare(&format!("set-{slice}"), cases);
}

#[test]
fn sets_of_every_kind_give_what_they_gave() {
    sets(0);
}

#[test]
fn more_sets_give_what_they_gave() {
    sets(1);
}

#[test]
fn and_more_sets_give_what_they_gave() {
    sets(2);
}

#[test]
fn trees_with_secrets_and_rejects_give_what_they_gave() {
    let inputs = inputs(50, &(laws::trees(), proptest::sample::select(vec!["0", "99", "99", "99"])));
    let cases = inputs.iter().enumerate();
    compare("tree", cases.map(|(number, (tree, most))| twice(&laws::house(tree), &["--max-rejects", most], number)));
}

#[test]
fn documents_of_any_form_give_what_they_gave() {
    let inputs = inputs(50, &laws::documents());
    let of = |(number, document)| twice(&laws::document_house(document), &[], number);
    compare("document", inputs.iter().enumerate().map(of));
}
