//! What an entry of `[ignore]` and `expected` covers, and the entries that a run proposes.

use crate::house::House;
use crate::house::inline::Lifted;
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY NOT NULL, city TEXT, data JSON);";

const RULES: &str = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n";

fn items(rules: &str, items: &Value) -> House {
    let rules = format!("{RULES}{rules}");
    House::new().schema(TABLES).list("items", "items.json", &rules).source("items.json", items)
}

/// The entries that the findings of a run propose under `[ignore]`.
fn proposed(lifted: &Lifted) -> Vec<String> {
    let report = lifted.report();
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "S002");
    let entry = |finding: &Value| {
        let message = finding["message"].as_str().unwrap();
        let start = message.find("`\"").map(|at| at + 1)?;
        let end = message.find("` under [ignore]")?;
        Some(message[start..end].to_owned())
    };
    findings.filter_map(entry).collect()
}

#[test]
fn a_path_alone_ignores_a_scalar_null_or_an_empty_container() {
    let entry = "[ignore]\naddress = \"not needed\"\n";
    let values = json!([
        {"id": 1, "address": null}, {"id": 2, "address": {}}, {"id": 3, "address": []}, {"id": 4, "address": "x"},
        {"id": 5, "address": {"phone": 1}},
    ]);
    let lifted = items(entry, &values).lift(&[]).ends(1, "rolled-back").leaves("column 5, ignored 4, unmapped 1");
    lifted.finds(&["error S002 items.json /4/address/phone"]);
}

#[test]
fn two_stars_ignore_the_value_itself_and_everything_below() {
    let entry = "[ignore]\n\"address.**\" = \"not needed\"\n";
    let values = json!([
        {"id": 1, "address": null}, {"id": 2, "address": {"phone": [{"no": 1}, []], "city": "x"}}, {"id": 3, "address": []},
    ]);
    items(entry, &values).lift(&[]).ends(0, "committed").leaves("column 3, ignored 5").finds(&[]);
}

#[test]
fn an_entry_names_the_values_below_it_that_it_does_not_cover() {
    let entry = "city = \"address.city\"\n[ignore]\naddress = \"not needed\"\n";
    let lifted = items(entry, &json!([{"id": 1, "address": {"city": "x"}}])).lift(&[]).ends(0, "committed");
    let report = lifted.report();
    let notes = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "S004");
    let notes: Vec<_> =
        notes.map(|note| (note["message"].as_str().unwrap(), note["mapping"].as_str().unwrap())).collect();
    let message = "`address` under [ignore] covers no more than the value itself, and files have values below it; \
                   `address.**` covers those, too";
    assert_eq!(notes, [(message, "set/items.toml:14")]);
}

#[test]
fn expected_covers_what_is_below_with_two_stars_only() {
    let values = json!([{"id": 1, "data": {"a": {"b": 1}}}]);
    let caught = |expected: &str| {
        let rules = format!("{RULES}data = \"data\"\n");
        let source = format!("expected = [\"{expected}\"]\n[source]\nfiles = [\"items.json\"]\n");
        let shape = "[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n";
        let house = House::new().schema(TABLES).mapping("items", &format!("{source}{shape}{rules}"));
        house.source("items.json", &values).lift(&[]).ends(0, "committed")
    };
    caught("data.a").finds(&["warning S003 items.json /0/data/a/b"]);
    caught("data.**").finds(&[]);
}

/// Whoever copies the proposed lines into the mapping ignores what they were proposed for, and nothing else.
#[test]
fn a_proposed_entry_covers_one_value_whatever_its_name() {
    let odd = [
        "plain",
        "odd key",
        "it's",
        "a\"b",
        "back\\slash",
        "dot.ted",
        "br[a]cket",
        "*",
        "#x",
        "",
        "ünï",
        "a\u{1b}b",
        "\u{202e}r",
        "\\u{41}",
        "**",
    ];
    let with = |value: &dyn Fn(usize) -> Value| {
        let mut record: serde_json::Map<_, _> =
            odd.iter().enumerate().map(|(at, name)| ((*name).to_owned(), value(at))).collect();
        record.insert("id".to_owned(), 1.into());
        json!([record])
    };
    let house = items("", &with(&|at| [Value::Null, json!({}), json!([]), json!("x")][at % 4].clone()));
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves(&format!("column 1, unmapped {}", odd.len()));
    let entries = proposed(&lifted);
    assert_eq!(entries.len(), odd.len());

    let house = house.list("items", "items.json", &format!("{RULES}[ignore]\n{}\n", entries.join("\n")));
    house.lift(&["--dry-run"]).ends(0, "dry-run").leaves(&format!("column 1, ignored {}", odd.len()));
    // What a later file has below is still missed.
    let house = house.source("items.json", &with(&|_| json!({"later": 1})));
    house.lift(&[]).ends(1, "rolled-back").leaves(&format!("column 1, unmapped {}", odd.len()));
}

