//! Texts that hold JSON: what they hold stands in their place, for paths, counts, places and secrets.

use crate::house::House;
use crate::house::inline::told;
use serde_json::{Value, json};

const SCHEMA: &str =
    "CREATE TABLE logins (id TEXT PRIMARY KEY, host TEXT, port INTEGER, password TEXT, rest JSON, kind TEXT);";
const TABLE: &str =
    "[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\nhost = \"data.host\"\nport = \"data.port\"\n";

fn logins(source: &str, table: &str, records: &[Value]) -> House {
    let text: Vec<String> = records.iter().map(Value::to_string).collect();
    House::new()
        .schema(SCHEMA)
        .reads("logins", "a.json", &format!("{source}{table}"))
        .text("a.json", format!("[{}]", text.join(",\n")))
}

const LIST: &str = "from_json = [\"data\"]\n[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n";

fn login(id: &str, data: &Value) -> Value {
    json!({"id": id, "data": data.to_string()})
}

fn counts(report: &Value) -> String {
    let counts = &report["leaves"];
    ["seen", "column", "json", "sealed", "ignored", "rejected", "unmapped"]
        .map(|name| counts[name].to_string())
        .join(" ")
}

fn places(report: &Value) -> Vec<String> {
    let found = report["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == "error");
    let place = |one: &Value| {
        let place = &one["place"];
        format!(
            "{} {} {}:{}",
            one["code"].as_str().unwrap(),
            place["pointer"].as_str().unwrap(),
            place["line"],
            place["column"]
        )
    };
    found.map(place).collect()
}

#[test]
fn the_leaves_of_the_json_count_each_by_itself_and_the_text_does_not() {
    let records = [
        login("a", &json!({"host": "mail\n\"x\"", "port": 25, "odd": [1, {}]})),
        json!({"id": "b", "data": null}),
        json!({"id": "c"}),
        login("d", &json!({"host": "\u{e9}\u{1f600}", "port": 7})),
    ];
    let house = logins(LIST, TABLE, &records);
    let report = house.report(1, &[]);
    assert_eq!(counts(&report), "11 9 0 0 0 0 2");
    assert_eq!(places(&report), ["S002 /0/data/odd/0 1:72", "S002 /0/data/odd/1 1:74"]);
    let house = logins(LIST, &format!("{TABLE}[ignore]\n\"data.odd.**\" = \"odd\"\n"), &records);
    assert_eq!(counts(&house.report(0, &[])), "11 9 0 0 2 0 0");
    let expected =
        [["a", "mail\n\"x\"", "25"], ["b", "NULL", "NULL"], ["c", "NULL", "NULL"], ["d", "\u{e9}\u{1f600}", "7"]];
    assert_eq!(house.rows("SELECT id, host, port FROM logins ORDER BY id"), expected);
    let again = house.report(0, &[]);
    assert_eq!((&again["tables"][0]["unchanged"], counts(&again)), (&json!(4), "11 9 0 0 2 0 0".to_owned()));
}

#[test]
fn a_text_that_is_no_json_rejects_its_record_at_the_place_where_it_breaks() {
    let records = [
        json!({"id": "a", "data": "{\"host\": \"x\", \"port\": y}"}),
        json!({"id": "b", "data": ""}),
        json!({"id": "c", "data": "{\"host\": \"x\", \"host\": \"z\"}"}),
        login("d", &json!({"host": "h", "port": "no number"})),
        login("e", &json!({"host": "h", "port": 1})),
    ];
    let house = logins(LIST, TABLE, &records);
    let report = house.report(1, &["--max-rejects", "4"]);
    assert_eq!(
        places(&report),
        ["J015 /0/data/port 1:48", "J015 /1/data 2:19", "J015 /2/data/host 3:37", "V004 /3/data/port 4:44"]
    );
    assert_eq!(house.rows("SELECT id FROM logins"), [["e"]]);
    // Of the first three two leaves each, of the others three.
    assert_eq!(counts(&report), "12 3 0 0 0 9 0");
}

#[test]
fn a_secret_in_the_json_is_sealed_and_leaves_the_json_that_is_kept() {
    let table = "[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\nrest = \"data\"\n\
        password = { seal = \"data.password\" }\n";
    let source = format!("expected = [\"data.**\"]\n[source]\nfiles = [\"a.json\"]\n{LIST}");
    let house = House::new().schema(SCHEMA).mapping("logins", &format!("{source}{table}"));
    let records = [
        login("a", &json!({"host": "mail", "password": "open-sesame-4711"})),
        login("b", &json!({"host": "open-sesame-4711", "password": "closed-barley-0815"})),
    ];
    house.put("a.json", Value::from(records.to_vec()).to_string());
    let ran = house.lift(&[]).ran;
    assert!(!ran.stdout.contains("open-sesame") && !ran.stderr.contains("open-sesame"));
    let report = ran.json();
    let found = report["findings"].as_array().unwrap().iter();
    let copies = found.filter(|one| one["code"] == "X003" || one["code"] == "X002");
    let places: Vec<_> = copies.map(|one| one["place"]["pointer"].clone()).collect();
    assert_eq!(places, ["/1/data/host"], "{:#}", report["findings"]);
    house.put("a.json", Value::from(records[..1].to_vec()).to_string());
    let report = house.report(0, &[]);
    assert_eq!(counts(&report), "3 1 1 1 0 0 0", "{:#}", report["findings"]);
    assert_eq!(house.rows("SELECT rest FROM logins WHERE id = 'a'"), [[r#"{"host":"mail"}"#]]);
}

#[test]
fn texts_are_found_in_the_frame_in_lines_inside_of_texts_and_in_whole_documents() {
    let inner = json!({"deep": json!({"host": "h"}).to_string()}).to_string();
    let rows = |source: &str, host: &str, kind: &str, text: &str| {
        let table = format!(
            "[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\nhost = \"{host}\"\nkind = \"{kind}\"\n"
        );
        let house =
            House::new().schema(SCHEMA).reads("logins", "a.json", &format!("{source}{table}")).text("a.json", text);
        let report = house.report(0, &[]);
        (house.rows("SELECT id, host, kind FROM logins ORDER BY id"), counts(&report))
    };
    let line = json!({"id": "a", "data": inner, "kind": "k"}).to_string();
    let expected = (vec![vec!["a".to_owned(), "h".to_owned(), "k".to_owned()]], "3 3 0 0 0 0 0".to_owned());
    let both = "from_json = [\"data\", \"data.deep\"]\n";
    assert_eq!(rows(both, "data.deep.host", "kind", &line), expected, "a document");
    assert_eq!(
        rows(&format!("{both}format = \"lines\"\n"), "data.deep.host", "kind", &format!("{line}\n")),
        expected,
        "lines"
    );
    let list = "[[source.shape]]\nname = \"list\"\nrecords = \"list[*]\"\n";
    let frame = json!({"meta": json!({"kind": "k"}).to_string(), "list": [{"id": "a", "data": inner}]}).to_string();
    let of_frame = format!("from_json = [\"data\", \"data.deep\", \"$.meta\"]\n{list}");
    assert_eq!(rows(&of_frame, "data.deep.host", "$.meta.kind", &frame), expected, "the frame");
}

#[test]
fn a_large_file_and_several_turns_count_the_same() {
    let schema = "CREATE TABLE hosts (name TEXT PRIMARY KEY); CREATE TABLE logins (id TEXT PRIMARY KEY, host TEXT NOT NULL REFERENCES hosts (name));";
    let tables = "[table.hosts]\nkey = [\"name\"]\non_duplicate = \"first\"\n[table.hosts.columns]\nname = \"data.host\"\n\
        [table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\nhost = { lookup = \"hosts.name\", by = { name = \"data.host\" } }\n\
        [ignore]\n\"data.body\" = \"long\"\n";
    let body = "x".repeat(40_000);
    let records: Vec<Value> =
        (0..80).map(|i| login(&format!("k{i}"), &json!({"host": format!("h{}", i % 3), "body": body}))).collect();
    let house = House::new().schema(schema).reads("logins", "a.json", &format!("{LIST}{tables}"));
    house.put("a.json", Value::from(records).to_string());
    let report = house.report(0, &["--jobs", "3"]);
    assert_eq!(counts(&report), "240 160 0 0 80 0 0");
    assert_eq!(house.one("SELECT count(*) FROM logins JOIN hosts ON host = name"), "80");
}

#[test]
fn explain_goes_into_the_text() {
    let house = logins(LIST, TABLE, &[login("a", &json!({"host": "mail", "port": 25}))]);
    let explain = |pointer: &str| {
        let file = format!("tree/a.json#{pointer}");
        let arguments = ["explain", &file, "--mappings", "set", "--source", "tree", "--json"];
        let report = house.run(arguments).status(0).json();
        let leaves = report["leaves"].as_array().unwrap().iter();
        leaves
            .map(|leaf| format!("{} {}", leaf["pointer"].as_str().unwrap(), leaf["value"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(explain(""), ["/0/id \"a\"", "/0/data/host \"mail\"", "/0/data/port 25"]);
    assert_eq!(explain("/0/data/port"), ["/0/data/port 25"]);
    assert_eq!(told(&house.report(0, &[])), [""; 0]);
}
