//! A law over small tables, rules and trees made at random, of which the database and lookups reject records: a second
//! import rejects the same records for the same reasons, and changes nothing.

use crate::house::random_trees::Dice;
use crate::house::{DATABASE, House, application_dump, open, tables};
use crate::promises::again::repeats::errors;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// The rules of a set, and what its tables demand.
struct Rules {
    schema: String,
    set: &'static str,
    main: String,
    fill: Option<String>,
    has_key: bool,
}

const POLICIES: [&str; 4] = ["", ", on_dangling = \"null\"", ", on_dangling = \"reject\"", ", on_dangling = \"skip\""];

fn rules(dice: &mut Dice) -> Rules {
    let has_key = !dice.one_in(3);
    let maybe = |dice: &mut Dice, words: &'static str| if dice.one_in(2) { words } else { "" };
    let mut schema = format!(
        "CREATE TABLE kinds (name TEXT PRIMARY KEY NOT NULL, size INTEGER {});
         CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT {}, v INTEGER {}, w TEXT {}, up INTEGER REFERENCES t (id) {},
                         other INTEGER REFERENCES t (id), kind TEXT);",
        maybe(dice, "CHECK (size <> 2)"),
        if has_key { "NOT NULL UNIQUE" } else { "" },
        maybe(dice, "UNIQUE"),
        maybe(dice, "CHECK (w <> 'bad')"),
        if dice.one_in(6) { "UNIQUE" } else { "" },
    );
    _ = write!(
        schema,
        "CREATE TABLE parts (id INTEGER PRIMARY KEY, t INTEGER REFERENCES t (id), n INTEGER {} {});",
        maybe(dice, "UNIQUE"),
        maybe(dice, "CHECK (n <> 3)")
    );
    let duplicate = dice.of(&["", "first", "last", "fill", "fill"]);
    let mut main = "[table.t]\n".to_owned();
    if has_key {
        main.push_str("key = [\"k\"]\n");
        if !duplicate.is_empty() {
            _ = writeln!(main, "on_duplicate = \"{duplicate}\"");
        }
    }
    main.push_str("[table.t.columns]\nk = \"k\"\nv = \"v\"\nw = \"w\"\n");
    for column in ["up", "other"] {
        if !dice.one_in(3) {
            let policy = dice.of(&POLICIES);
            _ = writeln!(main, "{column} = {{ lookup = \"t.id\", by = {{ k = \"{column}\" }}{policy} }}");
        }
    }
    if dice.one_in(3) {
        let policy = dice.of(&POLICIES);
        _ = writeln!(main, "kind = {{ lookup = \"kinds.name\", by = {{ name = \"as\" }}{policy} }}");
        main.push_str(
            "[table.kinds]\nkey = [\"name\"]\non_duplicate = \"first\"\n[table.kinds.columns]\n\
             name = { from = \"kind\", on_absent = \"skip\" }\nsize = \"size\"\n",
        );
    }
    if dice.one_in(3) {
        main.push_str(
            "[table.parts]\nparent = \"t\"\neach = \"parts[*]\"\n[table.parts.columns]\nt = \"^id\"\nn = \".\"\n",
        );
    }
    main.push_str("[ignore]\n\"*\" = \"looked up\"\n");
    let fill = (has_key && dice.one_in(3)).then(|| {
        "[table.t]\nkey = [\"k\"]\non_duplicate = \"fill\"\n[table.t.columns]\nk = \"k\"\nv = \"v\"\nw = \"w\"\n\
         [ignore]\n\"*\" = \"looked up\"\n"
            .to_owned()
    });
    let set = if fill.is_some() { "[precedence]\nt = [\"main\", \"fill\"]\n" } else { "" };
    Rules { schema, set, main, fill, has_key }
}

fn record(dice: &mut Dice, has_key: bool) -> Value {
    let mut record = Map::new();
    let name = |dice: &mut Dice| json!(dice.of(&["a", "b", "c", "d", "e"]));
    record.insert("k".to_owned(), if has_key || !dice.one_in(6) { name(dice) } else { Value::Null });
    if !dice.one_in(3) {
        record.insert("v".to_owned(), json!(dice.below(4)));
    }
    if !dice.one_in(3) {
        record.insert("w".to_owned(), json!(dice.of(&["x", "y", "bad"])));
    }
    for member in ["up", "other"] {
        if !dice.one_in(3) {
            let name = if dice.one_in(8) { json!("nobody") } else { name(dice) };
            record.insert(member.to_owned(), name);
        }
    }
    if dice.one_in(2) {
        record.insert("kind".to_owned(), json!(dice.of(&["p", "q", "r"])));
        record.insert("size".to_owned(), json!(dice.below(3)));
    }
    if dice.one_in(2) {
        record.insert("as".to_owned(), json!(dice.of(&["p", "q", "r"])));
    }
    if dice.one_in(3) {
        let parts: Vec<usize> = (0..dice.below(3)).map(|_| dice.below(5)).collect();
        record.insert("parts".to_owned(), json!(parts));
    }
    Value::Object(record)
}

