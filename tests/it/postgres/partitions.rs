//! Tables that a migration of the server partitions: the same as tables that are not, in rows and in every word, and a
//! partition is no table of its own.

use crate::house::inline::found;
use crate::house::server::Server;
use crate::house::{House, Ran, comparable, tables};
use crate::postgres::backup::programs;
use serde_json::{Value, json};

/// Tables by name, each with what it is partitioned by.
const TABLES: [(&str, &str, &str); 3] = [
    (
        "people",
        "id",
        "id VARCHAR(20) PRIMARY KEY NOT NULL, name TEXT NOT NULL CHECK (name <> 'nobody'), mail TEXT,
         boss VARCHAR(20) REFERENCES people (id)",
    ),
    (
        "notes",
        "owner",
        "owner VARCHAR(20) NOT NULL REFERENCES people (id), number INTEGER NOT NULL, label VARCHAR(20),
         title TEXT CHECK (title <> 'bad'), PRIMARY KEY (owner, number), UNIQUE (owner, label)",
    ),
    ("said", "who", "who TEXT, what TEXT"),
];
const INDEXES: &str =
    "CREATE UNIQUE INDEX notes_title ON notes (owner, lower(title)); CREATE INDEX said_who ON said (who);";

const RULES: [(&str, &str); 4] = [
    ("people", "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\nboss = \"boss\"\n"),
    (
        "mails",
        "[table.people]\nkey = [\"id\"]\non_duplicate = \"fill\"\n[table.people.columns]\nid = \"id\"\nmail = \"mail\"\n",
    ),
    (
        "notes",
        "[table.notes]\nkey = [\"owner\", \"number\"]\n[table.notes.columns]
         owner = { lookup = \"people.id\", by = { id = \"owner\" } }\nnumber = \"number\"\nlabel = \"label\"\ntitle = \"title\"\n",
    ),
    ("said", "[table.said.columns]\nwho = \"who\"\nwhat = \"what\"\n"),
];

const MOST: [&str; 2] = ["--max-rejects", "30"];

/// The tables, in so many partitions each; in none where that is zero.
fn schema(partitions: u32) -> String {
    let table = |(name, by, columns): &(&str, &str, &str)| {
        if partitions == 0 {
            return format!("CREATE TABLE {name} ({columns});\n");
        }
        let parts = (0..partitions).map(|part| {
            format!("CREATE TABLE part_{part}_of_{name} PARTITION OF {name} FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part});\n")
        });
        format!("CREATE TABLE {name} ({columns}) PARTITION BY HASH ({by});\n{}", parts.collect::<String>())
    };
    TABLES.iter().map(table).chain([INDEXES.to_owned()]).collect()
}

/// The boss of each is another one; 7 has one who is nowhere, and 20 has a name that a CHECK forbids.
fn person(id: u64) -> Value {
    let boss = match id {
        0 => None,
        1..=6 => Some(format!("p{}", id - 1)),
        7 => Some("nowhere".to_owned()),
        _ => Some("p0".to_owned()),
    };
    json!({ "id": format!("p{id}"), "name": if id == 20 { "nobody" } else { "someone" }, "boss": boss })
}

fn note(number: u64) -> Value {
    let note = |label: u64, title: String| json!({ "owner": format!("p{}", number % 20), "number": number, "label": format!("l{label}"), "title": title });
    match number {
        50 => note(50, "bad".to_owned()),
        91 => note(51, "the label of 51".to_owned()),
        92 => note(92, "T72".to_owned()),
        number => note(number, format!("t{number}")),
    }
}

fn house(partitions: u32) -> House {
    let house = House::new().schema(&schema(0)).set("[precedence]\npeople = [\"people\", \"mails\"]\n");
    if partitions > 0 {
        let sql = format!("-- version: 001\n-- description: tables of a test\n{}", schema(partitions));
        house.file("set/schema/001_test.up.postgresql.sql", sql);
    }
    let house = RULES.iter().fold(house, |house, (name, rule)| house.list(name, &format!("{name}.json"), rule));
    let said = |id: u64| json!({ "who": format!("p{}", id % 5), "what": format!("w{}", id % 7) });
    house
        .source("people.json", &(0..=20).map(person).collect())
        .source("mails.json", &json!([]))
        .source("notes.json", &(0..200).map(note).collect())
        .source("said.json", &(0..60).map(said).collect())
}

/// A house with its database, and all that was said and is there after each step.
struct Steps {
    house: House,
    server: Server,
    all: Vec<(String, Value)>,
}

impl Steps {
    /// The rows, without the database's own name in what was said.
    fn keep(&mut self, step: &str, said: &Value) {
        let said: Value = serde_json::from_str(
            &said.to_string().replace(&self.server.url, "URL").replace(self.house.work().to_str().unwrap(), "WORK"),
        )
        .unwrap();
        let rows = TABLES.map(|(name, ..)| {
            let there = self.server.rows(&format!("SELECT to_regclass('{name}')::text"))[0][0] != "NULL";
            let text = format!("SELECT t::text FROM {name} t ORDER BY 1");
            if there { self.server.rows(&text) } else { Vec::new() }
        });
        self.all.push((step.to_owned(), json!({ "said": said, "rows": rows })));
    }

    /// Imports the tree; rows are rejected each time.
    fn lift(&mut self, step: &str, more: &[&str]) -> Value {
        let arguments = [&["--database", &self.server.url, "--no-backup"], more].concat();
        let lifted = self.house.lift(&arguments);
        assert_eq!(lifted.status(), Some(1), "{}", lifted.words());
        let report = lifted.report();
        // It has the digest of the set's files, which are not the same.
        let mut same = comparable(report.clone());
        assert!(same.as_object_mut().unwrap().remove("mappings").is_some(), "{same:#}");
        self.keep(step, &same);
        report
    }

    /// Runs a command; what it says is kept where it says the same each time.
    fn run(&mut self, line: &str, is_same: bool) -> Ran {
        let arguments = line.split(' ').chain(["--database", &self.server.url]);
        let ran = Ran::of(self.house.command(arguments).envs(programs(&self.server.url))).status(0);
        let words = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!words.contains("part_"), "{words}");
        let said = if is_same { words.into() } else { Value::Null };
        self.keep(line, &said);
        ran
    }
}

