//! Which rows are made: keys, ids, references, values that a column takes, rows that give way.

use crate::house::House;
use serde_json::{Value, json};

const TABLES: &str =
    "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT, boss TEXT REFERENCES people(id), ok BOOLEAN);
                      CREATE TABLE homes (id INTEGER PRIMARY KEY, person TEXT, city TEXT);
                      CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, author TEXT, data JSON);
                      CREATE TABLE measures (id TEXT PRIMARY KEY NOT NULL, at DATETIME, size REAL);";
/// Tables whose ids the engine gives.
const NUMBERED: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);
                        CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people(id), body TEXT);";

/// A house with one list of people, and these rules over it.
fn people(rules: &str, people: &Value) -> House {
    House::new().schema(TABLES).list("people", "people.json", rules).source("people.json", people)
}

#[test]
fn a_child_takes_the_id_that_the_engine_gave_to_its_parent() {
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
        body = "b""#;
    let house = House::new().schema(NUMBERED).list("people", "people.json", rules).source(
        "people.json",
        &json!([{"name": "Ann", "notes": [{"b": "x"}, {"b": "y"}]}, {"name": "Bob", "notes": [{"b": "z"}]}]),
    );
    house.lift(&[]).ends(0, "committed").leaves("column 5").finds(&[]).counts("inserted", "notes 3, people 2");
    assert_eq!(house.rows("SELECT * FROM people"), [["1", "Ann"], ["2", "Bob"]]);
    assert_eq!(house.rows("SELECT * FROM notes"), [["1", "1", "x"], ["2", "1", "y"], ["3", "2", "z"]]);
    house.lift(&[]).ends(0, "committed").finds(&[]).counts("unchanged", "notes 3, people 2").counts("inserted", "");
}

#[test]
fn a_key_of_the_parents_column_and_a_position_identifies_children() {
    let rules = r##"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        [table.homes]
        parent = "people"
        each = "homes[*]"
        key = ["^id", "#position"]
        on_duplicate = "first"
        [table.homes.columns]
        person = "^id"
        city = ".""##;
    let house = people(rules, &json!([{"id": "1", "homes": ["a"]}, {"id": "2", "homes": ["b", "b"]}]));
    house.lift(&[]).ends(0, "committed").leaves("column 5").finds(&[]);
    assert_eq!(house.rows("SELECT person, city FROM homes"), [["1", "a"], ["2", "b"], ["2", "b"]]);
}

#[test]
fn a_key_may_be_a_let_or_a_path_that_is_no_column() {
    let by = |key: &str| {
        format!(
            r#"
            [table.notes]
            key = ["author", {key}]
            on_duplicate = "first"
            [table.notes.columns]
            id = {{ uuid5 = ["=entry", ".done"] }}
            author = {{ value = "x" }}
            data = "@"
            [let]
            entry = ["eid", "alt"]"#
        )
    };
    let tree = json!([{"eid": "1", "done": true}, {"eid": "1", "done": false}, {"alt": "2", "done": true}]);
    people(&by("\"=entry\""), &tree).lift(&[]).ends(0, "committed").counts("inserted", "notes 2");
    people(&by("\".done\""), &tree).lift(&[]).ends(0, "committed").counts("inserted", "notes 2");
}

#[test]
fn a_row_may_refer_to_a_later_one_of_its_own_table() {
    let rules = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        name = "name"
        boss = "boss""#;
    let house = people(rules, &json!([{"id": "1", "name": "Ann", "boss": "2"}, {"id": "2", "name": "Bob"}]));
    house.lift(&[]).ends(0, "committed").leaves("column 5").finds(&[]);
    assert_eq!(house.rows("SELECT id, boss FROM people"), [["1", "2"], ["2", "NULL"]]);
}

#[test]
fn a_dangling_reference_into_the_own_table_is_not_committed() {
    let rules = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        boss = "boss""#;
    let house = people(rules, &json!([{"id": "1", "boss": "9"}]));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error R004 people.json /0"]);
}

#[test]
fn a_lookup_in_its_own_table_finds_later_rows_and_reports_what_is_not_there() {
    let rules = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        name = "name"
        boss = { lookup = "people.id", by = { name = "boss" } }"#;
    let people = people(
        rules,
        &json!([{"id": "1", "name": "Ann", "boss": "Bob"}, {"id": "2", "name": "Bob"}, {"id": "3", "name": "Cy", "boss": "Eve"}]),
    );
    let lifted = people.lift(&[]).ends(0, "committed").leaves("column 7, ignored 1");
    lifted.finds(&["warning R013 people.json /2/boss"]);
}

