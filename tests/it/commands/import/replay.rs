//! `--replay`: what was rejected comes back once it is fixed, and nothing else is read.

use crate::house::faults;
use crate::house::site::{Site, on_every_engine};
use crate::house::{DATABASE, House, age, application_dump, copy_tree, open};
use crate::promises::errors::set_aside::rejects;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::process::Stdio;
use std::time::Instant;

const ASIDE: [&str; 3] = ["--set-aside", "--rejects", "rejects"];
const REPLAY: [&str; 2] = ["--replay", "rejects"];

fn lift(site: &Site, more: &[&str], status: i32) -> Value {
    site.house.lift(&[more, &["--database", site.name(), "--no-backup"]].concat()).ends(status, "committed").report()
}

fn leaves(report: &Value, class: &str) -> i64 {
    report["leaves"][class].as_i64().unwrap()
}

fn rows(report: &Value, what: &str) -> u64 {
    report["tables"].as_array().unwrap().iter().map(|table| table[what].as_u64().unwrap()).sum()
}

/// The leaves of both runs are those of the whole tree: of the first one, those that were not rejected.
#[track_caller]
fn add_up(first: &Value, second: &Value, whole: &Value) {
    for class in ["seen", "column", "json", "sealed", "ignored", "rejected", "unmapped"] {
        let rejected = if matches!(class, "seen" | "rejected") { leaves(first, "rejected") } else { 0 };
        assert_eq!(leaves(first, class) - rejected + leaves(second, class), leaves(whole, class), "{class}");
    }
}

#[test]
fn every_fault_comes_back_once_it_is_fixed_and_undo_goes_back_step_by_step() {
    on_every_engine(faults::house, |site| {
        faults::plant(&site.house);
        let first = lift(site, &ASIDE, 1);
        let between = site.content();
        faults::fix(&site.house);

        let dry =
            site.house.lift(&[&REPLAY[..], &["--database", site.name(), "--dry-run"]].concat()).ends(0, "dry-run");
        let before = fs::read(site.house.path("rejects/rejects.jsonl")).unwrap();
        let second = lift(site, &REPLAY, 0);
        assert_eq!((&dry.report()["leaves"], &dry.report()["tables"]), (&second["leaves"], &second["tables"]));
        assert_eq!(second["replays"], json!([first["run_id"]]));
        assert!(!site.house.path("rejects/rejects.jsonl").exists());
        assert_eq!(fs::read(site.house.path("rejects/rejects.1.jsonl")).unwrap(), before, "the dry run left it alone");
        let after = site.content();

        // The same tree in one go.
        let other = House::new();
        copy_tree(&site.house.path("set"), &other.path("set"));
        copy_tree(&site.house.path("tree"), &other.path("tree"));
        let whole = other.lift(&[]).ends(0, "committed").report();
        add_up(&first, &second, &whole);
        for (table, rows) in &after {
            assert_eq!(rows.len().to_string(), other.one(&format!("SELECT count(*) FROM {table}")), "{table}");
        }

        let twice = lift(site, &REPLAY, 0);
        assert_eq!((rows(&twice, "inserted"), rows(&twice, "updated"), leaves(&twice, "seen")), (0, 0, 0));
        let again = lift(site, &[], 0);
        assert_eq!((rows(&again, "inserted"), rows(&again, "updated")), (0, 0));
        assert_eq!(rows(&again, "unchanged"), rows(&whole, "inserted"));

        assert_eq!(site.undo(second["run_id"].as_str().unwrap(), &["--no-backup"]).status, Some(0));
        assert_eq!(site.content(), between);
        assert_eq!(site.undo(first["run_id"].as_str().unwrap(), &["--no-backup"]).status, Some(0));
        let emptied = site.content();
        assert!(emptied.values().all(Vec::is_empty), "{emptied:?}");
    });
}

const TABLES: &str =
    "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, day DATE, pass TEXT, rest JSON);";
const PERSON: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    name = "name"
    day = { from = "day", steps = [{ time = "%Y-%m-%d" }] }
    pass = { seal = "pass" }
    rest = "rest""#;

fn person(id: &str, name: &str, day: &str) -> Value {
    json!({"id": id, "name": name, "day": day, "pass": format!("secret of {id}"), "rest": {"n": 1.50}})
}

/// Three people, of whom the second's day is wrong.
fn house() -> House {
    House::new().schema(TABLES).list("people", "people.json", PERSON).source(
        "people.json",
        &json!([person("1", "Ann", "2025-01-01"), person("2", "Bob", "2025-02-30"), person("3", "Cy", "2025-03-01")]),
    )
}

