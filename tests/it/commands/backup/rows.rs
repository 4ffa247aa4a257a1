//! Single tables of a backup, on every engine: their rows are as they were, and every other row stays as it is.

use crate::house::Ran;
use crate::house::site::{Site, every};
use std::path::PathBuf;

const SCHEMA: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT UNIQUE, karma REAL);
CREATE TABLE notes (id TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE, text TEXT);
CREATE TABLE tags (note TEXT NOT NULL REFERENCES notes (id) ON DELETE CASCADE, name TEXT NOT NULL, PRIMARY KEY (note, name));
CREATE TABLE loose (word TEXT);";

/// A database with a backup of it, and what it holds.
fn site_with(site: Site) -> Site {
    site.house.file("set/set.toml", "name = \"notes\"\n");
    site.house.file("set/schema/001_notes.up.sql", SCHEMA);
    let url = site.url();
    site.house.run(["schema", "migrate", "--mappings", "set", "--database", &url, "--yes", "--no-backup"]).status(0);
    site.sql("INSERT INTO people (id, email, karma) VALUES (1, 'ann@x', 0.5), (2, 'bo@x', NULL), (3, 'cy@x', 2)");
    site.sql(
        "INSERT INTO notes (id, person, text) VALUES ('a', 1, 'one'), ('b', 2, 'two'), ('c', 3, 'it''s; \\. three')",
    );
    site.sql("INSERT INTO tags (note, name) VALUES ('a', 'x'), ('b', 'y'), ('c', 'z')");
    site.house.run(["backup", "create", "--database", &url, "--backup-dir", "kept"]).status(0);
    site
}

fn content(site: &Site) -> Vec<Vec<Vec<String>>> {
    let of = |text: &str| site.rows(text);
    vec![
        of("SELECT CAST(id AS TEXT), email, CAST(karma AS TEXT) FROM people ORDER BY id"),
        of("SELECT id, CAST(person AS TEXT), text FROM notes ORDER BY id"),
        of("SELECT note, name FROM tags ORDER BY note, name"),
    ]
}

fn restore(site: &Site, more: &[&str]) -> Ran {
    let url = site.url();
    let backup =
        site.house.run(["backup", "list", "--json", "--database", &url, "--backup-dir", "kept"]).status(0).json();
    let backups = backup["backups"].as_array().unwrap().clone();
    // The first one made: safety backups come later.
    let mut paths: Vec<PathBuf> = backups.iter().map(|one| site.house.path(one["path"].as_str().unwrap())).collect();
    paths.sort();
    let first = paths[0].to_str().unwrap().to_owned();
    let mut line = vec!["backup", "restore", "--file", &first, "--database", &url, "--backup-dir", "kept"];
    line.extend(more);
    site.house.run(line)
}

#[test]
fn a_table_has_its_rows_again_and_no_other_row_goes_with_them() {
    for site in every() {
        let site = site_with(site);
        let before = content(&site);
        site.sql("UPDATE people SET email = 'other@x', karma = 7 WHERE id = 1");
        site.sql("DELETE FROM people WHERE id = 3"); // its notes go with it on a server
        site.sql("DELETE FROM notes WHERE id = 'c'; DELETE FROM tags WHERE note = 'c'");
        site.sql("INSERT INTO people (id, email) VALUES (4, 'cy@x')"); // who came back
        let changed = site.state();
        let dry = restore(&site, &["--table", "people", "--dry-run"]).status(0).stdout;
        assert!(
            dry.starts_with("rows of people: 1 added, 1 changed, 1 removed\ndry run: 1 table could be restored"),
            "{dry}"
        );
        assert_eq!(site.state(), changed);
        let asked = restore(&site, &["--table", "people"]).status(2).stderr;
        assert!(asked.contains("`people` (add 1 row, change 1, remove 1)?"), "{asked}");
        assert_eq!(site.state(), changed);
        let done = restore(&site, &["--table", "people", "--yes"]).status(0).stdout;
        assert!(done.contains("rows of people: 1 added, 1 changed, 1 removed\ncommitted: 1 table of "), "{done}");
        assert_eq!(content(&site)[0], before[0]);
        assert_eq!(content(&site)[1][..], before[1][..2], "the notes of those who stayed");
        // Together, parents before their children; what is the same stays.
        let done = restore(&site, &["--table", "tags", "--table", "notes", "--yes", "--json"]).status(0).json();
        assert_eq!(
            done["restored"]["tables"],
            serde_json::json!([
                { "table": "notes", "added": 1, "changed": 0, "removed": 0 },
                { "table": "tags", "added": 1, "changed": 0, "removed": 0 },
            ])
        );
        assert_eq!(content(&site), before);
        let again = restore(&site, &["--table", "people", "--table", "notes", "--yes"]).status(0).stdout;
        assert!(again.contains("\nnothing to do in "), "{again}");
        assert_eq!(site.one("SELECT count(*) FROM treelift_audit WHERE action = 'restore'"), "2");
    }
}

#[test]
fn a_child_that_moved_to_a_later_parent_comes_back_with_both_tables() {
    for site in every() {
        let site = site_with(site);
        let before = content(&site);
        site.sql("INSERT INTO people (id, email) VALUES (9, 'new@x'); UPDATE notes SET person = 9 WHERE id = 'a'");
        let changed = site.state();
        let refused = restore(&site, &["--table", "people", "--yes"]).status(3).stderr;
        assert!(refused.contains("1 row of `notes` would reference missing rows of `people` (person)"), "{refused}");
        assert!(refused.contains("restore both: `--table people --table notes`; nothing was changed"), "{refused}");
        assert_eq!(site.state(), changed);
        restore(&site, &["--table", "people", "--table", "notes", "--yes"]).status(0);
        assert_eq!(content(&site), before);
    }
}

