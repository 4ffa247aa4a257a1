//! Whose directory is whose, where that is not plain.

use crate::small::{Small, fate, told};

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT, ok BOOLEAN, born DATETIME);
    CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, person TEXT, ok BOOLEAN, born DATETIME);";
const OWNERS: &str = "[owners]\ncapture = \"owner\"\ntable = \"people\"\n\
    find = [{ by = \"id\" }, { by = \"name\", alias = true }]\nunknown = { ignore = \"nobody's\" }\nownerless = \"only-user\"\n";
const PEOPLE: &str = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\nok = \"ok\"\n\
    born = { from = \"born\", steps = [\"instant\"] }\n";
const NOTE: &str = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nperson = \"#owner.id\"\n\
    ok = \"#owner.ok\"\nborn = \"#owner.born\"\n";

fn people(people: &str) -> Small {
    Small::new(TABLES, OWNERS)
        .lists("people", "people.json", PEOPLE)
        .lists("notes", "people/{owner}/notes.json", NOTE)
        .lists("shared", "notes.json", NOTE)
        .file("people.json", people)
}

#[test]
fn a_directory_of_a_rejected_owner_is_rejected_under_every_name() {
    let small = people(r#"[{"id": "1", "name": "ann"}, {"id": "2", "name": "bob", "ok": "BAD"}]"#)
        .file("people/1/notes.json", r#"[{"id": "n1"}]"#)
        .file("people/2/notes.json", r#"[{"id": "n2"}]"#)
        .file("people/bob/notes.json", r#"[{"id": "n3"}]"#);
    let report = small.report(1, &["--max-rejects", "9"]);
    for path in ["people/2/notes.json", "people/bob/notes.json"] {
        assert_eq!(fate(&report, path), "rejected: the owner was rejected");
    }
    assert_eq!(fate(&report, "people/1/notes.json"), "imported");
    let codes: Vec<_> = told(&report).iter().map(|told| told[..10].to_owned()).collect();
    assert_eq!(codes, ["error O002", "error O002", "error V004"]);
    assert_eq!(small.house.one("SELECT person FROM notes"), "1");
}

#[test]
fn files_without_an_owner_are_not_given_to_the_only_owner_left() {
    let small = people(r#"[{"id": "1", "name": "ann"}, {"id": "2", "name": "bob", "ok": "BAD"}]"#)
        .file("notes.json", r#"[{"id": "n1"}]"#);
    let report = small.report(1, &["--max-rejects", "9"]);
    assert_eq!(fate(&report, "notes.json"), "ignored: nobody's");

    let only = people(r#"[{"id": "2", "name": "bob", "ok": "BAD"}]"#).file("notes.json", r#"[{"id": "n1"}]"#);
    let report = only.report(1, &["--max-rejects", "9"]);
    assert_eq!(fate(&report, "notes.json"), "rejected: the owner was rejected");
}

#[test]
fn a_directory_that_several_owners_match_is_not_imported() {
    let small = people(r#"[{"id": "1", "name": "ann"}, {"id": "2", "name": "ann"}]"#)
        .file("people/1/notes.json", r#"[{"id": "n1"}]"#)
        .file("people/ann/notes.json", r#"[{"id": "n2"}]"#);
    let report = small.report(1, &[]);
    assert_eq!(told(&report), ["error O005 several owners match directory `ann`: 1 file not imported"]);
    assert_eq!(fate(&report, "people/ann/notes.json"), "unmapped");
}

#[test]
fn what_is_taken_from_the_owner_is_the_same_in_a_second_run() {
    let small = people(r#"[{"id": "1", "name": "ann", "ok": true, "born": "2001-02-03T04:05:06Z"}]"#)
        .file("people/1/notes.json", r#"[{"id": "n1"}]"#);
    small.report(0, &[]);
    let report = small.report(0, &[]);
    assert_eq!(crate::house::tables(&report, "unchanged").len(), 2);
    assert_eq!(small.house.rows("SELECT ok, born FROM notes"), [["1", "2001-02-03 04:05:06.000000"]]);
}

#[test]
fn of_two_files_the_later_moment_counts_whatever_its_zone() {
    let shape = "newest = [\"saved\"]\n[ignore]\n\"saved\" = \"the time of the file\"\n";
    let note = "[table.notes]\nkey = [\"id\"]\non_duplicate = \"first\"\n[table.notes.columns]\nid = \"id\"\nperson = \"who\"\n";
    let small = |first: &str, second: &str| {
        Small::new(TABLES, "")
            .mapping("notes", "notes_*.json", &format!("{shape}{note}"))
            .file("notes_a.json", &format!(r#"{{"id": "n", "who": "a", "saved": {first}}}"#))
            .file("notes_b.json", &format!(r#"{{"id": "n", "who": "b", "saved": {second}}}"#))
    };
    let zones = small(r#""2025-01-01T09:00:00+09:00""#, r#""2025-01-01T01:00:00Z""#);
    zones.report(0, &[]);
    assert_eq!(zones.house.one("SELECT person FROM notes"), "b");

    let unread = small(r#""yesterday""#, r#""2025-01-01T01:00:00.5Z""#);
    let report = unread.report(0, &[]);
    let warnings: Vec<_> = told(&report).into_iter().filter(|told| told.starts_with("warning")).collect();
    assert_eq!(warnings, ["warning V012 this is not a time with a zone, so the file counts as the oldest"]);
    assert_eq!(unread.house.one("SELECT person FROM notes"), "b");
}
