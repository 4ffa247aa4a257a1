//! What each construct of the language claims: the leaves of small trees by class, row by row, and what is ignored why.

use crate::house::House;
use serde_json::{Value, json};

const TABLES: &str = "
    CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, t TEXT, n INTEGER, doc JSON, s TEXT, other TEXT REFERENCES items (id));
    CREATE TABLE parts (item TEXT, name TEXT, PRIMARY KEY (item, name));
    CREATE TABLE log (t TEXT);";

/// A construct in a mapping of a list of records, and what becomes of their leaves.
struct Row<'r> {
    /// What stands under `[source]`, or in its place.
    source: &'r str,
    /// Columns of `items` after its `id`, and what follows them; before `---` more keys of its rule.
    rest: &'r str,
    records: Value,
    leaves: &'r str,
    ignored: &'r [&'r str],
}

/// A row in which nothing is ignored, of columns.
fn columns<'r>(rest: &'r str, records: Value, leaves: &'r str) -> Row<'r> {
    Row { source: "", rest, records, leaves, ignored: &[] }
}

/// Runs each row: one in which a leaf is unmapped or rejected is refused, every other one is committed.
#[track_caller]
fn hold(rows: &[Row<'_>]) {
    for row in rows {
        let head = format!("[source]\nfiles = [\"items.json\"]\nrecords = \"[*]\"\n{}\n", row.source);
        let (keys, rest) = row.rest.split_once("---\n").unwrap_or(("", row.rest));
        let rule = format!("[table.items]\nkey = ['id']\n{keys}[table.items.columns]\nid = 'id'\n{rest}\n");
        let house = House::new().schema(TABLES).mapping("m", &format!("{head}{rule}"));
        let house = house.source("items.json", &row.records);
        let lifted = house.lift(&[]);
        assert!(lifted.status() != Some(2), "{}\n{}", row.rest, lifted.words());
        let report = lifted.report();
        let mut leaves: Vec<String> = Vec::new();
        for (class, count) in report["leaves"].as_object().unwrap().iter().skip(1) {
            leaves.extend((count != 0).then(|| format!("{class} {count}")));
        }
        let entry = |entry: &Value| {
            format!("{}: {} {}", entry["what"].as_str().unwrap(), entry["reason"].as_str().unwrap(), entry["leaves"])
        };
        let ignored: Vec<String> = report["ignored"].as_array().unwrap().iter().map(entry).collect();
        let said = (leaves.join(", "), ignored, lifted.status());
        let lost = row.leaves.contains("unmapped") || row.leaves.contains("rejected");
        let wanted = row.ignored.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            said,
            (row.leaves.to_owned(), wanted, Some(i32::from(lost))),
            "{}\n{:#}",
            row.rest,
            report["findings"]
        );
        let sum: u64 =
            report["leaves"].as_object().unwrap().values().skip(1).map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(sum, report["leaves"]["seen"], "{}", row.rest);
    }
}

#[test]
fn what_keeps_counts_as_where_it_is_kept() {
    let one = |more: Value| {
        let mut record = json!({"id": "a"});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([record])
    };
    hold(&[
        columns("t = { from = 't', steps = ['trim'] }", one(json!({"t": " x "})), "column 2"),
        columns("doc = 'doc'", one(json!({"doc": {"k": 1, "l": [2]}})), "column 1, json 2"),
        columns("t = 'doc'", one(json!({"doc": {"k": 1, "l": [2]}})), "column 1, json 2"),
        columns("t = { template = '{t}-{u}' }", one(json!({"t": "x", "u": 1})), "column 3"),
        columns("t = { join = ['t', 'u'], with = ' ' }", one(json!({"t": "x", "u": ""})), "column 3"),
        columns("t = { join = 'l[*]', with = ' ' }", one(json!({"l": ["x", "y"]})), "column 3"),
        columns("doc = { object = { a = 't', b = 'u' } }", one(json!({"t": "x", "u": 1})), "column 1, json 2"),
        columns(
            "doc = { each = 'l[*]', member = 'k', item = 'v' }",
            one(json!({"l": [{"k": "x", "v": 1}, {"k": "y", "v": 2}]})),
            "column 1, json 4",
        ),
        columns("n = 'p[-1]'\nt = { from = 'p[0]', steps = ['text'] }", one(json!({"p": [1, 2]})), "column 3"),
    ]);
}

