//! Migrations that are needed only where a table is there, and those that cannot be rolled back, on every engine.

use crate::house::site::{Site, every};

/// A set of three migrations: `first` makes players, `extra` is for a table that the set does not make, `last` needs it.
fn site_with(site: Site, extra: &str) -> Site {
    let files = [
        ("set.toml", "name = \"game\"\n[other_tables]\nloot = \"of a mod\"\n"),
        ("schema/001_first.up.sql", "CREATE TABLE players (id INTEGER PRIMARY KEY);"),
        ("schema/001_first.down.sql", "DROP TABLE players;"),
        ("schema/002_extra.up.sql", extra),
        ("schema/002_extra.down.sql", "ALTER TABLE loot DROP COLUMN guild;"),
        ("schema/003_last.up.sql", "-- depends: 002_extra\nCREATE TABLE zones (id INTEGER PRIMARY KEY);"),
        ("schema/003_last.down.sql", "DROP TABLE zones;"),
    ];
    files.into_iter().for_each(|(name, text)| drop(site.house.file(&format!("set/{name}"), text)));
    site
}

const EXTRA: &str = "-- only with: table loot\nALTER TABLE loot ADD COLUMN guild INTEGER NOT NULL DEFAULT 1;";

#[test]
fn a_migration_for_a_table_that_is_not_there_is_not_needed_until_the_table_appears() {
    for site in every() {
        let site = site_with(site, EXTRA);
        let done = site.schema("migrate", &[]).status(0);
        assert!(done.stdout.contains("not needed, recorded: 002_extra"), "{}", done.stdout);
        let status = site.schema("status", &["--exit-code"]).status(0);
        assert!(status.stdout.contains("pending  0"), "{}", status.stdout);
        assert!(site.schema("history", &[]).status(0).stdout.contains("not needed"));
        site.schema("validate", &[]).status(0);
        assert!(site.schema("migrate", &[]).status(0).stdout.contains("nothing to do"));

        site.sql("CREATE TABLE loot (id INTEGER PRIMARY KEY); INSERT INTO loot VALUES (5)");
        site.schema("status", &["--exit-code"]).status(4);
        let done = site.schema("migrate", &[]).status(0);
        assert!(done.stdout.contains("applied: 002_extra"), "{}", done.stdout);
        assert_eq!(site.one("SELECT guild FROM loot"), "1");
        site.schema("validate", &[]).status(0);

        site.schema("rollback", &["--to", "001"]).status(0);
        assert_eq!(site.rows("SELECT * FROM loot"), [["5"]]);
        site.schema("migrate", &[]).status(0);
        assert_eq!(site.one("SELECT guild FROM loot"), "1");
    }
}

#[test]
fn where_the_table_is_there_before_the_migration_is_applied_with_the_others() {
    for site in every() {
        let site = site_with(site, EXTRA);
        site.sql("CREATE TABLE loot (id INTEGER PRIMARY KEY)");
        let done = site.schema("migrate", &[]).status(0);
        assert!(done.stdout.contains("applied: 002_extra"), "{}", done.stdout);
        site.schema("rollback", &["--all"]).status(0);
        assert_eq!(site.rows("SELECT count(*) FROM loot"), [["0"]]);
    }
}

#[test]
fn what_is_irreversible_says_why_and_a_test_of_the_migrations_ends_there() {
    for site in every() {
        let site =
            site_with(site, "-- irreversible: the old codes are gone\nCREATE TABLE codes (id INTEGER PRIMARY KEY);");
        std::fs::remove_file(site.house.path("set/schema/002_extra.down.sql")).unwrap();
        site.schema("migrate", &[]).status(0);
        let before = site.state();
        let refused = site.schema("rollback", &["--all"]).status(2);
        for words in ["`002_extra` cannot be rolled back: the old codes are gone", "restore a backup from before it"] {
            assert!(refused.stderr.contains(words), "{}", refused.stderr);
        }
        assert_eq!(site.state(), before);
        site.schema("rollback", &["--steps", "1"]).status(0);
    }
}

#[test]
fn migrations_with_such_headers_are_checked_and_tested() {
    let site = site_with(Site::on_file(), EXTRA);
    let tested = site.house.run(["schema", "test", "--mappings", "set"]).status(0);
    let line = "not checked  `002_extra` down: the set makes no table `loot`, so it is not needed here";
    assert!(tested.stdout.contains("the set makes no table `loot`"), "{line}\n{}", tested.stdout);
    for (header, words) in [
        ("-- only with: loot", "`only with` takes `table NAME`, not `loot`"),
        ("-- irreversible:", "`irreversible` takes the reason"),
        ("-- irreversible: gone", "says that it is irreversible, and this file rolls it back"),
        ("-- ledger: loot", "`ledger` takes a table and a query of old and new keys"),
    ] {
        let site = site_with(Site::on_file(), &format!("{header}\nCREATE TABLE codes (id INTEGER PRIMARY KEY);"));
        let refused = site.house.run(["check", "set"]).status(2);
        assert!(
            refused.stdout.contains(words) || refused.stderr.contains(words),
            "{}{}",
            refused.stdout,
            refused.stderr
        );
    }
}
