//! Nulls and empty containers on the way of a path, or where a selection ends: what reads below them decides them.

use crate::house::House;
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY NOT NULL, name TEXT);
                      CREATE TABLE items (id INTEGER PRIMARY KEY NOT NULL, city TEXT, data JSON, sealed TEXT);
                      CREATE TABLE kids (id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES items(id), name TEXT);";

const ITEMS: &str = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n";

fn items(rules: &str, items: &Value) -> House {
    House::new().schema(TABLES).list("items", "items.json", &format!("{ITEMS}{rules}")).source("items.json", items)
}

#[test]
fn what_a_column_reads_below_decides_null_and_empty_containers() {
    let values = json!([
        {"id": 1, "address": {"city": "x"}}, {"id": 2, "address": null}, {"id": 3, "address": {}}, {"id": 4, "address": []},
        {"id": 5},
    ]);
    for (column, of) in [
        ("city = \"address.city\"", "a path"),
        ("city = { from = [\"town\", \"address.city\"] }", "an alternative"),
        ("city = { template = \"in {address.city}\" }", "a template"),
        ("city = { join = [\"address.city\"] }", "a join"),
        ("data = { object = { city = \"address.city\" } }", "a member of JSON"),
        ("city = { from = \"=c\" }\n[let]\nc = \"address.city\"", "a let"),
    ] {
        let house = items(&format!("{column}\n"), &values);
        let lifted = house.lift(&[]).ends(0, "committed").finds(&[]);
        let leaves = lifted.report()["leaves"].clone();
        let seen = leaves["column"].as_u64().unwrap() + leaves["json"].as_u64().unwrap();
        assert_eq!((seen, &leaves["seen"]), (9, &9.into()), "{of}");
    }
}

#[test]
fn a_scalar_on_the_way_is_a_value_and_undecided() {
    let house = items("city = \"address.city\"\n", &json!([{"id": 1, "address": "x"}, {"id": 2, "address": false}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 2, unmapped 2");
    lifted.finds(&["error S002 items.json /0/address", "error S002 items.json /1/address"]);
}

#[test]
fn a_null_by_which_a_row_is_looked_up_is_decided() {
    let rules = "city = { lookup = \"people.name\", by = { id = \"owner.id\" } }\n";
    let values = json!([{"id": 1, "owner": null}, {"id": 2, "owner": {}}, {"id": 3, "owner": {"id": null}}]);
    let people = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\n";
    let house = items(rules, &values).list("people", "people.json", people);
    let house = house.source("people.json", &json!([{"id": 7, "name": "Ann"}]));
    house.lift(&[]).ends(0, "committed").leaves("column 8").finds(&[]);
}

#[test]
fn a_null_below_each_of_a_template_is_decided() {
    let rules = "data = { each = \"tags[*]\", item = { template = \"{name}\", on_absent = \"skip\" } }\n";
    let values = json!([
        {"id": 1, "tags": [{"name": "a"}, {"name": null}, {}, null]}, {"id": 2, "tags": null}, {"id": 3, "tags": {}},
        {"id": 4, "tags": []},
    ]);
    let house = items(rules, &values);
    house.lift(&[]).ends(0, "committed").leaves("column 10, json 1").finds(&[]);
    assert_eq!(house.one("SELECT group_concat(coalesce(data, 'NULL'), ' ') FROM items"), r#"["a"] NULL NULL []"#);
}

const KIDS: &str =
    "[table.kids]\nparent = \"items\"\neach = \"kids[*]\"\n[table.kids.columns]\nitem = \"^id\"\nname = \"name\"\n";

#[test]
fn a_list_that_is_null_or_empty_of_another_kind_makes_no_rows() {
    let values = json!([
        {"id": 1, "kids": null}, {"id": 2, "kids": {}}, {"id": 3, "kids": []}, {"id": 4, "kids": [{"name": "a"}]},
        {"id": 5, "kids": [{}, null]},
    ]);
    let house = items(KIDS, &values);
    house.lift(&[]).ends(0, "committed").leaves("column 11").finds(&[]).counts("inserted", "items 5, kids 3");
}

#[test]
fn what_only_a_condition_tests_or_a_rule_does_not_take_is_undecided() {
    let rules = KIDS.replace("[table.kids.columns]", "when = { members = [\"a.b\"] }\n[table.kids.columns]");
    let rules = rules.replace("name = \"name\"", "name = \"a.c\"\n[ignore]\n\"kids[*].a.b\" = \"only tested\"");
    let house = items(&rules, &json!([{"id": 1, "kids": [{"a": null}, {"a": {"b": null}}]}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 1, ignored 1, unmapped 1");
    lifted.finds(&["error S002 items.json /0/kids/0/a"]);
}

#[test]
fn a_secret_below_null_is_no_credential_and_decides_the_null() {
    let rules = "[table.logins]\ninto = \"items\"\nkey = [\"id\"]\n[table.logins.columns]\nid = \"no\"\n\
                 sealed = { seal = \"login.password\" }\n";
    let values = json!([
        {"id": 1, "no": 11, "login": null}, {"id": 2, "no": 12, "login": {}}, {"id": 3, "no": 13, "login": {"password": null}},
    ]);
    let lifted = items(rules, &values).lift(&[]).ends(0, "committed");
    lifted.leaves("column 3, ignored 6").finds(&[]).counts("inserted", "items 3");
}
