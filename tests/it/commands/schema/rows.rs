//! What a change of the schema does to rows, and what other programs' tables and empty files do to it; and what a migration
//! makes after the rows of a new database.

use crate::house::keeping::{URL, backup, change, objects, schema, small_set};
use crate::house::{DATABASE, House};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A database at 001 with five rows, and a 002 that loses two of them.
fn losing() -> (House, String) {
    let house = House::new();
    let set = small_set(&house);
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    change(&house, "INSERT INTO notes (title) VALUES ('a'), ('b'), ('c'), ('d'), ('e')");
    house.file(
        "set/schema/002_more.up.sql",
        "CREATE TABLE new (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO new SELECT * FROM notes WHERE title < 'd';
         DROP TABLE notes; ALTER TABLE new RENAME TO notes;\n",
    );
    house.file("set/schema/002_more.down.sql", "SELECT 1;\n");
    (house, set)
}

#[test]
fn a_migration_that_loses_rows_says_how_many_and_asks() {
    let (house, set) = losing();
    let lost = "would remove 2 rows of `notes` (5 → 3)";
    let run = schema(&house, &format!("migrate --dry-run {set}")).status(0);
    assert!(run.stderr.contains(lost) && run.stdout.contains("rows of notes: 5 → 3"), "{}{}", run.stdout, run.stderr);
    let run = house.run(["schema", "migrate", "--no-backup", "--database", URL, "--mappings", "set"]).status(2);
    assert!(run.stderr.contains(lost), "{}", run.stderr);
    assert!(run.stderr.contains("apply 1 migration, and lose 2 rows, without a backup?"), "{}", run.stderr);
    assert_eq!(house.one("SELECT count(*) FROM notes"), "5");

    let document = schema(&house, &format!("migrate --json {set}")).status(0).json();
    let loss = json!([{ "kind": "rows", "what": "notes", "rows": 2, "before": 5, "after": 3 }]);
    assert_eq!(document["losses"], loss);
    assert_eq!(house.one("SELECT count(*) FROM notes"), "3");
}

#[test]
fn an_import_whose_migrations_lose_rows_says_how_many_and_asks() {
    let house = House::new()
        .schema("CREATE TABLE words (word TEXT PRIMARY KEY); CREATE TABLE notes (id INTEGER PRIMARY KEY);")
        .list("words", "words.json", "[table.words]\n[table.words.columns]\nword = \"w\"")
        .source("words.json", &json!([{ "w": "a" }]));
    house.lift(&[]).ends(0, "committed");
    change(&house, "INSERT INTO notes (id) VALUES (1), (2), (3)");
    let set = house.path("set/schema");
    fs::write(set.join("002_fewer.up.sql"), "DELETE FROM notes WHERE id > 1;\n").unwrap();
    fs::write(set.join("002_fewer.down.sql"), "SELECT 1;\n").unwrap();
    let lost = "would remove 2 rows of `notes` (3 → 1)";

    let dry = house.lift(&["--dry-run"]);
    assert!(dry.words().contains(lost), "{}", dry.words());
    let unasked =
        house.run(["import", "--reread", "tree", "--mappings", "set", "--no-backup", "--database", URL]).status(2);
    assert!(unasked.stderr.contains(lost), "{}", unasked.stderr);
    assert!(unasked.stderr.contains("Import 1 file into it, and lose 2 rows, without a backup?"), "{}", unasked.stderr);
    assert_eq!(house.one("SELECT count(*) FROM notes"), "3");

    let run = house.lift(&[]);
    assert!(run.words().contains(lost), "{}", run.words());
    assert_eq!(house.one("SELECT count(*) FROM notes"), "1");
    // Nothing is pending any more.
    assert!(!house.lift(&[]).words().contains("would remove"));
}

