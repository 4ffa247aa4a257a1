//! Laws that hold for every tree, tested on random trees: the same ones each time, and with
//! `tests/run --long` more and different ones.

use crate::house::{DATABASE, House, application_dump, comparable, open, tables};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Every law with few cases and with many.
macro_rules! laws {
    ($($(#[$doc:meta])* $law:ident => $many:ident, $inputs:expr;)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $law() {
                let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
                hold(TestRunner::new_with_rng(config(32), rng), &$inputs, judge::$law);
            }

            #[test]
            #[ignore = "takes about 1 minute"]
            fn $many() {
                hold(TestRunner::new(config(256)), &$inputs, judge::$law);
            }
        )*
    };
}

laws! {
    a_dry_run_says_what_the_real_run_says => a_dry_run_says_what_the_real_run_says_often, (trees(), select(vec!["0", "9"]));
    importing_twice_is_importing_once => importing_twice_is_importing_once_often, trees();
    names_and_order_of_files_change_nothing => names_and_order_of_files_change_nothing_often, batches();
    the_sum_over_leaves_closes => the_sum_over_leaves_closes_often, documents();
}

fn config(cases: u32) -> Config {
    Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() }
}

fn hold<S: Strategy>(mut runner: TestRunner, inputs: &S, law: impl Fn(&S::Value)) {
    let held = runner.run(inputs, |input| {
        law(&input);
        Ok(())
    });
    held.unwrap_or_else(|broken| panic!("{broken}"));
}

/// A user as a tree may have it: twice, without a name, with notes of other users.
#[derive(Debug, Clone)]
struct Person {
    id: u8,
    name: Option<&'static str>,
    code: Option<&'static str>,
    notes: Vec<Option<u8>>,
}

/// The files of one tree: people, what is known of them elsewhere, events in two feeds.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    people: Vec<Person>,
    extras: Vec<(u8, Option<u8>)>,
    feeds: [Vec<u8>; 2],
}

fn people(most: usize) -> impl Strategy<Value = Vec<Person>> {
    let name = proptest::option::weighted(0.9, select(vec!["ann", "bob", "cy", "BAD"]));
    let code = proptest::option::weighted(0.7, select(vec!["opens-the-door", "opens-the-cellar", ""]));
    let notes = proptest::collection::vec(proptest::option::weighted(0.8, 0_u8..6), 0..4);
    let person = (0_u8..5, name, code, notes).prop_map(|(id, name, code, notes)| Person { id, name, code, notes });
    proptest::collection::vec(person, 0..most)
}

pub(crate) fn trees() -> impl Strategy<Value = Tree> {
    let extras = proptest::collection::vec((0_u8..5, proptest::option::of(0_u8..3)), 0..4);
    let feed = || proptest::collection::vec(0_u8..4, 0..5);
    let tree = (people(6), extras, feed(), feed());
    tree.prop_map(|(people, extras, first, second)| Tree { people, extras, feeds: [first, second] })
}

/// People that are all different, over several files, with two orders of those files.
fn batches() -> impl Strategy<Value = (Vec<Vec<Person>>, Vec<usize>)> {
    proptest::collection::vec(people(4), 1..5).prop_flat_map(|batches| {
        let orders = Just((0..batches.len()).collect::<Vec<_>>()).prop_shuffle();
        (Just(distinct(batches)), orders)
    })
}

fn distinct(mut batches: Vec<Vec<Person>>) -> Vec<Vec<Person>> {
    let mut next = 0;
    for person in batches.iter_mut().flatten() {
        (person.id, next) = (next, next + 1);
    }
    batches
}

/// Any JSON document of a few names, and how a mapping takes it.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    json: Value,
    records: Option<&'static str>,
    each: Option<&'static str>,
    column: Option<&'static str>,
    ignore: Option<&'static str>,
}

