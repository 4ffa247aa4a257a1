//! A change of one migration that a later one takes back: the tables do not tell whether it was made, on every engine.

use crate::house::site::{Site, every};

/// Notes whose numbers are doubled, by a column that is there for one migration.
fn doubling(site: Site) -> Site {
    for (name, text) in FIRST.into_iter().chain(PAIR) {
        site.house.file(&format!("set/{name}"), text);
    }
    site.house.file("tree/notes.json", r#"[{"id": 2, "n": 5}]"#);
    site
}

const FIRST: [(&str, &str); 4] = [
    ("set.toml", "name = \"notes\"\n"),
    (
        "notes.toml",
        "[source]\nfiles = [\"notes.json\"]\nrecords = \"[*]\"\n[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nn = \"n\"\n",
    ),
    ("schema/001_notes.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, n INTEGER);"),
    ("schema/001_notes.down.sql", "DROP TABLE notes;"),
];

const PAIR: [(&str, &str); 4] = [
    ("schema/002_twice.up.sql", "ALTER TABLE notes ADD COLUMN twice INTEGER; UPDATE notes SET twice = n * 2;"),
    ("schema/002_twice.down.sql", "UPDATE notes SET n = twice / 2; ALTER TABLE notes DROP COLUMN twice;"),
    ("schema/003_once.up.sql", "UPDATE notes SET n = twice; ALTER TABLE notes DROP COLUMN twice;"),
    ("schema/003_once.down.sql", "ALTER TABLE notes ADD COLUMN twice INTEGER; UPDATE notes SET twice = n;"),
];

/// What comes after them.
const MORE: &str = "CREATE TABLE more (id INTEGER PRIMARY KEY)";

fn import(site: &Site) {
    let url = site.url();
    let line = ["import", "tree", "--mappings", "set", "--database", &url, "--yes", "--no-backup"];
    site.house.run(line).status(0);
}

/// A note that an application made; no migration is recorded.
const MADE: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO notes VALUES (1, 21)";

#[test]
fn the_record_tells_that_it_is_still_to_be_made() {
    for site in every().into_iter().map(doubling) {
        site.schema("migrate", &["--to", "001"]).status(0);
        site.sql("INSERT INTO notes VALUES (1, 21)");
        for _ in 0..2 {
            let ran = site.schema("migrate", &[]).status(0);
            assert!(ran.stdout.contains("applied: 002") && ran.stdout.contains("applied: 003"), "{}", ran.stdout);
            assert_eq!(site.one("SELECT n FROM notes"), "42");
            site.schema("validate", &[]).status(0);
            site.schema("rollback", &["--to", "001"]).status(0);
            assert_eq!(site.one("SELECT n FROM notes"), "21");
            assert!(site.schema("status", &[]).status(0).stdout.contains("pending  2"));
        }
    }
}

#[test]
fn without_a_record_it_is_asked_for() {
    for (version, expected) in [("001", "42"), ("003", "21")] {
        for site in every().into_iter().map(doubling) {
            site.sql(MADE);
            let refused = site.schema("migrate", &[]).status(3);
            let said: Vec<&str> = refused.stderr.lines().filter(|line| !line.starts_with("  at ")).collect();
            assert_eq!(
                said,
                [
                    "error: nothing tells whether migration `002_twice` has run: table `notes` is as it was before, and as later migrations leave it",
                    "hint: say which version the database has: `treelift schema stamp VERSION`, then run again",
                ]
            );
            assert_eq!(site.one("SELECT n FROM notes"), "21");
            site.schema("stamp", &[version]).status(0);
            site.schema("migrate", &[]).status(0);
            assert_eq!(site.one("SELECT n FROM notes"), expected);
        }
    }
}

#[test]
fn an_import_makes_it_where_the_record_tells_and_else_leaves_it_pending() {
    for site in every().into_iter().map(doubling) {
        site.schema("migrate", &["--to", "001"]).status(0);
        site.sql("INSERT INTO notes VALUES (1, 21)");
        import(&site);
        assert_eq!(site.rows("SELECT id, n FROM notes ORDER BY id"), [["1", "42"], ["2", "5"]]);
    }
    for site in every().into_iter().map(doubling) {
        site.sql(MADE);
        import(&site);
        assert_eq!(site.rows("SELECT id, n FROM notes ORDER BY id"), [["1", "21"], ["2", "5"]]);
        assert!(site.schema("status", &[]).status(0).stdout.contains("pending  2"));
        site.schema("migrate", &[]).status(3);
        // Of the first the tables were found: that the database is no further is for the user to say.
        site.schema("stamp", &["001"]).status(0);
        site.schema("migrate", &[]).status(0);
        assert_eq!(site.rows("SELECT id, n FROM notes ORDER BY id"), [["1", "42"], ["2", "10"]]);
        site.schema("validate", &["--category", "schema"]).status(0);
    }
}

#[test]
fn it_is_made_where_a_later_migration_has_run_before_it_was_there() {
    for site in every() {
        for (name, text) in FIRST {
            site.house.file(&format!("set/{name}"), text);
        }
        site.house.file("set/schema/004_more.up.sql", format!("{MORE}; ALTER TABLE notes ADD COLUMN colour TEXT;"));
        site.schema("migrate", &[]).status(0);
        site.sql("INSERT INTO notes VALUES (1, 21, 'red')");
        let site = doubling(site);
        let ran = site.schema("migrate", &[]).status(0);
        assert!(ran.stdout.contains("applied: 002") && ran.stdout.contains("applied: 003"), "{}", ran.stdout);
        assert_eq!(site.rows("SELECT n, colour FROM notes"), [["42", "red"]]);
    }
}

#[test]
fn it_is_asked_for_where_record_and_tables_say_different_things() {
    for site in every().into_iter().map(doubling) {
        site.house.file("set/schema/004_more.up.sql", MORE);
        site.schema("migrate", &["--to", "001"]).status(0);
        // Its application goes on by itself.
        site.sql(&format!("INSERT INTO notes VALUES (1, 42); {MORE}"));
        site.schema("migrate", &[]).status(3);
        assert_eq!(site.one("SELECT n FROM notes"), "42");
        site.schema("stamp", &["004"]).status(0);
        assert!(site.schema("status", &[]).status(0).stdout.contains("pending  0"));
    }
}

#[test]
fn what_runs_beside_it_now_tells_nothing_of_it() {
    for site in every().into_iter().map(doubling) {
        site.house.file("set/schema/001_z_index.up.sql", "CREATE INDEX notes_n ON notes (n);");
        site.sql(MADE);
        let ran = site.schema("migrate", &[]).status(3);
        assert!(ran.stderr.contains("nothing tells whether migration `002_twice` has run"), "{}", ran.stderr);
        // That this one runs does not make the record complete.
        site.schema("migrate", &["--to", "001_z_index"]).status(0);
        site.schema("migrate", &[]).status(3);
        assert_eq!(site.one("SELECT n FROM notes"), "21");
        site.schema("stamp", &["001_notes"]).status(0);
        site.schema("migrate", &[]).status(0);
        assert_eq!(site.one("SELECT n FROM notes"), "42");
    }
}

#[test]
fn on_a_new_database_all_of_it_runs() {
    for site in every().into_iter().map(doubling) {
        let ran = site.schema("migrate", &[]).status(0);
        assert_eq!(ran.stdout.matches("applied: ").count(), 3, "{}", ran.stdout);
        site.schema("validate", &["--category", "schema"]).status(0);
    }
    for site in every().into_iter().map(doubling) {
        site.sql("CREATE TABLE theirs (id INTEGER PRIMARY KEY)");
        import(&site);
        let history = site.schema("history", &["--json"]).status(0).json();
        assert_eq!(history.to_string().matches("\"ran\"").count(), 3, "{history:#}");
        assert_eq!(site.rows("SELECT id, n FROM notes"), [["2", "5"]]);
    }
}
