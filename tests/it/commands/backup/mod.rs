//! Backups of several databases, their shelves, what is chosen among them and what is left of them.

mod rows;
mod sample;

use crate::house::safe::Given;
use crate::house::{DATABASE, House, KEY_FILE, Ran, open, project, rows, sample};
use rusqlite::Connection;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use treelift::backup::Before;
use treelift::config::{ImportOptions, Phase, Quiet, SecretNeed, Ui};
use treelift::error::Result;
use treelift::import::import;
use treelift::migrations::{ManagedDatabase, Options};
use treelift::secret::keys::Secret;

/// A house with a mapping set of one table, and databases of it that hold their own names.
fn house(databases: &[&str]) -> House {
    filled(House::new(), databases)
}

/// The same in a house whose directories are there.
fn filled(house: House, databases: &[&str]) -> House {
    house.file("set/set.toml", "name = \"words\"\n");
    house.file(
        "set/schema/001_words.up.sql",
        "CREATE TABLE words (word TEXT PRIMARY KEY, after TEXT REFERENCES words (word));\n",
    );
    for database in databases {
        house.run(["schema", "migrate", "--mappings", "set", "--database", database]).status(0);
        write(&house, database, database);
    }
    house
}

/// `treelift backup …` on a database of the house.
fn backup(house: &House, database: &str, line: &str) -> Ran {
    let url = format!("sqlite:///./{database}");
    let mut arguments: Vec<&str> = vec!["backup"];
    arguments.extend(line.split(' '));
    arguments.extend(["--database", &url, "--mappings", "set"]);
    house.run(arguments)
}

/// Writes a word into a database, in the place of the one that is there.
fn write(house: &House, database: &str, word: &str) {
    let database = Connection::open(house.path(database)).unwrap();
    database.execute("DELETE FROM words", []).unwrap();
    database.execute("INSERT INTO words VALUES (?1, NULL)", [word]).unwrap();
}

/// The word in a database.
fn word(house: &House, database: &str) -> String {
    rows(&open(&house.path(database)), "SELECT word FROM words")[0][0].clone()
}

/// The backups that a database knows, oldest first.
fn listed(house: &House, database: &str) -> Vec<PathBuf> {
    let list = backup(house, database, "list --json").status(0).json();
    list["backups"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap().into()).collect()
}

#[test]
fn databases_that_share_a_folder_of_backups_see_only_their_own() {
    let databases = ["prod.db", "prod_2.db", "prod.sqlite"];
    let house = house(&databases);
    for database in databases {
        backup(&house, database, "create").status(0);
    }
    write(&house, "prod.db", "changed");
    assert_eq!(listed(&house, "prod.db").len(), 1);
    backup(&house, "prod.db", "restore --latest --yes --no-backup").status(0);
    assert_eq!(word(&house, "prod.db"), "prod.db");

    let promoted = backup(&house, "prod.db", "promote --to weekly --dry-run --json").status(0).json();
    assert_eq!(PathBuf::from(promoted["backup"].as_str().unwrap()), listed(&house, "prod.db")[0]);
    backup(&house, "prod.db", "create").status(0);
    let pruned = backup(&house, "prod.db", "prune --keep-daily 1 --yes --json").status(0).json();
    assert_eq!(pruned["removed"].as_array().unwrap().len(), 1);
    for database in databases {
        assert_eq!(listed(&house, database).len(), 1, "{database}");
    }
    let none = backup(&house, "other.db", "restore --latest --yes").status(3);
    assert!(none.stderr.contains("there is no backup of sqlite:///./other.db\n  at backups\n"), "{}", none.stderr);
}

/// `treelift backup …` on a database with a folder of backups.
fn backup_in(house: &House, database: &str, folder: &str, line: &str) -> Ran {
    backup(house, database, &format!("{line} --backup-dir {folder}"))
}

/// How many backups of a database a folder has.
fn count_in(house: &House, database: &str, folder: &str) -> usize {
    let list = backup_in(house, database, folder, "list --json").status(0).json();
    list["backups"].as_array().unwrap().len()
}

