//! A database is compared with the tree that was imported into it: every value, and whose doing a difference is.

use crate::house::inline::found;
use crate::house::site::{Site, on_every_engine};
use crate::house::{DATABASE, House, KEY_FILE, Ran, listing};
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const TABLES: &str = "
    CREATE TABLE people (
        id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, mail TEXT, phone TEXT, seen DATETIME, visits INTEGER DEFAULT 0
    );
    CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL REFERENCES people (id), title TEXT);
    CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, sealed TEXT);";

const PEOPLE: &str = r##"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    name = "name"
    seen = "#started"
    [table.notes]
    each = "notes[*]"
    parent = "people"
    [table.notes.columns]
    owner = "^id"
    title = ".""##;

const MAILS: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "fill"
    [table.people.columns]
    id = "id"
    mail = "mail"
    phone = "phone""#;

const LOGINS: &str = r#"
    [table.logins]
    key = ["id"]
    [table.logins.columns]
    id = "id"
    sealed = { seal = "code" }"#;

fn people() -> Value {
    let person = |id: &str, notes: &[&str]| json!({"id": id, "name": format!("Person {id}"), "notes": notes});
    json!([person("1", &["a", "b", "b"]), person("2", &["c"]), person("3", &[]), person("4", &["d"])])
}

/// A house whose tree has four people with notes, mails for two of them, and three logins.
fn house() -> House {
    House::new()
        .schema(TABLES)
        .set("[precedence]\npeople = [\"people\", \"mails\"]\n")
        .list("people", "people.json", PEOPLE)
        .list("mails", "mails.json", MAILS)
        .list("logins", "logins.json", LOGINS)
        .source("people.json", &people())
        .source(
            "mails.json",
            &json!([{"id": "1", "mail": "1@example.com", "phone": "555"}, {"id": "2", "mail": "2@example.com"}]),
        )
        .source("logins.json", &json!([{"id": "x", "code": "opens-every-1"}, {"id": "y", "code": "opens-every-2"}]))
}

fn run(site: &Site, more: &[&str]) -> Ran {
    let line = ["verify", "tree", "--mappings", "set", "--json", "--database", site.name()];
    site.house.run(line.iter().chain(more))
}

/// Verifies with the key.
#[track_caller]
fn verified(site: &Site, status: i32) -> Value {
    run(site, &["--key-file", KEY_FILE]).status(status).json()
}

