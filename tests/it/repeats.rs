//! A second import of the same tree, with rejects allowed, changes nothing and reports the same rejects: what the first
//! one rejected does not count as there because another record made a row like it.

use crate::house::{DATABASE, House, application_dump, open, tables};
use serde_json::{Value, json};
use std::fs;

const TABLES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, mail TEXT UNIQUE, \
                          town TEXT CHECK (town <> 'bad'));
                      CREATE TABLE cities (id TEXT PRIMARY KEY NOT NULL, name TEXT);
                      CREATE TABLE homes (id TEXT PRIMARY KEY NOT NULL, city TEXT REFERENCES cities (id));
                      CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id), note TEXT);";

/// People with these words about records of one key.
fn people(words: &str) -> String {
    format!(
        "[table.people]\nkey = [\"name\"]\n{words}\n[table.people.columns]\nname = \"name\"\nmail = \"mail\"\ntown = \"town\"\n"
    )
}

const NOTES: &str = "[table.notes]\nparent = \"people\"\neach = \"notes[*]\"\n[table.notes.columns]\n\
                     person = \"^id\"\nnote = \".\"\n";
/// A home needs its city, which a later file names: it is read when the person is written already.
const HOMES: &str = "[table.homes]\nkey = [\"id\"]\n[table.homes.columns]\nid = \"home\"\n\
                     city = { lookup = \"cities.id\", by = { name = \"city\" }, on_dangling = \"reject\" }\n";
const CITIES: &str = "[table.cities]\nkey = [\"id\"]\n[table.cities.columns]\nid = \"id\"\nname = \"name\"\n";

