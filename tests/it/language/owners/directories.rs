//! Directories of owners: several of one owner, the same bytes twice, the newest file first.

use crate::house::House;
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT);
                      CREATE TABLE notes (person TEXT NOT NULL, id TEXT NOT NULL, body TEXT, PRIMARY KEY (person, id));";

const OWNERS: &str = r##"
    [owners]
    capture = "owner"
    table = "people"
    find = [{ by = { id = "#owner" } }, { by = { name = "#owner" }, alias = true }]
    unknown = "refuse""##;
const PEOPLE: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    name = "name""#;
const NOTES: &str = r##"
    [source]
    files = ["of/{owner}/notes.json", "of/{owner}/old.json"]
    format = "json"
    newest = ["$.saved"]
    [[source.shape]]
    name = "notes"
    records = "notes[*]"
    [table.notes]
    key = ["person", "id"]
    on_duplicate = "first"
    [table.notes.columns]
    person = "#owner.id"
    id = "id"
    body = "body"
    [ignore]
    "$.saved" = "when it was saved""##;

/// A house in which Ann has two directories, `1` and `ann`.
fn house() -> House {
    House::new()
        .schema(TABLES)
        .set(OWNERS)
        .list("people", "people.json", PEOPLE)
        .mapping("notes", NOTES)
        .source("people.json", &json!([{"id": "1", "name": "ann"}, {"id": "2", "name": "bob"}]))
}

fn notes(saved: &str, notes: &[(&str, &str)]) -> Value {
    let notes: Vec<_> = notes.iter().map(|(id, body)| json!({"id": id, "body": body})).collect();
    json!({"saved": saved, "notes": notes})
}

/// Each file with its status and the start of its reason.
fn files(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let file = |file: &Value| format!("{} {}", text(&file["path"]), text(&file["status"]));
    report["files"].as_array().unwrap().iter().map(file).collect()
}

const SAVED: &str = "2025-05-07T14:42:18.000Z";
const LATER: &str = "2025-06-07T14:42:18.000Z";

