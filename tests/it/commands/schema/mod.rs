//! The target's life: migrations on databases with rows, the audit trail, the log.

mod assertions;
mod flow;
mod optional;
mod pairs;
mod record_table;
mod rows;
mod there_and_back;
mod tidy;
mod validate;
mod version_record;

use crate::house::keeping::{URL, backup, change, imported, objects, schema, small_set};
use crate::house::{DATABASE, House, application_dump, copy_tree, open, project, rows, sample};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;

#[test]
fn each_migration_applies_and_rolls_back_alone_and_keeps_rows() {
    let house = imported();
    for more in [&[][..], &["--copy-of", URL]] {
        let mut arguments = vec!["schema", "test", "--json", "--mappings", "fossawork"];
        arguments.extend(more);
        let proofs = house.run(arguments).status(0).json();
        assert_eq!(proofs["verdict"], "passed");
        assert_eq!(proofs["steps"].as_array().unwrap().len(), 16, "{proofs:#}");
    }
}

#[test]
fn a_populated_database_rolls_back_to_nothing_and_migrates_again() {
    let house = imported();
    let before = application_dump(&open(&house.path(DATABASE)));
    schema(&house, "rollback --to v001_initial_schema --no-backup").status(0);
    assert_eq!(application_dump(&open(&house.path(DATABASE))), {
        let made_by_later: BTreeSet<_> =
            before.iter().filter(|(_, rows)| rows.is_empty()).map(|(name, _)| name).collect();
        let mut kept = before.clone();
        let left = application_dump(&open(&house.path(DATABASE)));
        kept.retain(|name, _| left.contains_key(name) || !made_by_later.contains(name));
        kept
    });
    let run = schema(&house, "rollback --all --no-backup").status(0);
    assert!(run.stderr.contains("would drop `treelift_rows` with 129 rows"), "{}", run.stderr);
    assert_eq!(objects(&house).into_iter().collect::<Vec<_>>(), ["schema_migrations"]);
    schema(&house, "migrate --no-backup").status(0);
    schema(&house, "validate --category schema --category indexes --category constraints").status(0);
    let statuses = house.rows("SELECT DISTINCT status FROM schema_migrations");
    assert_eq!(statuses, [["applied"]]);
}

#[test]
fn beside_tables_of_another_program_the_ledger_and_the_keys_stay() {
    let things = [
        ("CREATE TABLE mine (a TEXT)", "mine"),
        ("CREATE VIEW mine AS SELECT 1", "mine"),
        ("CREATE VIRTUAL TABLE mine USING fts5 (a)", "mine"),
        (
            "CREATE TABLE treelift_orphans (number INTEGER PRIMARY KEY, row TEXT); INSERT INTO treelift_orphans VALUES (1, '{}')",
            "treelift_orphans",
        ),
    ];
    for (sql, name) in things {
        let house = imported();
        change(&house, sql);
        let run = schema(&house, "rollback --all --no-backup").status(0);
        assert!(!run.stderr.contains("treelift_"), "{}", run.stderr);
        let left = objects(&house);
        assert!([name, "treelift_keys", "treelift_rows", "schema_migrations"].iter().all(|name| left.contains(*name)));
    }
}

#[test]
fn what_a_rollback_drops_is_reported_before_it() {
    let house = House::new();
    let set = small_set(&house);
    house.file(
        "set/schema/002_more.up.sql",
        "CREATE TABLE more (id INTEGER, colour TEXT); CREATE TABLE also (id INTEGER);",
    );
    house.file("set/schema/002_more.down.sql", "ALTER TABLE more DROP COLUMN colour; DROP TABLE legacy;");
    schema(&house, &format!("migrate {set}")).status(0);
    change(
        &house,
        "CREATE TABLE legacy (id INTEGER); INSERT INTO legacy VALUES (1), (2); INSERT INTO more (id) VALUES (7);",
    );
    let run = schema(&house, &format!("rollback --steps 1 --dry-run {set}")).status(0);
    assert_eq!(run.stderr, "would drop `legacy` with 2 rows\nwould drop `more.colour` with 1 row\n");

    // Rows and what only shows rows count too, a new name does not.
    house.file("set/schema/002_more.down.sql", "DELETE FROM more; ALTER TABLE also RENAME TO other; DROP TABLE words;");
    change(
        &house,
        "INSERT INTO also VALUES (1); CREATE VIRTUAL TABLE words USING fts5 (w); INSERT INTO words VALUES ('a')",
    );
    let run = house.run(["schema", "rollback", "--steps", "1", "--mappings", "set", "--database", URL]).status(2);
    assert_eq!(
        run.stderr.lines().take(3).collect::<Vec<_>>(),
        [
            "would remove 1 row of `more` (1 → 0)",
            "would drop `words` with 1 row",
            "error: no terminal to ask on, and no `--yes`: sqlite:///./target.db has 4 rows: roll back 1 migration, and lose 1 table or column with 2 rows, after a backup?"
        ]
    );
}

