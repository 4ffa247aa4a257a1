//! Bundled sets as folders, and sets that are named once: by a variable, or by the database itself.

use crate::house::{DATABASE, House, project, sample};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

const PEOPLE: &str = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\n";

/// A house with a set of its own and a tree, imported.
fn imported() -> House {
    let house = House::new().schema("CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL);");
    let house = house.list("people", "people.json", PEOPLE).source("people.json", &json!([{ "id": "ada" }]));
    house.lift(&[]).ends(0, "committed");
    house
}

/// The files below a folder: path and content.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    files.map(|path| (path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

fn run(house: &House, line: &str) -> crate::house::Ran {
    let database = format!("sqlite:///./{DATABASE}");
    house.run(line.split_whitespace().chain(["--database", &database]))
}

#[test]
fn every_bundled_set_is_listed_and_can_be_written_into_a_folder_and_checked() {
    let house = House::new();
    let listed = house.run(["mappings", "list", "--json"]).status(0).json();
    let names: Vec<_> = listed["sets"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    let mut folders: Vec<_> = fs::read_dir(project("mappings")).unwrap().map(|entry| entry.unwrap()).collect();
    folders.retain(|entry| entry.path().is_dir());
    let mut folders: Vec<_> = folders.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    folders.sort();
    assert_eq!(names, folders);
    for name in names {
        let written = house.run(["mappings", "export", name, name]).status(0);
        assert_eq!(
            written.last_line(),
            format!("hint: `treelift check {name}` checks it, and `--mappings {name}` uses it")
        );
        assert_eq!(contents(&house.path(name)), contents(&project("mappings").join(name)));
        house.run(["check", &format!("./{name}")]).status(0);
    }
}

#[test]
fn a_set_is_never_written_over_files() {
    let house = House::new();
    house.file("own/set.toml", "name = \"own\"\n");
    let refused = house.run(["mappings", "export", "notes", "own"]).status(2).stderr;
    assert!(
        refused.contains("the folder is not empty, and existing files are never overwritten\n  at own\n"),
        "{refused}"
    );
    let refused = house.run(["mappings", "export", "note", "new"]).status(2).stderr;
    assert!(refused.contains("no bundled mapping set is called `note`\nhint: did you mean `notes`?"), "{refused}");
    assert!(!house.path("new").exists());
}

#[test]
fn a_variable_names_the_set_where_no_argument_does() {
    let house = House::new();
    house.run(["mappings", "export", "fossawork", "own"]).status(0);
    let with = |arguments: &[&str], set: &str| {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        crate::house::Ran::of(house.command(arguments).env("TREELIFT_MAPPINGS", set))
    };
    let database = format!("sqlite:///./{DATABASE}");
    let sample = sample().to_str().unwrap().to_owned();
    let import = ["import", &sample, "--dry-run", "--key-file", "test.key", "--database", &database];
    let missing = with(&import, "./nowhere").status(2).stderr;
    assert!(missing.contains("`./nowhere` is neither a bundled mapping set nor a directory"), "{missing}");
    with(&import, "own").status(0);
    with(&import, "").status(0);
    let checked = with(&["check", "--json"], "own").status(0).json();
    assert_eq!(checked["sets"].as_array().unwrap().len(), 1);
    let checked = with(&["check", "notes", "--json"], "nowhere").status(0).json();
    assert_eq!(checked["sets"][0]["set"], "notes");
    with(&["check", "--print-schema", "set"], "own").status(0);
}

#[test]
fn a_database_remembers_the_folder_of_its_set() {
    let house = imported();
    let folder = house.path("set").display().to_string();
    let runs = run(&house, "runs --json").status(0).json();
    assert_eq!(runs["runs"][0]["set_folder"], json!(folder));
    let status = run(&house, "schema status --json").status(0).json();
    assert_eq!((status["set"].as_str(), status["pending"].as_u64()), (Some("inline"), Some(0)));
    run(&house, "schema validate").status(0);
    let id = runs["runs"][0]["id"].as_str().unwrap();
    run(&house, &format!("undo {id} --yes --no-backup")).status(0);
    let runs = run(&house, "runs --json").status(0).json();
    assert_eq!(runs["runs"][0]["set_folder"], json!(folder), "an undo belongs to the set of what it undoes");
}

#[test]
fn a_remembered_set_that_moved_or_became_another_is_said() {
    let house = imported();
    fs::rename(house.path("set"), house.path("moved")).unwrap();
    let folder = house.path("set").display().to_string();
    let message = "the database belongs to the mapping set `inline`, ";
    let refused = run(&house, "schema status").status(2).stderr;
    let gone =
        format!("{message}whose folder at its last run is gone\n  at {folder}\nhint: name the folder that it has now");
    assert!(refused.contains(&gone), "{refused}");
    run(&house, "schema status --mappings moved").status(0);
    run(&house, "backup create").status(0);

    house.file("set/set.toml", "name = \"other\"\n");
    let refused = run(&house, "schema status").status(2).stderr;
    let other = format!("{message}and its folder at its last run has the set `other` now\n  at {folder}\n");
    assert!(refused.contains(&other), "{refused}");
}

#[test]
fn a_run_with_a_bundled_set_remembers_no_folder() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    assert!(run(&house, "runs --json").status(0).json()["runs"][0]["set_folder"].is_null());
}
