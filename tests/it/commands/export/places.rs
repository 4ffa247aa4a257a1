//! Where exported rows go: files, readers that stop, full disks, signals; and how much memory that takes.

use crate::commands::export::{export, many, people, shown};
use crate::house::listing;
use crate::house::site::every;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn files_are_new_and_complete_and_only_their_owner_may_read_them() {
    for site in every() {
        people(&site);
        let house = &site.house;
        let shown = shown(&site);
        let ran = export(&site, &["people", "notes", "--as", "jsonl", "--output", "all.jsonl"]).status(0);
        let last = format!("exported: 4 rows of 2 tables in {shown} as jsonl into all.jsonl\n");
        assert_eq!(
            (ran.stdout, ran.stderr.as_str()),
            (format!("table   rows\npeople     2\nnotes      2\n{last}"), "")
        );
        let piped = export(&site, &["people", "notes", "--as", "jsonl"]).status(0).stdout;
        assert_eq!(fs::read_to_string(house.path("all.jsonl")).unwrap(), piped);
        assert_eq!(fs::metadata(house.path("all.jsonl")).unwrap().permissions().mode() & 0o777, 0o600);
        let ran = export(&site, &["people", "notes", "--as", "csv", "--output", "csv", "--json"]).status(0);
        assert_eq!(
            ran.json(),
            json!({
                "database": shown,
                "as": "csv",
                "tables": [
                    { "name": "people", "rows": 2, "file": "csv/people.csv" },
                    { "name": "notes", "rows": 2, "file": "csv/notes.csv" },
                ],
                "notes": [],
            })
        );
        let notes = export(&site, &["notes", "--as", "csv"]).status(0).stdout;
        assert_eq!(fs::read_to_string(house.path("csv/notes.csv")).unwrap(), notes);
        let noted = export(&site, &["notes", "--as", "sql", "--output", "notes.sql"]).status(0).stdout;
        assert!(noted.starts_with("note: rows of `notes` reference rows of `people`, which are not in the script\nexported: 2 rows of `notes` in "), "{noted}");

        let before = listing(&house.work());
        let refused = |arguments: &[&str], words: &str| {
            let ran = export(&site, arguments).status(2);
            assert!(ran.stderr.contains(words), "{}", ran.stderr);
            assert_eq!(listing(&house.work()), before);
        };
        let taken = "the file exists, and no file is overwritten";
        refused(&["people", "--as", "csv", "--output", "all.jsonl"], taken);
        refused(&["people", "--as", "csv", "--output", "csv"], taken);
        refused(&["people", "notes", "--as", "csv", "--output", "csv"], "at csv/people.csv");
        refused(&["people", "notes", "--as", "csv", "--output", "all.jsonl"], "a CSV file holds one table");
        if site.is_file() {
            refused(&["people", "--as", "csv", "--output", "target.db"], "`--output` is the database");
            refused(&["people", "--as", "csv", "--output", "target.db-wal"], "`--output` is a file of the database");
        }
        let ran = export(&site, &["people", "--as", "csv", "--output", "none/people.csv"]).status(3);
        assert!(ran.stderr.contains("cannot write the rows: entity not found\n  at none/people.csv"), "{}", ran.stderr);
        export(&site, &["people", "--as", "csv", "--output", "/dev/null"]).status(0);
        assert_eq!(listing(&house.work()), before);
    }
}

#[test]
fn a_reader_that_stops_is_no_error_and_a_full_disk_is_one() {
    for site in every() {
        many(&site);
        let name = site.name();
        let arguments = ["export", "many", "--as", "csv", "--database", name];
        let mut child = site.house.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut head = [0; 10];
        child.stdout.as_mut().unwrap().read_exact(&mut head).unwrap();
        assert_eq!(&head, b"id,rest,te");
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()), (Some(0), ""));
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = site.house.command(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(
            (ended.status.code(), said.as_str()),
            (Some(3), "error: cannot write to standard output: no storage space\n")
        );
    }
}

#[test]
fn memory_does_not_grow_with_the_rows() {
    use wait4::Wait4 as _;
    let peak = |command: &mut Command| {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let ended = child.wait4().unwrap();
        assert!(ended.status.success());
        ended.rusage.maxrss
    };
    for site in every() {
        people(&site);
        many(&site);
        let name = site.name();
        for form in ["csv", "jsonl", "sql"] {
            let of = |more: &[&str]| {
                peak(&mut site.house.command([&["export", "--as", form, "--database", name], more].concat()))
            };
            let few = of(&["people"]);
            // The cache of a file's pages is at most 16 MiB; what is ordered in another order than by an index is sorted on disk.
            for more in [&["many"][..], &["many", "--order-by", "rest"]] {
                let all = of(more);
                assert!(all < few + (22 << 20), "{form}: {few} bytes for two rows, {all} for 30 MB ({more:?})");
            }
        }
    }
}

#[test]
fn a_signal_leaves_no_file() {
    for site in every() {
        many(&site);
        let before = names(&site.house.work());
        let name = site.name();
        // To sort the rows takes longer than the signal.
        let arguments =
            ["export", "many", "--as", "jsonl", "--output", "out.jsonl", "--order-by", "text", "--database", name];
        let child = site.house.command(arguments).stderr(Stdio::piped()).spawn().unwrap();
        while names(&site.house.work()) == before {
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), said.as_str()), (Some(130), "error: interrupted, nothing was written\n"));
        assert_eq!(names(&site.house.work()), before);
        // What a reader has already is not taken back.
        let arguments = ["export", "many", "--as", "csv", "--database", name];
        let mut child = site.house.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 10]).unwrap();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(
            (ended.status.code(), said.as_str()),
            (Some(130), "error: interrupted, the rows are not complete\n")
        );
        assert!(ended.stdout.len() < 1 << 20, "{} bytes came", ended.stdout.len());
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