/// Everything that is done with a database, in the order in which it is.
fn all(partitions: u32) -> Vec<(String, Value)> {
    let mut on = Steps { house: house(partitions), server: Server::new(), all: Vec::new() };
    // Nothing names a row without a key, so that no run that wrote one is undone.
    on.house.put("said.json", "[]");
    let run = on.lift("to be undone", &MOST)["run_id"].as_str().unwrap().to_owned();
    let undo = format!("undo {run} --mappings set --yes --no-backup");
    on.run(&format!("{undo} --dry-run"), false);
    let rows = |on: &Steps| on.all.last().unwrap().1["rows"].to_string().len();
    assert!(rows(&on) > 1_000);
    on.run(&undo, false);
    assert_eq!(on.all.last().unwrap().1["rows"], json!([[], [], []]));
    let first = on.all;
    let mut on = Steps { house: house(partitions), server: Server::new(), all: Vec::new() };
    on.all = first;
    on.run("check set", true);
    on.run("schema test --mappings set", true);
    let refused = on.lift("refused", &[]);
    let expected = [
        "error R002 notes.json /91",
        "error R002 notes.json /92",
        "error R004 people.json /7",
        "error R009 notes.json /50",
        "error R009 people.json /20",
    ];
    let mut told: Vec<String> = found(&refused);
    told.sort();
    // The notes of who is rejected are, too.
    assert!(told.len() > expected.len() && expected.iter().all(|line| told.contains(&(*line).to_owned())), "{told:?}");
    on.lift("dry", &[&["--dry-run"], &MOST[..]].concat());
    let report = on.lift("committed", &MOST);
    assert_eq!(report["outcome"], "committed", "{:#}", report["findings"]);
    assert_eq!(tables(&report, "inserted").get("notes"), Some(&187), "{:#}", report["tables"]);
    let again = on.lift("again", &MOST);
    assert_eq!((tables(&again, "inserted"), tables(&again, "updated")), Default::default());
    on.run("schema validate --mappings set", true);
    on.run("schema status --mappings set --exit-code", false);
    // A row that is changed, and rows that nothing names but their place.
    on.house.put("mails.json", json!([{ "id": "p3", "mail": "p3@example.org" }]).to_string());
    on.server.run("DELETE FROM said WHERE what = 'w3'");
    on.lift("changed", &MOST);
    on.lift("unchanged", &MOST);
    let before = on.server.everything();
    on.run("backup create", false);
    on.server.run("DELETE FROM notes; DROP TABLE said");
    on.run("backup restore --latest --yes --no-backup --mappings set", false);
    on.run("schema validate --mappings set", true);
    let rows =
        |all: Vec<Vec<String>>| all.into_iter().filter(|row| !row[0].starts_with("treelift_")).collect::<Vec<_>>();
    assert_eq!(rows(on.server.everything()), rows(before));
    on.lift("restored", &MOST);
    on.run("schema rollback --all --mappings set --yes --no-backup", false);
    assert_eq!(on.server.rows("SELECT relname::text FROM pg_class WHERE relname LIKE 'part\\_%'"), [[""; 1]; 0]);
    on.all
}

#[test]
fn hash_partitioned_tables_are_as_others_in_rows_and_in_every_word() {
    let (plain, parted) = (all(0), all(3));
    assert_eq!(plain.len(), parted.len());
    for ((step, plain), (_, parted)) in plain.iter().zip(&parted) {
        assert!(!parted["said"].to_string().contains("part_"), "{step}: {parted:#}");
        assert_eq!(plain, parted, "{step}");
    }
}