/// Changes something in the file of rejects.
fn edit(house: &House, from: &str, to: &str) {
    let path = house.path("rejects/rejects.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_record_that_is_edited_beside_its_fault_keeps_its_secret() {
    on_every_engine(house, |site| {
        let house = &site.house;
        lift(site, &ASIDE, 1);
        let text = fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap();
        assert!(
            text.contains(r#""pass":{"secret_at":"people.json#/1/pass"}"#) && !text.contains("secret of"),
            "{text}"
        );
        edit(house, "2025-02-30", "2025-02-28");
        let report = lift(site, &REPLAY, 0);
        let found = crate::house::findings(&report);
        let is_it = |found: &(String, String, String)| found.0 == "S007" && found.2.ends_with(" /1");
        assert!(found.iter().any(is_it), "{found:?}");
        assert_eq!(report["secrets"]["sealed"], 1);
        assert_eq!(site.rows("SELECT name, CAST(day AS TEXT) FROM people WHERE id = '2'"), [["Bob", "2025-02-28"]]);
        // The source is not fixed: it rejects the record as before, and finds the row that is there.
        let again = site.house.lift(&[&ASIDE[..], &["--database", site.name(), "--no-backup"]].concat());
        assert_eq!(rows(&again.ends(1, "committed").report(), "inserted"), 0);
    });
}

#[test]
fn what_is_still_wrong_stays_and_what_came_in_is_gone() {
    let house = house();
    house.put("more.json", "[1");
    let house = house.list("more", "more.json", PERSON);
    house.lift(&ASIDE).ends(1, "committed");
    assert_eq!(rejects(&house).len(), 2);
    edit(&house, "2025-02-30", "2025-02-31");
    let before = fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap();
    house.lift(&REPLAY).ends(1, "rolled-back");
    assert_eq!(fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap(), before, "nothing came in");

    house.put("more.json", json!([person("9", "Eve", "2025-01-01")]).to_string());
    let report = house.lift(&[&REPLAY[..], &["--set-aside"]].concat()).ends(1, "committed").report();
    assert_eq!((rows(&report, "inserted"), &report["set_aside"]), (1, &json!({"records": 1, "files": 0})));
    let left = rejects(&house);
    assert_eq!(
        (left.len(), &left[0]["file"], &left[0]["value"]["day"]),
        (1, &"people.json".into(), &"2025-02-31".into())
    );
    assert_eq!(fs::read_to_string(house.path("rejects/rejects.1.jsonl")).unwrap(), before);

    // What was edited is known as that still, though the file of rejects is a new one.
    edit(&house, "2025-02-31", "2025-02-03");
    house.lift(&REPLAY).ends(0, "committed").counts("inserted", "people 1");
    assert_eq!(house.rows("SELECT day FROM people WHERE id = '2'"), [["2025-02-03"]]);
    assert!(!house.path("rejects/rejects.jsonl").exists());
}

#[test]
fn a_record_is_found_again_in_a_file_that_was_changed() {
    let house = house();
    house.lift(&ASIDE).ends(1, "committed");
    // Longer before, and fixed: its number and what it says tell which it is.
    let people = |second: Value| json!([person("1", "Annabel", "2025-01-01"), second, person("3", "Cy", "2025-03-01")]);
    house.put("people.json", people(person("2", "Bob", "2025-02-27")).to_string());
    let report = house.lift(&REPLAY).ends(0, "committed").counts("inserted", "people 1").report();
    assert_eq!(leaves(&report, "seen"), 5);
    assert_eq!(house.rows("SELECT name FROM people"), [["Ann"], ["Cy"], ["Bob"]]);
}

#[test]
fn another_record_at_the_place_of_a_reject_is_not_taken_for_it() {
    let house = house();
    house.lift(&ASIDE).ends(1, "committed");
    let other = json!({"id": "3", "name": "Cy", "day": "2025-03-01"});
    house.put("people.json", json!([person("1", "Annabel", "2025-01-01"), other]).to_string());
    let before = rejects(&house);
    let errors = |lifted: crate::house::inline::Lifted| -> Vec<String> {
        let found = crate::house::inline::found(&lifted.report());
        found.into_iter().filter(|found| found.starts_with("error")).collect()
    };
    assert_eq!(errors(house.lift(&REPLAY).ends(1, "rolled-back")), ["error S005 people.json /1"]);
    house.put("people.json", json!([person("1", "Ann", "2025-01-01")]).to_string());
    assert_eq!(errors(house.lift(&REPLAY).ends(1, "rolled-back")), ["error S005 people.json"]);
    assert_eq!(rejects(&house), before);
    // It is there to be edited, and needs a record to stand for.
    house.lift(&[&REPLAY[..], &["--set-aside"]].concat()).ends(1, "committed").counts("inserted", "");
    assert_eq!(rejects(&house), before);
}

#[test]
fn lines_of_a_file_come_back_one_by_one() {
    let lines =
        format!("[source]\nfiles = [\"log.jsonl\"]\nformat = \"lines\"\n[[source.shape]]\nname = \"line\"\n{PERSON}");
    let house = House::new().schema(TABLES).mapping("log", &lines);
    let good = |id: &str| person(id, "Ann", "2025-01-01").to_string();
    let bad = person("b", "Ann", "2025-13-01").to_string();
    house.put("log.jsonl", format!("{}\n\n{bad}\n{{\"id\": \n{}\n", good("1"), good("2")));
    let first = house.lift(&ASIDE).ends(1, "committed").counts("inserted", "people 2").report();
    let mut records: Vec<_> = rejects(&house).iter().map(|line| line["record"].as_u64().unwrap()).collect();
    records.sort_unstable();
    assert_eq!(records, [1, 2]);
    house.put("log.jsonl", format!("{}\n\n{}\n{}\n{}\n", good("1"), good("b"), good("c"), good("2")));
    let second = house.lift(&REPLAY).ends(0, "committed").counts("inserted", "people 2").report();
    let other = House::new();
    copy_tree(&house.path("set"), &other.path("set"));
    copy_tree(&house.path("tree"), &other.path("tree"));
    add_up(&first, &second, &other.lift(&[]).ends(0, "committed").report());
}

#[test]
fn rejects_of_another_source_or_run_are_refused_by_name() {
    let house = house();
    house.lift(&ASIDE).ends(1, "committed");
    copy_tree(&house.path("tree"), &house.path("copy"));
    age(&house.path("copy"));
    let import = |source: &str, more: &[&str]| {
        house.import(&house.path(source), &[&["--mappings", "set"], &REPLAY[..], more].concat()).status(2).stderr
    };
    let said = import("copy", &[]);
    assert!(said.contains("the rejects are of the source") && said.contains("/tree, not of"), "{said}");
    let said = import("tree", &["--database", "other.db"]);
    assert!(said.contains("the rejects are of run") && said.contains("other.db does not have"), "{said}");
    let said = import("tree", &["--rejects", "elsewhere"]);
    assert!(said.contains("`--rejects` cannot be given beside `--replay`"), "{said}");
    let run = house.one("SELECT id FROM treelift_runs");
    house.run(["undo", &run, "--database", "sqlite:///./target.db", "--mappings", "set", "--yes"]).status(0);
    let said = import("tree", &[]);
    assert!(said.contains("which run") && said.contains("undid"), "{said}");
    fs::remove_dir_all(house.path("rejects")).unwrap();
    let said = import("tree", &[]);
    assert!(said.contains("there is no rejects.jsonl to import again"), "{said}");
}

#[test]
fn a_line_that_cannot_be_read_is_named_without_what_it_says() {
    let house = house();
    house.lift(&ASIDE).ends(1, "committed");
    edit(&house, r#""day":"2025-02-30""#, r#""day":"2025-02-28","day":"hunter2""#);
    let said = house.import(&house.path("tree"), &[&["--mappings", "set"], &REPLAY[..]].concat()).status(2).stderr;
    assert!(
        said.contains("an object has two members with the same name") && said.contains("rejects.jsonl:1"),
        "{said}"
    );
    edit(&house, r#""findings""#, "hunter2");
    let said = house.import(&house.path("tree"), &[&["--mappings", "set"], &REPLAY[..]].concat()).status(2).stderr;
    assert!(said.contains("this line of the rejects is not one of treelift") && !said.contains("hunter2"), "{said}");
}

#[test]
fn an_edited_secret_is_searched_for_like_the_others() {
    let house = house();
    house.lift(&ASIDE).ends(1, "committed");
    edit(&house, r#"{"secret_at":"people.json#/1/pass"}"#, r#""correct horse""#);
    edit(&house, r#""name":"Bob""#, r#""name":"is correct horse""#);
    edit(&house, "2025-02-30", "2025-02-28");
    let report = house.lift(&REPLAY).ends(0, "committed").report();
    let found = crate::house::findings(&report);
    assert!(found.iter().any(|found| found.0 == "X003"), "{found:?}");
}

const NOTES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, person TEXT NOT NULL REFERENCES people (id), body TEXT NOT NULL, day DATE);";
const NOTE: &str = r##"
    [source]
    files = ["of/{owner}/notes.json"]
    format = "json"
    [[source.shape]]
    name = "notes"
    records = "notes.*"
    key_as = "title"
    [table.notes.columns]
    person = "#owner.id"
    body = { template = "{#title}: {body}" }
    day = { from = "day", steps = [{ time = "%Y-%m-%d" }] }"##;

#[test]
fn rows_without_a_key_and_names_are_taken_once_and_twins_stay_two() {
    let owners = "[owners]\ncapture = \"owner\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\nunknown = \"refuse\"\n";
    let note = |body: &str, day: &str| json!({"body": body, "day": day});
    let people = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\n";
    let house = House::new()
        .schema(NOTES)
        .set(owners)
        .list("people", "people.json", people)
        .mapping("notes", NOTE)
        .source("people.json", &json!([{"id": "1", "name": "Ann"}]))
        .source(
            "of/1/notes.json",
            &json!({"notes": {"a": note("x", "2025-01-01"), "b": note("x", "never"), "c": note("z", "2025-01-03")}}),
        );
    let first = house.lift(&ASIDE).ends(1, "committed").counts("inserted", "notes 2, people 1").report();
    // Edited until it says the same as another one, but for its name.
    edit(&house, "never", "2025-01-01");
    let second = house.lift(&REPLAY).ends(0, "committed").counts("inserted", "notes 1").report();
    assert_eq!((leaves(&first, "rejected"), leaves(&second, "seen"), leaves(&second, "column")), (3, 3, 3));
    assert_eq!(house.rows("SELECT body FROM notes ORDER BY body"), [["a: x"], ["b: x"], ["c: z"]]);
}

/// Kills a replay at so many moments: the database and the folder are as before, or all came in; and to run it again
/// brings the rest.
#[test]
fn a_row_that_took_the_place_of_one_that_comes_back_is_told_and_found_by_verify() {
    const RULE: &str = r#"
        [table.people]
        key = ["id"]
        on_duplicate = "first"
        [table.people.columns]
        id = "id"
        name = "name"
        born = "born""#;
    let house = || {
        House::new()
            .schema("CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT, born DATE);")
            .list("people", "now.json before.json", RULE)
            .source("now.json", &json!([{"id": "1", "name": "Ann Lee", "born": "yesterday"}]))
            .source("before.json", &json!([{"id": "1", "name": "Ann", "born": "1990-01-02"}]))
    };
    on_every_engine(house, |site| {
        lift(site, &["--max-rejects", "1", "--rejects", "rejects"], 1);
        site.house.put("now.json", json!([{"id": "1", "name": "Ann Lee", "born": "1990-01-02"}]).to_string());
        let report = lift(site, &REPLAY, 0);
        let told: Vec<_> = report["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "R006").collect();
        assert_eq!((told.len(), &told[0]["severity"]), (1, &"warning".into()), "{report:#}");
        let message = told[0]["message"].as_str().unwrap();
        assert!(message.contains("`people`") && message.contains("`name`") && message.contains("Ann Lee"), "{message}");
        let verify = ["verify", "tree", "--mappings", "set", "--database", site.name(), "--json"];
        let found = site.house.run(verify).status(1).json();
        // The source was changed since.
        assert!(found["findings"].as_array().unwrap().iter().any(|one| one["code"] == "D003"), "{found:#}");
        lift(site, &["--existing", "update"], 0);
        site.house.run(verify).status(0);
    });
}

fn kill(times: u32) {
    let house = faults::house();
    faults::plant(&house);
    house.lift(&ASIDE).ends(1, "committed");
    faults::fix(&house);
    let (database, folder) = (house.path(DATABASE), house.path("rejects"));
    copy_tree(&folder, &house.path("kept"));
    fs::copy(&database, house.path("kept.db")).unwrap();
    let before = application_dump(&open(&database));
    let restore = || {
        for entry in fs::read_dir(house.work()).unwrap().map(|entry| entry.unwrap().path()) {
            let is_left = entry.file_name().unwrap().to_string_lossy().starts_with(DATABASE);
            if is_left && entry.is_file() {
                fs::remove_file(entry).unwrap();
            }
        }
        fs::copy(house.path("kept.db"), &database).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        copy_tree(&house.path("kept"), &folder);
    };
    let arguments =
        house.import_arguments(&house.path("tree"), &["--mappings", "set", "--replay", "rejects", "--no-backup"]);
    let started = Instant::now();
    house.run(&arguments).status(0);
    let length = started.elapsed();
    let after = application_dump(&open(&database));
    for attempt in 0..times {
        restore();
        let mut child = house.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(length.mul_f64(f64::from((attempt * 37 + 29) % 97) / 97.0));
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
        // For writing, since SQLite takes a left-over journal back only then.
        let found = application_dump(&rusqlite::Connection::open(&database).unwrap());
        assert!(found == before || found == after, "attempt {attempt}");
        house.run(&arguments).status(0);
        assert_eq!(application_dump(&open(&database)), after, "attempt {attempt}");
        assert!(!folder.join("rejects.jsonl").exists(), "attempt {attempt}");
    }
}

#[test]
fn a_killed_replay_is_before_or_after_and_can_be_run_again() {
    kill(3);
}

#[test]
#[ignore = "forty kills take about 1 minute"]
fn forty_kills_of_a_replay() {
    kill(40);
}
