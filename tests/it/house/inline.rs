//! Small sets and trees that a test itself writes, and what a run over them must report.

use crate::house::{House, Ran, age, tables};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// The folder of a house's mapping set.
const SET: &str = "set";
/// The folder of a house's source tree.
const TREE: &str = "tree";

/// What every set begins with.
const SET_HEAD: &str = "name = \"inline\"\ndescription = \"a set of a test\"\n\
                        namespace = \"6f0b6f5e-4c53-5c0e-9f0e-0d9b1a7c2e11\"\n";

impl House {
    /// The tables to write into.
    pub(crate) fn schema(self, sql: &str) -> Self {
        let up = format!("-- version: 001\n-- description: tables of a test\n{sql}\n");
        self.file(&format!("{SET}/schema/001_test.up.sql"), up);
        self.file(&format!("{SET}/schema/001_test.down.sql"), down(sql));
        fs::create_dir_all(self.tree()).unwrap();
        if self.path(&format!("{SET}/set.toml")).exists() { self } else { self.set("") }
    }

    /// What stands in `set.toml` beside name, description and namespace.
    pub(crate) fn set(self, toml: &str) -> Self {
        self.file(&format!("{SET}/set.toml"), format!("{SET_HEAD}{toml}"));
        self
    }

    /// A mapping, written out.
    pub(crate) fn mapping(self, name: &str, toml: &str) -> Self {
        self.file(&format!("{SET}/{name}.toml"), format!("description = \"a mapping of a test\"\n{toml}"));
        self
    }

    /// A mapping of files, named by a pattern or by several with a space between: the rest of `[source]`, then tables.
    pub(crate) fn reads(self, name: &str, files: &str, rest: &str) -> Self {
        let files: Vec<&str> = files.split(' ').collect();
        self.mapping(name, &format!("[source]\nfiles = {files:?}\n{rest}"))
    }

    /// A mapping of files that each are one list of records.
    pub(crate) fn list(self, name: &str, files: &str, rules: &str) -> Self {
        self.reads(
            name,
            files,
            &format!("format = \"json\"\n[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n{rules}"),
        )
    }

    /// A source file.
    pub(crate) fn source(self, path: &str, json: &Value) -> Self {
        self.text(path, json.to_string())
    }

    /// A source file with this text or these bytes.
    pub(crate) fn text(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.put(path, text);
        self
    }

    /// A source file, as it is now.
    pub(crate) fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        self.file(&format!("{TREE}/{path}"), text);
    }

    /// The tree.
    pub(crate) fn tree(&self) -> PathBuf {
        self.path(TREE)
    }

    /// Imports the tree.
    pub(crate) fn lift(&self, more: &[&str]) -> Lifted {
        age(&self.tree());
        let more: Vec<&str> = ["--mappings", SET, "--json"].iter().chain(more).copied().collect();
        Lifted { ran: self.import(&self.tree(), &more) }
    }

    /// The report of an import of the tree that ends with this status.
    #[track_caller]
    pub(crate) fn report(&self, status: i32, more: &[&str]) -> Value {
        self.lift(more).ran.status(status).json()
    }

    /// Every file of the house but its source that holds this text, and what was printed if that does.
    pub(crate) fn holders(&self, lifted: &Lifted, word: &str) -> Vec<String> {
        let holds = |bytes: &[u8]| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        let below = [self.work(), self.tmp()];
        let entries = below.iter().flat_map(walkdir::WalkDir::new).map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().is_file() && !entry.path().starts_with(self.tree()));
        let mut holders: Vec<_> = files
            .filter(|entry| holds(&fs::read(entry.path()).unwrap()))
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let printed = [("stdout", &lifted.ran.stdout), ("stderr", &lifted.ran.stderr)];
        holders.extend(printed.into_iter().filter(|(_, text)| text.contains(word)).map(|(name, _)| name.to_owned()));
        holders
    }
}

/// What drops the tables and views that this SQL makes.
fn down(sql: &str) -> String {
    let made = regex::Regex::new(
        r#"(?i)CREATE\s+(?:VIRTUAL\s+)?(TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?("(?:[^"]|"")*"|\w+)"#,
    )
    .unwrap();
    let mut drops: Vec<String> =
        made.captures_iter(sql).map(|made| format!("DROP {} IF EXISTS {};\n", &made[1], &made[2])).collect();
    drops.reverse();
    format!("SELECT 1;\n{}", drops.concat())
}

/// A run over a house's own tree that has ended.
pub(crate) struct Lifted {
    pub(crate) ran: Ran,
}

impl Lifted {
    /// Its exit status.
    pub(crate) fn status(&self) -> Option<i32> {
        self.ran.status
    }

    /// What it printed for people.
    pub(crate) fn words(&self) -> &str {
        &self.ran.stderr
    }

    /// The report.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        self.ran.json()
    }

    /// It ended with this status and outcome.
    #[track_caller]
    pub(crate) fn ends(self, status: i32, outcome: &str) -> Self {
        let ran = self.ran.status(status);
        assert_eq!(ran.json()["outcome"], outcome);
        Self { ran }
    }

    /// The set itself was refused, in these words.
    #[track_caller]
    pub(crate) fn refuses(self, words: &str) {
        let ran = self.ran.status(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }

    /// What became of the leaves, where it is anything: `column 5, unmapped 1`. Each is counted once.
    #[track_caller]
    pub(crate) fn leaves(self, expected: &str) -> Self {
        let report = self.report();
        let mut counts =
            report["leaves"].as_object().unwrap().iter().map(|(class, count)| (class, count.as_u64().unwrap()));
        let seen = counts.next().unwrap();
        assert_eq!(seen.0, "seen");
        let classes: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
        let said: Vec<_> = classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
        assert_eq!(said.join(", "), expected);
        assert_eq!(classes.iter().map(|(_, count)| count).sum::<u64>(), seen.1);
        self
    }

    /// The errors and warnings, in order: `error S002 notes.json /1/author`.
    #[track_caller]
    pub(crate) fn finds(self, expected: &[&str]) -> Self {
        let report = self.report();
        assert_eq!(found(&report), expected, "{:#}", report["findings"]);
        self
    }

    /// The rows by table: `notes 2, people 1`.
    #[track_caller]
    pub(crate) fn counts(self, what: &str, expected: &str) -> Self {
        let counts = tables(&self.report(), what);
        let said: Vec<_> = counts.iter().map(|(table, count)| format!("{table} {count}")).collect();
        assert_eq!(said.join(", "), expected, "{what}");
        self
    }
}

/// The errors and warnings of a report.
pub(crate) fn found(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let worth = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] != "note");
    let line = |finding: &Value| {
        let place = &finding["place"];
        let parts = [&finding["severity"], &finding["code"], &place["file"], &place["pointer"]].map(text);
        parts.join(" ").trim_end().to_owned()
    };
    worth.map(line).collect()
}

/// The findings of a report: `severity code message`, without those about unused parts of the set: a small
/// tree never has everything.
pub(crate) fn told(report: &Value) -> Vec<String> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let finding = |one: &Value| format!("{} {} {}", text(one, "severity"), text(one, "code"), text(one, "message"));
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|one| !text(one, "code").starts_with('U')).map(finding).collect()
}

/// What happened to a file, with the reason.
pub(crate) fn fate(report: &Value, path: &str) -> String {
    let files = report["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["path"] == path).unwrap_or_else(|| panic!("`{path}` is in {report}"));
    match file["reason"].as_str() {
        Some(reason) => format!("{}: {reason}", file["status"].as_str().unwrap()),
        None => file["status"].as_str().unwrap().to_owned(),
    }
}
