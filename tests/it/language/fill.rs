//! `on_duplicate = "fill"`: a later row of a key gives values where there is NULL, and nothing else.

use crate::house::House;
use serde_json::{Value, json};

const TABLES: &str =
    "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, mail TEXT, age INTEGER, seen DATETIME);";

const ORDER: &str = "[precedence]\npeople = [\"people\", \"extras\"]\n";

const PEOPLE: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    name = "name"
    mail = "mail""#;

/// It does not give the name, which is NOT NULL: it cannot start a row.
const EXTRAS: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "fill"
    [table.people.columns]
    id = "id"
    mail = "mail"
    age = "age"
    seen = "seen""#;

/// A house in which a second list fills what the first left NULL.
fn house(people: &Value, extras: &Value) -> House {
    House::new()
        .schema(TABLES)
        .set(ORDER)
        .list("people", "people.json", PEOPLE)
        .list("extras", "extras.json", EXTRAS)
        .source("people.json", people)
        .source("extras.json", extras)
}

#[test]
fn it_fills_what_is_null_and_a_second_import_changes_nothing() {
    let house = house(
        &json!([{"id": "1", "name": "Ann", "mail": "ann@a.example"}, {"id": "2", "name": "Bob"}]),
        &json!([
            {"id": "1", "mail": "ann@a.example", "age": 41, "seen": "2025-05-07T14:42:18Z"},
            {"id": "2", "mail": "bob@b.example", "age": null}
        ]),
    );
    house.lift(&[]).ends(0, "committed").leaves("column 12").finds(&[]).counts("inserted", "people 2");
    let rows = [
        ["1", "Ann", "ann@a.example", "41", "2025-05-07 14:42:18.000000"],
        ["2", "Bob", "bob@b.example", "NULL", "NULL"],
    ];
    assert_eq!(house.rows("SELECT * FROM people"), rows);
    let again = house.lift(&[]).ends(0, "committed").leaves("column 12").finds(&[]);
    again.counts("inserted", "").counts("updated", "").counts("unchanged", "people 2");
    assert_eq!(house.rows("SELECT * FROM people"), rows);
}

#[test]
fn a_different_value_is_a_warning_and_the_first_one_stays() {
    let house = house(
        &json!([{"id": "1", "name": "Ann", "mail": "ann@a.example"}]),
        &json!([{"id": "1", "mail": "other@b.example", "age": 41}]),
    );
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 5, ignored 1");
    lifted.finds(&["warning R008 extras.json /0"]);
    let rows = [["1", "Ann", "ann@a.example", "41"]];
    assert_eq!(house.rows("SELECT id, name, mail, age FROM people"), rows);
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 5, ignored 1");
    lifted.finds(&["warning R008 extras.json /0"]).counts("updated", "").counts("unchanged", "people 1");
    assert_eq!(house.rows("SELECT id, name, mail, age FROM people"), rows);
}

#[test]
fn of_two_that_fill_differently_the_first_one_stays() {
    let house = house(
        &json!([{"id": "1", "name": "Ann", "mail": null}]),
        &json!([{"id": "1", "age": 41}, {"id": "1", "age": 42}]),
    );
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 6, ignored 1");
    lifted.finds(&["warning R008 extras.json /1"]);
    assert_eq!(house.rows("SELECT id, age FROM people"), [["1", "41"]]);
}

#[test]
fn without_a_row_to_fill_the_record_is_not_taken() {
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "2", "age": 41}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 2, unmapped 2");
    lifted.finds(&["error S002 extras.json /0/age", "error S002 extras.json /0/id"]);
}

#[test]
fn without_a_row_to_fill_otherwise_says_why_nothing_is_lost() {
    let extras = "[source]\nfiles = [\"extras.json\"]\nformat = \"json\"\n[[source.shape]]\nname = \"list\"\n\
                  records = \"[*]\"\notherwise = \"of somebody who left\"\n";
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "1", "age": 9}, {"id": "2", "age": 41}]))
        .mapping("extras", &format!("{extras}{EXTRAS}"));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 2").finds(&[]);
    assert!(lifted.report()["ignored"].to_string().contains("of somebody who left"));
    assert_eq!(house.rows("SELECT id, age FROM people"), [["1", "9"]]);
}

