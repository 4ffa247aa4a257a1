//! A second import of the same tree costs a walk: what is as it was is not read.

use crate::house::keeping;
use crate::house::site::{Site, on_every_engine};
use crate::house::{House, KEY_FILE, age, copy_tree, project, sample};
use serde_json::{Value, json};
use std::collections::BTreeSet;

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
        .list("notes", "a.json b.json", NOTES)
        .source("a.json", &json!([{"id": 1, "body": "one"}, {"id": 2, "body": "two"}]))
        .source("b.json", &json!([{"id": 3, "body": "three", "pin": "1234"}]))
}

/// Imports without `--reread`.
fn import(site: &Site, more: &[&str]) -> Value {
    let arguments =
        ["import", "tree", "--mappings", "set", "--no-backup", "--yes", "--json", "--database", site.name()];
    site.house.run(arguments.iter().copied().chain(more.iter().copied())).status(0).json()
}

fn read(report: &Value) -> Option<u64> {
    report["as_in"]["files_read"].as_u64()
}

#[test]
fn a_tree_that_is_as_it_was_is_not_read_and_its_counts_are_those_of_the_run_that_read_it() {
    on_every_engine(house, |site| {
        age(&site.house.path("tree"));
        let first = import(site, &[]);
        assert_eq!(read(&first), None);
        let before = site.content();
        let dry = import(site, &["--dry-run"]);
        let second = import(site, &[]);
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
        assert_eq!(site.content(), before);
        let runs = "SELECT CAST(files AS TEXT), CAST(inserted AS TEXT), CAST(unchanged AS TEXT) FROM treelift_runs ORDER BY number";
        assert_eq!(site.rows(runs), [["2", "3", "0"], ["0", "0", "3"]]);
        let third = import(site, &[]);
        assert_eq!((read(&third), &third["as_in"]["run"]), (Some(0), &first["run_id"]));
        assert_eq!(read(&import(site, &["--reread"])), None);
    });
}

#[test]
fn what_changed_is_read_and_so_is_everything_after_an_undo() {
    on_every_engine(house, |site| {
        age(&site.house.path("tree"));
        let first = import(site, &[]);
        site.house.put("c.json", "[]");
        age(&site.house.path("tree"));
        site.house.file(
            "set/set.toml",
            std::fs::read_to_string(site.house.path("set/set.toml")).unwrap()
                + "\n[ignore]\n\"c.json\" = \"of no use\"\n",
        );
        assert_eq!(read(&import(site, &[])), None, "the set is another one, and a file came");
        assert_eq!(read(&import(site, &[])), Some(0));
        site.house.put(
            "a.json",
            json!([{"id": 1, "body": "one"}, {"id": 2, "body": "two"}, {"id": 4, "body": "four"}]).to_string(),
        );
        age(&site.house.path("tree"));
        let grown = import(site, &[]);
        assert_eq!((read(&grown), grown["tables"][0]["inserted"].as_u64()), (None, Some(1)));
        assert_eq!(read(&import(site, &[])), Some(0));
        site.undo(grown["run_id"].as_str().unwrap(), &[]).status(0);
        let again = import(site, &[]);
        assert_eq!((read(&again), again["tables"][0]["inserted"].as_u64()), (None, Some(1)), "its row is gone");
        assert_eq!(read(&import(site, &["--only-mapping", "notes"])), None);
        assert_eq!(read(&import(site, &[])), None, "a part of the tree was read last");
        assert_ne!(first["run_id"], again["run_id"]);
    });
}

const OWNERS: &str = r##"
    [owners]
    capture = "owner"
    table = "people"
    find = [{ by = { id = "#owner" } }]
    unknown = "refuse""##;

