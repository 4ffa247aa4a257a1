//! Rows that the database swallows or alters without an error are found, whatever does it.

use crate::house::inline::told;
use crate::house::{DATABASE, House};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rusqlite::Connection;
use serde_json::{Value, json};

const ITEM: &str = r#"
    [table.items]
    key = ["id"]
    [table.items.columns]
    id = "id"
    state = "state""#;
const ITEMS: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT);";

/// A house whose database the application made, with what it has beside the set's table.
fn items(schema: &str, beside: &str, states: &[&str]) -> House {
    let items: Value = (1..).zip(states).map(|(id, state)| json!({"id": id, "state": state})).collect();
    let house = House::new().schema(schema).list("items", "items.json", ITEM).source("items.json", &items);
    let database = Connection::open(house.path(DATABASE)).unwrap();
    database.execute_batch(&format!("{schema} {beside}")).unwrap();
    house
}

fn trigger(when: &str, what: &str) -> String {
    format!("CREATE TRIGGER guard {when} INSERT ON items WHEN NEW.state = 'odd' BEGIN {what}; END;")
}

const NAMED: &str = "warning T007 trigger `guard` on `items` is not made by the mapping set";

#[test]
fn rows_that_a_trigger_swallows_are_errors_at_their_place_and_can_be_rejected() {
    let swallows = [("BEFORE", "SELECT RAISE(IGNORE)"), ("AFTER", "DELETE FROM items WHERE id = NEW.id")];
    for (when, what) in swallows {
        let house = items(ITEMS, &trigger(when, what), &["open", "odd", "shut"]);
        let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 4, rejected 2");
        let report = lifted.finds(&["error R012 items.json /1", "warning T007"]).report();
        assert_eq!(told(&report), ["error R012 the database discarded a row of `items` without an error", NAMED]);
        assert_eq!(house.one("SELECT count(*) FROM items"), "0");
        house.lift(&["--max-rejects", "1"]).ends(1, "committed").counts("inserted", "items 2");
        assert_eq!(house.rows("SELECT id FROM items"), [["1"], ["3"]]);
    }
}

#[test]
fn rows_that_a_trigger_alters_are_errors_that_name_the_columns() {
    let house = items(ITEMS, &trigger("AFTER", "UPDATE items SET state = 'even' WHERE id = NEW.id"), &["open", "odd"]);
    let report = house.lift(&[]).ends(1, "rolled-back").finds(&["error R012 items.json /1", "warning T007"]).report();
    assert_eq!(told(&report)[0], "error R012 the database changed a row of `items` as it was written: `state`");
    assert_eq!(house.one("SELECT count(*) FROM items"), "0");
}

#[test]
fn an_earlier_row_that_a_trigger_changes_or_removes_is_found_by_its_key() {
    let cases = [
        ("UPDATE items SET state = 'old' WHERE id = 2", vec!["changed by the database after it was written"]),
        (
            "DELETE FROM items WHERE id = 2",
            vec![
                "missing: it was inserted, and the database removed it",
                "error T006 `items` has 1 row, expected 2: 0 before the import and 2 inserted",
            ],
        ),
    ];
    for (what, messages) in cases {
        let schema = format!("{ITEMS} CREATE TABLE notes (id INTEGER PRIMARY KEY);");
        let guard = format!("CREATE TRIGGER guard AFTER INSERT ON notes BEGIN {what}; END;");
        let house = items(&schema, &guard, &["open", "shut"])
            .list("notes", "notes.json", "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\n")
            .source("notes.json", &json!([{"id": 1}]));
        let report = house.lift(&["--max-rejects", "9"]).ends(1, "rolled-back").report();
        let found = told(&report);
        assert_eq!(report["findings"][0]["place"]["pointer"], "/1", "{found:?}");
        assert_eq!(found.len(), messages.len() + 1, "{found:?}");
        assert!(found.iter().zip(messages).all(|(line, message)| line.ends_with(message)), "{found:?}");
    }
}

#[test]
fn rows_of_before_that_a_trigger_removes_are_an_error() {
    let beside = format!(
        "INSERT INTO items VALUES (98, 'old'), (99, 'old'); {}",
        trigger("AFTER", "DELETE FROM items WHERE state = 'old'")
    );
    let house = items(ITEMS, &beside, &["open", "odd"]);
    let report = house.lift(&["--max-rejects", "9"]).ends(1, "rolled-back").report();
    let message = "error T006 `items` has 2 rows, expected 4: 2 before the import and 2 inserted";
    assert_eq!(told(&report), [message, NAMED]);
    assert_eq!(house.rows("SELECT id FROM items"), [["98"], ["99"]]);
}

