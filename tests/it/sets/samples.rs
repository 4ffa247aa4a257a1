//! Every bundled set with a page of its own: its sample goes in, once, and out again, on every engine.

use crate::house::site::on_every_engine;
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

/// Whether every row of an import is equal when it is compared with its source, and those of one owner alone.
fn is_equal(imported: &Value, verify: impl Fn(&[&str]) -> Value) {
    let report = verify(&[]);
    let compared = |what: &str| -> u64 {
        report["compared"].as_array().unwrap().iter().map(|table| table[what].as_u64().unwrap()).sum()
    };
    let rows = sum(imported, "inserted") + sum(imported, "updated") + sum(imported, "unchanged");
    assert_eq!(compared("equal") + compared("unverified"), rows, "{:#}", report["compared"]);
    assert_eq!(compared("missing") + compared("extra") + compared("different"), 0, "{:#}", report["compared"]);
    assert_eq!((&report["outcome"], &report["leaves"]), (&"verified".into(), &imported["leaves"]));
    let mut owners = report["owners"].as_array().unwrap().iter().filter_map(|owner| owner["id"].as_str());
    if let Some(owner) = owners.next() {
        assert_eq!(verify(&["--only-owner", owner])["outcome"], "verified");
    }
}

#[test]
fn a_sample_is_imported_once_and_verified_and_validated_and_undone() {
    for name in sets() {
        on_every_engine(House::new, |site| {
            let own = ["--mappings", &name, "--database", site.name()];
            let run = |line: &[&str]| site.house.run(line.iter().chain(&own));
            run(&["schema", "migrate", "--yes", "--no-backup"]).status(0);
            let before = site.content();
            let (sample, passphrase) = (project(&format!("sample_data/{name}")), project(PASSPHRASE_FILE));
            let (sample, passphrase) = (sample.to_str().unwrap(), passphrase.to_str().unwrap());
            let import = |more: &[&str]| {
                let line =
                    ["import", "--reread", sample, "--passphrase-file", passphrase, "--yes", "--no-backup", "--json"];
                run(&[&line, more].concat()).status(0).json()
            };
            let (dry, first) = (import(&["--dry-run"]), import(&["--verify"]));
            assert_eq!((&dry["leaves"], &dry["tables"]), (&first["leaves"], &first["tables"]), "{name}");
            assert_eq!((sum(&first, "rejected"), &first["leaves"]["unmapped"]), (0, &0.into()), "{name}");
            let imported = site.content();
            assert!(sum(&first, "inserted") > 0 && imported != before, "{name}");
            let again = import(&[]);
            assert_eq!((sum(&again, "inserted"), sum(&again, "updated")), (0, 0), "{name}");
            assert_eq!(site.content(), imported, "{name}");
            is_equal(&first, |more| {
                run(&[&["verify", sample, "--passphrase-file", passphrase, "--json"], more].concat()).status(0).json()
            });
            run(&["schema", "validate"]).status(0);
            let id = first["run_id"].as_str().unwrap();
            site.undo(id, &["--mappings", &name, "--no-backup"]).status(0);
            assert_eq!(site.content(), before, "{name}");
            run(&["schema", "rollback", "--to", "base", "--yes", "--no-backup"]).status(0);
            run(&["schema", "migrate", "--to", "head", "--yes", "--no-backup"]).status(0);
            assert_eq!(site.content().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{name}");
        });
    }
}

/// Those without a page are tested at length elsewhere.
#[test]
fn a_sample_of_a_set_without_a_page_is_equal_after_its_import() {
    for name in ["fossawork", "notes"] {
        on_every_engine(House::new, |site| {
            let (sample, passphrase) = (project(&format!("sample_data/{name}")), project(PASSPHRASE_FILE));
            let line = |command, more: &[&str]| {
                let all =
                    [command, sample.to_str().unwrap(), "--passphrase-file", passphrase.to_str().unwrap(), "--json"];
                site.house.run(all.iter().chain(&["--database", site.name()]).chain(more)).status(0).json()
            };
            is_equal(&line("import", &["--yes", "--no-backup"]), |more| line("verify", more));
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