#[test]
fn what_does_not_keep_claims_nothing_but_with_lossy() {
    let record = json!([{"id": "a", "t": "X", "k": "y"}]);
    let left =
        |rest, ignored| Row { source: "", rest, records: record.clone(), leaves: "column 1, ignored 2", ignored };
    let both = ["m: k: not used 1", "m: t: not used 1"];
    hold(&[
        left("t = { from = 't', steps = ['lower'] }\n[ignore]\nt = 'not used'\nk = 'not used'", &both),
        left("t = { uuid5 = ['t', 'k'] }\n[ignore]\nt = 'not used'\nk = 'not used'", &both),
        left("t = { md5 = 't' }\n[ignore]\nt = 'not used'\nk = 'not used'", &both),
        left("t = { value = 'x', when = { equals = { k = 'y' } } }\n[ignore]\nt = 'not used'\nk = 'not used'", &both),
        left(
            "t = { value = 'x', when = { exists = 'items', by = { id = 'k' } } }\n[ignore]\nt = 'not used'\nk = 'not used'",
            &both,
        ),
        left(
            "t = { value = 'x', when = { members = ['=l'] } }\n[let]\nl = 't'\n[ignore]\nt = 'not used'\nk = 'not used'",
            &both,
        ),
        columns(
            "t = { from = 't', steps = ['lower'], lossy = 'r' }\nn = { from = 'k', steps = [{ map = { y = 1, z = 1 } }], lossy = 'r' }",
            record.clone(),
            "column 3",
        ),
        columns("t = { uuid5 = ['t', 'k'], lossy = 'r' }", record.clone(), "column 3"),
        columns("doc = { object = { h = { sha256 = ['t', 'k'], lossy = 'r' } } }", record.clone(), "column 1, json 2"),
        columns("t = { from = 't', steps = [{ matching = '^x' }] }\ns = 'k'", record.clone(), "column 2, unmapped 1"),
        columns(
            "t = { from = 't', steps = [{ extract = '^x' }], lossy = 'r' }\ns = 'k'",
            record.clone(),
            "column 2, unmapped 1",
        ),
    ]);
    let kids = json!([{"id": "a", "l": [{"k": "x", "v": "1"}, {"k": "y", "v": "2"}]}]);
    let log = "[table.log]\nkey = ['.k']\n[table.log.columns]\nt = 't'\n[ignore]\nk = 'not used'";
    hold(&[
        Row {
            source: "",
            rest: "t = 'l[k = \"x\"].v'\n[ignore]\n'l.**' = 'not used'",
            records: kids,
            leaves: "column 2, ignored 3",
            ignored: &["m: l.**: not used 3"],
        },
        Row {
            source: "",
            rest: log,
            records: record.clone(),
            leaves: "column 2, ignored 1",
            ignored: &["m: k: not used 1"],
        },
        Row {
            source: "newest = ['k']",
            rest: "t = 't'\n[ignore]\nk = 'not used'",
            records: json!([{"id": "a", "t": "x", "k": "2025-05-07T00:00:00Z"}]),
            leaves: "column 2, ignored 1",
            ignored: &["m: k: not used 1"],
        },
    ]);
}

#[test]
fn nothing_at_all_counts_as_what_reads_it() {
    hold(&[
        columns(
            "t = 'a.b'",
            json!([{"id": "a", "a": null}, {"id": "b", "a": {}}, {"id": "c", "a": {"b": null}}]),
            "column 6",
        ),
        columns("doc = 'a'", json!([{"id": "a", "a": null}, {"id": "b", "a": {}}]), "column 2, json 2"),
        columns("t = 't'", json!([{"id": "a", "t": ""}]), "column 2"),
        columns("t = { from = 't', steps = [{ null_if = ['x'] }] }", json!([{"id": "a", "t": "x"}]), "column 2"),
        columns(
            "t = { from = 't', on_absent = 'null', on_empty = 'null' }",
            json!([{"id": "a", "t": null}, {"id": "b", "t": ""}]),
            "column 4",
        ),
        columns("t = { from = 't', default = 'x' }", json!([{"id": "a", "t": null}]), "column 2"),
        columns(
            "doc = { each = 'l[*]', item = { from = '.', on_absent = 'skip' } }",
            json!([{"id": "a", "l": [null, "x"]}]),
            "column 2, json 1",
        ),
        columns(
            "[table.parts]\nparent = 'items'\neach = 'l[*]'\nkey = ['item', 'name']\n[table.parts.columns]\nitem = '^id'\nname = '.'",
            json!([{"id": "a", "l": []}, {"id": "b", "l": ["x"]}]),
            "column 4",
        ),
    ]);
}

