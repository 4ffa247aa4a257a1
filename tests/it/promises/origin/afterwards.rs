//! What the ledger knows of rows afterwards: the application rewrites keys and times, migrations rename tables.

use crate::commands::undo::{TABLES, house, imported, undo};
use crate::house::keeping::{URL, change};
use crate::house::{DATABASE, House, Ran};
use serde_json::{Value, json};

/// What an undo says that removes all, and what a dry run says of it.
fn undone(house: &House, run: &str, words: &str) {
    let shown = undo(house, run, &["--dry-run"]).status(0).stdout;
    let ran = undo(house, run, &["--no-backup"]).status(0).stdout;
    assert_eq!(ran, words);
    let dry = words.replace("removed", "to remove");
    let last = format!("undone in {URL}");
    let would = format!("would be undone, nothing was changed in {URL}");
    assert_eq!(shown, dry.replace("committed: ", "dry run: ").replace(&last, &would));
}

#[test]
fn a_row_whose_times_stand_in_another_form_is_undone() {
    let without = TABLES.replace("PRIMARY KEY (person, seen))", "PRIMARY KEY (person, seen)) WITHOUT ROWID");
    assert_ne!(without, TABLES);
    for schema in [TABLES, &without] {
        for form in ["%Y-%m-%d %H:%M:%S%.6f", "%d.%m.%Y %H:%M:%S"] {
            let house = house().schema(schema);
            let house = house
                .set(&format!("[precedence]\npeople = [\"people\", \"mails\"]\n[written]\nDATETIME = \"{form}\"\n"));
            let run = imported(&house);
            change(&house, "UPDATE tags SET seen = '2025-05-07T16:42:18+02:00'");
            change(&house, "UPDATE people SET made = replace(made, ' ', 'T') || 'Z'");
            let words = format!(
                "notes: 3 rows removed\npeople: 2 rows removed\ntags: 1 row removed\n\
                 committed: 6 rows of run {run} undone in {URL}\n"
            );
            undone(&house, &run, &words);
            assert_eq!(house.one("SELECT count(*) FROM tags"), "0");
            assert_eq!(house.one("SELECT count(*) FROM treelift_rows"), "0");
        }
    }
}

#[test]
fn a_time_that_means_another_one_was_changed() {
    let house = house();
    let run = imported(&house);
    change(&house, "UPDATE people SET made = '2001-01-01T00:00:00Z' WHERE id = '2'");
    let ran = undo(&house, &run, &[]).status(1);
    let words = format!(
        "blocked: 1 row of `people` was changed after the run (2)\n\
         refused: run {run} cannot be undone, nothing was changed in {URL}\n"
    );
    assert_eq!(ran.stdout, words);
}

#[test]
fn of_two_times_of_one_meaning_the_one_that_the_run_wrote_is_undone() {
    let house = house();
    let run = imported(&house);
    change(&house, "INSERT INTO tags SELECT person, name, replace(seen, ' ', 'T') FROM tags");
    let ran = undo(&house, &run, &["--no-backup"]).status(0);
    assert!(ran.stdout.contains("tags: 1 row removed\n"), "{}", ran.stdout);
    assert_eq!(house.one("SELECT seen FROM tags"), "2025-05-07T14:42:18.000000");
    // Which of two others it was cannot be told.
    let house = crate::commands::undo::house();
    let run = imported(&house);
    change(&house, "INSERT INTO tags SELECT person, name, replace(seen, ' ', 'T') FROM tags");
    change(&house, "UPDATE tags SET seen = seen || 'Z' WHERE seen LIKE '% %'");
    let ran = undo(&house, &run, &["--no-backup"]).status(1);
    assert!(ran.stdout.contains("tags: 1 row not found by key\n"), "{}", ran.stdout);
    assert_eq!(house.one("SELECT count(*) FROM tags"), "2");
}

