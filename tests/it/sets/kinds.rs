//! Ten kinds of trees that have nothing in common, each with its set in `tests/kinds`: what comes in, what is
//! counted, and what is said of a fault of its kind.

use crate::house::inline::found;
use crate::house::{DATABASE, House, age, application_dump, copy_tree, edit, open, project, tables};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// A kind, and a fault: what is replaced in which file, the status, and what is found then.
struct Kind {
    name: &'static str,
    fault: (&'static str, &'static str, &'static str),
    status: i32,
    finds: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "agent",
        fault: ("sessions/2025-05-07/ses_01hq3.jsonl", "\"content\": []}, ", "\"content\": [}, "),
        status: 1,
        finds: &["error J001 sessions/2025-05-07/ses_01hq3.jsonl /message/content/0"],
    },
    Kind {
        name: "bookmarks",
        fault: ("bookmarks-2025-05-07.json", "\"uri\": \"https://example.org/\"", "\"url\": \"https://example.org/\""),
        status: 1,
        finds: &[
            "error S002 bookmarks-2025-05-07.json /children/0/children/1/children/0/dateAdded",
            "error S002 bookmarks-2025-05-07.json /children/0/children/1/children/0/guid",
            "error S002 bookmarks-2025-05-07.json /children/0/children/1/children/0/title",
            "error S002 bookmarks-2025-05-07.json /children/0/children/1/children/0/url",
        ],
    },
    Kind {
        name: "chat",
        fault: ("result.json", "\"edited_unixtime\": \"1690000180\"", "\"edited_unixtime\": \"soon\""),
        status: 1,
        finds: &["error V005 result.json /chats/list/0/messages/2/edited_unixtime"],
    },
    Kind {
        name: "flows",
        fault: ("credentials.json", "\\\"port\\\": 465}", "\\\"port\\\": 465"),
        status: 1,
        finds: &["error J015 credentials.json /0/data"],
    },
    Kind {
        name: "habits",
        fault: ("habits.json", "\"2025-05-10\"", "\"2025-02-30\""),
        status: 1,
        finds: &["error V005 habits.json /habits/h1/days/2025-02-30"],
    },
    Kind {
        name: "home",
        fault: (".storage/core.device_registry", "[\"fan\", \"3\"]", "[\"fan\", \"3\", \"b\"]"),
        status: 1,
        finds: &["error S002 .storage/core.device_registry /data/devices/2/identifiers/0/2"],
    },
    Kind { name: "ledger", fault: ("months/2025-05.json", "\"0.20\"", "\"0.21\""), status: 1, finds: &["error A001"] },
    Kind {
        name: "nedb",
        fault: ("todos.db", "{\"_id\": \"bY4\", \"title\": \"Bread\"", "{\"_id\": \"bY4\", \"title\": 7"),
        status: 1,
        finds: &["error V004 todos.db /title"],
    },
    Kind {
        name: "photos",
        fault: ("index.json", "/9j/4AAQ", "/9j/4AA?"),
        status: 1,
        finds: &["error V005 index.json /photos/0/thumb"],
    },
    Kind {
        name: "recipes",
        fault: ("users/u_01/recipes.json", "\"minutes\": 90", "\"minutes\": 1.5"),
        status: 1,
        finds: &["error V007 users/u_01/recipes.json /1/steps/0/minutes"],
    },
];

fn part(kind: &str, part: &str) -> PathBuf {
    project("tests/kinds").join(kind).join(part)
}

/// A house with a copy of a kind's tree.
fn house(kind: &str) -> House {
    let house = House::new();
    copy_tree(&part(kind, "tree"), &house.path("tree"));
    house
}

/// The report of an import of the house's tree.
#[track_caller]
fn import(house: &House, kind: &str, status: i32) -> Value {
    let set = part(kind, "set");
    let run = house.import(&house.path("tree"), &["--mappings", set.to_str().unwrap(), "--json"]);
    run.status(status).json()
}

/// What came of an import: leaves by class, what else than errors is said, and every row.
fn outcome(house: &House, report: &Value) -> String {
    let mut out = String::from("leaves:\n");
    for (class, count) in report["leaves"].as_object().unwrap() {
        let _ = writeln!(out, "  {class} {count}");
    }
    out += "findings:\n";
    for line in found(report) {
        let _ = writeln!(out, "  {line}");
    }
    for (table, rows) in application_dump(&open(&house.path(DATABASE))) {
        if table.ends_with("_versions") {
            continue; // the record of migrations, with its times
        }
        let _ = writeln!(out, "{table}:");
        for row in rows {
            let cells = row.into_iter().map(|cell| match cell {
                sealed if sealed.starts_with("tl2.") => "sealed".to_owned(),
                hashed if hashed.starts_with("$argon2id$") => "hashed".to_owned(),
                plain => plain,
            });
            let _ = writeln!(out, "  {}", cells.collect::<Vec<_>>().join(" | "));
        }
    }
    out
}

/// `TREELIFT_BLESS=1` writes what is expected anew.
fn is_imported(kind: &Kind) {
    let house = house(kind.name);
    let report = import(&house, kind.name, 0);
    let leaves = report["leaves"].as_object().unwrap();
    let of = |class: &str| leaves[class].as_u64().unwrap();
    let classes = ["column", "json", "sealed", "ignored", "rejected", "unmapped"].map(of);
    assert_eq!(classes.iter().sum::<u64>(), of("seen"), "{}", kind.name);
    assert_eq!((of("rejected"), of("unmapped")), (0, 0), "{}", kind.name);
    let (outcome, expected) = (outcome(&house, &report), part(kind.name, "expected.txt"));
    if std::env::var_os("TREELIFT_BLESS").is_some() {
        fs::write(&expected, &outcome).unwrap();
    }
    assert_eq!(fs::read_to_string(expected).unwrap_or_default(), outcome, "{}", kind.name);

    let before = application_dump(&open(&house.path(DATABASE)));
    let again = import(&house, kind.name, 0);
    assert!(
        tables(&again, "inserted").is_empty() && tables(&again, "updated").is_empty(),
        "{}: {:#}",
        kind.name,
        again["tables"]
    );
    assert_eq!(again["leaves"], report["leaves"], "{}", kind.name);
    assert_eq!(application_dump(&open(&house.path(DATABASE))), before, "{}", kind.name);
}

fn fault_is_found(kind: &Kind) {
    let house = house(kind.name);
    let (file, from, to) = kind.fault;
    edit(&house.path("tree").join(file), from, to);
    age(&house.path("tree"));
    let report = import(&house, kind.name, kind.status);
    let errors: Vec<_> = found(&report).into_iter().filter(|line| line.starts_with("error")).collect();
    assert_eq!(errors, kind.finds, "{}: {:#}", kind.name, report["findings"]);
    assert!(!house.path(DATABASE).exists(), "{}: nothing is written", kind.name);
}

macro_rules! kinds {
    ($($name:ident)*) => {$(
        mod $name {
            use super::{KINDS, Kind, fault_is_found, is_imported};

            fn kind() -> &'static Kind {
                KINDS.iter().find(|kind| kind.name == stringify!($name)).unwrap()
            }

            #[test]
            fn a_tree_is_imported_once_and_changes_nothing_the_second_time() {
                is_imported(kind());
            }

            #[test]
            fn a_fault_of_its_kind_is_found_at_its_place() {
                fault_is_found(kind());
            }
        }
    )*};
}

kinds! { agent bookmarks chat flows habits home ledger nedb photos recipes }
