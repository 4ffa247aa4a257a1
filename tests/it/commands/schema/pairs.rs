//! Pairs of migration files: written from drift, and proved on private databases.

use crate::house::keeping::{URL, change, objects, schema};
use crate::house::{House, Ran};
use std::fs;

#[test]
fn a_table_dropped_manually_makes_a_pair_that_passes_its_test() {
    let house = House::new();
    house.file("set/set.toml", "name = \"notes\"\ndatabase = \"target.db\"\n");
    house.file(
        "set/schema/001_notes.up.sql",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL);\n\
         CREATE TABLE log (n INTEGER, at TEXT);\nCREATE INDEX log_n ON log (n);\n\
         CREATE TRIGGER logged AFTER DELETE ON log BEGIN UPDATE notes SET title = ''; END;\n\
         CREATE VIRTUAL TABLE found USING fts5 (title, content = 'notes', content_rowid = 'id');\n",
    );
    house.file("set/schema/001_notes.down.sql", "DROP TABLE found;\nDROP TABLE IF EXISTS log;\nDROP TABLE notes;\n");
    schema(&house, "migrate --mappings set").status(0);
    let run = schema(&house, "new nothing --from-drift --mappings set").status(0);
    assert_eq!(run.stdout, format!("nothing differs in {URL}, so nothing was written\n"));
    assert!(!house.path("set/schema/002_nothing.up.sql").exists());

    change(&house, "INSERT INTO notes VALUES (1, 'red wheel'); DROP TABLE log; DROP TABLE found;");
    schema(&house, "new without_log --from-drift --mappings set").status(0);
    let proofs = house.run(["schema", "test", "--mappings", "set"]).status(0);
    assert!(proofs.stdout.contains("passed  `002_without_log` down\n"), "{}", proofs.stdout);
    schema(&house, "stamp 002 --mappings set --no-backup").status(0);
    schema(&house, "rollback --steps 1 --mappings set --no-backup").status(0);
    assert_eq!(house.one("SELECT rowid FROM found WHERE found MATCH 'wheel'"), "1");
    assert!(objects(&house).is_superset(&["log_n", "logged"].map(str::to_owned).into()));
}

#[test]
fn a_column_renamed_manually_needs_manual_action() {
    let house = House::new();
    house.file("set/set.toml", "name = \"notes\"\ndatabase = \"target.db\"\n");
    house.file("set/schema/001_notes.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL);\n");
    house.file("set/schema/001_notes.down.sql", "DROP TABLE notes;\n");
    schema(&house, "migrate --mappings set").status(0);
    change(&house, "INSERT INTO notes VALUES (1, 'red'); ALTER TABLE notes RENAME COLUMN title TO heading;");
    let run = schema(&house, "new headings --from-drift --mappings set").status(0);
    let up = house.path("set/schema/002_headings.up.sql");
    let last = "2 differences need manual action, see `-- manual action` in set/schema/002_headings.up.sql";
    assert_eq!(run.last_line(), last);
    let text = fs::read_to_string(&up).unwrap();
    assert!(!text.lines().any(|line| !line.is_empty() && !line.starts_with("--")), "{text}");
    let (_, rename) = text.split_once("if it was renamed to `heading`, write: ").unwrap();
    fs::write(&up, rename.lines().next().unwrap()).unwrap();
    house.file("set/schema/002_headings.down.sql", "ALTER TABLE notes RENAME COLUMN heading TO title;\n");
    house.run(["schema", "test", "--mappings", "set"]).status(0);
    schema(&house, "stamp 002 --mappings set --no-backup").status(0);
    schema(&house, "validate --mappings set").status(0);
}

/// `schema test` of a set of two migrations, each given as its up and its down file.
fn tested(files: [(&str, &str); 2]) -> Ran {
    let house = House::new();
    house.file("set/set.toml", "name = \"notes\"\ndatabase = \"target.db\"\n");
    for (number, (up, down)) in (1..).zip(files) {
        house.file(&format!("set/schema/00{number}_it.up.sql"), up);
        house.file(&format!("set/schema/00{number}_it.down.sql"), down);
    }
    house.run(["schema", "test", "--mappings", "set"])
}

#[test]
fn the_table_that_rejects_a_sample_row_is_named() {
    let said = |why: &str| {
        format!(
            "error: a sample row of `a` was rejected: {why}\n\
             hint: fix what rejects it, or test on a copy of a database that has rows: `--copy-of URL`\n"
        )
    };
    let log = "CREATE TABLE log (n INT);";
    let made = format!(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, n INT); {log}
         CREATE TRIGGER tr AFTER INSERT ON a BEGIN INSERT INTO log VALUES (new.n); END;"
    );
    let run = tested([(&made, "DROP TABLE a; DROP TABLE IF EXISTS log;"), ("DROP TABLE log;", log)]).status(3);
    assert_eq!(run.stderr, said("no such table: main.log"));
    let made = "CREATE TABLE a (id INTEGER PRIMARY KEY, s TEXT NOT NULL CHECK (s GLOB '[0-9]-[a-z]'));";
    let run = tested([(made, "DROP TABLE a;"), (log, "DROP TABLE log;")]).status(3);
    assert_eq!(run.stderr, said("CHECK constraint failed: s GLOB '[0-9]-[a-z]'"));
}

