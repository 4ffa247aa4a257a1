//! Whatever the tree, `inspect --scaffold` writes a set that passes `check` and imports all of it.

use crate::house::{House, Ran, tables};
use crate::random_trees::{Files, large, tree};
use serde_json::{Value, json};

/// A house with the tree.
fn house(files: &Files) -> House {
    let house = House::new();
    for (path, content) in files {
        house.file(&format!("tree/{path}"), content);
    }
    crate::house::age(&house.path("tree"));
    house
}

/// The report of a run that went well, and what the run said otherwise.
fn report(ran: &Ran, what: &str) -> Result<Value, String> {
    if ran.status == Some(0) {
        Ok(ran.json())
    } else {
        Err(format!("{what}: {:?}\n{}\n{}", ran.status, ran.stdout, ran.stderr))
    }
}

/// What the law says of a tree: its scaffold is sound, its dry run acceptable, its import closed, and a second one
/// changes nothing.
fn holds(house: &House) -> Result<(), String> {
    let source = house.path("tree");
    // It ends with a `check` of what it wrote.
    let ran = house.run(["inspect", "tree", "--scaffold", "set"]);
    if ran.status != Some(0) {
        return Err(format!("scaffold: {:?}\n{}\n{}", ran.status, ran.stdout, ran.stderr));
    }
    let dry = report(&house.import(&source, &["--mappings", "set", "--dry-run", "--json"]), "dry run")?;
    let closed = |report: &Value| {
        let leaves = &report["leaves"];
        let ends =
            ["column", "json", "sealed", "ignored", "rejected", "unmapped"].map(|end| leaves[end].as_u64().unwrap());
        (leaves["seen"].as_u64() == Some(ends.iter().sum()) && ends[4] == 0 && ends[5] == 0)
            .then_some(())
            .ok_or(format!("{leaves}"))
    };
    closed(&dry)?;
    if dry["caught_all"] != json!([]) {
        return Err(format!("caught: {:#}", dry["caught_all"]));
    }
    let first = report(&house.import(&source, &["--mappings", "set", "--json"]), "import")?;
    closed(&first)?;
    let second = report(&house.import(&source, &["--mappings", "set", "--json"]), "second import")?;
    closed(&second)?;
    let (inserted, updated) = (tables(&second, "inserted"), tables(&second, "updated"));
    if !inserted.is_empty() || !updated.is_empty() {
        return Err(format!("the second import inserts {inserted:?} and updates {updated:?}"));
    }
    Ok(())
}

fn hold(seeds: impl Iterator<Item = u64>) {
    let broken: Vec<String> = seeds
        .filter_map(|seed| {
            let house = house(&tree(seed));
            let broken = holds(&house).err()?;
            if let Ok(keep) = std::env::var("TREELIFT_KEEP") {
                crate::house::copy_tree(&house.path("tree"), &std::path::Path::new(&keep).join(format!("{seed}/tree")));
                if house.path("set").exists() {
                    crate::house::copy_tree(
                        &house.path("set"),
                        &std::path::Path::new(&keep).join(format!("{seed}/set")),
                    );
                }
            }
            Some(format!("tree {seed}: {broken}"))
        })
        .collect();
    assert!(broken.is_empty(), "{} trees:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn a_scaffold_imports_the_tree_it_was_made_of() {
    hold(0..50);
}

#[test]
#[ignore = "takes its time"]
fn a_scaffold_imports_the_tree_it_was_made_of_often() {
    hold(1000..1400);
}

#[test]
fn trees_of_ten_kinds_are_scaffolded() {
    let mut broken = Vec::new();
    for kind in std::fs::read_dir(crate::house::project("tests/kinds")).unwrap().map(|entry| entry.unwrap().path()) {
        let house = House::new();
        crate::house::copy_tree(&kind.join("tree"), &house.path("tree"));
        if let Err(what) = holds(&house) {
            broken.push(format!("{}: {what}", kind.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The types that a tree has, as patterns with how many files are of each.
fn types(house: &House) -> Vec<String> {
    let report = house.run(["inspect", "tree", "--json"]).status(0).json();
    let types = report["types"].as_array().unwrap().iter();
    types.map(|of| format!("{} {}", of["pattern"].as_str().unwrap(), of["files"])).collect()
}

#[test]
fn files_called_by_random_ids_are_few_types() {
    let house = house(&large(400));
    assert_eq!(
        types(&house),
        [
            "boxes/{box}.json 100",
            "recipes/{recipe}.json 100",
            "sessions/{day}/{session}.jsonl 100",
            "users.json 1",
            "users/{user}/notes/{note}.json 100"
        ]
    );
    holds(&house).unwrap();
    let set = std::fs::read_to_string(house.path("set/set.toml")).unwrap();
    assert!(set.contains("capture = \"user\"\ntable   = \"users\""), "{set}");
}

#[test]
#[ignore = "takes its time"]
fn twelve_thousand_files_called_by_random_ids_are_few_types() {
    let house = house(&large(12_000));
    assert_eq!(types(&house).len(), 5, "{:?}", types(&house));
    holds(&house).unwrap();
}
