//! `lossy`: what is kept and not so that it can be got back counts, and is listed for whoever signs.

use crate::house::House;
use crate::house::inline::Lifted;
use serde_json::{Value, json};

const TABLES: &str =
    "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, t TEXT, day DATE, doc JSON, other TEXT REFERENCES items (id));";

/// Items with an id, and this after it.
fn items(rest: &str, items: &Value) -> House {
    let rules = format!("[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n{rest}\n");
    House::new().schema(TABLES).list("items", "items.json", &rules).source("items.json", items)
}

/// What is not kept whole: `items.items.t: reason 2`.
fn lossy(lifted: &Lifted) -> Vec<String> {
    let line = |entry: &Value| {
        format!("{}: {} {}", entry["what"].as_str().unwrap(), entry["reason"].as_str().unwrap(), entry["leaves"])
    };
    lifted.report()["lossy"].as_array().into_iter().flatten().map(line).collect()
}

#[test]
fn what_is_kept_in_part_counts_as_kept_and_is_listed() {
    let two = json!([{"id": "a", "t": "One", "u": "Two"}, {"id": "b", "t": "one", "u": "one"}]);
    for (rest, leaves, said) in [
        (
            r#"t = { from = "t", steps = ["lower"], lossy = "case" }"#,
            "column 4, ignored 2",
            vec!["items.items.t: case 2"],
        ),
        (r#"t = { from = ["t", "u"], lossy = "the first" }"#, "column 6", vec!["items.items.t: the first 1"]),
        (r#"t = { sha256 = ["t", "u"], lossy = "a hash" }"#, "column 6", vec!["items.items.t: a hash 4"]),
        (r#"t = { from = "t", agrees_with = "u", lossy = "t counts" }"#, "column 6", vec!["items.items.t: t counts 1"]),
        (
            r#"t = [{ from = "t", steps = ["lower"], lossy = "case" }, { from = "u", steps = ["lower"], lossy = "else" }]"#,
            "column 5, ignored 1",
            vec!["items.items.t: case 2", "items.items.t: else 1"],
        ),
        (
            r#"doc = { object = { a = { from = "t", steps = ["lower"], lossy = "case" }, b = "u" } }"#,
            "column 2, json 4",
            vec!["items.items.doc: case 2"],
        ),
        // Kept whole beside it, nothing is lost.
        (
            "t = { from = \"t\", steps = [\"lower\"], lossy = \"case\" }\ndoc = { object = { t = \"t\" } }",
            "column 2, json 2, ignored 2",
            vec![],
        ),
        (
            "t = \"=low\"\n[let]\nlow = { from = \"t\", steps = [\"lower\"], lossy = \"case\" }",
            "column 4, ignored 2",
            vec!["items.items.t: case 2"],
        ),
    ] {
        let used =
            if leaves.contains("ignored") { format!("{rest}\n[ignore]\nu = \"not used\"") } else { rest.to_owned() };
        let house = items(&used, &two);
        let lifted = house.lift(&[]).ends(0, "committed").leaves(leaves);
        assert_eq!(lossy(&lifted), said, "{rest}");
        let again = house.lift(&[]).ends(0, "committed").leaves(leaves);
        assert_eq!(lossy(&again), said, "{rest}");
    }
}

#[test]
fn it_covers_nothing_where_no_value_came_out() {
    let rest = r#"t = { from = "t", steps = [{ extract = '^\d+' }], lossy = "the unit" }"#;
    let house = items(rest, &json!([{"id": "a", "t": "12 cm"}, {"id": "b", "t": "none"}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 3, unmapped 1");
    assert_eq!(lossy(&lifted.finds(&["error S002 items.json /1/t"])), ["items.items.t: the unit 1"]);

    let rest = r#"other = { lookup = "items.id", by = { id = { from = "to", steps = ["lower"] } }, lossy = "case" }"#;
    let house = items(rest, &json!([{"id": "a"}, {"id": "b", "to": "A"}, {"id": "c", "to": "X"}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 1");
    assert_eq!(lossy(&lifted.finds(&["warning R013 items.json /2/to"])), ["items.items.other: case 1"]);

    let rest = r#"t = { from = ["t", "u"], steps = [{ matching = '^\d+$' }], lossy = "the first number" }"#;
    let house = items(rest, &json!([{"id": "a", "t": "1", "u": "2"}, {"id": "b", "t": "x", "u": "2"}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 5, unmapped 1");
    lifted.finds(&["error S002 items.json /1/t"]);
}

#[test]
fn it_covers_nothing_that_a_policy_inside_replaced_or_left_out() {
    let tags = json!([{"id": "a", "tags": ["One", "12", "two"]}]);
    let rest = r#"doc = { each = "tags[*]", item = { from = ".", steps = [{ require = '^[a-zA-Z]+$' }, "lower"], on_error = "skip" }, lossy = "case" }"#;
    let house = items(rest, &tags);
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, json 2, ignored 1");
    assert_eq!(lossy(&lifted), ["items.items.doc: case 2"]);
    assert_eq!(house.rows("SELECT doc FROM items"), [[r#"["one","two"]"#]]);

    let low = "[let]\nlow = { from = \".\", steps = [{ matching = '^[a-zA-Z]+$' }, \"lower\"], on_missing = \"skip\" }";
    let rest =
        format!("doc = {{ object = {{ a = {{ each = \"tags[*]\", item = \"=low\" }} }}, lossy = \"case\" }}\n{low}");
    let lifted = items(&rest, &tags).lift(&[]).ends(1, "rolled-back").leaves("column 1, json 2, unmapped 1");
    lifted.finds(&["error S002 items.json /0/tags/1"]);

    let up = "[let]\nup = { lookup = \"items.id\", by = { id = { from = \"to\", steps = [\"lower\"] } }, \
              on_dangling = \"default\", default = \"none\" }";
    let rest = format!("t = {{ join = [\"=up\", \"u\"], with = \"-\", lossy = \"case\" }}\n{up}");
    let house = items(&rest, &json!([{"id": "a", "u": "1", "to": "X"}, {"id": "b", "u": "2", "to": "A"}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 5, ignored 1");
    assert_eq!(lossy(&lifted), ["items.items.t: case 1"]);
    assert_eq!(house.rows("SELECT t FROM items ORDER BY id"), [["none-1"], ["a-2"]]);
}

#[test]
fn an_expected_loss_is_written_down_and_an_unexpected_one_is_refused() {
    let day = |words: &str| {
        items(
            &format!("day = {{ from = \"at\", steps = [\"time\"]{words} }}"),
            &json!([{"id": "a", "at": "2025-05-07T14:42:18Z"}]),
        )
    };
    day("").lift(&[]).ends(1, "rolled-back").finds(&["error V007 items.json /0/at"]);
    let house = day(", lossy = \"the hour\"");
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 2");
    assert_eq!(lossy(&lifted), ["items.items.day: the hour 1"]);
    assert_eq!(house.rows("SELECT day FROM items"), [["2025-05-07"]]);

    let first = |words: &str| {
        items(&format!("t = {{ from = [\"t\", \"u\"]{words} }}"), &json!([{"id": "a", "t": "1", "u": "2"}]))
    };
    first("").lift(&[]).ends(1, "rolled-back").finds(&["error S002 items.json /0/u"]);
    first(", lossy = \"t counts\"").lift(&[]).ends(0, "committed").leaves("column 3").finds(&[]);
}

#[test]
fn what_is_secret_below_it_or_cut_out_of_it_is_not_kept_by_it() {
    let source = json!([{"id": "a", "doc": {"x": "1", "note": "n", "pin": "4711"}}]);
    let rest = "t = { sha256 = { from = \"doc\", without = [\"note\"] }, lossy = \"a hash\" }\n\
                [table.items.drop]\n\"doc.pin\" = \"of a card that is gone\"";
    let lifted = items(rest, &source).lift(&[]).leaves("column 2, ignored 1, unmapped 1");
    assert_eq!(
        lossy(&lifted.finds(&["error S002 items.json /0/doc/note", "warning X005 items.json"])),
        ["items.items.t: a hash 1"]
    );
}

#[test]
fn the_report_for_people_lists_it() {
    let rest = r#"t = { from = "t", steps = ["lower"], lossy = "case means nothing" }"#;
    let house = items(rest, &json!([{"id": "a", "t": "One"}]));
    let run = house.import(&house.path("tree"), &["--mappings", "set", "--report", "report.html"]).status(0);
    assert!(run.stdout.contains("lossy    items.items.t: case means nothing (1 leaf)"), "{}", run.stdout);
    let page = std::fs::read_to_string(house.path("report.html")).unwrap();
    assert!(page.contains("<h3>Not kept whole</h3>") && page.contains("case means nothing"));
}

#[test]
fn explain_says_that_not_all_of_it_is_kept_and_why() {
    let house = items(r#"t = { from = "t", steps = ["lower"], lossy = "case" }"#, &json!([{"id": "a", "t": "One"}]));
    let file = format!("{}#/0/t", house.path("tree/items.json").display());
    let tree = house.path("tree").display().to_string();
    let told = house.run(["explain", &file, "--mappings", "set", "--source", &tree]).status(0).stdout;
    assert!(told.contains("  column items.t (") && told.contains("\n  lossy: case\n"), "{told}");
    let told = house.run(["explain", &file, "--mappings", "set", "--source", &tree, "--json"]).status(0).json();
    assert_eq!((&told["leaves"][0]["class"], &told["leaves"][0]["lossy"]), (&json!("column"), &json!("case")));
}
