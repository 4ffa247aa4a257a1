//! A second import of the same tree finds everything as it is, whatever made the rows.

use crate::house::{DATABASE, House};
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, at DATETIME, seen DATETIME);
                      CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people(id), body TEXT, at DATETIME);
                      CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, sealed TEXT, number REAL, list JSON, ok BOOLEAN, at DATETIME);";

/// A house with one list of people, and these rules over it.
fn house(rules: &str, people: &Value) -> House {
    House::new().schema(TABLES).list("people", "people.json", rules).source("people.json", people)
}

/// Imports twice: the first run makes these rows, the second changes nothing.
#[track_caller]
fn settles(house: &House, made: &str) {
    house.lift(&[]).ends(0, "committed").counts("inserted", made);
    let all = || ["people", "notes"].map(|table| house.rows(&format!("SELECT * FROM {table}")));
    let rows = all();
    let lifted = house.lift(&[]).ends(0, "committed");
    let lifted = lifted.counts("inserted", "").counts("updated", "").counts("unchanged", made);
    drop(lifted.counts("rejected", ""));
    assert_eq!(all(), rows);
}

#[test]
fn a_row_bound_to_the_start_time_is_unchanged_the_second_time() {
    let rules = r##"
        [table.people]
        key = ["name"]
        [table.people.columns]
        name = "name"
        at = "#started""##;
    settles(&house(rules, &json!([{"name": "Ann"}, {"name": "Bob"}])), "people 2");
}

#[test]
fn a_row_bound_to_the_start_time_through_another_column_is_unchanged_the_second_time() {
    let rules = r##"
        [table.people]
        key = ["name"]
        [table.people.columns]
        name = "name"
        at = "#started"
        seen = "=at""##;
    settles(&house(rules, &json!([{"name": "Ann"}])), "people 1");
}

#[test]
fn a_row_bound_to_the_start_time_through_a_let_is_unchanged_the_second_time() {
    let rules = r##"
        [table.people]
        key = ["name"]
        [table.people.columns]
        name = "name"
        at = "=now"
        [let]
        now = "#started""##;
    settles(&house(rules, &json!([{"name": "Ann"}])), "people 1");
}

#[test]
fn a_row_without_a_key_that_is_bound_to_the_start_time_is_unchanged_the_second_time() {
    let rules = r##"
        [table.people]
        [table.people.columns]
        name = "name"
        at = "#started"
        seen = "=at""##;
    settles(&house(rules, &json!([{"name": "Ann"}, {"name": "Ann"}])), "people 2");
}

#[test]
fn a_child_bound_to_its_parents_start_time_is_unchanged_the_second_time() {
    let rules = r##"
        [table.people]
        key = ["name"]
        [table.people.columns]
        name = "name"
        at = "#started"
        [table.notes]
        parent = "people"
        [table.notes.columns]
        person = "^id"
        body = "^name"
        at = "^at""##;
    settles(&house(rules, &json!([{"name": "Ann"}, {"name": "Bob"}])), "notes 2, people 2");
}

#[test]
fn children_without_a_key_keep_to_the_parents_they_had() {
    let rules = r#"
        [table.people]
        key = ["name"]
        [table.people.columns]
        name = "name"
        [table.notes]
        parent = "people"
        each = "notes[*]"
        [table.notes.columns]
        person = "^id"
        body = ".""#;
    let people = json!([{"name": "Ann", "notes": ["x", "x"]}, {"name": "Bob", "notes": ["x", "y"]}]);
    settles(&house(rules, &people), "notes 4, people 2");
}

#[test]
fn a_tree_that_grew_adds_what_is_new() {
    let rules = r#"
        [table.people]
        key = ["name"]
        [table.people.columns]
        name = "name"
        [table.notes]
        parent = "people"
        each = "notes[*]"
        [table.notes.columns]
        person = "^id"
        body = ".""#;
    let house = house(rules, &json!([{"name": "Ann", "notes": ["x"]}]));
    house.lift(&[]).ends(0, "committed").counts("inserted", "notes 1, people 1");
    house
        .put("people.json", json!([{"name": "Bob", "notes": ["z"]}, {"name": "Ann", "notes": ["x", "y"]}]).to_string());
    let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
    lifted.counts("inserted", "notes 2, people 1").counts("unchanged", "notes 1, people 1");
    assert_eq!(house.rows("SELECT id, name FROM people"), [["1", "Ann"], ["2", "Bob"]]);
    assert_eq!(house.rows("SELECT person, body FROM notes"), [["1", "x"], ["2", "z"], ["1", "y"]]);
}

