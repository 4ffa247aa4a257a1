//! What `schema validate` finds, each by name, and orphans moved aside.

use crate::house::keeping::{backup, change, imported, schema, small_set};
use crate::house::{DATABASE, House, sample};
use std::fs;
use std::os::unix::fs::PermissionsExt;

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
            &["table `work_orders` unexpectedly has CHECK (store_number <> '-')"],
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
            &["1 row of `dispensers` with a dangling reference to `work_orders`"],
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
        ("security", "UPDATE rate_limit_rules SET is_active = 0", &["every default rate limit"]),
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
    assert!(run.stdout.contains("mode 644: all users can read it"), "{}", run.stdout);
    // What the application makes by itself is not drift.
    change(
        &house,
        "CREATE TABLE filter_inventory (id VARCHAR PRIMARY KEY);
         CREATE TABLE apscheduler_jobs (id VARCHAR(191) NOT NULL, next_run_time FLOAT, job_state BLOB NOT NULL, PRIMARY KEY (id));
         CREATE INDEX ix_apscheduler_jobs_next_run_time ON apscheduler_jobs (next_run_time)",
    );
    schema(&house, "validate --category schema --category indexes").status(0);
    assert!(!schema(&house, "status").status(0).stdout.contains("drift"));
}

#[test]
fn a_missing_request_limit_or_retention_policy_is_reported() {
    let house = imported();
    let lists = [
        ("rate_limit_rules", "name", 10, "every default rate limit of the application exists"),
        ("data_retention_policies", "data_type", 8, "every data type has a retention policy"),
    ];
    let database = treelift::database::open(house.path(DATABASE).to_str().unwrap()).unwrap();
    let set = treelift::mapping::load::load(&treelift::mapping::bundled::resolve("fossawork").unwrap()).unwrap();
    let failed = || {
        let checks = treelift::validate::database(&*database, &set, &[treelift::validate::Category::Security]).unwrap();
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
fn rows_that_violate_a_constraint_are_reported_and_are_not_damage() {
    let house = House::new();
    let set = small_set(&house);
    house.file("set/schema/001_notes.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, n INT CHECK (n > 0));\n");
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    schema(&house, &format!("migrate {set}")).status(0);
    change(&house, "PRAGMA ignore_check_constraints = 1; INSERT INTO notes VALUES (1, 1), (2, 0), (3, -1);");
    let named = "FAILED      every row satisfies the constraints of its table\n              \
                 - a CHECK constraint of `notes` is violated in 2 rows\n";
    // SQLite passes conditions over in a file that it may only read.
    let readable = fs::Permissions::from_mode(0o400);
    let before = fs::metadata(house.path(DATABASE)).unwrap().permissions();
    for permissions in [readable, before] {
        fs::set_permissions(house.path(DATABASE), permissions).unwrap();
        let state = crate::house::listing(&house.work());
        let run = schema(&house, &format!("validate --category data {set}")).status(1);
        assert!(run.stdout.contains(named), "{}", run.stdout);
        assert!(run.stdout.contains("passed      the database file is intact\n"), "{}", run.stdout);
        assert_eq!(crate::house::listing(&house.work()), state);
    }
    backup(&house, &format!("create {set}")).status(0);
    // A backup is an exact copy, broken rules included; restored, it is validated like any database.
    let run = backup(&house, &format!("restore --latest --yes {set}")).status(1);
    assert!(run.last_line().starts_with("committed: "), "{}", run.stdout);
    assert_eq!(house.rows("SELECT n FROM notes ORDER BY id"), [["1"], ["0"], ["-1"]]);
    let folder = house.backups();
    schema(&house, &format!("rollback --steps 1 {set} --backup-dir {}", folder.display())).status(0);
    change(&house, "UPDATE notes SET n = 1");
    schema(&house, &format!("validate --category data {set}")).status(0);
}

#[test]
fn an_import_warns_of_rows_that_violated_a_constraint_before_it() {
    let house = imported();
    change(
        &house,
        "CREATE TABLE mine (n INT CHECK (n > 0)); PRAGMA ignore_check_constraints = 1; INSERT INTO mine VALUES (0), (1);",
    );
    let report = house.import(&sample(), &["--json"]).status(0).json();
    let told: Vec<_> = report["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "T005").collect();
    assert_eq!(told.len(), 1, "{report:#}");
    assert_eq!(told[0]["severity"], "warning");
    assert_eq!(told[0]["message"], "a CHECK constraint of `mine` is violated in 1 row");
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
