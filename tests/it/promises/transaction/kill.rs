//! Interrupted and killed imports: the target is exactly as before, or exactly as after.
//!
//! Moments are drawn from a seed, which a failure prints; none of them is a promise about time. The
//! tests of `tests/run --long` repeat them more often.

use crate::databases::existing::made_by_v2;
use crate::house::independent::Tree;
use crate::house::keeping::URL;
use crate::house::safe::Dice;
use crate::house::{DATABASE, House, KEY_FILE, application_dump, dump, open, row_counts};
use crate::sets::generated::tree;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How many people the tree has: enough that a run lasts longer than its start.
const PEOPLE: u32 = 40;
const DEFAULT: u32 = 2;
const MANY: u32 = 20;

#[derive(Clone, Copy, PartialEq)]
enum Target {
    NewFile,
    ExistingFile,
}

type Counts = BTreeMap<String, u64>;

#[test]
fn an_interrupted_import_leaves_a_new_file_unmade() {
    repeat(Signal::INT, Target::NewFile, DEFAULT);
}

#[test]
fn an_interrupted_import_leaves_an_existing_database_as_it_was() {
    repeat(Signal::INT, Target::ExistingFile, DEFAULT);
}

#[test]
fn a_terminated_import_leaves_an_existing_database_as_it_was() {
    repeat(Signal::TERM, Target::ExistingFile, DEFAULT);
}

#[test]
fn a_killed_import_leaves_a_new_file_unmade() {
    repeat(Signal::KILL, Target::NewFile, DEFAULT);
}

#[test]
fn a_killed_import_leaves_an_existing_database_as_it_was() {
    repeat(Signal::KILL, Target::ExistingFile, DEFAULT);
}

#[test]
#[ignore = "twenty of each kind take about 5 minutes"]
fn twenty_interrupts_and_twenty_kills_of_each_kind() {
    for target in [Target::NewFile, Target::ExistingFile] {
        for signal in [Signal::INT, Signal::KILL] {
            repeat(signal, target, MANY);
        }
    }
}

#[test]
fn a_killed_import_can_simply_be_run_again() {
    let house = House::new();
    let source = tree(&house, PEOPLE, 5);
    let mut child = start(&house, &source);
    wait_for_a_trace(&house, &mut child);
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    if !house.path(DATABASE).exists() {
        house.import(&source, &[]).status(0);
    }
    assert_eq!(row_counts(&open(&house.path(DATABASE))), Tree::read(&source).rows());
}

/// Sends the signal at so many moments of an import, each time into a target in the same state.
fn repeat(signal: Signal, target: Target, times: u32) {
    let house = House::new();
    let source = tree(&house, PEOPLE, 5);
    if target == Target::ExistingFile {
        drop(made_by_v2(&house));
    }
    let kept = house.path("kept.db");
    if target == Target::ExistingFile {
        fs::copy(house.path(DATABASE), &kept).unwrap();
    }
    let started = Instant::now();
    house.import(&source, &[]).status(0);
    let length = started.elapsed();
    let after = row_counts(&open(&house.path(DATABASE)));

    let mut hit = 0;
    // A moment may fall behind the end of the run; such a run counts for the oracle, not for `times`.
    for attempt in 0..times * 10 {
        restore(&house, &kept);
        let moment = length.mul_f64(f64::from((attempt * 37 + 11) % 97) / 97.0);
        let status = interrupted(&house, &source, signal, moment);
        let ended_by_itself = status.code() == Some(0);
        judge(&house, &kept, signal, status, &after, &format!("attempt {attempt}, after {moment:?}"));
        hit += u32::from(!ended_by_itself);
        if hit == times {
            return;
        }
    }
    panic!("only {hit} of {times} signals came in time");
}

/// The target as it was before the first run, and nothing else that a run may have left.
fn restore(house: &House, kept: &Path) {
    for entry in fs::read_dir(house.work()).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_file() && entry != kept && !entry.ends_with(KEY_FILE) {
            fs::remove_file(entry).unwrap();
        }
    }
    if kept.exists() {
        fs::copy(kept, house.path(DATABASE)).unwrap();
    }
}