#[test]
fn every_type_is_read_back_as_it_was_written() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        number = "number"
        list = "list"
        ok = "ok"
        at = "at"
        sealed = { seal = "code" }"#;
    let house = house(
        rules,
        &json!([
            {"id": "1", "number": 1.5, "list": [1, 2.50, "ü"], "ok": true, "at": "2025-05-07T14:42:18.12Z", "code": "opens-every-door"},
            {"id": "2", "number": 3, "list": [], "ok": false, "at": "2025-05-07T14:42:18+02:00", "code": "opens-nothing"},
            {"id": "3", "code": "opens-nothing"}
        ]),
    );
    house.lift(&[]).ends(0, "committed").counts("inserted", "logins 3");
    let rows = house.rows("SELECT * FROM logins");
    let lifted = house.lift(&[]).ends(0, "committed");
    lifted.counts("inserted", "").counts("unchanged", "logins 3");
    assert_eq!(house.rows("SELECT * FROM logins"), rows);
}

#[test]
fn a_row_that_differs_stops_the_import_and_is_not_changed() {
    let rules = r#"
        [table.people]
        key = ["name"]
        [table.people.columns]
        name = "name"
        at = "at""#;
    let house = house(rules, &json!([{"name": "Ann", "at": "2025-05-07T14:42:18Z"}]));
    house.lift(&[]).ends(0, "committed");
    house.put("people.json", json!([{"name": "Ann", "at": "2025-05-07T14:42:19Z"}]).to_string());
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("rejected 2");
    lifted.finds(&["error R003 people.json /0"]);
    assert_eq!(house.one("SELECT at FROM people"), "2025-05-07 14:42:18.000000");
}

#[test]
fn a_sealed_value_that_differs_stops_the_import() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        sealed = { seal = "code" }"#;
    let house = house(rules, &json!([{"id": "1", "code": "opens-every-door"}]));
    house.lift(&[]).ends(0, "committed");
    house.put("people.json", json!([{"id": "1", "code": "opens-other-doors"}]).to_string());
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    let lifted = lifted.finds(&["error R003 people.json /0", "warning X005 people.json"]);
    assert_eq!(house.holders(&lifted, "opens-other-doors"), Vec::<String>::new());
}

#[test]
fn a_rule_that_asks_whether_its_own_row_is_absent_makes_the_same_rows_again() {
    let rules = r#"
        [table.people]
        when = { not = { exists = "people", by = { name = "name" } } }
        [table.people.columns]
        name = "name"
        [ignore]
        "*" = "there already""#;
    let house = house(rules, &json!([{"name": "Ann"}, {"name": "Bob"}, {"name": "Ann"}]));
    settles(&house, "people 2");
}

#[test]
fn a_row_of_somebody_else_is_not_absent() {
    let rules = r#"
        [table.people]
        when = { not = { exists = "people", by = { name = "name" } } }
        [table.people.columns]
        name = "name"
        [ignore]
        "*" = "there already""#;
    let house = house(rules, &json!([{"name": "Ann"}]));
    house.lift(&[]).ends(0, "committed").counts("inserted", "people 1");
    let database = rusqlite::Connection::open(house.path(DATABASE)).unwrap();
    database.execute("INSERT INTO people (name) VALUES ('Cy')", []).unwrap();
    house.put("people.json", json!([{"name": "Ann"}, {"name": "Cy"}]).to_string());
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, ignored 1");
    drop(lifted.counts("inserted", "").counts("unchanged", "people 1"));
}

#[test]
fn a_lookup_in_its_own_table_finds_the_second_time_what_it_found_the_first_time() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        sealed = { lookup = "logins.id", by = { id = "boss" } }
        [ignore]
        "*" = "nobody's""#;
    let house = house(rules, &json!([{"id": "a", "boss": "b"}, {"id": "b", "boss": "a"}]));
    settles(&house, "logins 2");
    assert_eq!(house.rows("SELECT id, coalesce(sealed, '-') FROM logins"), [["a", "b"], ["b", "a"]]);
}

#[test]
fn rows_of_a_renamed_file_are_found_by_its_bytes() {
    let rules = "[table.people]\n[table.people.columns]\nname = \"name\"";
    let house = House::new().schema(TABLES).list("people", "people_*.json", rules);
    house.put("people_1.json", json!([{"name": "Ann"}, {"name": "Ann"}]).to_string());
    house.put("people_2.json", json!([{"name": "Ann"}]).to_string());
    house.lift(&[]).ends(0, "committed").counts("inserted", "people 3");
    std::fs::rename(house.path("tree/people_1.json"), house.path("tree/people_3.json")).unwrap();
    for _ in 0..2 {
        let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
        drop(lifted.counts("inserted", "").counts("unchanged", "people 3"));
    }
}

#[test]
fn rows_of_a_renamed_file_that_grew_are_found_by_what_they_say() {
    let rules = "[table.people]\n[table.people.columns]\nname = \"name\"";
    let house = House::new().schema(TABLES).list("people", "people_*.json", rules);
    house.put("people_1.json", json!([{"name": "Ann"}, {"name": "Bob"}]).to_string());
    house.lift(&[]).ends(0, "committed").counts("inserted", "people 2");
    std::fs::remove_file(house.path("tree/people_1.json")).unwrap();
    house.put("people_3.json", json!([{"name": "Bob"}, {"name": "Bob"}, {"name": "Ann"}]).to_string());
    let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
    drop(lifted.counts("inserted", "people 1").counts("unchanged", "people 2"));
}

