//! Of one key the last record counts, and may say that the row is gone.

use crate::house::inline::told;
use crate::house::{House, findings};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str =
    "CREATE TABLE todos (id TEXT PRIMARY KEY, title TEXT NOT NULL CHECK (title <> 'bad'), done BOOLEAN);
    CREATE TABLE parts (todo TEXT NOT NULL REFERENCES todos (id), part TEXT NOT NULL, PRIMARY KEY (todo, part));";
const RULES: &str = "[table.todos]\nkey = [\"id\"]\non_duplicate = \"last\"\ndelete = { members = [\"gone\"] }\n\
    [table.todos.columns]\nid = \"id\"\ntitle = \"title\"\ndone = \"done\"\n\
    [table.parts]\nparent = \"todos\"\neach = \"parts[*]\"\nkey = [\"todo\", \"part\"]\n\
    [table.parts.columns]\ntodo = \"^id\"\npart = \".\"\n";

fn todos(source: &str, files: &[(&str, &str)]) -> House {
    let house = House::new().schema(SCHEMA).reads("todos", "{name}.x", &format!("{source}{RULES}"));
    files.iter().for_each(|(name, text)| house.put(name, text));
    house
}

fn rows(house: &House) -> Vec<Vec<String>> {
    house.rows(
        "SELECT id, title, coalesce((SELECT group_concat(part) FROM parts WHERE todo = id), '') FROM todos ORDER BY id",
    )
}

const LOG: &str = r#"{"id": "a", "title": "one", "parts": ["x"]}
{"id": "b", "title": "two", "parts": ["y"]}
{"id": "a", "title": "uno", "done": true, "parts": ["z"]}
{"id": "b", "gone": true, "by": "ann"}
{"id": "c", "title": "three"}
{"id": "d", "gone": true}
{"id": "d", "title": "four"}
"#;

#[test]
fn the_last_record_of_a_key_counts_and_may_remove_the_row() {
    let house = todos("format = \"lines\"\n", &[("log.x", LOG)]);
    let report = house.report(0, &[]);
    assert_eq!(rows(&house), [["a", "uno", "z"], ["c", "three", ""], ["d", "four", ""]]);
    let leaves = &report["leaves"];
    // Of `a` 3 are superseded; of `b` 3 are removed, by a record of 3; of `d` a record of 2 removed nothing.
    assert_eq!(
        [&leaves["seen"], &leaves["column"], &leaves["ignored"], &leaves["unmapped"]],
        [19, 8, 11, 0].map(Value::from).each_ref()
    );
    let codes: Vec<_> = findings(&report).into_iter().map(|(severity, code, _)| format!("{severity} {code}")).collect();
    assert!(codes.contains(&"R015 note".to_owned()) && codes.contains(&"R016 note".to_owned()), "{codes:?}");
    assert_eq!((&report["tables"][0]["name"], &report["tables"][0]["inserted"]), (&json!("parts"), &json!(1)));
    let again = house.report(0, &[]);
    assert_eq!((&again["tables"][1]["inserted"], &again["tables"][1]["unchanged"]), (&json!(0), &json!(3)));
    assert_eq!(again["leaves"], report["leaves"]);
}