#[test]
fn an_alias_directory_with_the_same_bytes_is_read_once() {
    let same = notes(SAVED, &[("a", "x"), ("b", "y")]);
    let house = house().source("of/1/notes.json", &same).source("of/ann/notes.json", &same);
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 8, ignored 1").finds(&[]);
    let lifted = lifted.counts("inserted", "notes 2, people 2");
    let report = lifted.report();
    assert_eq!(files(&report), ["of/1/notes.json imported", "of/ann/notes.json ignored", "people.json imported"]);
    let codes = report["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]);
    assert_eq!(codes.collect::<Vec<_>>(), ["F013"]);
}

#[test]
fn the_same_bytes_below_another_owners_directory_are_their_own() {
    let same = notes(SAVED, &[("a", "x")]);
    let house = house().source("of/1/notes.json", &same).source("of/2/notes.json", &same);
    house.lift(&[]).ends(0, "committed").leaves("column 8, ignored 2").counts("inserted", "notes 2, people 2");
    assert_eq!(house.rows("SELECT person, id FROM notes ORDER BY person"), [["1", "a"], ["2", "a"]]);
}

#[test]
fn older_rows_of_an_alias_directory_with_other_bytes_are_superseded() {
    let house = house()
        .source("of/1/notes.json", &notes(SAVED, &[("a", "old"), ("b", "only here")]))
        .source("of/ann/notes.json", &notes(LATER, &[("a", "new"), ("c", "only there")]));
    let lifted = house.lift(&[]).ends(0, "committed").finds(&["warning F014 of/ann/notes.json"]);
    lifted.leaves("column 10, ignored 4").counts("inserted", "notes 3, people 2");
    let rows = [["a", "new"], ["b", "only here"], ["c", "only there"]];
    assert_eq!(house.rows("SELECT id, body FROM notes ORDER BY id"), rows);
}

#[test]
fn the_newest_of_several_files_of_one_directory_is_read_first() {
    let house = house()
        .source("of/2/notes.json", &notes(SAVED, &[("a", "older")]))
        .source("of/2/old.json", &notes(LATER, &[("a", "newer")]));
    house.lift(&[]).ends(0, "committed").finds(&[]);
    assert_eq!(house.rows("SELECT id, body FROM notes"), [["a", "newer"]]);
}

#[test]
fn a_file_without_a_time_is_read_last() {
    let house = house()
        .source("of/1/notes.json", &json!({"notes": [{"id": "a", "body": "undated"}]}))
        .source("of/ann/notes.json", &notes(SAVED, &[("a", "dated")]));
    house.lift(&[]).ends(0, "committed").finds(&["warning F014 of/ann/notes.json"]);
    assert_eq!(house.rows("SELECT id, body FROM notes"), [["a", "dated"]]);
}

#[test]
fn a_second_import_of_two_directories_changes_nothing() {
    let house = house()
        .source("of/1/notes.json", &notes(SAVED, &[("a", "old"), ("b", "only here")]))
        .source("of/ann/notes.json", &notes(LATER, &[("a", "new")]));
    house.lift(&[]).ends(0, "committed").counts("inserted", "notes 2, people 2");
    let lifted = house.lift(&[]).ends(0, "committed").finds(&["warning F014 of/ann/notes.json"]);
    lifted.counts("inserted", "").counts("unchanged", "notes 2, people 2");
}

#[test]
fn a_directory_without_an_owner_stops_the_import() {
    let house = house().source("of/zoe/notes.json", &notes(SAVED, &[("a", "x")]));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error O001 of/zoe/notes.json"]);
}

#[test]
fn the_files_of_a_rejected_owner_are_one_reject_each() {
    let people = PEOPLE.replace("name = \"name\"", "name = { from = \"name\", steps = [{ require = \"^[a-z]+$\" }] }");
    let house = house()
        .list("people", "people.json", &people)
        .source("people.json", &json!([{"id": "1", "name": "ann"}, {"id": "2", "name": "BOB"}]))
        .source("of/1/notes.json", &notes(SAVED, &[("a", "x")]))
        .source("of/2/notes.json", &notes(SAVED, &[("a", "x")]))
        .source("of/2/old.json", &notes(SAVED, &[("b", "x")]));
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    lifted.finds(&["error O002 of/2/notes.json", "error V005 people.json /1/name"]);
    house.lift(&["--max-rejects", "2"]).ends(1, "rolled-back");
    let lifted = house.lift(&["--max-rejects", "3"]).ends(1, "committed");
    let report = lifted.leaves("column 4, ignored 1, rejected 2").report();
    assert_eq!(
        files(&report),
        ["of/1/notes.json imported", "of/2/notes.json rejected", "of/2/old.json rejected", "people.json imported"]
    );
    assert_eq!(house.rows("SELECT person, id FROM notes"), [["1", "a"]]);
}

/// A house in which Ann's note asks about Bob's, and Bob's about Ann's.
fn asking(column: &str) -> House {
    let mails = format!(
        "[table.mails]\nkey = [\"id\"]\n[table.mails.columns]\nid = \"id\"\nperson = \"#owner.id\"\nabout = {column}\n\
         [ignore]\n\"*\" = \"asked about\""
    );
    House::new()
        .schema(&format!("{TABLES} CREATE TABLE mails (id TEXT PRIMARY KEY NOT NULL, person TEXT, about TEXT);"))
        .set(OWNERS)
        .list("people", "people.json", PEOPLE)
        .mapping("notes", NOTES)
        .list("mails", "of/{owner}/mails.json", &mails)
        .source("people.json", &json!([{"id": "1", "name": "ann"}, {"id": "2", "name": "bob"}]))
        .source("of/1/notes.json", &notes(SAVED, &[("a", "of Ann")]))
        .source("of/2/notes.json", &notes(SAVED, &[("b", "of Bob")]))
        .source("of/1/mails.json", &json!([{"id": "x", "note": "b"}]))
        .source("of/2/mails.json", &json!([{"id": "y", "note": "a"}]))
}

#[test]
fn a_lookup_finds_rows_of_every_owner_whatever_their_order() {
    for column in [
        r#"{ lookup = "notes.body", by = { id = "note" } }"#,
        r#"[{ value = "yes", when = { exists = "notes", by = { id = "note" } } }, { value = "no" }]"#,
    ] {
        let house = asking(column);
        house.lift(&[]).ends(0, "committed").finds(&[]).counts("inserted", "mails 2, notes 2, people 2");
        let about = house.rows("SELECT about FROM mails ORDER BY id");
        assert!(about == [["of Bob"], ["of Ann"]] || about == [["yes"], ["yes"]], "{about:?}");
        let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
        lifted.counts("inserted", "").counts("unchanged", "mails 2, notes 2, people 2");
    }
}

#[test]
fn a_lookup_by_the_owners_id_needs_no_second_round() {
    // The note of the same name that another owner has is not found.
    let house = asking(r##"{ lookup = "notes.body", by = { person = "#owner.id", id = "note" } }"##);
    house.put("of/1/notes.json", notes(SAVED, &[("b", "Ann's own")]).to_string());
    house.lift(&[]).ends(0, "committed");
    assert_eq!(house.rows("SELECT id, coalesce(about, '-') FROM mails ORDER BY id"), [["x", "Ann's own"], ["y", "-"]]);
}

#[test]
fn rules_that_wait_for_each_others_rows_of_every_owner_are_refused() {
    let house = asking(r#"{ lookup = "notes.body", by = { id = "note" } }"#);
    let notes = NOTES.replace("body = \"body\"", "body = { lookup = \"mails.about\", by = { id = \"body\" } }");
    house.mapping("notes", &notes).lift(&[]).refuses(
        "these rules wait for each other's rows of every owner: `mails.mails` for `notes.notes` for `mails.mails`",
    );
}

#[test]
fn an_alias_directory_may_be_named_like_a_folder_above_it() {
    let same = notes(SAVED, &[("a", "x"), ("b", "y")]);
    let house = house()
        .source("people.json", &json!([{"id": "1", "name": "of"}]))
        .source("of/1/notes.json", &same)
        .source("of/of/notes.json", &same);
    let report = house.lift(&[]).ends(0, "committed").finds(&[]).report();
    assert_eq!(files(&report), ["of/1/notes.json imported", "of/of/notes.json ignored", "people.json imported"]);
}

#[test]
fn names_that_look_the_same_and_differ_in_their_normal_form_are_warned_of() {
    let house = house()
        .source("people.json", &json!([{"id": "e\u{301}"}, {"id": "\u{e9}"}, {"id": "u\u{308}"}]))
        .source("of/\u{e9}/notes.json", &notes(SAVED, &[("\u{f1}", "x"), ("n\u{303}", "y")]))
        .source("of/\u{fc}/notes.json", &notes(SAVED, &[("a", "x")]))
        .source("of/e\u{301}/old.json", &notes(SAVED, &[("a", "x")]));
    house.lift(&[]).ends(1, "rolled-back").finds(&[
        "error O001 of/\u{fc}/notes.json",
        "warning F020 of/\u{e9}",
        "warning F020 of/\u{e9}/notes.json /notes/1",
        "warning F020 people.json /1",
        "warning O006",
        "warning O006",
    ]);
}

/// Events of an owner in two files, by two mappings; only the first looks up a note of any owner.
fn feeds(lookup: &str) -> House {
    let events = |file: &str, what: &str| {
        format!(
            "[source]\nfiles = [\"of/{{owner}}/{file}.json\"]\nformat = \"json\"\n[[source.shape]]\nname = \"list\"\n\
             records = \"[*]\"\n[table.events]\nkey = [\".at\"]\non_duplicate = \"across\"\n[table.events.columns]\n\
             person = \"#owner.id\"\nat = \"at\"\nwhat = {what}\n"
        )
    };
    house()
        .schema(&format!("{TABLES} CREATE TABLE events (n INTEGER PRIMARY KEY, person TEXT, at TEXT, what TEXT);"))
        .mapping("notes", NOTES)
        .mapping("sent", &events("sent", lookup))
        .mapping("kept", &events("kept", "\"what\""))
        .source("of/1/notes.json", &notes(SAVED, &[("a", "x")]))
}

#[test]
fn rules_that_fold_rows_of_one_table_run_in_one_round() {
    let event = |at: &str, what: &str| json!([{"at": at, "what": what}]);
    let house = feeds(r#"{ from = [{ lookup = "notes.body", by = { id = "note" } }, "what"] }"#)
        .source("of/2/sent.json", &event("1", "shown"))
        .source("of/2/kept.json", &event("1", "shown"));
    house.lift(&[]).ends(0, "committed").counts("inserted", "events 1, notes 1, people 2");
    house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("unchanged", "events 1, notes 1, people 2");
}

#[test]
fn rules_that_fold_rows_and_wait_for_each_others_rows_are_refused() {
    let house = feeds(r#"{ lookup = "events.what", by = { at = "at" } }"#);
    house.lift(&[]).refuses(
        "`kept.events` and `sent.events` fold rows across source patterns, and one of them waits for rows of every \
         owner that another feeds",
    );
}
