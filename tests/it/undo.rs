//! An import is taken back whole, or not at all.

use crate::generated::tree;
use crate::house::{DATABASE, House, Ran, application_dump, listing, open, sample};
use crate::safe::Dice;
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::time::Instant;

const URL: &str = "sqlite:///./target.db";

const TABLES: &str = "
    CREATE TABLE people (
        id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, mail TEXT, state TEXT DEFAULT 'new', old BOOLEAN DEFAULT FALSE,
        made TIMESTAMP DEFAULT CURRENT_TIMESTAMP, paid DECIMAL(10, 2)
    );
    CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL REFERENCES people (id), title TEXT);
    CREATE TABLE tags (person TEXT, name TEXT, seen DATETIME, PRIMARY KEY (person, seen));";

const PEOPLE: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    name = "name"
    mail = "mail"
    paid = "paid"
    [table.notes]
    each = "notes[*]"
    parent = "people"
    [table.notes.columns]
    owner = "^id"
    title = ".""#;

/// It does not give the name, which is NOT NULL: it cannot start a row.
const MAILS: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "fill"
    [table.people.columns]
    id = "id"
    mail = "mail""#;

const TAGS: &str = r#"
    [table.tags]
    key = ["person", "seen"]
    [table.tags.columns]
    person = "person"
    name = "name"
    seen = { from = "seen", steps = ["instant"] }"#;

