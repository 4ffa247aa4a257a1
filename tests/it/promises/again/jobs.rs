//! What is written does not depend on how many threads write it.

use crate::house::v1_tree;
use crate::house::{DATABASE, House, Ran, age, comparable, open, rows, sample};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Every row in the order it was written, with the digest of what it holds.
const LEDGER: &str =
    "SELECT r.number, f.path, t.name, r.row_key, r.\"offset\", hex(r.digest), c.digested, c.clock, c.sealed
    FROM treelift_rows r JOIN treelift_files f ON f.id = r.file
    JOIN treelift_tables t ON t.id = r.\"table\" JOIN treelift_columns c ON c.id = r.columns ORDER BY r.number";

/// Every row, and the report.
fn imported(tree: &Path, jobs: &str) -> (Vec<Vec<String>>, Value) {
    let house = House::new();
    let report = house.import(tree, &["--jobs", jobs, "--json"]).status(0).json();
    (rows(&open(&house.path(DATABASE)), LEDGER), comparable(report))
}

fn do_not_show(tree: &Path) {
    let one = imported(tree, "1");
    assert!(one.0.len() > 100);
    for jobs in ["2", "8"] {
        let (rows, report) = imported(tree, jobs);
        let differing = rows.iter().zip(&one.0).find(|(row, of_one)| row != of_one);
        assert!(rows.len() == one.0.len() && differing.is_none(), "--jobs {jobs}: {differing:?}");
        for (member, value) in report.as_object().unwrap() {
            assert!(*value == one.1[member], "--jobs {jobs}: {member} is {value:#} and not {:#}", one.1[member]);
        }
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
    // Whether files are fresh must not depend on how long the first import takes.
    age(&tree);
    do_not_show(&tree);
}

#[test]
fn where_the_system_starts_no_thread_the_import_is_the_same() {
    let (house, one) = (House::new(), imported(&sample(), "1"));
    let mut command = house.command(house.import_arguments(&sample(), &["--jobs", "4", "--json"]));
    // No thread can have a stack that is larger than the memory of a process.
    let ran = Ran::of(command.env("RUST_MIN_STACK", (1_u64 << 47).to_string())).status(0);
    assert!(rows(&open(&house.path(DATABASE)), LEDGER) == one.0);
    assert!(comparable(ran.json()) == one.1);
}

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT);
    CREATE TABLE done (person TEXT NOT NULL, note TEXT NOT NULL, at TEXT, PRIMARY KEY (person, note));
    CREATE TABLE notes (person TEXT NOT NULL, id TEXT NOT NULL, level TEXT, state TEXT, at TEXT, size INTEGER, again TEXT,
                        body TEXT, PRIMARY KEY (person, id));
    CREATE TABLE parts (note TEXT NOT NULL, n INTEGER NOT NULL, state TEXT, word TEXT, PRIMARY KEY (note, n));
    CREATE TABLE marks (note TEXT NOT NULL, n INTEGER NOT NULL, at TEXT NOT NULL, level TEXT, PRIMARY KEY (note, n));
    CREATE TABLE left_over (note TEXT PRIMARY KEY NOT NULL, person TEXT, size INTEGER);";