#[test]
fn a_conflict_clause_of_the_table_hides_no_row() {
    for clause in ["IGNORE", "REPLACE", "FAIL", "ROLLBACK"] {
        let schema = format!(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT COLLATE NOCASE UNIQUE ON CONFLICT {clause});"
        );
        let house = items(&schema, "", &["open", "shut", "OPEN"]);
        let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed").counts("inserted", "items 2");
        let message = "error R002 `items` (items.state) is unique in the database, and another row has the same value \
                       (the other is items.json:1:2 /0)";
        assert_eq!(told(&lifted.report()), [message], "{clause}");
        assert_eq!(house.rows("SELECT id FROM items"), [["1"], ["2"]], "{clause}");
    }
}

#[test]
fn a_replaced_row_is_missed_where_triggers_are_on_the_table() {
    let schema = "CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT COLLATE NOCASE UNIQUE ON CONFLICT REPLACE);";
    let house = items(schema, &trigger("AFTER", "SELECT 1"), &["open", "shut", "OPEN"]);
    let report = house.lift(&[]).ends(1, "rolled-back").finds(&["error R012 items.json /0", "warning T007"]).report();
    assert_eq!(told(&report)[0], "error R012 the database discarded a row of `items` without an error");
    house.lift(&["--max-rejects", "1"]).ends(1, "committed").counts("inserted", "items 2");
    assert_eq!(house.rows("SELECT id FROM items"), [["2"], ["3"]]);
}

#[test]
fn triggers_of_the_set_do_their_work_and_the_foreign_one_is_named_before_the_run() {
    let schema = format!(
        "{ITEMS} CREATE TABLE log (id INTEGER PRIMARY KEY, item INTEGER);
         CREATE TRIGGER noted AFTER INSERT ON items BEGIN INSERT INTO log (item) VALUES (NEW.id); END;"
    );
    let house = items(&schema, "", &["open", "odd"]);
    let report = house.lift(&[]).ends(0, "committed").report();
    assert_eq!(told(&report), [] as [&str; 0]);
    assert_eq!(house.one("SELECT count(*) FROM log"), "2");

    let house = items(&schema, &trigger("AFTER", "SELECT 1"), &["open", "odd"]);
    let ran = house.import(&house.path("tree"), &["--mappings", "set"]).status(0);
    let line = "trigger `guard` on `items` is not made by the mapping set; rows are read back and compared\n";
    assert!(ran.stderr.contains(line), "{}", ran.stderr);
}

#[test]
fn rows_that_a_trigger_of_the_set_replaces_or_overwrites_are_errors_at_their_place() {
    let replaced = "DELETE FROM items WHERE id = NEW.id; INSERT INTO items VALUES (NEW.id + 100, 'new')";
    let through = "INSERT INTO log (item) VALUES (NEW.id)";
    let cases = [
        (replaced, "missing: it was inserted, and the database removed it"),
        ("UPDATE items SET state = 'even' WHERE id = NEW.id", "changed by the database after it was written"),
        (through, "changed by the database after it was written"),
    ];
    for (what, message) in cases {
        let schema = format!(
            "{ITEMS} CREATE TABLE log (id INTEGER PRIMARY KEY, item INTEGER);
             CREATE TRIGGER logged AFTER INSERT ON log BEGIN UPDATE items SET state = 'logged' WHERE id = NEW.item; END;
             {}",
            trigger("AFTER", what)
        );
        let house = items(&schema, "", &["open", "odd"]);
        let report = house.lift(&[]).ends(1, "rolled-back").finds(&["error R012 items.json /1"]).report();
        assert_eq!(
            told(&report),
            [format!("error R012 a row of `items` was {message}").replace("was missing", "is missing")]
        );
        assert_eq!(house.one("SELECT count(*) FROM items"), "0");
    }
}

#[test]
fn a_trigger_of_the_set_may_write_what_no_rule_writes() {
    let schema = format!(
        "{} CREATE TABLE seen (n INTEGER); INSERT INTO seen VALUES (0);
         CREATE TRIGGER stamped AFTER INSERT ON items BEGIN
             UPDATE items SET stamp = 'now', number = number + 1 WHERE id = NEW.id;
             UPDATE seen SET n = n + 1;
         END;",
        ITEMS.replace("state TEXT", "state TEXT, stamp TEXT, number INTEGER DEFAULT 1")
    );
    let house = House::new()
        .schema(&schema)
        .list("items", "items.json", ITEM)
        .source("items.json", &json!([{"id": 1, "state": "open"}, {"id": 2, "state": "odd"}]));
    assert_eq!(told(&house.lift(&[]).ends(0, "committed").report()), [] as [&str; 0]);
    assert_eq!(
        house.rows("SELECT id, state, stamp, number FROM items"),
        [["1", "open", "now", "2"], ["2", "odd", "now", "2"]]
    );
    assert_eq!(house.one("SELECT n FROM seen"), "2");
}

