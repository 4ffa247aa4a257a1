//! The fixture of small sets: a mapping set and a tree, both written by the test itself, so that one
//! behaviour is seen alone.

use crate::house::{House, Ran};
use serde_json::Value;
use std::path::PathBuf;

const SET: &str =
    "name = \"small\"\ndescription = \"a small set\"\nnamespace = \"6f0b6f5e-4c53-5c0e-9f0e-0d9b1a7c2e11\"\n";

/// A house with a set and a tree of its own.
pub(crate) struct Small {
    pub(crate) house: House,
}

impl Small {
    /// A set of these tables, with what set.toml says besides its name.
    pub(crate) fn new(schema: &str, set: &str) -> Self {
        let house = House::new();
        house.file("set/set.toml", format!("{SET}{set}"));
        house.file("set/schema/001_first.up.sql", format!("-- version: 001\n-- description: the tables\n{schema}"));
        house.file("set/schema/001_first.down.sql", "SELECT 1;");
        std::fs::create_dir(house.path("tree")).unwrap();
        Self { house }
    }

    /// Adds a mapping: `files` and the rest of `[source]`, then tables.
    pub(crate) fn mapping(self, name: &str, files: &str, rest: &str) -> Self {
        let text = format!("description = \"{name}\"\n[source]\nfiles = [\"{files}\"]\nformat = \"json\"\n{rest}");
        self.house.file(&format!("set/{name}.toml"), text);
        self
    }

    /// Adds a mapping of files in another format than JSON: `format` and the rest of `[source]`, then tables.
    pub(crate) fn formatted(self, name: &str, files: &str, rest: &str) -> Self {
        let text = format!("description = \"{name}\"\n[source]\nfiles = [\"{files}\"]\n{rest}");
        self.house.file(&format!("set/{name}.toml"), text);
        self
    }

    /// Adds a mapping of files that are lists of records.
    pub(crate) fn lists(self, name: &str, files: &str, tables: &str) -> Self {
        self.mapping(name, files, &format!("[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n{tables}"))
    }

    /// Writes a file of the tree, long enough ago for nobody to be writing it still.
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.write(name, content);
        self
    }

    /// Writes a file of the tree between two runs.
    pub(crate) fn write(&self, name: &str, content: &str) {
        self.write_bytes(name, content.as_bytes());
    }

    /// The same of bytes.
    pub(crate) fn write_bytes(&self, name: &str, content: &[u8]) {
        let path = self.house.file(&format!("tree/{name}"), content);
        let past = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(past).unwrap();
    }

    /// The tree.
    pub(crate) fn tree(&self) -> PathBuf {
        self.house.path("tree")
    }

    /// Imports the tree by the set.
    pub(crate) fn import(&self, more: &[&str]) -> Ran {
        let set = self.house.path("set");
        let mut all = vec!["--mappings", set.to_str().unwrap(), "--json"];
        all.extend(more);
        self.house.import(&self.tree(), &all)
    }

    /// The report of an import that ends with this status.
    #[track_caller]
    pub(crate) fn report(&self, status: i32, more: &[&str]) -> Value {
        self.import(more).status(status).json()
    }
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