/// Columns, rules and elements that ask for other rows stand between others that do not, and some of either are bad,
/// skipped, or not there.
const NOTES: &str = r##"
    [source]
    files = ["of/{owner}/notes.json"]
    format = "json"
    [[source.shape]]
    name = "notes"
    records = "notes[*]"
    [let]
    so_far = [{ value = "done", when = { exists = "done", by = { person = "#owner.id", note = "id" } } }, { value = "open" }]
    [table.notes]
    key = ["person", "id"]
    on_duplicate = "first"
    [table.notes.columns]
    person = "#owner.id"
    id = "id"
    level = { from = "level", steps = [{ map = { "1" = "low", "2" = "high", "3" = "top" } }] }
    state = "=so_far"
    at = { lookup = "done.at", by = { person = "#owner.id", note = "id" }, on_dangling = "null" }
    size = { from = "size", steps = ["integer"] }
    again = { template = "{=so_far} {=level}", agrees_with = "again" }
    body = { object = { text = "body", at = "=at" } }
    [table.parts]
    parent = "notes"
    each = "parts[*]"
    key = ["note", "n"]
    [table.parts.columns]
    note = "^id"
    n = "#position"
    state = "^state"
    word = "."
    [table.marks]
    each = "marks[*]"
    key = ["note", "n"]
    [table.marks.columns]
    note = "@.id"
    n = "#position"
    at = { lookup = "done.at", by = { person = "#owner.id", note = "on" }, on_dangling = "skip" }
    level = { from = "level", steps = [{ map = { "1" = "low", "2" = "high" } }], on_error = "null" }
    [table.left_over]
    key = ["note"]
    when = { not = { exists = "done", by = { person = "#owner.id", note = "id" } } }
    [table.left_over.columns]
    note = "id"
    person = "#owner.id"
    size = { from = "size", steps = ["integer"] }
    [ignore]
    "again" = "compared"
    "marks[*].*" = "what has no row""##;

/// A house of people with notes, some of which are done.
fn asking() -> House {
    let house = House::new()
        .schema(TABLES)
        .set("[owners]\ncapture = \"owner\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\nunknown = \"refuse\"")
        .list("people", "people.json", "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"")
        .list(
            "done",
            "of/{owner}/done.json",
            "[table.done]\nkey = [\"person\", \"note\"]\n[table.done.columns]\nperson = \"#owner.id\"\nnote = \"note\"\nat = \"at\"",
        )
        .mapping("notes", NOTES);
    let people: Vec<_> = (0..6).map(|at| json!({"id": at.to_string(), "name": format!("n{at}")})).collect();
    let house = house.source("people.json", &json!(people));
    for at in 0..6 {
        let done: Vec<_> = (0..at).map(|n| json!({"note": format!("{at}-{n}"), "at": format!("day {n}")})).collect();
        house.put(&format!("of/{at}/done.json"), json!(done).to_string());
        let note = |n: usize| {
            let mark = |to: usize, level: &str| json!({"on": format!("{at}-{to}"), "level": level});
            json!({
                "id": format!("{at}-{n}"), "level": (n % 4 + usize::from(n == 6)).to_string(), "size": if n == 4 { json!("wide") } else { json!(n) },
                "again": if n == 2 { "done top" } else { "open low" }, "body": format!("text {n}"),
                "parts": (0..n % 3).map(|part| format!("p{part}")).collect::<Vec<_>>(),
                "marks": [mark(n, "1"), mark(n + 1, "9"), mark(0, "2")],
            })
        };
        let notes: Vec<_> = (0..8).chain([1]).map(note).collect();
        house.put(&format!("of/{at}/notes.json"), json!({"notes": notes}).to_string());
    }
    house
}

#[test]
fn jobs_do_not_show_in_rows_that_ask_for_other_rows() {
    let tables = ["people", "done", "notes", "parts", "marks", "left_over"];
    let imported = |jobs: &str| {
        let house = asking();
        let lifted = house.lift(&["--jobs", jobs, "--max-rejects", "99"]);
        assert!(
            house.path(DATABASE).exists(),
            "{} {:?}",
            lifted.words(),
            crate::house::inline::found(&lifted.report())
        );
        let rows = tables.map(|table| house.rows(&format!("SELECT * FROM {table} ORDER BY rowid")));
        let mut report = comparable(lifted.report());
        report["source"]["root"].take();
        (report, rows, house.rows(LEDGER))
    };
    let one = imported("1");
    let counts: Vec<usize> = one.1.iter().map(Vec::len).collect();
    assert_eq!(counts, [6, 15, 36, 36, 45, 27], "{:#}", one.0["findings"]);
    for jobs in ["2", "8"] {
        assert!(imported(jobs) == one, "--jobs {jobs}");
    }
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