fn house(rules: &str, people: &Value) -> House {
    House::new().schema(TABLES).list("people", r#"["people.json"]"#, rules).source("people.json", people)
}

fn with_cities(house: House) -> House {
    let cities = json!([{"id": "c", "name": "Bonn"}]);
    house.list("cities", r#"["cities.json"]"#, CITIES).source("cities.json", &cities)
}

/// The errors of a report: code, message and place.
fn errors(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    let mut errors: Vec<String> = findings
        .map(|finding| format!("{} {} {}", finding["code"], finding["message"], finding["place"]["pointer"]))
        .collect();
    errors.sort();
    errors
}

/// Imports twice, with so many rejects allowed: the second import changes nothing, and says what the first one said.
#[track_caller]
fn repeats(house: &House, most: &str, codes: &[&str]) {
    let lift = || {
        let lifted = house.lift(&["--max-rejects", most, "--rejects", "rejects"]).ends(1, "committed");
        (lifted.report(), application_dump(&open(&house.path(DATABASE))))
    };
    let rejects = || fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap();
    let (first, rows) = lift();
    let kept = rejects();
    let found: Vec<String> = errors(&first).iter().map(|error| error[1..5].to_owned()).collect();
    assert_eq!(found, codes, "{:#}", first["findings"]);
    let (second, rows_after) = lift();
    assert_eq!(errors(&second), errors(&first));
    assert_eq!(rejects(), kept);
    assert_eq!(rows_after, rows);
    assert_eq!((tables(&second, "inserted"), tables(&second, "updated")), Default::default());
    assert_eq!(tables(&second, "rejected"), tables(&first, "rejected"));
    assert_eq!(second["leaves"], first["leaves"]);
}

fn person(name: &str, mail: &str, town: &str) -> Value {
    json!({"name": name, "mail": mail, "town": town})
}

#[test]
fn a_record_that_a_check_rejects_though_a_later_one_has_its_key() {
    for words in ["", "on_duplicate = \"first\""] {
        let house =
            house(&people(words), &json!([person("a", "m", "bad"), person("a", "n", "x"), person("b", "o", "y")]));
        repeats(&house, "1", &["R009"]);
        assert_eq!(house.rows("SELECT name, mail FROM people"), [["a", "n"], ["b", "o"]]);
    }
}

#[test]
fn the_last_record_of_a_key_that_a_check_rejects() {
    let house = house(&people("on_duplicate = \"last\""), &json!([person("a", "m", "x"), person("a", "n", "bad")]));
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT name, mail FROM people"), [["a", "m"]]);
}

#[test]
fn a_record_that_a_check_rejects_though_a_later_one_has_a_unique_value_of_it() {
    let house = house(&people(""), &json!([person("a", "m", "bad"), person("b", "m", "x")]));
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT name, mail FROM people"), [["b", "m"]]);
}

#[test]
fn a_record_that_a_trigger_rejects_once_it_is_there_though_a_later_one_has_its_key() {
    let schema = TABLES.replace(" CHECK (town <> 'bad')", "")
        + "CREATE TRIGGER guard AFTER INSERT ON people WHEN NEW.town = 'bad' BEGIN SELECT RAISE(ABORT, 'not today'); END;";
    let house = house(&people(""), &json!([person("a", "m", "bad"), person("a", "n", "x")])).schema(&schema);
    repeats(&house, "1", &["R010"]);
}

#[test]
fn a_child_that_a_check_rejects_though_its_parent_is_like_another() {
    let schema = TABLES.replace("note TEXT", "note TEXT CHECK (note <> 'bad')");
    let rules = format!("{}{NOTES}", people(""));
    let note = |mail: &str, notes: &[&str]| json!({"name": "a", "mail": mail, "town": "x", "notes": notes});
    let house = house(&rules, &json!([note("m", &["good", "bad"]), note("n", &["good"])])).schema(&schema);
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT note FROM notes"), [["good"]]);
}

#[test]
fn a_record_that_a_later_turn_rejects_though_a_later_one_has_its_key() {
    let person = |mail: &str, home: &str, city: &str| json!({"name": "a", "mail": mail, "town": "x", "home": home, "city": city});
    for (words, rejects) in [("on_duplicate = \"first\"", "1"), ("on_duplicate = \"last\"", "1"), ("", "2")] {
        let mut all = vec![person("m", "h", "Ulm"), person("n", "i", "Bonn")];
        if words.contains("last") {
            all.reverse();
        }
        let house = with_cities(house(&format!("{}{HOMES}", people(words)), &Value::from(all)));
        repeats(&house, rejects, &["V001"]);
        assert_eq!(house.rows("SELECT name, mail FROM people"), [["a", "n"]], "{words}");
    }
}

#[test]
fn a_record_that_a_later_turn_rejects_though_a_later_one_has_a_unique_value_of_it() {
    let person = |name: &str, city: &str| json!({"name": name, "mail": "m", "town": "x", "home": name, "city": city});
    let house =
        with_cities(house(&format!("{}{HOMES}", people("")), &json!([person("a", "Ulm"), person("b", "Bonn")])));
    repeats(&house, "2", &["V001"]);
}

#[test]
fn a_record_of_a_fill_rule_that_would_have_started_the_row_of_a_later_one() {
    let rules = format!("{}{NOTES}", people("on_duplicate = \"fill\""));
    let person =
        |mail: &str, town: Option<&str>, note: &str| json!({"name": "a", "mail": mail, "town": town, "notes": [note]});
    for other in [Some("x"), None] {
        let house = house(&rules, &json!([person("m", Some("bad"), "of nobody"), person("n", other, "of a")]));
        repeats(&house, "1", &["R009"]);
        assert_eq!(house.rows("SELECT p.mail, note FROM notes JOIN people p ON p.id = person"), [["n", "of a"]]);
    }
}

#[test]
fn a_record_of_a_fill_rule_that_a_later_turn_rejects() {
    let rules = format!("{}{HOMES}", people("on_duplicate = \"fill\""));
    let person = |mail: &str, home: &str, city: &str| json!({"name": "a", "mail": mail, "town": "x", "home": home, "city": city});
    let house = with_cities(house(&rules, &json!([person("m", "h", "Ulm"), person("n", "i", "Bonn")])));
    repeats(&house, "1", &["V001"]);
}

#[test]
fn a_row_that_differs_and_that_the_database_would_take_is_still_one_that_differs() {
    let house = house(&people(""), &json!([person("a", "m", "x")]));
    house.lift(&[]).ends(0, "committed");
    house.put("people.json", json!([person("a", "n", "y"), person("a", "m", "x")]).to_string());
    house.lift(&[]).ends(1, "rolled-back").finds(&["error R003 people.json /0"]);
}
