//! `on_duplicate = "across"`: one event in two feeds is one row, and twins in one feed stay twins.

use crate::house::House;
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT);
                      CREATE TABLE events (id INTEGER PRIMARY KEY, person TEXT, at TEXT NOT NULL, what TEXT, feed TEXT);";

/// Events are identified by their time and kind; the file they were read from is not part of the key.
const EVENTS: &str = r##"
    [table.events]
    key = [".at", ".what"]
    on_duplicate = "across"
    [table.events.columns]
    at = "at"
    what = "what"
    feed = "#stem""##;

/// A house with two feeds of events.
fn house(first: &Value, second: &Value) -> House {
    House::new()
        .schema(TABLES)
        .list("events", "first.json second.json", EVENTS)
        .source("first.json", first)
        .source("second.json", second)
}

fn event(at: &str, what: &str) -> Value {
    json!({"at": at, "what": what})
}

#[test]
fn the_same_event_in_two_feeds_is_one_row() {
    let house = house(&json!([event("1", "a"), event("2", "b")]), &json!([event("2", "b"), event("3", "c")]));
    house.lift(&[]).ends(0, "committed").leaves("column 6, ignored 2").finds(&[]).counts("inserted", "events 3");
    let rows = [["1", "a", "first"], ["2", "b", "first"], ["3", "c", "second"]];
    assert_eq!(house.rows("SELECT at, what, feed FROM events"), rows);
}

#[test]
fn twins_in_one_feed_stay_twins() {
    let twins = json!([event("1", "a"), event("1", "a")]);
    let house = house(&twins, &json!([event("1", "a")]));
    house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 2").finds(&[]).counts("inserted", "events 2");
    assert_eq!(house.rows("SELECT at, feed FROM events"), [["1", "first"], ["1", "first"]]);
}

#[test]
fn the_feed_with_the_most_twins_decides_how_many_there_are() {
    let three = json!([event("1", "a"), event("1", "a"), event("1", "a")]);
    let house = house(&json!([event("1", "a")]), &three);
    house.lift(&[]).ends(0, "committed").leaves("column 6, ignored 2").finds(&[]).counts("inserted", "events 3");
    assert_eq!(house.rows("SELECT feed FROM events"), [["first"], ["second"], ["second"]]);
}

#[test]
fn a_second_import_of_both_feeds_changes_nothing() {
    let twins = json!([event("1", "a"), event("1", "a"), event("2", "b")]);
    let house = house(&twins, &json!([event("1", "a"), event("3", "c")]));
    house.lift(&[]).ends(0, "committed").counts("inserted", "events 4");
    let rows = house.rows("SELECT * FROM events");
    let again = house.lift(&[]).ends(0, "committed").leaves("column 8, ignored 2").finds(&[]);
    again.counts("inserted", "").counts("unchanged", "events 4");
    assert_eq!(house.rows("SELECT * FROM events"), rows);
}

#[test]
fn a_feed_that_grows_between_imports_adds_what_is_new() {
    let house = house(&json!([event("1", "a")]), &json!([event("1", "a")]));
    house.lift(&[]).ends(0, "committed").counts("inserted", "events 1");
    house.put("second.json", json!([event("1", "a"), event("2", "b")]).to_string());
    house.lift(&[]).ends(0, "committed").finds(&[]).counts("inserted", "events 1").counts("unchanged", "events 1");
    assert_eq!(house.rows("SELECT at, feed FROM events"), [["1", "first"], ["2", "second"]]);
}