#[test]
fn an_alternative_that_was_not_chosen_counts_where_it_says_the_same() {
    let same = json!([{"id": "a", "t": "x", "u": "x"}]);
    let differs = json!([{"id": "a", "t": "x", "u": "y"}]);
    hold(&[
        columns("t = ['t', 'u']", same.clone(), "column 3"),
        columns("t = ['t', 'u']", differs.clone(), "column 2, unmapped 1"),
        columns("t = { from = ['t', 'u'], lossy = 'r' }", differs.clone(), "column 3"),
        columns("t = { from = 't', agrees_with = 'u' }", same, "column 3"),
        columns("t = { from = 't', agrees_with = 'u' }", differs.clone(), "column 2, unmapped 1"),
        columns("t = { from = 't', agrees_with = 'u', lossy = 'r' }", differs, "column 3"),
    ]);
}

#[test]
fn a_reference_counts_as_the_column_and_where_it_dangles_as_ignored() {
    let refers = |words: &str| format!("other = {{ lookup = 'items.id', by = {{ id = 'to' }}{words} }}");
    let records = json!([{"id": "a"}, {"id": "b", "to": "a"}, {"id": "c", "to": "x"}]);
    for words in ["", ", on_dangling = 'null'", ", on_dangling = 'default', default = 'a'"] {
        let ignored = &["m.items.other: leads nowhere in items.id 1"][..];
        hold(&[Row {
            source: "",
            rest: &refers(words),
            records: records.clone(),
            leaves: "column 4, ignored 1",
            ignored,
        }]);
    }
    let narrowed = "other = { lookup = 'items.id', by = { id = { from = 'to', steps = ['lower'] } }";
    let records = json!([{"id": "a"}, {"id": "b", "to": "A"}]);
    let ignored = &["m: to: the case 1"][..];
    hold(&[
        Row {
            source: "",
            rest: &format!("{narrowed} }}\n[ignore]\nto = 'the case'"),
            records: records.clone(),
            leaves: "column 2, ignored 1",
            ignored,
        },
        columns(&format!("{narrowed}, lossy = 'r' }}"), records, "column 3"),
        columns(&refers(", on_dangling = 'reject'"), json!([{"id": "a", "to": "x"}]), "rejected 2"),
    ]);
}

#[test]
fn what_is_left_out_for_a_reason_of_the_engine_is_listed_with_it() {
    let of = |rest, records, leaves, ignored| Row { source: "", rest, records, leaves, ignored };
    let twice = json!([{"id": "a", "t": "x"}, {"id": "a", "t": "y"}]);
    hold(&[
        of(
            "n = { from = 'n', on_error = 'null' }",
            json!([{"id": "a", "n": "x"}]),
            "column 1, ignored 1",
            &["m.items.n: could not be read as INTEGER 1"],
        ),
        of(
            "n = { from = 'n', steps = [{ extract = '.+' }, 'integer'], on_error = 'default', default = 1, lossy = 'r' }",
            json!([{"id": "a", "n": "x"}]),
            "column 1, ignored 1",
            &["m.items.n: could not be read as INTEGER 1"],
        ),
        of(
            "on_duplicate = 'first'\n---\nt = 't'",
            twice.clone(),
            "column 2, ignored 2",
            &["m.items: superseded by an earlier row of the same key 2"],
        ),
        of(
            "on_duplicate = 'last'\n---\nt = 't'",
            twice,
            "column 2, ignored 2",
            &["m.items: superseded by a later row of the same key 2"],
        ),
        of(
            "on_duplicate = 'last'\ndelete = { members = ['gone'] }\n---\nt = 't'",
            json!([{"id": "a", "t": "x"}, {"id": "a", "gone": true}, {"id": "b"}]),
            "column 1, ignored 4",
            &["m.items: removes items id 4"],
        ),
        of(
            "t = { from = 't', on_absent = 'skip', on_empty = 'skip' }",
            json!([{"id": "a", "t": "x"}, {"t": null}, {"t": ""}]),
            "column 2, ignored 2",
            &["m.items.t: skipped: null or empty 2"],
        ),
        of(
            "doc = { each = 'l[*]', item = { from = '.', on_empty = 'skip' } }",
            json!([{"id": "a", "l": ["", "x"]}]),
            "column 1, json 1, ignored 1",
            &["m.items.doc: skipped: null or empty 1"],
        ),
        of(
            "t = { from = 't', on_absent = 'skip' }",
            json!([{"id": "a"}, {"id": "b", "t": "x"}]),
            "column 2, unmapped 1",
            &[],
        ),
        Row {
            source: "otherwise = 'no text'",
            rest: "t = { from = 't', on_absent = 'skip' }",
            records: json!([{"id": "a"}, {"id": "b", "t": "x"}]),
            leaves: "column 2, ignored 1",
            ignored: &["m: no text 1"],
        },
        columns("n = 'n'", json!([{"id": "a", "n": "x"}]), "rejected 2"),
    ]);
}