#[test]
fn a_stamp_reports_drift() {
    let house = House::new();
    change(&house, "CREATE TABLE notes (id INTEGER PRIMARY KEY)");
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);");
    let run = schema(&house, &format!("stamp 002 --no-backup {set}")).status(0);
    assert_eq!(
        run.stderr,
        "differs from `002_more`: table `more` is missing\ndiffers from `002_more`: column `notes.title` is missing\n"
    );
}

#[test]
fn a_database_is_migrated_step_by_step_and_aliases_of_flags_work() {
    let house = House::new();
    schema(&house, "status --exit-code").status(4);
    schema(&house, "migrate --version v003_add_indexes").status(0);
    let status = schema(&house, "status --json").status(0).json();
    assert_eq!((status["current"].as_str(), status["pending"].as_u64()), (Some("v003_add_indexes"), Some(3)));
    schema(&house, "migrate --no-backup").status(0);
    schema(&house, "status --exit-code").status(0);
    let history = schema(&house, "history --limit 2 --json").status(0).json();
    let versions: Vec<_> =
        history["history"].as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["v006_add_monitoring_tables", "v005_add_audit_tables"]);
    assert_eq!(house.one("SELECT count(*) FROM rate_limit_rules"), "10");
    assert_eq!(house.one("SELECT count(*) FROM data_retention_policies"), "8");
    // v001 to v004 were told to treelift's own trail, later ones to the application's.
    assert_eq!(house.one("SELECT count(*) FROM treelift_audit"), "3");
    assert_eq!(
        house.rows("SELECT action, table_name, record_id FROM audit_trail ORDER BY id"),
        ["v004_add_rate_limiting", "v005_add_audit_tables", "v006_add_monitoring_tables"]
            .map(|version| ["migrate", "schema", version])
    );
}

#[test]
fn a_dry_run_of_each_change_shows_it_and_leaves_no_trace() {
    let house = imported();
    let before = crate::house::listing(&house.work());
    ["status", "history", "validate"]
        .iter()
        .for_each(|looks| drop(schema(&house, &format!("{looks} --dry-run")).status(0)));
    let shown = schema(&house, "rollback --steps 1 --dry-run").status(0);
    assert!(shown.stdout.contains("DROP TABLE api_endpoint_stats;"), "{}", shown.stdout);
    schema(&house, "stamp 003 --dry-run").status(0);
    schema(&house, "migrate --dry-run").status(0);
    backup(&house, "create --dry-run").status(0);
    assert_eq!(crate::house::listing(&house.work()), before);
    assert!(!house.backups().exists());
}

#[test]
fn a_failing_migration_leaves_only_its_record_and_runs_once_it_is_fixed() {
    let house = House::new();
    let set = small_set(&house);
    let run = schema(&house, &format!("migrate {set}")).status(3);
    assert!(run.stderr.contains("migration `002_more` failed, in its statement 3: no such table: "), "{}", run.stderr);
    assert_eq!(objects(&house), BTreeSet::from(["schema_migrations".to_owned()]));
    let record = house.rows("SELECT version, status, error_message FROM schema_migrations");
    assert_eq!(record.len(), 1);
    assert_eq!((record[0][0].as_str(), record[0][1].as_str()), ("002_more", "failed"));
    assert!(record[0][2].contains("in its statement 3"), "{record:?}");

    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    schema(&house, &format!("migrate {set} --no-backup")).status(0);
    let record = house.rows("SELECT version, status, error_message FROM schema_migrations ORDER BY version");
    assert_eq!(record, [["001_notes", "applied", "NULL"], ["002_more", "applied", "NULL"]]);
}