#[test]
fn a_rejected_record_takes_no_twin_with_it() {
    let rules = EVENTS.replace("what = \"what\"", "what = { from = \"what\", steps = [{ require = \"^[a-z]$\" }] }");
    let rules = rules.replace(r#"[".at", ".what"]"#, r#"[".at"]"#);
    let house =
        house(&json!([event("1", "BAD")]), &json!([event("1", "a")])).list("events", "first.json second.json", &rules);
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted.leaves("column 2, rejected 2").finds(&["error V005 first.json /0/what"]);
    assert_eq!(house.rows("SELECT what, feed FROM events"), [["a", "second"]]);
}

#[test]
fn directories_of_one_owner_are_feeds_of_their_own() {
    let owners = r##"
        [owners]
        capture = "owner"
        table = "people"
        find = [{ by = { id = "#owner" } }, { by = { name = "#owner" }, alias = true }]
        unknown = "refuse""##;
    let people = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        name = "name""#;
    let events = EVENTS.replace("at = \"at\"", "person = \"#owner.id\"\n    at = \"at\"");
    let house = House::new()
        .schema(TABLES)
        .set(owners)
        .list("people", "people.json", people)
        .list("events", "of/{owner}/events.json", &events.replace("#stem", "#owner"))
        .source("people.json", &json!([{"id": "1", "name": "ann"}, {"id": "2", "name": "bob"}]))
        .source("of/1/events.json", &json!([event("1", "a"), event("1", "a")]))
        .source("of/ann/events.json", &json!([event("1", "a"), event("2", "b")]))
        .source("of/2/events.json", &json!([event("2", "b")]));
    let lifted = house.lift(&[]).finds(&["warning F014 of/ann/events.json"]).ends(0, "committed");
    // What Bob did at the same time is an event of his own.
    lifted.leaves("column 12, ignored 2").counts("inserted", "events 4, people 2");
    let rows = [["1", "1", "1"], ["1", "1", "1"], ["1", "2", "ann"], ["2", "2", "2"]];
    assert_eq!(house.rows("SELECT person, at, feed FROM events ORDER BY person, at, id"), rows);
    let lifted = house.lift(&[]).ends(0, "committed").finds(&["warning F014 of/ann/events.json"]);
    lifted.counts("inserted", "").counts("unchanged", "events 4, people 2");
}

#[test]
fn children_of_a_folded_event_are_folded_with_it() {
    let rules = r##"
        [table.events]
        key = [".at"]
        on_duplicate = "across"
        [table.events.columns]
        at = "at"
        feed = "#stem"
        [table.parts]
        parent = "events"
        each = "parts[*]"
        [table.parts.columns]
        event = "^id"
        body = ".""##;
    let house = House::new()
        .schema(&format!("{TABLES} CREATE TABLE parts (id INTEGER PRIMARY KEY, event INTEGER, body TEXT);"))
        .list("events", "first.json second.json", rules)
        .source("first.json", &json!([{"at": "1", "parts": ["a"]}]))
        .source("second.json", &json!([{"at": "1", "parts": ["a"]}, {"at": "2", "parts": ["b"]}]));
    house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 2").finds(&[]);
    assert_eq!(house.rows("SELECT event, body FROM parts"), [["1", "a"], ["2", "b"]]);
    house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("unchanged", "events 2, parts 2");
}

#[test]
fn twins_where_a_column_must_be_unique_are_reported() {
    let house = house(&json!([event("1", "a"), event("1", "a")]), &json!([]))
        .schema("CREATE TABLE events (at TEXT PRIMARY KEY NOT NULL, what TEXT, feed TEXT);");
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    lifted.leaves("column 3, rejected 2").finds(&["error R002 first.json /1"]);
}

/// A rejected record undoes what it counted, and nothing that it did not count.
#[test]
fn a_rejected_record_whose_event_was_superseded_with_its_parent_undoes_no_other_event() {
    let rules = r#"
        [table.people]
        key = ["id"]
        on_duplicate = "first"
        [table.people.columns]
        id = "id"
        [table.events]
        parent = "people"
        key = [".at"]
        on_duplicate = "across"
        [table.events.columns]
        at = "at"
        [table.logs]
        key = ["id"]
        [table.logs.columns]
        id = "log""#;
    let record = |id: &str, log: &str| json!({"id": id, "at": "1", "log": log});
    let house = House::new()
        .schema(&format!("{TABLES} CREATE TABLE logs (id TEXT PRIMARY KEY NOT NULL);"))
        .list("events", "first.json second.json", rules)
        // The third is rejected for its log, and its event is superseded with its person.
        .source("first.json", &json!([record("a", "1"), record("b", "2"), record("a", "2")]))
        .source("second.json", &json!([record("c", "3"), record("d", "4")]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted.finds(&["error R001 first.json /2"]).counts("inserted", "events 2, logs 4, people 4");
}

#[test]
fn a_second_import_of_twins_with_a_key_of_columns_changes_nothing() {
    let rules = EVENTS.replace(r#"[".at", ".what"]"#, r#"["at", "what"]"#);
    let twins = json!([event("1", "a"), event("1", "a"), event("2", "b")]);
    let house =
        house(&twins, &json!([event("1", "a"), event("3", "c")])).list("events", "first.json second.json", &rules);
    house.lift(&[]).ends(0, "committed").counts("inserted", "events 4");
    let rows = house.rows("SELECT * FROM events");
    let again = house.lift(&[]).ends(0, "committed").leaves("column 8, ignored 2").finds(&[]);
    again.counts("inserted", "").counts("updated", "").counts("unchanged", "events 4");
    assert_eq!(house.rows("SELECT * FROM events"), rows);
}

#[test]
fn other_values_of_a_folded_event_are_a_warning_that_names_the_columns() {
    let rules = EVENTS.replace(r#"[".at", ".what"]"#, r#"[".at"]"#);
    let first = json!([event("1", "a"), event("1", "b")]);
    let house =
        house(&first, &json!([event("1", "a"), event("1", "c")])).list("events", "first.json second.json", &rules);
    // The twins are compared in their order.
    house.lift(&[]).ends(0, "committed").finds(&["warning R006 second.json /1"]).counts("inserted", "events 2");
}

#[test]
fn a_sealed_value_of_a_folded_key_that_changed_stops_the_import() {
    let rules = r#"
        [table.logins]
        key = ["at"]
        on_duplicate = "across"
        [table.logins.columns]
        at = "at"
        sealed = { seal = "code" }"#;
    let login = |code: &str| json!([{"at": "1", "code": code}]);
    let house = House::new()
        .schema("CREATE TABLE logins (at TEXT PRIMARY KEY NOT NULL, sealed TEXT);")
        .list("logins", "first.json second.json", rules)
        .source("first.json", &login("opens-every-door"))
        .source("second.json", &login("opens-every-door"));
    house.lift(&[]).ends(0, "committed").counts("inserted", "logins 1");
    house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("unchanged", "logins 1");
    house.put("first.json", login("opens-other-doors").to_string());
    house.put("second.json", login("opens-other-doors").to_string());
    let report = house.lift(&[]).ends(1, "rolled-back").report();
    let found = crate::house::inline::found(&report);
    assert!(found.contains(&"error R003 first.json /0".to_owned()), "{found:?}");
}