#[test]
fn databases_of_one_file_name_that_share_a_folder_see_only_their_own() {
    let house = House::new();
    fs::create_dir_all(house.path("one")).unwrap();
    fs::create_dir_all(house.path("two")).unwrap();
    let databases = ["one/app.db", "two/app.db"];
    let house = filled(house, &databases);
    for database in databases {
        backup_in(&house, database, "shared", "create").status(0);
    }
    backup_in(&house, "two/app.db", "shared", "create").status(0);
    assert_eq!(databases.map(|database| count_in(&house, database, "shared")), [1, 2]);
    write(&house, "one/app.db", "changed");
    backup_in(&house, "one/app.db", "shared", "restore --latest --yes --no-backup").status(0);
    assert_eq!(word(&house, "one/app.db"), "one/app.db");
    let pruned = backup_in(&house, "one/app.db", "shared", "prune --keep-daily 0 --yes --json").status(0).json();
    assert_eq!(pruned["removed"].as_array().unwrap().len(), 0, "the newest of its own stays");
    assert_eq!(count_in(&house, "two/app.db", "shared"), 2);
    let shown = backup_in(&house, "one/app.db", "shared", "list").status(0);
    assert!(shown.stdout.ends_with("2 backups of other databases not shown\n"), "{}", shown.stdout);

    // A copy has the id of the original, and another path.
    fs::create_dir_all(house.path("copy")).unwrap();
    fs::copy(house.path("one/app.db"), house.path("copy/app.db")).unwrap();
    assert_eq!(count_in(&house, "copy/app.db", "shared"), 0);
    // Another database at the path of the first is not that database.
    fs::copy(house.path("two/app.db"), house.path("one/app.db")).unwrap();
    assert_eq!(count_in(&house, "one/app.db", "shared"), 0);
    let none = backup_in(&house, "one/app.db", "shared", "restore --latest --yes").status(3);
    assert!(none.stderr.contains("there is no backup of"), "{}", none.stderr);
    // One that is gone is known by its path.
    fs::remove_file(house.path("one/app.db")).unwrap();
    backup_in(&house, "one/app.db", "shared", "restore --latest --yes").status(0);
    assert_eq!(word(&house, "one/app.db"), "one/app.db");
}

#[test]
fn a_database_that_moves_with_its_folder_keeps_its_backups_and_a_restore_keeps_its_id() {
    let house = House::new();
    fs::create_dir_all(house.path("old")).unwrap();
    let house = filled(house, &["old/app.db"]);
    let id = |database: &str| {
        rows(&open(&house.path(database)), "SELECT value FROM treelift_state WHERE name = 'database_id'")
    };
    let first = id("old/app.db");
    // A backup that an earlier version made: no id in the database, no database in the manifest.
    Connection::open(house.path("old/app.db")).unwrap().execute_batch("DROP TABLE treelift_state").unwrap();
    backup(&house, "old/app.db", "create").status(0);
    let made = listed(&house, "old/app.db").remove(0);
    let manifest = house.path(&format!("{}.json", made.display()));
    let mut document: serde_json::Value = serde_json::from_str(&fs::read_to_string(&manifest).unwrap()).unwrap();
    assert_eq!(document["database"]["id"], serde_json::Value::Null);
    document.as_object_mut().unwrap().remove("database");
    fs::write(&manifest, document.to_string()).unwrap();

    fs::rename(house.path("old"), house.path("new")).unwrap();
    write(&house, "new/app.db", "changed");
    let state = format!(
        "CREATE TABLE treelift_state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
         INSERT INTO treelift_state VALUES ('format', '2'), ('database_id', '{}')",
        first[0][0]
    );
    Connection::open(house.path("new/app.db")).unwrap().execute_batch(&state).unwrap();
    backup(&house, "new/app.db", "restore --latest --yes --no-backup").status(0);
    assert_eq!((word(&house, "new/app.db").as_str(), id("new/app.db")), ("old/app.db", first));
}

