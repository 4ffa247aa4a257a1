//! The pages of `docs/codes/`: every example gives its code, and what the page says to change takes it away.

use crate::house::{age, copy_tree, project};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A page, as far as it is run.
struct Page {
    code: String,
    example: Option<Part>,
    change: Option<Part>,
}

/// Files by their paths, and commands where they are not the usual one.
#[derive(Default)]
struct Part {
    files: BTreeMap<String, String>,
    commands: Option<String>,
}

impl Part {
    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.commands.is_none()
    }
}

impl Page {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let code = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (mut example, mut change) = (None, None);
        for section in text.split("\n## ").skip(1) {
            let part = Some(part(section)).filter(|part| !part.is_empty());
            match section.lines().next() {
                Some("Example") => example = part,
                Some("What to change") => change = part,
                other => panic!("{code}: a section {other:?}"),
            }
        }
        Self { code, example, change }
    }
}

/// The fences of a section that are run.
fn part(section: &str) -> Part {
    let mut part = Part::default();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        match info.split_once(' ') {
            Some((_, path)) => _ = part.files.insert(path.to_owned(), body),
            None if info == "sh" => part.commands = Some(body),
            None => {}
        }
    }
    part
}

/// Lays files into a folder, and runs what is to be run there; gives what it said.
fn run(folder: &Path, parts: &[&Part], code: &str) -> String {
    copy_tree(&project("tests/codes"), folder);
    let mut commands = None;
    for part in parts {
        for (path, text) in &part.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        commands = part.commands.as_ref().or(commands);
    }
    // A tree that was just written may still be in use, which is a finding.
    age(&folder.join("tree"));
    let usual = if code.starts_with('M') {
        "treelift check set --json"
    } else {
        "treelift import tree --mappings set --database new.db --dry-run --json --yes"
    };
    let commands = commands.map_or(usual, String::as_str);
    let programs = Path::new(env!("CARGO_BIN_EXE_treelift")).parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&others)));
    let ran = Command::new("sh")
        .args(["-ec", &format!("exec 2>&1; {commands}")])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("HOME", folder)
        .env("TREELIFT_PASSPHRASE", "correct horse battery staple")
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// Whether a code is among what was said: in a document under `code`, in words where a finding or an error begins.
fn names(said: &str, code: &str) -> bool {
    let begins = |word| said.contains(&format!("{word} {code}"));
    said.contains(&format!("\"code\": \"{code}\"")) || ["error", "warning", "note"].into_iter().any(begins)
}

fn check(family: char) {
    let mut pages = Vec::new();
    for entry in fs::read_dir(project("docs/codes")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(family) {
            pages.push(Page::read(&path));
        }
    }
    assert!(!pages.is_empty());
    let mut wrong = Vec::new();
    for Page { code, example, change } in &pages {
        let Some(example) = example else {
            assert!(change.is_none(), "{code}: what changes is there without an example");
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let said = run(folder.path(), &[example], code);
        if !names(&said, code) {
            wrong.push(format!("{code} is not given by its example:\n{said}"));
        }
        if let Some(change) = change {
            let folder = tempfile::tempdir().unwrap();
            let said = run(folder.path(), &[example, change], code);
            if names(&said, code) {
                wrong.push(format!("{code} is still given after what its page changes:\n{said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! families {
    ($($name:ident $letter:literal),*) => {
        $( #[test] fn $name() { check($letter); } )*
    };
}

families! {
    pages_of_files_are_true 'F',
    pages_of_json_are_true 'J',
    pages_of_shapes_are_true 'S',
    pages_of_values_are_true 'V',
    pages_of_rows_are_true 'R',
    pages_of_owners_are_true 'O',
    pages_of_secrets_are_true 'X',
    pages_of_unused_parts_are_true 'U',
    pages_of_targets_are_true 'T',
    pages_of_differences_are_true 'D',
    pages_of_assertions_are_true 'A',
    pages_of_mapping_sets_are_true 'M'
}
