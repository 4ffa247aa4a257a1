//! What stands in the place of values that are missing, null, empty, refused, or that lead nowhere.

use crate::house::House;
use crate::house::inline::Lifted;
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, n INTEGER DEFAULT 7, t TEXT DEFAULT 'it''s',
    ok BOOLEAN DEFAULT 1, at DATETIME DEFAULT CURRENT_TIMESTAMP, other TEXT);";

/// Items with an id, and this column.
fn items(column: &str, items: &Value) -> House {
    let rules = format!("[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n{column}\n");
    House::new().schema(TABLES).list("items", "items.json", &rules).source("items.json", items)
}

/// What is ignored, and why.
fn ignored(lifted: &Lifted) -> Vec<(String, u64)> {
    let report = lifted.report();
    let of = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        (format!("{}: {}", text("what"), text("reason")), entry["leaves"].as_u64().unwrap())
    };
    report["ignored"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn a_reference_that_leads_nowhere_is_not_absent() {
    let refers = |words: &str| {
        let column = format!("other = {{ lookup = \"items.id\", by = {{ id = \"to\" }}{words} }}");
        items(&column, &json!([{"id": "a"}, {"id": "b", "to": "x"}, {"id": "c", "to": "a"}]))
    };
    let nowhere = [("items.items.other: leads nowhere in items.id".to_owned(), 1)];
    let other = "SELECT id, other FROM items ORDER BY id";

    let house = refers(", default = \"none\"");
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 1");
    let lifted = lifted.finds(&["warning R013 items.json /1/to"]);
    assert_eq!(ignored(&lifted), nowhere);
    assert_eq!(house.rows(other), [["a", "none"], ["b", "NULL"], ["c", "a"]]);

    let house = refers(", on_dangling = \"null\"");
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 1").finds(&[]);
    assert_eq!(ignored(&lifted), nowhere);
    assert_eq!(house.rows(other), [["a", "NULL"], ["b", "NULL"], ["c", "a"]]);

    let house = refers(", on_dangling = \"default\", default = \"gone\", on_absent = \"null\"");
    house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 1");
    assert_eq!(house.rows(other), [["a", "NULL"], ["b", "gone"], ["c", "a"]]);

    refers(", on_dangling = \"reject\"").lift(&[]).ends(1, "rolled-back").finds(&["error V001 items.json /1/to"]);
}

#[test]
fn a_row_that_is_skipped_for_a_reference_leaves_out_its_key_by_name() {
    let rules = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n[table.links]\ninto = \"items\"\n\
                 key = [\"id\"]\neach = \"to[*]\"\n[table.links.columns]\nid = { template = \"{@.id}-{#position}\" }\n\
                 other = { lookup = \"items.id\", by = { id = \".\" }, on_dangling = \"skip\" }\n";
    let house = House::new().schema(TABLES).list("items", "items.json", rules);
    let house = house.source("items.json", &json!([{"id": "a", "to": []}, {"id": "b", "to": ["a", "x"]}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 1");
    assert_eq!(ignored(&lifted), [("items.links.other: leads nowhere in items.id".to_owned(), 1)]);
    assert_eq!(house.rows("SELECT id, other FROM items ORDER BY id"), [["a", "NULL"], ["b", "NULL"], ["b-1", "a"]]);
}

#[test]
fn what_cannot_be_read_becomes_what_on_error_says() {
    let of = |words: &str| {
        let column = format!("n = {{ from = \"n\", steps = [\"integer\"], on_error = {words} }}");
        items(&column, &json!([{"id": "a", "n": "1"}, {"id": "b", "n": "one"}]))
    };
    for (words, expected) in [
        ("\"null\"", vec!["a 1", "b NULL"]),
        ("\"skip\"", vec!["a 1"]),
        ("\"default\"", vec!["a 1", "b 7"]),
        ("\"default\", default = 3", vec!["a 1", "b 3"]),
    ] {
        let house = of(words);
        // The id of a row that is not made has no other home.
        let (status, leaves) =
            if words == "\"skip\"" { (1, "column 2, ignored 1, unmapped 1") } else { (0, "column 3, ignored 1") };
        let lifted = house.lift(&[]).leaves(leaves);
        assert_eq!(lifted.status(), Some(status), "{words}");
        assert_eq!(ignored(&lifted), [("items.items.n: could not be read as INTEGER".to_owned(), 1)], "{words}");
        if status == 0 {
            let rows = house.rows("SELECT id, n FROM items ORDER BY id");
            assert_eq!(rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>(), expected, "{words}");
        }
    }
    of("\"reject\"").lift(&[]).ends(1, "rolled-back").finds(&["error V005 items.json /1/n"]);
}

#[test]
fn the_word_default_alone_is_the_default_in_the_schema() {
    let columns = "n = { from = \"n\", on_missing = \"default\" }\nt = { from = \"t\", on_absent = \"default\" }\n\
                   ok = { from = \"ok\", on_absent = \"default\" }\nat = { from = \"at\", on_absent = \"default\" }";
    let house = items(columns, &json!([{"id": "a"}, {"id": "b", "n": null, "t": null}]));
    house.lift(&[]).ends(0, "committed").leaves("column 4");
    assert_eq!(
        house.rows("SELECT id, n, t, ok, at IS NOT NULL FROM items ORDER BY id"),
        [["a", "7", "it's", "1", "1"], ["b", "NULL", "it's", "1", "1"]]
    );
    // The clock is the run's start, which no second import compares.
    house.lift(&[]).ends(0, "committed").counts("unchanged", "items 2");

    let refused = |column: &str, why: &str| items(column, &json!([])).lift(&[]).refuses(why);
    refused(
        "other = { from = \"o\", on_absent = \"default\" }",
        "`on_absent = \"default\"` has nothing to write: `items.other` has no default in the schema",
    );
}

/// Notes of policies inside columns: what they say, and how often.
fn noted(lifted: &Lifted) -> Vec<(String, u64)> {
    let report = lifted.report();
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "V020");
    findings.map(|one| (one["message"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap())).collect()
}

/// A mapping of a list of items, with what stands before its rules.
fn mapped(names: &str, rules: &str) -> House {
    let source = "[source]\nfiles = [\"items.json\"]\nrecords = \"[*]\"\n";
    House::new().schema(TABLES).mapping("items", &format!("{source}{names}{rules}"))
}

#[test]
fn policies_of_a_let_act_where_it_is_used() {
    let names = "[let]\nlabel = { from = \".\", steps = [\"trim\"], on_empty = \"skip\" }\n";
    let rules = "[table.items]\neach = [\"tags[*]\", { from = \"tags\", steps = [{ split = \",\" }] }]\nkey = [\"id\"]\n\
                 on_duplicate = \"first\"\n[table.items.columns]\nid = \"=label\"\n\
                 [table.links]\ninto = \"items\"\neach = [\"tags[*]\", { from = \"tags\", steps = [{ split = \",\" }] }]\n\
                 key = [\"id\"]\n[table.links.columns]\nid = { template = \"{#position}-{@.no}\" }\n\
                 other = { lookup = \"items.id\", by = { id = \"=label\" } }\n\
                 [table.alls]\ninto = \"items\"\nkey = [\"id\"]\n[table.alls.columns]\nid = \"no\"\n\
                 t = \"tags\"\nother = { each = \"tags[*]\", item = { template = \"<{=label}>\", on_absent = \"skip\" } }\n";
    let house = mapped(names, rules)
        .source("items.json", &json!([{"no": "a", "tags": "red,, blue"}, {"no": "b", "tags": ["red", " ", "x"]}]));
    house.lift(&[]).ends(0, "committed").leaves("column 5, json 1").finds(&[]);
    assert_eq!(
        house.rows("SELECT id, other, t FROM items ORDER BY id"),
        [
            ["1-a", "red", "it's"],
            ["1-b", "red", "it's"],
            ["3-a", "blue", "it's"],
            ["3-b", "x", "it's"],
            ["a", "NULL", "red,, blue"],
            ["b", "[\"<red>\",\"<x>\"]", "[\"red\",\" \",\"x\"]"],
            ["blue", "NULL", "it's"],
            ["red", "NULL", "it's"],
            ["x", "NULL", "it's"],
        ]
    );
    house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("unchanged", "items 9");
}

#[test]
fn policies_of_a_let_act_in_a_key() {
    let rules = "[table.items]\nkey = [\"=label\"]\n[table.items.columns]\nid = \"id\"\nt = \"label\"\n";
    let names = "otherwise = \"has no label\"\n[let]\nlabel = { from = \"label\", on_absent = \"skip\" }\n";
    let records = json!([{"id": "a", "label": "x"}, {"id": "b"}, {"id": "c", "label": null}]);
    let house = mapped(names, rules).source("items.json", &records);
    house.lift(&[]).ends(0, "committed").leaves("column 2, ignored 3");
    assert_eq!(house.rows("SELECT id, t FROM items"), [["a", "x"]]);
}

#[test]
fn elements_that_lead_nowhere_name_what_they_ask_for() {
    let things = "CREATE TABLE things (id TEXT PRIMARY KEY NOT NULL);";
    let names = "[let]\nthing = { lookup = \"things.id\", by = { id = \"to\" }, on_dangling = \"null\" }\n";
    let rules = "[table.items]\neach = \"=thing\"\nkey = [\"id\"]\n[table.items.columns]\nid = \"@.id\"\n\
                 other = \".\"\n";
    let names = format!("otherwise = \"no thing\"\n{names}");
    let rule = "[table.things]\nkey = [\"id\"]\n[table.things.columns]\nid = \"id\"\n";
    let house = mapped(&names, rules).schema(&format!("{TABLES}{things}"));
    let house = house.list("things", "things.json", rule).source("things.json", &json!([{"id": "x"}]));
    let house = house.source("items.json", &json!([{"id": "a", "to": "x"}, {"id": "b", "to": "y"}]));
    let lifted = house.lift(&[]).ends(0, "committed");
    let nowhere = ("items.items: leads nowhere in things.id".to_owned(), 1);
    assert!(ignored(&lifted).contains(&nowhere), "{:?}", ignored(&lifted));
    assert_eq!(house.rows("SELECT id, other FROM items"), [["a", "x"]]);
}

#[test]
fn a_let_is_its_default_or_null_or_rejects_before_a_column_judges() {
    let of = |policy: &str, column: &str| {
        let names = format!("[let]\nseen = {{ from = \"seen\", {policy} }}\n");
        mapped(&names, &format!("[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n{column}\n"))
            .source("items.json", &json!([{"id": "a"}, {"id": "b", "seen": null}, {"id": "c", "seen": "2025-05-07T14:42:18Z"}, {"id": "d", "seen": ""}]))
    };
    let at = "SELECT id, at FROM items ORDER BY id";
    let house = of("default = \"2001-02-03T04:05:06Z\", on_empty = \"null\"", "at = \"=seen\"");
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 7").finds(&[]);
    assert_eq!(
        noted(&lifted),
        [
            ("`=seen` is missing and became its default".to_owned(), 1),
            ("`=seen` is null and became its default".to_owned(), 1),
            ("`=seen` is empty and became null".to_owned(), 1),
        ]
    );
    let (given, default) = ("2025-05-07 14:42:18.000000", "2001-02-03 04:05:06.000000");
    assert_eq!(house.rows(at), [["a", default], ["b", default], ["c", given], ["d", "NULL"]]);

    // What the type of the column refuses, the `let` judges as well; where it is only tested, nothing is said.
    let house = of("on_error = \"default\", default = \"2001-02-03T04:05:06Z\"", "at = \"=seen\"");
    let lifted =
        house.lift(&[]).ends(0, "committed").leaves("column 6, ignored 1").finds(&["warning V010 items.json /3/seen"]);
    assert_eq!(ignored(&lifted), [("items.items.at: could not be read as DATETIME".to_owned(), 1)]);
    assert_eq!(house.rows(at), [["a", default], ["b", default], ["c", given], ["d", default]]);

    let house = of("on_empty = \"reject\"", "t = \"=seen\"");
    house.lift(&[]).ends(1, "rolled-back").finds(&["error V003 items.json /3/seen"]);
    let house = of("on_missing = \"skip\"", "t = \"=seen\"");
    house.lift(&[]).ends(1, "rolled-back").leaves("column 6, unmapped 1");
}

#[test]
fn a_reference_that_leads_nowhere_inside_a_column_leaves_out_its_key_by_name() {
    let names = "[let]\nfriend = { lookup = \"items.id\", by = { id = \"to\" }, on_dangling = \"default\", default = \"nobody\" }\n";
    let rules = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\nother = \"=friend\"\n\
                 t = { each = \"all[*]\", item = { lookup = \"items.id\", by = { id = \".\" }, on_dangling = \"skip\" } }\n";
    let house = mapped(names, rules);
    let house = house
        .source("items.json", &json!([{"id": "a", "to": "x", "all": []}, {"id": "b", "to": "a", "all": ["y", "a"]}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 4, json 1, ignored 2").finds(&[]);
    assert_eq!(
        ignored(&lifted),
        [
            ("items.items.other: leads nowhere in items.id".to_owned(), 1),
            ("items.items.t: leads nowhere in items.id".to_owned(), 1)
        ]
    );
    assert_eq!(
        house.rows("SELECT id, other, t FROM items ORDER BY id"),
        [["a", "nobody", "[]"], ["b", "a", "[\"a\"]"]]
    );
}

#[test]
fn a_default_of_the_schema_is_read_as_the_database_writes_it() {
    let tables = "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, at TIMESTAMP DEFAULT '1970-01-01 00:00:00.000000', day DATE DEFAULT '2000-02-29');";
    let rules = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\nat = { from = \"at\", on_missing = \"default\" }\n\
                 day = { from = \"day\", on_absent = \"default\" }\n";
    let house = House::new()
        .set("[reads]\nTIMESTAMP = [{ time = \"epoch_s\" }]\n")
        .schema(tables)
        .list("items", "items.json", rules)
        .source(
            "items.json",
            &json!([{"id": "a"}, {"id": "b", "at": 1_690_000_000, "day": "2025-05-07"}, {"id": "c", "at": null}]),
        );
    house.lift(&[]).ends(0, "committed").leaves("column 6").finds(&[]);
    let rows = [
        ["a", "1970-01-01 00:00:00.000000", "2000-02-29"],
        ["b", "2023-07-22 04:26:40.000000", "2025-05-07"],
        ["c", "NULL", "2000-02-29"],
    ];
    assert_eq!(house.rows("SELECT id, at, day FROM items ORDER BY id"), rows);
}

#[test]
fn a_secret_that_cannot_be_converted_becomes_what_on_error_says() {
    let schema = "CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, password TEXT, pin TEXT);";
    let of = |policy: &str| {
        let rules = format!(
            "[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\npassword = {{ hash = \"password\" }}\n\
             pin = {{ hash = \"pin\", steps = [{{ require = '^[0-9]+$' }}], on_error = {policy} }}\n"
        );
        let house = House::new().schema(schema).list("logins", "logins.json", &rules);
        house.source("logins.json", &json!([{"id": "a", "password": "open-sesame", "pin": "hunter2-no-pin"}]))
    };
    let house = of("\"null\"");
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, sealed 1, ignored 1");
    let lifted = lifted.finds(&["warning V010 logins.json /0/pin", "warning X005 logins.json"]);
    assert_eq!(ignored(&lifted), [("logins.logins.pin: could not be read as TEXT".to_owned(), 1)]);
    assert_eq!(house.holders(&lifted, "hunter2-no-pin"), [] as [&str; 0]);
    assert_eq!(house.rows("SELECT pin, password IS NOT NULL FROM logins"), [["NULL", "1"]]);
    let refused = ["error V004 logins.json /0/pin", "warning X005 logins.json"];
    of("\"reject\"").lift(&[]).ends(1, "rolled-back").finds(&refused);
}

#[test]
fn a_row_whose_only_secret_is_replaced_is_made() {
    let schema = "CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, pin TEXT);";
    let rules = "[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\n\
                 pin = { hash = \"pin\", steps = [{ require = '^[0-9]+$' }], on_error = \"null\" }\n";
    let house = House::new().schema(schema).list("logins", "logins.json", rules);
    let house = house.source("logins.json", &json!([{"id": "a", "pin": "hunter2-no-pin"}, {"id": "b"}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, ignored 2");
    let left = [
        ("logins.logins: makes no row: its secret is empty".to_owned(), 1),
        ("logins.logins.pin: could not be read as TEXT".to_owned(), 1),
    ];
    assert_eq!(ignored(&lifted), left);
    assert_eq!(house.rows("SELECT id, pin FROM logins"), [["a", "NULL"]]);
    // So is one that asks for another row, whoever begins with it.
    let schema = format!("{schema} CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT);");
    let rules = format!("{rules}name = {{ lookup = \"people.name\", by = {{ id = \"id\" }} }}\n");
    let people = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\n";
    let schema = schema.replace("pin TEXT", "pin TEXT, name TEXT");
    for jobs in ["1", "2"] {
        let house = House::new().schema(&schema).list("people", "people.json", people);
        let house = house.list("logins", "logins.json", &rules);
        let house = house.source("people.json", &json!([{"id": "a", "name": "Ann"}]));
        let house = house.source("logins.json", &json!([{"id": "a", "pin": "hunter2-no-pin"}]));
        house.lift(&["--jobs", jobs]).ends(0, "committed");
        assert_eq!(house.rows("SELECT id, pin, name FROM logins"), [["a", "NULL", "Ann"]], "--jobs {jobs}");
    }
}

#[test]
fn a_column_whose_default_is_a_clock_has_the_start_of_the_run_in_every_row() {
    let schema = "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, made DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        day DATE DEFAULT CURRENT_DATE, zoned TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP, said DATETIME, kept TEXT DEFAULT 'x');";
    let rules = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\nsaid = \"#started\"\n";
    let house = House::new().schema(schema).list("items", "items.json", rules);
    let house = house.source("items.json", &json!([{"id": "a"}, {"id": "b"}]));
    house.lift(&[]).ends(0, "committed").counts("inserted", "items 2");
    let same = "SELECT count(*) FROM items WHERE made = said AND day = substr(said, 1, 10) AND zoned = said || '+00:00' AND kept = 'x'";
    assert_eq!(house.one(same), "2");
    house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("unchanged", "items 2");
}

#[test]
fn a_record_that_a_let_or_an_item_rejects_is_not_taken_in_by_the_column_around_it() {
    let seen = |policy: &str, column: &str, items: &Value| {
        let names = format!("[let]\nseen = {{ {policy} }}\n");
        mapped(&names, &format!("[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n{column}\n"))
            .source("items.json", items)
    };
    let number = "n = { from = \"=seen\", on_error = \"null\" }";
    let one = |more: Value| {
        let mut item = json!({"id": "a"});
        more.as_object().unwrap().iter().for_each(|(name, value)| item[name] = value.clone());
        json!([item, {"id": "b", "seen": "7"}])
    };
    for (policy, more, code) in [
        ("from = \"seen\", steps = [\"integer\"], on_error = \"reject\"", json!({"seen": "x"}), "V"),
        ("from = \"seen\", steps = [\"integer\"], on_missing = \"reject\"", json!({}), "V001"),
        ("from = \"seen\", steps = [\"integer\"], on_absent = \"reject\"", json!({"seen": null}), "V002"),
        ("from = \"seen\", steps = [\"integer\"], on_empty = \"reject\"", json!({"seen": ""}), "V003"),
    ] {
        let house = seen(policy, number, &one(more));
        let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed");
        let found = crate::house::inline::found(&lifted.report());
        assert!(found.len() == 1 && found[0].starts_with(&format!("error {code}")), "{policy}: {found:?}");
        assert_eq!(house.rows("SELECT id, n FROM items"), [["b", "7"]], "{policy}");
    }
    // Without a word in the `let` the column judges.
    let house = seen("from = \"seen\", steps = [\"integer\"]", number, &one(json!({"seen": "x"})));
    house.lift(&[]).ends(0, "committed").finds(&["warning V010 items.json /0/seen"]);
    // What leads nowhere, an item of a list, and a secret.
    let nowhere = "lookup = \"items.id\", by = { id = \"to\" }, on_dangling = \"reject\"";
    let house = seen(nowhere, "other = { from = \"=seen\", on_error = \"null\" }", &json!([{"id": "a", "to": "gone"}]));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error V001 items.json /0/to"]);
    let list = "t = { each = \"list[*]\", item = { from = \".\", steps = [\"integer\"], on_error = \"reject\" }, on_error = \"null\" }";
    let house = items(list, &json!([{"id": "a", "list": ["x"]}]));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error V005 items.json /0/list/0"]);
    let house = seen(
        "from = \"seen\", steps = [{ require = \"^[0-9]+$\" }], on_error = \"reject\"",
        "other = { seal = \"=seen\", on_error = \"null\" }",
        &one(json!({"seen": "not a number"})),
    );
    drop(house.lift(&["--max-rejects", "1"]).ends(1, "committed").counts("inserted", "items 1"));
}

#[test]
fn a_column_that_is_rejected_is_not_taken_in_by_one_that_reads_it() {
    let columns = "at = { from = \"=n\", steps = [\"text\", { time = \"epoch_s\" }], on_error = \"null\" }\n\
                   n = { from = \"n\", steps = [\"integer\"] }";
    for columns in [columns.to_owned(), columns.split('\n').rev().collect::<Vec<_>>().join("\n")] {
        let house = items(&columns, &json!([{"id": "a", "n": "many"}, {"id": "b", "n": "7"}]));
        let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed").leaves("column 2, rejected 2");
        let found = crate::house::inline::found(&lifted.report());
        assert!(found.len() == 1 && found[0].ends_with("items.json /0/n"), "{columns}: {found:?}");
        assert_eq!(house.rows("SELECT id, n FROM items"), [["b", "7"]], "{columns}");
    }
}
