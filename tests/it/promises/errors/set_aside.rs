//! `--set-aside`: whatever cannot be imported is in the reject folder, everything else in the database.

use crate::house::faults::{self, ORDERS_EACH, PEOPLE_COUNT, bad_orders, broken_notes};
use crate::house::site::on_every_engine;
use crate::house::{DATABASE, House, findings};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const ASIDE: [&str; 3] = ["--set-aside", "--rejects", "rejects"];

/// The records and files in the reject folder.
pub(crate) fn rejects(house: &House) -> Vec<Value> {
    let text = fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["frame"].is_null()).collect()
}

/// The codes that each file was set aside for.
fn reasons(house: &House) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::<String, BTreeSet<String>>::new();
    for line in rejects(house) {
        let codes = line["findings"].as_array().unwrap().iter().map(|one| one[0].as_str().unwrap().to_owned());
        all.entry(line["file"].as_str().unwrap().to_owned()).or_default().extend(codes);
    }
    all
}

#[test]
fn every_good_neighbour_of_every_fault_is_committed_and_the_faults_are_in_the_folder() {
    on_every_engine(faults::house, |site| {
        let house = &site.house;
        faults::plant(house);
        let dry = house.lift(&[&ASIDE[..], &["--database", site.name(), "--dry-run"]].concat()).ends(1, "dry-run");
        let lifted = house.lift(&[&ASIDE[..], &["--database", site.name()]].concat()).ends(1, "committed");
        let (report, dry) = (lifted.report(), dry.report());
        for same in ["files", "leaves", "set_aside", "tables", "findings", "verdict"] {
            assert_eq!(report[same], dry[same], "{same}");
        }
        let good = PEOPLE_COUNT * ORDERS_EACH;
        // The one file in which every record is bad has none of its good ones.
        assert_eq!(site.count("orders"), (good - ORDERS_EACH) as u64);
        assert_eq!(site.rows("SELECT person, body FROM notes WHERE body <> 'good'"), [[""; 0]; 0]);
        assert_eq!((site.count("people"), site.count("notes")), (PEOPLE_COUNT as u64, PEOPLE_COUNT as u64));

        let mut expected = BTreeMap::<String, BTreeSet<String>>::new();
        let mut expect = |path: String, codes: &[&str]| {
            expected.entry(path).or_default().extend(codes.iter().map(|code| (*code).to_owned()));
        };
        broken_notes().iter().for_each(|(name, _, code)| expect(format!("users/p01/notes/{name}.json"), &[code]));
        for (at, (_, code)) in bad_orders().iter().enumerate() {
            expect(format!("users/p{:02}/orders.json", at + 2), &[code]);
        }
        expect("people.json".to_owned(), &["V001", "R002"]);
        expect("users/lee/orders.json".to_owned(), &["O002"]);
        expect("users/nobody/orders.json".to_owned(), &["O001"]);
        expect("users/p15/orders.json".to_owned(), &["V005"]);
        expect("users/p01/notes/alone.json".to_owned(), &["V004"]);
        expect("users/p20/notes/sub/deep.json".to_owned(), &["F001"]);
        expect("stray.json".to_owned(), &["F001"]);
        expect("users/p01/notes/Twin.json".to_owned(), &["F010"]);
        expect("users/p01/notes/twin.json".to_owned(), &["F010"]);
        expect("users/p01/notes/folder.json".to_owned(), &["F006"]);
        expect("users/p01/notes/folder.json/inner.json".to_owned(), &["F001"]);
        expect("users/p01/notes/link.json".to_owned(), &["F008"]);
        expect("users/p01/notes/outside.json".to_owned(), &["F008"]);
        assert_eq!(reasons(house), expected);

        let lines = rejects(house);
        let records = lines.iter().filter(|line| line["record"].is_u64()).count();
        assert_eq!(report["set_aside"], json!({"records": records, "files": lines.len() - records}));
        let words = site.house.run(["runs", "--database", site.name(), "--json"]).json().to_string();
        assert!(words.contains(&format!("\"rejected\":{}", lines.len() - 3)), "three are no files: {words}");
    });
}

#[test]
fn the_last_line_says_how_much_was_set_aside() {
    let house = faults::house();
    house.put("stray.json", "{}");
    house.put("users/p02/notes/second.json", json!({"body": 1}).to_string());
    crate::house::age(&house.path("tree"));
    let run = house.import(&house.path("tree"), &[&ASIDE[..], &["--mappings", "set"]].concat()).status(1);
    let end = "committed with 2 set aside (1 record, 1 file): 542 rows into sqlite:///./target.db";
    assert_eq!(run.last_line(), end);
}

#[test]
fn what_looks_like_a_secret_and_is_undecided_refuses_all_the_same() {
    let house = faults::house();
    house.put("stray.json", "{}");
    house.put("users/p02/notes/second.json", json!({"body": "x", "apiToken": "hunter2hunter2"}).to_string());
    // Another record of the person is undecided too, and says nothing of the secret.
    house.put("users/p02/notes/third.json", json!({"body": "x", "nickname": "Kim"}).to_string());
    let lifted = house.lift(&ASIDE).ends(1, "rolled-back");
    let errors: BTreeSet<String> =
        findings(&lifted.report()).into_iter().filter(|found| found.1 == "error").map(|found| found.0).collect();
    assert_eq!(errors, ["F001", "S002", "X001"].map(str::to_owned).into());
    assert!(!house.path(DATABASE).exists());
    assert_eq!(house.holders(&lifted, "hunter2"), [""; 0]);
}

#[test]
fn an_undecided_value_around_records_sets_the_file_aside() {
    let house = faults::house();
    let order = json!({"id": 900, "title": "x"});
    house.put("users/p03/orders.json", json!({"saved": "x", "extra": 1, "orders": [order]}).to_string());
    house.lift(&ASIDE).ends(1, "committed").counts("inserted", "notes 20, orders 475, people 20, shops 2");
    let lines = rejects(&house);
    assert_eq!(
        (lines.len(), &lines[0]["file"], &lines[0]["record"]),
        (1, &"users/p03/orders.json".into(), &Value::Null)
    );
    assert_eq!(lines[0]["findings"][0][0], "S002");
}

#[test]
fn a_limit_still_limits() {
    let house = faults::house();
    house.put("stray.json", "{}");
    house.put("users/p02/notes/second.json", json!({"body": "x", "nickname": "Kim"}).to_string());
    house.lift(&[&ASIDE[..], &["--max-rejects", "1"]].concat()).ends(1, "rolled-back");
    assert!(!house.path(DATABASE).exists());
    house.lift(&[&ASIDE[..], &["--max-rejects", "2"]].concat()).ends(1, "committed");
}

#[test]
fn a_thousand_undecided_records_take_two_attempts() {
    let house = faults::house();
    let notes: Value = (1..=1_000).map(|n| json!({"id": 1_000 + n, "title": "x", "shop": "s1", "nick": n})).collect();
    house.put("users/p07/orders.json", json!({"saved": "x", "orders": notes}).to_string());
    let lifted = house.lift(&ASIDE).ends(1, "committed");
    assert_eq!(lifted.report()["set_aside"], json!({"records": 1_000, "files": 0}));
    assert_eq!(rejects(&house).len(), 1_000);
}

#[test]
fn without_a_folder_it_is_a_usage_error() {
    let house = faults::house();
    house.lift(&["--set-aside"]).refuses("`--set-aside` needs a folder for what it sets aside");
    assert!(!house.path(DATABASE).exists());
}