#[test]
fn a_rule_that_gives_every_column_starts_the_row_itself() {
    let whole = EXTRAS.replace("id = \"id\"", "id = \"id\"\n    name = \"name\"");
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "2", "name": "Bob", "age": 41}])).list(
        "extras",
        "extras.json",
        &whole,
    );
    house.lift(&[]).ends(0, "committed").leaves("column 5").finds(&[]).counts("inserted", "people 2");
    assert_eq!(house.rows("SELECT id, name, age FROM people"), [["1", "Ann", "NULL"], ["2", "Bob", "41"]]);
}

#[test]
fn a_row_that_was_there_is_updated_once() {
    let house = house(&json!([{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}]), &json!([]));
    house.lift(&[]).ends(0, "committed").counts("inserted", "people 2");
    let extras = json!([{"id": "1", "age": 41}, {"id": "1", "mail": "ann@a.example"}]);
    house.put("extras.json", extras.to_string());
    let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
    lifted.counts("inserted", "").counts("updated", "people 1").counts("unchanged", "people 1");
    let rows = [["1", "Ann", "ann@a.example", "41"], ["2", "Bob", "NULL", "NULL"]];
    assert_eq!(house.rows("SELECT id, name, mail, age FROM people"), rows);
    let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
    lifted.counts("inserted", "").counts("updated", "").counts("unchanged", "people 2");
}

#[test]
fn a_rejected_row_is_not_there_to_be_filled() {
    let people = PEOPLE.replace("name = \"name\"", "name = { from = \"name\", steps = [{ require = \"^[A-Z]\" }] }");
    let house = house(
        &json!([{"id": "1", "name": "Ann"}, {"id": "2", "name": "bob"}]),
        &json!([{"id": "2", "age": 4}]),
    )
    .list("people", "people.json", &people);
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "rolled-back");
    lifted.leaves("column 2, rejected 2, unmapped 2").finds(&[
        "error S002 extras.json /0/age",
        "error S002 extras.json /0/id",
        "error V005 people.json /1/name",
    ]);
}

#[test]
fn a_record_that_is_rejected_fills_nothing() {
    let rules = format!("{EXTRAS}\n[table.logs]\nkey = [\"id\"]\n[table.logs.columns]\nid = \"log\"");
    let house = house(
        &json!([{"id": "1", "name": "Ann"}]),
        &json!([
            {"id": "1", "mail": "ann@a.example", "log": "a"},
            {"id": "1", "age": 41, "log": "a"},
            {"id": "1", "age": 42, "log": "b"}
        ]),
    )
    .schema(&format!("{TABLES} CREATE TABLE logs (id TEXT PRIMARY KEY NOT NULL);"))
    .list("extras", "extras.json", &rules);
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed").leaves("column 8, rejected 3");
    lifted.finds(&["error R001 extras.json /1"]);
    assert_eq!(house.rows("SELECT id, mail, age FROM people"), [["1", "ann@a.example", "42"]]);
}

#[test]
fn children_refer_to_the_row_that_is_filled() {
    let rules = format!(
        "{EXTRAS}\n[table.notes]\nparent = \"people\"\neach = \"notes[*]\"\n\
         [table.notes.columns]\nperson = \"^id\"\nbody = \".\""
    );
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "1", "age": 41, "notes": ["x", "y"]}]))
        .schema(&format!("{TABLES} CREATE TABLE notes (id INTEGER PRIMARY KEY, person TEXT, body TEXT);"))
        .list("extras", "extras.json", &rules);
    house.lift(&[]).ends(0, "committed").leaves("column 6").finds(&[]);
    assert_eq!(house.rows("SELECT person, body FROM notes"), [["1", "x"], ["1", "y"]]);
    house.lift(&[]).ends(0, "committed").finds(&[]).counts("unchanged", "notes 2, people 1").counts("updated", "");
}

#[test]
fn a_value_that_was_filled_is_found_by_lookups() {
    let notes = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        about = { lookup = "people.age", by = { id = "about" }, steps = ["text"] }"#;
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "1", "age": 41}]))
        .schema(&format!("{TABLES} CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, about TEXT);"))
        .list("notes", "a_notes.json", notes)
        .source("a_notes.json", &json!([{"id": "n", "about": "1"}]));
    house.lift(&[]).ends(0, "committed").leaves("column 6").finds(&[]);
    assert_eq!(house.rows("SELECT * FROM notes"), [["n", "41"]]);
}

