//! A whole database in a new one, there and back.

use crate::house::server::Server;
use crate::house::v1_tree;
use crate::house::{House, KEY_FILE, Ran, age, edit, open, project, rows, sample, tables};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;

fn transfer(house: &House, from: &str, to: &str, more: &[&str]) -> Ran {
    house.run([&["transfer", "--from", from, "--to", to, "--yes"], more].concat())
}

/// Every row of a file's database, but for what is a database's own: its id, the record of when its migrations were applied,
/// and what tells of transfers. Records of rows have numbers of their own in one file, in the same order.
fn content(path: &Path) -> BTreeMap<String, Vec<Vec<String>>> {
    let database = open(path);
    let names = "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                 AND name <> 'schema_migrations' ORDER BY name";
    let all = |name: String| {
        let query = match name.as_str() {
            "treelift_rows" => {
                "SELECT file, \"table\", row_key, \"offset\", columns, digest, own,
                        row_number() OVER (PARTITION BY file, \"table\" ORDER BY number) FROM treelift_rows"
            }
            "treelift_runs" => "SELECT * FROM treelift_runs WHERE kind <> 'transfer'",
            "treelift_state" => "SELECT * FROM treelift_state WHERE name <> 'database_id'",
            // Where nothing of a source is known it is read again.
            "treelift_audit" | "treelift_seen" => "SELECT 1 WHERE false",
            "audit_trail" => "SELECT * FROM audit_trail WHERE action NOT IN ('transfer', 'migrate')",
            _ => &format!("SELECT * FROM \"{name}\""),
        };
        let mut rows = rows(&database, query);
        // A default of the schema gives times without a fraction, and another engine writes them with one.
        rows.iter_mut().flatten().filter(|cell| is_whole_time(cell)).for_each(|cell| cell.push_str(".000000"));
        rows.sort();
        (name, rows)
    };
    rows(&database, names).into_iter().flatten().map(all).collect()
}

fn is_whole_time(cell: &str) -> bool {
    cell.len() == 19 && cell.as_bytes()[10] == b' ' && cell.parse::<jiff::civil::DateTime>().is_ok()
}

/// Changes a file's database as an application would that does not care for references.
fn change(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
}

fn there_and_back(tree: &Path, set: &str, server: &Server) {
    let house = House::new();
    house.import(tree, &["--database", "one.db", "--mappings", set]).status(0);
    let before = content(&house.path("one.db"));
    assert!(before.values().map(Vec::len).sum::<usize>() > 20);
    let dry = transfer(&house, "one.db", &server.url, &["--dry-run"]).status(0);
    assert!(dry.last_line().starts_with("dry run: "), "{}", dry.stdout);
    assert_eq!(server.things(), "0");
    let there = transfer(&house, "one.db", &server.url, &[]).status(0);
    assert!(there.last_line().ends_with(", read again and compared"), "{}", there.stdout);
    assert!(there.stdout.contains("; 0 rows edited since\n"), "{}", there.stdout);
    let back = transfer(&house, &server.url, "two.db", &[]).status(0);
    assert!(back.stdout.contains("; 0 rows edited since\n"), "{}", back.stdout);
    assert_eq!(content(&house.path("two.db")), before);
    // What is sealed opens in each, another import finds nothing to do, and each knows its rows.
    for database in [&server.url, "two.db"] {
        house.run(["credentials", "verify", "--key-file", KEY_FILE, "--database", database]).status(0);
        house.run(["schema", "validate", "--database", database]).status(0);
        let again =
            house.import(tree, &["--database", database, "--mappings", set, "--no-backup", "--json"]).status(0).json();
        assert_eq!((tables(&again, "inserted"), tables(&again, "updated")), Default::default(), "{database}");
        let runs = house.run(["runs", "--json", "--database", database]).status(0).json();
        let first = runs["runs"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
        let undone = house.run(["undo", &first, "--dry-run", "--database", database]).status(0);
        assert!(undone.last_line().starts_with("dry run: "), "{}", undone.stdout);
    }
}

#[test]
fn a_database_that_went_there_and_back_is_the_same() {
    there_and_back(&sample(), "fossawork", &Server::new());
    there_and_back(&project("sample_data/notes"), "notes", &Server::apart());
}

#[test]
#[ignore = "200 people take about 5 minutes in a build that is not optimised"]
fn a_database_of_two_hundred_people_that_went_there_and_back_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("v1");
    v1_tree::write(&tree, &v1_tree::Plan { users: 200, ..v1_tree::Plan::default() }).unwrap();
    age(&tree);
    there_and_back(&tree, "fossawork", &Server::new());
}

/// A house with the sample of notes in `one.db`, and an empty database of the server.
fn noted() -> (House, Server) {
    let (house, server) = (House::new(), Server::new());
    house.import(&project("sample_data/notes"), &["--database", "one.db"]).status(0);
    (house, server)
}

#[test]
fn a_row_that_was_edited_counts_as_edited_there_and_is_not_undone() {
    let (house, server) = noted();
    change(&house.path("one.db"), "UPDATE people SET name = name || '!' WHERE rowid = 1");
    let done = transfer(&house, "one.db", &server.url, &[]).status(0);
    assert!(done.stdout.contains("; 1 row edited since\n"), "{}", done.stdout);
    let runs = house.run(["runs", "--json", "--database", &server.url]).status(0).json();
    let run = runs["runs"][1]["id"].as_str().unwrap().to_owned();
    assert_eq!(runs["runs"][0]["kind"], "transfer");
    let undone = house.run(["undo", &run, "--yes", "--no-backup", "--database", &server.url]).status(1);
    assert!(undone.stdout.contains("blocked: 1 row of `people` was changed"), "{}", undone.stdout);
    let rows = "SELECT source FROM treelift_runs WHERE kind = 'transfer'";
    assert_eq!(server.rows(rows), [["one.db"]]);
}

#[test]
fn what_a_server_does_not_keep_is_named_with_its_row_and_nothing_is_written() {
    let refused = |sql: &str, words: &[&str]| {
        let (house, server) = noted();
        change(&house.path("one.db"), sql);
        let ran = transfer(&house, "one.db", &server.url, &[]).status(3);
        assert!(words.iter().all(|word| ran.stderr.contains(word)), "{sql}: {}", ran.stderr);
        assert_eq!(server.things(), "0", "{sql}");
    };
    let key = "the row of the key ";
    refused("UPDATE people SET name = 'a' || char(0) || 'b' WHERE rowid = 1", &["`people`", key, "U+0000"]);
    refused("UPDATE notebooks SET number = 'seven' WHERE rowid = 1", &["`notebooks`", key, "`number` is text"]);
    refused("UPDATE notebooks SET archived = 2 WHERE rowid = 1", &["`notebooks`", key, "`archived` is an integer"]);
    refused("UPDATE people SET joined_at = 'soon' WHERE rowid = 1", &["`people`", key, "`joined_at` is text"]);
    refused("UPDATE tags SET person_id = 'nobody' WHERE rowid = 1", &["`tags`", "`people`", "missing"]);
    refused(
        "ALTER TABLE people ADD COLUMN nick TEXT",
        &["the schema is not what the migrations of `notes` make", "nick"],
    );
    refused("DELETE FROM treelift_keys", &["treelift_"]);
}

#[test]
fn a_database_that_holds_something_is_not_transferred_to() {
    let (house, server) = noted();
    server.run("CREATE TABLE others (id integer PRIMARY KEY)");
    let ran = transfer(&house, "one.db", &server.url, &[]).status(2);
    assert!(ran.stderr.contains("holds something already"), "{}", ran.stderr);
    let same = transfer(&house, "one.db", "one.db", &[]).status(2);
    assert!(same.stderr.contains("holds something already"), "{}", same.stderr);
    let none = transfer(&house, "none.db", "two.db", &["--mappings", "notes"]).status(3);
    assert!(none.stderr.contains("there is no database"), "{}", none.stderr);
    assert!(!house.path("two.db").exists() && !house.path("none.db").exists());
    let asked = house.run(["transfer", "--from", "one.db", "--to", "two.db"]).status(2);
    assert!(asked.stderr.contains("transfer it to two.db, a new database"), "{}", asked.stderr);
}

#[test]
fn values_that_are_written_otherwise_there_are_counted_and_mean_the_same() {
    let (house, server) = (House::new(), Server::new());
    house.run(["mappings", "export", "notes", "set"]).status(0);
    let variant = house.path("set/schema/001_notes.up.postgresql.sql");
    edit(&variant, "settings JSON", "settings JSONB");
    let all = ["--database", "one.db", "--mappings", "set"];
    house.import(&project("sample_data/notes"), &all).status(0);
    let settings = "UPDATE people SET settings = '{\"b\":1.0,  \"a\":[2]}' WHERE rowid = 1";
    change(&house.path("one.db"), settings);
    let done = transfer(&house, "one.db", &server.url, &[]).status(0);
    assert!(done.stdout.contains("of `people.settings` in another form of the same meaning"), "{}", done.stdout);
    assert_eq!(server.rows("SELECT count(*)::text FROM people WHERE settings = '{\"a\":[2],\"b\":1}'"), [["1"]]);
}