#[test]
fn a_row_that_is_not_found_is_not_called_deleted_while_it_may_be_there() {
    let house = house();
    let run = imported(&house);
    change(&house, "UPDATE tags SET person = '9'");
    let last = "; 1 row not found by key: deleted, or given another key\n";
    let tables = "notes: 3 rows removed\npeople: 2 rows removed\ntags: 1 row not found by key\n";
    let shown = undo(&house, &run, &["--dry-run"]).status(1).stdout;
    let would = format!("dry run: 5 rows of run {run} would be undone, nothing was changed in {URL}{last}");
    assert_eq!(shown, tables.replace("removed", "to remove") + &would);
    let document = undo(&house, &run, &["--no-backup", "--json"]).status(1).json();
    assert_eq!(document["outcome"], "committed");
    let tags =
        json!({"name": "tags", "removed": 0, "emptied": 0, "gone": 0, "unfound": 1, "unjudged": 0, "resealed": 0});
    assert_eq!(document["tables"][2], tags);
    assert_eq!(house.one("SELECT person FROM tags"), "9");
    assert_eq!(house.one("SELECT count(*) FROM notes"), "0");
}

#[test]
fn where_nothing_is_found_nothing_is_undone_and_the_status_says_it() {
    let house = house();
    let run = imported(&house);
    change(&house, "PRAGMA foreign_keys = OFF; UPDATE people SET id = 'p' || id; UPDATE notes SET id = id + 70");
    change(&house, "UPDATE tags SET person = '9'");
    let ran = undo(&house, &run, &["--no-backup"]).status(1);
    let words = format!(
        "notes: 3 rows not found by key\npeople: 2 rows not found by key\ntags: 1 row not found by key\n\
         nothing to undo: no row of run {run} was found in {URL}; 6 rows not found by key: deleted, or given another key\n"
    );
    assert_eq!(ran.stdout, words);
    assert_eq!(house.one("SELECT count(*) FROM treelift_runs"), "1");
    // What another run wrote is known, so the rows of the first are gone for sure.
    change(&house, "DELETE FROM people; DELETE FROM notes; DELETE FROM tags");
    house.put("people.json", json!([{"id": "3", "name": "Cid", "notes": []}]).to_string());
    house.put("tags.json", "[]");
    imported(&house);
    let ran = undo(&house, &run, &["--no-backup"]).status(0);
    let words = format!(
        "notes: 3 rows already deleted\npeople: 2 rows already deleted\ntags: 1 row already deleted\n\
         nothing to undo: no row of run {run} is in {URL}\n"
    );
    assert_eq!(ran.stdout, words);
}

#[test]
fn rows_of_bytes_and_of_columns_without_a_type_are_found_by_their_keys() {
    for (declared, key, suffix) in [
        ("BLOB", "{ from = \"k\", steps = [\"hex\"] }", ""),
        ("BLOB", "{ from = \"k\", steps = [\"hex\"] }", " WITHOUT ROWID"),
        ("", "\"n\"", ""),
        ("NUMERIC", "\"n\"", ""),
        ("REAL", "\"n\"", " WITHOUT ROWID"),
    ] {
        let rules = format!(
            "[table.things]\nkey = [\"id\"]\n[table.things.columns]\nid = {key}\nname = \"name\"\n[ignore]\n\"*\" = \"of the other key\"\n"
        );
        let house = House::new()
            .schema(&format!("CREATE TABLE things (id {declared} PRIMARY KEY NOT NULL, name TEXT){suffix};"))
            .list("things", "things.json", &rules)
            .source("things.json", &json!([{"k": "00ff", "n": 1.5, "name": "a"}, {"k": "0102", "n": 7, "name": "b"}]));
        let run = imported(&house);
        house.lift(&["--no-backup"]).ends(0, "committed").counts("unchanged", "things 2");
        let ran = undo(&house, &run, &["--no-backup"]).status(0);
        let words = format!("things: 2 rows removed\ncommitted: 2 rows of run {run} undone in {URL}\n");
        assert_eq!(ran.stdout, words, "{declared}{suffix}");
    }
}

/// A list of events without a primary key, or with one of times, and no rule's key.
fn events(key: &str) -> House {
    let rules =
        "[table.events]\n[table.events.columns]\nname = \"name\"\nat = \"at\"\nday = \"day\"\nclock = \"clock\"\n";
    House::new()
        .schema(&format!("CREATE TABLE events (name TEXT, at TIMESTAMP, day DATE, clock TIME{key});"))
        .set("[written]\nDATE = \"%d.%m.%Y\"\nTIME = \"%H:%M:%S\"\n")
        .list("events", "events.json", rules)
        .source(
            "events.json",
            &json!([
                {"name": "a", "at": "2025-05-07T14:42:18Z", "day": "2025-05-07", "clock": "14:42"},
                {"name": "b", "at": "2025-05-08T14:42:18.5Z", "day": "2025-05-08", "clock": "14:43"},
            ]),
        )
}

