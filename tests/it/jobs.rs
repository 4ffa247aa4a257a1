//! What is written does not depend on how many threads write it.

use crate::house::{DATABASE, House, Ran, age, comparable, open, rows, sample};
use crate::v1_tree;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Every row in the order it was written, with the digest of what it holds, and the report.
fn imported(tree: &Path, jobs: &str) -> (Vec<Vec<String>>, Value) {
    let house = House::new();
    let report = house.import(tree, &["--jobs", jobs, "--json"]).status(0).json();
    let ledger = "SELECT r.number, f.path, t.name, r.row_key, r.\"offset\", hex(r.digest), c.digested, c.clock, c.sealed
                  FROM treelift_rows r JOIN treelift_files f ON f.id = r.file
                  JOIN treelift_tables t ON t.id = r.\"table\" JOIN treelift_columns c ON c.id = r.columns ORDER BY r.number";
    (rows(&open(&house.path(DATABASE)), ledger), comparable(report))
}

fn do_not_show(tree: &Path) {
    let one = imported(tree, "1");
    assert!(one.0.len() > 100);
    for jobs in ["2", "8"] {
        assert!(imported(tree, jobs) == one, "--jobs {jobs}");
    }
}

#[test]
fn jobs_do_not_show_in_the_sample() {
    do_not_show(&sample());
}

#[test]
fn jobs_do_not_show_in_a_tree_of_many_people() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    v1_tree::write(&tree, &v1_tree::Plan { users: 12, ..v1_tree::Plan::default() }).unwrap();
    do_not_show(&tree);
}

#[test]
fn no_jobs_at_all_are_refused() {
    let ran = House::new().import(&sample(), &["--jobs", "0"]).status(2);
    assert!(ran.stderr.contains("--jobs"), "{}", ran.stderr);
}

/// Files that are looked at ahead are not held open, whatever shapes their mapping has.
#[test]
fn many_small_files_need_few_handles() {
    let rules = "[[source.shape]]\nname = \"one\"\nwhen = { members = [\"items\"] }\nrecords = \"items[*]\"\n\
                 [[source.shape]]\nname = \"map\"\nrecords = \".*\"\n\
                 [table.notes]\nkey = [\"file\", \"n\"]\n[table.notes.columns]\nfile = \"#stem\"\nn = \"#position\"\n\
                 title = \"title\"";
    let house = House::new()
        .schema("CREATE TABLE notes (file TEXT NOT NULL, n INTEGER NOT NULL, title TEXT, PRIMARY KEY (file, n));")
        .mapping("notes", &format!("[source]\nfiles = [\"notes/*.json\"]\n{rules}"));
    for number in 0..200 {
        house.put(&format!("notes/{number}.json"), r#"{"items": [{"title": "a"}]}"#);
    }
    age(&house.path("tree"));
    for jobs in ["2", "8"] {
        let command =
            house.command(house.import_arguments(&house.path("tree"), &["--mappings", "set", "--jobs", jobs]));
        let mut limited = Command::new("sh");
        limited.arg("-c").arg("ulimit -n 32; exec \"$@\"").arg("sh").arg(command.get_program());
        limited.args(command.get_args()).current_dir(house.work()).env_clear().env("TMPDIR", house.tmp());
        limited.env("PATH", "/usr/bin:/bin").env("HOME", house.work());
        Ran::of(&mut limited).status(0);
        assert_eq!(house.one("SELECT count(*) FROM notes"), "200");
        fs::remove_file(house.path(DATABASE)).unwrap();
    }
}
