//! Rows that the database rejects by rules of its own: each is a finding with its place, and its
//! record can be left out.

use crate::house::inline::told;
use crate::house::{DATABASE, House, open};
use serde_json::{Value, json};

const ITEM: &str = r#"
    [table.items]
    key = ["id"]
    [table.items.columns]
    id = "id"
    state = "state""#;

/// A house with this table and these items.
fn items(schema: &str, items: &Value) -> House {
    House::new().schema(schema).list("items", "items.json", ITEM).source("items.json", items)
}

fn item(id: u64, state: &str) -> Value {
    json!({"id": id, "state": state})
}

const CHECKED: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT CHECK (state IN ('open', 'shut')));";

fn nine() -> Value {
    let states = ["open", "weird", "shut", "open", "odd", "open", "shut", "bad", "open"];
    (1..).zip(states).map(|(id, state)| item(id, state)).collect()
}

#[test]
fn every_row_that_breaks_a_check_is_found_in_one_run() {
    let house = items(CHECKED, &nine());
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 12, rejected 6");
    let lifted = lifted.finds(&["error R009 items.json /1", "error R009 items.json /4", "error R009 items.json /7"]);
    let message = "error R009 CHECK constraint `state IN ('open', 'shut')` rejected a row of `items`";
    assert_eq!(told(&lifted.report())[0], message);
    assert!(!house.path(DATABASE).exists());
}

#[test]
fn the_records_that_break_a_check_can_be_rejected() {
    let house = items(CHECKED, &nine());
    let lifted = house.lift(&["--max-rejects", "3", "--rejects", "rejects"]).ends(1, "committed");
    lifted.leaves("column 12, rejected 6").counts("inserted", "items 6").counts("rejected", "items 3");
    assert_eq!(house.rows("SELECT id FROM items"), [["1"], ["3"], ["4"], ["6"], ["7"], ["9"]]);
    assert_eq!(house.one("SELECT count(*) FROM treelift_rows"), "6");
    let rejects = std::fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap();
    assert_eq!(rejects.lines().count(), 3);
    // Again, over what is there.
    let again = house.lift(&["--max-rejects", "3"]).ends(1, "committed");
    again.counts("inserted", "").counts("unchanged", "items 6");
}

#[test]
fn a_dry_run_finds_what_the_database_rejects_too() {
    let house = items(CHECKED, &nine());
    house.lift(&["--dry-run"]).ends(1, "dry-run").leaves("column 12, rejected 6");
    house.lift(&["--dry-run", "--max-rejects", "3"]).ends(1, "dry-run").counts("inserted", "items 6");
}

/// A trigger on items that does this for the state `odd`.
fn trigger(when: &str, what: &str) -> String {
    format!(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT);
         CREATE TRIGGER guard {when} INSERT ON items WHEN NEW.state = 'odd' BEGIN {what}; END;"
    )
}

#[test]
fn rows_that_a_trigger_rejects_are_found_and_can_be_rejected() {
    let two = json!([item(1, "open"), item(2, "odd"), item(3, "odd")]);
    for (when, how) in [("BEFORE", "ABORT"), ("AFTER", "ABORT"), ("BEFORE", "FAIL"), ("AFTER", "FAIL")] {
        let house = items(&trigger(when, &format!("SELECT RAISE({how}, 'not today')")), &two);
        let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 2, rejected 4");
        let lifted = lifted.finds(&["error R010 items.json /1", "error R010 items.json /2"]);
        let message = "error R010 trigger `guard` rejected a row of `items`: not today";
        assert_eq!(told(&lifted.report()), [message, message], "{when} {how}");
        house.lift(&["--max-rejects", "2"]).ends(1, "committed");
        assert_eq!(house.rows("SELECT id FROM items"), [["1"]], "{when} {how}");
    }
}

#[test]
fn a_message_that_a_trigger_computes_is_not_shown() {
    let house = items(
        &trigger("BEFORE", "SELECT RAISE(ABORT, 'no ' || NEW.id || NEW.state)"),
        &json!([item(1, "open"), item(987_123, "odd")]),
    );
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    let message = "error R010 trigger `guard` rejected a row of `items`; its message is computed and not shown, because it may hold values";
    assert_eq!(told(&lifted.report()), [message]);
    assert_eq!(house.holders(&lifted, "no 987123odd"), [] as [&str; 0]);
}

