//! A run that imports nothing, or nothing of any owner, does not end like a clean one.

use crate::house::{DATABASE, House, age, listing, open, project};
use serde_json::Value;
use std::fs;

/// The errors and warnings about the source as a whole: `severity code message`.
fn about_source(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter().filter(|one| one["subject"] == "source");
    let findings = findings.filter(|one| one["severity"] != "note" && one["code"] != "X005");
    findings.map(|one| ["severity", "code", "message"].map(|key| text(&one[key])).join(" ")).collect()
}

const UNRECOGNISED: &str = "warning F015 `users/users.json` is missing; the set `fossawork` recognises a tree by it";

#[test]
fn an_empty_folder_a_tree_without_owners_files_and_the_wrong_folder_are_refused_with_different_messages() {
    let house = House::new();
    fs::create_dir(house.path("empty")).unwrap();
    house.file("other/deep/notes.json", "{}");
    fs::create_dir_all(house.path("users/users")).unwrap();
    fs::copy(project("sample_data/fossawork/users/users.json"), house.path("users/users/users.json")).unwrap();
    age(&house.work());
    let cases: [(&str, &[&str]); 3] = [
        ("empty", &["error F016 there is no file in `empty`, so nothing was imported", UNRECOGNISED]),
        ("other", &["error F016 no mapping reads a file of `other`, which has 1 file", UNRECOGNISED]),
        ("users", &["error F017 none of the 5 owners has a file below `users`"]),
    ];
    for (tree, expected) in cases {
        let arguments =
            ["import", "--reread", tree, "--mappings", "fossawork", "--key-file", "test.key", "--database", DATABASE];
        for mode in [&["--json"][..], &["--json", "--dry-run"]] {
            let report = house.run(arguments.iter().chain(mode)).status(1).json();
            assert_eq!(about_source(&report), expected, "{tree}");
            assert!(!house.path(DATABASE).exists());
        }
    }
    let allowed = ["import", "--reread", "users", "--mappings", "fossawork", "--key-file", "test.key", "--allow-empty"];
    let ran = house.run(allowed.into_iter().chain(["--database", DATABASE])).status(0);
    assert!(ran.stdout.contains("\nno files for 18 of 19 mappings and 5 of 5 owners\n"), "{}", ran.stdout);
    assert_eq!(ran.last_line(), "committed: 13 rows into target.db");
    assert_eq!(crate::house::row_counts(&open(&house.path(DATABASE)))["users"], 5);
}

#[test]
fn a_set_that_makes_no_tables_imports_nothing_and_is_told_so() {
    let house = House::new().set("").text("notes.json", "{}");
    for mode in [&["--dry-run"][..], &[]] {
        let report = house.report(1, mode);
        let said = format!("error F016 no mapping reads a file of `{}`, which has 1 file", house.tree().display());
        assert_eq!(about_source(&report), [said]);
        assert!(!house.path(DATABASE).exists());
    }
}

#[test]
fn a_new_database_is_not_written_into_the_source() {
    let house = House::new();
    house.file("tree/users/users.json", "[]");
    let arguments = ["import", "--reread", "tree", "--mappings", "fossawork", "--key-file", "test.key"];
    let before = listing(&house.path("tree"));
    let run = house.run(arguments.into_iter().chain(["--database", "tree/new.db"])).status(2);
    assert!(run.stderr.contains("the new database would lie in the source tree"), "{}", run.stderr);
    assert_eq!(listing(&house.path("tree")), before);
}

#[test]
fn the_missing_file_by_which_a_set_recognises_a_tree_is_named_on_the_screen_first() {
    let house = House::new();
    let tree = house.sample_copy();
    fs::remove_file(tree.join("users/users.json")).unwrap();
    let run = house.import(&tree, &["--mappings", "fossawork", "--dry-run"]);
    assert!(run.stdout.contains("`users/users.json` is missing"), "{}", run.stdout);
}

fn notes(content: &str) -> House {
    House::new()
        .schema("CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL);")
        .list("notes", "notes.json", "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\n")
        .text("notes.json", content)
}

#[test]
fn files_without_a_row_are_refused_and_rows_that_are_up_to_date_are_not() {
    let house = notes(r#"[{"id": "a"}]"#);
    house.report(0, &[]);
    // Nothing is new, but the rows are those of the source.
    let again = house.lift(&[]).ran.status(0);
    assert!(again.stderr.contains("committed: no changes, 1 row already up to date"), "{}", again.stderr);

    house.put("notes.json", "[]");
    let report = house.report(1, &[]);
    assert_eq!(about_source(&report), ["error F016 no row came of 1 imported file"]);
    assert_eq!(report["outcome"], "rolled-back");
    let report = house.report(0, &["--allow-empty"]);
    assert_eq!(about_source(&report), ["warning F016 no row came of 1 imported file"]);
    let empty = report["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "F016").unwrap();
    assert_eq!(empty["help"], "check that the source is the right folder and complete");
}

#[test]
fn a_rejected_run_is_not_called_empty_as_well() {
    let house = notes(r#"[{"id": 1}]"#);
    assert_eq!(about_source(&house.report(1, &[])), Vec::<String>::new());
    let allowed = house.report(1, &["--max-rejects", "1"]);
    assert_eq!(about_source(&allowed), ["error F016 no row came of 1 imported file"]);
    assert_eq!(allowed["outcome"], "rolled-back");
}

#[test]
fn what_is_not_a_file_has_its_path_as_the_place_of_its_finding() {
    let house = notes(r#"[{"id": "a"}]"#);
    std::os::unix::fs::symlink("/nowhere/at/all", house.tree().join("link.json")).unwrap();
    let report = house.report(1, &["--report", "report.html"]);
    let finding = report["findings"].as_array().unwrap().iter().find(|one| one["code"] == "F008").unwrap();
    assert_eq!(finding["place"], serde_json::json!({ "file": "link.json" }));
    let page = fs::read_to_string(house.path("report.html")).unwrap();
    assert!(page.contains("<code>link.json</code>"), "{page}");
    let screen = house.run(["import", "--reread", "tree", "--mappings", "set", "--database", "x.db"]).status(1);
    assert!(screen.stdout.contains("error F008 link.json: `link.json`: a dangling symbolic link"), "{}", screen.stdout);
}
