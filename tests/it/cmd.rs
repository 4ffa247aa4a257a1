//! Words: each file of `tests/cmd/` is a command line with everything it prints and its exit status.
//!
//! `TREELIFT_BLESS=1` writes what is printed into the files, to be read before it is committed.

use crate::house::{House, Ran, copy_tree, project};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of `tests/cmd/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Files to write into the working directory.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Trees of the project to copy into the working directory.
    #[serde(default)]
    trees: BTreeMap<String, String>,
    status: i32,
    stdout: String,
    stderr: String,
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(project("tests/cmd")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    cases.sort();
    assert!(cases.len() > 20);
    cases
}

#[test]
fn every_case_prints_what_its_file_says() {
    let bless = std::env::var_os("TREELIFT_BLESS").is_some();
    let differ: Vec<_> = cases().iter().filter_map(|path| replay(path, bless)).collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// What is different, in words.
fn replay(path: &Path, bless: bool) -> Option<String> {
    let text = fs::read_to_string(path).unwrap();
    let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let ran = run(&case);
    if bless {
        fs::write(path, blessed(&text, &ran)).unwrap();
        return None;
    }
    let printed = [("stdout", &case.stdout, &ran.stdout), ("stderr", &case.stderr, &ran.stderr)];
    let mut differs = String::new();
    if ran.status != Some(case.status) {
        let _infallible = writeln!(differs, "status {:?} instead of {}", ran.status, case.status);
    }
    for (stream, expected, found) in printed.into_iter().filter(|(_, expected, found)| expected != found) {
        let _infallible = writeln!(differs, "--- {stream} expected\n{expected}--- {stream} found\n{found}---");
    }
    (!differs.is_empty()).then(|| format!("{}:\n{differs}", path.display()))
}

fn run(case: &Case) -> Ran {
    let house = House::new();
    for (name, content) in &case.files {
        house.file(name, content);
    }
    for (name, tree) in &case.trees {
        copy_tree(&project(tree), &house.path(name));
    }
    let ran = Ran::of(house.command(&case.args).envs(&case.env));
    Ran { stdout: redacted(&ran.stdout), stderr: redacted(&ran.stderr), ..ran }
}

/// The only words that change with every edit of a mapping set: its digest, and the plan that has it.
fn redacted(text: &str) -> String {
    let is_set = |line: &&str| line.starts_with("set ") && line.ends_with(')');
    let line = |line: &str| {
        if line.starts_with("plan  ") {
            return "plan     …\n".to_owned();
        }
        if is_set(&line.trim_end()) { format!("{}(…)\n", &line[..line.rfind('(').unwrap()]) } else { line.to_owned() }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The file with its head as it is, and what was printed.
fn blessed(text: &str, ran: &Ran) -> String {
    let head = text.split("\nstatus =").next().unwrap().trim_end();
    let literal = |text: &str| {
        assert!(!text.contains("'''"), "a TOML literal cannot hold {text}");
        if text.is_empty() { "''".to_owned() } else { format!("'''\n{text}'''") }
    };
    let (status, stdout, stderr) = (ran.status.unwrap(), literal(&ran.stdout), literal(&ran.stderr));
    format!("{head}\nstatus = {status}\nstdout = {stdout}\nstderr = {stderr}\n")
}