/// A house whose tree has two people with notes, and nobody's mail yet.
fn house() -> House {
    House::new()
        .schema(TABLES)
        .set("[precedence]\npeople = [\"people\", \"mails\"]\n")
        .list("people", r#"["people.json"]"#, PEOPLE)
        .list("mails", r#"["mails.json"]"#, MAILS)
        .list("tags", r#"["tags.json"]"#, TAGS)
        .source("people.json", &json!([{"id": "1", "name": "Ann", "paid": 2.5, "notes": ["a", "b"]}, {"id": "2", "name": "Bob", "notes": ["a"]}]))
        .source("tags.json", &json!([{"person": "1", "name": "x", "seen": "2025-05-07T14:42:18Z"}]))
}

/// Imports the house's tree as it is, and gives the run's id.
fn imported(house: &House) -> String {
    house.lift(&["--no-backup"]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned()
}

fn undo(house: &House, run: &str, more: &[&str]) -> Ran {
    let backups = house.backups();
    let mut arguments = vec!["undo", run, "--database", URL, "--yes", "--backup-dir", backups.to_str().unwrap()];
    if house.path("set").exists() {
        arguments.extend(["--mappings", "set"]);
    }
    arguments.extend(more);
    house.run(arguments)
}

fn change(house: &House, sql: &str) {
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(sql).unwrap();
}

/// The application's tables, without the audit trail: it tells of the undo itself.
fn content(house: &House) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut tables = application_dump(&open(&house.path(DATABASE)));
    tables.remove("audit_trail");
    tables
}

/// The undo is refused in these words, and nothing is changed, nor left behind.
#[track_caller]
fn refused(house: &House, run: &str, words: &[&str]) {
    let before = listing(&house.work());
    let ran = undo(house, run, &[]).status(1);
    for word in words {
        assert!(ran.stdout.contains(word), "{}", ran.stdout);
    }
    assert!(ran.stdout.contains("refused: run "), "{}", ran.stdout);
    assert_eq!(listing(&house.work()), before);
    assert!(!house.backups().exists());
}

#[test]
fn the_sample_is_taken_back_and_comes_again() {
    let house = House::new();
    house.run(["schema", "migrate", "--mappings", "fossawork", "--database", URL]).status(0);
    let empty = content(&house);
    let report = house.import(&sample(), &["--json", "--no-backup"]).status(0).json();
    let (run, full) = (report["run_id"].as_str().unwrap(), content(&house));
    let ran = undo(&house, &run[..8], &[]).status(0);
    assert_eq!(ran.last_line(), format!("committed: 123 rows of run {run} taken back in {URL}"));
    assert!(ran.stderr.starts_with("backup: "), "{}", ran.stderr);
    assert_eq!(content(&house), empty);
    assert_eq!(house.one("SELECT count(*) FROM treelift_rows"), "0");
    assert_eq!(
        house.rows("SELECT action, record_id FROM audit_trail WHERE action = 'undo'"),
        [["undo".to_owned(), run.to_owned()]]
    );
    house.run(["schema", "validate", "--database", URL]).status(0);

    let again = undo(&house, run, &[]).status(2);
    assert!(again.stderr.contains("was taken back by run "), "{}", again.stderr);
    house.import(&sample(), &["--no-backup"]).status(0);
    let ids = |dump| format!("{dump:?}").len();
    assert_eq!(ids(content(&house)), ids(full), "the same rows, under other given ids, times and seals");
    let runs = house.run(["runs", "--database", URL]).status(0).stdout;
    assert!(runs.contains("import, taken back") && runs.contains(&format!("undo of {}", &run[..8])), "{runs}");
}

#[test]
fn runs_are_taken_back_one_by_one_and_what_was_filled_is_empty_again() {
    let house = house();
    let first = imported(&house);
    let between = content(&house);
    house.put("people.json", json!([{"id": "1", "name": "Ann", "paid": 2.5, "notes": ["a", "b"]}, {"id": "2", "name": "Bob", "notes": ["a"]}, {"id": "3", "name": "Cid", "notes": []}]).to_string());
    house.put(
        "mails.json",
        json!([{"id": "1", "mail": "ann@a.example"}, {"id": "3", "mail": "cid@a.example"}]).to_string(),
    );
    let second = imported(&house);
    assert_eq!(house.rows("SELECT mail FROM people ORDER BY id"), [["ann@a.example"], ["NULL"], ["cid@a.example"]]);

    refused(
        &house,
        &first,
        &[
            &format!("in the way: run {second} wrote into 1 row of this one: take that run back first"),
            "in the way: 1 row of `people` was changed after the run (1)",
        ],
    );
    let document = undo(&house, &second, &["--json", "--no-backup"]).status(0).json();
    assert_eq!(document["tables"], json!([{"name": "people", "removed": 1, "emptied": 1, "gone": 0}]));
    assert_eq!(content(&house), between);
    undo(&house, &first, &["--no-backup"]).status(0);
    assert_eq!(
        house.one("SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM notes) + (SELECT count(*) FROM tags)"),
        "0"
    );
    assert_eq!(
        house.rows("SELECT kind, removed, updated FROM treelift_runs ORDER BY number"),
        [["import", "0", "0"], ["import", "0", "1"], ["undo", "1", "1"], ["undo", "6", "0"]]
    );
}

#[test]
fn a_row_that_was_changed_since_is_not_taken_back_and_named() {
    let cases = [
        ("UPDATE people SET name = 'Anne' WHERE id = '1'", "1 row of `people` was changed after the run (1)"),
        ("UPDATE people SET paid = 2.51 WHERE id = '1'", "1 row of `people` was changed after the run (1)"),
        // Columns that no mapping writes hold what the database gave them.
        ("UPDATE people SET state = 'seen'", "2 rows of `people` were changed after the run (1, 2)"),
        ("UPDATE people SET old = 1 WHERE id = '2'", "1 row of `people` was changed after the run (2)"),
        (
            "UPDATE people SET made = '2001-01-01 00:00:00' WHERE id = '2'",
            "1 row of `people` was changed after the run (2)",
        ),
        (
            "ALTER TABLE tags ADD COLUMN more TEXT; UPDATE tags SET more = 'x'",
            "1 row of `tags` was changed after the run",
        ),
        ("ALTER TABLE tags RENAME COLUMN name TO word", "1 row of `tags` was changed after the run"),
    ];
    for (sql, words) in cases {
        let house = house();
        let run = imported(&house);
        change(&house, sql);
        refused(&house, &run, &[words]);
    }
}

#[test]
fn what_would_go_with_the_rows_or_lose_its_parent_stands_in_the_way() {
    let cases = [
        (
            "INSERT INTO notes (owner, title) VALUES ('1', 'mine')",
            "1 row of `notes` would refer to rows of `people` that are gone",
        ),
        (
            "CREATE TABLE mine (owner TEXT); INSERT INTO mine VALUES ('1'), ('2');
             CREATE TRIGGER away AFTER DELETE ON people BEGIN DELETE FROM mine WHERE owner = old.id; END",
            "2 rows of `mine` that the run did not write would go as well",
        ),
        (
            "CREATE TRIGGER no BEFORE DELETE ON notes WHEN old.title = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END",
            "the database does not let 1 row of `notes` be taken back",
        ),
    ];
    for (sql, words) in cases {
        let house = house();
        let run = imported(&house);
        change(&house, sql);
        refused(&house, &run, &[words]);
    }
}

#[test]
fn rows_that_are_gone_already_are_counted_and_the_rest_goes() {
    let house = house();
    let run = imported(&house);
    change(&house, "DELETE FROM notes WHERE title = 'b'; DROP TABLE tags");
    let shown = undo(&house, &run, &["--dry-run"]).status(0);
    let words = "notes: 2 rows removed, 1 row gone already\npeople: 2 rows removed\ntags: 1 row gone already\n";
    assert_eq!(
        shown.stdout,
        format!("{words}dry run: 4 rows of run {run} would be taken back, nothing was changed in {URL}\n")
    );
    assert_eq!(
        undo(&house, &run, &[]).status(0).stdout,
        format!("{words}committed: 4 rows of run {run} taken back in {URL}\n")
    );
    assert_eq!(house.one("SELECT count(*) FROM people"), "0");
}

#[test]
fn a_rehearsal_and_a_question_without_an_answer_leave_no_trace() {
    let house = house();
    let run = imported(&house);
    let before = listing(&house.work());
    undo(&house, &run, &["--dry-run"]).status(0);
    let asked = house.run(["undo", &run, "--database", URL, "--mappings", "set"]).status(2);
    assert!(
        asked.stderr.contains(&format!("take run {run} back in {URL}, and remove or empty 6 rows?")),
        "{}",
        asked.stderr
    );
    assert_eq!(listing(&house.work()), before);
}

#[test]
fn a_run_that_changed_nothing_has_nothing_to_take_back() {
    let house = house();
    imported(&house);
    let second = imported(&house);
    let ran = undo(&house, &second, &[]).status(0);
    assert_eq!(ran.stdout, format!("nothing to take back: no row of run {second} is in {URL}\n"));
    assert_eq!(house.one("SELECT count(*) FROM treelift_runs"), "2");
    undo(&house, "nobody", &[]).status(2);
}

#[test]
fn an_undo_that_is_killed_has_done_all_or_nothing() {
    kill(3, 1);
}

#[test]
#[ignore = "thirty kills take minutes"]
fn thirty_kills_of_an_undo() {
    kill(30, 2);
}

fn kill(times: u32, seed: u64) {
    let house = House::new();
    let people = tree(&house, 20, 3);
    let report = house.import(&people, &["--json"]).status(0).json();
    let run = report["run_id"].as_str().unwrap();
    let full = content(&house);
    let made = std::fs::read(house.path(DATABASE)).unwrap();
    let started = Instant::now();
    undo(&house, run, &["--no-backup"]).status(0);
    let (length, empty) = (started.elapsed(), content(&house));
    let mut dice = Dice(seed);
    for number in 0..times {
        std::fs::write(house.path(DATABASE), &made).unwrap();
        let mut child = house.command(["undo", run, "--database", URL, "--yes", "--no-backup"]).spawn().unwrap();
        std::thread::sleep(length.mul_f64(dice.roll(1_000) as f64 / 1_000.0));
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
        let left = content(&house);
        assert!(left == full || left == empty, "seed {seed}, kill {number}");
    }
}
