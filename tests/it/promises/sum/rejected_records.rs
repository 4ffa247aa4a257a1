//! A record that is rejected takes all that it gave with it, also when that is found out late.

use crate::house::House;
use serde_json::{Value, json};
use std::fs;

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, age INTEGER);
                      CREATE TABLE cities (id TEXT PRIMARY KEY NOT NULL, name TEXT);
                      CREATE TABLE homes (id TEXT PRIMARY KEY NOT NULL, city TEXT REFERENCES cities(id));
                      CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, author TEXT);";

const PERSON: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "first"
    [table.people.columns]
    id = "id"
    name = "name""#;
/// A home needs its city, which a later file names: it is read when the person is written already.
const HOME: &str = r#"
    [table.homes]
    key = ["id"]
    [table.homes.columns]
    id = "home"
    city = { lookup = "cities.id", by = { name = "city" }, on_dangling = "reject" }"#;
const CITY: &str = r#"
    [table.cities]
    key = ["id"]
    [table.cities.columns]
    id = "id"
    name = "name""#;
const NOTE: &str = r#"
    [table.notes]
    key = ["id"]
    [table.notes.columns]
    id = "id"
    author = { lookup = "people.id", by = { name = "author" } }"#;

/// A house with people who live in cities.
fn house(people: &Value) -> House {
    House::new()
        .schema(TABLES)
        .list("people", "people.json", &format!("{PERSON}\n{HOME}"))
        .list("cities", "cities.json", CITY)
        .source("people.json", people)
        .source("cities.json", &json!([{"id": "c", "name": "Bonn"}]))
}

fn person(id: &str, name: &str, city: &str) -> Value {
    json!({"id": id, "name": name, "home": format!("h{id}"), "city": city})
}

/// The pointers in the reject file.
fn rejects(house: &House) -> Vec<String> {
    let text = fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap();
    let pointer = |line: &str| serde_json::from_str::<Value>(line).unwrap()["pointer"].as_str().unwrap().to_owned();
    text.lines().map(pointer).collect()
}

#[test]
fn a_record_that_is_rejected_late_takes_its_earlier_rows_with_it() {
    let house = house(&json!([person("1", "Ann", "Bonn"), person("2", "Bob", "Ulm"), person("3", "Cy", "Rom")]));
    let lifted = house.lift(&["--max-rejects", "2", "--rejects", "rejects"]).ends(1, "committed");
    let lifted = lifted.leaves("column 6, rejected 8").counts("inserted", "cities 1, homes 1, people 1");
    lifted.finds(&["error V001 people.json /1/city", "error V001 people.json /2/city"]);
    assert_eq!(house.rows("SELECT id, name FROM people"), [["1", "Ann"]]);
    assert_eq!(house.rows("SELECT id, city FROM homes"), [["h1", "c"]]);
    assert_eq!(rejects(&house), ["/1", "/2"]);
    // The ledger matches the rows that are there.
    assert_eq!(house.one("SELECT count(*) FROM treelift_rows"), "3");
}

#[test]
fn late_rejects_past_the_limit_are_all_reported_and_nothing_is_committed() {
    let house = house(&json!([person("1", "Ann", "Bonn"), person("2", "Bob", "Ulm"), person("3", "Cy", "Rom")]));
    let lifted = house.lift(&["--max-rejects", "1", "--rejects", "rejects"]).ends(1, "rolled-back");
    let lifted = lifted.leaves("column 6, rejected 8");
    lifted.finds(&["error V001 people.json /1/city", "error V001 people.json /2/city"]);
    assert!(!house.path(crate::house::DATABASE).exists());
    assert_eq!(rejects(&house), ["/1", "/2"]);
}