/// The counts of a table that are not zero: `equal 2, own 1`.
fn counts(report: &Value, table: &str) -> String {
    let all = report["compared"].as_array().unwrap();
    let Some(of) = all.iter().find(|one| one["name"] == table) else { return String::new() };
    let counts = of.as_object().unwrap().iter().filter_map(|(name, count)| Some((name, count.as_u64()?)));
    counts.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// The messages of a code.
fn messages(report: &Value, code: &str) -> Vec<String> {
    let of_code = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    of_code.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

/// Everything is as the tree says, and nothing else is told.
#[track_caller]
fn is_equal(site: &Site) {
    let report = verified(site, 0);
    assert_eq!((&report["mode"], &report["outcome"]), (&json!("verify"), &json!("verified")));
    assert_eq!(found(&report), [""; 0]);
    let all = ["people", "notes", "logins"].map(|table| counts(&report, table));
    assert_eq!(all, ["equal 4", "equal 5", "equal 2"]);
}

#[test]
fn what_was_imported_is_equal() {
    on_every_engine(house, |site| {
        site.imported();
        is_equal(site);
        let said = run(site, &["--key-file", KEY_FILE, "--jobs", "1"]).status(0).json();
        assert_eq!(said["compared"], verified(site, 0)["compared"]);
    });
}

#[test]
fn rows_that_the_application_edited_are_named_and_no_others() {
    on_every_engine(house, |site| {
        site.imported();
        site.sql("UPDATE people SET name = 'Somebody' WHERE id = '2'");
        site.sql("UPDATE people SET phone = '556' WHERE id = '1'");
        site.sql("UPDATE notes SET title = 'z' WHERE title = 'd'");
        let report = verified(site, 1);
        assert_eq!(report["outcome"], "differs");
        let mut all = found(&report);
        all.sort();
        assert_eq!(all, ["error D002 mails.json /0", "error D002 people.json /1", "error D002 people.json /3/notes/0"]);
        let all = ["people", "notes", "logins"].map(|table| counts(&report, table));
        assert_eq!(all, ["equal 2, different 2, edited 2", "equal 4, different 1, edited 1", "equal 2"]);
        let said = messages(&report, "D002");
        let wanted =
            "a row of `people` was edited since its import: `name` (database \"Somebody\", source \"Person 2\")";
        assert!(said.contains(&wanted.to_owned()), "{said:?}");
        assert!(said.iter().any(|one| one.contains("`phone` (database \"556\", source \"555\")")), "{said:?}");
    });
}

#[test]
fn what_no_record_gives_is_compared_with_what_the_import_left() {
    on_every_engine(house, |site| {
        site.imported();
        site.sql("UPDATE people SET visits = 7 WHERE id = '1'");
        site.sql("UPDATE people SET seen = '2001-02-03 04:05:06' WHERE id = '2'");
        // A column that others fill, in a row to which nothing was given.
        site.sql("UPDATE people SET mail = 'x@example.com' WHERE id = '3'");
        let report = verified(site, 1);
        assert_eq!(counts(&report, "people"), "equal 1, different 3, edited 3");
        let places = ["error D002 people.json /0", "error D002 people.json /1", "error D002 people.json /2"];
        assert_eq!(found(&report), places);
        let said = messages(&report, "D002");
        let wanted = "a row of `people` was edited since its import, in what the source does not give \
                      (`mail`, `phone`, `visits`, or times of the import)";
        assert!(said.iter().any(|one| one == wanted), "{said:?}");
    });
}

#[test]
fn a_source_that_changed_since_is_told_apart_from_an_edit() {
    on_every_engine(house, |site| {
        site.imported();
        let mut changed = people();
        changed[0]["name"] = json!("Renamed");
        changed[1]["name"] = json!("Renamed too");
        site.house.put("people.json", changed.to_string());
        site.sql("UPDATE people SET name = 'Somebody' WHERE id = '2'");
        site.sql("UPDATE people SET name = 'Somebody' WHERE id = '4'");
        let report = verified(site, 1);
        let mut all = found(&report);
        all.sort();
        // Of a file that changed an edited row is told so, and that the source changed.
        assert_eq!(all, ["error D003 people.json /0", "error D004 people.json /1", "error D004 people.json /3"]);
        assert_eq!(counts(&report, "people"), "equal 1, different 3, source_changed 1, edited_and_source_changed 2");
        assert_eq!(counts(&report, "notes"), "equal 5");
    });
}

#[test]
fn rows_that_are_gone_and_rows_that_were_never_there_are_missing() {
    on_every_engine(house, |site| {
        site.imported();
        site.sql("DELETE FROM notes WHERE title = 'c'");
        site.sql("DELETE FROM people WHERE id = '3'");
        let mut grown = people();
        grown.as_array_mut().unwrap().push(json!({"id": "5", "name": "New", "notes": ["n"]}));
        site.house.put("people.json", grown.to_string());
        let report = verified(site, 1);
        assert_eq!(counts(&report, "people"), "equal 3, missing 2, removed 1");
        assert_eq!(counts(&report, "notes"), "equal 4, missing 2, removed 1");
        let wanted = [
            "error D006 people.json /1/notes/0",
            "error D006 people.json /2",
            "error D007 people.json /4",
            "error D007 people.json /4/notes/0",
        ];
        let mut all = found(&report);
        all.sort();
        assert_eq!(all, wanted);
    });
}

#[test]
fn rows_whose_record_is_gone_are_extra_and_those_of_the_application_are_not() {
    on_every_engine(house, |site| {
        site.imported();
        site.sql("INSERT INTO people (id, name) VALUES ('own', 'Own')");
        site.sql("INSERT INTO notes (id, owner, title) VALUES (99, 'own', 'own')");
        let report = verified(site, 0);
        assert_eq!(counts(&report, "people"), "equal 4, own 1");
        assert_eq!(counts(&report, "notes"), "equal 5, own 1");
        let mut less = people();
        less.as_array_mut().unwrap().remove(3);
        site.house.put("people.json", less.to_string());
        let report = verified(site, 1);
        assert_eq!(counts(&report, "people"), "equal 3, extra 1, own 1");
        assert_eq!(counts(&report, "notes"), "equal 4, extra 1, own 1");
        assert_eq!(found(&report), ["error D008 people.json", "error D008 people.json"]);
        // The file itself may be gone, too.
        std::fs::remove_file(site.house.path("tree/people.json")).unwrap();
        std::fs::remove_file(site.house.path("tree/mails.json")).unwrap();
        let report = verified(site, 1);
        assert_eq!(counts(&report, "people"), "extra 4, own 1");
        assert_eq!(found(&report).len(), 9);
    });
}

/// A ledger's digest over these columns.
fn digest(cells: &[(&str, &str)]) -> String {
    let mut hash = Sha256::new();
    for (column, text) in cells {
        hash.update(column.as_bytes());
        hash.update([1]);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    crate::house::hex(&hash.finalize()[..16])
}

#[test]
fn a_value_that_was_damaged_together_with_the_ledger_is_found() {
    on_every_engine(house, |site| {
        let id = site.imported();
        let told = |table: &str, key: &str, digest: &str| {
            let bytes = site.either("x'{}'", "decode('{}', 'hex')").replace("{}", digest);
            site.sql(&format!(
                "UPDATE treelift_rows SET digest = {bytes} WHERE row_key = '{key}'
                 AND columns IN (SELECT id FROM treelift_columns WHERE NOT filled)
                 AND \"table\" = (SELECT id FROM treelift_tables WHERE name = '{table}')"
            ));
        };
        site.sql("UPDATE people SET name = 'Damaged' WHERE id = '4'");
        told("people", "4", &digest(&[("id", "4"), ("name", "Damaged")]));
        // Of these there are three in one record, two of which are alike.
        let key = site.rows("SELECT CAST(min(id) AS TEXT) FROM notes WHERE title = 'b'")[0][0].clone();
        site.sql(&format!("UPDATE notes SET title = 'damaged' WHERE id = {key}"));
        told("notes", &key, &digest(&[("owner", "1"), ("title", "damaged")]));
        let report = verified(site, 1);
        assert_eq!(found(&report), ["error D001 people.json /0/notes/1", "error D001 people.json /3"]);
        assert_eq!(counts(&report, "people"), "equal 3, different 1, wrong 1");
        assert_eq!(counts(&report, "notes"), "equal 4, different 1, wrong 1");
        let said = messages(&report, "D001");
        assert!(said.iter().all(|one| one.contains(&format!("(run {id})"))), "{said:?}");
        site.house.put("unread.txt", "x");
        let set = std::fs::read_to_string(site.house.path("set/set.toml")).unwrap();
        site.house.file("set/set.toml", set + "[ignore]\n\"unread.txt\" = \"a note\"\n");
        let said = messages(&verified(site, 1), "D001");
        assert!(said.iter().all(|one| one.contains("with the set `inline` as it was then (")), "{said:?}");
    });
}

#[test]
fn sealed_values_are_opened_and_compared_and_never_shown() {
    on_every_engine(house, |site| {
        site.imported();
        let sealed = |id: &str| site.rows(&format!("SELECT sealed FROM logins WHERE id = '{id}'"))[0][0].clone();
        let (x, y) = (sealed("x"), sealed("y"));
        // Without the key nothing is said of them.
        let report = run(site, &[]).status(0).json();
        assert_eq!(counts(&report, "logins"), "unverified 2");
        assert_eq!(found(&report), ["warning D009"]);
        let brief = ["verify", "tree", "--mappings", "set", "-q", "--database", site.name()];
        let last = site.house.run(brief).status(0);
        assert_eq!(last.last_line(), "verified: 9 rows equal to the source, 2 rows cannot be verified");

        // One of another row, where it does not belong.
        site.sql(&format!("UPDATE logins SET sealed = '{y}' WHERE id = 'x'"));
        let report = verified(site, 1);
        assert_eq!(
            found(&report).iter().filter(|one| one.contains("logins.json /0")).count(),
            1,
            "{:?}",
            found(&report)
        );
        let text = report.to_string();
        assert!(!text.contains("opens-every") && text.contains("`sealed` (a secret, not shown)"), "{text}");
        site.sql(&format!("UPDATE logins SET sealed = '{x}' WHERE id = 'x'"));
        is_equal(site);

        // Another one, sealed as it should be: the record says something else.
        site.house.put(
            "logins.json",
            json!([{"id": "x", "code": "opens-every-9"}, {"id": "y", "code": "opens-every-2"}]).to_string(),
        );
        let report = verified(site, 1);
        assert_eq!(found(&report), ["error D003 logins.json /0"]);
        assert_eq!(counts(&report, "logins"), "equal 1, different 1, source_changed 1");
        assert!(!report.to_string().contains("opens-every"));
    });
}

#[test]
fn a_hash_cannot_be_verified() {
    let rules = r#"
        [table.people]
        key = ["id"]
        [table.people.columns]
        id = "id"
        password = { hash = "password" }"#;
    let house = || {
        let tables = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, password TEXT);";
        let people = json!([{"id": "a", "password": "opens-every-door-41"}]);
        House::new().schema(tables).list("people", "people.json", rules).source("people.json", &people)
    };
    on_every_engine(house, |site| {
        site.imported();
        let report = verified(site, 0);
        assert_eq!(
            (counts(&report, "people"), found(&report)),
            ("unverified 1".to_owned(), vec!["warning D009".to_owned()])
        );
        site.sql("UPDATE people SET password = NULL");
        let report = verified(site, 1);
        assert_eq!(found(&report), ["error D002 people.json /0"]);
    });
}

#[test]
fn a_tree_with_files_that_cannot_be_read_is_compared_as_far_as_it_can() {
    on_every_engine(house, |site| {
        site.imported();
        site.house.put("logins.json", "[{\"id\": \"x\"");
        let report = verified(site, 1);
        assert_eq!(found(&report), ["error J002 logins.json /0", "warning D009"]);
        assert_eq!(report["outcome"], "verified");
        let all = ["people", "notes", "logins"].map(|table| counts(&report, table));
        assert_eq!(all, ["equal 4", "equal 5", "unverified 2"]);
        let brief = ["verify", "tree", "--mappings", "set", "-q", "--database", site.name(), "--key-file", KEY_FILE];
        let last = site.house.run(brief).status(1);
        let wanted = "not verified as a whole: 1 error in the source; 9 rows equal to it, 2 rows cannot be verified";
        assert_eq!(last.last_line(), wanted);
    });
}

#[test]
fn records_that_were_rejected_at_the_import_are_missing() {
    on_every_engine(house, |site| {
        let mut bad = people();
        bad[2]["name"] = json!(null);
        site.house.put("people.json", bad.to_string());
        site.house.lift(&["--database", site.name(), "--no-backup", "--max-rejects", "1"]).ends(1, "committed");
        // It is as bad as it was.
        let report = verified(site, 1);
        assert_eq!(found(&report), ["error V002 people.json /2/name"]);
        assert_eq!(counts(&report, "people"), "equal 3");
        site.house.put("people.json", people().to_string());
        let report = verified(site, 1);
        assert_eq!(found(&report), ["error D007 people.json /2"]);
        assert_eq!(counts(&report, "people"), "equal 3, missing 1");
    });
}

#[test]
fn only_what_is_asked_for_is_compared() {
    on_every_engine(house, |site| {
        site.imported();
        site.sql("UPDATE people SET name = 'Somebody' WHERE id = '2'");
        site.sql("DELETE FROM notes WHERE title = 'c'");
        site.sql("UPDATE people SET mail = NULL WHERE id = '1'");
        let only = |mapping: &str| ["--key-file", KEY_FILE, "--only-mapping", mapping].map(str::to_owned);
        let report = |mapping: &str, status| {
            let more = only(mapping);
            run(site, &more.each_ref().map(String::as_str)).status(status).json()
        };
        let logins = report("logins", 0);
        assert_eq!((counts(&logins, "logins"), found(&logins)), ("equal 2".to_owned(), Vec::new()));
        let mails = report("mails", 1);
        assert_eq!(found(&mails), ["error D002 mails.json /0"]);
        assert_eq!(
            (counts(&mails, "people"), counts(&mails, "notes")),
            ("equal 1, different 1, edited 1".to_owned(), String::new())
        );
        let people = report("people", 1);
        assert_eq!(counts(&people, "people"), "equal 2, different 2, edited 2");
        assert_eq!(counts(&people, "notes"), "equal 4, missing 1, removed 1");
        let ran = run(site, &["--key-file", KEY_FILE, "--only-mapping", "nothing"]).status(2);
        assert!(ran.stderr.contains("the set `inline` has no mapping `nothing`"), "{}", ran.stderr);
    });
}

#[test]
fn a_database_is_only_read() {
    let house = house();
    house.lift(&["--no-backup"]).ends(0, "committed");
    let state = || {
        let about = std::fs::metadata(house.path(DATABASE)).unwrap();
        (std::fs::read(house.path(DATABASE)).unwrap(), about.modified().unwrap(), listing(&house.work()))
    };
    let before = state();
    let verify = || {
        let line = ["verify", "tree", "--mappings", "set", "--json", "--database", "sqlite:///./target.db"];
        house.run(line.iter().chain(&["--key-file", KEY_FILE]))
    };
    verify().status(0);
    assert!(state() == before);
    assert_eq!(std::fs::read_dir(house.tmp()).unwrap().count(), 0);

    // While another program writes, what was committed is compared.
    let other = Connection::open(house.path(DATABASE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE people SET name = 'Not yet'").unwrap();
    verify().status(0);
    other.execute_batch("COMMIT").unwrap();
    verify().status(1);
    // With a write-ahead log, too.
    other.execute_batch("UPDATE people SET name = 'Person ' || id; PRAGMA journal_mode = WAL").unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE people SET name = 'Not yet'").unwrap();
    let before = state();
    verify().status(0);
    assert!(state() == before);
}

#[test]
fn a_database_without_an_import_is_refused() {
    on_every_engine(house, |site| {
        let before = listing(&site.house.work());
        let ran = run(site, &[]).status(3);
        assert!(ran.stderr.contains("there is no database") || ran.stderr.contains("has no tables"), "{}", ran.stderr);
        assert_eq!(listing(&site.house.work()), before);
    });
}

#[test]
fn rows_without_a_key_are_found_by_what_they_say() {
    let rules = r#"
        [table.words]
        [table.words.columns]
        word = "word""#;
    let words = |all: &[&str]| Value::from_iter(all.iter().map(|word| json!({"word": word})));
    let house = || {
        let house = House::new().schema("CREATE TABLE words (word TEXT);");
        house.list("words", "words.json", rules).source("words.json", &words(&["a", "b", "b"]))
    };
    on_every_engine(house, |site| {
        site.imported();
        assert_eq!(counts(&verified(site, 0), "words"), "equal 3");
        site.sql("INSERT INTO words VALUES ('own')");
        assert_eq!(counts(&verified(site, 0), "words"), "equal 3, own 1");
        site.sql("UPDATE words SET word = 'z' WHERE word = 'a'");
        let report = verified(site, 1);
        assert_eq!(counts(&report, "words"), "equal 2, missing 1, own 2");
        site.sql("UPDATE words SET word = 'a' WHERE word = 'z'");
        site.house.put("words.json", words(&["a", "b"]).to_string());
        let report = verified(site, 1);
        assert_eq!(
            (counts(&report, "words"), found(&report)),
            ("equal 2, extra 1, own 1".to_owned(), vec!["error D008 words.json".to_owned()])
        );
    });
}

#[test]
fn an_import_reads_back_what_it_wrote() {
    on_every_engine(house, |site| {
        let lifted = site.house.lift(&["--database", site.name(), "--no-backup", "--verify"]).ends(0, "committed");
        let checks: BTreeMap<String, String> = lifted.report()["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| {
                (check["name"].as_str().unwrap().to_owned(), check["detail"].as_str().unwrap_or_default().to_owned())
            })
            .collect();
        assert_eq!(checks["every row is in the database as it was written"], "11 rows read back, 0 unlike");
        is_equal(site);
        // Nothing is written again, and nothing read back.
        site.house.lift(&["--database", site.name(), "--no-backup", "--verify"]).ends(0, "committed");
    });
}

#[test]
fn a_row_that_is_changed_before_the_commit_refuses_the_import() {
    // The rows were compared when they were written; this changes one of them after that.
    let later = "CREATE TRIGGER later AFTER INSERT ON notes WHEN NEW.title = 'd'
                 BEGIN UPDATE people SET visits = 9 WHERE id = '1'; END;";
    let house = house().schema(&format!("{TABLES}\n{later}"));
    let of = |more: &[&str]| house.lift(&[&["--no-backup"], more].concat());
    for more in [&["--verify", "--dry-run"][..], &["--verify"]] {
        let lifted = of(more);
        assert_eq!(lifted.status(), Some(1), "{}", lifted.words());
        let report = lifted.report();
        assert!(found(&report).contains(&"error D010 people.json /0".to_owned()), "{:?}", found(&report));
    }
    assert!(!house.path(DATABASE).exists());
}
