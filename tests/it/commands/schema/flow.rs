//! The whole flow of a change of the schema in one command: backup, check, migrations, validation, backup; and all of it on
//! a copy. On every engine.

use crate::house::Ran;
use crate::house::site::{Site, every};
use serde_json::Value;

/// A set whose last migration is `last`. That an owner is a person is known to its mapping alone.
fn site_with(site: Site, last: &str) -> Site {
    let files = [
        (
            "set.toml",
            "name = \"notes\"\n[owners]\ncapture = \"owner\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\n",
        ),
        (
            "notes.toml",
            "[source]\nfiles = [\"{owner}/notes.json\"]\n[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nowner = \"#owner.id\"\n",
        ),
        (
            "schema/001_notes.up.sql",
            "CREATE TABLE people (id TEXT PRIMARY KEY); CREATE TABLE notes (id TEXT PRIMARY KEY, owner TEXT);",
        ),
        ("schema/001_notes.down.sql", "DROP TABLE notes; DROP TABLE people;"),
        ("schema/002_last.up.sql", last),
        ("schema/002_last.down.sql", "ALTER TABLE notes DROP COLUMN colour;"),
    ];
    files.into_iter().for_each(|(name, text)| drop(site.house.file(&format!("set/{name}"), text)));
    schema(&site, "migrate", &["--to", "001", "--no-backup"]).status(0);
    site.sql("INSERT INTO people (id) VALUES ('ann'), ('bo'); INSERT INTO notes (id, owner) VALUES ('n1', 'ann'), ('n2', 'bo')");
    site
}

const COLOUR: &str = "ALTER TABLE notes ADD COLUMN colour TEXT;";
/// What no assertion and no foreign key sees.
const LOSES: &str = "ALTER TABLE notes ADD COLUMN colour TEXT; DELETE FROM people WHERE id = 'bo';";
const REFERENCES: &str = "every reference that mappings use points to an existing row";

fn schema(site: &Site, command: &str, more: &[&str]) -> Ran {
    let url = site.url();
    let mut line = vec!["schema", command, "--mappings", "set", "--database", &url, "--yes", "--backup-dir", "kept"];
    line.retain(|word| !(more.contains(&"--no-backup") && ["--backup-dir", "kept"].contains(word)));
    line.extend(more);
    site.house.run(line)
}

/// Why each backup was made, oldest first.
fn reasons(site: &Site) -> Vec<String> {
    let url = site.url();
    let list =
        site.house.run(["backup", "list", "--json", "--database", &url, "--backup-dir", "kept"]).status(0).json();
    let mut all: Vec<(String, String)> = list["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let path = site.house.path(one["path"].as_str().unwrap());
            let manifest = std::fs::read_to_string(format!("{}.json", path.display())).unwrap();
            let manifest: Value = serde_json::from_str(&manifest).unwrap();
            (manifest["made_at"].as_str().unwrap().to_owned(), manifest["reason"].as_str().unwrap().to_owned())
        })
        .collect();
    all.sort();
    all.into_iter().map(|(_, reason)| reason).collect()
}

#[test]
fn one_command_backs_up_migrates_validates_and_backs_up_again() {
    for site in every() {
        let site = site_with(site, COLOUR);
        let done = schema(&site, "migrate", &["--verify", "--with-backup"]).status(0);
        assert!(done.stdout.contains(&format!("passed: {REFERENCES}")), "{}", done.stdout);
        assert!(done.stdout.contains("passed: tables, columns and types match the migrations"), "{}", done.stdout);
        assert_eq!(reasons(&site), ["before migrate", "after migrate"]);
        let back = schema(&site, "rollback", &["--steps", "1", "--verify", "--with-backup", "--json"]).status(0).json();
        assert!(back["backup"]["path"].is_string() && back["backup"]["error"].is_null(), "{back:#}");
        assert_eq!(reasons(&site)[2..], ["before rollback", "after rollback"]);
        // Where nothing is to be done there is nothing to back up.
        schema(&site, "migrate", &["--no-backup"]).status(0);
        schema(&site, "migrate", &["--verify", "--with-backup"]).status(0);
        assert_eq!(reasons(&site).len(), 4);
    }
}

