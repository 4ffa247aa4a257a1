//! Generated trees: the same bytes for the same seed, and an import of as many rows as they say.

use crate::house::independent::Tree;
use crate::house::v1_tree::{self, Plan};
use crate::house::{DATABASE, House, age, comparable, findings, listing, open, row_counts};
use std::path::PathBuf;

/// A tree of this many people in the house's working directory.
pub(crate) fn tree(house: &House, users: u32, seed: u64) -> PathBuf {
    let root = house.path(&format!("tree-{users}-{seed}"));
    let plan = Plan { users, orders: 12, activities: 20, seed };
    let total = v1_tree::write(&root, &plan).unwrap();
    assert_eq!(total.files, 2 + 5 * u64::from(users));
    age(&root);
    root
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let house = House::new();
    let files = |name: &str, seed: u64| {
        let root = house.path(name);
        v1_tree::write(&root, &Plan { users: 3, orders: 5, activities: 4, seed }).unwrap();
        let listing = listing(&root).into_iter();
        // The last word of a line is the hash of the bytes.
        listing.map(|(path, line)| (path, line.rsplit(' ').next().unwrap().to_owned())).collect::<Vec<_>>()
    };
    let first = files("one", 1);
    assert_eq!(files("again", 1), first);
    assert_ne!(files("other", 2), first);
}

#[test]
fn a_generated_tree_is_imported_without_errors() {
    let house = House::new();
    let source = tree(&house, 5, 7);
    let report = house.import(&source, &["--json"]).status(0).json();
    assert_eq!(row_counts(&open(&house.path(DATABASE))), Tree::read(&source).rows());
    let worth_a_look: Vec<_> = findings(&report).into_iter().filter(|finding| finding.1 == "error").collect();
    assert_eq!(worth_a_look, []);
    assert_eq!(report["leaves"]["unmapped"], 0);
    assert_eq!(report["caught_all"], serde_json::Value::Array(Vec::new()));
}

#[test]
fn two_dry_runs_report_the_same() {
    let house = House::new();
    let source = tree(&house, 4, 3);
    let run = || comparable(house.import(&source, &["--dry-run", "--json"]).status(0).json());
    assert_eq!(run(), run());
}