#[test]
fn an_empty_record_and_an_empty_element_are_ignored_alone() {
    let values = json!([{"id": 1, "p": [{}, {"a": 1}]}, {}]);
    let rules = "[table.items]\nkey = [\"id\"]\nwhen = { members = [\"id\"] }\n[table.items.columns]\nid = \"id\"\n";
    let house = House::new().schema(TABLES).list("items", "items.json", rules).source("items.json", &values);
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    assert_eq!(proposed(&lifted), [r#""." = "why""#, r#""p[*]" = "why""#, r#""p[*].a" = "why""#]);
    let entries = format!("{rules}[ignore]\n\"p[*]\" = \"why\"\n\".\" = \"why\"\n");
    let house = house.list("items", "items.json", &entries);
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 1, ignored 2, unmapped 1");
    lifted.finds(&["error S002 items.json /0/p/1/a"]);
}

#[test]
fn no_entry_is_proposed_that_would_cover_other_members() {
    let mut record: serde_json::Map<_, _> = (0..2_010).map(|at| (format!("k{at}"), at.into())).collect();
    record.insert("id".to_owned(), 1.into());
    let lifted = items("", &json!([record])).lift(&[]).ends(1, "rolled-back");
    assert!(!proposed(&lifted).iter().any(|entry| entry.contains('*')), "{:?}", proposed(&lifted));
    let message = "no rule keeps `*`: the object has too many different names to distinguish them; select its \
                   members with `.*`, or keep the object with `json`";
    assert!(lifted.report()["findings"].as_array().unwrap().iter().any(|finding| finding["message"] == message));
}

#[test]
fn names_of_members_are_ignored_by_what_key_as_calls_them() {
    let rules = "[table.items]\nkey = [\"id\"]\neach = \"days.*\"\nkey_as = \"day\"\n[table.items.columns]\nid = \"no\"\n\
                 city = { from = \"city\", default = \"none\" }\n";
    let of = |names: &str, ignored: &str| {
        let source = format!("[source]\nfiles = [\"items.json\"]\nrecords = \"of.*.*\"\nkey_as = {names}\n");
        House::new().schema(TABLES).mapping("items", &format!("{source}{rules}{ignored}")).source(
            "items.json",
            &json!({"of": {"ann": {"x": {"days": {"mon": {"no": 1}, "tue": {"no": 2}}}, "y": {"days": {}}}, "bob": {"z": {"days": {"sun": {"no": 3}}}}}}),
        )
    };
    let ignored =
        "[ignore]\n\"#who\" = \"found elsewhere\"\n\"#part\" = \"no meaning\"\n\"#day\" = \"a number says it\"\n";
    let house = of("[\"who\", \"part\"]", ignored);
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 4, ignored 8").finds(&[]);
    let report = lifted.report();
    let reasons: Vec<_> = report["ignored"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}: {} {}", one["what"].as_str().unwrap(), one["reason"].as_str().unwrap(), one["leaves"]))
        .collect();
    assert_eq!(
        reasons,
        ["items: #day: a number says it 3", "items: #part: no meaning 3", "items: #who: found elsewhere 2"]
    );
    house
        .lift(&[])
        .ends(0, "committed")
        .leaves("column 4, ignored 8")
        .counts("inserted", "")
        .counts("unchanged", "items 3");

    // A string calls the last of them; what nothing calls cannot be ignored so.
    let house = of("\"part\"", "[ignore]\n\"#day\" = \"a number says it\"\n");
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 4, ignored 3, unmapped 5");
    assert_eq!(proposed(&lifted), ["\"#part\" = \"why\""; 3]);
}
