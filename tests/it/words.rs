//! What a report and its companions say, and what they must not.

use crate::small::{Small, told};

const TABLES: &str = "CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, door TEXT, floor TEXT NOT NULL);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);";
const LOGIN: &str = "[table.logins]\nkey = [\"id\"]\non_duplicate = \"first\"\n[table.logins.columns]\nid = \"id\"\n\
    floor = { from = \"floor\", default = \"ground\" }\ndoor = { seal = \"doorPin\" }\n";
const NOTE: &str = "[table.notes]\n[table.notes.columns]\nbody = \"body\"\n";

#[test]
fn a_secret_is_withheld_wherever_the_source_spells_it() {
    let set = "[owners]\ncapture = \"owner\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\nunknown = { ignore = \"nobody's\" }\n";
    let small = Small::new(&format!("{TABLES} CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL);"), set)
        .lists("people", "people.json", "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\n")
        .lists("logins", "logins_*.json", LOGIN)
        .mapping("notes", "of/{owner}/notes.json", "[table.notes]\n[table.notes.columns]\nbody = \"body\"\n")
        .file("people.json", r#"[{"id": "ann"}]"#)
        .file("logins_1.json", r#"[{"id": "a", "doorPin": "open-sesame"}, {"id": 7, "open-sesame": {"x": 1}}, {"id": "b", "open-sesame": 1}]"#)
        .file("of/ben/notes.json", r#"{"body": "b"}"#);
    let run = small.import(&["--rejects", "rejects", "--report", "report.json", "--report", "report.html"]).status(1);
    let rejects = std::fs::read_to_string(small.house.path("rejects/rejects.jsonl")).unwrap();
    let html = std::fs::read_to_string(small.house.path("report.html")).unwrap();
    for text in [&run.stdout, &run.stderr, &rejects, &html] {
        assert!(!text.contains("open-sesame"), "{text}");
    }
    assert!(run.stdout.contains("(withheld: it holds the value of a secret)"));
}

#[test]
fn what_is_left_out_by_the_mapping_is_noted_with_its_place() {
    let small = Small::new(TABLES, "[ignore]\n\"old/*.json\" = \"copies\"\n")
        .lists("logins", "logins.json", LOGIN)
        .file(
            "logins.json",
            r#"[{"id": "a", "doorPin": "open-sesame", "floor": "1"}, {"id": "a", "doorPin": "another-one"}, {"id": "b", "doorPin": ""}]"#,
        )
        .file("old/1.json", r#"{"note": "say open-sesame"}"#)
        .file("old/2.json", r#"{"apiKey": "1"}"#)
        .file("old/3.json", r#"{"note": "nothing"}"#);
    let report = small.report(0, &[]);
    let expected = [
        "warning R006 row of `logins` superseded by an earlier row with the same key, and its other values of `door` are dropped \
         (the other is logins.json:1:2 /0)",
        "warning X005 secrets remain in plaintext in this file",
        "warning X005 this file is ignored, and secrets or what looks like secrets remain in it",
        "warning X005 this file is ignored, and secrets or what looks like secrets remain in it",
        "note X004 the secrets of the row are empty",
    ];
    assert_eq!(told(&report), expected);
}

#[test]
fn values_that_became_the_default_are_noted_where_they_are_written() {
    let small = Small::new(TABLES, "")
        .lists("logins", "logins.json", LOGIN)
        .file("logins.json", r#"[{"id": "a", "doorPin": "open-sesame"}]"#);
    let report = small.report(0, &[]);
    assert_eq!(told(&report)[1..], ["note V011 `floor` became the default"]);
}

#[test]
fn a_row_without_a_key_that_the_source_gives_no_more_is_an_error() {
    let small = Small::new(TABLES, "")
        .lists("notes", "notes.json", NOTE)
        .file("notes.json", r#"[{"body": "a"}, {"body": "b"}]"#);
    small.report(0, &[]);
    small.report(0, &[]);
    small.write("notes.json", r#"[{"body": "a"}, {"body": "c"}]"#);
    let report = small.report(1, &[]);
    let message = "error R003 1 row of `notes` that an earlier run wrote from this file is not given by it any more";
    assert_eq!(told(&report), [message]);
    assert_eq!(small.house.rows("SELECT body FROM notes"), [["a"], ["b"]]);
    small.write("notes.json", "[]");
    assert_eq!(told(&small.report(1, &[])), [message.replace("1 row", "2 rows").replace(" is not", " are not")]);
    small.write("notes.json", r#"[{"body": "a"}, {"body": "b"}, {"body": "c"}]"#);
    small.report(0, &[]);
    assert_eq!(small.house.one("SELECT count(*) FROM notes"), "3");
}
