//! A second import of the same tree costs a walk: what is as it was is not read.

use crate::engines::{Lab, on_every_engine};
use crate::house::{House, age};
use crate::keeping;
use serde_json::{Value, json};

const NOTES: &str = r#"
    [table.notes]
    key = ["id"]
    [table.notes.columns]
    id = "id"
    body = "body"
    [table.notes.drop]
    "pin" = "not wanted""#;

fn house() -> House {
    House::new()
        .schema("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);")
        .list("notes", r#"["a.json", "b.json"]"#, NOTES)
        .source("a.json", &json!([{"id": 1, "body": "one"}, {"id": 2, "body": "two"}]))
        .source("b.json", &json!([{"id": 3, "body": "three", "pin": "1234"}]))
}

/// Imports without `--reread`.
fn import(lab: &Lab, more: &[&str]) -> Value {
    let arguments = ["import", "tree", "--mappings", "set", "--no-backup", "--yes", "--json", "--database", lab.url()];
    lab.house.run(arguments.iter().copied().chain(more.iter().copied())).status(0).json()
}

fn read(report: &Value) -> Option<u64> {
    report["as_in"]["files_read"].as_u64()
}

#[test]
fn a_tree_that_is_as_it_was_is_not_read_and_its_counts_are_those_of_the_run_that_read_it() {
    on_every_engine(house, |lab| {
        age(&lab.house.path("tree"));
        let first = import(lab, &[]);
        assert_eq!(read(&first), None);
        let before = lab.content();
        let dry = import(lab, &["--dry-run"]);
        let second = import(lab, &[]);
        for report in [&dry, &second] {
            assert_eq!(read(report), Some(0), "{report:#}");
            assert_eq!(report["as_in"]["run"], first["run_id"]);
            assert_eq!(report["leaves"], first["leaves"]);
            assert_eq!(report["ignored"], first["ignored"]);
            assert_eq!(
                report["tables"],
                json!([{"name": "notes", "inserted": 0, "updated": 0, "unchanged": 3, "rejected": 0}])
            );
            let files: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| &file["reason"]).collect();
            let said = format!("as in run {}", &first["run_id"].as_str().unwrap()[..8]);
            assert_eq!(files, [&json!(said), &json!(said)]);
        }
        assert_eq!((dry["outcome"].as_str(), second["outcome"].as_str()), (Some("dry-run"), Some("committed")));
        assert_eq!(lab.content(), before);
        let runs = "SELECT CAST(files AS TEXT), CAST(inserted AS TEXT), CAST(unchanged AS TEXT) FROM treelift_runs ORDER BY number";
        assert_eq!(lab.rows(runs), [["2", "3", "0"], ["0", "0", "3"]]);
        let third = import(lab, &[]);
        assert_eq!((read(&third), &third["as_in"]["run"]), (Some(0), &first["run_id"]));
        assert_eq!(read(&import(lab, &["--reread"])), None);
    });
}

#[test]
fn what_changed_is_read_and_so_is_everything_after_an_undo() {
    on_every_engine(house, |lab| {
        age(&lab.house.path("tree"));
        let first = import(lab, &[]);
        lab.house.put("c.json", "[]");
        age(&lab.house.path("tree"));
        lab.house.file(
            "set/set.toml",
            std::fs::read_to_string(lab.house.path("set/set.toml")).unwrap()
                + "\n[ignore]\n\"c.json\" = \"of no use\"\n",
        );
        assert_eq!(read(&import(lab, &[])), None, "the set is another one, and a file came");
        assert_eq!(read(&import(lab, &[])), Some(0));
        lab.house.put(
            "a.json",
            json!([{"id": 1, "body": "one"}, {"id": 2, "body": "two"}, {"id": 4, "body": "four"}]).to_string(),
        );
        age(&lab.house.path("tree"));
        let grown = import(lab, &[]);
        assert_eq!((read(&grown), grown["tables"][0]["inserted"].as_u64()), (None, Some(1)));
        assert_eq!(read(&import(lab, &[])), Some(0));
        lab.undo(grown["run_id"].as_str().unwrap(), &[]).status(0);
        let again = import(lab, &[]);
        assert_eq!((read(&again), again["tables"][0]["inserted"].as_u64()), (None, Some(1)), "its row is gone");
        assert_eq!(read(&import(lab, &["--only-mapping", "notes"])), None);
        assert_eq!(read(&import(lab, &[])), None, "a part of the tree was read last");
        assert_ne!(first["run_id"], again["run_id"]);
    });
}

#[test]
fn a_file_that_was_written_as_the_run_began_is_read_again() {
    let house = house();
    let lift = || {
        let arguments =
            ["import", "tree", "--mappings", "set", "--no-backup", "--yes", "--json", "--database", keeping::URL];
        house.run(arguments).status(0).json()
    };
    age(&house.path("tree"));
    house.put("a.json", json!([{"id": 1, "body": "one"}]).to_string());
    assert_eq!((read(&lift()), read(&lift())), (None, None));
}