#[test]
fn a_migration_that_does_not_run_is_a_failed_step_of_its_test() {
    let notes = ("CREATE TABLE notes (id INTEGER PRIMARY KEY);", "DROP TABLE notes;");
    let told = |files, expected: &str| {
        let run = tested(files).status(1);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected, ""));
    };
    told(
        [notes, ("CREATE TABLE more (id INTEGER);", "DROP TABLE mare;")],
        "passed  up to the last\n\
         FAILED  `002_it` down\n          \
                   - migration `002_it` cannot be rolled back, in its statement 1: no such table: mare\n\
         failed: 2 steps, 1 failed\n",
    );
    told(
        [notes, ("CREATE TABEL more (id INTEGER);", "DROP TABLE more;")],
        "FAILED  up to the last\n          \
                   - migration `002_it` is not valid SQL: near \"TABEL\": syntax error\n\
         failed: 1 step, 1 failed\n",
    );
    // It makes what its way back leaves: the first time it runs, then no more.
    let up = "CREATE TABLE more (id INTEGER); CREATE INDEX notes_id ON notes (id);";
    told(
        [notes, (up, "DROP TABLE more;")],
        "passed  up to the last\n\
         FAILED  `002_it` down\n          \
                   - index `notes_id` on `notes` is not expected\n\
         FAILED  `002_it` up again, rows kept\n          \
                   - migration `002_it` is not recorded, but part of what it creates already exists: table `more` is missing\n\
         passed  `001_it` down\n\
         passed  `001_it` up again, rows kept\n\
         passed  down to nothing\n\
         passed  up again from nothing\n\
         passed  down to nothing\n\
         failed: 8 steps, 2 failed\n",
    );
    let people = "CREATE TABLE people (id INTEGER PRIMARY KEY);
        CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES people (id));";
    told(
        [
            (people, "DROP TABLE notes; DROP TABLE people;"),
            ("CREATE TABLE more (id INTEGER);", "DROP TABLE more; DELETE FROM people;"),
        ],
        "passed  up to the last\n\
         FAILED  `002_it` down\n          \
                   - 1 row of `notes` would reference missing rows of `people`\n\
         failed: 2 steps, 1 failed\n",
    );
}

#[test]
fn rows_that_a_migration_corrupts_fail_its_test_and_its_own_seeds_do_not() {
    let cases = [
        ("SELECT 1;", "UPDATE notes SET title = 'gone';", Some("`notes` differ from before")),
        ("SELECT 1;", "DELETE FROM notes;", Some("`notes` has 0 rows, expected 1")),
        ("SELECT 1;", "DELETE FROM notes; INSERT INTO notes VALUES (9, 'x');", Some("`notes` differ from before")),
        ("INSERT INTO notes VALUES (1000, 'seed');", "DELETE FROM notes WHERE id = 1000;", None),
        ("ALTER TABLE notes ADD COLUMN colour TEXT;", "ALTER TABLE notes DROP COLUMN colour;", None),
    ];
    for (up, down, told) in cases {
        let house = House::new();
        house.file("set/set.toml", "name = \"notes\"\n");
        house.file("set/schema/001_it.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT);");
        house.file("set/schema/001_it.down.sql", "DROP TABLE notes;");
        house.file("set/schema/002_it.up.sql", up);
        house.file("set/schema/002_it.down.sql", down);
        let run = house.run(["schema", "test", "--mappings", "set"]);
        match told {
            None => drop(run.status(0)),
            Some(told) => {
                let run = run.status(1);
                assert!(
                    run.stdout.contains(&format!("FAILED  `002_it` up again, rows kept\n          - {told}\n")),
                    "{}",
                    run.stdout
                );
            }
        }
    }
    // On the way up, rows may change and may not go.
    let house = House::new();
    house.file("set/set.toml", "name = \"notes\"\n");
    house.file("set/schema/001_it.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT);");
    house.file("set/schema/001_it.down.sql", "DROP TABLE notes;");
    schema(&house, "migrate --mappings set").status(0);
    change(&house, "INSERT INTO notes VALUES (1, 'a')");
    house.file("set/schema/002_it.up.sql", "DELETE FROM notes;");
    house.file("set/schema/002_it.down.sql", "SELECT 1;");
    let run = house.run(["schema", "test", "--mappings", "set", "--copy-of", URL]).status(1);
    assert!(
        run.stdout.contains("FAILED  up to the last\n          - `notes` has 0 rows, expected 1\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_collation_and_a_computed_column_need_manual_action() {
    let cases = [
        (
            "ALTER TABLE notes ADD COLUMN mail TEXT COLLATE NOCASE NOT NULL DEFAULT ''",
            "column `notes.mail` is new; its table names a collation",
        ),
        (
            "ALTER TABLE notes ADD COLUMN up TEXT AS (upper(title)) VIRTUAL",
            "column `notes.up` is computed, and was added or removed",
        ),
        (
            "ALTER TABLE notes ADD COLUMN up TEXT AS (upper(title)) VIRTUAL; CREATE INDEX notes_up ON notes (up)",
            "index `notes_up` differs",
        ),
    ];
    for (sql, told) in cases {
        let house = House::new();
        house.file("set/set.toml", "name = \"notes\"\n");
        house.file("set/schema/001_it.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT);");
        house.file("set/schema/001_it.down.sql", "DROP TABLE notes;");
        schema(&house, "migrate --mappings set").status(0);
        change(&house, sql);
        schema(&house, "new drifted --from-drift --mappings set").status(0);
        let text = fs::read_to_string(house.path("set/schema/002_drifted.up.sql")).unwrap();
        assert!(text.contains(&format!("-- manual action: {told}")), "{text}");
        assert!(!text.lines().any(|line| !line.is_empty() && !line.starts_with("--")), "{text}");
    }
}
