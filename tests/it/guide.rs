//! `docs/your-own-tree.md` is a transcript: its commands are run and its edits made, in order.
//!
//! `TREELIFT_BLESS=1` writes the output into the page; read the diff before it is committed.

use crate::house::{House, Ran, copy_tree, edit, project};
use std::fs;

const PAGE: &str = "docs/your-own-tree.md";

/// A part of the page.
enum Part {
    /// Words for the reader, fences included.
    Words(String),
    /// Commands, each with what it prints.
    Console(Vec<(String, String)>),
    /// A file, a text in it and what takes its place.
    Edit { file: String, from: String, to: String },
}

fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some(at) = ["```console\n", "```diff\n"].iter().filter_map(|fence| rest.find(fence)).min() {
        let (words, block) = rest.split_at(at);
        parts.push(Part::Words(words.to_owned()));
        let (head, body) = block.split_once('\n').unwrap();
        let (body, behind) = body.split_once("```\n").unwrap();
        parts.push(if head == "```console" { console(body) } else { diff(body) });
        rest = behind;
    }
    parts.push(Part::Words(rest.to_owned()));
    parts
}

fn console(body: &str) -> Part {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in body.split_inclusive('\n') {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command.trim_end().to_owned(), String::new())),
            None => commands.last_mut().unwrap().1.push_str(line),
        }
    }
    Part::Console(commands)
}

fn diff(body: &str) -> Part {
    let (file, body) = body.split_once('\n').unwrap();
    let side =
        |mark: char| -> String { body.split_inclusive('\n').filter_map(|line| line.strip_prefix(mark)).collect() };
    Part::Edit { file: file.strip_prefix("--- ").unwrap().to_owned(), from: side('-'), to: side('+') }
}

/// What differs from run to run: the digest of a set, and ids.
fn redacted(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match (line.starts_with("set "), line.split_once("(run ")) {
            (true, _) => format!("{}(…)\n", &line[..line.rfind('(').unwrap()]),
            (_, Some((before, _))) => format!("{before}(run …)\n"),
            _ => line.to_owned(),
        })
        .collect()
}

#[test]
fn the_guide_does_what_it_says() {
    let house = House::new();
    copy_tree(&project("sample_data/notes"), &house.path("notes"));
    let page = fs::read_to_string(project(PAGE)).unwrap();
    let mut written = String::new();
    for part in parts(&page) {
        match part {
            Part::Words(words) => written += &words,
            Part::Edit { file, from, to } => {
                edit(&house.path(&file), &from, &to);
                let marked = |text: &str, mark: &str| -> String {
                    text.split_inclusive('\n').map(|line| format!("{mark}{line}")).collect()
                };
                written += &format!("```diff\n--- {file}\n{}{}```\n", marked(&from, "-"), marked(&to, "+"));
            }
            Part::Console(commands) => {
                written += "```console\n";
                for (command, _) in commands {
                    let arguments = command.strip_prefix("treelift ").unwrap().split_whitespace();
                    let ran: Ran = house.run(arguments);
                    written += &format!("$ {command}\n{}{}", redacted(&ran.stdout), redacted(&ran.stderr));
                }
                written += "```\n";
            }
        }
    }
    if std::env::var_os("TREELIFT_BLESS").is_some() {
        fs::write(project(PAGE), &written).unwrap();
    }
    assert_eq!(fs::read_to_string(project(PAGE)).unwrap(), written);

    // What the page ends with is in the database.
    let rows = crate::house::rows(
        &crate::house::open(&house.path("my_notes.db")),
        "SELECT person_id, label, notebook, title FROM notes ORDER BY 1, 2",
    );
    let expected = [
        ["ada-lovelace", "n-1", "1", "On carrying"],
        ["ada-lovelace", "n-2", "1", "Note G"],
        ["grace-hopper", "n-1", "1", "The moth"],
        ["grace-hopper", "n-3", "1", ""],
    ];
    assert_eq!(rows, expected);
}

#[test]
fn the_finished_set_imports_its_tree() {
    let house = House::new();
    let report = house.import(&project("sample_data/notes"), &["--json"]).status(0).json();
    assert_eq!(report["mappings"]["set"], "notes");
    assert_eq!(report["leaves"]["unmapped"], 0);
    assert_eq!(report["caught_all"], serde_json::json!([]));
    let counts: Vec<(String, u64)> = crate::house::tables(&report, "inserted").into_iter().collect();
    let expected =
        [("attachments", 3), ("notebooks", 3), ("notes", 4), ("people", 3), ("sync_accounts", 1), ("tags", 4)];
    assert_eq!(counts, expected.map(|(table, rows)| (table.to_owned(), rows)));
    let notes = house.rows(
        "SELECT b.title, n.label, n.title, n.attachments FROM notes n JOIN notebooks b ON b.id = n.notebook_id \
         WHERE n.person_id = 'grace-hopper' ORDER BY n.label",
    );
    assert_eq!(notes, [["Compilers", "n-1", "The moth", "[\"a-1\",\"a-2\"]"], ["Compilers", "n-3", "NULL", "NULL"]]);
    assert_eq!(
        house.rows("SELECT name, colour FROM tags WHERE person_id = 'ada-lovelace' ORDER BY position")[2][0],
        "2022-06-01"
    );
    let database = fs::read(house.path(crate::house::DATABASE)).unwrap();
    assert!(memchr_find(&database, b"n0t-A-real-token-71").is_none(), "the token is sealed");
}

fn memchr_find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
