//! The target's life: migrations on databases with rows, validation, backups, the audit trail.

use crate::house::{DATABASE, House, Ran, application_dump, copy_tree, open, project, rows, sample};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The house's database as it is named in requests.
pub(crate) const URL: &str = "sqlite:///./target.db";

/// `treelift schema …` on the house's database, every question answered yes.
pub(crate) fn schema(house: &House, line: &str) -> Ran {
    let command = line.split(' ').next().unwrap();
    let mut arguments: Vec<&str> = vec!["schema"];
    arguments.extend(line.split(' '));
    arguments.extend(["--database", URL]);
    if !line.contains("--mappings") {
        arguments.extend(["--mappings", "fossawork"]);
    }
    if ["migrate", "rollback", "stamp"].contains(&command) || line.contains("--fix-orphans") {
        arguments.push("--yes");
    }
    house.run(arguments)
}

/// `treelift backup …` on the house's database, with the house's folder.
fn backup(house: &House, line: &str) -> Ran {
    let folder = house.backups();
    let mut arguments: Vec<&str> = vec!["backup"];
    arguments.extend(line.split(' '));
    arguments.extend(["--database", URL, "--backup-dir", folder.to_str().unwrap()]);
    if !line.contains("--mappings") {
        arguments.extend(["--mappings", "fossawork"]);
    }
    house.run(arguments)
}

fn imported() -> House {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    house
}

/// Runs SQL behind treelift's back.
pub(crate) fn change(house: &House, sql: &str) {
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(sql).unwrap();
}

/// The names of everything that a database has but SQLite's own things.
pub(crate) fn objects(house: &House) -> BTreeSet<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    house.rows(sql).into_iter().flatten().collect()
}

/// A set of two migrations that lies in the house, without mappings.
fn small_set(house: &House) -> String {
    house.file("set/set.toml", "name = \"notes\"\n");
    house.file("set/schema/001_notes.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT);\n");
    house.file("set/schema/001_notes.down.sql", "DROP TABLE notes;\n");
    house.file(
        "set/schema/002_more.up.sql",
        "CREATE TABLE more (id INTEGER);\nCREATE INDEX more_id ON more (id);\nCREATE INDEX oops ON absent (id);\n",
    );
    house.file("set/schema/002_more.down.sql", "DROP TABLE more;\n");
    "--mappings set".to_owned()
}

