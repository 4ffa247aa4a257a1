//! `docs/your-own-tree.md` is a transcript: its commands are run and its edits made, in order.
//!
//! `TREELIFT_BLESS=1` writes the output into the page; read the diff before it is committed.

use crate::house::{House, Ran, edit, project};
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
    /// A file of the tree: what the fence says behind its language, and what is in it.
    File { fence: String, text: String },
}

fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = page;
    let fences = ["```console\n", "```diff\n", "```json ", "```text "];
    while let Some(at) = fences.iter().filter_map(|fence| rest.find(fence)).min() {
        let (words, block) = rest.split_at(at);
        parts.push(Part::Words(words.to_owned()));
        let (head, body) = block.split_once('\n').unwrap();
        let (body, behind) = body.split_once("```\n").unwrap();
        parts.push(match head {
            "```console" => console(body),
            "```diff" => diff(body),
            fence => Part::File { fence: fence.to_owned(), text: body.to_owned() },
        });
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

/// What differs from run to run: the digest of a set, the plan that hangs on it, and ids.
fn redacted(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match (line.starts_with("set "), line.split_once("(run ")) {
            (true, _) => format!("{}(…)\n", &line[..line.rfind('(').unwrap()]),
            _ if line.starts_with("plan ") => "plan     p1-…\n".to_owned(),
            (_, Some((before, _))) => format!("{before}(run …)\n"),
            _ => line.to_owned(),
        })
        .collect()
}

#[test]
fn the_guide_does_what_it_says() {
    let house = House::new();
    let page = fs::read_to_string(project(PAGE)).unwrap();
    let mut written = String::new();
    for part in parts(&page) {
        match part {
            Part::Words(words) => written += &words,
            Part::File { fence, text } => {
                house.file(fence.split_once(' ').unwrap().1, &text);
                crate::house::age(&house.path("apiary"));
                written += &format!("{fence}\n{text}```\n");
            }
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
    let rows = |sql: &str| crate::house::rows(&crate::house::open(&house.path("my_apiary.db")), sql);
    assert_eq!(
        rows(
            "SELECT c.day, c.hive, h.site, mites, harvest_kg FROM visit_checks c JOIN hives h USING (hive) ORDER BY 1, 2"
        ),
        [
            ["2025-05-03", "H1", "Orchard", "3", "NULL"],
            ["2025-05-03", "H2", "Orchard", "0", "NULL"],
            ["2025-05-17", "H1", "Orchard", "1", "9.35"]
        ]
    );
    assert_eq!(rows("SELECT scale, time FROM scales ORDER BY 1, 2")[1], ["H1", "2025-05-04 06:30:00.000000"]);
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