#[test]
fn what_cannot_be_restored_alone_is_refused_and_nothing_changes() {
    for site in every() {
        let site = site_with(site);
        site.sql("DELETE FROM tags; DELETE FROM notes; DELETE FROM people");
        let changed = site.state();
        let says = |more: &[&str], status: i32, what: &str| {
            let refused = restore(&site, more).status(status).stderr;
            assert!(refused.contains(what), "{refused}");
            assert_eq!(site.state(), changed, "{more:?}");
        };
        says(&["--table", "peple", "--yes"], 2, "did you mean `people`?");
        says(&["--table", "loose", "--yes"], 3, "`loose` has no primary key that tells its rows apart");
        // Its rows reference people who are not there.
        says(&["--table", "notes", "--yes"], 3, "nothing was changed");
        site.sql("ALTER TABLE people ADD COLUMN colour TEXT");
        let refused = restore(&site, &["--table", "people", "--yes"]).status(3).stderr;
        assert!(refused.contains("`people` has other columns than in the backup"), "{refused}");
    }
}

/// A database of these statements with a backup of it, which is changed by others then.
fn changed(site: Site, made: &str, change: &str) -> Site {
    site.sql(made);
    if site.is_file() {
        std::fs::set_permissions(site.house.path("target.db"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
    }
    site.house.run(["backup", "create", "--database", &site.url(), "--backup-dir", "kept"]).status(0);
    site.sql(change);
    site
}

#[test]
fn rows_that_would_not_be_those_of_the_backup_are_refused() {
    let cases = [
        // A key that holds NULL, one that is the same in another case, a trigger that writes something else.
        (true, "CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT); INSERT INTO t VALUES (NULL, 'a'), (NULL, 'b'), ('c', 'c')", "UPDATE t SET v = 'x' WHERE id = 'c'"),
        (true, "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY); INSERT INTO t VALUES ('A')", "UPDATE t SET id = 'a'"),
        (
            true,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, at TEXT); INSERT INTO t VALUES (1, 'a', 'then');
             CREATE TRIGGER touch AFTER UPDATE OF v ON t BEGIN UPDATE t SET at = 'now' WHERE id = new.id; END",
            "UPDATE t SET v = 'x'",
        ),
        (
            false,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b');
             CREATE FUNCTION shift() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.id := new.id + 100; RETURN new; END';
             CREATE TRIGGER shift BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION shift()",
            "DELETE FROM t",
        ),
        (
            false,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a');
             CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER nothing BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION nothing()",
            "DELETE FROM t",
        ),
    ];
    for (is_of_file, made, change) in cases {
        for site in every().into_iter().filter(|site| site.is_file() == is_of_file) {
            let site = changed(site, made, change);
            let before = site.state();
            let refused = restore(&site, &["--table", "t", "--yes"]).status(3).stderr;
            assert!(refused.contains("of `t` would not be those of the backup"), "{refused}");
            assert_eq!(site.state(), before);
        }
    }
}

#[test]
fn what_other_tables_reference_is_not_changed_under_them() {
    for site in every() {
        let site = changed(
            site,
            "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE);
             CREATE TABLE c (id INTEGER PRIMARY KEY, code TEXT REFERENCES p (code) ON UPDATE SET NULL);
             INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1, 'a')",
            "UPDATE c SET code = NULL; UPDATE p SET code = 'r'; UPDATE c SET code = 'r'",
        );
        let before = site.state();
        let refused = restore(&site, &["--table", "p", "--yes"]).status(3).stderr;
        assert!(refused.contains("1 row of `c` reference `p` (code) by values that would change"), "{refused}");
        assert_eq!(site.state(), before);
    }
}

#[test]
fn one_old_fault_does_not_let_a_new_one_through() {
    let site = changed(
        Site::on_file(),
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));
         PRAGMA foreign_keys = OFF; INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, 9), (3, 5)",
        "INSERT INTO p VALUES (5); DELETE FROM c WHERE id = 3",
    );
    let before = site.state();
    let refused = restore(&site, &["--table", "c", "--yes"]);
    // Row 3 has its parent here; without it there would be two that dangle.
    refused.status(0);
    assert_ne!(site.state(), before);
    site.sql("DELETE FROM c WHERE id = 3; DELETE FROM p WHERE id = 5");
    let refused = restore(&site, &["--table", "c", "--yes"]).status(3).stderr;
    assert!(refused.contains("2 rows of `c` with a dangling reference to `p`"), "{refused}");
}

#[cfg(feature = "postgres")]
#[test]
fn columns_that_a_server_computes_or_counts_come_back_too() {
    let site = changed(
        Site::on_server(),
        "CREATE TABLE t (id TEXT PRIMARY KEY, n BIGINT GENERATED ALWAYS AS IDENTITY, v INTEGER,
                         twice INTEGER GENERATED ALWAYS AS (v * 2) STORED NOT NULL);
         INSERT INTO t (id, v) VALUES ('a', 1), ('b', 2), ('c', 3)",
        "UPDATE t SET v = 7 WHERE id = 'a'; DELETE FROM t WHERE id = 'b'",
    );
    restore(&site, &["--table", "t", "--yes"]).status(0);
    assert_eq!(
        site.rows("SELECT id, n, v, twice FROM t ORDER BY id"),
        [["a", "1", "1", "2"], ["b", "2", "2", "4"], ["c", "3", "3", "6"]]
    );
    let site = changed(
        Site::on_server(),
        "CREATE TABLE t (id INTEGER PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10); INSERT INTO t VALUES (1), (2)",
        "DELETE FROM t WHERE id = 2",
    );
    let refused = restore(&site, &["--table", "t", "--yes"]).status(3).stderr;
    assert!(refused.contains("`t` is partitioned"), "{refused}");
}
