//! Nothing stands in the mapping language without a use: every key, word and step is in a bundled set or in a
//! kind of tree.

use crate::house::project;
use std::collections::BTreeSet;
use std::fs;
use toml::Value;
use treelift::mapping::load::keys;
use treelift::step::REGISTRY;

/// The keys and the strings of all sets.
fn used() -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for folder in ["mappings", "tests/kinds"] {
        for entry in walkdir::WalkDir::new(project(folder)) {
            let entry = entry.unwrap();
            if entry.path().extension().is_some_and(|extension| extension == "toml") {
                let text = fs::read_to_string(entry.path()).unwrap();
                collect(&Value::Table(text.parse().unwrap()), &mut used);
            }
        }
    }
    used
}

fn collect(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            used.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, used)),
        Value::Table(table) => {
            for (key, value) in table {
                used.insert(key.clone());
                collect(value, used);
            }
        }
        _ => {}
    }
}

#[test]
fn every_key_word_and_step_of_the_language_is_used_by_a_set() {
    /// What a set says by saying nothing.
    const DEFAULTS: [&str; 3] = ["json", "none", "warn"];
    /// The parts of steps' arguments.
    const ARGUMENTS: [&str; 14] = [
        "as",
        "epoch_ms",
        "epoch_s",
        "epoch_us",
        "forms",
        "iso",
        "on",
        "otherwise",
        "part",
        "rfc2822",
        "rfc3339",
        "values",
        "webkit_us",
        "zone",
    ];
    let used = used();
    // The types of a condition are those of JSON.
    let tables = keys::all().filter(|table| !std::ptr::eq(*table, &raw const keys::TYPES));
    let words = tables.flat_map(keys::Keys::built).chain(REGISTRY.iter().map(|step| step.name)).chain(ARGUMENTS);
    let unused: BTreeSet<&str> = words.filter(|word| !used.contains(*word) && !DEFAULTS.contains(word)).collect();
    assert_eq!(unused, BTreeSet::new());
}