/// A list of words, whose table has no primary key.
fn words(rules: &str, words: &[&str]) -> House {
    let table = "CREATE TABLE words (word TEXT, at DATETIME, number REAL, ok BOOLEAN);";
    let house = House::new().schema(table).list("words", "words_*.json", rules);
    house.source("words_1.json", &words.iter().map(|word| json!({"word": word, "number": 1.5, "ok": true})).collect())
}

const WORDS: &str =
    "[table.words]\n[table.words.columns]\nword = \"word\"\nnumber = \"number\"\nok = \"ok\"\nat = \"#started\"\n";

#[test]
fn rows_of_a_table_without_a_primary_key_are_found_by_all_they_say() {
    let house = words(WORDS, &["a", "b", "a"]);
    house.put("words_2.json", json!([{"word": "a", "number": 1.5, "ok": true}]).to_string());
    house.lift(&[]).ends(0, "committed").counts("inserted", "words 4");
    let rows = || house.rows("SELECT * FROM words ORDER BY rowid");
    let before = rows();
    for _ in 0..2 {
        let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
        drop(lifted.counts("inserted", "").counts("unchanged", "words 4"));
        assert_eq!(rows(), before);
    }
    // A renamed file, one twin more, and one that somebody removed.
    std::fs::rename(house.path("tree/words_2.json"), house.path("tree/words_3.json")).unwrap();
    house.put(
        "words_1.json",
        json!(["a", "b", "a", "a"].map(|word| json!({"word": word, "number": 1.5, "ok": true}))).to_string(),
    );
    rusqlite::Connection::open(house.path(DATABASE)).unwrap().execute("DELETE FROM words WHERE rowid = 2", []).unwrap();
    let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
    drop(lifted.counts("inserted", "words 2").counts("unchanged", "words 3"));
    assert_eq!(house.one("SELECT group_concat(word) FROM (SELECT word FROM words ORDER BY word)"), "a,a,a,a,b");
}

#[test]
fn a_row_of_a_table_without_a_primary_key_that_its_file_gives_no_more_is_named() {
    let house = words(WORDS, &["a", "b"]);
    house.lift(&[]).ends(0, "committed");
    house.put(
        "words_1.json",
        json!([{"word": "c", "number": 1.5, "ok": true}, {"word": "b", "number": 1.5, "ok": true}]).to_string(),
    );
    drop(house.lift(&[]).ends(1, "rolled-back").finds(&["error R003 words_1.json"]));
}

#[test]
fn a_rule_asks_whether_its_row_is_absent_in_a_table_without_a_primary_key() {
    let rules = WORDS.replacen("\n", "\nwhen = { not = { exists = \"words\", by = { word = \"word\" } } }\n", 1)
        + "[ignore]\n\"*\" = \"there already\"\n";
    let house = words(&rules, &["a", "b", "a"]);
    house.lift(&[]).ends(0, "committed").counts("inserted", "words 2");
    house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("unchanged", "words 2");
    let database = rusqlite::Connection::open(house.path(DATABASE)).unwrap();
    database.execute("INSERT INTO words (word) VALUES ('c')", []).unwrap();
    let house = house.source(
        "words_1.json",
        &["a", "b", "a", "c"].iter().map(|word| json!({"word": word, "number": 1.5, "ok": true})).collect(),
    );
    house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("unchanged", "words 2");
}

#[test]
fn rows_of_a_file_that_is_still_there_are_its_own() {
    let rules = "[table.people]\n[table.people.columns]\nname = \"name\"";
    let house = House::new().schema(TABLES).list("people", "people_*.json", rules);
    house.put("people_1.json", json!([{"name": "Ann"}]).to_string());
    house.lift(&[]).ends(0, "committed").counts("inserted", "people 1");
    house.put("people_2.json", json!([{"name": "Ann"}]).to_string());
    let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
    drop(lifted.counts("inserted", "people 1").counts("unchanged", "people 1"));
}

#[test]
fn a_rejected_record_leaves_the_row_it_resembles_to_the_record_that_made_it() {
    let rules = r#"
        [table.people]
        [table.people.columns]
        name = "name"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id""#;
    // The second is rejected for its login.
    let people = json!([{"name": "Ann", "id": "x"}, {"name": "Bob", "id": "x"}, {"name": "Bob", "id": "y"}]);
    let house = house(rules, &people);
    house.lift(&["--max-rejects", "1"]).ends(1, "committed").counts("inserted", "logins 2, people 2");
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    drop(lifted.counts("inserted", "").counts("unchanged", "logins 2, people 2"));
}
