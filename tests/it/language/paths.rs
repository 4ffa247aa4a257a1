//! Where paths lead, and which elements make rows.

use crate::house::House;
use serde_json::{Value, json};

/// A house with one mapping of one file.
fn house(schema: &str, mapping: &str, tree: &Value) -> House {
    House::new().schema(schema).mapping("items", mapping).source("items.json", tree)
}

const LIST: &str = "[source]\nfiles = [\"items.json\"]\nrecords = \"[*]\"\n";

const TAGS: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY);
    CREATE TABLE tags (item INTEGER NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (item, place));";

fn tagged(tags: &str, tree: &Value) -> House {
    tagged_with(tags, "name = \".\"\n", tree)
}

fn tagged_with(tags: &str, name: &str, tree: &Value) -> House {
    let rules = format!(
        "{LIST}[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n\
         [table.tags]\nparent = \"items\"\nkey = [\"item\", \"place\"]\n{tags}\n\
         [table.tags.columns]\nitem = \"^id\"\nplace = \"#index\"\n{name}"
    );
    house(TAGS, &rules, tree)
}

#[test]
fn elements_are_those_of_a_list_or_the_parts_of_a_text_or_one_value() {
    let tree = json!([
        {"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": "c, d"}, {"id": 3, "tags": "e"}, {"id": 4},
        {"id": 5, "tags": null}, {"id": 6, "tags": []}
    ]);
    let house = tagged(r#"each = ["tags[*]", { from = "tags", steps = [{ split = "," }, "trim"] }]"#, &tree);
    house.lift(&[]).ends(0, "committed").leaves("column 12").finds(&[]);
    let rows = [["1", "0", "a"], ["1", "1", "b"], ["2", "0", "c"], ["2", "1", "d"], ["3", "0", "e"]];
    assert_eq!(house.rows("SELECT item, place, name FROM tags ORDER BY item, place"), rows);
    house.lift(&[]).ends(0, "committed").counts("unchanged", "items 6, tags 5");

    // A path without stars takes one value as well as the elements of a list.
    let house = tagged(
        "each = \"tags\"",
        &json!([{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": "c, d"}, {"id": 3, "tags": []}]),
    );
    house.lift(&[]).ends(0, "committed").leaves("column 7").finds(&[]);
    assert_eq!(house.rows("SELECT item, name FROM tags ORDER BY 1, 2"), [["1", "a"], ["1", "b"], ["2", "c, d"]]);
}

#[test]
fn a_text_that_is_taken_apart_counts_once_every_part_has_a_row_or_a_policy() {
    let split = r#"each = { from = "tags", steps = [{ split = "," }] }"#;
    let taken = tagged(
        &format!("{split}\nwhen = {{ not = {{ equals = {{ \".\" = \"c\" }} }} }}"),
        &json!([{"id": 1, "tags": "a,b"}, {"id": 2, "tags": "a,c"}]),
    );
    let lifted = taken.lift(&[]).ends(1, "rolled-back").leaves("column 3, unmapped 1");
    lifted.finds(&["error S002 items.json /1/tags"]);

    let skipping = "name = { from = \".\", on_empty = \"skip\" }\n";
    let house = tagged_with(split, skipping, &json!([{"id": 1, "tags": "a,,b"}, {"id": 2, "tags": ""}]));
    house.lift(&[]).ends(0, "committed").leaves("column 4").finds(&[]);
    assert_eq!(house.rows("SELECT item, place, name FROM tags"), [["1", "0", "a"], ["1", "2", "b"]]);
}

#[test]
fn recurse_makes_rows_to_any_depth_that_know_the_row_above() {
    let schema = "CREATE TABLE folders (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, up TEXT REFERENCES folders(id),
            up_number INTEGER REFERENCES folders(number), place INTEGER);
        CREATE TABLE links (id TEXT PRIMARY KEY NOT NULL, folder TEXT NOT NULL REFERENCES folders(id), url TEXT, place INTEGER);";
    let rules = r##"
        [source]
        files = ["items.json"]
        [table.folders]
        when = { members = ["children"] }
        recurse = "children[*]"
        key = ["id"]
        [table.folders.columns]
        id = "id"
        up = "^folders.id"
        up_number = "^folders.number"
        place = "#index"
        [table.links]
        parent = "folders"
        each = "children[*]"
        when = { members = ["url"] }
        key = ["id"]
        [table.links.columns]
        id = "id"
        folder = "^folders.id"
        url = "url"
        place = "#index""##;
    let tree = json!({"id": "root", "children": [
        {"id": "a", "children": [{"id": "b", "children": []}, {"id": "x", "url": "u"}]},
        {"id": "y", "url": "v"},
        {"id": "c", "children": [{"id": "d", "children": [{"id": "z", "url": "w"}]}]}
    ]});
    let house = house(schema, rules, &tree);
    house.lift(&[]).ends(0, "committed").leaves("column 12").finds(&[]);
    let folders = house.rows("SELECT f.id, f.up, g.id, f.place FROM folders f LEFT JOIN folders g ON g.number = f.up_number ORDER BY f.number");
    let expected = [
        ["root", "NULL", "NULL", "0"],
        ["a", "root", "root", "0"],
        ["b", "a", "a", "0"],
        ["c", "root", "root", "2"],
        ["d", "c", "c", "0"],
    ];
    assert_eq!(folders, expected);
    assert_eq!(
        house.rows("SELECT id, folder, place FROM links ORDER BY id"),
        [["x", "a", "1"], ["y", "root", "1"], ["z", "d", "0"]]
    );
    house.lift(&[]).ends(0, "committed").counts("unchanged", "folders 5, links 3");
}

#[test]
fn a_path_takes_an_element_by_its_place_or_by_the_value_of_another_path() {
    let schema =
        "CREATE TABLE items (id INTEGER PRIMARY KEY, x INTEGER, y INTEGER, level INTEGER, rank TEXT, none TEXT);";
    let rules = r##"
        [source]
        files = ["items.json"]
        records = "items[*]"
        [table.items]
        key = ["id"]
        [table.items.columns]
        id = "id"
        x = "at[0]"
        y = "at[-1]"
        level = "level"
        rank = "$.ranks[no = .level].names[-2]"
        none = "at[7]"
        [ignore]
        "$.ranks[*].no" = "the order in the list"
        "$.ranks[*].names[*]" = "other names"
        "at[*]" = "between the first and the last""##;
    let tree = json!({
        "ranks": [{"no": "1", "names": ["not", "this"]}, {"no": 1, "names": ["corporal", "c"]}, {"no": 2, "names": ["major", "m"]}],
        "items": [{"id": 1, "at": [5, 6, 7], "level": 2}, {"id": 2, "at": [8], "level": 1}, {"id": 3, "at": [], "level": 9}]
    });
    let house = house(schema, rules, &tree);
    house.lift(&[]).ends(0, "committed").leaves("column 12, ignored 8").finds(&[]);
    let rows =
        [["1", "5", "7", "major", "NULL"], ["2", "8", "8", "corporal", "NULL"], ["3", "NULL", "NULL", "NULL", "NULL"]];
    assert_eq!(house.rows("SELECT id, x, y, rank, none FROM items"), rows);
}

#[test]
fn unions_and_stars_at_any_depth_select_by_name() {
    let schema = "CREATE TABLE items (id INTEGER PRIMARY KEY, data JSON);";
    let rules = r##"
        expected = ["data.**.value"]
        [source]
        files = ["items.json"]
        records = "['old', 'new'][*]"
        [table.items]
        key = ["id"]
        [table.items.columns]
        id = "id"
        data = "data"
        [ignore]
        "$['version', 'made'].**" = "of the form"
        "**['stamp', 'seen']" = "bookkeeping"
        "more.**.n" = "counted again""##;
    let tree = json!({
        "new": [{"id": 1, "stamp": 1, "more": {"n": 1, "x": [{"n": 2, "seen": null}]}}],
        "version": 3, "made": {"by": "x"},
        "old": [{"id": 2, "data": {"value": 1, "a": {"value": 2, "b": [{"value": 3}]}}, "deep": {"er": [[{"stamp": "s"}]]}}]
    });
    let house = house(schema, rules, &tree);
    house.lift(&[]).ends(0, "committed").leaves("column 2, json 3, ignored 7").finds(&[]);
    assert_eq!(house.rows("SELECT id FROM items"), [["1"], ["2"]]);
    let other = json!({"new": [{"id": 1, "more": {"x": 1}, "data": {"values": {"value": [1]}}}]});
    let lifted = House::new().schema(schema).mapping("items", rules).source("items.json", &other).lift(&[]);
    lifted
        .ends(1, "rolled-back")
        .leaves("column 1, json 1, unmapped 1")
        .finds(&["error S002 items.json /new/0/more/x", "warning S003 items.json /new/0/data/values/value/0"]);
}

#[test]
fn a_list_of_names_calls_the_members_of_every_star() {
    let schema = "CREATE TABLE notes (month TEXT PRIMARY KEY NOT NULL, body TEXT);
        CREATE TABLE marks (day TEXT NOT NULL, name TEXT NOT NULL, mark TEXT, PRIMARY KEY (day, name));";
    let rules = r##"
        [source]
        files = ["items.json"]
        records = "*.*"
        key_as = ["of", "year"]
        [table.notes]
        each = "months.*"
        key_as = "month"
        key = ["month"]
        [table.notes.columns]
        month = { template = "{#of} {#year}-{#month}" }
        body = "."
        [table.marks]
        each = "marks.*.*"
        key_as = ["day", "name"]
        key = ["day", "name"]
        [table.marks.columns]
        day = { template = "{#of}-{#year}-{#day}" }
        name = "#name"
        mark = ".""##;
    let tree = json!({"a": {"2024": {"months": {"01": "x", "02": "y"}}, "2025": {"marks": {"07": {"run": "yes", "eat": "no"}}}}});
    let house = house(schema, rules, &tree);
    house.lift(&[]).ends(0, "committed").leaves("column 12").finds(&[]);
    assert_eq!(house.rows("SELECT * FROM notes"), [["a 2024-01", "x"], ["a 2024-02", "y"]]);
    assert_eq!(house.rows("SELECT * FROM marks"), [["a-2025-07", "run", "yes"], ["a-2025-07", "eat", "no"]]);
}

#[test]
fn a_rule_sees_the_row_of_a_rule_further_above() {
    let schema = "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (number INTEGER PRIMARY KEY, a INTEGER REFERENCES a(id));
        CREATE TABLE c (a INTEGER, b INTEGER REFERENCES b(number), n INTEGER);";
    let rules = r##"
        [table.a]
        key = ["id"]
        [table.a.columns]
        id = "id"
        [table.b]
        parent = "a"
        each = "b[*]"
        [table.b.columns]
        a = "^id"
        [table.c]
        parent = "b"
        each = "c[*]"
        [table.c.columns]
        a = "^a.id"
        b = "^b.number"
        n = ".""##;
    let tree = json!([{"id": 7, "b": [{"c": [1, 2]}, {"c": [3]}]}, {"id": 8, "b": [{"c": [4]}]}]);
    let house = house(schema, &format!("{LIST}{rules}"), &tree);
    house.lift(&[]).ends(0, "committed").leaves("column 6").finds(&[]);
    let rows = house.rows("SELECT c.a, b.a, n FROM c JOIN b ON b.number = c.b ORDER BY n");
    assert_eq!(rows, [["7", "7", "1"], ["7", "7", "2"], ["7", "7", "3"], ["8", "8", "4"]]);
}

#[test]
fn a_rule_that_is_like_another_has_what_it_does_not_say_itself() {
    let schema = "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, kind TEXT, body TEXT, data JSON);
        CREATE TABLE others (id TEXT PRIMARY KEY NOT NULL);";
    let rules = r##"
        [source]
        files = ["items.json"]
        [[source.shape]]
        name = "texts"
        records = "texts[*]"
        [[source.shape]]
        name = "objects"
        records = "objects[*]"
        [table.texts]
        into = "items"
        shapes = ["texts"]
        key = ["id"]
        on_duplicate = "first"
        [table.texts.columns]
        id = "."
        kind = { value = "text" }
        body = { value = "none" }
        [table.objects]
        like = "texts"
        shapes = ["objects"]
        [table.objects.columns]
        id = "id"
        data = "@"
        [table.others]
        like = "objects"
        into = "others"
        [table.others.columns]
        id = "id""##;
    let objects = json!({"objects": [{"id": "b", "x": 1}, {"id": "b", "x": 1}]});
    let house = house(schema, &format!("expected = [\"x\"]\n{rules}"), &objects);
    house.lift(&[]).ends(0, "committed");
    assert_eq!(house.rows("SELECT id, kind, body, data FROM items"), [["b", "text", "none", r#"{"id":"b","x":1}"#]]);
    assert_eq!(house.rows("SELECT id FROM others"), [["b"]]);
    house.put("items.json", r#"{"texts": ["a"]}"#);
    house.lift(&[]).ends(0, "committed").counts("inserted", "items 1");
}
