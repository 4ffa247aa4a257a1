//! What columns of a server take, by their declared types: what one keeps comes back, and what it would change is told
//! before anything is sent.

use crate::house::House;
use crate::house::inline::found;
use crate::house::server::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A list of items with an id and one more member `v`, for a column of this type there, and of that in SQLite.
fn items(declared: &str, sqlite: &str, expression: &str, values: &[&str]) -> House {
    let rule = format!(
        "[table.items]\nkey = [\"id\"]\non_duplicate = \"fill\"\n[table.items.columns]\nid = \"id\"\nv = {expression}\n"
    );
    let house = House::new().schema(&format!("CREATE TABLE items (id INTEGER PRIMARY KEY, v {sqlite});"));
    let house = house.list("items", "items.json", &rule);
    let up = format!(
        "-- version: 001\n-- description: tables of a test\nCREATE TABLE items (id INTEGER PRIMARY KEY, v {declared});\n"
    );
    house.file("set/schema/001_test.up.postgresql.sql", up);
    let items: Vec<String> =
        values.iter().enumerate().map(|(at, value)| format!("{{\"id\":{},\"v\":{value}}}", at + 1)).collect();
    house.put("items.json", format!("[{}]", items.join(",\n")));
    house
}

/// Code and severity of the findings about values, each with its count.
fn about_values(report: &Value) -> Vec<String> {
    let mut counts = BTreeMap::<String, u64>::new();
    for one in report["findings"].as_array().unwrap() {
        let [code, severity] = ["code", "severity"].map(|key| one[key].as_str().unwrap());
        *counts.entry(format!("{code} {severity}")).or_default() += one["count"].as_u64().unwrap();
    }
    let of_values = counts.into_iter().filter(|(kind, _)| kind.starts_with('V'));
    of_values.map(|(kind, count)| format!("{kind} {count}")).collect()
}

