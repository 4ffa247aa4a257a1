//! A change of one migration that a later one takes back: the tables do not tell whether it was made, on every engine.

use crate::house::site::{Site, every};

/// Notes whose numbers are doubled, by a column that is there for one migration.
fn doubling(site: Site) -> Site {
    let files = [
        ("set.toml", "name = \"notes\"\n"),
        ("schema/001_notes.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, n INTEGER);"),
        ("schema/001_notes.down.sql", "DROP TABLE notes;"),
        ("schema/002_twice.up.sql", "ALTER TABLE notes ADD COLUMN twice INTEGER; UPDATE notes SET twice = n * 2;"),
        ("schema/002_twice.down.sql", "UPDATE notes SET n = twice / 2; ALTER TABLE notes DROP COLUMN twice;"),
        ("schema/003_once.up.sql", "UPDATE notes SET n = twice; ALTER TABLE notes DROP COLUMN twice;"),
        ("schema/003_once.down.sql", "ALTER TABLE notes ADD COLUMN twice INTEGER; UPDATE notes SET twice = n;"),
    ];
    files.into_iter().for_each(|(name, text)| drop(site.house.file(&format!("set/{name}"), text)));
    site
}

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
            site.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO notes VALUES (1, 21)");
            let refused = site.schema("migrate", &[]).status(3);
            let said: Vec<&str> = refused.stderr.lines().filter(|line| !line.starts_with("  at ")).collect();
            assert_eq!(
                said,
                [
                    "error: nothing tells whether migration `002_twice` has run: table `notes` is as it was before, and as a later migration leaves it",
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
