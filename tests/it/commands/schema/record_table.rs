//! The table that records migrations has the name that the set gives it, in every command, and a database
//! never has two.

use crate::house::keeping::{URL, backup, change, objects, schema, small_set};
use crate::house::{DATABASE, House, Ran};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

const NAMED: &str = "migrations_table = \"app_migrations\"\n";
const MORE: &str = "CREATE TABLE more (id INTEGER);\n";

/// A set of two migrations that records them in `app_migrations`.
fn named_set(house: &House) -> String {
    let set = small_set(house);
    house.file("set/set.toml", format!("name = \"notes\"\n{NAMED}"));
    house.file("set/schema/002_more.up.sql", MORE);
    set
}

/// What the tables of this name record as applied.
fn applied(house: &House, table: &str) -> Vec<String> {
    let sql = format!("SELECT version FROM {table} WHERE status = 'applied' ORDER BY version");
    house.rows(&sql).into_iter().flatten().collect()
}

/// The names of all records that the database has.
fn records(house: &House) -> Vec<String> {
    objects(house).into_iter().filter(|name| name.to_lowercase().ends_with("_migrations")).collect()
}

fn import(house: &House) -> Ran {
    house.run(["import", "--reread", "tree", "--mappings", "set", "--database", URL, "--yes", "--no-backup", "--json"])
}

fn words() -> House {
    House::new()
        .schema("CREATE TABLE words (word TEXT PRIMARY KEY);")
        .set(NAMED)
        .list("words", "words.json", "[table.words]\n[table.words.columns]\nword = \"w\"")
        .source("words.json", &json!([{ "w": "a" }]))
}

#[test]
fn every_command_records_in_the_table_that_the_set_names() {
    let house = House::new();
    let set = named_set(&house);
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    assert_eq!(
        (records(&house), applied(&house, "app_migrations")),
        (vec!["app_migrations".to_owned()], vec!["001_notes".to_owned()])
    );
    let status = schema(&house, &format!("status --json {set}")).status(0).json();
    assert_eq!(
        (&status["record_table"], &status["pending"], &status["drift"]),
        (&json!("app_migrations"), &json!(1), &json!([]))
    );
    assert_eq!(status.get("record_note"), None);
    schema(&house, &format!("stamp 002 {set}")).status(0);
    assert_eq!(applied(&house, "app_migrations"), ["001_notes", "002_more"]);
    schema(&house, &format!("stamp 001 {set}")).status(0);
    schema(&house, &format!("migrate {set}")).status(0);
    schema(&house, &format!("validate {set}")).status(0);
    assert!(schema(&house, &format!("history {set}")).status(0).stdout.contains("002_more"));
    backup(&house, &format!("create {set}")).status(0);
    schema(&house, &format!("rollback --to 001 {set}")).status(0);
    assert_eq!(applied(&house, "app_migrations"), ["001_notes"]);
    backup(&house, &format!("restore --latest --yes {set}")).status(0);
    assert_eq!(applied(&house, "app_migrations"), ["001_notes", "002_more"]);
    assert_eq!(records(&house), ["app_migrations"]);
    // A migration may not change it.
    house.file("set/schema/003_forge.up.sql", "DELETE FROM app_migrations;\n");
    schema(&house, &format!("migrate {set}")).status(3);
    assert_eq!(applied(&house, "app_migrations"), ["001_notes", "002_more"]);
}

#[test]
fn what_is_rolled_back_to_nothing_keeps_its_record_under_the_chosen_name() {
    let house = House::new();
    let set = named_set(&house);
    schema(&house, &format!("migrate {set}")).status(0);
    schema(&house, &format!("rollback --all {set}")).status(0);
    assert_eq!(objects(&house).into_iter().collect::<Vec<_>>(), ["app_migrations", "treelift_state"]);
    // The set names none any more, and there is still one record.
    house.file("set/set.toml", "name = \"notes\"\n");
    schema(&house, &format!("migrate {set}")).status(0);
    assert_eq!(records(&house), ["app_migrations"]);
    assert_eq!(applied(&house, "app_migrations"), ["001_notes", "002_more"]);
}

