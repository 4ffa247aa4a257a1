//! `treelift explain`: where values go and rows come from, and that no secret is shown on the way.

mod law;

use crate::house::{DATABASE, House, Ran, project, sample};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn explain(what: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["explain".to_owned(), what.to_owned()];
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    House::new().run(arguments)
}

fn notes(path: &str) -> String {
    project("sample_data/notes").join(path).to_str().unwrap().to_owned()
}

#[test]
fn a_value_is_followed_through_its_steps_into_its_row() {
    let told = explain(&notes("people.json#/people/1/joined"), &["--json"]).status(0).json();
    assert_eq!(
        told,
        json!({
            "file": "people.json", "status": "mapped", "reason": null,
            "mapping": "people", "mapping_file": "mappings/notes/people.toml", "shape": null, "owner": null,
            "leaves": [{
                "pointer": "/people/1/joined", "line": 16, "value": "\"2020-11-30T17:42:09Z\"", "copy_of_secret": false,
                "class": "column", "by": { "rule": "people", "table": "people", "column": "joined_at" },
                "ignored": null, "ignored_by": null, "rejected": null,
                "goes": [{
                    "how": "column", "rule": "people", "table": "people", "column": "joined_at",
                    "place": "mappings/notes/people.toml:16",
                    "steps": [{ "step": "time", "before": "\"2020-11-30T17:42:09Z\"", "after": "2020-11-30T17:42:09Z" }],
                    "value": "2020-11-30T17:42:09Z", "hidden": false,
                    "row": "id = \"grace-hopper\"", "note": null,
                }],
                "more_ways": 0,
            }],
            "more": 0, "names": [],
            "counts": { "seen": 1, "column": 1, "json": 0, "sealed": 0, "ignored": 0, "rejected": 0, "unmapped": 0 },
        })
    );
}

#[test]
fn an_ignored_leaf_shows_its_reason() {
    let told = explain(&notes("people.json#/version"), &["--json"]).status(0).json();
    assert_eq!(told["leaves"][0]["ignored"], "the version of the file format, which the schema replaces");
    let told = explain(&notes("README.txt"), &["--json"]).status(0).json();
    assert_eq!(told["status"], "ignored");
    assert_eq!(told["reason"], "a note to whoever opens the folder, the same in every tree (`README.txt`)");
}

#[test]
fn a_missing_file_or_pointer_is_a_usage_error() {
    let ran = explain(&notes("people.json#/people/9"), &[]).status(2);
    assert!(ran.stderr.starts_with("error: the file has no value at `/people/9`\n"), "{}", ran.stderr);
    explain("no/such/file.json", &[]).status(2);
    let house = House::new();
    house.file("strange/a.json", "{}");
    let ran = house.run(["explain", "strange/a.json"]).status(2);
    assert!(ran.stderr.contains("`--source`"), "{}", ran.stderr);
}

#[test]
fn a_broken_file_is_explained_as_such() {
    let house = House::new();
    house.file("people.json", "{\"people\": [");
    let ran = house.run(["explain", "people.json", "--json"]).status(0).json();
    assert_eq!(ran["status"], "broken");
    assert!(ran["reason"].as_str().unwrap().starts_with("J002: "), "{ran}");
}

/// Every file of a tree.
fn files(root: &Path) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(Result::unwrap);
    all.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// Texts of members whose names sound secret, long enough to be told from a word.
fn secrets(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| match value {
            Value::String(text) if treelift::mapping::secret_words::looks_secret(name) && text.len() > 5 => {
                found.push(text.clone());
            }
            _ => secrets(value, found),
        }),
        Value::Array(elements) => elements.iter().for_each(|value| secrets(value, found)),
        _ => {}
    }
}

#[test]
fn no_secret_is_shown_by_explain_inspect_or_check() {
    for root in [sample(), project("sample_data/notes")] {
        let files = files(&root);
        let mut hidden = Vec::new();
        for file in &files {
            if let Ok(document) = serde_json::from_slice(&std::fs::read(file).unwrap()) {
                secrets(&document, &mut hidden);
            }
        }
        hidden.sort();
        hidden.dedup();
        assert!(!hidden.is_empty());
        let house = House::new();
        let text = root.to_str().unwrap();
        // Every file that holds one, and one of each name besides.
        let mut names = std::collections::BTreeSet::new();
        let holds_one = |file: &std::path::Path| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            hidden.iter().any(|secret| text.contains(serde_json::to_string(secret).unwrap().trim_matches('"')))
        };
        let mut runs: Vec<Vec<String>> = files
            .iter()
            .filter(|file| names.insert(file.file_name().unwrap().to_owned()) || holds_one(file))
            .map(|file| vec!["explain".to_owned(), file.to_str().unwrap().to_owned(), "--json".to_owned()])
            .collect();
        let more: [&[&str]; 4] = [
            &["inspect", text, "--show-values"],
            &["inspect", text, "--show-values", "--json"],
            &["check", "--against", text],
            &["inspect", text, "--scaffold", "set"],
        ];
        runs.extend(more.iter().map(|line| line.iter().map(|word| (*word).to_owned()).collect()));
        for arguments in runs {
            let ran = house.run(&arguments).status(0);
            for secret in &hidden {
                let escaped = serde_json::to_string(secret).unwrap();
                let shown = [secret.as_str(), escaped.trim_matches('"')];
                assert!(
                    !shown.iter().any(|text| ran.stdout.contains(text) || ran.stderr.contains(text)),
                    "{arguments:?}"
                );
            }
        }
        for file in self::files(&house.path("set")) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(hidden.iter().all(|secret| !text.contains(secret)), "{}", file.display());
        }
    }
}