fn start(house: &House, source: &Path) -> Child {
    let mut command = house.command(house.import_arguments(source, &["--report", "report.json", "--jobs", "4"]));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn interrupted(house: &House, source: &Path, signal: Signal, moment: Duration) -> ExitStatus {
    let mut child = start(house, source);
    std::thread::sleep(moment);
    // A run that has ended is not reaped before `wait`, so its id is still its own.
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap()
}

/// Until something of the run can be seen in the target's directory, or the run has ended.
fn wait_for_a_trace(house: &House, child: &mut Child) {
    let traces =
        || fs::read_dir(house.work()).unwrap().filter(|entry| is_trace(&entry.as_ref().unwrap().path())).count();
    while traces() == 0 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn is_trace(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().contains("treelift-")
}

#[test]
fn a_killed_update_and_a_killed_second_import_and_undo_of_it_leave_what_was_before_or_what_is_after() {
    updates(2, 600, 1);
}

#[test]
#[ignore = "ninety kills take about 6 minutes"]
fn thirty_kills_of_an_update_and_a_second_import_and_an_undo() {
    updates(30, 2_000, 2);
}

/// Kills an import that updates rows of so many records, one that finds them all there, and the undo of the first, at so
/// many moments each.
fn updates(times: u32, records: u32, seed: u64) {
    let house = crate::promises::again::changed_rows::house();
    let people = |paid: f64| {
        let person = |at: u32| json!({"id": at.to_string(), "name": "Ann", "paid": paid, "notes": ["x"]});
        serde_json::Value::from_iter((0..records).map(person)).to_string()
    };
    let content = || application_dump(&open_recovering(&house.path(DATABASE)));
    house.put("people.json", people(1.5));
    house.lift(&[]).ends(0, "committed");
    let (before, made) = (content(), fs::read(house.path(DATABASE)).unwrap());
    house.put("people.json", people(2.5));
    let more = ["--mappings", "set", "--existing", "update", "--no-backup"];
    let update = house.import_arguments(&house.path("tree"), &more);
    let started = Instant::now();
    let report = house.lift(&["--existing", "update", "--no-backup"]).ends(0, "committed").report();
    let length = started.elapsed();
    let (after, updated) = (content(), fs::read(house.path(DATABASE)).unwrap());
    let run = report["run_id"].as_str().unwrap();
    let undo =
        ["undo", run, "--mappings", "set", "--database", URL, "--yes", "--no-backup"].map(str::to_owned).to_vec();
    let mut dice = Dice(seed);
    let again = house.import_arguments(&house.path("tree"), &["--mappings", "set", "--no-backup"]);
    assert!(again.contains(&"--reread".to_owned()), "{again:?}");
    for (arguments, from, is_same) in [(update, &made, false), (again, &updated, true), (undo, &updated, false)] {
        for number in 0..times {
            fs::write(house.path(DATABASE), from).unwrap();
            let mut command = house.command(arguments.clone());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(length.mul_f64(dice.roll(1_000) as f64 / 1_000.0));
            kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
            child.wait().unwrap();
            let left = content();
            assert!((left == before && !is_same) || left == after, "seed {seed}, kill {number} of {}", arguments[0]);
        }
    }
}

/// Before and after is the only oracle; and whoever was told that it is done, has it.
fn judge(house: &House, kept: &Path, signal: Signal, status: ExitStatus, after: &Counts, context: &str) {
    let database = house.path(DATABASE);
    let expected = match (signal, status.code(), status.signal()) {
        (_, Some(0), _) => Some(true),
        (Signal::INT, Some(130), _) | (Signal::TERM, Some(143), _) => Some(false),
        // Before the program has put its own hand to the signal, the system ends it.
        (Signal::INT | Signal::TERM, None, Some(_)) => Some(false),
        (Signal::KILL, None, Some(9)) => None,
        other => panic!("{context}: {other:?}"),
    };
    let is_after = database.exists() && row_counts(&open_recovering(&database)) == *after;
    if let Some(expected) = expected {
        assert_eq!(is_after, expected, "{context}");
    }
    if is_after {
        return;
    }
    if kept.exists() {
        assert_eq!(dump(&open_recovering(&database)), dump(&open(kept)), "{context}");
    } else {
        assert!(!database.exists(), "{context}");
    }
}

/// Opens for writing, since SQLite takes a left-over journal back only then.
fn open_recovering(path: &Path) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(path).unwrap();
    let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    database
}