#[test]
fn an_import_and_its_undo_use_the_chosen_table() {
    let words = words();
    words.lift(&[]).ends(0, "committed");
    assert_eq!((records(&words), applied(&words, "app_migrations").len()), (vec!["app_migrations".to_owned()], 1));
    words.lift(&[]).ends(0, "committed");
    let run = words.one("SELECT id FROM treelift_runs WHERE kind = 'import' ORDER BY number LIMIT 1");
    let set = words.path("set");
    let undo = ["undo", &run, "--database", URL, "--yes", "--no-backup", "--mappings", set.to_str().unwrap()];
    words.run(undo).status(0);
    assert_eq!(words.one("SELECT count(*) FROM words"), "0");
    schema(&words, "validate --mappings set").status(0);
    assert_eq!(records(&words), ["app_migrations"]);
}

#[test]
fn a_failed_migration_is_recorded_in_the_chosen_table() {
    let house = House::new();
    let set = named_set(&house);
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    change(&house, "INSERT INTO notes (id, title) VALUES (1, 'a'), (2, 'a')");
    house.file("set/schema/002_more.up.sql", "CREATE UNIQUE INDEX titles ON notes (title);\n");
    schema(&house, &format!("migrate {set}")).status(3);
    assert_eq!(records(&house), ["app_migrations"]);
}

#[test]
fn a_database_that_has_a_record_keeps_it_when_the_set_names_another() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", MORE);
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    house.file("set/set.toml", format!("name = \"notes\"\n{NAMED}"));
    let said = "this database already records its migrations in `schema_migrations`, which stays so: \
                `migrations_table = \"app_migrations\"` of set.toml is for new databases";
    let status = schema(&house, &format!("status {set}")).status(0).stdout;
    assert!(status.contains(said) && status.contains("pending  1"), "{status}");
    let run = schema(&house, &format!("migrate {set}")).status(0);
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(
        (records(&house), applied(&house, "schema_migrations").len()),
        (vec!["schema_migrations".to_owned()], 2)
    );

    // A chosen one stays when the set chooses again, and when it chooses no longer.
    let house = House::new();
    let set = named_set(&house);
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    house.file("set/set.toml", "name = \"notes\"\nmigrations_table = \"other_migrations\"\n");
    let said = "already records its migrations in `app_migrations`";
    assert!(schema(&house, &format!("migrate {set}")).status(0).stderr.contains(said));
    house.file("set/set.toml", "name = \"notes\"\n");
    assert!(schema(&house, &format!("status {set}")).status(0).stdout.contains(said));
    schema(&house, &format!("rollback --to 001 {set}")).status(0);
    assert_eq!((records(&house), applied(&house, "app_migrations").len()), (vec!["app_migrations".to_owned()], 1));
}

#[test]
fn an_import_says_that_a_changed_name_is_not_used() {
    let words = words();
    words.lift(&[]).ends(0, "committed");
    let words = words.set("migrations_table = \"other_migrations\"\n");
    let run = import(&words).status(0);
    assert!(run.stderr.contains("already records its migrations in `app_migrations`"), "{}", run.stderr);
    assert_eq!(records(&words), ["app_migrations"]);
}

