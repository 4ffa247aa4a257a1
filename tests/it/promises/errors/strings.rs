//! Strings and names that not every database or file system keeps: refused, or replaced and kept with a warning.

use crate::house::House;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TABLE: &str = "[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nbody = \"body\"\nrest = { each = \"rest[*]\", item = \".\" }\n";
const TEXT: &str = r#"[{"id": "a\ud800", "body": "x\u0000y", "rest": ["\udc00\ud83d\ude00", "\\ud800"]}]"#;

fn notes(set: &str, text: &str) -> House {
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT, rest JSON);";
    House::new().schema(schema).set(set).reads("notes", "{name}.json", TABLE).text("a.json", text)
}

/// How many errors and warnings there are of each code.
fn codes(report: &Value) -> Vec<String> {
    let mut counts = BTreeMap::new();
    for one in report["findings"].as_array().unwrap().iter().filter(|one| one["severity"] != "note") {
        let of = format!("{} {}", one["severity"].as_str().unwrap(), one["code"].as_str().unwrap());
        *counts.entry(of).or_insert(0) += one["count"].as_u64().unwrap();
    }
    counts.into_iter().map(|(of, count)| format!("{of} {count}")).collect()
}

#[test]
fn what_is_no_character_is_refused_or_replaced_with_its_place() {
    assert_eq!(codes(&notes("", TEXT).report(1, &["--allow-empty"])), ["error J006 1"]);
    let one = "[strings]\nlone_surrogate = \"replace\"\n";
    assert_eq!(codes(&notes(one, TEXT).report(1, &["--allow-empty"])), ["error V008 1", "warning J016 2"]);
    let house = notes(&format!("{one}nul = \"replace\"\n"), TEXT);
    let report = house.report(0, &[]);
    assert_eq!(codes(&report), ["warning J016 3"]);
    let places = report["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "J016");
    let places: Vec<_> = places.map(|one| (&one["place"]["pointer"], &one["place"]["column"])).collect();
    assert!(places.contains(&(&json!("/0/id"), &json!(11))), "{places:?}");
    let expected = [["a\u{fffd}", "x\u{fffd}y", "[\"\u{fffd}\u{1f600}\",\"\\\\ud800\"]"]];
    assert_eq!(house.rows("SELECT * FROM notes"), expected);
    let again = house.report(0, &[]);
    assert_eq!((&again["tables"][0]["unchanged"], codes(&again)), (&json!(1), vec!["warning J016 3".to_owned()]));
}

#[test]
fn files_whose_names_differ_in_case_only_are_refused_or_kept() {
    let text = |id: &str| format!(r#"[{{"id": "{id}"}}]"#);
    let house = notes("", &text("a")).text("A.json", text("b"));
    assert_eq!(codes(&house.report(1, &[])), ["error F010 1"]);
    let house = notes("[strings]\ncase_twins = \"keep\"\n", &text("a")).text("A.json", text("b"));
    assert_eq!(codes(&house.report(0, &[])), ["warning F010 1"]);
    assert_eq!(house.one("SELECT count(*) FROM notes"), "2");
}

#[test]
fn what_is_kept_is_kept_in_text_and_told() {
    let set = "[strings]\nlone_surrogate = \"replace\"\nnul = \"keep\"\n";
    let house = notes(set, TEXT);
    assert_eq!(codes(&house.report(0, &[])), ["warning J016 3"]);
    assert_eq!(house.one("SELECT hex(body) FROM notes"), "780079");
    let again = house.report(0, &[]);
    assert_eq!((&again["tables"][0]["unchanged"], codes(&again)), (&json!(1), vec!["warning J016 3".to_owned()]));
    let messages: Vec<_> = again["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["code"] == "J016")
        .map(|one| one["message"].as_str().unwrap())
        .collect();
    assert!(messages.contains(&"U+0000 is kept"), "{messages:?}");
}

#[test]
fn json_inside_of_texts_is_read_as_the_set_says_too() {
    const LOG: &str = "records = \"[*]\"\nfrom_json = [\"data\"]\n[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nbody = \"data.body\"\n";
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);";
    let of = |set: &str| {
        let text = r#"[{"id": "a", "data": "{\"body\": \"\\ud800 \\u0000\"}"}]"#;
        House::new().schema(schema).set(set).reads("notes", "{name}.json", LOG).text("a.json", text)
    };
    assert_eq!(codes(&of("").report(1, &["--allow-empty"])), ["error J015 1"]);
    let house = of("[strings]\nlone_surrogate = \"replace\"\nnul = \"replace\"\n");
    let report = house.report(0, &[]);
    assert_eq!(codes(&report), ["warning J016 2"]);
    let places: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["code"] == "J016")
        .map(|one| (&one["place"]["pointer"], &one["place"]["column"]))
        .collect();
    assert_eq!(places[0], (&json!("/0/data/body"), &json!(36)), "{places:?}");
    assert_eq!(house.rows("SELECT * FROM notes"), [["a", "\u{fffd} \u{fffd}"]]);
}

#[test]
fn words_that_no_option_takes_are_refused_with_the_nearest() {
    let house = notes("[strings]\nnul = \"kepe\"\ncase_twin = \"keep\"\n", "[]");
    let ran = house.run(["check", "set"]).status(2);
    let words = format!("{}{}", ran.stdout, ran.stderr);
    assert!(words.contains("did you mean `keep`?") && words.contains("did you mean `case_twins`?"), "{words}");
}
