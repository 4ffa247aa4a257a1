//! Databases that are there already: V2's own, strange ones, and our own a second time.

use crate::house::independent::Tree;
use crate::house::{DATABASE, House, application_dump, listing, open, project, row_counts, rows, sample, tables};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;

/// A database as V2 leaves it after its own first migration, with one person who never used V1.
pub(crate) fn made_by_v2(house: &House) -> Connection {
    let schema = project("mappings/fossawork/schema");
    let mut files: Vec<_> = fs::read_dir(schema).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with("001_initial_schema.up.sql"));
    files.sort();
    let database = Connection::open(house.path(DATABASE)).unwrap();
    for file in files {
        database.execute_batch(&fs::read_to_string(file).unwrap()).unwrap();
    }
    database
        .execute_batch(
            "CREATE TABLE schema_migrations (id INTEGER PRIMARY KEY, version VARCHAR(50) NOT NULL UNIQUE, description TEXT, \
             applied_at DATETIME NOT NULL, execution_time_ms INTEGER, checksum VARCHAR(64), rollback_applied BOOLEAN, \
             rollback_at DATETIME, status VARCHAR(20), error_message TEXT, metadata_json TEXT);
             INSERT INTO schema_migrations (version, description, applied_at, execution_time_ms, checksum, rollback_applied, status)
             VALUES ('v001_initial_schema', 'Initial database schema', '2025-06-12 09:30:00.123456', 41,
                     'f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f', 0, 'applied');
             INSERT INTO users (id, email, label) VALUES ('0a1b2c3d4e5f60718293a4b5c6d7e8f9', 'new.person@example.com', 'New Person');",
        )
        .unwrap();
    database
}

#[test]
fn a_database_that_v2_made_is_used() {
    let house = House::new();
    drop(made_by_v2(&house));
    let report = house.import(&sample(), &["--json"]).status(0).json();
    let expected = Tree::read(&sample()).rows();
    assert_eq!(tables(&report, "inserted"), expected);
    let mut with_person = expected;
    *with_person.get_mut("users").unwrap() += 1;
    let database = open(&house.path(DATABASE));
    assert_eq!(row_counts(&database), with_person);
    assert_eq!(
        rows(&database, "SELECT email, label FROM users WHERE id LIKE '0a1b%'"),
        [["new.person@example.com", "New Person"]]
    );
}

#[test]
fn an_existing_database_is_not_changed_without_confirmation() {
    let house = House::new();
    drop(made_by_v2(&house));
    let before = listing(&house.work());
    let source = sample();
    // No terminal, no `--yes`: nobody has agreed.
    let run = house
        .run([
            "import",
            "--reread",
            source.to_str().unwrap(),
            "--key-file",
            "test.key",
            "--database",
            "sqlite:///./target.db",
        ])
        .status(2);
    assert!(run.stderr.contains("`--yes`"), "{}", run.stderr);
    assert_eq!(listing(&house.work()), before);
}

#[test]
fn a_database_with_another_column_is_refused_with_the_difference() {
    let changes = [
        ("ALTER TABLE users RENAME COLUMN label TO caption", ["users", "label"]),
        ("ALTER TABLE work_orders DROP COLUMN sync_status", ["work_orders", "sync_status"]),
        ("ALTER TABLE dispensers RENAME TO pumps", ["dispensers", "dispensers"]),
    ];
    for (change, named) in changes {
        let house = House::new();
        made_by_v2(&house).execute_batch(change).unwrap();
        let before = listing(&house.work());
        let run = house.import(&sample(), &[]).status(3);
        for name in named {
            assert!(run.stderr.contains(name), "{change}: `{name}` is named:\n{}", run.stderr);
        }
        assert_eq!(listing(&house.work()), before, "{change}");
    }
}

#[test]
fn a_file_that_is_not_a_database_is_refused_unchanged() {
    for content in
        ["", "this is no database, but somebody's notes about one; it is long enough to have a page of its own"]
    {
        let house = House::new();
        let path = house.file(DATABASE, content);
        let run = house.import(&sample(), &[]);
        // An empty file is SQLite's own idea of an empty database; anything else is somebody's.
        if content.is_empty() {
            continue;
        }
        assert_eq!(run.status, Some(3), "{}", run.stderr);
        assert_eq!(fs::read_to_string(path).unwrap(), content);
    }
}

#[test]
fn a_locked_database_is_refused_unchanged() {
    let house = House::new();
    let other = made_by_v2(&house);
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let run = house.import(&sample(), &[]).status(3);
    assert!(run.stderr.contains("lock") || run.stderr.contains("in use"), "{}", run.stderr);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(row_counts(&other), BTreeMap::from([("users".to_owned(), 1)]));
}

#[test]
fn a_second_import_finds_every_row_unchanged() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    let first = application_dump(&open(&house.path(DATABASE)));
    let report = house.import(&sample(), &["--json"]).status(0).json();
    for changed in ["inserted", "updated", "rejected"] {
        assert_eq!(tables(&report, changed), BTreeMap::new(), "{changed}");
    }
    assert_eq!(tables(&report, "unchanged"), Tree::read(&sample()).rows());
    assert_eq!(application_dump(&open(&house.path(DATABASE))), first);
}

#[test]
fn a_changed_row_is_reported_and_not_overwritten() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    let database = Connection::open(house.path(DATABASE)).unwrap();
    database.execute("UPDATE users SET label = 'Somebody Else' WHERE email LIKE 'dana%'", []).unwrap();
    drop(database);
    let before = application_dump(&open(&house.path(DATABASE)));
    let report = house.import(&sample(), &["--json"]).status(1).json();
    let codes: Vec<_> = crate::house::findings(&report)
        .into_iter()
        .filter(|finding| finding.1 == "error")
        .map(|finding| finding.0)
        .collect();
    assert_eq!(codes, ["R003"]);
    let finding = report["findings"].as_array().unwrap().iter().find(|one| one["code"] == "R003").unwrap();
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("`label` (database \"Somebody Else\", source \""), "{message}");
    assert!(finding["help"].as_str().unwrap().contains("`--max-rejects N`"), "{finding}");
    assert_eq!(application_dump(&open(&house.path(DATABASE))), before);
}
