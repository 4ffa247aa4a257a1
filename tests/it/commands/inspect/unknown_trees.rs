//! `import TREE --scaffold DIR`: a tree without a mapping set, in one command.

use crate::house::{House, KEY_FILE, Ran};
use serde_json::json;

/// A tree that nothing knows, with a secret or without.
fn house(secret: bool) -> House {
    let house = House::new();
    let mut guests = json!([{"id": "g-1", "name": "Ada", "arrival": "2025-05-01"}, {"id": "g-2", "name": "Grace"}]);
    if secret {
        guests[0]["doorCode"] = json!("4711-aRx-09");
    }
    house.file("inn/guests.json", guests.to_string());
    house.file("inn/stays/2025-05-01.json", json!({"guest": "g-1", "nights": 2}).to_string());
    house.file("inn/stays/2025-05-03.json", json!({"guest": "g-2", "nights": 1}).to_string());
    house.file("inn/menu.txt", "soup");
    crate::house::age(&house.path("inn"));
    house
}

fn import(house: &House, more: &[&str]) -> Ran {
    house.run(["import", "--reread", "inn", "--scaffold", "my_inn"].into_iter().chain(more.iter().copied()))
}

#[test]
fn an_unknown_tree_is_rehearsed_with_every_guess_and_nothing_is_written_but_the_set() {
    let house = house(true);
    let ran = import(&house, &[]).status(0);
    assert_eq!(ran.last_line(), "dry run: acceptable, nothing was written");
    let said: Vec<&str> = ran.stdout.lines().collect();
    let guesses = said.iter().position(|line| *line == "guesses, the weightiest first:").unwrap();
    let kinds: Vec<&str> =
        said[guesses + 1..].iter().map_while(|line| line.strip_prefix("  ")?.split("  ").next()).collect();
    let (more, kinds) = kinds.split_last().unwrap();
    assert_eq!(*more, "and 5 more; each line is marked `guess:`");
    assert_eq!(kinds, ["secret", "left out", "rows", "rows", "rows", "rows", "reference", "type"]);
    assert!(
        said[guesses + 1].ends_with(
            "guests_secrets.door_code is sealed: it looks like a secret; if it is none, keep it in a column with \
             `declassify`"
        ),
        "{}",
        ran.stdout
    );
    let hint = "hint: review the guesses in my_inn, then run `treelift import inn --mappings my_inn`";
    assert!(said.contains(&hint), "{}", ran.stdout);
    assert!(!house.path("my_inn.db").exists());
    // Each guess names the line that is marked.
    for line in &said[guesses + 1..guesses + 9] {
        let place = line.split_whitespace().find(|word| word.contains(".toml:")).unwrap();
        let (file, number) = place.split_once(':').unwrap();
        let text = std::fs::read_to_string(house.path("my_inn").join(file)).unwrap();
        let marked = text.lines().nth(number.parse::<usize>().unwrap() - 1).unwrap();
        assert!(marked.contains("# guess: "), "{line}: {marked}");
    }
}

#[test]
fn with_yes_an_unknown_tree_is_imported_into_a_database_called_as_the_set() {
    let house = house(true);
    let ran = import(&house, &["--yes", "--key-file", KEY_FILE]).status(0);
    assert_eq!(ran.last_line(), "committed: 5 rows into sqlite:///./my_inn.db");
    let rows = |sql: &str| crate::house::rows(&crate::house::open(&house.path("my_inn.db")), sql);
    assert_eq!(rows("SELECT day, guest, nights FROM stays"), [["2025-05-01", "g-1", "2"], ["2025-05-03", "g-2", "1"]]);
    assert_eq!(rows("SELECT count(*) FROM guests_secrets WHERE door_code LIKE '%aRx%'"), [["0"]]);
    // The set is an ordinary one from now on.
    let again =
        house.run(["import", "--reread", "inn", "--mappings", "my_inn", "--key-file", KEY_FILE, "--yes"]).status(0);
    assert_eq!(again.last_line(), "committed: no changes, 5 rows already up to date");
}