pub(crate) fn documents() -> impl Strategy<Value = Document> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        select(vec!["", "x", "ü \"quoted\"", "a\tb"]).prop_map(Value::from),
    ];
    let json = leaf.prop_recursive(4, 32, 5, |inner| {
        let name = || select(vec!["a", "b", "c", "items"]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            proptest::collection::vec((name(), inner), 0..4).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    });
    let or_none = |of: Vec<&'static str>| proptest::option::of(select(of));
    let parts = (
        json,
        or_none(vec!["[*]", "items[*]", "a.items[*]", ".*", "items.*", ".*[*]"]),
        or_none(vec!["a[*]", "b.*", "items[*].a", "c"]),
        or_none(vec!["a", "b.c", "items"]),
        or_none(vec!["b", "c[*]", "items.*", "b.**", "items[*].**"]),
    );
    parts.prop_map(|(json, records, each, column, ignore)| Document { json, records, each, column, ignore })
}

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, age INTEGER);
                      CREATE TABLE logins (person TEXT PRIMARY KEY NOT NULL, sealed TEXT);
                      CREATE TABLE notes (id INTEGER PRIMARY KEY, person TEXT REFERENCES people(id), about TEXT);
                      CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT);";

const PEOPLE: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "first"
    [table.people.columns]
    id = { from = "id", steps = ["text"] }
    name = { from = "name", steps = [{ require = "^[a-z]+$" }] }
    [table.logins]
    parent = "people"
    key = ["person"]
    [table.logins.columns]
    person = "^id"
    sealed = { seal = "code", on_absent = "skip" }
    [table.notes]
    parent = "people"
    each = "notes[*]"
    [table.notes.columns]
    person = "^id"
    about = { from = ".", steps = ["text"] }"#;
const EXTRAS: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "fill"
    [table.people.columns]
    id = { from = "id", steps = ["text"] }
    age = "age""#;
const EVENTS: &str = r#"
    [table.events]
    key = [".at"]
    on_duplicate = "across"
    [table.events.columns]
    at = { from = "at", steps = ["text"] }"#;

fn person(person: &Person) -> Value {
    let mut json = json!({"id": person.id, "notes": person.notes});
    if let Some(name) = person.name {
        json["name"] = name.into();
    }
    if let Some(code) = person.code {
        json["code"] = code.into();
    }
    json
}

/// A house with the tree.
pub(crate) fn house(tree: &Tree) -> House {
    let extra = |(id, age): &(u8, Option<u8>)| json!({"id": id, "age": age});
    let feed = |at: &u8| json!({"at": at});
    House::new()
        .schema(TABLES)
        .set("[precedence]\npeople = [\"people\", \"extras\"]\n")
        .list("people", "people.json", PEOPLE)
        .list("extras", "extras.json", EXTRAS)
        .list("events", "first.json second.json", EVENTS)
        .source("people.json", &tree.people.iter().map(person).collect())
        .source("extras.json", &tree.extras.iter().map(extra).collect())
        .source("first.json", &tree.feeds[0].iter().map(feed).collect())
        .source("second.json", &tree.feeds[1].iter().map(feed).collect())
}

/// The leaves of a document: scalars and empty containers.
fn leaves(json: &Value) -> u64 {
    match json {
        Value::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        Value::Object(members) if !members.is_empty() => members.values().map(leaves).sum(),
        _ => 1,
    }
}

/// A house whose one document a mapping takes so.
pub(crate) fn document_house(document: &Document) -> House {
    let shape = document.records.map_or(String::new(), |records| {
        let name = if records.contains(".*") { "key_as = \"name\"\n" } else { "" };
        format!("[[source.shape]]\nname = \"any\"\nrecords = \"{records}\"\n{name}")
    });
    let each = document.each.map_or(String::new(), |each| format!("each = \"{each}\"\n"));
    let column = document.column.map_or(String::new(), |path| format!("part = \"@.{path}\"\n"));
    let ignore = document.ignore.map_or(String::new(), |path| format!("[ignore]\n\"{path}\" = \"not needed\"\n"));
    let mapping = format!(
        "[source]\nfiles = [\"any.json\"]\nformat = \"json\"\n{shape}\
         [table.documents]\n{each}[table.documents.columns]\nwhole = \"@\"\n{column}{ignore}"
    );
    House::new()
        .schema("CREATE TABLE documents (id INTEGER PRIMARY KEY, whole JSON, part JSON);")
        .mapping("any", &mapping)
        .source("any.json", &document.json)
}