#[test]
fn a_partly_present_migration_is_neither_run_nor_recorded() {
    let cases = [
        ("CREATE TABLE more (note TEXT)", "column `more.id` is missing"),
        ("CREATE TABLE also (id INTEGER)", "table `more` is missing"),
        ("CREATE TABLE more (id INTEGER); CREATE TABLE also (id INTEGER, x TEXT)", "column `also.x` is not expected"),
    ];
    for (sql, told) in cases {
        let house = House::new();
        let set = small_set(&house);
        house.file(
            "set/schema/002_more.up.sql",
            "CREATE TABLE more (id INTEGER); CREATE TABLE also (id INTEGER); INSERT INTO also VALUES (1);",
        );
        schema(&house, &format!("migrate --to 001 {set}")).status(0);
        change(&house, sql);
        let run = schema(&house, &format!("migrate --no-backup {set}")).status(3);
        assert!(
            run.stderr.contains("`002_more` is not recorded, but part of what it creates already exists")
                && run.stderr.contains(told),
            "{}",
            run.stderr
        );
        assert_eq!(house.rows("SELECT version FROM schema_migrations"), [["001_notes"]]);
        schema(&house, &format!("migrate {set}")).status(3);
        assert!(!house.path("backups").exists(), "nothing was changed, so no backup of it stays");
        schema(&house, &format!("new drifted --from-drift {set}")).status(2);
    }
    // All of it, exactly: then it is recorded.
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);");
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    change(&house, "CREATE TABLE more (id INTEGER)");
    let run = schema(&house, &format!("migrate --no-backup {set}")).status(0);
    assert!(run.stdout.contains("already there, recorded: 002_more"), "{}", run.stdout);
}

#[test]
fn on_a_new_database_every_migration_runs_whatever_it_changes() {
    let changes = [
        "DROP TABLE notes; CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT CHECK (title <> ''))",
        "ALTER TABLE notes ADD COLUMN colour TEXT; INSERT INTO notes (title) VALUES ('seed')",
        "CREATE VIEW titles AS SELECT title FROM notes",
        "UPDATE notes SET title = ''",
    ];
    for change in changes {
        let house = House::new();
        let set = small_set(&house);
        house.file("set/schema/002_more.up.sql", format!("{change};"));
        house.file("set/schema/002_more.down.sql", "SELECT 1;");
        house.file("set/schema/003_last.up.sql", "DROP VIEW IF EXISTS titles; ALTER TABLE notes RENAME TO pages;");
        house.file("set/schema/003_last.down.sql", "ALTER TABLE pages RENAME TO notes;");
        let run = schema(&house, &format!("migrate {set}")).status(0);
        assert!(!run.stdout.contains("already there"), "{change}: {}", run.stdout);
        schema(&house, &format!("validate {set}")).status(0);
    }
}

#[test]
fn a_failing_rollback_names_the_down_file() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/001_notes.down.sql", "DROP TABLE nothing;");
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    let run = schema(&house, &format!("rollback --all --no-backup {set}")).status(3);
    assert!(run.stderr.contains("001_notes.down.sql, sqlite:"), "{}", run.stderr);
}

#[test]
fn a_migration_that_would_change_the_record_or_leave_the_transaction_is_refused() {
    let forbidden = [
        "DROP TABLE schema_migrations",
        "DELETE FROM schema_migrations",
        "ALTER TABLE schema_migrations RENAME TO sm",
        "UPDATE treelift_audit SET reason = ''",
        "COMMIT",
        "VACUUM",
    ];
    for sql in forbidden {
        let house = House::new();
        let set = small_set(&house);
        house.file("set/schema/001_notes.down.sql", format!("DROP TABLE notes; {sql};"));
        schema(&house, &format!("migrate --to 001 {set}")).status(0);
        let run = schema(&house, &format!("rollback --all {set}")).status(3);
        assert!(
            run.stderr.contains("`001_notes` cannot be rolled back, in its statement 2: "),
            "{sql}: {}",
            run.stderr
        );
        assert_eq!(house.rows("SELECT version, status FROM schema_migrations"), [["001_notes", "applied"]]);
        assert!(!house.path("backups").exists(), "nothing was changed");
    }
}

#[test]
fn migrations_that_an_import_runs_are_in_the_audit_trail_too() {
    let house = imported();
    let told = "SELECT action, coalesce(record_id, '') FROM audit_trail WHERE action <> 'import' ORDER BY record_id";
    let versions = [
        "v001_initial_schema",
        "v002_add_security_tables",
        "v003_add_indexes",
        "v004_add_rate_limiting",
        "v005_add_audit_tables",
        "v006_add_monitoring_tables",
    ];
    assert_eq!(house.rows(told), versions.map(|version| ["migrate", version]));
    schema(&house, "rollback --to 004 --no-backup").status(0);
    house.import(&sample(), &["--no-backup"]).status(0);
    assert_eq!(house.rows(told), [["migrate", versions[4]], ["migrate", versions[5]]]);
}