#[test]
fn a_table_of_another_program_is_refused_by_every_command_that_would_record_in_it() {
    let theirs = [
        "CREATE TABLE app_migrations (version TEXT PRIMARY KEY, dirty INTEGER); INSERT INTO app_migrations VALUES ('7', 0)",
        "CREATE VIEW app_migrations AS SELECT 1 AS version",
    ];
    for sql in theirs {
        let house = words();
        rusqlite::Connection::open(house.path(DATABASE)).unwrap().execute_batch(sql).unwrap();
        let before = std::fs::read(house.path(DATABASE)).unwrap();
        let said = "`app_migrations`, where migrations are to be recorded, belongs to another program";
        for line in ["status", "history", "migrate", "stamp 001"] {
            let run = schema(&house, &format!("{line} --mappings set")).status(3);
            assert!(
                run.stderr.contains(said) && run.stderr.contains("`migrations_table` in set.toml"),
                "{}",
                run.stderr
            );
        }
        for mode in [&["--dry-run"][..], &[]] {
            let mut all =
                vec!["import", "--reread", "tree", "--mappings", "set", "--database", URL, "--yes", "--no-backup"];
            all.extend(mode);
            assert!(house.run(all).status(3).stderr.contains(said));
        }
        assert_eq!(std::fs::read(house.path(DATABASE)).unwrap(), before);
    }
}

#[test]
fn a_record_that_the_application_made_under_that_name_is_read_and_continued() {
    let house = words();
    let theirs = "CREATE TABLE words (word TEXT PRIMARY KEY);
        CREATE TABLE schema_migrations (version TEXT PRIMARY KEY, dirty INTEGER);
        CREATE TABLE App_Migrations (id INTEGER PRIMARY KEY, version VARCHAR(50) NOT NULL UNIQUE, description TEXT,
            applied_at DATETIME NOT NULL, execution_time_ms INTEGER, checksum VARCHAR(64), rollback_applied BOOLEAN,
            rollback_at DATETIME, status VARCHAR(20), error_message TEXT, metadata_json TEXT);
        INSERT INTO app_migrations (version, applied_at, status) VALUES ('001', '2025-01-01', 'applied')";
    rusqlite::Connection::open(house.path(DATABASE)).unwrap().execute_batch(theirs).unwrap();
    std::fs::set_permissions(house.path(DATABASE), std::fs::Permissions::from_mode(0o600)).unwrap();
    let status = schema(&house, "status --json --mappings set").status(0).json();
    assert_eq!(status["drift"], json!([]), "{status:#}");
    import(&house).status(0);
    assert_eq!(records(&house), ["App_Migrations", "schema_migrations"]);
    schema(&house, "validate --mappings set").status(0);
    assert_eq!(house.one("SELECT count(*) FROM schema_migrations"), "0");
}

#[test]
fn names_that_cannot_be_used_are_refused_by_check_where_they_are() {
    let refused = [
        ("app migrations", "is not a plain SQL identifier"),
        ("7th", "is not a plain SQL identifier"),
        ("", "is not a plain SQL identifier"),
        ("a\\\"b", "is not a plain SQL identifier"),
        ("Treelift_Keys", "is a name that treelift keeps for tables of its own"),
        ("sqlite_master", "is a name that a database keeps for tables of its own"),
        ("words", "rule `words.words` writes into it"),
        ("WORDS", "rule `words.words` writes into it"),
        ("spare", "the set's migrations make it"),
        (&"a".repeat(64), "is longer than 63 characters"),
    ];
    for (name, why) in refused {
        let house = words().schema("CREATE TABLE words (word TEXT PRIMARY KEY); CREATE TABLE spare (a TEXT);");
        house.file("set/set.toml", format!("name = \"words\"\nmigrations_table = \"{name}\"\n"));
        let run = house.run(["check", "set"]).status(2);
        assert!(run.stderr.contains("error M141: ") && run.stderr.contains(why), "{name}: {}", run.stderr);
        assert!(run.stderr.contains("at set/set.toml:2\n"), "{name}: {}", run.stderr);
    }
    for name in ["treelift_migrations", "schema_migrations", "_m1", "order"] {
        let house = words();
        house.file("set/set.toml", format!("name = \"words\"\nmigrations_table = \"{name}\"\n"));
        house.run(["check", "set"]).status(0);
        import(&house).status(0);
        assert_eq!(house.one(&format!("SELECT count(*) FROM \"{name}\"")), "1");
    }
}