#[test]
fn rows_that_the_ledger_alone_knows_are_found_again_where_their_times_were_rewritten() {
    for key in
        ["", ", PRIMARY KEY (name, at, day, clock)", ", PRIMARY KEY (name, at, day, clock)) WITHOUT ROWID; SELECT (1"]
    {
        let house = events(key);
        house.lift(&[]).ends(0, "committed").counts("inserted", "events 2");
        change(
            &house,
            "UPDATE events SET at = '2025-05-07T14:42:18Z', day = '2025-05-07', clock = '14:42' WHERE name = 'a'",
        );
        for _ in 0..2 {
            let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
            drop(lifted.counts("inserted", "").counts("unchanged", "events 2"));
        }
        assert_eq!(house.one("SELECT count(*) FROM events"), "2");
        // Another time is another row.
        change(&house, "UPDATE events SET at = '2025-05-07T14:42:19Z' WHERE name = 'a'");
        house.lift(&[]).ends(0, "committed").counts("inserted", "events 1");
    }
}

#[test]
fn one_and_one_point_nought_are_one_key_in_the_run_in_the_ledger_and_in_a_second_import() {
    for (declared, more) in
        [("NUMERIC PRIMARY KEY", ""), ("NUMERIC", ""), ("DECIMAL(4, 1) UNIQUE", ""), ("REAL PRIMARY KEY", "")]
    {
        let rules = "[table.rates]\nkey = [\"rate\"]\non_duplicate = \"first\"\n[table.rates.columns]\nrate = \"rate\"\nname = \"name\"\n";
        let uses = "[table.uses]\nkey = [\"id\"]\n[table.uses.columns]\nid = \"id\"\nname = { lookup = \"rates.name\", by = { rate = \"rate\" } }\n";
        let house = House::new()
            .schema(&format!("CREATE TABLE rates (rate {declared}, name TEXT{more}); CREATE TABLE uses (id TEXT PRIMARY KEY, name TEXT);"))
            .list("rates", "rates.json", rules)
            .list("uses", "uses.json", uses);
        house.put(
            "rates.json",
            r#"[{"rate": 1, "name": "a"}, {"rate": 1.0, "name": "b"}, {"rate": 2.50, "name": "c"}]"#,
        );
        house.put("uses.json", r#"[{"id": "x", "rate": 1.00}, {"id": "y", "rate": 2.5}]"#);
        house.lift(&[]).ends(0, "committed").counts("inserted", "rates 2, uses 2");
        assert_eq!(house.rows("SELECT id, name FROM uses ORDER BY id"), [["x", "a"], ["y", "c"]], "{declared}");
        house
            .put("rates.json", r#"[{"rate": 1.0, "name": "a"}, {"rate": 1, "name": "b"}, {"rate": 2.5, "name": "c"}]"#);
        let lifted = house.lift(&[]).ends(0, "committed").counts("inserted", "");
        drop(lifted.counts("unchanged", "rates 2, uses 2"));
    }
}

/// `explain --row` on the house's tree and set.
fn explain(house: &House, table: &str, key: &str, more: &[&str]) -> Ran {
    let fixed = ["explain", "--row", table, key, "--source", "tree", "--mappings", "set", "--database", URL];
    house.run(fixed.iter().chain(more))
}

/// The pointers of the leaves of a row, and the values that went into it.
fn leaves(ran: &Ran) -> Vec<(String, String)> {
    let document = ran.json();
    let leaf = |leaf: &Value| {
        let way = &leaf["goes"][0];
        (leaf["pointer"].as_str().unwrap().to_owned(), way["value"].as_str().unwrap_or_default().to_owned())
    };
    document["explained"]["leaves"].as_array().unwrap().iter().map(leaf).collect()
}

#[test]
fn a_row_is_explained_by_its_key_in_whatever_form() {
    let house = house();
    imported(&house);
    change(&house, "UPDATE tags SET seen = '2025-05-07T14:42:18Z'");
    for key in ["1,2025-05-07 14:42:18.000000", "1,2025-05-07T14:42:18Z", "1,2025-05-07T16:42:18+02:00"] {
        let told = explain(&house, "tags", key, &["--json"]).status(0);
        assert_eq!(told.json()["origin"]["pointer"], "/0", "{key}");
        assert_eq!(leaves(&told).len(), 3);
    }
    let ran = explain(&house, "tags", "1", &[]).status(2);
    let words = format!(
        "error: no run recorded a row of `tags` with the key `1`\n  at {URL}\n\
         hint: the key is the table's primary key (person, seen), its parts in order and separated by commas\n"
    );
    assert_eq!(ran.stderr, words);
}

/// People whose ids the engine gives, with tags that are one string in the source.
fn people() -> House {
    let rules = r#"
        [table.people]
        key = ["name"]
        [table.people.columns]
        name = "name"
        [table.tags]
        parent = "people"
        each = { from = "tags", steps = [{ split = "," }] }
        key = ["person", "tag"]
        [table.tags.columns]
        person = "^id"
        tag = ".""#;
    House::new()
        .schema(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
             CREATE TABLE tags (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id), tag TEXT);",
        )
        .list("people", "people.json", rules)
        .source("people.json", &json!([{"name": "Ann", "tags": "red,blue"}, {"name": "Bob", "tags": "green"}]))
}

#[test]
fn every_row_that_a_string_was_taken_apart_into_is_explained() {
    let house = people();
    house.lift(&[]).ends(0, "committed").counts("inserted", "people 2, tags 3");
    let told =
        house.run(["explain", "tree/people.json#/0/tags", "--source", "tree", "--mappings", "set"]).status(0).stdout;
    let words = "people.json: mapped by people (set/people.toml), shape list\n\
                 \n/0/tags (line 1) \"red,blue\"\n  \
                 column tags.tag (set/people.toml:19)\n    = \"red\"\n    row person = 1, tag = \"red\"\n  \
                 column tags.tag (set/people.toml:19)\n    = \"blue\"\n    row person = 1, tag = \"blue\"\n";
    assert_eq!(told, words);
    for (key, tag) in [("1", "red"), ("2", "blue"), ("3", "green")] {
        let told = explain(&house, "tags", key, &["--json"]).status(0);
        let values: Vec<String> = leaves(&told).into_iter().map(|(_, value)| value).collect();
        assert!(values.contains(&format!("\"{tag}\"")), "{key}: {values:?}");
        assert_eq!(told.json()["explained"]["leaves"].as_array().unwrap().len(), 1, "{}", told.stdout);
        assert_eq!(told.json()["explained"]["leaves"][0]["goes"].as_array().unwrap().len(), 1, "{}", told.stdout);
    }
}

#[test]
fn a_row_is_explained_by_the_key_of_its_rule_where_that_is_one_row() {
    let house = people();
    house.lift(&[]).ends(0, "committed");
    let told = explain(&house, "people", "Bob", &["--json"]).status(0);
    assert_eq!(told.json()["origin"]["pointer"], "/1");
    let told = explain(&house, "tags", "1,blue", &["--json"]).status(0);
    assert_eq!(leaves(&told), [("/0/tags".to_owned(), "\"blue\"".to_owned())]);
    let ran = explain(&house, "people", "Cid", &[]).status(2);
    let words = format!(
        "error: no run recorded a row of `people` with the key `Cid`\n  at {URL}\n\
         hint: the key is the table's primary key (id) or a rule's key (name), its parts in order and separated by commas\n"
    );
    assert_eq!(ran.stderr, words);
    change(&house, "INSERT INTO people (name) VALUES ('Dan')");
    let ran = explain(&house, "people", "Dan", &[]).status(2);
    let words = "error: no run recorded the row of `people` with the key `Dan`: the database has it from elsewhere\n";
    assert!(ran.stderr.starts_with(words), "{}", ran.stderr);
    change(&house, "UPDATE people SET name = 'Ann'");
    let ran = explain(&house, "people", "Ann", &[]).status(2);
    let words =
        format!("error: 2 rows of `people` have this key\n  at {URL}\nhint: give the primary key (id): `1`, `2`\n");
    assert_eq!(ran.stderr, words);
}

/// Adds a migration to the house's set.
fn add(house: &House, number: u32, up: &str, down: &str) {
    house.file(&format!("set/schema/00{number}_later.up.sql"), format!("-- version: 00{number}\n{up}\n"));
    house.file(&format!("set/schema/00{number}_later.down.sql"), format!("{down}\n"));
}

/// Adds one, carries it out as its application would, and records it: the ledger hears nothing of it.
fn migrate_by_hand(house: &House, number: u32, up: &str, down: &str) {
    add(house, number, up, down);
    change(house, up);
    let version = format!("00{number}");
    house.run(["schema", "stamp", &version, "--mappings", "set", "--database", URL, "--yes", "--no-backup"]).status(0);
}

/// Adds one and applies it.
fn migrate(house: &House, number: u32, up: &str, down: &str) {
    add(house, number, up, down);
    house.run(["schema", "migrate", "--mappings", "set", "--database", URL, "--yes", "--no-backup"]).status(0);
}

const NOTES: &str = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\ntitle = \"title\"\n";

fn notes() -> House {
    House::new()
        .schema("CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT);")
        .list("notes", "notes.json", NOTES)
        .source("notes.json", &json!([{"id": "a", "title": "x"}, {"id": "b", "title": "y"}]))
}

#[test]
fn after_a_table_was_renamed_undo_and_explain_say_which_migration_took_it_away() {
    let house = notes();
    let run = imported(&house);
    migrate_by_hand(&house, 2, "ALTER TABLE notes RENAME TO pages;", "ALTER TABLE pages RENAME TO notes;");
    let house = house.list("notes", "notes.json", &NOTES.replace("table.notes", "table.pages"));
    let by = "migration `002`, which made `pages` with the same columns, took it away";
    let ran = undo(&house, &run, &[]).status(1);
    let words = format!(
        "blocked: `notes`, into which the run wrote 2 rows, is no longer there: {by}\n\
         refused: run {run} cannot be undone, nothing was changed in {URL}\n"
    );
    assert_eq!(ran.stdout, words);
    let hint = format!("hint: runs wrote rows of `notes`, a table that is no longer there: {by}\n");
    let ran = explain(&house, "pages", "a", &[]).status(2);
    let words = format!("error: no run recorded a row of `pages` with the key `a`\n  at {URL}\n{hint}");
    assert_eq!(ran.stderr, words);
    let ran = explain(&house, "notes", "a", &[]).status(2);
    assert_eq!(ran.stderr, format!("error: the schema has no table `notes`\n  at {URL}\n{hint}"));
}

#[test]
fn after_a_column_or_the_key_was_changed_undo_says_so() {
    let house = notes();
    let run = imported(&house);
    migrate(
        &house,
        2,
        "ALTER TABLE notes RENAME COLUMN title TO name;",
        "ALTER TABLE notes RENAME COLUMN name TO title;",
    );
    let house = house.list("notes", "notes.json", &NOTES.replace("title =", "name ="));
    let ran = undo(&house, &run, &[]).status(1);
    let words = format!(
        "blocked: `notes` no longer has the column `title` of the 2 rows that the run wrote: migration `002` took that away\n\
         refused: run {run} cannot be undone, nothing was changed in {URL}\n"
    );
    assert_eq!(ran.stdout, words);
    // The key is the same, so the way back to the leaves is.
    explain(&house, "notes", "a", &[]).status(0);

    let house = notes();
    let run = imported(&house);
    let up = "CREATE TABLE other (number INTEGER PRIMARY KEY, id TEXT, title TEXT);
              INSERT INTO other (id, title) SELECT id, title FROM notes; DROP TABLE notes; ALTER TABLE other RENAME TO notes;";
    let down = "CREATE TABLE other (id TEXT PRIMARY KEY NOT NULL, title TEXT);
                INSERT INTO other SELECT id, title FROM notes; DROP TABLE notes; ALTER TABLE other RENAME TO notes;";
    migrate_by_hand(&house, 2, up, down);
    let ran = undo(&house, &run, &[]).status(1);
    let words = format!(
        "blocked: the 2 rows of `notes` that the run wrote cannot be found by the primary key (number): migration `002` made it another one\n\
         refused: run {run} cannot be undone, nothing was changed in {URL}\n"
    );
    assert_eq!(ran.stdout, words);
    // The ledger knows them by the key that they had.
    explain(&house, "notes", "b", &[]).status(0);
    let ran = explain(&house, "notes", "1", &[]).status(2);
    let hint =
        "hint: migration `002` gave the table another primary key: the rows of runs before it are known by (id)\n";
    assert!(ran.stderr.ends_with(hint), "{}", ran.stderr);
}

#[test]
fn a_table_that_somebody_dropped_or_a_rollback_took_away_is_not_there() {
    let house = notes();
    let run = imported(&house);
    change(&house, "DROP TABLE notes");
    let ran = undo(&house, &run, &[]).status(1);
    let words =
        "blocked: `notes`, into which the run wrote 2 rows, is no longer there: no migration of the set did that\n";
    assert!(ran.stdout.starts_with(words), "{}", ran.stdout);

    let house = House::new()
        .schema("CREATE TABLE other (id TEXT);")
        .list("notes", "notes.json", NOTES)
        .source("notes.json", &json!([{"id": "a", "title": "x"}]));
    house.file("set/schema/002_notes.up.sql", "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT);");
    house.file("set/schema/002_notes.down.sql", "DROP TABLE notes;");
    let run = imported(&house);
    house
        .run(["schema", "rollback", "--mappings", "set", "--database", URL, "--to", "001", "--yes", "--no-backup"])
        .status(0);
    let ran = undo(&house, &run, &[]).status(1);
    let words = "blocked: `notes`, into which the run wrote 1 row, is no longer there: the rollback of migration `002_notes` took it away\n";
    assert!(ran.stdout.starts_with(words), "{}", ran.stdout);
}

#[test]
fn a_database_of_another_set_is_called_that() {
    let house = notes();
    imported(&house);
    assert!(house.path(DATABASE).exists());
    let house = house.set("").schema("CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT, more TEXT);");
    house.file("set/set.toml", "name = \"mine\"\ndescription = \"another one\"\n");
    let words = format!(
        "error: the database belongs to the mapping set `inline`, not to `mine`\n  at {URL}\n\
         hint: name that set, or name none (with neither `--mappings` nor TREELIFT_MAPPINGS), or name another database\n"
    );
    assert_eq!(house.import(&house.path("tree"), &["--mappings", "set"]).status(2).stderr, words);
    let ran = house.run(["schema", "migrate", "--mappings", "set", "--database", URL, "--yes"]).status(2);
    assert_eq!(ran.stderr, words);
}

#[test]
fn a_second_import_says_again_what_the_application_needs_and_one_without_secrets_does_not() {
    let rules = "[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\npin = { seal = \"pin\", on_absent = \"null\" }\n";
    let house = |logins: Value| {
        House::new()
            .schema("CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, pin TEXT);")
            .set("[after]\nmessage = \"Hand the pins over.\"\n")
            .list("logins", "logins.json", rules)
            .source("logins.json", &logins)
    };
    let sealed = house(json!([{"id": "a", "pin": "4711-secret"}]));
    for more in [&[][..], &["--dry-run"], &[]] {
        let report = sealed.lift(more).report();
        assert_eq!((&report["after"], &report["verdict"]), (&json!(["Hand the pins over."]), &json!("acceptable")));
    }
    assert_eq!(house(json!([{"id": "a", "pin": null}])).lift(&[]).report()["after"], Value::Null);
}

#[test]
fn check_rolls_migrations_back_and_applies_them_again() {
    let house = notes();
    house.run(["check", "set"]).status(0);
    house.file("set/schema/002_more.up.sql", "ALTER TABLE notes ADD COLUMN more TEXT;\n");
    house.file("set/schema/002_more.down.sql", "-- forgets it\nSELECT 1;\n");
    let ran = house.run(["check", "set"]).status(2);
    let words = "error M139: rolling back migration `002_more` does not restore what was there: column `notes.more` is not expected\n  \
                 at set/schema/002_more.down.sql\n";
    assert_eq!(ran.stderr, words);
    house.file("set/schema/002_more.down.sql", "-- typo\nALTER TABLE notes DROP COLUMN mor;\n");
    let ran = house.run(["check", "set"]).status(2);
    let words = "error M135: migration `002_more` is not valid SQL: no such column: \"mor\"\n  at set/schema/002_more.down.sql:2\n";
    assert!(ran.stderr.starts_with(words), "{}", ran.stderr);
}