#[test]
fn changed_missing_and_newer_migrations_are_distinguished() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    schema(&house, &format!("migrate {set}")).status(0);
    let refusal = || schema(&house, &format!("migrate {set}")).status(3).stderr;

    let text = fs::read_to_string(house.path("set/schema/001_notes.up.sql")).unwrap();
    house.file("set/schema/001_notes.up.sql", format!("{text}-- changed\n"));
    assert!(refusal().contains("`001_notes` was changed after it had been applied"));
    house.file("set/schema/001_notes.up.sql", &text);

    fs::remove_file(house.path("set/schema/002_more.up.sql")).unwrap();
    fs::remove_file(house.path("set/schema/002_more.down.sql")).unwrap();
    assert!(
        refusal().contains("newer than the mapping set, or belongs to another set: it has the migration `002_more`")
    );

    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    fs::rename(house.path("set/schema/001_notes.up.sql"), house.path("set/schema/gone")).unwrap();
    fs::remove_file(house.path("set/schema/gone")).unwrap();
    fs::remove_file(house.path("set/schema/001_notes.down.sql")).unwrap();
    assert!(
        refusal().contains("`001_notes` was applied to this database, but its file is missing from the mapping set")
    );
}

#[test]
fn a_rebuilt_parent_keeps_its_children_and_one_that_loses_them_is_refused() {
    let house = House::new();
    house.file("set/set.toml", "name = \"notes\"\n");
    house.file(
        "set/schema/001_notes.up.sql",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);\n\
         CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES people (id) ON DELETE CASCADE);\n",
    );
    schema(&house, "migrate --mappings set").status(0);
    change(&house, "INSERT INTO people VALUES (1, 'ann'), (2, 'bob'); INSERT INTO notes VALUES (1, 1), (2, 2);");
    let rebuild = |more: &str| {
        format!(
            "CREATE TABLE new_people (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n\
             INSERT INTO new_people SELECT id, name FROM people{more};\n\
             DROP TABLE people;\nALTER TABLE new_people RENAME TO people;\n"
        )
    };
    house.file("set/schema/002_named.up.sql", rebuild(" WHERE id = 1"));
    let run = schema(&house, "migrate --mappings set --no-backup").status(3);
    assert!(run.stderr.contains("1 row of `notes` would reference missing rows of `people`"), "{}", run.stderr);
    assert_eq!(house.one("SELECT count(*) FROM people"), "2");
    house.file("set/schema/002_named.up.sql", rebuild(""));
    schema(&house, "migrate --mappings set --no-backup").status(0);
    assert_eq!(house.rows("SELECT owner FROM notes"), [["1"], ["2"]]);
}

#[test]
fn full_text_search_follows_its_rows_and_survives_its_migration() {
    let house = imported();
    let found =
        |word: &str| house.one(&format!("SELECT count(*) FROM work_orders_fts WHERE work_orders_fts MATCH '{word}'"));
    let first = house.one("SELECT id FROM work_orders LIMIT 1");
    change(&house, &format!("UPDATE work_orders SET notes = 'zebra crossing' WHERE id = '{first}'"));
    assert_eq!(found("zebra"), "1");
    change(&house, &format!("UPDATE work_orders SET notes = 'nothing' WHERE id = '{first}'"));
    assert_eq!(found("zebra"), "0");
    let all = house.one("SELECT count(*) FROM work_orders_fts_docsize");
    schema(&house, "rollback --to 002 --no-backup").status(0);
    schema(&house, "migrate --no-backup").status(0);
    assert_eq!(house.one("SELECT count(*) FROM work_orders_fts_docsize"), all);
    assert_eq!(found("nothing"), "1");
    change(&house, "INSERT INTO work_orders_fts (work_orders_fts) VALUES ('integrity-check')");
}

