//! The law of `explain`: what it says of a leaf is what an import does with it. For every file of a tree the leaves
//! that it names are those that the report counts, each in its class, for its reason and by its column, and what it
//! says of a row stands in the database.

use crate::house::{DATABASE, House, copy_tree, listing, open, project, rows};
use crate::promises::again::set_laws;
use crate::promises::sum::laws;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use treelift::against;
use treelift::explain::{Explained, MOST_LEAVES, Question, explain};
use treelift::judge::judge;
use treelift::mapping::load::SetSource;

const DEPTH: u32 = 64;

/// What is explained of one file of a tree.
fn told((source, root): &(SetSource, PathBuf), file: &str) -> Explained {
    let ((set, schema), root) = (judge(source).unwrap(), root.clone());
    let (file, pointer) = (file.to_owned(), String::new());
    explain(Question { set, schema, root, file, pointer, row: None, depth: DEPTH }).unwrap()
}

/// Counts by class or reason.
type Counts = BTreeMap<String, u64>;

fn count(counts: &mut Counts, what: impl Into<String>) {
    *counts.entry(what.into()).or_default() += 1;
}

/// The leaf counts of a report, those that are not 0.
fn counted(leaves: &Value) -> Counts {
    let classes = leaves.as_object().unwrap().iter().filter(|(class, _)| *class != "seen");
    let counts = classes.map(|(class, count)| (class.clone(), count.as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// A key in words, `id = "ada", nr = 3`, as a condition of SQL; none where it is cut.
fn condition(key: &str) -> Option<String> {
    let (mut rest, mut parts) = (key, Vec::new());
    while !rest.is_empty() {
        let (name, value) = rest.split_once(" = ")?;
        let end = match value.strip_prefix('"') {
            Some(_) => {
                let mut texts = serde_json::Deserializer::from_str(value).into_iter::<String>();
                let text = texts.next()?.ok()?;
                parts.push(format!("\"{name}\" = '{}'", text.replace('\'', "''")));
                texts.byte_offset()
            }
            None => {
                let end = value.find(", ").unwrap_or(value.len());
                parts.push(format!("\"{name}\" = '{}'", &value[..end]));
                end
            }
        };
        rest = value[end..].trim_start_matches(", ");
    }
    (!key.contains('…')).then(|| parts.join(" AND "))
}

/// Whether a value is shown as the database stores it: a whole number, or a short and simple text.
fn is_stored_so(value: &str) -> bool {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    value.parse::<i64>().is_ok() || inner.is_some_and(|text| !text.contains(['\\', '"', '…']))
}

/// What a whole tree is explained as, and whether it agrees with the report of its import.
struct Law<'l> {
    report: &'l Value,
    /// The database that the import made.
    database: Option<rusqlite::Connection>,
    /// Leaves by what ignores them, and why.
    ignored: Counts,
    /// The columns that leaves are in.
    columns: BTreeSet<String>,
}

impl Law<'_> {
    fn file(&mut self, of: &Value, told: &Explained) {
        let path = of["path"].as_str().unwrap();
        let status = match told.status {
            "mapped" => "imported",
            "broken" => "rejected",
            other => other,
        };
        assert_eq!(status, of["status"], "{path}: {told:#?}");
        assert_eq!(told.shape.as_deref(), of["shape"].as_str(), "{path}");
        // The owner of a directory is known though its file may be broken.
        let owner = told.owner.as_ref().map(|(id, _)| id.as_str());
        assert!(owner == of["owner"].as_str() || status != "imported", "{path}: {owner:?}");
        let expected = counted(&of["leaves"]);
        assert_eq!(counted(&serde_json::to_value(told.counts).unwrap()), expected, "{path}");
        if told.more > 0 {
            assert!(told.leaves.len() == MOST_LEAVES, "{path}: {} are told", told.leaves.len());
            return; // the rest is only counted
        }
        let mut classes = Counts::new();
        for fate in told.leaves.iter().map(|leaf| &leaf.fate).chain(told.names.iter().map(|name| &name.fate)) {
            count(&mut classes, fate.class);
            assert_eq!(fate.class == "ignored", fate.ignored.is_some(), "{path}: {fate:?}");
            assert_eq!(fate.class == "rejected", fate.rejected.is_some(), "{path}: {fate:?}");
            if let (Some(what), Some(why)) = (&fate.ignored_by, &fate.ignored) {
                count(&mut self.ignored, format!("{what}: {why}"));
            }
            if let Some(by) = fate.by.as_ref().filter(|_| fate.class == "column") {
                self.columns.insert(format!("{}.{}", by.table, by.column));
            }
        }
        assert_eq!(classes, expected, "{path}");
        for leaf in &told.leaves {
            self.ways(path, leaf);
        }
    }

    /// A leaf is in its class by one of its ways, and by none in a better one; what is written is in the database.
    fn ways(&self, path: &str, leaf: &treelift::explain::LeafStory) {
        let best = ["column", "json", "sealed"].into_iter().find(|class| leaf.goes.iter().any(|way| way.how == *class));
        // An empty container at which the rows of an `each` end is in a column, though no row is made of it.
        let ends = leaf.fate.class == "column" && leaf.fate.by.is_none();
        if ends {
            assert!(matches!(leaf.value.as_deref(), Some("[]" | "{}" | "null")), "{path}: {leaf:#?}");
        } else if let Some(best) = best {
            assert_eq!(leaf.fate.class, best, "{path}: {leaf:#?}");
        }
        if let Some(by) = &leaf.fate.by {
            let is_by = leaf.goes.iter().any(|way| (&way.rule, &way.column) == (&by.rule, &by.column));
            assert!(is_by, "{path}: {leaf:#?}");
        }
        let kept = leaf.goes.iter().filter(|way| ["column", "json", "sealed"].contains(&way.how));
        for way in kept {
            let key = way.row.as_ref().unwrap_or_else(|why| panic!("{path}: kept, and {why}: {leaf:#?}"));
            let Some(database) = &self.database else { continue };
            if key == "a generated id" || key.contains("(hidden)") {
                continue; // there is nothing to find it by
            }
            let Some(condition) = condition(key) else { continue };
            let found = rows(database, &format!("SELECT \"{}\" FROM \"{}\" WHERE {condition}", way.column, way.table));
            // Rows that fold across source patterns may have twins of their key.
            let is_there = |cell: &String| match &way.value {
                Some(value) if is_stored_so(value) => value.trim_matches('"') == cell,
                Some(value) if value == "NULL" => true, // a later row may have filled it
                _ => cell != "NULL",
            };
            assert!(found.iter().flatten().any(is_there), "{path}: {condition}: {found:?}: {leaf:#?}");
        }
    }

    /// What only the whole tree shows.
    fn end(self) {
        let list = self.report["ignored"].as_array().unwrap().iter();
        let of_leaves = list.filter_map(|line| {
            let what = format!("{}: {}", line["what"].as_str()?, line["reason"].as_str()?);
            line["leaves"].as_u64().filter(|leaves| *leaves > 0).map(|leaves| (what, leaves))
        });
        assert_eq!(self.ignored, of_leaves.collect::<Counts>());
        let counts = self.report["columns"].as_array().unwrap().iter();
        let filled: BTreeSet<String> = counts
            .filter(|column| {
                let mut hits = column["alternatives"].as_array().unwrap().iter().map(|of| &of["hits"]);
                column["nulled"] != 0 || column["defaulted"] != 0 || hits.any(|hits| *hits != 0)
            })
            .map(|column| format!("{}.{}", column["table"].as_str().unwrap(), column["column"].as_str().unwrap()))
            .collect();
        assert!(self.columns.is_subset(&filled), "{:?} are not in the report", self.columns.difference(&filled));
    }
}

/// Whether a tree is explained as it was imported: every file where `each` is 1, else of each mapping and status the
/// first one and every so many of the rest.
fn holds(set: Option<&str>, tree: &Path, report: &Value, database: Option<rusqlite::Connection>, each: usize) {
    let mut law = Law { report, database, ignored: Counts::new(), columns: BTreeSet::new() };
    let chosen = against::choose(set, tree, "a name").unwrap();
    let mut of_kind = BTreeMap::new();
    let is_taken = |of: &&Value| {
        let count: &mut usize = of_kind.entry((of["mapping"].to_string(), of["status"].to_string())).or_default();
        *count += 1;
        (*count - 1).is_multiple_of(each)
    };
    for of in report["files"].as_array().unwrap().iter().filter(is_taken) {
        law.file(of, &told(&chosen, of["path"].as_str().unwrap()));
    }
    if each == 1 {
        law.end();
    }
}

/// The same of a house.
fn is_explained(house: &House) {
    let report = house.lift(&["--max-rejects", "99", "--allow-empty"]).report();
    let database = (report["outcome"] == "committed").then(|| open(&house.path(DATABASE)));
    let set = house.path("set");
    holds(set.to_str(), &house.path("tree"), &report, database, 1);
}

fn config(cases: u32) -> Config {
    Config { cases, max_shrink_iters: 100, failure_persistence: None, ..Config::default() }
}

/// The cases are the same each time where they are `few`.
fn check<S: Strategy>(few: bool, cases: u32, inputs: &S, house: impl Fn(&S::Value) -> House) {
    let mut runner = if few {
        TestRunner::new_with_rng(config(cases), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    } else {
        TestRunner::new(config(cases * 10))
    };
    let held = runner.run(inputs, |input| {
        is_explained(&house(&input));
        Ok(())
    });
    held.unwrap_or_else(|broken| panic!("{broken}"));
}

fn sets(few: bool) {
    let inputs = (set_laws::rules(), set_laws::trees());
    check(few, 20, &inputs, |(rules, tree)| set_laws::house(rules, tree));
}

fn trees(few: bool) {
    check(few, 20, &laws::trees(), laws::house);
}

fn documents(few: bool) {
    check(few, 10, &laws::documents(), laws::document_house);
}

#[test]
fn leaves_of_any_set_are_explained_as_they_are_imported() {
    sets(true);
}

#[test]
fn leaves_of_trees_with_secrets_and_rejects_are_explained_as_they_are_imported() {
    trees(true);
}

#[test]
fn leaves_of_documents_of_any_form_are_explained_as_they_are_imported() {
    documents(true);
}

#[test]
#[ignore = "takes about 2 minutes"]
fn leaves_of_any_tree_are_explained_as_they_are_imported_often() {
    sets(false);
    trees(false);
    documents(false);
}

/// A tree of the sample data.
fn sample_is_explained(tree: &str, set: Option<&str>, with: &[&str], each: usize) {
    let house = House::new();
    let source = house.path("source");
    copy_tree(&project("sample_data").join(tree), &source);
    let set_of = set.map_or(Vec::new(), |set| vec!["--mappings", set]);
    let more = ["--json", "--max-rejects", "99", "--allow-empty"];
    let more: Vec<&str> = more.iter().chain(&set_of).chain(with).copied().collect();
    let report = house.import(&source, &more).json();
    let database = (report["outcome"] == "committed").then(|| open(&house.path(DATABASE)));
    holds(set, &source, &report, database, each);
}

#[test]
fn leaves_of_the_sample_data_are_explained_as_they_are_imported() {
    sample_is_explained("fossawork", None, &["--with", "archive"], 4);
}

#[test]
#[ignore = "takes about 40 seconds"]
fn every_leaf_of_the_sample_data_is_explained_as_it_is_imported() {
    sample_is_explained("fossawork", None, &["--with", "archive"], 1);
}

#[test]
fn every_leaf_of_the_second_sample_is_explained_as_it_is_imported() {
    sample_is_explained("notes", None, &[], 1);
}

#[test]
fn broken_trees_are_explained_as_they_are_imported() {
    ["bad_date", "same_email_twice", "no_users"].iter().for_each(|tree| broken_is_explained(tree));
}

fn broken_is_explained(tree: &str) {
    sample_is_explained(&format!("broken/{tree}"), Some("fossawork"), &["--with", "archive"], 1);
}

#[test]
#[ignore = "takes about 2 minutes"]
fn all_broken_trees_are_explained_as_they_are_imported() {
    for tree in std::fs::read_dir(project("sample_data/broken")).unwrap().map(|entry| entry.unwrap()) {
        if tree.path().is_dir() {
            broken_is_explained(tree.file_name().to_str().unwrap());
        }
    }
}

/// Rows of every fate: late rejects, rows that a CHECK or a trigger refuses, duplicates, rows that are filled.
fn house_of_every_fate() -> House {
    const TABLES: &str = "
        CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, name TEXT,
                             age INTEGER CHECK (age < 200), mail TEXT);
        CREATE TABLE cities (id TEXT PRIMARY KEY NOT NULL, name TEXT);
        CREATE TABLE homes (id TEXT PRIMARY KEY NOT NULL, city TEXT REFERENCES cities(id));
        CREATE TRIGGER crowded BEFORE INSERT ON homes WHEN (SELECT count(*) FROM homes) >= 2
            BEGIN SELECT RAISE(ABORT, 'crowded'); END;";
    const PEOPLE: &str = r#"
        [table.people]
        key = ["id"]
        on_duplicate = "first"
        [table.people.columns]
        id = "id"
        kind = { value = "person" }
        name = "name"
        age = { from = "age", on_error = "null" }
        [table.homes]
        key = ["id"]
        when = { members = ["home"] }
        [table.homes.columns]
        id = "home"
        city = { lookup = "cities.id", by = { name = "city" }, on_dangling = "reject" }
        [ignore]
        "shoe" = "nobody asks"
        "city" = "looked up""#;
    const EXTRAS: &str = r#"
        [table.people]
        key = ["id"]
        on_duplicate = "fill"
        [table.people.columns]
        id = "id"
        name = "name"
        mail = "mail""#;
    const CITIES: &str = r#"
        [table.cities]
        key = ["id"]
        [table.cities.columns]
        id = "id"
        name = "name""#;
    House::new()
        .schema(TABLES)
        .list("people", "people.json", PEOPLE)
        .list("extras", "extras.json", EXTRAS)
        .list("cities", "cities.json", CITIES)
        .source("cities.json", &json!([{"id": "c", "name": "Bonn"}]))
        .source(
            "people.json",
            &json!([
                {"id": "a", "name": "Ann", "age": 3, "home": "late", "city": "Ulm"},
                {"id": "a", "name": "Anna", "age": "old", "shoe": 37},
                {"id": "a", "name": "Annette"},
                {"id": "b", "name": "Bob", "age": 500},
                {"id": "c", "home": "one", "city": "Bonn", "odd": []},
                {"id": "d", "home": "two", "city": "Bonn"},
                {"id": "e", "home": "three", "city": "Bonn"},
            ]),
        )
        .source("extras.json", &json!([{"id": "a", "name": "Zoe", "mail": "a@b"}, {"id": "x", "name": "Eve"}]))
}

#[test]
fn rows_of_every_fate_are_explained_as_they_are_imported() {
    is_explained(&house_of_every_fate());
}

/// Each leaf with its class, and the ways that it goes where its record is not rejected.
fn lines(house: &House, file: &str) -> String {
    let mut lines = String::new();
    let chosen = against::choose(house.path("set").to_str(), &house.path("tree"), "a name").unwrap();
    for leaf in told(&chosen, file).leaves {
        let code = leaf.fate.rejected.as_deref().and_then(|why| why.split(':').next());
        let why = leaf.fate.ignored.as_deref().or(code).map_or(String::new(), |why| format!(" ({why})"));
        writeln!(lines, "{} {}{why}", leaf.pointer, leaf.fate.class).unwrap();
        for way in leaf.goes.into_iter().filter(|_| code.is_none()) {
            let row = way.row.unwrap_or_else(|why| why);
            let note = way.note.map_or(String::new(), |note| format!(", {note}"));
            writeln!(lines, "  {} {}.{}: {row}{note}", way.how, way.table, way.column).unwrap();
        }
    }
    lines
}

#[test]
fn what_became_of_each_leaf_is_told() {
    let house = house_of_every_fate();
    assert_eq!(lines(&house, "people.json"), PEOPLE_TOLD);
    assert_eq!(lines(&house, "extras.json"), EXTRAS_TOLD);
}

const PEOPLE_TOLD: &str = r#"/0/id rejected (V001)
/0/name rejected (V001)
/0/age rejected (V001)
/0/home rejected (V001)
/0/city rejected (V001)
/1/id column
  column people.id: id = "a"
/1/name column
  column people.name: id = "a"
/1/age ignored (could not be read as INTEGER)
  not convertible people.age: id = "a"
/1/shoe ignored (nobody asks)
/2/id ignored (superseded by an earlier row of the same key)
  superseded people.id: superseded by an earlier row of the same key: id = "a"
/2/name ignored (superseded by an earlier row of the same key)
  superseded people.name: superseded by an earlier row of the same key: id = "a"
/3/id rejected (R009)
/3/name rejected (R009)
/3/age rejected (R009)
/4/id column
  column people.id: id = "c"
/4/home column
  column homes.id: id = "one"
/4/city column
  column homes.city: id = "one"
/4/odd unmapped
/5/id column
  column people.id: id = "d"
/5/home column
  column homes.id: id = "two"
/5/city column
  column homes.city: id = "two"
/6/id rejected (R010)
/6/home rejected (R010)
/6/city rejected (R010)
"#;
const EXTRAS_TOLD: &str = r#"/0/id column
  column people.id: id = "a", fills a row that is there
/0/name ignored (superseded by the value that the row has)
  superseded people.name: id = "a", superseded by the value that the row has
/0/mail column
  column people.mail: id = "a", fills a row that is there
/1/id unmapped
  not taken people.id: no row: there is none to fill with id = "x"
/1/name unmapped
  not taken people.name: no row: there is none to fill with id = "x"
"#;

#[test]
fn explaining_leaves_nothing_behind() {
    let house = house_of_every_fate();
    house.lift(&["--max-rejects", "99"]);
    let before = listing(&house.work());
    house.run(["explain", "tree/people.json", "--source", "tree", "--mappings", "set"]).status(0);
    // Some of its records are rejected.
    house.run(["check", "set", "--against", "tree", "--max-depth", "64"]).status(1);
    assert_eq!(listing(&house.work()), before);
    assert_eq!(listing(&house.tmp()).len(), 1, "only the folder itself");
}
