//! Assertions of a set that can never be asked are refused before a run; and databases that are not as
//! they should be end with a clear message, never as a bug of the program.

use crate::house::{DATABASE, House};
use rusqlite::Connection;
use serde_json::json;

const ITEM: &str = r#"
    [table.items]
    key = ["id"]
    [table.items.columns]
    id = "id"
    name = "name""#;

fn house(assertion: &str) -> House {
    House::new()
        .schema("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);")
        .set(&format!("[[assert]]\nname = \"no empty names\"\nsql = \"\"\"{assertion}\"\"\"\n"))
        .list("items", "items.json", ITEM)
        .source("items.json", &json!([{"id": 1, "name": "a"}]))
}

/// Runs SQL on the house's database.
fn change(house: &House, sql: &str) {
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn an_assertion_that_can_never_be_asked_is_refused_by_check_and_import() {
    let cases = [
        ("SELECT FROM items WHERE", "M130", "it is not a valid query: near \"FROM\": syntax error"),
        ("SELECT 1 FROM gone", "M130", "it is not a valid query: no such table: gone"),
        ("SELECT nam FROM items", "M130", "it is not a valid query: no such column: nam"),
        ("-- nothing", "M130", "it is not a valid query: it returns no columns"),
        ("SELECT 1; SELECT 2", "M131", "it is more than one statement"),
        ("DELETE FROM items", "M132", "it does more than read"),
        ("DELETE FROM items RETURNING id", "M132", "it does more than read"),
        ("ATTACH 'other.db' AS other", "M132", "it does more than read"),
        ("PRAGMA user_version = 7", "M132", "it does more than read"),
        ("SELECT * FROM pragma_table_info('items')", "M132", "it does more than read"),
        ("SELECT 1 FROM items WHERE name = ?1", "M133", "it has a parameter"),
    ];
    for (sql, code, why) in cases {
        let house = house(sql);
        let checked = house.run(["check", "set"]).status(2);
        assert!(checked.stderr.contains(code), "{sql}: {}", checked.stderr);
        assert!(
            checked.stderr.contains(&format!("the assertion `no empty names` cannot be asked: {why}")),
            "{sql}: {}",
            checked.stderr
        );
        assert!(checked.stderr.contains("set/set.toml:4"), "{sql}: {}", checked.stderr);
        house.lift(&[]).refuses(code);
        assert!(!house.path(DATABASE).exists() && !house.path("other.db").exists());
    }
}

#[test]
fn an_assertion_that_the_database_cannot_answer_is_one_failed_check() {
    // Nothing is wrong with the query; a value that is there is no JSON.
    let house = house("SELECT 1 FROM items WHERE json_extract(name, '$.a') = 1");
    let lifted = house.lift(&[]).ends(1, "rolled-back").finds(&["error A001"]);
    let report = lifted.report();
    let failed: Vec<_> =
        report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{report:#}");
    assert_eq!(failed[0]["name"], "no empty names");
    assert_eq!(failed[0]["detail"], "cannot be asked: an error of the database (malformed JSON) ended the query");
}

#[test]
fn a_name_of_treelift_that_is_taken_in_the_database_is_said() {
    let tables = ["treelift_keys", "treelift_runs", "treelift_rows", "TREELIFT_FILES"];
    for name in tables {
        let house = house("SELECT 1 FROM items WHERE name = ''");
        house.lift(&[]).ends(0, "committed");
        std::fs::remove_file(house.path(DATABASE)).unwrap();
        change(
            &house,
            &format!("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT); CREATE VIEW {name} AS SELECT 1 AS a;"),
        );
        let ran = house.import(&house.path("tree"), &["--mappings", "set"]).status(3);
        let words = format!(
            "error: the name `{}` is taken in the database by a view of another program\n",
            name.to_lowercase()
        );
        assert!(ran.stderr.contains(&words), "{}", ran.stderr);

        std::fs::remove_file(house.path(DATABASE)).unwrap();
        change(
            &house,
            &format!("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE {name} (a TEXT);"),
        );
        house.import(&house.path("tree"), &["--mappings", "set"]).status(3);
        house.run(["credentials", "status", "--database", "sqlite:///./target.db"]).not_a_bug();
    }
}

#[test]
fn a_damaged_schema_is_said_and_no_bug() {
    let house = house("SELECT 1 FROM items WHERE name = ''");
    house.lift(&[]).ends(0, "committed");
    change(
        &house,
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE items (id' WHERE name = 'items'",
    );
    let database = ["--database", "sqlite:///./target.db"];
    let ran = house.import(&house.path("tree"), &["--mappings", "set"]).status(3);
    assert!(ran.stderr.contains("the database is damaged"), "{}", ran.stderr);
    house.run(["credentials", "status"].into_iter().chain(database)).status(3);
    house.run(["runs"].into_iter().chain(database)).status(3);
    house.run(["schema", "status", "--mappings", "set"].into_iter().chain(database)).status(3);
    house.run(["schema", "validate", "--mappings", "set"].into_iter().chain(database)).status(3);
}

#[test]
fn a_value_of_the_wrong_type_in_a_table_of_treelift_is_said_and_no_bug() {
    let house = house("SELECT 1 FROM items WHERE name = ''");
    house.lift(&[]).ends(0, "committed");
    change(&house, "UPDATE treelift_runs SET files = 'many'");
    let ran = house.run(["runs", "--database", "sqlite:///./target.db"]).status(3);
    assert!(
        ran.stderr.contains("error: the database holds a value of the wrong type in a column `files`\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_fill_of_a_key_that_an_empty_secret_took_is_a_finding() {
    let logins = r#"
    [table.logins]
    key = ["id"]
    [table.logins.columns]
    id = "id"
    door = { seal = "door", on_absent = "skip" }"#;
    let notes = r#"
    [table.logins]
    key = ["id"]
    on_duplicate = "fill"
    [table.logins.columns]
    id = "id"
    note = "note""#;
    let house = House::new()
        .schema("CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, door TEXT, note TEXT);")
        .set("[precedence]\nlogins = [\"logins\", \"notes\"]\n")
        .list("logins", "logins.json", logins)
        .list("notes", "notes.json", notes)
        .source("logins.json", &json!([{"id": "a", "door": ""}, {"id": "b", "door": "opens-the-door"}]))
        .source("notes.json", &json!([{"id": "a", "note": "x"}, {"id": "b", "note": "y"}]));
    // The key is taken, though no row has it: a finding about the source, with the place of the other.
    let lifted = house.lift(&[]).ends(1, "rolled-back").counts("inserted", "logins 1");
    lifted.finds(&["error R002 notes.json /0", "warning X005 logins.json"]);
    let house = house.source("notes.json", &json!([{"id": "b", "note": "y"}]));
    house.lift(&[]).ends(0, "committed");
    assert_eq!(house.rows("SELECT id, note FROM logins"), [["b", "y"]]);
}

#[test]
fn the_rows_that_an_assertion_finds_are_named_with_their_places() {
    let house = house("SELECT name, id FROM items WHERE name = ''");
    let house =
        house.source("items.json", &json!([{"id": 1, "name": "a"}, {"id": 7, "name": ""}, {"id": 8, "name": ""}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    let report = lifted.report();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["code"] == "A001").unwrap();
    assert_eq!(found["message"], "no empty names: 2 rows: `items` 7, `items` 8 (the other is items.json:1:41 /2)");
    assert_eq!((&found["place"]["file"], &found["place"]["pointer"]), (&json!("items.json"), &json!("/1")));
}

#[test]
fn rows_that_are_wrong_later_are_named_with_the_place_that_they_came_from() {
    let house = house("SELECT name, id FROM items WHERE name = ''");
    let house = house.source("items.json", &json!([{"id": 1, "name": "a"}, {"id": 7, "name": "b"}]));
    house.lift(&[]).ends(0, "committed");
    let said = |house: &House| {
        let run =
            house.run(["schema", "validate", "--category", "data", "--database", DATABASE, "--json"]).status(1).json();
        let checks = run["checks"].as_array().unwrap().clone();
        let check = checks.iter().find(|check| check["name"] == "no empty names").unwrap().clone();
        check["detail"].as_str().unwrap().to_owned()
    };
    change(&house, "UPDATE items SET name = '' WHERE id = 7");
    assert_eq!(said(&house), "1 row: `items` 7 (from items.json:1:22 /1)");
    // Of a tree that is not as it was the ledger knows the file alone.
    let house = house.source("items.json", &json!([{"id": 1}]));
    assert_eq!(said(&house), "1 row: `items` 7 (from items.json)");
}

#[test]
fn that_an_assertion_did_not_hold_of_an_empty_database_does_not_excuse_the_import() {
    let house = House::new()
        .schema("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);")
        .set(
            "[[assert]]\nname = \"somebody is b\"\nsql = \"SELECT id FROM items WHERE name = 'b'\"\ngives = \"rows\"\n",
        )
        .list("items", "items.json", ITEM)
        .source("items.json", &json!([{"id": 1, "name": "a"}]));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error A001"]);
    house.put("items.json", json!([{"id": 1, "name": "b"}]).to_string());
    house.lift(&[]).ends(0, "committed");
}

#[test]
fn a_broken_reference_that_a_migration_leaves_in_a_new_database_refuses_the_import() {
    let tables = "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, of INTEGER REFERENCES items (id));
                  INSERT INTO items (id, name, of) VALUES (9, 'z', 8);";
    let house = House::new()
        .schema(tables)
        .list("items", "items.json", ITEM)
        .source("items.json", &json!([{"id": 1, "name": "a"}]));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error R004"]);
    assert!(!house.path(DATABASE).exists());
}
