//! Secrets reach the columns that they are sealed into and nothing else, however a mapping names them.

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

/// The names of a record are distinguished up to a number. Past it any value may be the secret.
#[test]
fn a_secret_among_more_names_than_are_distinguished_never_reaches_a_catch_all() {
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
fn a_step_that_fails_never_shows_a_value_whose_name_looks_secret() {
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
fn a_step_that_fails_never_shows_the_start_of_a_long_secret() {
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
fn a_secret_that_is_also_a_members_name_is_a_warning_that_never_shows_it() {
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

/// A catch-all over whole records.
const CATCH_ALL: &str = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        data = { json = "@" }"#;

/// What X001 said: path, reason and how often.
fn undecided(lifted: &Lifted) -> Vec<(String, u64)> {
    let findings = lifted.report()["findings"].as_array().unwrap().clone();
    let of_secrets = findings.iter().filter(|finding| finding["code"] == "X001");
    let said = |finding: &Value| {
        let message = finding["message"].as_str().unwrap();
        (message.split(", and nothing").next().unwrap().to_owned(), finding["count"].as_u64().unwrap())
    };
    of_secrets.map(said).collect()
}

#[test]
fn names_of_secrets_are_not_kept_by_a_catch_all_however_they_are_spelt() {
    let login = json!({"id": "a", "userpassword": "x", "apikeys": ["x", "y"], "smtp_pass": "x", "network_key": [1, 2],
        "tokens": {"github": "x", "type": "t"}, "cookie_consent": "yes", "private": "note", "totp": "", "jwt": null,
        "has_password": true, "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}": "x"});
    let house = house(CATCH_ALL, &json!([login]));
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    let expected = [
        ("`apikeys[*]` looks like a secret", 2),
        ("`network_key[*]` looks like a secret", 2),
        ("`smtp_pass` looks like a secret", 1),
        ("`tokens.github` looks like a secret", 1),
        ("`userpassword` looks like a secret", 1),
        ("`\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}` looks like a secret", 1),
    ];
    assert_eq!(undecided(&lifted), expected.map(|(path, count)| (path.to_owned(), count)));
}

#[test]
fn values_that_look_like_secrets_are_not_kept_by_a_catch_all_unless_something_decides_them() {
    let url = "postgres://bob:opens-every-door-41@h/x";
    let inner = json!({"password": CODE}).to_string();
    let logins = json!([
        {"id": "a", "db": url, "cfg": inner, "old": {"head": "Basic Ym9iOnBsYWluOQ=="}},
        {"id": "b", "db": url, "free": "nothing to hide"},
    ]);
    let house = house(CATCH_ALL, &logins);
    let lifted = house.lift(&["--rejects", "rejects"]).ends(1, "rolled-back");
    let expected = [
        ("`cfg` looks like a secret (JSON with a member that looks like a secret)", 1),
        ("`db` looks like a secret (a URL with a password)", 2),
        ("`old.head` looks like a secret (the credentials of an HTTP header)", 1),
    ];
    assert_eq!(undecided(&lifted), expected.map(|(path, count)| (path.to_owned(), count)));
    keeps_it(&house, &lifted);

    let decided =
        format!("expected = [\"db\"]\n{CATCH_ALL}\n[declassify]\ncfg = \"a sample\"\n\"old.head\" = \"a sample\"");
    let house = House::new().schema(TABLES).source("logins.json", &logins);
    let house = house.mapping(
        "logins",
        &decided.replacen(
            "[table",
            "[source]\nfiles = [\"logins.json\"]\n[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n[table",
            1,
        ),
    );
    let lifted = house.lift(&[]).ends(0, "committed");
    assert_eq!(undecided(&lifted), []);
}

#[test]
fn a_value_that_only_any_member_takes_is_looked_at_and_one_that_a_column_names_is_not() {
    let rules = r##"
        [table.logins]
        each = "settings.*"
        key_as = "name"
        key = ["id"]
        [table.logins.columns]
        id = "#name"
        note = "."
        [table.doors]
        key = ["id"]
        [table.doors.columns]
        id = "id"
        login = "url""##;
    let url = "https://bob:hunter22@h/";
    let house = house(rules, &json!([{"id": "a", "url": url, "settings": {"colour": "red", "feed": url}}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    assert_eq!(undecided(&lifted), [("`settings.feed` looks like a secret (a URL with a password)".to_owned(), 1)]);
}

#[test]
fn a_scalar_record_is_known_by_the_name_of_its_member() {
    let rules = r##"
        [source]
        files = ["settings.json"]
        [[source.shape]]
        name = "by-name"
        records = "*"
        key_as = "name"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "#name"
        note = ".""##;
    let house = House::new().schema(TABLES).mapping("settings", rules);
    let house =
        house.source("settings.json", &json!({"colour": "red", "password": CODE, "feed": "https://bob:hunter22@h/"}));
    let lifted = house.lift(&[]).ends(1, "rolled-back").finds(&["error X001 settings.json /password"]);
    assert_eq!(undecided(&lifted), [("`.` looks like a secret".to_owned(), 2)]);
}

#[test]
fn a_name_of_a_secret_is_seen_however_many_names_stand_beside_it() {
    let mut login: serde_json::Map<_, _> = (0..2_100).map(|at| (format!("k{at}"), at.into())).collect();
    login.insert("id".to_owned(), "a".into());
    login.insert("password".to_owned(), CODE.into());
    let house = house(CATCH_ALL, &json!([login]));
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    assert_eq!(undecided(&lifted), [("`password` looks like a secret".to_owned(), 1)]);
    keeps_it(&house, &lifted);
}
