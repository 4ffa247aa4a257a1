//! Each leaf is counted once, in the most readable place that it reached.

use crate::house::House;
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT, data JSON);
                      CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, author TEXT, data JSON);";

/// A house with one list of notes, and these rules over it.
fn notes(rules: &str, notes: &Value) -> House {
    House::new().schema(TABLES).list("notes", "notes.json", rules).source("notes.json", notes)
}

/// A house with one document of notes, this source section, and these rules over it.
fn document(shape: &str, rules: &str, document: &Value) -> House {
    let source = "[source]\nfiles = [\"notes.json\"]\nformat = \"json\"\n";
    House::new().schema(TABLES).mapping("notes", &format!("{source}{shape}{rules}")).source("notes.json", document)
}

const ITEMS: &str = "[[source.shape]]\nname = \"items\"\nrecords = \"items[*]\"\n";

const PEOPLE: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    name = "name""#;

#[test]
fn the_leaves_of_a_lookup_that_finds_nothing_are_ignored_with_that_reason() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        author = { lookup = "people.id", by = { name = "author" } }"#;
    let house = notes(rules, &json!([{"id": "a", "author": "Ann"}, {"id": "b", "author": "nobody"}]))
        .list("people", "people.json", PEOPLE)
        .source("people.json", &json!([{"id": "1", "name": "Ann"}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 5, ignored 1");
    lifted.finds(&["warning R013 notes.json /1/author"]);
}

#[test]
fn a_default_is_for_what_is_absent_and_not_for_a_row_that_is_not_there() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        author = { lookup = "people.id", by = { name = "author" }, default = "none" }"#;
    let house = notes(rules, &json!([{"id": "a", "author": "nobody"}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, ignored 1");
    lifted.finds(&["warning R013 notes.json /0/author"]);
}

#[test]
fn a_missing_member_of_json_claims_nothing() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        data = { object = { who = { lookup = "people.id", by = { name = "author" } }, id = "id" } }"#;
    let house = notes(rules, &json!([{"id": "a", "author": "nobody"}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 1, unmapped 1");
    lifted.finds(&["error S002 notes.json /0/author"]);
}

#[test]
fn an_alternative_that_was_not_chosen_counts_as_the_chosen_one_only_if_it_is_the_same() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        author = { from = ["a", "b"] }"#;
    let same = json!([{"id": "a", "a": "1", "b": "1"}, {"id": "b", "a": "1", "b": null}]);
    notes(rules, &same).lift(&[]).ends(0, "committed").leaves("column 6").finds(&[]);
    let other_type = json!([{"id": "a", "a": "1", "b": 1}]);
    let lifted = notes(rules, &other_type).lift(&[]).ends(1, "rolled-back").leaves("column 2, unmapped 1");
    lifted.finds(&["error S002 notes.json /0/b"]);
}

#[test]
fn a_value_that_does_not_agree_is_undecided() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        author = { from = "a", agrees_with = { from = "b", steps = ["text"] } }"#;
    let agree = json!([{"id": "a", "a": "true", "b": true}]);
    notes(rules, &agree).lift(&[]).ends(0, "committed").leaves("column 3").finds(&[]);
    let differ = json!([{"id": "a", "a": "true", "b": false}]);
    let lifted = notes(rules, &differ).lift(&[]).ends(1, "rolled-back").leaves("column 2, unmapped 1");
    lifted.finds(&["error S002 notes.json /0/b", "warning V009 notes.json /0/a"]);
}

#[test]
fn what_the_application_needs_is_said_with_the_rows_it_is_about() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = { from = "id", agrees_with = { md5 = "author" }, after = "Tell their authors" }
        author = "author""#;
    let of_ann = "7e0d7f8a5d96c24ffcc840f31bce72b2"; // the MD5 of `ann`
    let some = json!([{"id": of_ann, "author": "ann"}, {"id": "b", "author": "bob"}, {"id": "a", "author": "bob"}]);
    let house = notes(rules, &some);
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 6");
    assert_eq!(lifted.report()["after"], json!(["Tell their authors: a, b"]));
    lifted.finds(&["warning V009 notes.json /1/id", "warning V009 notes.json /2/id"]);
    assert_eq!(house.lift(&[]).ends(0, "committed").report()["after"], json!(["Tell their authors: a, b"]));
}

#[test]
fn a_column_that_narrows_another_claims_nothing_of_it() {
    let rules = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        name = "name"
        data = { object = { small = { from = "=name", steps = ["lower"] } } }"#;
    let house = notes(rules, &json!([{"id": "1", "name": "Ann"}]));
    house.lift(&[]).ends(0, "committed").leaves("column 2").finds(&[]);
    assert_eq!(house.rows("SELECT name, data FROM people"), [["Ann", r#"{"small":"ann"}"#]]);
}

#[test]
fn a_rejected_record_does_not_hide_what_is_outside_of_it() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = { from = "id", steps = [{ require = "^[a-z]$" }] }"#;
    let tree = json!({"items": [{"id": "a"}, {"id": "BAD"}], "only": "copy", "more": [1, 2]});
    let house = document(ITEMS, rules, &tree);
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "rolled-back");
    lifted.leaves("column 1, rejected 1, unmapped 3").finds(&[
        "error S002 notes.json /more/0",
        "error S002 notes.json /more/1",
        "error S002 notes.json /only",
        "error V005 notes.json /items/1/id",
    ]);
}

#[test]
fn names_that_a_selection_skips_are_undecided() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        data = { each = "parts.*", item = { template = "{q}" } }"#;
    let tree = json!([{"id": "a", "parts": {"apples": {"q": "3"}, "pears": {"q": "4"}}}]);
    let lifted = notes(rules, &tree).lift(&[]).ends(1, "rolled-back").leaves("column 1, json 2, unmapped 2");
    lifted.finds(&["error S002 notes.json /0/parts/apples", "error S002 notes.json /0/parts/pears"]);
}

#[test]
fn an_object_built_from_elements_without_a_name_rejects_the_record() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        data = { each = "parts", member = "k", item = { object = { q = "q" } } }"#;
    let tree = json!([{"id": "a", "parts": {"apples": {"k": "x", "q": "3"}}}, {"id": "b", "parts": []}]);
    // The name `apples` is a leaf of its own only where a selection takes it for data.
    let lifted = notes(rules, &tree).lift(&[]).ends(1, "rolled-back").leaves("column 1, json 1, rejected 3");
    lifted.finds(&["error V005 notes.json /0/parts"]);
}

#[test]
fn an_empty_list_beside_full_ones_counts_as_column_and_gives_no_rows() {
    let rules = r##"
        [table.notes]
        each = "changes.*[*]"
        key_as = "bucket"
        key = ["id"]
        [table.notes.columns]
        id = "id"
        author = "#bucket""##;
    let house = document("", rules, &json!({"changes": {"critical": [{"id": "a"}], "low": []}}));
    house.lift(&[]).ends(0, "committed").leaves("column 3").finds(&[]);
    assert_eq!(house.rows("SELECT id, author FROM notes"), [["a", "critical"]]);
}

#[test]
fn an_empty_list_inside_the_elements_of_a_text_list_counts_as_column() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        data = { each = "s[*].p[*]", item = { template = "{q}" } }"#;
    let house = notes(rules, &json!([{"id": "1", "s": [{"p": [{"q": "1"}]}, {"p": []}]}]));
    house.lift(&[]).ends(0, "committed").leaves("column 2, json 1");
    assert_eq!(house.rows("SELECT data FROM notes"), [[r#"["1"]"#]]);
}

#[test]
fn the_name_of_the_list_that_a_record_comes_from_is_its_leaf() {
    let shape = "[[source.shape]]\nname = \"lists\"\nrecords = \".*[*]\"\nkey_as = \"list\"\n";
    let rules = r##"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        author = "#list""##;
    let tree = json!({"x": [{"id": "a"}, {"id": "b"}], "y": [], "z": [{"id": "c"}]});
    let house = document(shape, rules, &tree);
    house.lift(&[]).ends(0, "committed").leaves("column 6").finds(&[]);
    assert_eq!(house.rows("SELECT id, author FROM notes ORDER BY id"), [["a", "x"], ["b", "x"], ["c", "z"]]);
}

#[test]
fn the_frame_in_every_row_is_counted_once() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        data = "$""#;
    let house = document(ITEMS, rules, &json!({"v": "x", "items": [{"id": "a"}, {"id": "b"}]}));
    let lifted = house.lift(&[]).ends(0, "committed");
    lifted.leaves("column 2, json 1").finds(&["warning S003 notes.json /v"]);
}

#[test]
fn what_is_ignored_by_name_is_not_unexpected_in_a_catch_all() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        data = "@"
        [ignore]
        "more.count" = "counts the lines""#;
    let house = notes(rules, &json!([{"id": "a", "more": {"count": 1, "line": "x"}}]));
    let lifted = house.lift(&[]).ends(0, "committed");
    lifted.leaves("column 1, json 2").finds(&["warning S003 notes.json /0/more/line"]);
}

#[test]
fn a_childs_elements_see_the_name_of_their_parents_member() {
    let rules = r##"
        [table.people]
        each = "m.*"
        key_as = "bucket"
        key = ["id"]
        [table.people.columns]
        id = "id"
        name = "#bucket"
        [table.notes]
        parent = "people"
        each = "n[*]"
        key = ["id"]
        [table.notes.columns]
        id = "i"
        author = "#bucket""##;
    let house = notes(rules, &json!([{"m": {"low": {"id": "1", "n": [{"i": "a"}]}}}]));
    house.lift(&[]).ends(0, "committed").leaves("column 3").finds(&[]);
    assert_eq!(house.rows("SELECT author FROM notes"), [["low"]]);
}

#[test]
fn what_a_child_names_is_not_unexpected_in_its_parents_catch_all() {
    let rules = r#"
        [table.people]
        key = ["id"]
        each = "houses[*]"
        [table.people.columns]
        id = "id"
        data = "."
        [table.notes]
        parent = "people"
        key = ["id"]
        [table.notes.columns]
        id = "id"
        author = "code""#;
    let house = notes(rules, &json!([{"houses": [{"id": "a", "code": "x"}]}]));
    house.lift(&[]).ends(0, "committed").leaves("column 2").finds(&[]);
}

#[test]
fn a_selection_in_the_frame_makes_no_rows_of_every_record() {
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        [table.people]
        key = ["id"]
        each = "$.meta.*"
        [table.people.columns]
        id = ".""#;
    let house = document(ITEMS, rules, &json!({"items": [{"id": "a"}], "meta": {"k": "v"}}));
    house.lift(&[]).refuses("selects in the frame, which every record would repeat");
}

#[test]
fn a_shape_that_tests_a_value_inside_its_records_is_refused() {
    let shape = "[[source.shape]]\nname = \"by id\"\nwhen = { equals = { version = 2 } }\nrecords = \".*\"\n";
    let rules = r#"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id""#;
    let house = document(shape, rules, &json!({"version": 2}));
    house.lift(&[]).refuses("looks into `version`, which a shape takes for records");
}

#[test]
fn names_beyond_the_limit_of_distinct_paths_are_kept_and_counted() {
    let rules = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        data = "@""#;
    let mut person: serde_json::Map<_, _> = (0..2_100).map(|at| (format!("k{at}"), at.into())).collect();
    person.insert("id".to_owned(), "a".into());
    let house = notes(rules, &json!([person]));
    house.lift(&[]).ends(0, "committed").leaves("column 1, json 2100");
    assert_eq!(house.one("SELECT data FROM people"), serde_json::to_string(&person).unwrap());
}