#[test]
fn a_row_leads_back_to_its_leaves() {
    let house = House::new();
    let source = project("sample_data/notes");
    house.import(&source, &["-q"]).status(0);
    let database = format!("sqlite:///./{DATABASE}");
    let row = |table: &str, key: &str| {
        let source = source.to_str().unwrap();
        house.run(["explain", "--row", table, key, "--source", source, "--database", &database, "--json"])
    };
    let told = row("tags", "ada-lovelace,idea").status(0).json();
    assert_eq!(told["origin"]["path"], "people/ada-lovelace/tags.json");
    assert_eq!(told["origin"]["pointer"], "/idea");
    let leaves = told["explained"]["leaves"].as_array().unwrap();
    let pointers: Vec<_> = leaves.iter().map(|leaf| leaf["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/idea/colour", "/idea/order"]);

    let told = row("sync_accounts", "ada-lovelace").status(0).json();
    let token = told["explained"]["leaves"].as_array().unwrap().iter().find(|leaf| leaf["goes"][0]["how"] == "sealed");
    assert_eq!(token.unwrap()["pointer"], "/people/0/syncToken");
    assert_eq!(token.unwrap()["value"], Value::Null);

    // Without the tree the ledger says where it was.
    let by_ledger = ["explain", "--row", "tags", "ada-lovelace,idea", "--database", &database];
    let said = house.run(by_ledger).status(0).stdout;
    let expected = format!("row of tags in {database}\nfrom people/ada-lovelace/tags.json, byte ");
    assert!(said.starts_with(&expected), "{said}");
    let told = house.run(by_ledger.into_iter().chain(["--json"])).status(0).json();
    assert_eq!(told["origin"]["path"], "people/ada-lovelace/tags.json");
    assert_eq!(told["origin"]["pointer"], Value::Null, "the file was not looked into");

    let ran = row("tags", "ada-lovelace,none").status(2);
    assert!(ran.stderr.contains("no run recorded a row of `tags`"), "{}", ran.stderr);
    row("tgas", "x").status(2);
}

#[test]
fn a_file_that_changed_since_is_not_explained_as_the_origin() {
    let house = House::new();
    crate::house::copy_tree(&project("sample_data/notes"), &house.path("notes"));
    house.import(&house.path("notes"), &["-q"]).status(0);
    let tags = house.path("notes/people/grace-hopper/tags.json");
    crate::house::edit(&tags, "#118811", "#118812");
    let database = format!("sqlite:///./{DATABASE}");
    let ran = house.run(["explain", "--row", "tags", "grace-hopper,bug", "--source", "notes", "--database", &database]);
    assert!(ran.status(2).stderr.contains("has changed since"));
}

#[test]
fn a_copy_of_a_secret_is_not_shown_and_named() {
    let house = House::new()
        .schema("CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, note TEXT, sealed TEXT);")
        .list(
            "logins",
            "logins.json",
            "[table.logins]\nkey = [\"id\"]\non_duplicate = \"first\"\n[table.logins.columns]\nid = \"id\"\n\
             note = { from = \"note\", steps = [\"trim\"] }\nsealed = { seal = \"code\" }",
        )
        .source(
            "logins.json",
            &serde_json::json!([{"id": "a", "note": " say open-sesame twice ", "code": "open-sesame"}, {"id": "b", "note": "x"}]),
        );
    let ran = house.run(["explain", "tree/logins.json", "--source", "tree", "--mappings", "set"]).status(0);
    assert!(!ran.stdout.contains("open-sesame"), "{}", ran.stdout);
    assert!(ran.stdout.contains("/0/note (line 1) (hidden: it holds a copy of a secret)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("row id = \"a\"\n"), "{}", ran.stdout);
}
