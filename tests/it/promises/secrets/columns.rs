//! Secrets reach the columns that they are sealed into and nothing else, however a mapping names them.

use crate::house::House;
use crate::house::inline::Lifted;
use serde_json::{Value, json};

const TABLES: &str =
    "CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, sealed TEXT, data JSON, note TEXT, number INTEGER);
                      CREATE TABLE doors (id TEXT PRIMARY KEY NOT NULL, login TEXT, sealed TEXT);";
const CODE: &str = "opens-every-door-41";
const OTHER: &str = "opens-the-cellar-7";

/// A house with one list of logins, and these rules over it.
fn house(rules: &str, logins: &Value) -> House {
    House::new().schema(TABLES).list("logins", "logins.json", rules).source("logins.json", logins)
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
        [table.logins.columns]
        id = "id"
        data = "@"
        sealed = { seal = "=code" }
        [let]
        code = "unlock.code""#;
    let house = house(rules, &json!([{"id": "a", "unlock": {"code": CODE}}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, sealed 1");
    keeps_it(&house, &lifted.finds(&["warning X005 logins.json"]));
    assert_eq!(house.rows("SELECT id, data FROM logins"), [["a", r#"{"id":"a","unlock":{}}"#]]);
}

#[test]
fn a_trigger_that_changes_a_sealed_value_is_named_as_the_likely_cause() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        sealed = { seal = "code" }"#;
    let shout = "CREATE TRIGGER shout AFTER INSERT ON logins BEGIN UPDATE logins SET sealed = upper(sealed) WHERE id = NEW.id; END;";
    let house = house(rules, &json!([{"id": "a", "code": CODE}]));
    let up = house.path("set/schema/001_test.up.sql");
    let schema = std::fs::read_to_string(&up).unwrap();
    std::fs::write(&up, format!("{schema}\n{shout}\n")).unwrap();
    let report = house.lift(&[]).ends(1, "rolled-back").report();
    let finding = report["findings"].as_array().unwrap().iter().find(|one| one["code"] == "T002").unwrap().clone();
    let message = "a value of `logins.sealed` does not open again; trigger `shout` of the table probably changed it";
    assert_eq!(finding["message"], message);
    let help = "drop the trigger for the import, or keep it from changing what is sealed; nothing was committed";
    assert_eq!(finding["help"], help);
}

#[test]
fn a_whole_object_that_is_sealed_never_reaches_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        data = "@"
        sealed = { seal = "unlock" }"#;
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
        data = "@"
        sealed = { seal = { template = "{pair.name}:{pair.code}" } }"#;
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
        data = "@"
        sealed = { seal = "code" }
        [table.logins.drop]
        "codes[*].v" = "used up""#;
    let house = house(rules, &json!([{"id": "a", "code": CODE, "codes": [{"v": OTHER}]}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, sealed 1, ignored 1");
    keeps_it(&house, &lifted);
    assert_eq!(house.rows("SELECT id, data FROM logins"), [["a", r#"{"id":"a","codes":[{}]}"#]]);
}

#[test]
fn a_secret_below_a_parents_element_never_reaches_a_catch_all() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        each = "houses[*]"
        [table.logins.columns]
        id = "id"
        data = "@"
        [table.doors]
        parent = "logins"
        each = "locks[*]"
        key = ["id"]
        [table.doors.columns]
        id = "id"
        login = "^id"
        sealed = { seal = "code" }"#;
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
        data = "."
        [table.doors]
        parent = "logins"
        key = ["id"]
        [table.doors.columns]
        id = "id"
        login = "^id"
        sealed = { seal = "code" }"#;
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
        data = "@"
        sealed = { seal = "code" }"#;
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
        sealed = { seal = "code" }"#;
    let long = format!("{CODE}{}", "x".repeat(60));
    let house = house(rules, &json!([{"id": "a", "code": long, "free": long}]));
    let lifted = house.lift(&["--rejects", "rejects"]).ends(1, "rolled-back").leaves("rejected 3");
    keeps_it(&house, &lifted.finds(&["error V005 logins.json /0/free", "warning X005 logins.json"]));
}

/// Seals `code`, and keeps everything else in a catch-all.
const SEALS: &str = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        data = "@"
        sealed = { seal = "code" }"#;

/// The counts of places in plaintext: refused, warned of, declassified.
fn in_plaintext(lifted: &Lifted) -> [u64; 3] {
    let secrets = lifted.report()["secrets"].clone();
    ["plaintext_hits", "plaintext_warned", "plaintext_declassified"].map(|count| secrets[count].as_u64().unwrap())
}

#[test]
fn a_sealed_secret_that_is_also_a_members_name_refuses_the_run_and_is_never_shown() {
    let house = house(SEALS, &json!([{"id": "a", "code": CODE, "more": {CODE: 1}}]));
    let lifted = house.lift(&[]).ends(1, "rolled-back").leaves("column 1, json 1, sealed 1");
    assert_eq!(in_plaintext(&lifted), [1, 0, 0]);
    let message = lifted.report()["findings"][0]["message"].clone();
    let line = "`declassify = \"why\"` beside its column in set/logins.toml would keep it as it is";
    let said =
        format!("`more.*` has a member's name that is the value of a secret, and only a catch-all keeps it; {line}");
    assert_eq!(message, said);
    let withheld = "(withheld: it holds the value of a secret)";
    let copied = format!("error X007 logins.json {withheld}");
    let caught = format!("warning S003 logins.json {withheld}");
    keeps_it(&house, &lifted.finds(&[&copied, &caught, "warning X005 logins.json"]));
}

#[test]
fn a_whole_value_that_is_a_sealed_secret_refuses_the_run_in_every_encoding() {
    for copy in [
        json!(CODE),
        json!(format!(" {CODE}\n")),
        json!("b3BlbnMtZXZlcnktZG9vci00MQ=="),
        json!("b3BlbnMtZXZlcnktZG9vci00MQ"),
        json!("6f70656e732d65766572792d646f6f722d3431"),
        json!("opens%2Devery%2Ddoor%2D41"),
        json!(format!("[\"{CODE}\"]")),
    ] {
        let house = house(SEALS, &json!([{"id": "a", "code": CODE, "old": ["a", copy]}]));
        let lifted = house.lift(&[]).ends(1, "rolled-back");
        assert_eq!(in_plaintext(&lifted), [1, 0, 0], "{copy}");
        let lifted = lifted.finds(&[
            "error X007 logins.json /0/old/1",
            "warning S003 logins.json /0/old/0",
            "warning S003 logins.json /0/old/1",
            "warning X005 logins.json",
        ]);
        keeps_it(&house, &lifted);
    }
}

#[test]
fn a_copy_of_a_secret_that_something_decides_is_committed_and_counted() {
    let logins = json!([{"id": "a", "code": CODE, "old": CODE, "free": format!("it is {CODE}"), "url": "https://bob:opens%2Devery-door-41@h/"}]);
    let mapping = |top: &str, more: &str| {
        let source = "[source]\nfiles = [\"logins.json\"]\n[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"";
        let house = House::new().schema(TABLES).source("logins.json", &logins);
        house.mapping("logins", &format!("{top}\n{source}\n{SEALS}\n{more}"))
    };
    // In a longer text it is a warning; `expected` names the whole value, so it is one too.
    let expected = mapping("expected = [\"old\", \"free\", \"url\"]", "");
    let lifted = expected.lift(&[]).ends(0, "committed");
    assert_eq!(in_plaintext(&lifted), [0, 3, 0]);
    lifted.finds(&[
        "warning X003 logins.json /0/old",
        "warning X003 logins.json /0/free",
        "warning X003 logins.json /0/url",
        "warning X005 logins.json",
    ]);

    let note = "note = { from = \"old\", declassify = \"revoked\" }";
    let lifted = mapping("expected = [\"url\"]", note).lift(&[]).ends(0, "committed");
    assert_eq!(in_plaintext(&lifted), [0, 2, 2]);
}

#[test]
fn a_catch_all_that_is_declassified_keeps_what_looks_like_a_secret_and_no_secret_of_a_rule() {
    let rules = SEALS.replace("\"@\"", "{ from = \"@\", declassify = \"what a person wrote\" }");
    let logins = json!([{"id": "a", "code": CODE, "old": CODE, "password": "hunter22"}]);
    let house = house(&rules, &logins);
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, json 2, sealed 1");
    assert_eq!(in_plaintext(&lifted), [0, 0, 1]);
    let kept = format!("{{\"id\":\"a\",\"old\":\"{CODE}\",\"password\":\"hunter22\"}}");
    assert_eq!(house.rows("SELECT data FROM logins"), [[kept]]);
}

#[test]
fn a_secret_stands_in_the_column_that_declassifies_it_and_in_no_other() {
    let rules = format!("{SEALS}\nnote = {{ from = \"code\", declassify = \"it is on the door\" }}");
    let house = house(&rules, &json!([{"id": "a", "code": CODE, "old": CODE}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 2, json 1");
    assert_eq!(in_plaintext(&lifted), [0, 0, 1]);
    let kept = format!("{{\"id\":\"a\",\"old\":\"{CODE}\"}}");
    assert_eq!(house.rows("SELECT note, data FROM logins"), [[CODE, &kept]]);
}

#[test]
fn a_word_that_is_another_records_secret_is_a_warning_and_a_strong_secret_is_refused_anywhere() {
    let logins = |secret: &str| json!([{"id": "a", "code": secret}, {"id": "b", "code": OTHER, "old": secret}]);
    for (secret, counts) in
        [("sesame", [0, 1, 0]), ("tutorial", [0, 1, 0]), ("sesame41", [1, 0, 0]), ("short", [0, 0, 0])]
    {
        let lifted = house(SEALS, &logins(secret)).lift(&[]);
        assert_eq!(in_plaintext(&lifted), counts, "{secret}");
        assert_eq!(lifted.status(), Some(i32::from(counts[0] > 0)), "{secret}");
    }
    let same_record = json!([{"id": "a", "code": "sesame", "old": "sesame"}]);
    assert_eq!(in_plaintext(&house(SEALS, &same_record).lift(&[]).ends(1, "rolled-back")), [1, 0, 0]);
}

#[test]
fn a_login_that_equals_its_password_is_a_warning_at_a_column_and_as_a_members_name() {
    let rules = r##"
        [source]
        files = ["logins.json"]
        [[source.shape]]
        name = "by-name"
        records = "*"
        key_as = "login"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "#login"
        note = "name"
        sealed = { seal = "code" }"##;
    let house = House::new().schema(TABLES).mapping("logins", rules);
    let house = house.source("logins.json", &json!({"robert41": {"name": "robert41", "code": "robert41"}}));
    let lifted = house.lift(&[]).ends(0, "committed");
    assert_eq!(in_plaintext(&lifted), [0, 2, 0]);
}

#[test]
fn what_is_only_dropped_and_what_was_known_before_is_not_withheld() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        when = { equals = { kind = "real" } }
        [table.logins.columns]
        id = "id"
        note = "kind"
        sealed = { seal = "code" }
        [table.doors]
        into = "logins"
        key = ["id"]
        when = { equals = { kind = "demo" } }
        [table.doors.columns]
        id = "id"
        data = "@"
        [table.doors.drop]
        "code" = "the demo-account of every tree""#;
    let house = House::new().schema(TABLES).list("logins", "{where}/logins.json", rules);
    let logins = json!([{"id": "a", "kind": "real", "code": "cellar"}, {"id": "demo-account", "kind": "demo", "code": "demo-account", "more": "demo-account"}]);
    let house = house.source("cellar/logins.json", &logins);
    let lifted = house.lift(&[]);
    let report = lifted.report().to_string();
    assert!(!report.contains("withheld"), "{report}");
    assert_eq!(lifted.report()["ignored"][0]["reason"], "the demo-account of every tree");
    let lifted = lifted.ends(0, "committed");
    assert_eq!(lifted.report()["files"][0]["path"], "cellar/logins.json");
}

#[test]
fn a_login_without_its_secret_makes_no_row_and_says_what_is_left_out() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        note = "label"
        sealed = { seal = "code", on_absent = "skip" }"#;
    let house = house(rules, &json!([{"id": "a", "code": "", "label": "the only copy"}]));
    house.lift(&["--allow-empty"]).ends(0, "committed").leaves("ignored 3").finds(&["warning F016"]);
    assert_eq!(house.rows("SELECT * FROM logins"), Vec::<Vec<String>>::new());
}

#[test]
fn a_login_without_its_secret_is_not_there_for_others_to_find() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        sealed = { seal = "code", on_absent = "skip" }"#;
    let doors = r#"
        [table.doors]
        key = ["id"]
        [table.doors.columns]
        id = "id"
        login = [{ value = "yes", when = { exists = "logins", by = { id = "id" } } }, { value = "no" }]"#;
    let house = house(rules, &json!([{"id": "a", "code": ""}, {"id": "b", "code": CODE}]))
        .list("doors", "doors.json", doors)
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
        sealed = { seal = "code", steps = ["trim"] }"#;
    let house = house(rules, &json!([{"id": "a", "code": format!(" {CODE} "), "free": format!("it {CODE}")}]));
    house.lift(&[]).finds(&["warning X003 logins.json /0/free", "warning X005 logins.json"]);
}

#[test]
fn a_number_that_is_sealed_is_found_in_a_column_of_numbers() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        number = "extension"
        sealed = { seal = "code", steps = ["text"] }"#;
    let house = house(rules, &json!([{"id": "a", "code": 99_887_766, "extension": 99_887_766}]));
    house.lift(&[]).finds(&["warning X003 logins.json /0/extension", "warning X005 logins.json"]);
}

#[test]
fn what_a_mapping_declassifies_is_kept_and_listed_and_raises_nothing() {
    let rules = |columns: &str| {
        format!(
            r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        {columns}"#
        )
    };
    let logins = json!([{"id": "a", "map": {"pin": "red"}}]);
    let (pin, all) = ("note = \"map.pin\"", "data = \"@\"");
    house(&rules(pin), &logins).lift(&[]).refuses("`map.pin` looks like a secret, and nothing decides it");

    let pin = "note = { from = \"map.pin\", declassify = \"the colour of a pin on the map\" }";
    let undecided =
        house(&rules(&format!("{pin}\n{all}")), &json!([{"id": "a", "map": {"pin": "red", "token": "dog"}}]));
    let lifted = undecided
        .lift(&[])
        .ends(1, "rolled-back")
        .finds(&["error X001 logins.json /0/map/token", "warning S003 logins.json /0/map/token"]);
    let message = "`map.token` looks like a secret, and nothing decides it; \
                   `declassify = \"why\"` beside its column in set/logins.toml would keep it as it is";
    assert_eq!(lifted.report()["findings"][0]["message"], message);

    let all = "data = { from = \"@\", declassify = \"pieces of a game\" }";
    let rules = rules(&format!("{pin}\n{all}"));
    let house = house(&rules, &json!([{"id": "a", "map": {"pin": "red", "token": "dog"}}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 2, json 1");
    let lifted = lifted.finds(&["warning S003 logins.json /0/map/token"]);
    assert_eq!(
        lifted.report()["secrets"]["declassified"],
        json!([
            {"path": "logins: map.pin", "reason": "the colour of a pin on the map"},
            {"path": "logins: @", "reason": "pieces of a game"},
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
        data = "@""#;

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
        format!("expected = [\"db\"]\n{}", CATCH_ALL.replace("\"@\"", "{ from = \"@\", declassify = \"samples\" }"));
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
fn a_value_is_a_secret_if_a_member_beside_it_says_so_and_a_number_that_counts_is_none() {
    let logins = json!([
        {"id": "a", "env": [{"name": "DB_PASSWORD", "value": "plain"}, {"value": 4711, "key": "pin"}]},
        {"id": "b", "env": [{"name": "HOST", "value": "plain"}], "tokens": 4096, "passwords": 3, "hasPassword": true},
        {"id": "c", "log": "2025-05-07 got {\"user\": \"bob\", \"password\": \"plain\"} in 3 ms"},
        {"id": "d", "log": "Password: see the manager", "passwordHint": "the dog"},
    ]);
    let lifted = house(CATCH_ALL, &logins).lift(&[]).ends(1, "rolled-back");
    let expected = [
        ("`env[*].value` looks like a secret (a member beside it says so)", 2),
        ("`log` looks like a secret (JSON with a member that looks like a secret)", 1),
    ];
    assert_eq!(undecided(&lifted), expected.map(|(path, count)| (path.to_owned(), count)));
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

/// Logins, one per file, without a key that their file would give them.
const KEYLESS: &str = r#"
    [source]
    files = ["logins/{name}.json"]
    format = "json"
    [table.logins]
    key = ["id"]
    [table.logins.columns]
    id = "id"
    sealed = { seal = "code" }
    [table.notes]
    [table.notes.columns]
    text = "text""#;

#[test]
fn the_ledger_keeps_no_path_that_holds_a_secret_and_finds_its_file_again() {
    let house = House::new()
        .schema(&format!("{TABLES} CREATE TABLE notes (id INTEGER PRIMARY KEY NOT NULL, text TEXT);"))
        .mapping("logins", KEYLESS)
        .source(&format!("logins/{CODE}.json"), &json!({"id": "a", "code": CODE, "text": "one"}))
        .source("logins/plain.json", &json!({"id": "b", "code": OTHER, "text": "two"}));
    house.lift(&[]).ends(0, "committed").counts("inserted", "logins 2, notes 2");
    let database = std::fs::read(house.path(crate::house::DATABASE)).unwrap();
    assert!(!database.windows(CODE.len()).any(|window| window == CODE.as_bytes()));
    let paths = house.rows("SELECT substr(path, 1, 5), length(path) FROM treelift_files ORDER BY length(path)");
    assert_eq!(paths, [["login", "17"], ["hmac:", "69"]]);
    house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("unchanged", "logins 2, notes 2");
    assert_eq!(house.one("SELECT count(*) FROM notes"), "2");
}

#[test]
fn the_secrets_of_a_file_that_breaks_off_are_searched_for() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        note = "note"
        sealed = { seal = "code" }"#;
    let house = House::new()
        .schema(TABLES)
        .list("logins", "*.json", rules)
        .source("a.json", &json!([{"id": "a", "code": OTHER, "note": CODE}]));
    let whole = json!([{"id": "b", "code": CODE, "note": "a"}, {"id": "c", "code": "x"}]).to_string();
    house.put("b.json", &whole[..whole.len() - 4]);
    let lifted = house.lift(&["--max-rejects", "1"]);
    let report = lifted.report();
    let codes: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"X002") || codes.contains(&"X003"), "{codes:?}");
}

#[test]
fn a_value_below_a_name_that_looks_like_a_secret_is_in_no_message_where_a_lookup_or_a_step_fails() {
    for (column, code) in [
        (r#"note = { lookup = "logins.id", by = { id = "passwords.main" } }"#, "R013"),
        (
            "note = { lookup = \"logins.id\", by = { id = { from = \"passwords.main\", steps = [\"lower\"] } } }\n\
             [ignore]\n\"passwords.main\" = \"kept elsewhere\"",
            "R013",
        ),
        ("note = \"passwords.main\"\nlogin = { lookup = \"logins.id\", by = { id = \"=note\" } }", "R013"),
        (r#"number = { from = "passwords.main", steps = ["integer"] }"#, "V005"),
    ] {
        let rules = format!("[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\n{column}");
        let tables = "CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, note TEXT, login TEXT, number INTEGER)";
        let logins = json!([{"id": "a", "passwords": {"main": CODE}}]);
        let house = House::new().schema(tables).list("logins", "logins.json", &rules).source("logins.json", &logins);
        let report = house.lift(&[]).report().to_string();
        assert!(report.contains(code), "{column}: {report}");
        assert!(!report.contains(CODE), "{column}: {report}");
    }
}

#[test]
fn what_steps_make_of_a_list_with_a_secret_is_refused_and_never_told() {
    for steps in [r#"["trim"]"#, r#"["integer"]"#] {
        let rules = format!(
            r#"
            [table.logins]
            key = ["id"]
            [table.logins.columns]
            id = "id"
            data = {{ object = {{ used = {{ from = "codes", steps = {steps} }} }} }}
            sealed = {{ seal = "code" }}
            [table.logins.drop]
            "codes[*]" = "used up""#
        );
        let house = house(&rules, &json!([{"id": "a", "code": CODE, "codes": [OTHER]}]));
        let lifted = house.lift(&["--rejects", "rejects"]).ends(1, "rolled-back");
        let wanted = if steps.contains("trim") { "X002" } else { "V005" };
        assert!(lifted.report()["findings"].as_array().unwrap().iter().any(|one| one["code"] == wanted), "{steps}");
        keeps_it(&house, &lifted);
    }
}

/// A text that is no secret of the set, and looks like one by its form alone.
const LINK: &str = "https://ann:hunter22@example.com/x";

#[test]
fn a_value_that_looks_like_a_secret_is_in_no_reject_no_difference_and_no_explanation() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        note = { template = "https://{who}:{word}@example.com/x" }
        number = "number"
        data = { object = { at = "link" }, declassify = "invented" }"#;
    let login =
        |word: &str, number: Value| json!([{"id": "a", "who": "ann", "word": word, "link": LINK, "number": number}]);
    let house = house(rules, &login("first-1", json!(1)));
    house.lift(&[]).ends(0, "committed");
    let explained = house.run(["explain", "tree/logins.json", "--mappings", "set"]);
    assert!(!explained.stdout.contains("first-1@"), "{}", explained.stdout);

    house.put("logins.json", login("hunter22", json!(1)).to_string());
    let report = house.lift(&[]).ends(1, "rolled-back").report();
    let differs = report["findings"].as_array().unwrap().iter().find(|one| one["code"] == "R003").unwrap();
    let message = differs["message"].as_str().unwrap();
    assert!(message.ends_with("differs in `note` (not shown, it may be a secret)"), "{message}");
}

#[test]
fn a_reject_has_the_place_of_a_value_that_looks_like_a_secret() {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        note = "note"
        number = "number""#;
    let house = house(rules, &json!([{"id": "a", "note": LINK, "number": "none"}]));
    let lifted = house.lift(&["--rejects", "rejects"]).ends(1, "rolled-back");
    assert_eq!(house.holders(&lifted, "hunter22"), Vec::<String>::new());
    let reject: Value =
        serde_json::from_str(&std::fs::read_to_string(house.path("rejects/rejects.jsonl")).unwrap()).unwrap();
    assert_eq!(reject["value"], json!({"id": "a", "note": {"secret_at": "logins.json#/0/note"}, "number": "none"}));
}
