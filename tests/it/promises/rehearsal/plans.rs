//! An import that is held to a plan does what the dry run said, or nothing.

use crate::commands::undo::house;
use crate::house::site::{Site, on_every_engine};
use crate::house::{Ran, listing};
use serde_json::{Value, json};

fn import(site: &Site, more: &[&str]) -> Ran {
    let fixed = ["import", "tree", "--mappings", "set", "--database", site.name(), "--no-backup", "--yes", "--json"];
    site.house.run([&fixed[..], more].concat())
}

fn planned(site: &Site, more: &[&str]) -> String {
    let report = import(site, &[&["--dry-run"], more].concat()).json();
    report["plan"].as_str().unwrap_or_else(|| panic!("{report:#}")).to_owned()
}

/// The import is refused for these reasons and nothing is changed.
#[track_caller]
fn refused(site: &Site, plan: &str, more: &[&str], reasons: &[&str]) {
    // There is no file before the first import, and the listing has what is in one.
    let content = || (!site.is_file()).then(|| site.content());
    let before = (listing(&site.house.work()), content());
    for mode in [&["--dry-run"][..], &[]] {
        let ran = import(site, &[&["--plan", plan], mode, more].concat()).status(2);
        let message = ran.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(message, format!("this is not what was planned, nothing was written: {}", reasons.join("; ")));
    }
    assert_eq!((listing(&site.house.work()), content()), before);
}

const FILES: &str = "the source has other files, or files of other sizes";
const CONTENTS: &str = "files of the source hold something else";
const SET: &str = "the mapping set is another one";
const DATABASE: &str = "the database is not as it was: its tables, its migrations or its last run";
const OPTIONS: &str = "the import has other options";

fn owned(ignore: bool) -> crate::house::House {
    let house = house();
    if ignore {
        house.file("tree/picture.bin", "0000");
        let set = std::fs::read_to_string(house.path("set/set.toml")).unwrap();
        house.file("set/set.toml", set + "\n[ignore]\n\"picture.bin\" = \"no data\"\n");
    }
    house
}

#[test]
fn a_plan_is_carried_out_and_recorded_if_nothing_changed() {
    on_every_engine(
        || owned(true),
        |site| {
            let plan = planned(site, &[]);
            assert_eq!(
                planned(site, &["--jobs", "1"]),
                plan,
                "it is the same each time, and with any number of threads"
            );
            let words = site.house.run(["import", "tree", "--mappings", "set", "--database", site.name(), "--dry-run"]);
            assert!(words.status(0).stdout.contains(&format!("plan     {plan}\n")));
            let report = import(site, &["--plan", &plan]).status(0).json();
            assert_eq!((&report["outcome"], &report["plan"]), (&json!("committed"), &json!(plan)));
            let runs = site.house.run(["runs", "--json", "--database", site.name()]).status(0).json();
            assert_eq!(runs["runs"][0]["plan"], json!(plan));
            // The import is the last run now.
            refused(site, &plan, &[], &[DATABASE]);
            let next = planned(site, &["--reread"]);
            assert_eq!(import(site, &["--plan", &next]).status(0).json()["tables"][0]["inserted"], 0);
        },
    );
}

#[test]
fn whatever_is_different_is_named() {
    on_every_engine(
        || owned(true),
        |site| {
            let house = &site.house;
            let plan = planned(site, &[]);
            let people = std::fs::read_to_string(house.path("tree/people.json")).unwrap();
            let changed = |name: &str, content: &str, reasons: &[&str]| {
                let before = std::fs::read(house.path(name)).ok();
                house.file(name, content);
                refused(site, &plan, &[], reasons);
                match before {
                    Some(before) => drop(house.file(name, before)),
                    None => std::fs::remove_file(house.path(name)).unwrap(),
                }
            };
            changed("tree/people.json", &people.replace("Ann", "Amy"), &[CONTENTS]);
            changed("tree/people.json", &people.replace("Ann", "Anna"), &[FILES]);
            // One that no mapping reads counts as well.
            changed("tree/picture.bin", "0001", &[CONTENTS]);
            changed("tree/more.bin", "", &[FILES]);
            let set = std::fs::read_to_string(house.path("set/set.toml")).unwrap();
            changed("set/set.toml", &(set + "\n# a remark\n"), &[SET]);
            refused(site, &plan, &["--max-rejects", "1"], &[OPTIONS]);
            refused(site, &plan, &["--only-mapping", "tags", "--allow-empty"], &[OPTIONS]);
            house
                .run(["schema", "migrate", "--mappings", "set", "--database", site.name(), "--yes", "--no-backup"])
                .status(0);
            refused(site, &plan, &["--max-rejects", "1"], &[DATABASE, OPTIONS]);
            let wrong = import(site, &["--plan", &plan[1..]]).status(2).json();
            assert_eq!(wrong["error"]["message"], "this is no id of a plan");
            let plan = planned(site, &[]);
            import(site, &["--plan", &plan]).status(0);
        },
    );
}

#[test]
fn a_dry_run_that_would_be_refused_prints_no_plan() {
    let house = house();
    house.file("tree/unknown.json", "{}");
    let report: Value = house
        .run(["import", "tree", "--mappings", "set", "--database", "sqlite:///./x.db", "--dry-run", "--json"])
        .status(1)
        .json();
    assert!(report.get("plan").is_none(), "{report:#}");
}
