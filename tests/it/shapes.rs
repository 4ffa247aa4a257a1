//! Files whose form is not quite what their mapping expects, and mappings that ask little of them.

use crate::small::{Small, fate, told};

const NOTES: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL);";
const NOTE: &str = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\n";

#[test]
fn a_mapping_without_rules_is_read_for_its_leaves() {
    // The rules of the notes wait for the owners, so nothing else runs first.
    let small = Small::new(NOTES, "")
        .lists("notes", "notes.json", NOTE)
        .mapping("scraps", "scraps.json", "[ignore]\n\"old\" = \"nobody reads it\"\n")
        .file("notes.json", r#"[{"id": "n1"}]"#)
        .file("scraps.json", r#"{"old": 1, "precious": 2}"#);
    let report = small.report(1, &[]);
    assert_eq!(fate(&report, "scraps.json"), "imported");
    let line = "error S002 no rule keeps `precious`; `\"precious\" = \"why\"` under [ignore] in ";
    assert!(matches!(told(&report).as_slice(), [one] if one.starts_with(line) && one.contains("scraps.toml")));
}

#[test]
fn records_of_another_kind_than_expected_are_an_error_and_empty_ones_are_none() {
    let read = |content: &str| {
        let shape = format!("[[source.shape]]\nname = \"list\"\nrecords = \"items[*]\"\n{NOTE}");
        let small = Small::new(NOTES, "").mapping("notes", "notes.json", &shape).file("notes.json", content);
        let run = small.import(&["--allow-empty"]);
        (run.status, told(&run.json()))
    };
    let refused = |found: &str| {
        let message = format!("error S001 shape `list`: `items` is {found} where an array is expected");
        (Some(1), vec![message])
    };
    assert_eq!(read(r#"{"items": {"id": "n1"}}"#), refused("an object"));
    assert_eq!(read(r#"{"items": "n1"}"#), refused("a string"));
    for none in [r#"{"items": []}"#, r#"{"items": {}}"#, r#"{"items": null}"#, "{}"] {
        let empty = "warning F016 no row came of 1 imported file".to_owned();
        assert_eq!(read(none), (Some(0), vec![empty]), "{none}");
    }
}