/// A house with a set and a tree of this number; its tables, and the set and the tree in words.
pub(crate) fn house(seed: u64) -> (House, String, String) {
    let mut dice = Dice::new(seed);
    let rules = rules(&mut dice);
    let mut house = House::new().schema(&rules.schema).set(rules.set);
    house = house.list("main", "main*.json", &rules.main);
    let mut words = format!("seed {seed}\n{}\n{}", rules.schema, rules.main);
    let mut files = vec!["main.json", "main2.json"];
    if let Some(fill) = &rules.fill {
        house = house.list("fill", "fill.json", fill);
        _ = write!(words, "\nfill:\n{fill}");
        files.push("fill.json");
    }
    for file in files {
        let records: Vec<Value> = (0..dice.below(6)).map(|_| record(&mut dice, rules.has_key)).collect();
        _ = write!(words, "\n{file}: {}", Value::from(records.clone()));
        house = house.source(file, &Value::from(records));
    }
    (house, rules.schema, words)
}

/// The rows of a database, by table.
type Rows = BTreeMap<String, Vec<Vec<String>>>;

/// Whether the first import, with these arguments, was committed; then the second one says and leaves what the first one
/// did. `words` tell of what, and `dump` gives the rows.
pub(crate) fn repeats(house: &House, words: &str, more: &[&str], dump: &dyn Fn() -> Rows) -> Result<bool, String> {
    let lift = || house.lift(&[&["--max-rejects", "99", "--rejects", "rejects"], more].concat());
    let first = lift();
    if !matches!(first.status(), Some(0 | 1)) {
        return Err(format!("{words}\n{}", first.words()));
    }
    let first = first.report();
    if first["outcome"] != "committed" {
        return Ok(false);
    }
    let rejects = || house.rejects();
    let (kept, rows) = (rejects(), dump());
    // What is there then is of the second import.
    if !kept.is_empty() {
        fs::remove_file(house.path("rejects/rejects.jsonl")).unwrap();
    }
    let second = lift();
    let second_report = second.report();
    let say = |what: &str, one: &dyn std::fmt::Debug, other: &dyn std::fmt::Debug| {
        Err(format!("{words}\n{what}\nfirst: {one:#?}\nsecond: {other:#?}\n{}", second.words()))
    };
    if second_report["outcome"] != "committed" {
        return say("outcome", &errors(&first), &errors(&second_report));
    }
    if errors(&second_report) != errors(&first) {
        return say("errors", &errors(&first), &errors(&second_report));
    }
    if rejects() != kept {
        return say("rejects", &kept, &rejects());
    }
    let changed = (tables(&second_report, "inserted"), tables(&second_report, "updated"));
    if changed != Default::default() {
        return say("changed", &(), &changed);
    }
    let after = dump();
    if after != rows {
        return say("rows", &rows, &after);
    }
    for what in ["leaves", "findings"] {
        if second_report[what] != first[what] {
            return say(what, &first[what], &second_report[what]);
        }
    }
    Ok(true)
}

fn repeats_in_file(seed: u64) -> Result<bool, String> {
    let (house, _, words) = house(seed);
    repeats(&house, &words, &[], &|| application_dump(&open(&house.path(DATABASE))))
}

/// Checks that it repeats for each of these numbers, and that most of the first imports were committed.
pub(crate) fn check(seeds: std::ops::Range<u64>, repeats: &dyn Fn(u64) -> Result<bool, String>) {
    let (mut committed, mut broken) = (0, Vec::new());
    let count = seeds.end - seeds.start;
    for seed in seeds {
        match repeats(seed) {
            Ok(is_committed) => committed += u64::from(is_committed),
            Err(words) => broken.push((seed, words)),
        }
    }
    let seeds: Vec<u64> = broken.iter().map(|(seed, _)| *seed).collect();
    let some: Vec<&str> = broken.iter().take(5).map(|(_, words)| words.as_str()).collect();
    assert!(broken.is_empty(), "{} of {count} seeds {seeds:?}\n{}", broken.len(), some.join("\n\n"));
    assert!(committed > count / 2, "only {committed} of {count} first imports were committed");
}

#[test]
fn a_second_import_rejects_what_the_first_one_rejected() {
    check(0..60, &repeats_in_file);
}

#[test]
#[ignore = "takes about 2 minutes"]
fn a_second_import_rejects_what_the_first_one_rejected_often() {
    let of = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = of("TREELIFT_SEED").unwrap_or(1_000);
    check(first..first + of("TREELIFT_SEEDS").unwrap_or(500), &repeats_in_file);
}
