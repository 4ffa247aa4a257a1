//! `treelift inspect`: the contents of a tree, and a first mapping set for it.

mod scaffold_laws;
mod unknown_trees;

use crate::house::{House, project, sample};
use std::fs;
use std::path::PathBuf;

fn trees() -> Vec<PathBuf> {
    let broken = fs::read_dir(project("sample_data/broken")).unwrap().map(|entry| entry.unwrap().path());
    let mut trees: Vec<PathBuf> = broken.filter(|path| path.is_dir()).collect();
    trees.extend([sample(), project("sample_data/notes")]);
    trees.sort();
    trees
}

#[test]
fn what_is_scaffolded_passes_check_whatever_the_tree() {
    for tree in trees() {
        let house = House::new();
        let tree = tree.to_str().unwrap();
        let ran = house.run(["inspect", tree, "--scaffold", "set"]).status(0);
        assert!(ran.stdout.contains("\npasses `check`: "), "{tree}: {}", ran.stdout);
        house.run(["check", "set"]).status(0);
        let set = fs::read_to_string(house.path("set/set.toml")).unwrap();
        assert!(set.contains("# guess: "), "{set}");
    }
}

#[test]
fn a_scaffold_accounts_for_every_value_of_the_tree_it_was_made_of() {
    let house = House::new();
    let tree = project("sample_data/notes");
    house.run(["inspect", tree.to_str().unwrap(), "--scaffold", "set"]).status(0);
    let report = house.import(&tree, &["--mappings", "set", "--dry-run", "--json"]).status(0).json();
    assert_eq!(report["leaves"]["unmapped"], 0);
    assert_eq!(report["caught_all"], serde_json::json!([]));
    let people = report["tables"].as_array().unwrap().iter().find(|table| table["name"] == "people").unwrap();
    assert_eq!(people["inserted"], 3, "a person without a secret is a person");
}

#[test]
fn odd_names_and_types_are_scaffolded_too() {
    let house = House::new();
    house.file(
        "tree/a.json",
        r#"[{"odd key": 1, "it's": 2, "mixed": 1, "n": 1.50, "d": "2024-01-31", "password": true, "deep": {"a": {"b": {"c": {"d": 1}}}}},
            {"odd key": 2, "mixed": "x", "n": 2, "d": "2024-02-01", "list": [{"apiKey": "abcdefgh"}], "e": {}, "f": []}]"#,
    );
    house.file("tree/b.json", r#"{"one": 1}"#);
    house.file("tree/c.json", "\"only a text\"");
    house.file("tree/order.json", r#"{"select": [{"from": 1}], "table": {"x": 1}}"#);
    house.run(["inspect", "tree", "--scaffold", "set"]).status(0);
    house.run(["check", "set", "--against", "tree"]).status(0);
    let report = house.import(&house.path("tree"), &["--mappings", "set", "--dry-run", "--json"]).status(0).json();
    assert_eq!(report["leaves"]["unmapped"], 0, "{report:#}");
}

#[test]
fn existing_files_are_never_overwritten() {
    let house = House::new();
    house.file("set/mine.txt", "mine");
    let tree = project("sample_data/notes");
    let ran = house.run(["inspect", tree.to_str().unwrap(), "--scaffold", "set"]).status(2);
    assert!(ran.stderr.contains("not empty"), "{}", ran.stderr);
    assert_eq!(fs::read_dir(house.path("set")).unwrap().count(), 1);
}

#[test]
fn values_are_shown_only_when_asked_for() {
    let house = House::new();
    let tree = project("sample_data/notes");
    let tree = tree.to_str().unwrap();
    let masked = house.run(["inspect", tree]).status(0).stdout;
    let shown = house.run(["inspect", tree, "--show-values"]).status(0).stdout;
    for value in ["light", "moth.jpg", "grace@example.com"] {
        assert!(!masked.contains(value), "{value}");
        assert!(shown.contains(value), "{value}");
    }
}

#[test]
fn invalid_and_other_files_are_reported() {
    let house = House::new();
    house.file("tree/notes.txt", "plain");
    house.file("tree/cut.json", "{\"a\": [1,");
    let report = house.run(["inspect", "tree", "--json"]).status(0).json();
    let types = report["types"].as_array().unwrap();
    assert_eq!(types[0]["pattern"], "cut.json");
    assert_eq!(types[0]["broken"][0][0], "cut.json");
    assert!(types[0]["broken"][0][1].as_str().unwrap().starts_with("J002"), "{report}");
    assert_eq!((types[1]["pattern"].as_str(), types[1]["other"].as_u64()), (Some("notes.txt"), Some(1)));
    house.run(["inspect", "no/such/tree"]).status(3);
}
