//! Every bundled set with a page of its own: its sample goes in, once, and out again, on every engine.

use crate::engines::on_every_engine;
use crate::house::{DATABASE, House, PASSPHRASE_FILE, application_dump, open, project};
use serde_json::Value;

fn sets() -> Vec<String> {
    let folders = std::fs::read_dir(project("mappings")).unwrap().map(Result::unwrap);
    let with_page = folders.filter(|entry| entry.path().join("README.md").is_file());
    let mut names: Vec<String> = with_page.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert!(names.len() >= 4, "{names:?}");
    names
}

/// The sum of a number over all tables of a report.
fn sum(report: &Value, what: &str) -> u64 {
    report["tables"].as_array().unwrap().iter().map(|table| table[what].as_u64().unwrap()).sum()
}

#[test]
fn a_sample_is_imported_once_and_validated_and_undone() {
    for name in sets() {
        on_every_engine(House::new, |lab| {
            let own = ["--mappings", &name, "--database", lab.url()];
            let run = |line: &[&str]| lab.house.run(line.iter().chain(&own));
            run(&["schema", "migrate", "--yes", "--no-backup"]).status(0);
            let before = lab.content();
            let (sample, passphrase) = (project(&format!("sample_data/{name}")), project(PASSPHRASE_FILE));
            let (sample, passphrase) = (sample.to_str().unwrap(), passphrase.to_str().unwrap());
            let import = |more: &[&str]| {
                let line =
                    ["import", "--reread", sample, "--passphrase-file", passphrase, "--yes", "--no-backup", "--json"];
                run(&[&line, more].concat()).status(0).json()
            };
            let (dry, first) = (import(&["--dry-run"]), import(&[]));
            assert_eq!((&dry["leaves"], &dry["tables"]), (&first["leaves"], &first["tables"]), "{name}");
            assert_eq!((sum(&first, "rejected"), &first["leaves"]["unmapped"]), (0, &0.into()), "{name}");
            let imported = lab.content();
            assert!(sum(&first, "inserted") > 0 && imported != before, "{name}");
            let again = import(&[]);
            assert_eq!((sum(&again, "inserted"), sum(&again, "updated")), (0, 0), "{name}");
            assert_eq!(lab.content(), imported, "{name}");
            run(&["schema", "validate"]).status(0);
            let id = first["run_id"].as_str().unwrap();
            lab.undo(id, &["--mappings", &name, "--no-backup"]).status(0);
            assert_eq!(lab.content(), before, "{name}");
            run(&["schema", "rollback", "--to", "base", "--yes", "--no-backup"]).status(0);
            run(&["schema", "migrate", "--to", "head", "--yes", "--no-backup"]).status(0);
            assert_eq!(lab.content().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{name}");
        });
    }
}

#[test]
fn the_migrations_of_a_bundled_set_can_be_rolled_back_with_rows() {
    for name in sets() {
        House::new().run(["schema", "test", "--mappings", &name]).status(0);
    }
}

#[test]
fn what_is_wrong_in_an_applications_own_database_stops_its_migration_and_is_named() {
    let house = House::new();
    let url = format!("sqlite:///./{DATABASE}");
    let migrate = |more: &[&str]| {
        let line = ["schema", "migrate", "--mappings", "trivia", "--database", &url, "--yes", "--no-backup"];
        house.run([&line, more].concat())
    };
    migrate(&["--to", "002"]).status(0);
    let database = rusqlite::Connection::open(house.path(DATABASE)).unwrap();
    let users = "PRAGMA ignore_check_constraints = ON;
        INSERT INTO users (user_id, username, total_points) VALUES (7, 'ada', -5), (8, 'bob', 5)";
    database.execute_batch(users).unwrap();
    drop(database);
    let dump = || application_dump(&open(&house.path(DATABASE)));
    let before = dump();
    for flags in [&["--dry-run"][..], &[]] {
        let refused = migrate(flags).status(1).stdout;
        let named = "failed: no points of a user are negative: before the change: 1 row: `users` 7\n";
        assert!(refused.starts_with(named) && refused.contains("refused: 1 check does not hold"), "{refused}");
        assert_eq!(dump(), before);
    }
}