#[test]
fn a_migration_that_keeps_its_rows_says_how_many_they_are_and_warns_of_nothing() {
    let (house, set) = losing();
    house.file("set/schema/002_more.up.sql", "ALTER TABLE notes ADD COLUMN body TEXT;\n");
    let run = schema(&house, &format!("migrate {set}")).status(0);
    assert!(
        !run.stderr.contains("would") && run.stdout.contains("rows of notes: 5 → 5\n"),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn another_programs_record_of_migrations_is_left_alone_by_every_command() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    let theirs = "CREATE TABLE schema_migrations (version TEXT PRIMARY KEY, dirty INTEGER); INSERT INTO schema_migrations VALUES ('7', 0)";
    rusqlite::Connection::open(house.path(DATABASE)).unwrap().execute_batch(theirs).unwrap();
    fs::set_permissions(house.path(DATABASE), fs::Permissions::from_mode(0o600)).unwrap();
    let said = "`schema_migrations` belongs to another program and is left alone: migrations are recorded in `treelift_migrations`";

    let status = schema(&house, &format!("status {set}")).status(0).stdout;
    assert!(status.contains(said) && status.contains("pending  2") && !status.contains("drift"), "{status}");
    assert!(schema(&house, &format!("migrate {set}")).status(0).stderr.contains(said));
    assert_eq!(
        house.rows("SELECT version, status FROM treelift_migrations ORDER BY version"),
        [["001_notes", "applied"], ["002_more", "applied"]]
    );
    schema(&house, &format!("validate {set}")).status(0);
    assert!(schema(&house, &format!("history {set}")).status(0).stdout.contains("002_more"));
    backup(&house, &format!("create {set}")).status(0);
    schema(&house, &format!("stamp 001 {set}")).status(0);
    backup(&house, &format!("restore --latest --yes {set}")).status(0);
    schema(&house, &format!("rollback --all {set}")).status(0);
    assert_eq!(
        objects(&house).into_iter().filter(|name| !name.starts_with("sqlite_")).collect::<Vec<_>>(),
        ["schema_migrations", "treelift_migrations"]
    );
    assert_eq!(house.rows("SELECT version, dirty FROM schema_migrations"), [["7", "0"]]);
    // A migration may not change it either.
    house.file("set/schema/002_more.up.sql", "DELETE FROM treelift_migrations;\n");
    schema(&house, &format!("migrate {set}")).status(3);
}

#[test]
fn a_file_without_a_byte_is_a_new_database_that_keeps_its_mode() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    fs::write(house.path(DATABASE), "").unwrap();
    fs::set_permissions(house.path(DATABASE), fs::Permissions::from_mode(0o640)).unwrap();
    let run = house.run(["schema", "migrate", "--database", URL, "--mappings", "set"]).status(0);
    assert!(!run.stderr.contains("backup"), "{}", run.stderr);
    assert_eq!(fs::metadata(house.path(DATABASE)).unwrap().permissions().mode() & 0o777, 0o640);
    schema(&house, &format!("status {set}")).status(0);
}

