//! Whose directory is whose, where that is not plain.

mod directories;
mod made;

use crate::house::House;
use crate::house::inline::{fate, told};

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT, ok BOOLEAN, born DATETIME);
    CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, person TEXT, ok BOOLEAN, born DATETIME);";
const OWNERS: &str = "[owners]\ncapture = \"owner\"\ntable = \"people\"\n\
    find = [{ by = { id = \"#owner\" } }, { by = { name = \"#owner\" }, alias = true }]\nunknown = { ignore = \"nobody's\" }\nownerless = \"only-user\"\n";
const PEOPLE: &str = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\nok = \"ok\"\n\
    born = \"born\"\n";
const NOTE: &str = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nperson = \"#owner.id\"\n\
    ok = \"#owner.ok\"\nborn = \"#owner.born\"\n";

fn people(people: &str) -> House {
    House::new()
        .schema(TABLES)
        .set(OWNERS)
        .list("people", "people.json", PEOPLE)
        .list("notes", "people/{owner}/notes.json", NOTE)
        .list("shared", "notes.json", NOTE)
        .text("people.json", people)
}

#[test]
fn a_directory_of_a_rejected_owner_is_rejected_under_every_name() {
    let house = people(r#"[{"id": "1", "name": "ann"}, {"id": "2", "name": "bob", "ok": "BAD"}]"#)
        .text("people/1/notes.json", r#"[{"id": "n1"}]"#)
        .text("people/2/notes.json", r#"[{"id": "n2"}]"#)
        .text("people/bob/notes.json", r#"[{"id": "n3"}]"#);
    let report = house.report(1, &["--max-rejects", "9"]);
    for path in ["people/2/notes.json", "people/bob/notes.json"] {
        assert_eq!(fate(&report, path), "rejected: the owner was rejected");
    }
    assert_eq!(fate(&report, "people/1/notes.json"), "imported");
    let codes: Vec<_> = told(&report).iter().map(|told| told[..10].to_owned()).collect();
    assert_eq!(codes, ["error O002", "error O002", "error V004"]);
    assert_eq!(house.one("SELECT person FROM notes"), "1");
}

#[test]
fn files_without_an_owner_are_not_given_to_the_only_owner_left() {
    let house = people(r#"[{"id": "1", "name": "ann"}, {"id": "2", "name": "bob", "ok": "BAD"}]"#)
        .text("notes.json", r#"[{"id": "n1"}]"#);
    let report = house.report(1, &["--max-rejects", "9"]);
    assert_eq!(fate(&report, "notes.json"), "ignored: nobody's");

    let only = people(r#"[{"id": "2", "name": "bob", "ok": "BAD"}]"#).text("notes.json", r#"[{"id": "n1"}]"#);
    let report = only.report(1, &["--max-rejects", "9"]);
    assert_eq!(fate(&report, "notes.json"), "rejected: the owner was rejected");
}

/// A tree of three owners, one of whom is in a file of its own, with a file of each and one of nobody.
fn people_and(broken: &str) -> House {
    people(broken)
        .list("staff", "staff.json", PEOPLE)
        .text("staff.json", r#"[{"id": "9", "name": "eve"}]"#)
        .text("people/1/notes.json", r#"[{"id": "n1"}]"#)
        .text("people/bob/notes.json", r#"[{"id": "n2"}]"#)
        .text("people/9/notes.json", r#"[{"id": "n9"}]"#)
        .text("notes.json", r#"[{"id": "n0"}]"#)
}

fn last_line(house: &House, most: &str) -> String {
    let ran = house.import(&house.tree(), &["--mappings", "set", "--max-rejects", most]).status(1);
    ran.stdout.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_directory_is_not_nobodys_where_the_file_of_the_owners_is_broken() {
    let cut = (r#"[{"id": "1", "name": "ann"}, {"id": "2", "na"#, "J002");
    for (broken, code) in [cut, ("", "F004"), (r#"{"of": "another kind"}"#, "S001")] {
        let house = people_and(broken);
        let report = house.report(1, &["--max-rejects", "3"]);
        assert_eq!(report["outcome"], "rolled-back", "{code}");
        let rejects = house.path("rejects");
        let report = house.report(1, &["--max-rejects", "4", "--rejects", rejects.to_str().unwrap()]);
        assert_eq!(report["outcome"], "committed", "{code}");
        for path in ["people/1/notes.json", "people/bob/notes.json", "notes.json"] {
            let reason = "rejected: the owner is unknown, because `people.json` was rejected";
            assert_eq!(fate(&report, path), reason, "{code}");
        }
        let told = told(&report);
        let of = |who: &str| {
            format!("error O007 the owner of {who} is unknown, because `people.json` was rejected: 1 file rejected too")
        };
        let who = ["files without an owner", "directory `1`", "directory `bob`"];
        assert_eq!(told.iter().filter(|told| told.starts_with("error O007")).count(), 3, "{told:?}");
        assert!(who.iter().all(|who| told.contains(&of(who))), "{told:?}");
        assert!(told.iter().any(|told| told.starts_with(&format!("error {code}"))), "{told:?}");
        let errors = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "O007");
        assert!(errors.into_iter().all(|finding| finding["place"]["file"] == "people.json"), "{report}");
        assert_eq!(
            report["files"].as_array().unwrap().iter().map(|file| file["rejected"].as_u64().unwrap()).sum::<u64>(),
            4
        );
        let kept = std::fs::read_to_string(rejects.join("rejects.jsonl")).unwrap();
        assert_eq!(kept.lines().count(), 4, "{kept}");
        assert_eq!(house.rows("SELECT id, person FROM notes"), [["n9", "9"]], "{code}");
    }
}

#[test]
fn the_last_line_counts_the_files_whose_owner_could_not_be_read() {
    let house = people_and("[");
    assert!(last_line(&house, "3").starts_with("refused: "), "{}", last_line(&house, "3"));
    let line = last_line(&house, "4");
    assert!(line.starts_with("committed without 4 rejected records: 2 rows into "), "{line}");
}

#[test]
fn owners_that_the_database_has_are_found_where_their_file_is_broken() {
    let house = people_and(r#"[{"id": "1", "name": "ann"}, {"id": "2", "name": "bob"}]"#);
    house.report(0, &[]);
    house.put("people.json", r#"[{"id": "1", "name": "ann"}, {"id": "3", "name": "zoe"}, {"id": "2", "#);
    let house = house.text("people/zoe/notes.json", r#"[{"id": "n3"}]"#);
    let report = house.report(1, &["--max-rejects", "3"]);
    assert_eq!(report["outcome"], "committed");
    for path in ["people/1/notes.json", "people/bob/notes.json", "people/9/notes.json"] {
        assert_eq!(fate(&report, path), "imported");
    }
    for path in ["people/zoe/notes.json", "notes.json"] {
        assert_eq!(fate(&report, path), "rejected: the owner is unknown, because `people.json` was rejected");
    }
}

#[test]
fn an_owner_is_not_asked_for_in_vain_where_the_file_of_the_owners_is_broken() {
    for option in [["--owner", "2"], ["--only-owner", "2"]] {
        let report = people_and("[").report(1, &option);
        assert_eq!(report["outcome"], "rolled-back", "{option:?}");
        assert_eq!(fate(&report, "notes.json"), "rejected: the owner is unknown, because `people.json` was rejected");
    }
}

#[test]
fn a_directory_may_be_that_of_a_rejected_owner_whose_name_could_not_be_read() {
    let people = people(r#"[{"id": "1", "name": "ann"}, {"id": "2", "name": 5}]"#)
        .text("people/1/notes.json", r#"[{"id": "n1"}]"#)
        .text("people/bob/notes.json", r#"[{"id": "n2"}]"#);
    let report = people.report(1, &["--max-rejects", "1"]);
    assert_eq!(report["outcome"], "rolled-back");
    let report = people.report(1, &["--max-rejects", "2"]);
    assert_eq!(report["outcome"], "committed");
    let reason = "rejected: the owner is unknown, because a record of `people.json` was rejected";
    assert_eq!(fate(&report, "people/bob/notes.json"), reason);
    assert_eq!(fate(&report, "people/1/notes.json"), "imported");
}

#[test]
fn a_directory_that_several_owners_match_is_not_imported() {
    let house = people(r#"[{"id": "1", "name": "ann"}, {"id": "2", "name": "ann"}]"#)
        .text("people/1/notes.json", r#"[{"id": "n1"}]"#)
        .text("people/ann/notes.json", r#"[{"id": "n2"}]"#);
    let report = house.report(1, &[]);
    assert_eq!(told(&report), ["error O005 several owners match directory `ann`: 1 file not imported"]);
    assert_eq!(fate(&report, "people/ann/notes.json"), "unmapped");
}

#[test]
fn what_is_taken_from_the_owner_is_the_same_in_a_second_run() {
    let house = people(r#"[{"id": "1", "name": "ann", "ok": true, "born": "2001-02-03T04:05:06Z"}]"#)
        .text("people/1/notes.json", r#"[{"id": "n1"}]"#);
    house.report(0, &[]);
    let report = house.report(0, &[]);
    assert_eq!(crate::house::tables(&report, "unchanged").len(), 2);
    assert_eq!(house.rows("SELECT ok, born FROM notes"), [["1", "2001-02-03 04:05:06.000000"]]);
}

#[test]
fn of_two_files_the_later_moment_counts_whatever_its_zone() {
    let shape = "newest = [\"saved\"]\n[ignore]\n\"saved\" = \"the time of the file\"\n";
    let note = "[table.notes]\nkey = [\"id\"]\non_duplicate = \"first\"\n[table.notes.columns]\nid = \"id\"\nperson = \"who\"\n";
    let house = |first: &str, second: &str| {
        House::new()
            .schema(TABLES)
            .reads("notes", "notes_*.json", &format!("{shape}{note}"))
            .text("notes_a.json", format!(r#"{{"id": "n", "who": "a", "saved": {first}}}"#))
            .text("notes_b.json", format!(r#"{{"id": "n", "who": "b", "saved": {second}}}"#))
    };
    let zones = house(r#""2025-01-01T09:00:00+09:00""#, r#""2025-01-01T01:00:00Z""#);
    zones.report(0, &[]);
    assert_eq!(zones.one("SELECT person FROM notes"), "b");

    let unread = house(r#""yesterday""#, r#""2025-01-01T01:00:00.5Z""#);
    let report = unread.report(0, &[]);
    let warnings: Vec<_> = told(&report).into_iter().filter(|told| told.starts_with("warning")).collect();
    assert_eq!(warnings, ["warning V012 this cannot be read as a time, so the file counts as the oldest"]);
    assert_eq!(unread.one("SELECT person FROM notes"), "b");
}