#[test]
fn a_key_is_asked_for_only_where_something_is_sealed() {
    let refused = import(&house(true), &["--yes"]).status(2);
    assert!(refused.stderr.contains("passphrase"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`treelift import inn --mappings ./my_inn --yes`"), "{}", refused.stderr);
    let ran = import(&house(false), &["--yes"]).status(0);
    assert_eq!(ran.last_line(), "committed: 4 rows into sqlite:///./my_inn.db");
}

#[test]
fn a_folder_that_is_taken_or_part_of_the_tree_is_refused_before_anything_is_read() {
    let house = house(false);
    house.file("my_inn/mine.toml", "");
    let ran = import(&house, &["--yes"]).status(2);
    assert_eq!(
        ran.stderr,
        "error: the folder is not empty, and existing files are never overwritten\n  at my_inn\nhint: name a new \
         folder; a set that is there already is used with `--mappings`\n"
    );
    let ran = house.run(["import", "--reread", "inn", "--scaffold", "inn/set"]).status(2);
    assert!(ran.stderr.starts_with("error: `--scaffold` is in the source tree, "), "{}", ran.stderr);
    assert!(!house.path("inn/set").exists());
    let ran = house.run(["import", "--reread", "inn", "--scaffold", "a", "--mappings", "b"]).status(2);
    assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
}

#[test]
fn a_tree_without_json_is_refused_and_leaves_no_folder() {
    let house = House::new();
    house.file("inn/menu.txt", "soup");
    let ran = import(&house, &["--yes"]).status(2);
    assert!(ran.stderr.starts_with("error: no file of the tree is JSON that can be read"), "{}", ran.stderr);
    assert!(!house.path("my_inn").exists());
}

#[test]
fn as_json_the_report_has_the_set_with_its_guesses() {
    let house = house(true);
    let report = import(&house, &["--json"]).status(0).json();
    assert_eq!((&report["outcome"], &report["verdict"]), (&json!("dry-run"), &json!("acceptable")));
    assert_eq!(report["scaffold"]["folder"], "my_inn");
    assert_eq!(
        report["scaffold"]["guesses"][0],
        json!({
            "kind": "secret", "file": "guests.toml", "line": 20, "what": "guests_secrets.door_code is sealed",
            "why": "it looks like a secret; if it is none, keep it in a column with `declassify`",
        })
    );
}

#[test]
fn a_broken_file_is_read_and_refused_with_its_line_and_never_left_out() {
    let house = house(false);
    house.file("inn/stays/2025-05-09.json", "{\"guest\": \"g-1\", \"nig");
    house.file("inn/bell.jsonl", "{\"rung\": 1}\n{\"rung\": 2}\n{\"ru");
    house.file("inn/alone.json", "[1,");
    let ran = import(&house, &["--yes"]).status(1);
    for place in ["stays/2025-05-09.json:1:", "bell.jsonl:3:", "alone.json"] {
        assert!(ran.stdout.contains(place), "{place}: {}", ran.stdout);
    }
    let set = std::fs::read_to_string(house.path("my_inn/set.toml")).unwrap();
    let why = "(J002: the file ends inside a string)";
    let guess = format!("# guess: bell.jsonl is broken {why}: the import refuses it; mend it, or name it under");
    assert!(set.contains(&guess), "{set}");
    let ignored = set.split("\n[ignore]\n").nth(1).unwrap();
    assert!(ignored.contains("menu.txt") && !ignored.contains("bell") && !ignored.contains("alone"), "{ignored}");
    assert!(!house.path("my_inn.db").exists());
}

#[test]
fn tables_get_names_that_the_database_leaves_free() {
    let house = House::new();
    for name in ["sqlite_x", "treelift_runs", "schema_migrations"] {
        house.file(&format!("inn/{name}.json"), json!([{"id": 1, "a": 2}]).to_string());
    }
    import(&house, &["--yes"]).status(0);
}