#[test]
fn files_count_in_the_order_of_their_patterns_and_then_of_their_paths() {
    let house = House::new().schema(SCHEMA).reads("todos", "z/base.json a/{day}.json", RULES);
    for (file, title) in [("a/1.json", "first day"), ("z/base.json", "base"), ("a/2.json", "second day")] {
        house.put(file, format!(r#"{{"id": "a", "title": "{title}"}}"#));
    }
    house.report(0, &[]);
    assert_eq!(rows(&house), [["a", "second day", ""]]);
}

#[test]
fn a_rejected_record_is_not_the_last_one() {
    // One is refused when it is made, one by the database.
    for bad in [r#"{"id": "a", "title": "two", "done": "maybe"}"#, r#"{"id": "a", "title": "bad"}"#] {
        let log = format!("{{\"id\": \"a\", \"title\": \"one\"}}\n{bad}\n");
        let house = todos("format = \"lines\"\n", &[("log.x", &log)]);
        let report = house.report(1, &["--max-rejects", "1"]);
        assert_eq!(rows(&house), [["a", "one", ""]], "{bad}");
        assert_eq!(report["files"][0]["rejected"], 1);
    }
}

#[test]
fn a_row_that_the_database_has_is_not_removed_or_replaced_in_silence() {
    let house = todos("format = \"lines\"\n", &[("log.x", "{\"id\": \"a\", \"title\": \"one\"}\n")]);
    house.report(0, &[]);
    for more in ["{\"id\": \"a\", \"gone\": true}\n", "{\"id\": \"a\", \"title\": \"two\"}\n"] {
        house.put("log.x", format!("{{\"id\": \"a\", \"title\": \"one\"}}\n{more}"));
        let report = house.report(1, &[]);
        assert!(told(&report).iter().any(|one| one.starts_with("error R003")), "{:?}", told(&report));
        assert_eq!(rows(&house), [["a", "one", ""]]);
    }
}

#[test]
fn a_row_of_a_rule_that_says_nothing_of_the_kind_is_in_the_way() {
    let house = todos("format = \"lines\"\n", &[("log.x", "{\"id\": \"a\", \"title\": \"one\"}\n")]);
    let other = "[table.todos]\nkey = [\"id\"]\n[table.todos.columns]\nid = \"id\"\ntitle = \"title\"\n";
    let house = house.reads("a_base", "base.json", other).text("base.json", r#"{"id": "a", "title": "base"}"#);
    assert!(told(&house.report(1, &[])).iter().any(|one| one.starts_with("error R001")));
}

/// Of a file that is too large to be kept while it is read twice.
#[test]
fn a_large_file_is_read_again() {
    let body = "x".repeat(60_000);
    let records: Vec<String> = (0..60)
        .map(|i| format!(r#"{{"id": "k{}", "title": "{i}", "done": null, "parts": [], "body": "{body}"}}"#, i % 7))
        .collect();
    let source = "[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n";
    let house = House::new()
        .schema(SCHEMA)
        .reads("todos", "{name}.x", &format!("{source}{RULES}[ignore]\nbody = \"long\"\n"))
        .text("a.x", format!("[{}]", records.join(",")));
    let report = house.report(0, &[]);
    assert_eq!(
        house.one("SELECT group_concat(title) FROM (SELECT title FROM todos ORDER BY id)"),
        "56,57,58,59,53,54,55"
    );
    assert_eq!((&report["leaves"]["unmapped"], &report["leaves"]["seen"]), (&json!(0), &json!(300)));
}

/// What a log leaves behind is what a map that is written by its records holds in the end.
#[test]
fn a_log_gives_what_a_map_holds_in_the_end() {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for round in 0..8 {
        let (mut map, mut files, mut seen) = (BTreeMap::new(), BTreeMap::<String, Vec<String>>::new(), 0);
        for file in 0..1 + random(3) {
            for number in 0..random(300) {
                let id = format!("k{}", random(40));
                let record = if random(5) == 0 {
                    map.remove(&id);
                    seen += 2;
                    format!(r#"{{"id": "{id}", "gone": 1}}"#)
                } else {
                    let title = format!("{file}/{number}");
                    map.insert(id.clone(), title.clone());
                    seen += 2;
                    format!(r#"{{"id": "{id}", "title": "{title}"}}"#)
                };
                files.entry(format!("f{file}.x")).or_default().push(record);
            }
        }
        let is_lines = round % 2 == 0;
        let source =
            if is_lines { "format = \"lines\"\n" } else { "[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n" };
        let house = todos(source, &[]);
        for (name, records) in &files {
            let text = if is_lines { records.join("\n") + "\n" } else { format!("[{}]", records.join(",")) };
            house.put(name, &text);
        }
        let report = house.report(0, &["--allow-empty", "--jobs", if round % 4 < 2 { "1" } else { "3" }]);
        let expected: Vec<Vec<String>> = map.into_iter().map(|(id, title)| vec![id, title, String::new()]).collect();
        assert_eq!(rows(&house), expected, "round {round}");
        let leaves = &report["leaves"];
        assert_eq!((&leaves["seen"], &leaves["column"]), (&json!(seen), &json!(2 * expected.len())), "round {round}");
        assert_eq!((&leaves["unmapped"], &leaves["rejected"]), (&json!(0), &json!(0)));
    }
}

#[test]
fn what_makes_the_last_one_unknowable_is_refused() {
    let check = |source: &str, rule: &str| {
        let text = format!(
            "{source}[table.todos]\nkey = [\"id\"]\n{rule}[table.todos.columns]\nid = \"id\"\ntitle = \"title\"\n"
        );
        let house = House::new().schema(SCHEMA).reads("todos", "{name}.x", &text);
        let ran = house.run(["check", "set"]).status(2);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    let told = check("newest = [\"at\"]\n", "on_duplicate = \"last\"\n");
    assert!(told.contains("M171") && told.contains("reads the newest file first"), "{told}");
    let told = check("", "on_duplicate = \"first\"\ndelete = { members = [\"x\"] }\n");
    assert!(told.contains("`delete` has no effect without `on_duplicate = \"last\"`"), "{told}");
}

/// Todos of two people, whose folders are theirs; of Ann there is another one.
fn owned(files: &[(&str, &str)]) -> House {
    let schema = "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT);
        CREATE TABLE todos (id TEXT PRIMARY KEY, title TEXT NOT NULL, done BOOLEAN);";
    let set = "[owners]\ncapture = \"owner\"\ntable = \"people\"\n\
               find = [{ by = { id = \"#owner\" } }, { by = { name = \"#owner\" }, alias = true }]\n";
    let rules = RULES.split("[table.parts]").next().unwrap();
    let people =
        "records = \"[*]\"\n[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\n";
    let house = House::new()
        .schema(schema)
        .set(set)
        .reads("todos", "{owner}/{name}.x", &format!("format = \"lines\"\n{rules}"))
        .reads("people", "people.json", people)
        .text("people.json", r#"[{"id": "1", "name": "ann"}, {"id": "2"}]"#);
    files.iter().for_each(|(name, text)| house.put(name, text));
    house
}

#[test]
fn the_last_record_of_one_owner_is_in_the_way_of_another_owners() {
    let (row, other, gone) = (
        "{\"id\": \"a\", \"title\": \"one\"}\n",
        "{\"id\": \"a\", \"title\": \"two\"}\n",
        "{\"id\": \"a\", \"gone\": true}\n",
    );
    for (first, second) in [(row, gone), (gone, row), (row, other)] {
        let house = owned(&[("1/log.x", first), ("2/log.x", second)]);
        let report = house.report(1, &[]);
        let duplicate = report["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "R001");
        let duplicate = duplicate.unwrap_or_else(|| panic!("{:#}", report["findings"]));
        let message = duplicate["message"].as_str().unwrap();
        assert!(
            duplicate["place"]["file"] == "2/log.x" && message.contains("(the other is 1/log.x:1:1"),
            "{duplicate:#}"
        );
        let report = house.report(1, &["--max-rejects", "1"]);
        assert_eq!(report["outcome"], "committed");
        let titles = house.rows("SELECT title FROM todos");
        assert_eq!(titles, if first == gone { vec![] } else { vec![vec!["one".to_owned()]] });
    }
}

/// What another rule for the table does with a row that the log removes.
#[test]
fn a_removal_is_to_other_rules_what_a_row_would_be() {
    let run = |set: &str, words: &str, columns: &str, more: &[&str], status: i32| {
        let schema = "CREATE TABLE todos (id TEXT PRIMARY KEY, title TEXT NOT NULL, done BOOLEAN);";
        let rules = RULES.split("[table.parts]").next().unwrap();
        let other = format!("[table.todos]\nkey = [\"id\"]\n{words}[table.todos.columns]\nid = \"id\"\n{columns}");
        let house = House::new()
            .schema(schema)
            .set(set)
            .reads("todos", "log.x", &format!("format = \"lines\"\n{rules}"))
            .list("with", "with.json", &format!("{other}[ignore]\n\"*\" = \"of rows that are gone\"\n"))
            .text("log.x", "{\"id\": \"a\", \"title\": \"one\"}\n{\"id\": \"a\", \"gone\": true}\n{\"id\": \"b\", \"title\": \"two\"}\n")
            .text("with.json", r#"[{"id": "a", "title": "uno", "done": true}]"#);
        let report = house.report(status, more);
        let titles = house.rows("SELECT id, title FROM todos");
        let other = |one: &&String| ["R001", "R002", "R005", "R014"].iter().any(|code| one.contains(code));
        (told(&report).iter().filter(other).cloned().collect::<Vec<_>>(), titles, report["leaves"]["rejected"].clone())
    };
    let (ranked, title) = ("[precedence]\ntodos = [\"todos\", \"with\"]\n", "title = \"title\"\n");
    let stays = vec![vec!["b".to_owned(), "two".to_owned()]];
    // A `fill` rule that starts no row has none to give to; others give way.
    for (set, words, columns) in [
        (ranked, "on_duplicate = \"fill\"\n", "done = \"done\"\n"),
        (ranked, "", title),
        ("", "on_duplicate = \"first\"\n", title),
    ] {
        let (told, titles, rejected) = run(set, words, columns, &[], 0);
        assert!(!told.iter().any(|one| one.contains("R001")), "{words}: {told:?}");
        assert_eq!((titles, rejected), (stays.clone(), json!(0)), "{words}");
    }
    // One that makes rows and has no rank finds the key taken.
    for words in ["", "on_duplicate = \"fill\"\n"] {
        let (told, titles, rejected) =
            run(if words.is_empty() { "" } else { ranked }, words, title, &["--max-rejects", "1"], 1);
        assert!(told.iter().any(|one| one.starts_with("error R001")), "{words}: {told:?}");
        assert_eq!((titles, rejected), (stays.clone(), json!(3)), "{words}");
    }
}

#[test]
fn the_folders_of_one_owner_are_read_as_one_and_two_owners_may_remove_the_same() {
    let (row, gone) = ("{\"id\": \"a\", \"title\": \"one\"}\n", "{\"id\": \"a\", \"gone\": true}\n");
    for (first, second) in [(row, gone), (gone, gone)] {
        let folder = if first == row { "ann" } else { "2" };
        let house = owned(&[("1/log.x", first), (&format!("{folder}/later.x"), second)]);
        for _ in 0..2 {
            house.report(0, &[]);
            assert_eq!(house.one("SELECT count(*) FROM todos"), "0");
        }
    }
}

#[test]
fn a_record_that_makes_no_row_is_not_the_last_one() {
    let rules = RULES.replace("title = \"title\"", "title = { from = \"title\", on_absent = \"skip\" }");
    let log = "{\"id\": \"a\", \"title\": \"one\", \"parts\": [\"x\"]}\n{\"id\": \"a\", \"done\": true, \"parts\": [\"y\"]}\n";
    let rest = "[ignore]\n\"**\" = \"of records that make no row\"\n";
    let house = House::new().schema(SCHEMA).reads("todos", "{name}.x", &format!("format = \"lines\"\n{rules}{rest}"));
    house.put("log.x", log);
    house.report(0, &[]);
    assert_eq!(rows(&house), [["a", "one", "x"]]);
}