#[test]
fn what_a_type_keeps_comes_back_and_is_unchanged_when_it_comes_again() {
    for (declared, sqlite, expression, value, stored) in [
        ("VARCHAR(5)", "VARCHAR(5)", "\"v\"", r#""äö   ""#, "äö   "),
        ("TEXT", "TEXT", "\"v\"", r#""a\\b\"c\t""#, "a\\b\"c\t"),
        ("SMALLINT", "INTEGER", "\"v\"", "-32768", "-32768"),
        ("BIGINT", "INTEGER", "\"v\"", "9223372036854775807", "9223372036854775807"),
        ("NUMERIC(5,2)", "NUMERIC(5,2)", "\"v\"", "1.50", "1.50"),
        ("REAL", "REAL", "\"v\"", "0.25", "0.25"),
        ("DOUBLE PRECISION", "REAL", "\"v\"", "5e-324", "5e-324"),
        ("BOOLEAN", "BOOLEAN", "\"v\"", "true", "true"),
        ("TIMESTAMP", "DATETIME", "\"v\"", r#""2025-05-07T15:09:12.123456Z""#, "2025-05-07 15:09:12.123456"),
        ("TIMESTAMPTZ", "TIMESTAMPTZ", "\"v\"", r#""2025-05-07T15:09:12+02:00""#, "2025-05-07 13:09:12+00"),
        ("DATE", "DATE", "\"v\"", r#""2025-05-07""#, "2025-05-07"),
        ("TIME", "TIME", "\"v\"", r#""15:09""#, "15:09:00"),
        ("UUID", "UUID", "\"v\"", r#""6F0B6F5E-4C53-5C0E-9F0E-0D9B1A7C2E11""#, "6f0b6f5e-4c53-5c0e-9f0e-0d9b1a7c2e11"),
        ("BYTEA", "BLOB", "{ from = \"v\", steps = [\"base64\"] }", r#""AP8B""#, "\\x00ff01"),
        ("JSON", "JSON", "\"v\"", r#"{"b":1E2,"a":[-0,1.10]}"#, r#"{"b":1E2,"a":[-0,1.10]}"#),
        ("JSONB", "JSON", "\"v\"", r#"{"b":1E2,"a":[1.10,null]}"#, r#"{"a": [1.10, null], "b": 100}"#),
        (
            "TEXT[]",
            "JSON",
            "\"v\"",
            r#"["a","",null,"b \"c\" \\d","NULL","{e,f}"]"#,
            r#"{a,"",NULL,"b \"c\" \\d","NULL","{e,f}"}"#,
        ),
        ("VARCHAR(3)[]", "JSON", "\"v\"", r#"["äöü","a  "]"#, r#"{äöü,"a  "}"#),
        ("INTEGER[]", "JSON", "\"v\"", "[1,null,-2147483648]", "{1,NULL,-2147483648}"),
        ("BIGINT[]", "JSON", "\"v\"", "[9223372036854775807]", "{9223372036854775807}"),
        ("SMALLINT[]", "JSON", "\"v\"", "[]", "{}"),
    ] {
        let server = Server::new();
        let house = items(declared, sqlite, expression, &[value, "null"]);
        house.lift(&["--database", &server.url]).ends(0, "committed");
        let query = "SELECT coalesce(v::text, 'NULL') FROM items ORDER BY id";
        let query = if declared == "TIMESTAMPTZ" {
            query.replace("v::text", "(v AT TIME ZONE 'UTC')::text || '+00'")
        } else {
            query.to_owned()
        };
        assert_eq!(server.rows(&query), [[stored], ["NULL"]], "{declared}");
        let again = house.lift(&["--database", &server.url, "--no-backup"]).ends(0, "committed");
        again.counts("unchanged", "items 2").counts("inserted", "");
        house.put("items.json", format!("[{{\"id\":1,\"v\":{value}}},{{\"id\":2,\"v\":{value}}}]"));
        house.lift(&["--database", &server.url, "--no-backup"]).ends(0, "committed");
        assert_eq!(server.rows(&query), [[stored], [stored]], "{declared}");
    }
}

#[test]
fn what_a_type_would_cut_round_or_drop_is_an_error_of_the_value() {
    for (declared, sqlite, value, code) in [
        // A blank counts as any other character.
        ("VARCHAR(3)", "VARCHAR(3)", r#""abc ""#, "V006"),
        ("VARCHAR(3)", "VARCHAR(3)", r#""äöüß""#, "V006"),
        ("NUMERIC(5,2)", "NUMERIC(5,2)", "1.999", "V007"),
        ("NUMERIC(5,2)", "NUMERIC(5,2)", "1000", "V007"),
        ("TIMESTAMP", "DATETIME", r#""2025-05-07T15:09:12.1234567Z""#, "V005"),
        ("TIMESTAMP", "DATETIME", r#""2016-12-31T23:59:60Z""#, "V005"),
        ("TIMESTAMP", "DATETIME", r#""2025-05-07T24:00:00Z""#, "V005"),
        ("TIME", "TIME", r#""24:00""#, "V004"),
        ("SMALLINT", "INTEGER", "40000", "R011"),
        ("INTEGER", "INTEGER", "3000000000", "R011"),
        ("REAL", "REAL", "0.123456789", "R011"),
        ("UUID", "UUID", r#""{6f0b6f5e-4c53-5c0e-9f0e-0d9b1a7c2e11}""#, "V004"),
        ("JSONB", "JSON", "{\"a\":\"b\\u0000\"}", "V008"),
        ("JSONB", "JSON", "{\"a\":1e200000}", "V007"),
        ("JSONB", "JSON", "7", "V004"),
        ("TEXT[]", "JSON", "[1]", "V004"),
        ("TEXT[]", "JSON", "[[\"a\"]]", "V004"),
        ("TEXT[]", "JSON", "\"a\"", "V004"),
        ("TEXT[]", "JSON", "[\"\\u0000\"]", "V008"),
        ("VARCHAR(3)[]", "JSON", "[\"abcd\"]", "V006"),
        ("INTEGER[]", "JSON", "[1.0]", "V004"),
        ("INTEGER[]", "JSON", "[\"1\"]", "V004"),
        ("INTEGER[]", "JSON", "[3000000000]", "R011"),
    ] {
        let server = Server::new();
        let house = items(declared, sqlite, "\"v\"", &["null", value]);
        let lifted = house.lift(&["--database", &server.url]).ends(1, "rolled-back");
        let found = found(&lifted.report());
        assert_eq!(found.len(), 1, "{declared} {value}: {found:?}");
        assert!(found[0].starts_with(&format!("error {code} items.json /1")), "{declared} {value}: {found:?}");
        assert_eq!(server.things(), "0");
    }
}

#[test]
fn minus_zero_in_a_list_of_integers_is_zero_and_told() {
    for declared in ["SMALLINT[]", "INTEGER[]", "BIGINT[]"] {
        let server = Server::new();
        let house = items(declared, "JSON", "\"v\"", &["[-0]", "[1,null,-0,-0]", "[0,-10]"]);
        let lifted = house.lift(&["--database", &server.url]).ends(0, "committed");
        assert_eq!(about_values(&lifted.report()), ["V017 note 2"], "{declared}");
        assert_eq!(server.rows("SELECT v::text FROM items ORDER BY id"), [["{0}"], ["{1,NULL,0,0}"], ["{0,-10}"]]);
        let again = house.lift(&["--database", &server.url, "--no-backup"]).ends(0, "committed");
        again.counts("unchanged", "items 3");
    }
    let server = Server::new();
    let house = items("TEXT[]", "JSON", "\"v\"", &["[\"-0\"]"]);
    assert_eq!(about_values(&house.lift(&["--database", &server.url]).ends(0, "committed").report()), [""; 0]);
}

#[test]
fn a_document_of_which_the_meaning_is_kept_is_told_where_its_form_is_not() {
    let server = Server::new();
    let values = [r#"{"a":1.10,"bb":2}"#, r#"{"bb":1,"a":2}"#, "[1e2]", "[-0]", "{}"];
    let house = items("JSONB", "JSON", "\"v\"", &values);
    let lifted = house.lift(&["--database", &server.url]).ends(0, "committed").leaves("column 5, json 7");
    assert_eq!(about_values(&lifted.report()), ["V017 note 1", "V021 note 2"]);
    let again = house.lift(&["--database", &server.url, "--no-backup"]).ends(0, "committed");
    again.counts("unchanged", "items 5");
    house.put("items.json", r#"[{"id":1,"v":{"bb":2.0,"a":1.1}},{"id":2,"v":{"a":2,"bb":2}}]"#);
    // The first says the same as before; the second does not, and what is there stays.
    let changed = house.lift(&["--database", &server.url, "--no-backup"]).report();
    let told = found(&changed);
    assert!(told.iter().any(|one| one == "warning R008 items.json /1"), "{told:?}");
    assert!(!told.iter().any(|one| one.starts_with("warning R008 items.json /0")), "{told:?}");
}

#[test]
fn ids_that_the_server_counts_are_given_by_the_import_and_counted_on_by_the_server() {
    const RULE: &str = "[table.items]\nkey = [\"name\"]\n[table.items.columns]\nname = \"v\"\n";
    for declared in
        ["SERIAL", "BIGSERIAL", "INTEGER GENERATED ALWAYS AS IDENTITY", "BIGINT GENERATED BY DEFAULT AS IDENTITY"]
    {
        for is_given in [true, false] {
            let server = Server::new();
            let given = if is_given { "id = \"id\"\n" } else { "" };
            let house = House::new()
                .schema("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);")
                .list("items", "items.json", &format!("{RULE}{given}"))
                .source("items.json", &json!([{ "id": 5, "v": "a" }, { "id": 9, "v": "b" }]));
            let up = format!(
                "-- version: 001\n-- description: tables of a test\nCREATE TABLE items (id {declared} PRIMARY KEY, name TEXT NOT NULL UNIQUE);\n"
            );
            house.file("set/schema/001_test.up.postgresql.sql", up);
            let more: &[&str] = if is_given { &[] } else { &["--max-rejects", "0"] };
            let lifted = house.lift(&[&["--database", &server.url], more].concat());
            let status = if is_given { 0 } else { 1 };
            if !is_given {
                // The id of the source is nowhere.
                assert_eq!(lifted.status(), Some(status), "{declared}: {}", lifted.words());
                house.put("items.json", r#"[{ "v": "a" }, { "v": "b" }]"#);
                house.lift(&["--database", &server.url]).ends(0, "committed");
            }
            let ids = server.rows("SELECT id::text FROM items ORDER BY id");
            assert_eq!(ids, if is_given { [["5"], ["9"]] } else { [["1"], ["2"]] }, "{declared}");
            server.run("INSERT INTO items (name) VALUES ('by the application')");
            let last = server.rows("SELECT max(id)::text FROM items");
            assert_eq!(last, [[if is_given { "10" } else { "3" }]], "{declared}");
        }
    }
}

#[test]
fn a_type_that_is_not_known_is_refused_by_file_and_line_before_anything_is_read() {
    let server = Server::new();
    for declared in ["POINT", "CHAR(3)", "INTERVAL", "TIMESTAMP(3)", "TIMESTAMP[]", "CITEXT_LIKE"] {
        let house = items(declared, "TEXT", "\"v\"", &["\"x\""]);
        let words = if declared == "CITEXT_LIKE" { "does not exist" } else { "M140" };
        house.lift(&["--database", &server.url]).refuses(words);
        let checked = house.run(["check", "set", "--database", &server.url]).status(2);
        assert!(checked.stderr.contains(words) && checked.stderr.contains("  at set/"), "{}", checked.stderr);
        assert_eq!(server.things(), "0");
    }
}
