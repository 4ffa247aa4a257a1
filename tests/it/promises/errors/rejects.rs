//! The reject folder, and values that no column keeps.

use crate::house::House;
use crate::house::inline::told;
use std::os::unix::fs::{PermissionsExt, symlink};

const NOTES: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, size NUMERIC, at DATETIME);";
const NOTE: &str = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nsize = \"size\"\n\
                    at = \"at\"\n";

fn notes(content: &str) -> House {
    House::new().schema(NOTES).list("notes", "notes.json", NOTE).text("notes.json", content)
}

#[test]
fn values_that_a_column_would_change_are_refused_at_their_place() {
    let house = notes(
        r#"[{"id": "a", "size": 12345678901234567890}, {"id": "b", "size": 1e5}, {"id": "c", "at": "2025-05-07T15:09:12.123456789Z"},
            {"id": "d", "size": 1.50, "at": "2025-05-07T15:09:12.123456Z"}]"#,
    );
    let report = house.report(1, &["--max-rejects", "3"]);
    assert_eq!(report["outcome"], "committed");
    let codes: Vec<_> = told(&report).iter().map(|told| told[..10].to_owned()).collect();
    assert_eq!(codes, ["error V005", "error V007", "error V007"]);
    assert_eq!(house.rows("SELECT id, size, at FROM notes"), [["d", "1.5", "2025-05-07 15:09:12.123456"]]);
}

#[test]
fn a_clean_run_keeps_older_rejects_under_a_number() {
    let house = notes(r#"[{"id": 1}]"#);
    let lies = || -> Vec<String> {
        let entries = std::fs::read_dir(house.path("rejects")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    house.report(1, &["--rejects", "rejects"]);
    assert_eq!(lies(), ["rejects.jsonl"]);
    let mode = house.path("rejects/rejects.jsonl").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    house.put("notes.json", r#"[{"id": "a"}]"#);
    house.report(0, &["--rejects", "rejects"]);
    // The rejects of the run before may be the only copy: they are kept.
    assert_eq!(lies(), ["rejects.1.jsonl"]);
}

#[test]
fn a_link_in_the_reject_folder_is_neither_written_through_nor_removed() {
    let house = notes(r#"[{"id": 1}]"#);
    let elsewhere = house.file("elsewhere", "somebody's");
    std::fs::create_dir(house.path("rejects")).unwrap();
    symlink(&elsewhere, house.path("rejects/rejects.jsonl.partial")).unwrap();
    let ran = house.lift(&["--rejects", "rejects"]).ran.status(2);
    assert!(ran.stderr.contains("the name of the unfinished file is taken by another file"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(elsewhere).unwrap(), "somebody's");
    assert!(house.path("rejects/rejects.jsonl.partial").is_symlink());
}

#[test]
fn a_duplicate_member_names_the_line_and_column_of_the_first() {
    let report = notes("[{\"id\": \"a\",\n  \"id\": \"b\"}]").report(1, &[]);
    assert_eq!(told(&report), ["error J003 duplicate member `id` (the other is notes.json:1:3 /0/id)"]);
}