#[test]
fn a_row_superseded_by_a_late_reject_is_written_after_all() {
    let house = house(&json!([person("1", "Late", "Ulm"), person("1", "Good", "Bonn")]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted.leaves("column 6, rejected 4").finds(&["error V001 people.json /0/city"]);
    assert_eq!(house.rows("SELECT id, name FROM people"), [["1", "Good"]]);
}

#[test]
fn a_file_that_references_a_late_reject_is_reported_too() {
    let house = house(&json!([person("1", "Ann", "Bonn"), person("2", "Bob", "Ulm")]))
        .list("notes", "notes.json", NOTE)
        .source("notes.json", &json!([{"id": "n", "author": "Bob"}]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted
        .leaves("column 7, ignored 1, rejected 4")
        .finds(&["error V001 people.json /1/city", "warning R013 notes.json /0/author"]);
}

#[test]
fn a_second_import_over_what_was_committed_with_late_rejects_changes_nothing() {
    let house = house(&json!([person("1", "Ann", "Bonn"), person("2", "Bob", "Ulm")]));
    let again = || house.lift(&["--max-rejects", "1"]).ends(1, "committed").leaves("column 6, rejected 4");
    again().counts("inserted", "cities 1, homes 1, people 1");
    let rows = ["people", "homes", "cities"].map(|table| house.rows(&format!("SELECT * FROM {table}")));
    again().counts("inserted", "").counts("unchanged", "cities 1, homes 1, people 1");
    assert_eq!(["people", "homes", "cities"].map(|table| house.rows(&format!("SELECT * FROM {table}"))), rows);
}

#[test]
fn the_rows_of_a_rejected_record_are_not_found_by_others() {
    let rules = format!("{PERSON}\n{}", HOME.split("    city").next().unwrap());
    let home = |person: &str, name: &str, home: &str| json!({"id": person, "name": name, "home": home});
    let house = house(&json!([home("1", "Ann", "h1"), home("2", "Ann", "h1"), home("3", "Bob", "h1")]))
        .list("people", "people.json", &rules)
        .list("notes", "notes.json", NOTE)
        .source("notes.json", &json!([{"id": "n", "author": "Ann"}, {"id": "m", "author": "Bob"}]));
    let lifted = house.lift(&["--max-rejects", "2", "--dry-run"]).ends(1, "dry-run");
    lifted.leaves("column 8, ignored 1, rejected 6").finds(&[
        "error R001 people.json /1",
        "error R001 people.json /2",
        "warning R013 notes.json /1/author",
    ]);
    house.put("notes.json", json!([{"id": "n", "author": "Ann"}]).to_string());
    drop(house.lift(&["--max-rejects", "2"]).ends(1, "committed"));
    assert_eq!(house.rows("SELECT id, author FROM notes"), [["n", "1"]]);
}

#[test]
fn a_row_of_a_rejected_record_keeps_no_key_from_others() {
    let rules = format!("{PERSON}\n{}", HOME.split("    city").next().unwrap());
    let home = |person: &str, home: &str| json!({"id": person, "name": "Ann", "home": home});
    let house = house(&json!([home("1", "h1"), home("2", "h1"), home("1", "h3"), home("2", "h4")])).list(
        "people",
        "people.json",
        &rules,
    );
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted.finds(&["error R001 people.json /1"]).counts("inserted", "cities 1, homes 3, people 2");
    assert_eq!(house.rows("SELECT id FROM people"), [["1"], ["2"]]);
    assert_eq!(house.rows("SELECT id FROM homes"), [["h1"], ["h3"], ["h4"]]);
}

#[test]
fn the_reject_file_holds_the_record_as_it_was() {
    let house = house(&json!([person("1", "Ann", "Bonn"), person("2", "Bob", "Ulm")]));
    drop(house.lift(&["--max-rejects", "1", "--rejects", "rejects"]).ends(1, "committed"));
    let line: Value = serde_json::from_str(&fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap()).unwrap();
    assert_eq!(line["value"], person("2", "Bob", "Ulm"));
    assert_eq!((&line["file"], &line["record"]), (&"people.json".into(), &1.into()));
    let span = |end: &str| usize::try_from(line["span"][end].as_u64().unwrap()).unwrap();
    let source = fs::read_to_string(house.path("tree/people.json")).unwrap();
    assert_eq!(source[span("start")..span("end")], person("2", "Bob", "Ulm").to_string());
}

#[test]
fn an_event_that_folded_into_a_late_reject_is_written_after_all() {
    let events = PERSON.replace("table.people", "table.events").replace("\"first\"", "\"across\"");
    let house = house(&json!([]))
        .set("[ignore]\n\"people.json\" = \"of no use here\"\n")
        .schema(&TABLES.replace("TABLE people", "TABLE events"))
        .list("people", "first.json second.json", &format!("{events}\n{HOME}"))
        .source("first.json", &json!([person("1", "Late", "Ulm")]))
        .source("second.json", &json!([person("1", "Good", "Bonn")]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted.leaves("column 6, rejected 4").finds(&["error V001 first.json /0/city"]);
    assert_eq!(house.rows("SELECT id, name FROM events"), [["1", "Good"]]);
}

const AGES: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "fill"
    [table.people.columns]
    id = "id"
    age = "age""#;

/// A house in which a second list gives people their ages.
fn ages(people: &Value, rules: &str, ages: &Value) -> House {
    house(people)
        .set("[precedence]\npeople = [\"people\", \"ages\"]\n")
        .list("ages", "ages.json", rules)
        .source("ages.json", ages)
}

#[test]
fn a_late_reject_is_not_there_to_be_filled() {
    let people = json!([person("1", "Ann", "Bonn"), person("2", "Bob", "Ulm")]);
    let house = ages(&people, AGES, &json!([{"id": "1", "age": 41}, {"id": "2", "age": 42}]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "rolled-back");
    lifted.leaves("column 8, rejected 4, unmapped 2").finds(&[
        "error S002 ages.json /1/age",
        "error S002 ages.json /1/id",
        "error V001 people.json /1/city",
    ]);
}

#[test]
fn a_late_reject_fills_nothing() {
    let rules = format!("{AGES}\n{HOME}");
    let age = |age: u8, home: &str, city: &str| json!({"id": "1", "age": age, "home": home, "city": city});
    let house = ages(&json!([person("1", "Ann", "Bonn")]), &rules, &json!([age(41, "x", "Ulm"), age(42, "y", "Bonn")]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted.leaves("column 10, rejected 4").finds(&["error V001 ages.json /0/city"]);
    assert_eq!(house.rows("SELECT id, age FROM people"), [["1", "42"]]);
    assert_eq!(house.rows("SELECT id FROM homes ORDER BY id"), [["h1"], ["y"]]);
}

#[test]
fn a_chain_of_late_rejects_that_never_ends_is_named_link_by_link() {
    // Each person needs the next one's row, and the last one's next is missing: every attempt rejects one more.
    let next = r#"
        [table.homes]
        key = ["id"]
        [table.homes.columns]
        id = "home"
        city = { lookup = "people.id", by = { id = "next" }, on_dangling = "reject" }"#;
    let person =
        |id: u32| json!({"id": id.to_string(), "name": "Ann", "home": format!("h{id}"), "next": (id + 1).to_string()});
    let house = House::new()
        .schema(&TABLES.replace("REFERENCES cities(id)", ""))
        .list("people", "people.json", &format!("{PERSON}\n{next}"))
        .source("people.json", &(1..=14).map(person).collect());
    let report = house.lift(&["--max-rejects", "20"]).ends(1, "rolled-back").report();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_chain = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "T009");
    let chain: Vec<_> =
        of_chain.map(|finding| (text(&finding["message"]), text(&finding["place"]["pointer"]))).collect();
    let links = (1..8).rev().map(|attempt| {
        let link = format!("attempt {attempt} rejected this record, and the next one was made without its rows");
        (link, format!("/{}", 14 - attempt))
    });
    let last = ("attempt 8, the last one, still rejected 1 record".to_owned(), "/6".to_owned());
    assert_eq!(chain, [last].into_iter().chain(links).collect::<Vec<_>>());
}

#[test]
fn a_row_that_differs_is_reported_once_however_many_records_have_its_key() {
    let house = house(&json!([person("1", "Ann", "Bonn")]));
    house.lift(&[]).ends(0, "committed");
    house.put("people.json", json!([person("1", "Eve", "Bonn"), person("1", "Zoe", "Bonn")]).to_string());
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    let found = crate::house::inline::found(&lifted.report());
    let differing: Vec<_> = found.iter().filter(|finding| finding.starts_with("error R003")).collect();
    assert_eq!(differing, ["error R003 people.json /0"]);
}

#[test]
fn a_part_of_a_text_whose_key_is_there_already_is_named() {
    let tags = "[table.tags]\nkey = [\"note\", \"tag\"]\neach = { from = \"tags\", steps = [{ split = \",\" }] }\n\
                [table.tags.columns]\nnote = \"@.id\"\ntag = \".\"\n";
    let house = House::new()
        .schema("CREATE TABLE tags (note INTEGER, tag TEXT, PRIMARY KEY (note, tag));")
        .list("notes", "notes.json", tags)
        .source("notes.json", &json!([{"id": 1, "tags": "home,work,home"}, {"id": 2, "tags": "work"}]));
    let report = house.lift(&[]).ends(1, "rolled-back").finds(&["error R001 notes.json /0"]).report();
    let message = report["findings"][0]["message"].as_str().unwrap();
    let expected =
        "an earlier row of `tags` has the same key, for the part \"home\" of the text (the other is notes.json:1:2 /0)";
    assert_eq!(message, expected);
}