#[test]
fn a_lookup_by_a_boolean_finds_its_row() {
    let rules = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        ok = "ok""#;
    let notes = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        author = { lookup = "people.id", by = { ok = "ok" } }"#;
    let house = people(rules, &json!([{"id": "1", "ok": true}]))
        .list("notes", "notes.json", notes)
        .source("notes.json", &json!([{"id": "n", "ok": true}]));
    house.lift(&[]).ends(0, "committed").leaves("column 4").finds(&[]);
    assert_eq!(house.rows("SELECT id, author FROM notes"), [["n", "1"]]);
}

#[test]
fn an_alternative_inside_of_a_join_is_chosen_and_counted() {
    let rules = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        name = { join = [{ from = ["a", "b"] }, "c"], with = " " }"#;
    let house = people(rules, &json!([{"id": "1", "b": "x", "c": "y"}]));
    house.lift(&[]).ends(0, "committed").leaves("column 3").finds(&[]);
    assert_eq!(house.one("SELECT name FROM people"), "x y");
}

#[test]
fn times_and_numbers_that_a_column_would_change_are_refused() {
    let rules = r#"
        [table.measures]
        key = ["id"]
        [table.measures.columns]
        id = "id"
        at = "at"
        size = "size""#;
    let house = people(rules, &json!([]));
    house.put(
        "people.json",
        r#"[{"id": "kept", "at": "2025-05-07T14:42:18.123456Z", "size": 1.5},
            {"id": "finer", "at": "2025-05-07T14:42:18.1234567Z"},
            {"id": "earlier", "at": "0000-05-07T14:42:18Z"},
            {"id": "smaller", "size": 1.5e-9223372036854775808},
            {"id": "longer", "size": 0.1000000000000000055511151231257827}]"#,
    );
    let lifted = house.lift(&["--max-rejects", "4"]).ends(1, "committed");
    lifted.leaves("column 3, rejected 8").finds(&[
        "error V005 people.json /1/at",
        "error V005 people.json /2/at",
        "error V007 people.json /3/size",
        "error V007 people.json /4/size",
    ]);
    assert_eq!(house.rows("SELECT * FROM measures"), [["kept", "2025-05-07 14:42:18.123456", "1.5"]]);
}

#[test]
fn children_of_a_superseded_row_are_superseded_with_it() {
    let rules = r#"
        [table.people]
        key = ["id"]
        on_duplicate = "first"
        [table.people.columns]
        id = "id"
        name = "name"
        [table.notes]
        parent = "people"
        each = "notes[*]"
        key = ["id"]
        [table.notes.columns]
        id = "i"
        author = "^id""#;
    let house = people(
        rules,
        &json!([
            {"id": "1", "name": "Ann", "notes": [{"i": "a"}]},
            {"id": "1", "name": "Other", "notes": [{"i": "b"}, {"i": "c"}]},
            {"id": "2", "name": "Bob", "notes": [{"i": "b"}]}
        ]),
    );
    let dropped = ["warning R006 people.json /1"];
    house.lift(&[]).ends(0, "committed").leaves("column 6, ignored 4").finds(&dropped);
    assert_eq!(house.rows("SELECT id, name FROM people"), [["1", "Ann"], ["2", "Bob"]]);
    assert_eq!(house.rows("SELECT id, author FROM notes"), [["a", "1"], ["b", "2"]]);
    let lifted = house.lift(&[]).ends(0, "committed").finds(&dropped);
    lifted.counts("unchanged", "notes 2, people 2").counts("inserted", "");
}

/// A house of notes that refer to authors, of whom there is only Ann.
fn authored(by: &str) -> House {
    let notes = format!(
        "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nauthor = {by}\n[ignore]\n\"*\" = \"looked up\""
    );
    House::new()
        .schema(
            "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT);
             CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, author TEXT REFERENCES people(id));",
        )
        .list(
            "people",
            "people.json",
            "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"",
        )
        .list("notes", "notes.json", &notes)
        .source("people.json", &json!([{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}]))
        .source(
            "notes.json",
            &json!([{"id": "a", "by": "Ann"}, {"id": "b", "by": "Zoe"}, {"id": "c"}, {"id": "d", "by": "Yve"}]),
        )
}

