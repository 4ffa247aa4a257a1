//! What of a set the files of a run never used is told as notes, and changes nothing.

use crate::house::inline::Lifted;
use crate::house::{House, edit};
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY NOT NULL, title TEXT, kind TEXT, made_by TEXT);
CREATE TABLE tags (id INTEGER PRIMARY KEY NOT NULL);";

const NOTES: &str = r#"[source]
files = ["notes.json"]
format = "json"
[[source.shape]]
name = "wrapped"
when = { members = ["items"] }
records = "items[*]"
[[source.shape]]
name = "list"
records = "[*]"
[table.notes]
key = ["id"]
[table.notes.columns]
id = "id"
title = { from = ["title", "nmae"] }
kind = { from = "kind", steps = [{ map = { a = "A", b = "B" } }] }
made_by = "$.author"
[ignore]
"size" = "it can be counted"
"#;

const TAGS: &str = "[table.tags]\nkey = [\"id\"]\n[table.tags.columns]\nid = \"id\"\n";

fn house(notes: &Value) -> House {
    let house = House::new().schema(TABLES).mapping("notes", NOTES).list("tags", "tags.json", TAGS);
    house.source("notes.json", notes)
}

/// The notes of a report: `U003 set/notes.toml:15 ...`.
fn notes(lifted: &Lifted) -> Vec<String> {
    let report = lifted.report();
    let of = |finding: &Value| {
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("code"), text("mapping"), text("message"))
    };
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["severity"] == "note").map(of).collect()
}

const ALL: [&str; 6] = [
    "U001 set/tags.toml:1 no file of the tree matches mapping `tags`",
    "U002 set/notes.toml:9 no file of the tree has the shape `list`",
    "U003 set/notes.toml:16 no file of the tree has a value at `nmae`",
    "U003 set/notes.toml:20 no file of the tree has a value at `size`",
    "U004 set/notes.toml:18 no file of the tree has a value for `notes.made_by`, at `$.author`",
    "U005 set/notes.toml:17 no file of the tree has the value \"b\" that `map` lists",
];

#[test]
fn a_rehearsal_a_run_and_another_tell_the_same_notes() {
    let house = house(&json!({"items": [{"id": 1, "title": "x"}, {"id": 2, "kind": "a"}]}));
    for more in [&["--dry-run"][..], &[], &[]] {
        let lifted = house.lift(more);
        assert_eq!((lifted.status(), notes(&lifted)), (Some(0), ALL.map(str::to_owned).to_vec()), "{more:?}");
    }
}

#[test]
fn what_is_used_is_not_told() {
    let house = house(
        &json!({"author": "ann", "items": [{"id": 1, "title": null, "kind": "b", "size": 1}, {"id": 2, "kind": "a"}]}),
    );
    house.put("tags.json", "[{\"id\": 1}]");
    assert_eq!(notes(&house.lift(&[])), [ALL[1], ALL[2]]);
}

#[test]
fn check_against_the_tree_tells_the_same() {
    let house = house(&json!({"items": [{"id": 1, "title": "x"}, {"id": 2, "kind": "a"}]}));
    let run = house.run(["check", "set", "--against", "tree", "--json"]).status(0).json();
    let unused = run["sets"][0]["unused"].as_array().unwrap();
    let text = |unused: &Value, name: &str| unused[name].as_str().unwrap_or_default().to_owned();
    let mut told: Vec<String> = unused
        .iter()
        .map(|unused| format!("{} {} {}", text(unused, "code"), text(unused, "place"), text(unused, "message")))
        .collect();
    told.sort();
    assert_eq!(told, ALL);
}

#[test]
fn a_rejected_record_has_its_paths_and_a_mapping_that_is_left_out_is_not_judged() {
    let house = house(&json!({"author": "ann", "items": [{"id": "no number", "title": "x", "kind": "a", "size": 1}]}));
    edit(&house.path("set/notes.toml"), "[\"title\", \"nmae\"]", "\"title\"");
    let lifted = house.lift(&["--only-mapping", "notes", "--max-rejects", "1"]);
    assert_eq!(notes(&lifted), [ALL[1], ALL[5]]);
    house.put("notes.json", "{");
    let lifted = house.lift(&["--only-mapping", "notes", "--max-rejects", "1"]);
    assert_eq!(notes(&lifted), [""; 0], "a file that cannot be read is one");
}