#[test]
fn a_database_that_v2_made_is_left_at_its_version() {
    let house = House::new();
    drop(crate::databases::existing::made_by_v2(&house));
    let report = house.import(&sample(), &["--json"]).status(0).json();
    let pending = crate::house::findings(&report).into_iter().filter(|finding| finding.0 == "T004").count();
    assert_eq!(pending, 1, "five pending migrations are one group of findings");
    assert!(!objects(&house).contains("rate_limit_rules"));
    let status = schema(&house, "status --json").status(0).json();
    assert_eq!((status["current"].as_str(), status["pending"].as_u64()), (Some("v001_initial_schema"), Some(5)));
    schema(&house, "migrate --no-backup").status(0);
    schema(&house, "validate --category schema").status(0);
    assert_eq!(
        house.rows("SELECT checksum FROM schema_migrations WHERE version = 'v001_initial_schema'")[0][0].len(),
        64
    );
}

#[test]
fn a_database_of_another_program_is_stamped() {
    let house = House::new();
    let text = fs::read_to_string(project("mappings/fossawork/schema/001_initial_schema.up.sql")).unwrap();
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(&text).unwrap();
    schema(&house, "stamp 001 --no-backup").status(0);
    assert_eq!(house.rows("SELECT version, status FROM schema_migrations"), [["v001_initial_schema", "applied"]]);
    schema(&house, "status --exit-code").status(4);
}

#[test]
fn a_migration_is_written_from_what_drifted() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    schema(&house, &format!("migrate {set}")).status(0);
    change(&house, "ALTER TABLE notes ADD COLUMN colour TEXT; CREATE INDEX notes_title ON notes (title);");
    schema(&house, &format!("new colours --from-drift {set}")).status(0);
    let up = fs::read_to_string(house.path("set/schema/003_colours.up.sql")).unwrap();
    assert_eq!(
        up,
        "-- version: 003_colours\n-- description: colours\n-- depends: 002_more\n\n\
         ALTER TABLE \"notes\" ADD COLUMN \"colour\" TEXT;\nCREATE INDEX notes_title ON notes (title);\n"
    );
    schema(&house, &format!("stamp 003 {set} --no-backup")).status(0);
    schema(&house, &format!("validate {set}")).status(0);
    schema(&house, &format!("rollback --steps 1 {set} --no-backup")).status(0);
    schema(&house, &format!("validate {set}")).status(0);
}

#[test]
fn two_programs_that_migrate_at_once_do_it_once() {
    let house = imported();
    schema(&house, "rollback --to 001 --no-backup").status(0);
    let start = || {
        let mut command =
            house.command(["schema", "migrate", "--yes", "--no-backup", "--mappings", "fossawork", "--database", URL]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()].map(|child| child.wait_with_output().unwrap());
    let done =
        both.iter().filter(|output| String::from_utf8_lossy(&output.stdout).contains("committed: 5 steps")).count();
    assert_eq!(done, 1, "{both:?}");
    for output in &both {
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || told.contains("locked by another program"), "{told}");
    }
    schema(&house, "validate --category schema").status(0);

    let other = Connection::open(house.path(DATABASE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = schema(&house, "rollback --steps 1 --no-backup").status(3);
    assert!(run.stderr.contains("the database is locked by another program: process "), "{}", run.stderr);
}

#[test]
fn the_log_has_a_line_for_what_happened_and_no_password() {
    let house = House::new();
    fs::create_dir(house.path("logs")).unwrap();
    schema(&house, "migrate --to 001 --log-file logs").status(0);
    let log = fs::read_dir(house.path("logs")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(log).unwrap();
    let events: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(events, ["begin", "migration", "end"]);

    let run = house.run(["schema", "status", "--log-file", "x.log", "--database", "postgres://me:hunter2@host/db"]);
    // With PostgreSQL the server is looked for, and not found.
    assert_eq!(run.status, Some(if cfg!(feature = "postgres") { 3 } else { 2 }));
    let text = fs::read_to_string(house.path("x.log")).unwrap();
    assert!(text.contains("\"event\":\"error\"") && !text.contains("hunter2"), "{text}");
}

#[test]
fn without_a_terminal_a_question_is_refused() {
    let house = imported();
    let run = house.run(["schema", "rollback", "--steps", "1", "--database", URL]).status(2);
    assert!(
        run.stderr.contains("sqlite:///./target.db has 148 rows: roll back 1 migration, and lose 10 tables or columns with 0 rows, after a backup?"),
        "{}",
        run.stderr
    );
    let backups = house.path("backups");
    assert!(!backups.exists(), "nothing was agreed to, so nothing was made");
    copy_tree(&house.work(), &house.path("../copy"));
    assert_eq!(
        rows(&open(&house.path(DATABASE)), "SELECT count(*) FROM schema_migrations WHERE status = 'applied'"),
        [["6"]]
    );
}