#[test]
fn another_databases_backup_is_restored_by_name_and_the_question_names_its_source() {
    let house = house(&["prod.db", "test.db"]);
    for database in ["prod.db", "test.db"] {
        backup(&house, database, "create").status(0);
    }
    let restore = format!("restore --file {}", listed(&house, "test.db")[0].display());
    let asked = backup(&house, "prod.db", &restore).status(2);
    let question = "replace sqlite:///./prod.db with the backup of sqlite:///./test.db made at ";
    assert!(asked.stderr.contains(question), "{}", asked.stderr);
    backup(&house, "prod.db", &format!("{restore} --yes")).status(0);
    assert_eq!(word(&house, "prod.db"), "test.db");
}

#[test]
fn restoring_twice_restores_the_same_backup_and_lists_the_replaced_database() {
    let house = house(&["a.db"]);
    backup(&house, "a.db", "create").status(0);
    for given_up in ["one", "two"] {
        write(&house, "a.db", given_up);
        backup(&house, "a.db", "restore --latest --yes").status(0);
        assert_eq!(word(&house, "a.db"), "a.db");
        let newest = listed(&house, "a.db").pop().unwrap();
        assert_eq!(rows(&open(&house.path(newest.to_str().unwrap())), "SELECT word FROM words"), [[given_up]]);
    }
    backup(&house, "a.db", "promote --to weekly").status(0);
    write(&house, "a.db", "three");
    backup(&house, "a.db", "restore --shelf weekly --yes").status(0);
    assert_eq!(word(&house, "a.db"), "a.db");
    backup(&house, "a.db", "prune --keep-daily 0 --keep-weekly 0 --yes").status(0);
    let reasons = backup(&house, "a.db", "list").status(0).stdout;
    assert!(reasons.contains("asked for") && reasons.contains("before restore"), "{reasons}");
    assert_eq!(listed(&house, "a.db").len(), 2, "{reasons}");
    let last = listed(&house, "a.db").pop().unwrap();
    backup(&house, "a.db", &format!("restore --file {} --yes --no-backup", last.display())).status(0);
    assert_eq!(word(&house, "a.db"), "three");
}

#[test]
fn a_shelf_without_a_backup_is_named_with_a_hint() {
    let house = house(&["a.db"]);
    let stands = |line: &str, text: &str| {
        let run = backup(&house, "a.db", line).status(3);
        assert!(run.stderr.contains(text), "{}", run.stderr);
    };
    stands("restore --latest", "there is no backup of sqlite:///./a.db\n  at backups\nhint: make one");
    backup(&house, "a.db", "create").status(0);
    let empty = "there is no backup of sqlite:///./a.db on the weekly shelf\n  at backups\nhint: `backup list` shows";
    stands("restore --latest --shelf weekly", empty);
    stands("restore --shelf weekly", empty);
}

#[test]
fn removing_an_unneeded_backup_removes_only_folders_made_for_it() {
    let house = House::new();
    house.import(&sample(), &["--no-backup"]).status(0);
    let (folder, daily) = (house.backups(), house.backups().join("daily"));
    for there in [None, Some(&folder), Some(&daily)] {
        if let Some(there) = there {
            fs::create_dir_all(there).unwrap();
        }
        let run = house.import(&sample(), &[]).status(0);
        assert!(run.stderr.contains("no row was changed: the backup was removed"), "{}", run.stderr);
        assert_eq!([&folder, &daily].map(|one| one.exists()), [there.is_some(), there == Some(&daily)]);
    }
}

/// Somebody who says yes, does something of their own when asked or when a phase begins, and keeps what
/// is said.
struct Meddler<'m> {
    at: Option<Phase>,
    act: &'m (dyn Fn() + Sync),
    key: Given,
    said: Mutex<Vec<String>>,
}

