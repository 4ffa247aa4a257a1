//! What changed between two runs is told from their reports alone.

use crate::commands::undo::house;
use crate::house::{House, edit};
use serde_json::json;

fn dry(house: &House, report: &str) {
    let database = ["--database", "sqlite:///./x.db"];
    let arguments =
        [&["import", "tree", "--mappings", "set", "--dry-run", "--quiet", "--report", report][..], &database].concat();
    let ran = house.run(arguments);
    assert!(matches!(ran.status, Some(0 | 1)), "{}", ran.stderr);
}

#[test]
fn the_report_of_a_dry_run_and_of_the_import_say_the_same_and_a_changed_tree_is_told() {
    let house = house();
    dry(&house, "dry.json");
    house
        .run(["import", "tree", "--mappings", "set", "--report", "real.json", "--database", "sqlite:///./x.db"])
        .status(0);
    let same = house.run(["report", "diff", "dry.json", "real.json"]).status(0);
    assert_eq!(same.last_line(), "same: both reports say the same");

    edit(&house.path("tree/people.json"), "\"Ann\"", "null");
    house.file("tree/unknown.json", "{}");
    std::fs::remove_file(house.path("tree/tags.json")).unwrap();
    dry(&house, "later.json");
    let differs =
        house.run(["report", "diff", "dry.json", "later.json", "-o", "changes.html", "-o", "changes.json"]).status(1);
    for line in [
        "  verdict: acceptable → refused\n",
        "  + unknown.json (unmapped)\n",
        "  - tags.json (imported)\n",
        "~ people.json: ",
        "  tags: gone: none → 1, inserted: 1 → 0\n",
    ] {
        assert!(differs.stdout.contains(line), "{line} in {}", differs.stdout);
    }
    assert!(
        differs.last_line().starts_with("differs: verdict, 1 added file, 1 removed file, 1 changed file"),
        "{}",
        differs.stdout
    );
    let document = house.run(["report", "diff", "dry.json", "later.json", "--json"]).status(1).json();
    assert_eq!(
        (&document["same"], &document["added"]),
        (&json!(false), &json!([{"path": "unknown.json", "status": "unmapped"}]))
    );
    let written = std::fs::read_to_string(house.path("changes.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), document);
    let page = std::fs::read_to_string(house.path("changes.html")).unwrap();
    assert!(page.contains("unknown.json") && page.contains("acceptable"), "{page}");
    // Nothing is written over.
    let again = house.run(["report", "diff", "dry.json", "later.json", "-o", "changes.html"]).status(2);
    assert!(again.stderr.contains("the file exists already"), "{}", again.stderr);
}

#[test]
fn what_is_no_report_is_named_with_what_is_wrong() {
    let house = house();
    dry(&house, "dry.json");
    let refused = |name: &str, content: &str, status, words: &str| {
        if !content.is_empty() {
            house.file(name, content);
        }
        for pair in [["dry.json", name], [name, "dry.json"]] {
            let ran = house.run(["report", "diff", pair[0], pair[1]]).status(status);
            assert!(ran.stderr.contains(words) && ran.stderr.contains(name), "{}", ran.stderr);
        }
    };
    refused("none.json", "", 3, "the report cannot be read: entity not found");
    refused("page.json", "<!doctype html>", 2, "it looks like a page");
    refused("half.json", "{\"report_version\": 1,", 2, "it is not valid JSON (EOF");
    refused("list.json", "[]", 2, "it is no JSON object");
    refused("other.json", "{\"report_version\": 1}", 2, "it has no member `run_id`");
    let report = std::fs::read_to_string(house.path("dry.json")).unwrap();
    refused("odd.json", &report.replacen("\"files\": [", "\"files\": 7, \"old\": [", 1), 2, "this is no JSON report: ");
}

#[test]
fn reports_of_many_files_are_compared_at_once() {
    let house = house();
    dry(&house, "dry.json");
    let report = std::fs::read_to_string(house.path("dry.json")).unwrap();
    let mut report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let file = report["files"][0].clone();
    let many = |status: &str| {
        let file = |number| {
            let mut file = file.clone();
            file["path"] = format!("people/{number}.json").into();
            file["status"] = status.into();
            file
        };
        (0..12_000).map(file).collect::<Vec<_>>()
    };
    report["files"] = many("imported").into();
    house.file("a.json", report.to_string());
    report["files"] = many("rejected").into();
    house.file("b.json", report.to_string());
    let begun = std::time::Instant::now();
    let ran = house.run(["report", "diff", "a.json", "b.json"]).status(1);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert!(ran.last_line().contains("12,000 changed files") && ran.stdout.lines().count() < 60, "{}", ran.stdout);
    assert!(house.run(["report", "diff", "a.json", "b.json", "-v"]).stdout.lines().count() > 12_000);
}