#[test]
fn a_lookup_that_finds_no_row_is_a_warning_with_its_place_and_count() {
    let house = authored(r#"{ lookup = "people.id", by = { name = "by" } }"#);
    for _ in 0..2 {
        let lifted = house.lift(&[]).ends(0, "committed");
        let lifted = lifted.finds(&["warning R013 notes.json /1/by", "warning R013 notes.json /3/by"]);
        let report = lifted.report();
        let found = report["findings"].as_array().unwrap().iter().find(|found| found["code"] == "R013").unwrap();
        assert_eq!(found["message"], "`author` is NULL: `people` has no row with `name` = \"Zoe\"");
    }
}

#[test]
fn a_lookup_that_finds_no_row_is_no_warning_where_the_mapping_says_what_then() {
    for by in [
        r#"{ lookup = "people.id", by = { name = "by" }, on_dangling = "null" }"#,
        r#"{ lookup = "people.id", by = { name = "by" }, on_dangling = "skip" }"#,
        r#"{ lookup = "people.id", by = { name = "by" }, on_dangling = "default", default = "2" }"#,
        r#"{ from = [{ lookup = "people.id", by = { name = "by" } }, { lookup = "people.id", by = { id = { value = "2" } } }] }"#,
    ] {
        authored(by).lift(&[]).ends(0, "committed").finds(&[]);
    }
}

#[test]
fn a_lookup_that_must_find_a_row_points_at_its_key() {
    let house = authored(r#"{ lookup = "people.id", by = { name = "by" }, on_dangling = "reject" }"#);
    house.lift(&[]).ends(1, "rolled-back").finds(&["error V001 notes.json /1/by", "error V001 notes.json /3/by"]);
}

#[test]
fn a_table_whose_ids_are_used_up_takes_no_row() {
    let house = House::new()
        .schema("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);")
        .list("notes", "notes.json", "[table.notes]\n[table.notes.columns]\nbody = \"body\"")
        .source("notes.json", &json!([{"body": "a"}]));
    house.lift(&[]).ends(0, "committed").counts("inserted", "notes 1");
    let database = rusqlite::Connection::open(house.path(crate::house::DATABASE)).unwrap();
    database.execute("INSERT INTO notes VALUES (9223372036854775806, 'b')", []).unwrap();
    house.put("notes.json", json!([{"body": "a"}, {"body": "c"}, {"body": "d"}, {"body": "e"}]).to_string());
    house.lift(&[]).ends(1, "rolled-back").finds(&["error R014 notes.json /2", "error R014 notes.json /3"]);
    assert_eq!(house.rows("SELECT body FROM notes ORDER BY id"), [["a"], ["b"]]);
}

#[test]
fn other_values_of_a_superseded_row_are_a_warning_that_names_the_columns() {
    let people = "[table.people]\nkey = [\"id\"]\non_duplicate = \"first\"\n[table.people.columns]\nid = \"id\"\nname = \"name\"";
    let house = House::new()
        .schema("CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT);")
        .list("people", "people.json", people)
        .source("people.json", &json!([{"id": "1", "name": "Ann"}, {"id": "1", "name": "Ann"}, {"id": "1"}]));
    house.lift(&[]).ends(0, "committed").finds(&[]);
    house.put("people.json", json!([{"id": "1", "name": "Ann"}, {"id": "1", "name": "Anne"}]).to_string());
    let lifted = house.lift(&[]).ends(0, "committed").finds(&["warning R006 people.json /1"]);
    let report = lifted.report();
    let found = report["findings"].as_array().unwrap().iter().find(|found| found["code"] == "R006").unwrap();
    let message = "row of `people` superseded by an earlier row with the same key, and its other values of `name` are dropped \
         (the other is people.json:1:2 /0)";
    assert_eq!(found["message"], message);
}

#[test]
fn other_values_of_a_superseded_row_are_a_note_where_precedence_says_which_is_better() {
    let people = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"";
    let house = House::new()
        .schema("CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT);")
        .set("[precedence]\npeople = [\"people\", \"old\"]\n")
        .list("people", "people.json", people)
        .list("old", "old.json", people)
        .source("people.json", &json!([{"id": "1", "name": "Ann"}]))
        .source("old.json", &json!([{"id": "1", "name": "Anne"}]));
    house.lift(&[]).ends(0, "committed").finds(&[]);
}
