//! Invalid mappings: every error is reported at once, before anything is read.

use crate::house::{DATABASE, House, copy_tree, edit, project, sample};

/// The set's folder, copied, with three typos in one file; and their lines.
fn with_typos(house: &House) -> [usize; 3] {
    let set = house.path("set");
    copy_tree(&project("mappings/fossawork"), &set);
    let users = set.join("users.toml");
    edit(&users, "configured_email      =", "configured_emial      =");
    edit(
        &users,
        "last_used             = \"lastUsed\"",
        "last_used             = { from = \"lastUsed\", steps = [\"tiem\"] }",
    );
    edit(&users, "key  = [\"user_id\", \"category\"]", "key  = [\"user_id\", \"categroy\"]");
    let text = std::fs::read_to_string(users).unwrap();
    ["configured_emial", "tiem", "categroy"].map(|typo| 1 + text.lines().position(|line| line.contains(typo)).unwrap())
}

#[test]
fn three_typos_in_one_file_are_reported_at_once_with_suggestions() {
    let house = House::new();
    let lines = with_typos(&house);
    let run = house.import(&sample(), &["--mappings", "set"]).status(2);
    for line in lines {
        assert!(run.stderr.contains(&format!("users.toml:{line}")), "line {line}:\n{}", run.stderr);
    }
    for meant in ["`configured_email`", "`time`", "`category`"] {
        assert!(run.stderr.contains(&format!("did you mean {meant}?")), "{meant}:\n{}", run.stderr);
    }
    assert_eq!(run.stderr.matches("error M").count(), 3, "{}", run.stderr);
    assert!(!house.path(DATABASE).exists());
}

#[test]
fn a_folder_works_like_the_bundled_set() {
    let house = House::new();
    copy_tree(&project("mappings/fossawork"), &house.path("set"));
    let bundled = house.import(&sample(), &["--dry-run", "--json"]).status(0).json();
    let folder = house.import(&sample(), &["--dry-run", "--json", "--mappings", "set"]).status(0).json();
    assert_eq!(folder["mappings"]["digest"], bundled["mappings"]["digest"]);
    assert_eq!(folder["tables"], bundled["tables"]);
}

#[test]
fn an_unknown_set_is_a_usage_error() {
    let house = House::new();
    let run = house.import(&sample(), &["--mappings", "fosawork"]).status(2);
    assert!(run.stderr.contains("fossawork"), "it names what there is:\n{}", run.stderr);
}

#[test]
fn a_tree_that_no_set_recognises_is_a_usage_error() {
    let house = House::new();
    let strange = house.file("strange/notes.json", "{}");
    let run = house.import(strange.parent().unwrap(), &[]).status(2);
    assert!(run.stderr.contains("error: no bundled mapping set recognises the tree"), "{}", run.stderr);
    assert!(run.stderr.contains("`fossawork` looks for `users/users.json`"), "{}", run.stderr);
    std::fs::create_dir(house.path("empty")).unwrap();
    let run = house.import(&house.path("empty"), &[]).status(2);
    assert!(run.stderr.contains("error: the folder is empty, so no bundled mapping set"), "{}", run.stderr);
    assert!(!house.path(DATABASE).exists());
}

/// The parent of the data folder works, too.
#[test]
fn the_parent_of_the_data_folder_is_recognised() {
    let house = House::new();
    copy_tree(&sample(), &house.path("installation/data"));
    let report = house.import(&house.path("installation"), &["--dry-run", "--json"]).status(0).json();
    assert_eq!(report["mappings"]["set"], "fossawork");
    assert_eq!(report["outcome"], "dry-run");
}

/// `[ignore]` excludes a secret; a catch-all above it must not keep it nevertheless.
#[test]
fn an_ignored_secret_is_not_kept_by_a_catch_all() {
    let house = House::new();
    let set = |without: &str| {
        house.file("set/set.toml", "name = \"x\"\n");
        house.file("set/schema/001_a.up.sql", "CREATE TABLE a (id TEXT NOT NULL PRIMARY KEY, data JSON);\n");
        house.file("set/schema/001_a.down.sql", "DROP TABLE a;\n");
        let mapping = format!(
            "expected = [\"id\", \"apiKey\"]\n[source]\nfiles = [\"a.json\"]\n[table.a]\nkey = [\"id\"]\n[table.a.columns]\n\
             id = \"id\"\ndata = {{ from = \"@\"{without} }}\n[ignore]\napiKey = \"nobody needs it\"\n"
        );
        house.file("set/a.toml", mapping);
    };
    let source = house.file("tree/a.json", r#"{"id": "1", "apiKey": "supersecretvalue99"}"#);
    let source = source.parent().unwrap();
    set("");
    let report = house.import(source, &["--mappings", "set", "--json"]).status(1).json();
    assert!(crate::house::findings(&report).iter().any(|(code, _, _)| code == "X001"), "{report:#}");
    assert!(!report.to_string().contains("supersecret"));
    set(", without = [\"apiKey\"]");
    house.import(source, &["--mappings", "set"]).status(0);
    assert_eq!(house.one("SELECT data FROM a"), "{\"id\":\"1\"}");
}