/// The laws themselves.
mod judge {
    use super::*;

    pub(super) fn a_dry_run_says_what_the_real_run_says((tree, rejects): &(Tree, &str)) {
        let house = house(tree);
        // The first time there is no database, the second time there may be one.
        for _ in 0..2 {
            let dry = house.lift(&["--max-rejects", rejects, "--dry-run"]);
            let real = house.lift(&["--max-rejects", rejects]);
            assert_eq!(dry.status(), real.status());
            assert_eq!(comparable(dry.report()), comparable(real.report()));
        }
    }

    pub(super) fn importing_twice_is_importing_once(tree: &Tree) {
        let house = house(tree);
        let run = || house.lift(&["--max-rejects", "9"]);
        let first = run();
        if first.report()["outcome"] != "committed" {
            return;
        }
        let dump = application_dump(&open(&house.path(DATABASE)));
        let second = run();
        assert_eq!(second.status(), first.status());
        let report = second.report();
        assert_eq!(tables(&report, "unchanged"), tables(&first.report(), "inserted"));
        for what in ["inserted", "updated"] {
            assert!(tables(&report, what).is_empty(), "{what}");
        }
        assert_eq!(report["leaves"], first.report()["leaves"]);
        assert_eq!(application_dump(&open(&house.path(DATABASE))), dump);
    }

    pub(super) fn names_and_order_of_files_change_nothing((batches, order): &(Vec<Vec<Person>>, Vec<usize>)) {
        let content = |names: &[usize]| {
            let people = "batch_{number}.json";
            let house = House::new().schema(TABLES).list("people", people, PEOPLE);
            for (batch, name) in batches.iter().zip(names) {
                let people: Value = batch.iter().map(person).collect();
                house.put(&format!("batch_{name}.json"), people.to_string());
            }
            let report = house.lift(&["--max-rejects", "99", "--allow-empty"]).report();
            assert_eq!(report["outcome"], "committed");
            let rows = |sql: &str| house.rows(sql).into_iter().collect::<BTreeSet<_>>();
            let rows = [
                rows("SELECT id, name FROM people"),
                rows("SELECT person FROM logins"),
                rows("SELECT person, about, count(*) FROM notes GROUP BY person, about"),
            ];
            (rows, report["leaves"].clone(), report["tables"].clone())
        };
        let given: Vec<usize> = (0..batches.len()).collect();
        assert_eq!(content(&given), content(order));
    }

    pub(super) fn the_sum_over_leaves_closes(document: &Document) {
        let house = document_house(document);
        let lifted = house.lift(&[]);
        let report = lifted.report();
        assert!(matches!(lifted.status(), Some(0 | 1)), "{:?}: {:?} {report:#}", lifted.status(), document);
        let counts = report["leaves"].as_object().unwrap();
        let classes: u64 = counts.iter().filter(|(class, _)| *class != "seen").map(|(_, n)| n.as_u64().unwrap()).sum();
        assert_eq!(counts["seen"], classes, "{document:?}");
        let names = [document.records, document.each, document.ignore].iter().flatten().any(|path| path.contains(".*"));
        if !names && report["files"][0]["status"] == "imported" {
            assert_eq!(counts["seen"], leaves(&document.json), "{document:?}");
        }
        let takes_all = [document.records, document.each, document.column].iter().all(Option::is_none);
        if takes_all && (document.json.is_array() || document.json.is_object()) {
            // The whole document is one row: nothing is lost, and it reads as it was.
            assert_eq!((lifted.status(), &counts["unmapped"]), (Some(0), &0.into()), "{document:?}");
            assert_eq!(house.one("SELECT whole FROM documents"), document.json.to_string());
        }
    }
}
