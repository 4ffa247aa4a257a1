//! A dry run says what the real run will say, and leaves no trace.

use crate::house::{DATABASE, House, comparable, listing, open, sample};
use rusqlite::Connection;

#[test]
fn its_report_is_the_real_one() {
    let house = House::new();
    let source = house.sample_copy();
    let dry = house.import(&source, &["--dry-run", "--json"]).status(0).json();
    assert!(!house.path(DATABASE).exists());
    let real = house.import(&source, &["--json"]).status(0).json();
    assert_eq!((&dry["mode"], &dry["outcome"]), (&"dry-run".into(), &"dry-run".into()));
    assert_eq!((&real["mode"], &real["outcome"]), (&"import".into(), &"committed".into()));
    assert_eq!(comparable(dry), comparable(real));
}

#[test]
fn it_leaves_no_trace_beside_a_database_that_is_not_there_yet() {
    let house = House::new();
    leaves_no_trace(&house);
}

#[test]
fn it_leaves_no_trace_in_an_existing_database() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    leaves_no_trace(&house);
}

#[test]
fn it_leaves_no_trace_in_an_existing_database_in_wal_mode() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    let database = Connection::open(house.path(DATABASE)).unwrap();
    let mode: String = database.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    drop(database);
    leaves_no_trace(&house);
}

/// Another program has the database open, and rows of its own stand in the WAL file only.
#[test]
fn it_leaves_no_trace_while_another_program_holds_a_wal_file() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    let other = Connection::open(house.path(DATABASE)).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    other.execute("INSERT INTO global_settings (setting_key, setting_value) VALUES ('other', '{}')", []).unwrap();
    leaves_no_trace(&house);
    let found: i64 = other
        .query_row("SELECT count(*) FROM global_settings WHERE setting_key = 'other'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, 1);
}

#[test]
fn requested_reports_and_rejects_are_written() {
    let house = House::new();
    house.import(&sample(), &["--dry-run", "--report", "report.json", "--report", "report.html"]).status(0);
    assert!(house.path("report.json").is_file() && house.path("report.html").is_file());
    assert!(!house.path(DATABASE).exists());
}

/// Source, working directory and temporary folder are the same before and after, to the byte and the
/// nanosecond. The index of a WAL file is shared memory, which any reader of the database writes.
fn leaves_no_trace(house: &House) {
    let source = house.sample_copy();
    let all = || {
        let mut all = [listing(&source), listing(&house.work()), listing(&house.tmp())];
        all[1].retain(|path, _| !path.to_string_lossy().ends_with("-shm"));
        all
    };
    let exists = house.path(DATABASE).exists();
    let before = all();
    let report = house.import(&source, &["--dry-run", "--json"]).status(0).json();
    assert_eq!(report["outcome"], "dry-run");
    assert_eq!(all(), before);
    assert_eq!(house.path(DATABASE).exists(), exists);
    if exists {
        assert_eq!(crate::house::rows(&open(&house.path(DATABASE)), "PRAGMA integrity_check"), [["ok"]]);
    }
}
