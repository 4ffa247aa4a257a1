//! Owners that files in their own directories make, with ids of the database's, and directories of several captures.

use crate::house::House;
use crate::house::inline::told;
use serde_json::{Value, json};

const SCHEMA: &str = "CREATE TABLE guilds (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, realm TEXT NOT NULL);
    CREATE TABLE posts (id TEXT PRIMARY KEY, guild INTEGER NOT NULL REFERENCES guilds (id), folder TEXT);";
const SET: &str = "[owners]\ncapture = [\"realm\", \"guild\"]\ntable = \"guilds\"\n";
const GUILD: &str = "[table.guilds]\nkey = [\"name\"]\n[table.guilds.columns]\nname = \"name\"\nrealm = \"#realm\"\n";
const POSTS: &str = "[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n[table.posts]\nkey = [\"id\"]\n[table.posts.columns]\nid = \"id\"\nguild = \"#owner.id\"\nfolder = \"#owner\"\n";

fn guilds(set: &str) -> House {
    House::new()
        .schema(SCHEMA)
        .set(set)
        .reads("guild", "{realm}/{guild}/guild.json", GUILD)
        .reads("posts", "{realm}/{guild}/posts.json", POSTS)
        .text("north/wolves/guild.json", r#"{"name": "Wolves"}"#)
        .text("north/wolves/posts.json", r#"[{"id": "p1"}]"#)
        .text("south/wolves/guild.json", r#"{"name": "Other wolves"}"#)
        .text("south/wolves/posts.json", r#"[{"id": "p2"}, {"id": "p3"}]"#)
}

fn posts(house: &House) -> Vec<Vec<String>> {
    house.rows("SELECT posts.id, name, realm, folder FROM posts JOIN guilds ON guild = guilds.id ORDER BY posts.id")
}

#[test]
fn a_directory_belongs_to_the_owner_that_was_made_in_it_with_an_id_of_the_database() {
    let house = guilds(SET);
    let report = house.report(0, &[]);
    let expected = [
        ["p1", "Wolves", "north", "north/wolves"],
        ["p2", "Other wolves", "south", "south/wolves"],
        ["p3", "Other wolves", "south", "south/wolves"],
    ];
    assert_eq!(posts(&house), expected);
    let owners: Vec<_> =
        report["owners"].as_array().unwrap().iter().map(|one| (&one["directory"], &one["id"], &one["how"])).collect();
    let how = json!("made in it");
    assert_eq!(owners, [(&json!("north/wolves"), &json!("1"), &how), (&json!("south/wolves"), &json!("2"), &how)]);
    let again = house.report(0, &[]);
    let counts: Vec<_> =
        again["tables"].as_array().unwrap().iter().map(|one| (&one["inserted"], &one["unchanged"])).collect();
    assert_eq!(counts, [(&json!(0), &json!(2)), (&json!(0), &json!(3))]);
    assert_eq!(posts(&house), expected);
}

#[test]
fn two_owners_of_one_directory_are_an_error_and_a_rejected_one_takes_its_files_along() {
    let two = guilds(SET)
        .reads("second", "{realm}/{guild}/second.json", GUILD)
        .text("north/wolves/second.json", r#"{"name": "Bears"}"#);
    let report = two.report(1, &[]);
    let two_made = "error O008 two owners were made in directory `north/wolves`: 1 file not imported (the other is north/wolves/guild.json:1:1)";
    assert_eq!(told(&report), [two_made]);

    let house = guilds(SET);
    house.put("south/wolves/guild.json", r#"{"name": null}"#);
    let report = house.report(1, &["--max-rejects", "2"]);
    let codes: Vec<&Value> =
        report["findings"].as_array().unwrap().iter().map(|one| &one["code"]).filter(|code| *code != "U003").collect();
    assert!(codes.contains(&&json!("O002")), "{codes:?}");
    assert_eq!(posts(&house).len(), 1);
}

#[test]
fn a_directory_in_which_no_owner_was_made_is_found_or_refused() {
    let house = guilds(SET).text("west/owls/posts.json", r#"[{"id": "p4"}]"#);
    assert_eq!(told(&house.report(1, &[])), ["error O001 no owner matches directory `west/owls`: 1 file skipped"]);
    let house = guilds(&format!("{SET}unknown = {{ ignore = \"gone since\" }}\n"))
        .text("west/owls/posts.json", r#"[{"id": "p4"}]"#);
    assert_eq!(told(&house.report(0, &[])), ["warning O004 no owner matches directory `west/owls`: 1 file skipped"]);
}

#[test]
fn files_without_an_owner_may_be_ignored_with_a_reason_of_their_own() {
    let of = |ownerless: &str| {
        guilds(&format!("{SET}unknown = {{ ignore = \"gone since\" }}\n{ownerless}"))
            .reads("loose", "loose.json", POSTS)
            .text("loose.json", r#"[{"id": "p9"}]"#)
    };
    let report = of("ownerless = { ignore = \"nobody's\" }\n").report(0, &[]);
    assert_eq!(crate::house::inline::fate(&report, "loose.json"), "ignored: nobody's");
    let report = of("ownerless = \"refuse\"\n").report(1, &[]);
    assert_eq!(told(&report), ["error O003 1 file without an owner needs one and was not imported"]);
}

#[test]
fn a_mapping_that_makes_owners_does_not_ask_for_them_and_something_must_find_them() {
    let check = |house: &House| {
        let ran = house.run(["check", "set"]).status(2);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    let asks = guilds(SET).reads("guild", "{realm}/{guild}/guild.json", &GUILD.replace("#realm", "#owner"));
    assert!(check(&asks).contains("M172") && check(&asks).contains("uses `#owner`"), "{}", check(&asks));
    let none = House::new().schema(SCHEMA).set(SET).reads("posts", "{realm}/{guild}/posts.json", POSTS);
    assert!(check(&none).contains("nothing says whose a directory is"), "{}", check(&none));
}

#[test]
fn an_owner_is_found_by_each_capture_of_its_directory_read_as_the_column() {
    const SCHEMA: &str = "CREATE TABLE guilds (id TEXT PRIMARY KEY, realm TEXT, no INTEGER, since DATE);
        CREATE TABLE posts (id TEXT PRIMARY KEY, guild TEXT NOT NULL REFERENCES guilds (id));";
    let set = "[owners]\ncapture = [\"realm\", \"no\"]\ntable = \"guilds\"\nfind = [{ by = [{ realm = \"#realm\", no = \"#no\" }, { \
               realm = { from = \"#realm\", ignore_case = true }, since = { from = \"#no\", steps = [{ time = \"%Y%m%d\" }] } }] }]\n\
               [reads]\nINTEGER = [{ strip_prefix = \"g\" }, \"integer\"]\n";
    let guilds = "[table.guilds]\nkey = [\"id\"]\n[table.guilds.columns]\nid = \"id\"\nrealm = \"realm\"\nno = \"no\"\nsince = \"since\"\n";
    let posts = "[table.posts]\nkey = [\"id\"]\n[table.posts.columns]\nid = \"id\"\nguild = \"#owner.id\"\n";
    let house = House::new()
        .schema(SCHEMA)
        .set(set)
        .list("guilds", "guilds.json", guilds)
        .list("posts", "{realm}/{no}/posts.json", posts)
        .text("guilds.json", r#"[{"id": "a", "realm": "north", "no": 7, "since": "2025-05-07"}, {"id": "b", "realm": "south", "no": 7}, {"id": "c", "realm": "East", "since": "2024-01-02"}]"#)
        .text("north/g7/posts.json", r#"[{"id": "p1"}]"#)
        .text("south/g7/posts.json", r#"[{"id": "p2"}]"#)
        .text("EAST/20240102/posts.json", r#"[{"id": "p3"}]"#);
    let report = house.report(0, &[]);
    assert_eq!(house.rows("SELECT id, guild FROM posts ORDER BY id"), [["p1", "a"], ["p2", "b"], ["p3", "c"]]);
    let how: Vec<_> = report["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["directory"].as_str().unwrap(), one["how"].as_str().unwrap()))
        .collect();
    assert_eq!(how, ["EAST/20240102 by realm, since", "north/g7 by realm, no", "south/g7 by realm, no"]);
    assert_eq!(told(&house.report(0, &[])), [] as [&str; 0]);

    // What cannot be read as the column finds nobody.
    let none = house.text("north/gx/posts.json", r#"[{"id": "p4"}]"#);
    assert_eq!(told(&none.report(1, &[])), ["error O001 no owner matches directory `north/gx`: 1 file skipped"]);
}

#[test]
fn what_a_directory_is_not_called_by_finds_no_owner() {
    let set = "[owners]\ncapture = \"guild\"\ntable = \"guilds\"\nfind = [{ by = { realm = \"#realm\", name = \"#guidl\" } }]\n";
    let house = guilds(set);
    let ran = house.run(["check", "set"]).status(2);
    let words = format!("{}{}", ran.stdout, ran.stderr);
    assert!(words.contains("`#realm` is not known where an owner is found"), "{words}");
    assert!(words.contains("add `realm` to `capture` if it tells directories apart"), "{words}");
    assert!(words.contains("did you mean `#guild`?"), "{words}");
}