#[test]
fn an_import_into_a_file_without_a_byte_makes_no_backup() {
    let house = House::new()
        .schema("CREATE TABLE words (word TEXT PRIMARY KEY);")
        .list("words", "words.json", "[table.words]\n[table.words.columns]\nword = \"w\"")
        .source("words.json", &json!([{ "w": "a" }]));
    fs::write(house.path(DATABASE), "").unwrap();
    fs::set_permissions(house.path(DATABASE), fs::Permissions::from_mode(0o640)).unwrap();
    house.lift(&[]).ends(0, "committed");
    assert!(fs::read_dir(house.backups()).into_iter().flatten().next().is_none());
    assert_eq!(house.one("SELECT word FROM words"), "a");
    assert_eq!(fs::metadata(house.path(DATABASE)).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_migrate_would_adopt_is_not_drift_and_a_restore_of_it_is_no_failure() {
    let house = House::new();
    let set = small_set(&house);
    fs::remove_file(house.path("set/schema/002_more.up.sql")).unwrap();
    fs::remove_file(house.path("set/schema/002_more.down.sql")).unwrap();
    let notes = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO notes (title) VALUES ('a')";
    rusqlite::Connection::open(house.path(DATABASE)).unwrap().execute_batch(notes).unwrap();
    fs::set_permissions(house.path(DATABASE), fs::Permissions::from_mode(0o600)).unwrap();
    let status = schema(&house, &format!("status {set}")).status(0).stdout;
    assert!(status.contains("pending  1") && !status.contains("drift"), "{status}");
    let checks = schema(&house, &format!("validate --category schema {set}"));
    assert!(!checks.stdout.contains("is not expected"), "{}", checks.stdout);
    backup(&house, &format!("create {set}")).status(0);
    change(&house, "DELETE FROM notes");
    let run = backup(&house, &format!("restore --latest --yes {set}")).status(0);
    assert!(run.stderr.contains("not validated: no migration is recorded in it"), "{}", run.stderr);
    assert_eq!(house.one("SELECT count(*) FROM notes"), "1");
    assert!(schema(&house, &format!("migrate {set}")).status(0).stdout.contains("already there, recorded: 001_notes"));
    change(&house, "CREATE TABLE extra (id INTEGER)");
    assert!(
        schema(&house, &format!("status {set}")).status(0).stdout.contains("drift    table `extra` is not expected")
    );
}

#[test]
fn a_test_of_migrations_masks_clocks_and_fits_its_rows_to_conditions() {
    let house = House::new();
    let set = small_set(&house);
    house.file(
        "set/schema/001_notes.up.sql",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL CHECK (title IN ('open', 'done')),
             made_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP);\n",
    );
    house.file(
        "set/schema/002_more.up.sql",
        "INSERT INTO notes (id, title) VALUES (7, 'open'); UPDATE notes SET made_at = datetime('now') WHERE id = 7;\n",
    );
    house.file("set/schema/002_more.down.sql", "DELETE FROM notes WHERE id = 7;\n");
    // Whatever second the clock shows: the row is made again in another one.
    let run = house.run(format!("schema test {set}").split(' ')).status(0);
    assert!(run.stdout.contains("verified: "), "{}", run.stdout);
    house.file(
        "set/schema/002_more.up.sql",
        "INSERT INTO notes (id, title) VALUES (7, 'open'); UPDATE notes SET title = 'done';\n",
    );
    house.file("set/schema/002_more.down.sql", "DELETE FROM notes WHERE id = 7; UPDATE notes SET title = 'open';\n");
    house.run(format!("schema test {set}").split(' ')).status(0);
}

const FOUND: &str = "CREATE INDEX notes_title ON notes (title);
CREATE VIRTUAL TABLE found USING fts5 (title, content = 'notes', content_rowid = 'id');
CREATE TRIGGER fill AFTER INSERT ON notes BEGIN INSERT INTO found (rowid, title) VALUES (new.id, new.title); END;
INSERT INTO found (found) VALUES ('rebuild');
";
const GONE: &str = "DROP TRIGGER fill;\nDROP TABLE found;\nDROP INDEX notes_title;\n";

/// A set whose second of three migrations only serves reading, and one file of notes.
fn noted(header: &str) -> House {
    let rules = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\ntitle = \"title\"\n";
    let house = House::new()
        .schema("CREATE TABLE notes (id INTEGER NOT NULL PRIMARY KEY, title TEXT NOT NULL);")
        .list("notes", "notes/*.json", rules)
        .source("notes/a.json", &json!([{ "id": 1, "title": "the first" }, { "id": 2, "title": "the second" }]));
    house.file("set/schema/002_found.up.sql", format!("{header}{FOUND}"));
    house.file("set/schema/002_found.down.sql", GONE);
    house.file("set/schema/003_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    house.file("set/schema/003_more.down.sql", "DROP TABLE more;\n");
    house
}

/// The order in which an index and the table of the migration behind it were made, and the notes with a word.
fn made(house: &House, word: &str) -> (String, String) {
    let order = "SELECT group_concat(name) FROM
                 (SELECT name FROM sqlite_schema WHERE name IN ('notes_title', 'more') ORDER BY rowid)";
    (house.one(order), house.one(&format!("SELECT count(*) FROM found WHERE found MATCH '{word}'")))
}

#[test]
fn a_new_database_gets_it_after_its_rows_and_an_old_one_keeps_it() {
    for (header, order) in [("-- after: rows\n", "more,notes_title"), ("", "notes_title,more")] {
        let house = noted(header);
        house.lift(&[]).ends(0, "committed");
        assert_eq!(made(&house, "second"), (order.to_owned(), "1".to_owned()));
        let third = json!([{ "id": 3, "title": "the third" }]);
        let house = house.source("notes/b.json", &third);
        house.lift(&[]).ends(0, "committed").counts("inserted", "notes 1");
        assert_eq!(made(&house, "third"), (order.to_owned(), "1".to_owned()));
        assert_eq!(house.one("SELECT count(*) FROM found WHERE found MATCH 'the'"), "3");
    }
}

#[test]
fn one_that_does_more_is_refused_before_anything_is_read() {
    let house = noted("-- after: rows\n");
    house.file("set/schema/002_found.up.sql", "-- after: rows\nCREATE UNIQUE INDEX notes_title ON notes (title);\n");
    house.file("set/schema/002_found.down.sql", "DROP INDEX notes_title;\n");
    house.lift(&[]).refuses("its index `notes_title` refuses a value twice");
    house.run(["check", "set"]).status(2);
}