/// One target: its table, what is in it, and a trigger that nobody knows of.
#[derive(Debug, Clone)]
struct Target {
    column: &'static str,
    before: Vec<u8>,
    trigger: Option<(&'static str, &'static str)>,
}

fn targets() -> impl Strategy<Value = Target> {
    let column = select(vec![
        "TEXT",
        "TEXT UNIQUE",
        "TEXT COLLATE NOCASE UNIQUE",
        "TEXT UNIQUE ON CONFLICT IGNORE",
        "TEXT COLLATE NOCASE UNIQUE ON CONFLICT REPLACE",
        "TEXT CHECK (state <> 'odd')",
        "TEXT NOT NULL ON CONFLICT IGNORE",
    ]);
    let what = select(vec![
        "SELECT RAISE(IGNORE)",
        "SELECT RAISE(ABORT, 'no')",
        "SELECT RAISE(FAIL, 'no')",
        "DELETE FROM items WHERE id = NEW.id",
        "DELETE FROM items WHERE id = (SELECT min(id) FROM items)",
        "UPDATE items SET state = 'other' WHERE id = NEW.id",
        "UPDATE items SET state = 'first' WHERE id = (SELECT min(id) FROM items)",
        "INSERT INTO items (state) VALUES (NULL)",
        "SELECT 1",
    ]);
    let trigger = proptest::option::of((select(vec!["BEFORE", "AFTER"]), what));
    let before = proptest::collection::vec(0_u8..6, 0..3);
    (column, before, trigger).prop_map(|(column, before, trigger)| Target { column, before, trigger })
}

fn records() -> impl Strategy<Value = Vec<(u8, &'static str)>> {
    proptest::collection::vec((0_u8..6, select(vec!["open", "OPEN", "odd", "shut"])), 0..7)
}

/// What is committed is what the report says: rows before and those inserted, each as in the source.
fn nothing_is_lost_or_altered(target: &Target, records: &[(u8, &str)]) {
    let schema = format!("CREATE TABLE items (id INTEGER PRIMARY KEY, state {});", target.column);
    let mut beside = String::new();
    for id in &target.before {
        beside += &format!("INSERT OR IGNORE INTO items VALUES ({id}, 'before {id}');");
    }
    if let Some((when, what)) = target.trigger {
        beside += &trigger(when, what);
    }
    let house = items(&schema, &beside, &[]);
    let records: Value = records.iter().map(|(id, state)| json!({"id": id, "state": state})).collect();
    let house = house.source("items.json", &records);
    let rows = "SELECT id, state FROM items ORDER BY id";
    let before = house.rows(rows);
    let lifted = house.lift(&["--max-rejects", "99"]);
    assert!(matches!(lifted.status(), Some(0 | 1)), "{:?}", lifted.status());
    let (report, after) = (lifted.report(), house.rows(rows));
    if report["outcome"] != "committed" {
        assert_eq!(after, before);
        return;
    }
    let inserted = report["tables"][0]["inserted"].as_u64().unwrap_or(0);
    assert_eq!(before.len() as u64 + inserted, after.len() as u64, "{report:#}");
    // What the application's trigger makes of the application's rows is its own affair; none may be lost.
    let was_there = |row: &Vec<String>| before.iter().any(|old| old[0] == row[0]);
    assert!(before.iter().all(|old| after.iter().any(|row| row[0] == old[0])), "{before:?} {after:?}");
    let source: Vec<Vec<String>> = records
        .as_array()
        .unwrap()
        .iter()
        .map(|record| vec![record["id"].to_string(), record["state"].as_str().unwrap().to_owned()])
        .collect();
    assert!(after.iter().all(|row| was_there(row) || source.contains(row)), "{after:?}");
}

fn hold(mut runner: TestRunner) {
    let held = runner.run(&(targets(), records()), |(target, records)| {
        nothing_is_lost_or_altered(&target, &records);
        Ok(())
    });
    held.unwrap_or_else(|broken| panic!("{broken}"));
}

fn config(cases: u32) -> Config {
    Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() }
}

#[test]
fn rows_before_and_inserted_are_the_rows_after() {
    hold(TestRunner::new_with_rng(config(50), TestRng::deterministic_rng(RngAlgorithm::ChaCha)));
}

#[test]
#[ignore = "takes about 1 minute"]
fn rows_before_and_inserted_are_the_rows_after_often() {
    hold(TestRunner::new(config(500)));
}