#[test]
fn a_trigger_that_rolls_back_ends_the_run_at_the_row_and_leaves_the_database_as_it_was() {
    let schema = trigger("BEFORE", "SELECT RAISE(ROLLBACK, 'all of it')");
    let house = items(&schema, &json!([item(1, "open")]));
    house.lift(&[]).ends(0, "committed");
    let house = house.source("items.json", &json!([item(1, "open"), item(2, "open"), item(3, "odd"), item(4, "odd")]));
    let ran = house.import(&house.path("tree"), &["--mappings", "set", "--max-rejects", "9"]).status(3);
    assert!(
        ran.stderr.contains(
            "error: trigger `guard` rolled the whole transaction back at a row of `items`\n  at items.json:1:50\n"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(house.rows("SELECT id FROM items"), [["1"]]);
    assert_eq!(house.one("SELECT count(*) FROM treelift_runs"), "1");
}

#[test]
fn a_rejected_child_takes_its_whole_record_and_the_ids_stay_dense() {
    let house = House::new()
        .schema(
            "CREATE TABLE lists (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
             CREATE TABLE lines (id INTEGER PRIMARY KEY, list INTEGER NOT NULL REFERENCES lists (id), word TEXT CHECK (word <> 'bad'));",
        )
        .list(
            "lists",
            "lists.json",
            r#"
            [table.lists]
            key = ["name"]
            [table.lists.columns]
            name = "name"
            [table.lines]
            parent = "lists"
            each = "words[*]"
            [table.lines.columns]
            list = "^id"
            word = ".""#,
        )
        .source("lists.json", &json!([{"name": "a", "words": ["x", "bad"]}, {"name": "b", "words": ["y"]}]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted.leaves("column 2, rejected 3").finds(&["error R009 lists.json /0/words/1"]);
    assert_eq!(house.rows("SELECT id, name FROM lists"), [["1", "b"]]);
    assert_eq!(house.rows("SELECT id, list, word FROM lines"), [["1", "1", "y"]]);
}

/// People with what they have, each a table of its own.
fn people(schema: &str) -> House {
    let set = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        n = "n"
        [table.things]
        parent = "people"
        each = "things[*]"
        key = ["id"]
        [table.things.columns]
        id = "."
        person = "^id""#;
    House::new().schema(schema).list("people", "people.json", set)
}

#[test]
fn rows_are_written_parents_first_also_where_the_first_new_row_is_a_child() {
    let house = people(
        "CREATE TABLE people (id TEXT PRIMARY KEY, n INTEGER, things INTEGER NOT NULL DEFAULT 0);
         CREATE TABLE things (id TEXT PRIMARY KEY, person TEXT REFERENCES people (id));
         CREATE TRIGGER counted AFTER INSERT ON things BEGIN UPDATE people SET things = things + 1 WHERE id = NEW.person; END;",
    )
    .source("people.json", &json!([{"id": "a", "n": 1, "things": []}]));
    house.lift(&[]).ends(0, "committed");
    let house = house
        .source("people.json", &json!([{"id": "a", "n": 1, "things": ["a1"]}, {"id": "b", "n": 2, "things": ["b1"]}]));
    house.lift(&[]).ends(0, "committed");
    assert_eq!(house.rows("SELECT id, things FROM people ORDER BY id"), [["a", "1"], ["b", "1"]]);
}

#[test]
fn a_row_that_a_trigger_discards_for_one_of_a_rejected_record_is_kept() {
    let house = people(
        "CREATE TABLE people (id TEXT PRIMARY KEY, n INTEGER);
         CREATE TABLE things (id TEXT PRIMARY KEY CHECK (id <> 'bad'), person TEXT REFERENCES people (id));
         CREATE TRIGGER once BEFORE INSERT ON people WHEN EXISTS (SELECT 1 FROM people WHERE n = NEW.n)
         BEGIN SELECT RAISE(IGNORE); END;",
    )
    .source(
        "people.json",
        &json!([
            {"id": "a", "n": 1, "things": ["bad"]},
            {"id": "b", "n": 1, "things": ["b1"]},
            {"id": "c", "n": 1, "things": ["bad"]},
            {"id": "d", "n": 2, "things": []}
        ]),
    );
    let report = house.lift(&["--max-rejects", "2"]).ends(1, "committed").report();
    let check = "error R009 CHECK constraint `id <> 'bad'` rejected a row of `things`";
    let discarded = "error R012 the database discarded a row of `people` without an error";
    assert_eq!(told(&report), [check, check, discarded], "what is wrong with a record is told at once");
    assert_eq!(house.rows("SELECT id FROM people ORDER BY id"), [["b"], ["d"]]);
}

#[test]
fn two_rows_of_one_record_that_the_database_takes_for_the_same_are_both_named() {
    let house = House::new()
        .schema("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT COLLATE NOCASE UNIQUE);")
        .list(
            "lists",
            "lists.json",
            r#"
            [table.words]
            each = "words[*]"
            [table.words.columns]
            word = ".""#,
        )
        .source("lists.json", &json!([{"words": ["Home", "home"]}, {"words": ["away"]}]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    let message = "error R002 `words` (words.word) is unique in the database, and another row has the same value \
                   (the other is lists.json:1:12 /0/words/0)";
    assert_eq!(told(&lifted.report()), [message]);
    assert_eq!(house.rows("SELECT id, word FROM words"), [["1", "away"]]);
}

#[test]
fn a_child_has_the_id_of_its_parent_also_where_records_before_it_are_decided_again() {
    // The first record fails a CHECK, so the second one, which it stood in the way of, starts the row that the
    // third one then only adds to.
    let house = House::new()
        .schema(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, mail TEXT UNIQUE, town TEXT CHECK (town <> 'bad'));
             CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id), note TEXT);",
        )
        .list(
            "people",
            "people.json",
            r#"
            [table.people]
            key = ["name"]
            on_duplicate = "fill"
            [table.people.columns]
            name = "name"
            mail = "mail"
            town = "town"
            [table.notes]
            parent = "people"
            each = "notes[*]"
            [table.notes.columns]
            person = "^id"
            note = ".""#,
        )
        .source(
            "people.json",
            &json!([
                {"name": "a", "mail": "m", "town": "bad", "notes": []},
                {"name": "b", "mail": "m", "town": null, "notes": ["of b"]},
                {"name": "b", "mail": null, "town": "x", "notes": ["also of b"]},
                {"name": "c", "mail": null, "town": null, "notes": ["of c"]}
            ]),
        );
    let in_one = house.lift(&["--max-rejects", "9"]);
    in_one.ends(1, "committed");
    let ids = "SELECT p.name, n.note FROM notes n LEFT JOIN people p ON p.id = n.person ORDER BY n.id";
    assert_eq!(house.rows(ids), [["b", "of b"], ["NULL", "also of b"], ["c", "of c"]]);
}

#[test]
fn each_record_is_judged_without_the_rows_of_those_that_the_database_rejects() {
    // RAISE(FAIL) keeps the row that it fails for, unless the writer undoes it: then each one is the first again.
    let house = items(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT);
         CREATE TRIGGER one AFTER INSERT ON items WHEN (SELECT count(*) FROM items) = 1 AND NEW.id < 20
         BEGIN SELECT RAISE(FAIL, 'first'); END;",
        &(1..=20).map(|id| item(id, "open")).collect(),
    );
    let lifted = house.lift(&["--max-rejects", "19"]).ends(1, "committed").counts("inserted", "items 1");
    let found = told(&lifted.report());
    assert_eq!(found, vec!["error R010 trigger `one` rejected a row of `items`: first"; 19]);
    assert_eq!(house.rows("SELECT id FROM items"), [["20"]]);
}

#[test]
fn a_trigger_that_names_what_is_not_there_is_named_and_no_fault_of_the_program() {
    let house = items("CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT);", &json!([item(1, "open")]));
    house.lift(&[]).ends(0, "committed");
    let database = open(&house.path(DATABASE));
    drop(database);
    rusqlite::Connection::open(house.path(DATABASE))
        .unwrap()
        .execute_batch("CREATE TRIGGER log AFTER INSERT ON items BEGIN INSERT INTO gone VALUES (1); END;")
        .unwrap();
    let house = house.source("items.json", &json!([item(1, "open"), item(2, "open")]));
    let ran = house.import(&house.path("tree"), &["--mappings", "set"]).status(3);
    assert!(
        ran.stderr.contains("error: the database cannot write into `items`: no such table: main.gone\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn values_that_the_database_rejects_for_a_row_that_is_filled_reject_the_record_that_gave_them() {
    let rules = r#"
    [table.items]
    key = ["id"]
    on_duplicate = "fill"
    [table.items.columns]
    id = "id"
    note = "note""#;
    let house = House::new()
        .schema("CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT, note TEXT CHECK (note <> 'bad'));")
        .set("[precedence]\nitems = [\"items\", \"notes\"]\n")
        .list("items", "items.json", ITEM)
        .list("notes", "notes.json", rules)
        .source("items.json", &json!([item(1, "open"), item(2, "open")]))
        .source("notes.json", &json!([{"id": 1, "note": "bad"}, {"id": 2, "note": "good"}]));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
    lifted.leaves("column 6, rejected 2").finds(&["error R009 notes.json /0"]);
    assert_eq!(house.rows("SELECT id, note FROM items WHERE note IS NOT NULL"), [["2", "good"]]);
}