/// Three people, each with a folder of notes and a file with a secret.
fn three() -> House {
    let rules = r##"
        [table.notes]
        key = ["id"]
        [table.notes.columns]
        id = "id"
        person = "#owner.id"
        body = "body"
        [ignore]
        "tag" = "of no use""##;
    let pins = "[table.pins]\nkey = [\"person\"]\n[table.pins.columns]\nperson = \"#owner.id\"\nhint = \"hint\"\n\
                [table.pins.drop]\n\"pin\" = \"not wanted\"";
    let mut house = House::new()
        .schema(
            "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL);
             CREATE TABLE notes (id INTEGER PRIMARY KEY, person TEXT, body TEXT);
             CREATE TABLE pins (person TEXT PRIMARY KEY NOT NULL, hint TEXT);",
        )
        .set(OWNERS)
        .list("people", "people.json", "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"")
        .list("notes", "people/{owner}/notes/*.json", rules)
        .list("pins", "people/{owner}/pin.json", pins)
        .source("people.json", &json!([{"id": "ann"}, {"id": "bob"}, {"id": "cyd"}]));
    for (at, name) in ["ann", "bob", "cyd"].into_iter().enumerate() {
        for part in 1..=2 {
            let note = json!([{"id": 10 * at + part, "body": format!("{name} {part}"), "tag": part}]);
            house = house.source(&format!("people/{name}/notes/{part}.json"), &note);
        }
        let pin = json!([{"hint": "birthday", "pin": format!("{name}-secret-number-{at}")}]);
        house = house.source(&format!("people/{name}/pin.json"), &pin);
    }
    house
}

/// Changes a file of a tree, some time ago.
fn change(site: &Site, path: &str, json: &Value) {
    site.house.put(path, json.to_string());
    age(&site.house.path("tree"));
}

fn reasons(report: &Value) -> Vec<(&str, &str)> {
    let files = report["files"].as_array().unwrap().iter();
    files.filter_map(|file| Some((file["path"].as_str()?, file["reason"].as_str()?))).collect()
}

#[test]
fn what_stands_apart_of_owners_of_whom_nothing_changed_is_not_read() {
    on_every_engine(three, |site| {
        age(&site.house.path("tree"));
        let first = import(site, &[]);
        let run = |report: &Value| format!("as in run {}", &report["run_id"].as_str().unwrap()[..8]);
        change(
            site,
            "people/bob/notes/2.json",
            &json!([{"id": 12, "body": "bob 2"}, {"id": 13, "body": "bob 3", "tag": 4}]),
        );
        let dry = import(site, &["--dry-run"]);
        let second = import(site, &["--plan", dry["plan"].as_str().unwrap()]);
        let said = run(&first);
        for report in [&dry, &second] {
            assert_eq!(read(report), Some(6), "bob's, and what has people and secrets: {report:#}");
            let left = [
                "people/ann/notes/1.json",
                "people/ann/notes/2.json",
                "people/cyd/notes/1.json",
                "people/cyd/notes/2.json",
            ];
            assert_eq!(reasons(report), left.map(|path| (path, said.as_str())));
            assert_eq!(
                report["ignored"],
                json!([
                    {"what": "notes: tag", "reason": "of no use", "files": 0, "leaves": 6},
                    {"what": "pins.pins.pin", "reason": "not wanted", "files": 0, "leaves": 3},
                ])
            );
        }
        let notes = &second["tables"][0];
        assert_eq!(
            (notes["name"].as_str(), notes["inserted"].as_u64(), notes["unchanged"].as_u64()),
            (Some("notes"), Some(1), Some(2))
        );
        let before = site.content();
        let whole = import(site, &["--reread"]);
        assert_eq!((site.content(), &second["leaves"]), (before, &whole["leaves"]));

        change(site, "people/ann/notes/1.json", &json!([]));
        let third = import(site, &[]);
        let said = run(&whole);
        assert!(reasons(&third).iter().all(|(path, reason)| !path.contains("ann") && *reason == said), "{third:#}");
        let gone =
            |report: &Value| report["tables"].as_array().unwrap().iter().find_map(|table| table["gone"].as_u64());
        assert_eq!((read(&third), gone(&third)), (Some(6), Some(1)));
        change(site, "people/cyd/notes/1.json", &json!([]));
        assert_eq!(gone(&import(site, &[])), Some(2), "that of ann is told of each time");
        assert_eq!(read(&import(site, &[])), Some(0));

        change(site, "people.json", &json!([{"id": "ann"}, {"id": "bob"}, {"id": "cyd"}, {"id": "dan"}]));
        assert_eq!(read(&import(site, &[])), None, "all hangs on who there is");
    });
}

#[test]
fn what_is_left_unread_has_its_say_all_the_same() {
    on_every_engine(three, |site| {
        age(&site.house.path("tree"));
        import(site, &[]);
        let before = site.content();
        let changed = |note: Value, status: i32| {
            change(site, "people/bob/notes/2.json", &json!([{"id": 12, "body": "bob 2"}, note]));
            let arguments =
                ["import", "tree", "--mappings", "set", "--no-backup", "--yes", "--json", "--database", site.name()];
            site.house.run(arguments).status(status).json()
        };
        let codes = |report: &Value| -> BTreeSet<String> {
            let findings = report["findings"].as_array().unwrap().iter();
            findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
        };
        let refused = changed(json!({"id": 21, "body": "cyd 1"}), 1);
        assert_eq!((site.content(), read(&refused)), (before, None), "what is refused was read as a whole");
        assert!(codes(&refused).contains("R003"), "the row is cyd's: {refused:#}");
        let warned = changed(json!({"id": 14, "body": "cyd-secret-number-2"}), 0);
        assert_eq!(read(&warned), Some(6));
        assert!(codes(&warned).contains("X003"), "it is cyd's secret: {warned:#}");
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

#[test]
fn of_the_sample_what_stands_apart_is_not_read_again() {
    let house = House::new();
    copy_tree(&sample(), &house.path("tree"));
    let set = project("mappings/fossawork").display().to_string();
    let lift = |more: &[&str]| {
        let arguments =
            ["import", "tree", "--mappings", &set, "--no-backup", "--yes", "--json", "--database", keeping::URL];
        house.run(arguments.iter().chain(&["--key-file", KEY_FILE]).chain(more)).status(0).json()
    };
    lift(&[]);
    let path = house.path("tree/users/Dana/activity_log.json");
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "\n").unwrap();
    age(&house.path("tree"));
    let part = lift(&[]);
    let left: BTreeSet<_> = part["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["reason"].as_str().is_some_and(|reason| reason.starts_with("as in run ")))
        .map(|file| file["mapping"].as_str().unwrap())
        .collect();
    let apart = [
        "activity_log",
        "batch_history",
        "change_history",
        "completed_jobs",
        "dispenser_store",
        "prover_preferences",
        "schedule_changes",
        "scraped_content",
    ];
    assert_eq!(left, apart.into());
    let whole = lift(&["--reread"]);
    for what in ["leaves", "ignored", "lossy", "owners", "coverage", "after"] {
        assert_eq!(part[what], whole[what], "{what}");
    }
    assert_eq!(
        whole["tables"].as_array().unwrap().iter().map(|table| table["inserted"].as_u64().unwrap()).sum::<u64>(),
        0
    );
}
