//! Files whose form is not quite what their mapping expects, and mappings that ask little of them.

use crate::house::House;
use crate::house::inline::{fate, told};

const NOTES: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL);";
const NOTE: &str = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\n";

#[test]
fn a_mapping_without_rules_is_read_for_its_leaves() {
    // The rules of the notes wait for the owners, so nothing else runs first.
    let house = House::new()
        .schema(NOTES)
        .list("notes", "notes.json", NOTE)
        .reads("scraps", "scraps.json", "[ignore]\n\"old\" = \"nobody reads it\"\n")
        .text("notes.json", r#"[{"id": "n1"}]"#)
        .text("scraps.json", r#"{"old": 1, "precious": 2}"#);
    let report = house.report(1, &[]);
    assert_eq!(fate(&report, "scraps.json"), "imported");
    let line = "error S002 no rule keeps `precious`; `\"precious\" = \"why\"` under [ignore] in ";
    assert!(matches!(told(&report).as_slice(), [one] if one.starts_with(line) && one.contains("scraps.toml")));
}

/// The status of a run over one file of notes whose mapping says this of them, and what it finds.
fn read(source: &str, content: &str) -> (Option<i32>, Vec<String>) {
    let house = House::new().schema(NOTES).reads("notes", "notes.json", &format!("{source}{NOTE}"));
    let run = house.text("notes.json", content).lift(&["--allow-empty"]).ran;
    (run.status, told(&run.json()))
}

#[test]
fn a_file_whose_records_are_elsewhere_is_an_error_and_an_empty_list_of_them_is_none() {
    let refused = |why: &str| (Some(1), vec![format!("error S001 shape `notes`: {why}")]);
    for (records, content, why) in [
        ("items[*]", r#"{"items": {"id": "n1"}}"#, "`items` is an object where an array is expected"),
        ("items[*]", r#"{"items": "n1"}"#, "`items` is a string where an array is expected"),
        ("items[*]", r#"{"items": null}"#, "`items` is null where an array is expected"),
        ("items[*]", "{}", "`items` is missing"),
        ("items[*]", "[]", "the document is an array where an object is expected"),
        ("a.items.*", r#"{"a": {"items": []}}"#, "`a.items` is an array where an object is expected"),
        ("a.items.*", r#"{"a": 1}"#, "`a` is a number where an object is expected"),
        ("a.item", r#"{"a": {}}"#, "`a.item` is missing"),
        (".*[*]", r#"{"a": 1}"#, "`*` is a number where an array is expected"),
    ] {
        assert_eq!(read(&format!("records = \"{records}\"\n"), content), refused(why), "{content}");
    }
    let empty = vec!["warning F016 no row came of 1 imported file".to_owned()];
    for (records, content) in
        [("items[*]", r#"{"items": []}"#), ("[*]", "[]"), (".*", "{}"), (".*[*]", r#"{"a": null}"#)]
    {
        assert_eq!(read(&format!("records = \"{records}\"\n"), content), (Some(0), empty.clone()), "{content}");
    }
}

#[test]
fn the_first_shape_that_fits_is_taken_by_its_records_and_its_condition() {
    let shapes = "[[source.shape]]\nname = \"listed\"\nrecords = \"items[*]\"\n\
                  [[source.shape]]\nname = \"keyed\"\nrecords = \"items.*\"\n\
                  [[source.shape]]\nname = \"bare\"\nwhen = \"plain\"\nrecords = \"[*]\"\n\
                  [[source.shape]]\nname = \"gone\"\nwhen = { not = { any = [\"plain\", { type = \"object\" }] } }\nignore = \"nothing\"\n\
                  [when]\nplain = { type = \"array\" }\n\
                  [let]\nany = [\"id\", \".\"]\n";
    let rule = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"=any\"\n";
    let house = House::new().schema(NOTES).reads("notes", "*.json", &format!("{shapes}{rule}"));
    let house = house
        .text("a.json", r#"{"items": [{"id": "n1"}]}"#)
        .text("b.json", r#"{"items": {"k": {"id": "n2"}}}"#)
        .text("d.json", r#"[{"id": "n4"}]"#)
        .text("e.json", "1")
        .text("f.json", r#"{"items": 1}"#);
    let report = house.report(1, &[]);
    let shape = |path: &str| {
        let files = report["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).unwrap()["shape"].as_str().map(str::to_owned)
    };
    let shapes = ["a.json", "b.json", "d.json", "e.json", "f.json"].map(shape);
    assert_eq!(shapes.map(Option::unwrap_or_default), ["listed", "keyed", "bare", "gone", ""]);
    let message = "error S001 the file matches none of the shapes listed, keyed, bare, gone; `[[source.shape]]` with \
                   `name = \"new\"`, `when = { members = [\"items\"] }` and `ignore = \"why\"`";
    let told = told(&report);
    assert!(told.iter().any(|one| one.starts_with(message)), "{told:#?}");
}