#[test]
fn a_member_name_counts_where_a_column_keeps_it_or_with_its_element() {
    let parts = |more: &str, columns: &str| {
        format!(
            "[table.parts]\nparent = 'items'\neach = 'm.*'\nkey_as = 'k'\nkey = ['item', 'name']\n{more}\n[table.parts.columns]\nitem = '^id'\n{columns}"
        )
    };
    let records = json!([{"id": "a", "m": {"x": "1", "y": "2"}}]);
    let used = parts("", "name = { template = '{#k} {.}' }");
    let ignored = parts("", "name = '.'\n[ignore]\n'#k' = 'only a number'");
    let skipped = parts(
        "when = { not = { equals = { '.' = '2' } } }",
        "name = { template = '{#k} {.}' }\n[ignore]\n'm.y' = 'not used'",
    );
    let policy = parts("", "name = { template = '{#k} {v}', on_absent = 'skip' }");
    hold(&[
        columns(&used, records.clone(), "column 5"),
        Row {
            source: "",
            rest: &ignored,
            records: records.clone(),
            leaves: "column 3, ignored 2",
            ignored: &["m: #k: only a number 2"],
        },
        Row {
            source: "",
            rest: &skipped,
            records,
            leaves: "column 3, ignored 2",
            ignored: &["m.parts: the name of an element that makes no row 1", "m: m.y: not used 1"],
        },
        Row {
            source: "",
            rest: &policy,
            records: json!([{"id": "a", "m": {"x": {"v": "1"}, "y": {}}}]),
            leaves: "column 3, ignored 1, unmapped 1",
            ignored: &["m.parts: the name of an element that makes no row 1"],
        },
    ]);
}

#[test]
fn a_text_counts_as_its_parts_do_or_as_the_json_in_it() {
    let parts = "[table.parts]\nparent = 'items'\neach = { from = 't', steps = [{ split = ',' }] }\nkey = ['item', 'name']\n[table.parts.columns]\nitem = '^id'\nname = { from = '.', on_empty = 'skip' }";
    hold(&[
        columns(parts, json!([{"id": "a", "t": "x,,y"}]), "column 2"),
        columns(parts, json!([{"id": "a", "t": "x"}, {"id": "b", "t": ""}]), "column 4"),
        Row {
            source: "from_json = ['t']",
            ..columns("doc = 't'", json!([{"id": "a", "t": "{\"k\": 1, \"l\": []}"}]), "column 1, json 2")
        },
        Row { source: "from_json = ['t']", ..columns("doc = 't'", json!([{"id": "a", "t": "{"}]), "rejected 2") },
    ]);
}

#[test]
fn a_secret_counts_as_sealed_dropped_or_empty() {
    let of = |rest, records, leaves, ignored| Row { source: "", rest, records, leaves, ignored };
    hold(&[
        columns("s = { seal = 'pin' }", json!([{"id": "a", "pin": "invented-4711"}]), "column 1, sealed 1"),
        columns("s = { hash = 'pin' }", json!([{"id": "a", "pin": "invented-4711"}]), "column 1, sealed 1"),
        of(
            "s = { seal = 'pin' }",
            json!([{"id": "a", "pin": ""}, {"id": "b", "pin": "invented-4711"}]),
            "column 1, sealed 1, ignored 2",
            &["m.items: empty secret 1", "m.items: makes no row: its secret is empty 1"],
        ),
        of(
            "s = { seal = 'pin', on_absent = 'null' }",
            json!([{"id": "a"}, {"id": "b", "pin": ""}]),
            "column 2, ignored 1",
            &["m.items: empty secret 1"],
        ),
        of(
            "[table.items.drop]\npin = 'revoked'",
            json!([{"id": "a", "pin": "invented-4711"}]),
            "column 1, ignored 1",
            &["m.items.pin: revoked 1"],
        ),
    ]);
}