#[test]
fn a_migration_behind_which_the_database_does_not_pass_is_rolled_back() {
    for site in every() {
        let site = site_with(site, LOSES);
        let before = site.state();
        for flags in [&["--verify", "--dry-run"][..], &["--verify", "--with-backup"]] {
            let refused = schema(&site, "migrate", flags).status(1).stdout;
            assert!(
                refused.contains(&format!("failed: {REFERENCES}: 1 row with a dangling reference `notes.owner`")),
                "{refused}"
            );
            let last = refused.lines().last().unwrap();
            assert!(last.starts_with("refused: 1 check does not hold, nothing was changed in "), "{refused}");
            assert_eq!(site.state(), before, "{flags:?}");
        }
        schema(&site, "migrate", &[]).status(0);
    }
}

#[test]
fn a_backup_that_fails_behind_a_change_is_told_with_the_commit() {
    let site = site_with(Site::on_file(), COLOUR);
    site.house.file("kept", "a file, where a folder is needed");
    let done = schema(&site, "migrate", &["--no-backup", "--backup-dir", "kept", "--with-backup"]).status(3).stdout;
    let last = done.lines().last().unwrap();
    assert!(
        last.starts_with("committed: 1 step in ") && last.contains(", but the backup behind it was not made: "),
        "{done}"
    );
    assert_eq!(site.one("SELECT count(*) FROM pragma_table_info('notes') WHERE name = 'colour'"), "1");
}

#[test]
fn all_of_it_is_done_on_a_copy_and_the_database_stays_as_it_is() {
    for (site, staging) in every().into_iter().zip(every()) {
        let site = site_with(site, COLOUR);
        let (database, copy) = (site.rows("SELECT id, owner FROM notes ORDER BY id"), staging.url());
        let flags = ["--verify", "--with-backup", "--copy"];
        let without = schema(&site, "migrate", &flags).status(2);
        assert!(without.stderr.contains("TREELIFT_COPY"), "{}", without.stderr);
        // The second time it replaces the copy of the first, which has been migrated.
        let url = site.url();
        for _ in 0..2 {
            let mut command =
                site.house.command(["schema", "migrate", "--mappings", "set", "--database", &url, "--yes"]);
            let done =
                Ran::of(command.args(["--backup-dir", "kept"]).args(flags).env("TREELIFT_COPY", &copy)).status(0);
            assert!(done.stdout.lines().last().unwrap().starts_with("committed: 1 step in "), "{}", done.stdout);
            assert_eq!(staging.rows("SELECT id, owner FROM notes WHERE colour IS NULL ORDER BY id"), database);
            assert!(reasons(&site).is_empty(), "the copy that it was made of is not kept");
        }
        let pending = site.house.run(["schema", "status", "--exit-code", "--mappings", "set", "--database", &url]);
        pending.status(4);
        let itself = schema(&site, "migrate", &["--copy", &url]).status(2);
        assert!(itself.stderr.contains("the copy would be the database itself"), "{}", itself.stderr);
    }
}

#[test]
fn the_way_back_stays_open_over_what_failed_before() {
    for site in every() {
        let site = site_with(site, COLOUR);
        schema(&site, "migrate", &["--no-backup"]).status(0);
        site.sql("DELETE FROM people WHERE id = 'bo'");
        let back = schema(&site, "rollback", &["--steps", "1", "--verify", "--no-backup"]).status(0).stdout;
        assert!(back.contains(&format!("not asked: {REFERENCES}: it failed before too: 1 row")), "{back}");
        // Up again it is a reason to change nothing.
        let refused = schema(&site, "migrate", &["--verify", "--no-backup"]).status(1).stdout;
        assert!(refused.contains(&format!("failed: {REFERENCES}: 1 row")), "{refused}");
        assert!(schema(&site, "migrate", &["--no-backup"]).status(0).stdout.contains("rows of notes: 2 → 2"));
    }
}
