//! What a report and its companions say, and what they must not.

use crate::house::House;
use crate::house::inline::told;

const TABLES: &str = "CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, door TEXT, floor TEXT NOT NULL);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);";
const LOGIN: &str = "[table.logins]\nkey = [\"id\"]\non_duplicate = \"first\"\n[table.logins.columns]\nid = \"id\"\n\
    floor = { from = \"floor\", default = \"ground\" }\ndoor = { seal = \"doorPin\" }\n";
const NOTE: &str = "[table.notes]\n[table.notes.columns]\nbody = \"body\"\n";

#[test]
fn a_secret_is_withheld_wherever_the_source_spells_it() {
    let set = "[owners]\ncapture = \"owner\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\nunknown = { ignore = \"nobody's\" }\n";
    let house = House::new()
        .schema(&format!("{TABLES} CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL);"))
        .set(set)
        .list("people", "people.json", "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\n")
        .list("logins", "logins_*.json", LOGIN)
        .reads("notes", "of/{owner}/notes.json", "[table.notes]\n[table.notes.columns]\nbody = \"body\"\n")
        .text("people.json", r#"[{"id": "ann"}]"#)
        .text("logins_1.json", r#"[{"id": "a", "doorPin": "open-sesame"}, {"id": 7, "open-sesame": {"x": 1}}, {"id": "b", "open-sesame": 1}]"#)
        .text("of/ben/notes.json", r#"{"body": "b"}"#);
    let run = house.lift(&["--rejects", "rejects", "--report", "report.json", "--report", "report.html"]).ran.status(1);
    let rejects = std::fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap();
    let html = std::fs::read_to_string(house.path("report.html")).unwrap();
    for text in [&run.stdout, &run.stderr, &rejects, &html] {
        assert!(!text.contains("open-sesame"), "{text}");
    }
    assert!(run.stdout.contains("(withheld: it holds the value of a secret)"));
}

#[test]
fn what_is_left_out_by_the_mapping_is_noted_with_its_place() {
    let house = House::new()
        .schema(TABLES)
        .set("[ignore]\n\"old/*.json\" = \"copies\"\n")
        .list("logins", "logins.json", LOGIN)
        .text("logins.json", r#"[{"id": "a", "doorPin": "open-sesame", "floor": "1"}, {"id": "a", "doorPin": "another-one"}, {"id": "b", "doorPin": ""}]"#)
        .text("old/1.json", r#"{"note": "say open-sesame"}"#)
        .text("old/2.json", r#"{"apiKey": "1"}"#)
        .text("old/3.json", r#"{"note": "nothing"}"#);
    let report = house.report(0, &[]);
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
    let house = House::new()
        .schema(TABLES)
        .list("logins", "logins.json", LOGIN)
        .text("logins.json", r#"[{"id": "a", "doorPin": "open-sesame"}]"#);
    let report = house.report(0, &[]);
    assert_eq!(told(&report)[1..], ["note V011 `floor` became the default"]);
}

#[test]
fn a_row_without_a_key_that_the_source_gives_no_more_is_an_error() {
    let house = House::new()
        .schema(TABLES)
        .list("notes", "notes.json", NOTE)
        .text("notes.json", r#"[{"body": "a"}, {"body": "b"}]"#);
    house.report(0, &[]);
    house.report(0, &[]);
    house.put("notes.json", r#"[{"body": "a"}, {"body": "c"}]"#);
    let report = house.report(1, &[]);
    let message = "error R003 1 row of `notes` that an earlier run wrote from this file is not given by it any more";
    assert_eq!(told(&report), [message]);
    assert_eq!(house.rows("SELECT body FROM notes"), [["a"], ["b"]]);
    house.put("notes.json", "[]");
    assert_eq!(told(&house.report(1, &[])), [message.replace("1 row", "2 rows").replace(" is not", " are not")]);
    house.put("notes.json", r#"[{"body": "a"}, {"body": "b"}, {"body": "c"}]"#);
    house.report(0, &[]);
    assert_eq!(house.one("SELECT count(*) FROM notes"), "3");
}