impl<'m> Meddler<'m> {
    fn new(house: &House, at: Option<Phase>, act: &'m (dyn Fn() + Sync)) -> Self {
        Self { at, act, key: Given::KeyFile(house.path(KEY_FILE)), said: Mutex::new(Vec::new()) }
    }

    fn was_told(&self, text: &str) -> bool {
        self.said.lock().unwrap().iter().any(|line| line.contains(text))
    }
}

impl Ui for Meddler<'_> {
    fn phase(&self, phase: Phase, _: u64, _: u64) {
        if self.at == Some(phase) {
            (self.act)();
        }
    }
    fn advance(&self, _: u64, _: u64) {}
    fn interrupted(&self) -> Option<i32> {
        None
    }
    fn confirm(&self, _: &str) -> Result<bool> {
        if self.at.is_none() {
            (self.act)();
        }
        Ok(true)
    }
    fn secret(&self, _: SecretNeed) -> Result<Option<Secret>> {
        Ok(Some(self.key.secret()))
    }
    fn say(&self, line: &str) {
        self.said.lock().unwrap().push(line.to_owned());
    }
}

#[test]
fn a_database_that_is_replaced_during_an_import_is_an_error_that_keeps_the_backup() {
    let house = House::new();
    let (source, database) = (project("sample_data/notes"), house.path(DATABASE));
    house.import(&source, &[]).status(0);
    let options = ImportOptions {
        database: Some(database.to_str().unwrap().to_owned()),
        reports: vec![house.path("report.json")],
        reread: true,
        ..ImportOptions::of(source)
    };
    let letter = house.file("letter", "no database ".repeat(100));
    let spoil = || fs::rename(&letter, &database).unwrap();
    let meddler = Meddler::new(&house, Some(Phase::Finish), &spoil);
    let error = import(&options, &meddler).unwrap_err();
    assert_eq!(error.status(), 3);
    assert!(error.message.starts_with("the database's file was replaced or removed by another program"), "{error}");
    assert!(fs::read_to_string(&database).unwrap().starts_with("no database no database"));
    assert!(meddler.was_told("backup: ") && !meddler.was_told("was removed"));
    assert_eq!(fs::read_dir(house.path("backups/daily")).unwrap().count(), 2);
}

#[test]
fn a_change_already_made_by_another_program_keeps_no_backup() {
    let house = house(&["a.db"]);
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    let (set, database) = (house.path("set"), house.path("a.db"));
    let managed = || ManagedDatabase::open(set.to_str(), database.to_str()).unwrap();
    let options = Options::default();
    let alone = Options { before: Before { skip: true, ..Before::default() }, ..Options::default() };

    let migrate = || drop(managed().migrate(None, &alone, &Quiet).unwrap());
    let meddler = Meddler::new(&house, None, &migrate);
    assert!(managed().migrate(None, &options, &meddler).unwrap().steps.is_empty());
    assert!(meddler.was_told("backup: ") && meddler.was_told("was removed"));

    let orphan = "PRAGMA foreign_keys = OFF; INSERT INTO words VALUES ('b', 'nothing')";
    Connection::open(&database).unwrap().execute_batch(orphan).unwrap();
    let move_aside = || drop(managed().fix_orphans(&alone, &Quiet).unwrap());
    let meddler = Meddler::new(&house, None, &move_aside);
    assert!(managed().fix_orphans(&options, &meddler).unwrap().is_empty());
    assert!(meddler.was_told("backup: ") && meddler.was_told("was removed"));
    assert!(!house.path("backups").exists());
}

#[test]
fn a_change_that_fails_keeps_its_backup() {
    let house = house(&["a.db"]);
    house.file("set/schema/002_more.up.sql", "CREATE INDEX oops ON absent (id);\n");
    let run = house.run(["schema", "migrate", "--mappings", "set", "--database", "a.db", "--yes"]).status(3);
    assert!(run.stderr.contains("backup: ") && !run.stderr.contains("removed again"), "{}", run.stderr);
    assert_eq!(listed(&house, "a.db").len(), 1);
}