#[test]
fn every_migration_goes_up_and_down_alone_and_rows_survive_where_they_should() {
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
fn a_populated_database_goes_down_to_nothing_and_up_again() {
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
fn beside_somebody_elses_things_the_ledger_and_the_keys_stay() {
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
fn what_a_way_back_really_drops_is_said_before_it() {
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
}

#[test]
fn a_stamp_says_what_is_not_as_it_claims() {
    let house = House::new();
    change(&house, "CREATE TABLE notes (id INTEGER PRIMARY KEY)");
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);");
    let run = schema(&house, &format!("stamp 002 --no-backup {set}")).status(0);
    assert_eq!(
        run.stderr,
        "not as `002_more` makes it: table `more` is missing\nnot as `002_more` makes it: column `notes.title` is missing\n"
    );
}

#[test]
fn a_database_is_migrated_step_by_step_and_the_words_of_the_old_guide_are_understood() {
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
fn a_failing_migration_leaves_nothing_but_its_record_and_runs_once_it_is_mended() {
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
fn a_migration_of_which_a_part_is_there_is_neither_run_nor_recorded() {
    let cases = [
        ("CREATE TABLE more (note TEXT)", "table `also` is missing"),
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
            run.stderr.contains("`002_more` is not recorded, and some of what it makes is there")
                && run.stderr.contains(told),
            "{}",
            run.stderr
        );
        assert_eq!(house.rows("SELECT version FROM schema_migrations"), [["001_notes"]]);
    }
    // All of it, exactly: then it is recorded.
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);");
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    change(&house, "CREATE TABLE more (id INTEGER)");
    let run = schema(&house, &format!("migrate --no-backup {set}")).status(0);
    assert!(run.stdout.contains("found there, recorded: 002_more"), "{}", run.stdout);
}

#[test]
fn a_way_back_that_fails_names_its_own_file() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/001_notes.down.sql", "DROP TABLE nothing;");
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    let run = schema(&house, &format!("rollback --all --no-backup {set}")).status(3);
    assert!(run.stderr.contains("001_notes.down.sql, sqlite:"), "{}", run.stderr);
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
fn what_was_changed_lost_or_is_newer_is_told_apart() {
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
    assert!(refusal().contains("newer than the mapping set, or another set's: it has the migration `002_more`"));

    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    fs::rename(house.path("set/schema/001_notes.up.sql"), house.path("set/schema/gone")).unwrap();
    fs::remove_file(house.path("set/schema/gone")).unwrap();
    fs::remove_file(house.path("set/schema/001_notes.down.sql")).unwrap();
    assert!(refusal().contains("`001_notes` was applied to this database, and the mapping set has lost its file"));
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
    assert!(
        run.stderr.contains("1 row of `notes` would refer to rows of `people` that are not there"),
        "{}",
        run.stderr
    );
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
    drop(crate::existing::made_by_v2(&house));
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
fn a_database_made_elsewhere_is_stamped() {
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
fn validate_names_each_thing_that_is_wrong() {
    let house = imported();
    schema(&house, "validate").status(0);
    fs::copy(house.path(DATABASE), house.path("good.db")).unwrap();
    let cases: [(&str, &str, &[&str]); 10] = [
        ("indexes", "DROP INDEX idx_work_orders_store", &["index `idx_work_orders_store` on `work_orders` is missing"]),
        (
            "schema",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'store_number        VARCHAR(50)', \
             'store_number        VARCHAR(60)') WHERE name = 'work_orders'; PRAGMA writable_schema = RESET;",
            &["column `work_orders.store_number` is declared `VARCHAR(60)`, expected `VARCHAR(50)`"],
        ),
        (
            "constraints",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'VARCHAR(50),', \
             'VARCHAR(50) CHECK(Store_Number <> ''-''),') WHERE name = 'work_orders'; PRAGMA writable_schema = RESET;",
            &["table `work_orders` has, unexpectedly, a check (store_number <> '-')"],
        ),
        (
            "constraints",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'REFERENCES users (id)', \
             'REFERENCES users (id) ON DELETE CASCADE') WHERE name = 'work_orders'; PRAGMA writable_schema = RESET;",
            &["table `work_orders` has the foreign key (user_id) → `users` (id) ON DELETE CASCADE, expected no action"],
        ),
        ("schema", "CREATE TABLE surprise (a TEXT)", &["table `surprise` is not expected"]),
        (
            "data",
            "PRAGMA foreign_keys = OFF; UPDATE dispensers SET work_order_id = 'nobody' WHERE id = (SELECT min(id) FROM dispensers)",
            &["1 row of `dispensers` refer to nothing in `work_orders`"],
        ),
        (
            "security",
            "UPDATE user_credentials SET encrypted_password = 'hunter2' WHERE id = 1",
            &["1 value of `user_credentials.encrypted_password` is not sealed"],
        ),
        (
            "security",
            "UPDATE global_settings SET setting_value = substr(setting_value, 1, 12) WHERE setting_key LIKE 'smtp_%'",
            &[
                "1 value of `global_settings.setting_value` (setting_key = smtp_password) is not sealed",
                "1 value of `global_settings.setting_value` (setting_key = smtp_username) is not sealed",
            ],
        ),
        ("security", "UPDATE rate_limit_rules SET is_active = 0", &["every limit of requests"]),
        ("schema", "DROP TRIGGER work_orders_fts_delete", &["trigger `work_orders_fts_delete` is missing"]),
    ];
    for (category, sql, named) in cases {
        fs::copy(house.path("good.db"), house.path(DATABASE)).unwrap();
        change(&house, sql);
        let run = schema(&house, &format!("validate --category {category}")).status(1);
        for name in named {
            assert!(run.stdout.contains(name), "{sql}:\n{}", run.stdout);
        }
        assert!(!run.stdout.contains("hunter2"));
    }
    fs::copy(house.path("good.db"), house.path(DATABASE)).unwrap();
    fs::set_permissions(house.path(DATABASE), fs::Permissions::from_mode(0o644)).unwrap();
    let run = schema(&house, "validate --category security").status(1);
    assert!(run.stdout.contains("mode 644: everybody may read it"), "{}", run.stdout);
    // What the application makes by itself is no drift.
    change(&house, "CREATE TABLE filter_inventory (id VARCHAR PRIMARY KEY)");
    schema(&house, "validate --category schema").status(0);
}

#[test]
fn each_limit_of_requests_and_each_retention_policy_is_missed() {
    let house = imported();
    let lists = [
        ("rate_limit_rules", "name", 10, "every limit of requests that the application starts with is there"),
        ("data_retention_policies", "data_type", 8, "every kind of data has a retention policy"),
    ];
    let target = treelift::target::open(house.path(DATABASE).to_str().unwrap()).unwrap();
    let set = treelift::mapping::load::load(&treelift::mapping::bundled::resolve("fossawork").unwrap()).unwrap();
    let failed = || {
        let checks = treelift::validate::database(&*target, &set, &[treelift::validate::Category::Security]).unwrap();
        let failed = checks.into_iter().filter(|check| check.status == treelift::report::CheckStatus::Failed);
        failed.map(|check| (check.name, check.detail.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(failed(), []);
    for (table, column, number, check) in lists {
        let names = house.rows(&format!("SELECT {column} FROM {table}")).concat();
        assert_eq!(names.len(), number);
        for name in names {
            change(&house, &format!("UPDATE {table} SET {column} = 'another' WHERE {column} = '{name}'"));
            assert_eq!(failed(), [(check.to_owned(), "1 row".to_owned())], "{name}");
            change(&house, &format!("UPDATE {table} SET {column} = '{name}' WHERE {column} = 'another'"));
        }
    }
}

#[test]
fn rows_that_break_a_rule_are_told_and_are_no_damage() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/001_notes.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, n INT CHECK (n > 0));\n");
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    schema(&house, &format!("migrate {set}")).status(0);
    change(&house, "PRAGMA ignore_check_constraints = 1; INSERT INTO notes VALUES (1, 1), (2, 0), (3, -1);");
    let named = "FAILED      every row fulfils the conditions of its table\n              \
                 - a CHECK condition of `notes` does not hold in 2 rows\n";
    // SQLite passes conditions over in a file that it may only read.
    let readable = fs::Permissions::from_mode(0o400);
    let before = fs::metadata(house.path(DATABASE)).unwrap().permissions();
    for permissions in [readable, before] {
        fs::set_permissions(house.path(DATABASE), permissions).unwrap();
        let state = crate::house::listing(&house.work());
        let run = schema(&house, &format!("validate --category data {set}")).status(1);
        assert!(run.stdout.contains(named), "{}", run.stdout);
        assert!(run.stdout.contains("passed      the database's file is sound\n"), "{}", run.stdout);
        assert_eq!(crate::house::listing(&house.work()), state);
    }
    backup(&house, &format!("create {set}")).status(0);
    // A backup is an exact copy, broken rules included; restored, it is judged like any database.
    let run = backup(&house, &format!("restore --latest --yes {set}")).status(1);
    assert!(run.last_line().starts_with("committed: "), "{}", run.stdout);
    assert_eq!(house.rows("SELECT n FROM notes ORDER BY id"), [["1"], ["0"], ["-1"]]);
    let folder = house.backups();
    schema(&house, &format!("rollback --steps 1 {set} --backup-dir {}", folder.display())).status(0);
    change(&house, "UPDATE notes SET n = 1");
    schema(&house, &format!("validate --category data {set}")).status(0);
}

#[test]
fn an_import_warns_of_rows_that_broke_a_rule_before_it() {
    let house = imported();
    change(
        &house,
        "CREATE TABLE mine (n INT CHECK (n > 0)); PRAGMA ignore_check_constraints = 1; INSERT INTO mine VALUES (0), (1);",
    );
    let report = house.import(&sample(), &["--json"]).status(0).json();
    let told: Vec<_> = report["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "T005").collect();
    assert_eq!(told.len(), 1, "{report:#}");
    assert_eq!(told[0]["severity"], "warning");
    assert_eq!(told[0]["message"], "a CHECK condition of `mine` does not hold in 1 row");
}

#[test]
fn orphans_are_moved_aside_with_their_own_children() {
    let house = imported();
    let order = house.one("SELECT work_order_id FROM dispensers ORDER BY 1 LIMIT 1");
    let children: u32 =
        house.one(&format!("SELECT count(*) FROM dispensers WHERE work_order_id = '{order}'")).parse().unwrap();
    change(
        &house,
        &format!("PRAGMA foreign_keys = OFF; UPDATE work_orders SET user_id = 'nobody' WHERE id = '{order}'"),
    );
    let planned = schema(&house, "validate --fix-orphans --dry-run").status(0);
    assert!(planned.stdout.contains(&format!("dry run: {} rows", children + 1)), "{}", planned.stdout);
    schema(&house, "validate --category data").status(1);
    schema(&house, "validate --fix-orphans --no-backup").status(0);
    schema(&house, "validate").status(0);
    let kept = house.rows("SELECT table_name, count(*) FROM treelift_orphans GROUP BY 1 ORDER BY 1");
    assert_eq!(kept, [["dispensers".to_owned(), children.to_string()], ["work_orders".to_owned(), "1".to_owned()]]);
    assert_eq!(
        house.one("SELECT json_extract(row, '$.user_id') FROM treelift_orphans WHERE table_name = 'work_orders'"),
        "nobody"
    );
    assert_eq!(house.one("SELECT count(*) FROM audit_trail WHERE action = 'fix-orphans'"), "1");
}

/// The newest backup in the house.
fn newest(house: &House) -> PathBuf {
    let list = backup(house, "list --json").status(0).json();
    list["backups"].as_array().unwrap().last().unwrap()["path"].as_str().unwrap().into()
}

#[test]
fn the_whole_flow_ends_where_it_began() {
    let house = House::new();
    schema(&house, "migrate").status(0);
    house.import(&sample(), &["--no-backup"]).status(0);
    schema(&house, "validate").status(0);
    let before = application_dump(&open(&house.path(DATABASE)));
    for (packing, restores) in [("", "1"), (" --compress", "2")] {
        let made = backup(&house, &format!("create{packing} --json")).status(0).json();
        let counted = &made["backup"]["manifest"]["content"]["rows"];
        for table in ["users", "work_orders", "dispensers"] {
            assert_eq!(counted[table].to_string(), house.one(&format!("SELECT count(*) FROM {table}")), "{table}");
        }
        // Damaged in the middle of its pages.
        let mut bytes = fs::read(house.path(DATABASE)).unwrap();
        let middle = bytes.len() / 2;
        bytes[16_384..middle].fill(0xa5);
        fs::write(house.path(DATABASE), bytes).unwrap();
        let restored = backup(&house, "restore --latest --yes").status(0);
        assert!(restored.stdout.contains("/damaged/"), "what was there is kept:\n{}", restored.stdout);
        schema(&house, "validate").status(0);
        assert_eq!(application_dump(&open(&house.path(DATABASE))), before);
        assert_eq!(house.one("SELECT count(*) FROM audit_trail WHERE action = 'restore'"), restores);
    }
}

#[test]
fn twenty_flipped_bytes_are_twenty_refusals() {
    let house = imported();
    for packing in ["", " --compress"] {
        backup(&house, &format!("create{packing}")).status(0);
        let path = newest(&house);
        let good = fs::read(&path).unwrap();
        for at in 0..20 {
            let mut bytes = good.clone();
            let place = (bytes.len() - 1) * at / 19;
            bytes[place] ^= 1 << (at % 8);
            fs::write(&path, bytes).unwrap();
            let run = backup(&house, &format!("restore --file {} --yes", path.display())).status(3);
            assert!(run.stderr.contains("its SHA-256 is another one than the manifest's"), "{place}: {}", run.stderr);
        }
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        let run = backup(&house, "list --verify").status(1);
        assert!(run.stdout.contains("bytes, the manifest says"), "{}", run.stdout);
        fs::write(&path, good).unwrap();
        backup(&house, "list --verify").status(0);
    }
}

#[test]
fn a_backup_of_another_set_and_one_without_a_manifest_are_refused() {
    let house = imported();
    backup(&house, "create").status(0);
    let path = newest(&house);
    let set = small_set(&house);
    fs::rename(house.path(DATABASE), house.path("kept.db")).unwrap();
    let run = backup(&house, &format!("restore --latest --yes {set}")).status(3);
    assert!(run.stderr.contains("the backup is of the mapping set `fossawork`, not of `notes`"), "{}", run.stderr);
    fs::rename(house.path("kept.db"), house.path(DATABASE)).unwrap();
    fs::remove_file(format!("{}.json", path.display())).unwrap();
    let run = backup(&house, &format!("restore --file {} --yes", path.display())).status(3);
    assert!(run.stderr.contains("the backup has no manifest beside it"), "{}", run.stderr);
    backup(&house, "restore --latest --yes").status(3);
}

#[test]
fn backups_are_made_before_changes_promoted_and_pruned() {
    let house = imported();
    let folder = house.backups();
    let folder = folder.to_str().unwrap();
    schema(&house, &format!("rollback --steps 1 --backup-dir {folder}")).status(0);
    schema(&house, &format!("migrate --backup-dir {folder}")).status(0);
    house.import(&sample(), &[]).status(0); // changes nothing, and keeps no backup
    change(&house, "DELETE FROM user_sessions");
    house.import(&sample(), &[]).status(0);
    let list = backup(&house, "list --json").status(0).json();
    let reasons: Vec<_> =
        list["backups"].as_array().unwrap().iter().map(|one| one["manifest"]["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["before rollback", "before migrate", "before import"]);
    backup(&house, "promote --to weekly").status(0);
    backup(&house, "promote --to weekly").status(2);
    let pruned = backup(&house, "prune --keep-daily 1 --dry-run --json").status(0).json();
    assert_eq!(pruned["removed"].as_array().unwrap().len(), 2);
    backup(&house, "prune --keep-daily 1").status(2);
    backup(&house, "prune --keep-daily 1 --yes").status(0);
    assert_eq!(backup(&house, "list --json").status(0).json()["backups"].as_array().unwrap().len(), 2);
    let mode = |path: &str| fs::metadata(house.backups().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("daily"), 0o700);
    assert_eq!(fs::metadata(newest(&house)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_refused_import_leaves_no_backup_behind() {
    let house = imported();
    change(&house, "UPDATE users SET label = 'Somebody Else'");
    let run = house.import(&sample(), &[]).status(1);
    assert!(run.stderr.contains("no row was changed: the backup was removed again"), "{}", run.stderr);
    assert!(!house.backups().exists());
}

#[test]
fn an_import_that_changes_no_row_leaves_no_backup_unless_it_migrated() {
    let house = imported();
    let run = house.import(&sample(), &[]).status(0);
    assert!(run.stderr.contains("no row was changed: the backup was removed again"), "{}", run.stderr);
    assert!(!house.backups().exists());
    schema(&house, "rollback --steps 1 --no-backup").status(0);
    let run = house.import(&sample(), &[]).status(0);
    assert!(!run.stderr.contains("removed again"), "{}", run.stderr);
    assert!(newest(&house).exists());
}

#[test]
fn a_database_in_wal_mode_is_backed_up_and_replaced_with_what_lies_beside_it() {
    let house = imported();
    let other = Connection::open(house.path(DATABASE)).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; UPDATE users SET label = 'before';").unwrap();
    backup(&house, "create").status(0);
    other.execute_batch("UPDATE users SET label = 'after'").unwrap();
    // It is open: whoever writes there would write into a file that is gone.
    let run = backup(&house, "restore --latest --yes --no-backup").status(3);
    assert!(run.stderr.contains("locked by another program"), "{}", run.stderr);
    drop(other);
    backup(&house, "restore --latest --yes").status(0);
    assert_eq!(house.rows("SELECT DISTINCT label FROM users"), [["before"]]);
    assert!(!house.path("target.db-wal").exists() && !house.path("target.db-shm").exists());
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
    assert_eq!(run.status, Some(2));
    let text = fs::read_to_string(house.path("x.log")).unwrap();
    assert!(text.contains("\"event\":\"error\"") && !text.contains("hunter2"), "{text}");
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let house = imported();
    let run = house.run(["schema", "rollback", "--steps", "1", "--database", URL]).status(2);
    assert!(
        run.stderr.contains("sqlite:///./target.db has 148 rows: take 1 migration back, and lose 10 tables or columns with 0 rows, after a backup?"),
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