#[test]
fn a_row_is_found_by_a_value_that_was_filled() {
    let notes = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        about = { lookup = "people.id", by = { mail = "about" } }"#;
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "1", "mail": "ann@a.example"}]))
        .schema(&format!("{TABLES} CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, about TEXT);"))
        .list("notes", "notes.json", notes)
        .source("notes.json", &json!([{"id": "n", "about": "ann@a.example"}]));
    house.lift(&[]).ends(0, "committed").leaves("column 6").finds(&[]);
    assert_eq!(house.rows("SELECT * FROM notes"), [["n", "1"]]);
}

#[test]
fn a_secret_that_would_fill_is_refused() {
    let extras = r#"
        [table.people]
        key = ["id"]
        on_duplicate = "fill"
        [table.people.columns]
        id = "id"
        mail = { seal = "mail" }"#;
    let people = PEOPLE.replace("mail = \"mail\"", "");
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "1", "mail": "opens-every-door"}]))
        .list("people", "people.json", &people)
        .list("extras", "extras.json", extras);
    house.lift(&[]).refuses("rule `people` fills rows and keeps a secret in `mail`");
}

#[test]
fn a_filled_value_that_must_be_unique_is_reported_with_its_place() {
    let house = house(
        &json!([{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}]),
        &json!([{"id": "1", "mail": "us@a.example"}, {"id": "2", "mail": "us@a.example"}]),
    )
    .schema(&TABLES.replace("mail TEXT", "mail TEXT UNIQUE"));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error R002 extras.json /1"]);
}

#[test]
fn a_filled_value_that_references_a_missing_row_is_reported_with_its_place() {
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "1", "mail": "nobody"}]))
        .schema(&TABLES.replace("mail TEXT", "mail TEXT REFERENCES people(id)"))
        .list("people", "people.json", &PEOPLE.replace("mail = \"mail\"", ""));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error R004 extras.json /0"]);
}

#[test]
fn a_row_is_filled_whose_key_is_a_time_in_another_form() {
    let house = House::new()
        .schema("CREATE TABLE seen (at DATETIME PRIMARY KEY NOT NULL, who TEXT, mail TEXT);")
        .set("[precedence]\nseen = [\"seen\", \"mails\"]\n");
    let at = "at = \"at\"";
    let rule = |more: &str, column: &str| {
        format!("[table.seen]\nkey = [\"at\"]\n{more}[table.seen.columns]\n{at}\n{column} = \"{column}\"\n")
    };
    let house = house
        .list("seen", "seen.json", &rule("", "who"))
        .list("mails", "mails.json", &rule("on_duplicate = \"fill\"\n", "mail"))
        .source("seen.json", &json!([{"at": "2025-05-07T14:42:18Z", "who": "Ann"}]));
    house.lift(&[]).ends(0, "committed");
    let database = rusqlite::Connection::open(house.path(crate::house::DATABASE)).unwrap();
    database.execute_batch("UPDATE seen SET at = '2025-05-07T14:42:18Z'").unwrap();
    house.put("mails.json", json!([{"at": "2025-05-07T14:42:18Z", "mail": "ann@a.example"}]).to_string());
    house.lift(&[]).ends(0, "committed").finds(&[]).counts("updated", "seen 1");
    assert_eq!(house.rows("SELECT * FROM seen"), [["2025-05-07T14:42:18Z", "Ann", "ann@a.example"]]);
    let key = "SELECT row_key FROM treelift_rows JOIN treelift_columns ON id = columns WHERE filled";
    // The ledger knows the row by one key, whatever form it stands in.
    assert_eq!(house.one(key), "2025-05-07 14:42:18.000000");
    let run = house.one("SELECT id FROM treelift_runs ORDER BY number DESC LIMIT 1");
    crate::commands::undo::undo(&house, &run, &["--no-backup"]).status(0);
    assert_eq!(house.rows("SELECT * FROM seen"), [["2025-05-07T14:42:18Z", "Ann", "NULL"]]);
}

#[test]
fn rows_that_only_fill_has_met_are_counted_once() {
    let house = house(&json!([{"id": "1", "name": "Ann"}]), &json!([{"id": "1", "age": 41}, {"id": "1", "age": 41}]));
    house.lift(&["--only-mapping", "people"]).ends(0, "committed").counts("inserted", "people 1");
    let fill = || house.lift(&["--only-mapping", "extras"]).ends(0, "committed");
    drop(fill().counts("updated", "people 1").counts("unchanged", "").counts("inserted", ""));
    drop(fill().counts("updated", "").counts("unchanged", "people 1").counts("inserted", ""));
}
