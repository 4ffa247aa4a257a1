//! Secrets reach what they are sealed into and nothing else, however a mapping names them.

use crate::house::House;
use crate::inline::Lifted;
use serde_json::{Value, json};

const TABLES: &str =
    "CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, sealed TEXT, data JSON, note TEXT, number INTEGER);
                      CREATE TABLE doors (id TEXT PRIMARY KEY NOT NULL, login TEXT, sealed TEXT);";
const CODE: &str = "opens-every-door-41";
const OTHER: &str = "opens-the-cellar-7";

/// A house with one list of logins, and these rules over it.
fn house(rules: &str, logins: &Value) -> House {
    House::new().schema(TABLES).list("logins", r#"["logins.json"]"#, rules).source("logins.json", logins)
}

/// No file of the house but the source holds a secret, and nothing that was printed.
#[track_caller]
fn keeps_it(house: &House, lifted: &Lifted) {
    for secret in [CODE, OTHER] {
        assert_eq!(house.holders(lifted, secret), Vec::<String>::new(), "of {secret}");
    }
}

#[test]
fn a_secret_that_is_named_through_a_let_never_reaches_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        let = { code = "unlock.code" }
        [table.logins.columns]
        id = "id"
        data = { json = "@" }
        [table.logins.secrets]
        sealed = { from = "=code", kind = "seal" }"#;
    let house = house(rules, &json!([{"id": "a", "unlock": {"code": CODE}}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, sealed 1");
    keeps_it(&house, &lifted.finds(&["warning X005 logins.json"]));
    assert_eq!(house.rows("SELECT id, data FROM logins"), [["a", r#"{"id":"a","unlock":{}}"#]]);
}

#[test]
fn a_whole_object_that_is_sealed_never_reaches_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        data = { json = "@" }
        [table.logins.secrets]
        sealed = { from = { json = "unlock" }, kind = "seal" }"#;
    let house = house(rules, &json!([{"id": "a", "unlock": {"code": CODE}}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, sealed 1");
    keeps_it(&house, &lifted);
    assert_eq!(house.rows("SELECT id, data FROM logins"), [["a", r#"{"id":"a"}"#]]);
}

#[test]
fn a_secret_that_is_a_part_of_a_template_never_reaches_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        data = { json = "@" }
        [table.logins.secrets]
        sealed = { from = { template = "{pair.name}:{pair.code}" }, kind = "seal" }"#;
    let house = house(rules, &json!([{"id": "a", "pair": {"name": OTHER, "code": CODE}}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, sealed 2");
    keeps_it(&house, &lifted);
    assert_eq!(house.rows("SELECT id, data FROM logins"), [["a", r#"{"id":"a","pair":{}}"#]]);
}

#[test]
fn secrets_of_a_list_that_are_dropped_never_reach_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        data = { json = "@" }
        [table.logins.secrets]
        sealed = { from = "code", kind = "seal" }
        codes = { from = { each = "codes[*]", template = "{v}" }, kind = "drop", reason = "used up" }"#;
    let house = house(rules, &json!([{"id": "a", "code": CODE, "codes": [{"v": OTHER}]}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, sealed 1, ignored 1");
    keeps_it(&house, &lifted);
    assert_eq!(house.rows("SELECT id, data FROM logins"), [["a", r#"{"id":"a","codes":[]}"#]]);
}

#[test]
fn a_secret_below_a_parents_element_never_reaches_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        each = "houses[*]"
        [table.logins.columns]
        id = "id"
        data = { json = "@" }
        [table.doors]
        parent = "logins"
        each = "locks[*]"
        key = ["id"]
        [table.doors.columns]
        id = "id"
        login = "^id"
        [table.doors.secrets]
        sealed = { from = "code", kind = "seal" }"#;
    let house = house(rules, &json!([{"houses": [{"id": "a", "locks": [{"id": "l", "code": CODE}]}]}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 2, sealed 1");
    keeps_it(&house, &lifted);
    let kept = r#"{"houses":[{"id":"a","locks":[{"id":"l"}]}]}"#;
    assert_eq!(house.rows("SELECT id, data FROM logins"), [["a", kept]]);
    assert_eq!(house.rows("SELECT id, login FROM doors"), [["l", "a"]]);
}

#[test]
fn a_secret_of_a_child_that_shares_its_parents_element_never_reaches_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        each = "houses[*]"
        [table.logins.columns]
        id = "id"
        data = { json = "." }
        [table.doors]
        parent = "logins"
        key = ["id"]
        [table.doors.columns]
        id = "id"
        login = "^id"
        [table.doors.secrets]
        sealed = { from = "code", kind = "seal" }"#;
    let house = house(rules, &json!([{"houses": [{"id": "a", "code": CODE}]}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, sealed 1");
    keeps_it(&house, &lifted);
    assert_eq!(house.rows("SELECT id, data FROM logins"), [["a", r#"{"id":"a"}"#]]);
}

/// The names of a record are told apart up to a number. Past it nobody can say which value is the secret.
#[test]
fn a_secret_among_more_names_than_are_told_apart_never_reaches_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        data = { json = "@" }
        [table.logins.secrets]
        sealed = { from = "code", kind = "seal" }"#;
    let mut login: serde_json::Map<_, _> = (0..2_100).map(|at| (format!("k{at}"), at.into())).collect();
    login.insert("id".to_owned(), "a".into());
    login.insert("code".to_owned(), CODE.into());
    let house = house(rules, &json!([login]));
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    keeps_it(&house, &lifted);
    assert_eq!(lifted.report()["leaves"]["sealed"], 1);
}

#[test]
fn a_step_that_fails_never_tells_a_value_whose_name_looks_secret() {
    let rules = r##"
        [table.logins]
        each = "settings.*"
        key_as = "name"
        key = ["id"]
        [table.logins.columns]
        id = "#name"
        note = { from = ".", steps = [{ require = "^[a-z]+$" }] }"##;
    let house = house(rules, &json!([{"settings": {"colour": "red", "api_token": CODE}}]));
    let lifted = house.lift(&["--rejects", "rejects"]).ends(1, "rolled-back").leaves("rejected 4");
    keeps_it(&house, &lifted.finds(&["error V005 logins.json /0/settings/api_token"]));
}

#[test]
fn a_step_that_fails_never_tells_the_start_of_a_long_secret() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        note = { from = "free", steps = [{ require = "^[0-9]+$" }] }
        [table.logins.secrets]
        sealed = { from = "code", kind = "seal" }"#;
    let long = format!("{CODE}{}", "x".repeat(60));
    let house = house(rules, &json!([{"id": "a", "code": long, "free": long}]));
    let lifted = house.lift(&["--rejects", "rejects"]).ends(1, "rolled-back").leaves("rejected 3");
    keeps_it(&house, &lifted.finds(&["error V005 logins.json /0/free", "warning X005 logins.json"]));
}

#[test]
fn a_secret_that_is_also_a_members_name_is_a_warning_that_never_tells_it() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        data = { json = "@" }
        [table.logins.secrets]
        sealed = { from = "code", kind = "seal" }"#;
    let house = house(rules, &json!([{"id": "a", "code": CODE, "more": {CODE: 1}}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, json 1, sealed 1");
    let withheld = "warning S003 logins.json (withheld: it holds the value of a secret)";
    let lifted = lifted.finds(&[withheld, "warning X003 logins.json /0", "warning X005 logins.json"]);
    // A name is no secret by itself: it stands in the row, and nowhere else.
    assert_eq!(house.holders(&lifted, CODE), ["target.db"]);
}

#[test]
fn a_login_without_its_secret_makes_no_row_and_says_what_is_left_out() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        note = "label"
        [table.logins.secrets]
        sealed = { from = "code", kind = "seal", need = true }"#;
    let house = house(rules, &json!([{"id": "a", "code": "", "label": "the only copy"}]));
    house.lift(&[]).ends(0, "committed").leaves("ignored 3").finds(&[]);
    assert_eq!(house.rows("SELECT * FROM logins"), Vec::<Vec<String>>::new());
}

#[test]
fn a_login_without_its_secret_is_not_there_for_others_to_find() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        [table.logins.secrets]
        sealed = { from = "code", kind = "seal", need = true }"#;
    let doors = r#"
        [table.doors]
        key = ["id"]
        [table.doors.columns]
        id = "id"
        login = { exists = "logins", by = { id = "id" }, then = "yes", else = "no" }"#;
    let house = house(rules, &json!([{"id": "a", "code": ""}, {"id": "b", "code": CODE}]))
        .list("doors", r#"["doors.json"]"#, doors)
        .source("doors.json", &json!([{"id": "a"}, {"id": "b"}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 3, sealed 1, ignored 2");
    keeps_it(&house, &lifted);
    assert_eq!(house.rows("SELECT id, login FROM doors ORDER BY id"), [["a", "no"], ["b", "yes"]]);
}

#[test]
fn a_text_that_holds_a_secret_without_the_space_around_it_is_reported() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        note = "free"
        [table.logins.secrets]
        sealed = { from = "code", kind = "seal", steps = ["trim"] }"#;
    let house = house(rules, &json!([{"id": "a", "code": format!(" {CODE} "), "free": format!("it {CODE}")}]));
    house.lift(&[]).finds(&["warning X003 logins.json /0", "warning X005 logins.json"]);
}

#[test]
fn a_number_that_is_sealed_is_found_in_a_column_of_numbers() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        number = "extension"
        [table.logins.secrets]
        sealed = { from = "code", kind = "seal", steps = ["text"] }"#;
    let house = house(rules, &json!([{"id": "a", "code": 99_887_766, "extension": 99_887_766}]));
    house.lift(&[]).finds(&["warning X003 logins.json /0", "warning X005 logins.json"]);
}

#[test]
fn what_a_mapping_declassifies_is_kept_and_listed_and_raises_nothing() {
    let rules = |declassified: &str| {
        format!(
            r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        note = "map.pin"
        data = {{ json = "@" }}
        {declassified}"#
        )
    };
    let logins = json!([{"id": "a", "map": {"pin": "red"}}]);
    house(&rules(""), &logins).lift(&[]).refuses("`map.pin` looks like a secret, and nothing decides it");

    let pin = "[declassify]\n\"map.pin\" = \"the colour of a pin on the map\"";
    let undecided = house(&rules(pin), &json!([{"id": "a", "map": {"pin": "red", "token": "dog"}}]));
    let lifted = undecided
        .lift(&[])
        .ends(1, "rolled-back")
        .finds(&["error X001 logins.json /0/map/token", "warning S003 logins.json /0/map/token"]);
    let message = "`map.token` looks like a secret, and nothing decides it; \
                   `\"map.token\" = \"why\"` under [declassify] in set/logins.toml would keep it as it is";
    assert_eq!(lifted.report()["findings"][0]["message"], message);

    let rules = rules(&format!("{pin}\n\"map.token\" = \"the name of a piece\""));
    let house = house(&rules, &json!([{"id": "a", "map": {"pin": "red", "token": "dog"}}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 2, json 1");
    let lifted = lifted.finds(&["warning S003 logins.json /0/map/token"]);
    assert_eq!(
        lifted.report()["secrets"]["declassified"],
        json!([
            {"path": "logins: map.pin", "reason": "the colour of a pin on the map"},
            {"path": "logins: map.token", "reason": "the name of a piece"},
        ])
    );
    let kept = r#"{"id":"a","map":{"pin":"red","token":"dog"}}"#;
    assert_eq!(house.rows("SELECT note, data FROM logins"), [["red", kept]]);
}
