//! Whatever the tree, `inspect --scaffold` writes a set that passes `check` and imports all of it.

use crate::house::random_trees::{Files, large, tree};
use crate::house::{House, Ran, tables};
use serde_json::{Value, json};

/// A house with the tree.
fn house(files: &Files) -> House {
    let house = House::new();
    // A broken file is refused, whatever the set.
    for (path, content) in files.iter().filter(|(path, _)| path != "cut.json") {
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

/// `TREELIFT_SEEDS=5000..7000` asks for other trees.
#[test]
#[ignore = "takes about 2 minutes"]
fn a_scaffold_imports_the_tree_it_was_made_of_often() {
    let asked = std::env::var("TREELIFT_SEEDS").unwrap_or_else(|_| "1000..1400".to_owned());
    let (from, to) = asked.split_once("..").expect("FROM..TO");
    hold(from.parse().unwrap()..to.parse().unwrap());
}

#[test]
fn trees_of_ten_kinds_are_scaffolded() {
    let kinds = std::fs::read_dir(crate::house::project("tests/kinds")).unwrap();
    let kinds: Vec<std::path::PathBuf> = kinds.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kinds.len(), 10, "{kinds:?}");
    let mut broken = Vec::new();
    for kind in kinds {
        let house = House::new();
        crate::house::copy_tree(&kind.join("tree"), &house.path("tree"));
        if let Err(what) = holds(&house) {
            broken.push(format!("{}: {what}", kind.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A house with one file and what its scaffold says of it.
fn scaffolded(files: &[(&str, Value)]) -> (House, String) {
    let files: Files = files.iter().map(|(name, value)| (format!("{name}.json"), value.to_string().into())).collect();
    let house = house(&files);
    holds(&house).unwrap_or_else(|broken| panic!("{broken}"));
    let said = files.iter().map(|(path, _)| house.path("set").join(path).with_extension("toml"));
    let said: Vec<String> = said.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    (house, said.concat())
}

#[test]
fn an_element_that_is_empty_is_decided_where_all_others_are_secrets() {
    let logins = json!([{"credentials": "k3y-of-ada-01"}, {"credentials": []}, null, {}]);
    let (_, said) = scaffolded(&[("a", json!({"id": 1, "logins": logins})), ("b", json!({"nested": logins}))]);
    assert!(said.contains("\"@.logins[*]\" = \"nothing is in it but what is left out"), "{said}");
    scaffolded(&[("c", logins)]);
}

#[test]
fn a_map_with_the_value_of_a_secret_is_sealed_and_one_with_a_value_beside_secrets_is_not() {
    let files = [
        (
            "apps",
            json!([{"id": 1, "apiKey": "s3cret-of-the-first-app"}, {"id": 2, "apiKey": "s3cret-of-the-second-app"}]),
        ),
        (
            "links",
            json!([{"id": 1, "url": "https://bob:hunter2222@example.com/"}, {"id": 2, "url": "https://example.com/a"}]),
        ),
        ("more", json!({"extra": {"1001": "s3cret-of-the-first-app", "1002": "plain"}})),
        ("other", json!({"pages": {"1001": "https://example.com/a", "1002": "https://example.com/b"}})),
    ];
    let (_, said) = scaffolded(&files);
    assert!(said.contains("value = { seal = \".\" } # guess: one of the values is a secret elsewhere"), "{said}");
    assert!(said.contains("expected = [\n  \"@.pages.*\",\n]"), "{said}");
}

#[test]
fn an_id_that_looks_like_a_secret_by_chance_seals_nothing() {
    let ids = ["7Pin4aQx9TgB2mK5sZ8wE", "3Bcd4eFgh6JkL8mNp0QrS", "9Zyx8wVut7SrQ6pNm5LkJ"];
    let of = |value: Value| -> Value { ids.iter().map(|id| ((*id).to_owned(), value.clone())).collect() };
    let mixed = json!([1, "a", {"b": 2}]);
    let (house, said) = scaffolded(&[
        ("sizes", json!({"sizes": of(json!(42)), "mixed": {"deep": {"deep": {"deep": {"maps": of(mixed)}}}}})),
        ("people", of(json!({"name": "Ada", "password": "s3cret-of-ada"}))),
    ]);
    assert!(said.contains("declassify = \"it is named by an id"), "{said}");
    assert!(said.contains("password = { seal = \"password\" }"), "{said}");
    assert_eq!(house.rows("SELECT count(*) FROM people WHERE name = 'Ada'"), [["3"]]);
}

#[test]
fn a_secret_among_many_settings_is_sealed_alone() {
    let mut settings: serde_json::Map<String, Value> =
        ('a'..='x').map(|letter| (format!("setting{letter}"), json!(1))).collect();
    settings.insert("smtpPassword".to_owned(), json!("s3cret-of-the-mail"));
    let (house, said) = scaffolded(&[("settings", Value::Object(settings))]);
    assert!(said.contains("smtp_password = { seal = \"smtpPassword\" }"), "{said}");
    assert_eq!(house.rows("SELECT settingc FROM settings"), [["1"]]);
}

#[test]
fn a_document_that_is_no_map_among_maps_with_secrets_makes_no_table_for_them() {
    let of = |id: &str| json!({id: {"name": "Ada", "password": format!("s3cret-of-{id}")}});
    let house = house(&vec![
        ("days/2025-01-01.json".to_owned(), b"null".to_vec()),
        ("days/2025-01-02.json".to_owned(), of("1001").to_string().into()),
        ("days/2025-01-03.json".to_owned(), of("1002").to_string().into()),
    ]);
    holds(&house).unwrap_or_else(|broken| panic!("{broken}"));
    let said = std::fs::read_to_string(house.path("set/days.toml")).unwrap();
    assert_eq!(said.matches("seal = ").count(), 1, "{said}");
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
#[ignore = "takes about 1 minute"]
fn twelve_thousand_files_called_by_random_ids_are_few_types() {
    let house = house(&large(12_000));
    assert_eq!(types(&house).len(), 5, "{:?}", types(&house));
    holds(&house).unwrap();
}
