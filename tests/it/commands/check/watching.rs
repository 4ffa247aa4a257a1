//! `check --against TREE` with `--watch` and `--sample`: what is still undecided, while a mapping is written.

use crate::house::{House, edit};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// A set for a tree of two kinds, in which something is left undecided.
fn house(files: usize) -> House {
    let house = House::new();
    for at in 0..files {
        let stay = json!({"guest": "g-1", "nights": at, "rooms": [1, 2], "note": "late"});
        house.file(&format!("inn/stays/{at:05}.json"), stay.to_string());
    }
    house.file("inn/guests.json", json!([{"id": "g-1", "name": "Ada"}]).to_string());
    house.run(["inspect", "inn", "--scaffold", "set"]).status(0);
    edit(&house.path("set/stays.toml"), "nights = \"nights\"\n", "");
    edit(&house.path("set/stays.toml"), "note = \"note\"\n", "");
    crate::house::age(&house.path("inn"));
    house
}

struct Watching {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watching {
    fn start(house: &House, more: &[&str]) -> Self {
        let line = ["check", "./set", "--against", "inn", "--watch"].into_iter().chain(more.iter().copied());
        let mut child = house.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// What it says next, up to the line that says that it watches.
    fn next(&mut self) -> String {
        let mut said = String::new();
        while !said.contains("; Ctrl-C ends it\n\n") {
            assert!(self.lines.read_line(&mut said).unwrap() > 0, "it ended: {said}");
        }
        said
    }

    fn end(mut self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stderr)
    }
}

fn codes(said: &str) -> Vec<&str> {
    let weighty = |line: &&str| line.starts_with("error ") || line.starts_with("warning ");
    said.lines().filter(weighty).map(|line| line.split([':', '(']).next().unwrap().trim()).collect()
}

#[test]
fn every_save_says_what_is_still_undecided_until_a_signal_ends_it() {
    let house = house(50);
    let mut watching = Watching::start(&house, &["--sample", "5"]);
    let first = watching.next();
    assert_eq!(codes(&first), ["error S002", "error S002"], "{first}");
    assert!(first.contains("inn: 51 files mapped, 0 ignored, 0 unmapped\na sample: 6 files read;"), "{first}");
    assert!(first.contains("error S002 (5 times): no rule keeps `nights`;"), "{first}");
    assert!(first.contains("\n  at stays/00000.json:1:"), "{first}");
    assert!(first.contains("\nundecided: 2\nwatching ./set ("), "{first}");

    edit(&house.path("set/stays.toml"), "guest = ", "nights = \"nights\"\nguest = ");
    assert_eq!(codes(&watching.next()), ["error S002"]);
    // A mistake is said, and does not end it.
    edit(&house.path("set/stays.toml"), "nights = ", "nihgts = ");
    let wrong = watching.next();
    assert!(wrong.contains("error M") && wrong.contains("nihgts"), "{wrong}");
    edit(&house.path("set/stays.toml"), "nihgts = \"nights\"\n", "nights = \"nights\"\nnote = \"note\"\n");
    let last = watching.next();
    assert!(last.contains("\nevery part of the set was used\nnothing is undecided\nwatching ./set ("), "{last}");
    let (status, stderr) = watching.end();
    assert_eq!((status, stderr.as_str()), (Some(130), "error: interrupted, nothing was written\n"));
    assert_eq!(std::fs::read_dir(house.tmp()).unwrap().count(), 0, "no copy is left");
}

#[test]
fn a_sample_is_read_without_watching_too_and_as_a_document() {
    let house = house(50);
    let ran = house.run(["check", "set", "--against", "inn", "--sample", "3", "--json"]).status(1);
    let document = ran.json()["sets"][0].clone();
    assert_eq!((&document["files"]["mapped"], &document["sample"]), (&json!(51), &json!(4)));
    let undecided = document["undecided"].as_array().unwrap();
    let brief: Vec<_> = undecided.iter().map(|of| (of["code"].as_str().unwrap(), of["count"].as_u64())).collect();
    assert_eq!(brief, [("S002", Some(3)), ("S002", Some(3))]);
    // All of it.
    let ran = house.run(["check", "set", "--against", "inn", "--json"]).status(1);
    assert_eq!(ran.json()["sets"][0]["undecided"][0]["count"], 50);
    assert_eq!(ran.json()["sets"][0].get("sample"), None);
}

#[test]
fn a_reference_to_what_is_not_in_the_sample_is_no_finding() {
    let house = House::new();
    for at in 0..40 {
        house.file(&format!("inn/rooms/{at:05}.json"), json!([{"id": format!("r-{at:05}"), "beds": 2}]).to_string());
        let stay = json!({"room": format!("r-{:05}", 39 - at), "nights": at});
        house.file(&format!("inn/stays/{at:05}.json"), stay.to_string());
    }
    house.run(["inspect", "inn", "--scaffold", "set"]).status(0);
    let stays = std::fs::read_to_string(house.path("set/stays.toml")).unwrap();
    assert!(stays.contains("lookup = \"rooms.id\""), "{stays}");
    let ran = house.run(["check", "set", "--against", "inn", "--sample", "1"]).status(0);
    assert!(ran.stdout.contains("a sample: 2 files read; references to rows of other files"), "{}", ran.stdout);
    // Nor where the row needs it.
    edit(&house.path("set/schema/001_first.up.sql"), "\"room\" TEXT REFERENCES", "\"room\" TEXT NOT NULL REFERENCES");
    edit(
        &house.path("set/stays.toml"),
        "by = { id = \"room\" } }",
        "by = { id = \"room\" }, on_dangling = \"reject\" }",
    );
    house.run(["check", "set", "--against", "inn"]).status(0);
    house.run(["check", "set", "--against", "inn", "--sample", "1"]).status(0);
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let house = house(1);
    let ran = house.run(["check", "set", "--against", "inn", "--watch", "--json"]).status(2);
    assert!(ran.stderr.contains("`--watch` prints until it is ended"), "{}", ran.stderr);
    let ran = house.run(["check", "notes", "--against", "inn", "--watch"]).status(2);
    assert!(ran.stderr.contains("`--watch` is for a set in a folder"), "{}", ran.stderr);
    for line in [&["check", "set", "--watch"][..], &["check", "set", "--sample", "3"]] {
        assert!(house.run(line).status(2).stderr.contains("--against"));
    }
    house.run(["check", "set", "--against", "inn", "--sample", "0"]).status(2);
}
