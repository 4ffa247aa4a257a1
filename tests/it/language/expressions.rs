//! What expressions make of values, and what becomes of values that they cannot take.

use crate::house::House;
use serde_json::{Value, json};

const TABLES: &str =
    "CREATE TABLE items (id INTEGER PRIMARY KEY NOT NULL, a TEXT, b TEXT, n INTEGER, m INTEGER, data JSON);";

fn items(columns: &str, items: &Value) -> House {
    let rules = format!("[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n{columns}\n");
    House::new().schema(TABLES).list("items", "items.json", &rules).source("items.json", items)
}

/// `check` says of the set what it says before an import.
fn is_sound(house: &House) {
    house.run(["check", "set"]).status(0);
}

#[test]
fn a_container_or_list_is_compact_json_in_a_text_column() {
    let value = json!([{"id": 1, "x": {"k": [1, 2.50]}, "tags": [{"n": "p"}, {"n": "q"}], "list": "r, s"}]);
    for (column, expected, json_leaves) in [
        ("a = \"x\"", r#"{"k":[1,2.5]}"#, 2),
        ("a = { object = { x = \"x\", t = \"tags\" } }", r#"{"x":{"k":[1,2.5]},"t":[{"n":"p"},{"n":"q"}]}"#, 4),
        ("a = { each = \"tags[*]\", item = { template = \"{n}!\" } }", r#"["p!","q!"]"#, 2),
        ("a = { each = \"tags[*]\", item = { join = [\"n\"] } }", r#"["p","q"]"#, 2),
        ("a = { from = \"list\", steps = [{ split = \", \" }] }", r#"["r","s"]"#, 1),
        ("a = { from = [\"none\", \"x\"] }", r#"{"k":[1,2.5]}"#, 2),
        ("a = { from = \"=x\" }\n[let]\nx = \"x\"", r#"{"k":[1,2.5]}"#, 2),
    ] {
        let ignored = "\n[ignore]\n\"x.**\" = \"elsewhere\"\n\"tags.**\" = \"elsewhere\"\nlist = \"elsewhere\"\n";
        let house = items(&format!("{column}{ignored}"), &value);
        is_sound(&house);
        house
            .lift(&[])
            .ends(0, "committed")
            .leaves(&format!("column 1, json {json_leaves}, ignored {}", 5 - json_leaves));
        assert_eq!(house.one("SELECT a FROM items"), expected, "{column}");
        house.lift(&[]).ends(0, "committed").counts("unchanged", "items 1");
    }
}

#[test]
fn a_container_fits_no_column_of_numbers() {
    for value in [json!({"k": 1}), json!(["k"])] {
        let lifted = items("n = \"x\"", &json!([{"id": 1, "x": value}])).lift(&[]).ends(1, "rolled-back");
        lifted.finds(&["error V004 items.json /0/x"]);
    }
}

#[test]
fn a_path_with_stars_is_a_list() {
    let value = json!([{"id": 1, "t": [{"n": "p"}, {"n": null}, {"n": [2.50]}], "m": {"x": "u", "y": "v"}}, {"id": 2, "t": []}]);
    let house = items(
        "a = \"t[*].n\"\nb = { join = \"t[*].n[*]\", with = \"+\" }\ndata = { from = \"m.*\", steps = [{ prefix = \"-\" }] }\n\
         [ignore]\n\"m.*\" = \"names of no use\"",
        &value,
    );
    house.lift(&[]).ends(0, "committed").leaves("column 5, json 3, ignored 2").finds(&[]);
    assert_eq!(
        house.rows("SELECT a, b, data FROM items"),
        [["[\"p\",null,[2.5]]", "2.5", "[\"-u\",\"-v\"]"], ["[]", "NULL", "NULL"]]
    );
}

#[test]
fn each_takes_lists_texts_and_texts_that_are_split() {
    let value = json!([
        {"id": 1, "x": "one", "y": "r, s"}, {"id": 2, "x": ["two", "three"]}, {"id": 3, "x": null}, {"id": 4},
        {"id": 5, "x": [], "y": "t"},
    ]);
    let house = items(
        "a = { each = \"x\", item = { from = \".\", steps = [{ prefix = \"-\" }] } }\nb = { join = { each = \"x\", item = \".\" }, with = \"/\" }\n\
         data = { each = { from = \"y\", steps = [{ split = \", \" }] }, member = \".\", item = { object = { at = \"#position\" } } }",
        &value,
    );
    house.lift(&[]).ends(0, "committed").leaves("column 10, json 2").finds(&[]);
    assert_eq!(
        house.rows("SELECT coalesce(a, '-'), coalesce(b, '-'), coalesce(data, '-') FROM items"),
        [
            ["[\"-one\"]", "one", "{\"r\":{\"at\":1},\"s\":{\"at\":2}}"],
            ["[\"-two\",\"-three\"]", "two/three", "-"],
            ["-", "-", "-"],
            ["-", "-", "-"],
            ["[]", "-", "{\"t\":{\"at\":1}}"],
        ]
    );
}

#[test]
fn an_item_that_is_missing_is_an_error_unless_a_policy_says_otherwise() {
    let value = json!([{"id": 1, "t": [{"n": "p"}, {"n": null}, {}, {"n": ""}]}]);
    let column = |policies: &str| format!("a = {{ each = \"t[*]\", item = {{ from = \"n\"{policies} }} }}");
    let lifted = items(&column(""), &value).lift(&[]).ends(1, "rolled-back");
    lifted.finds(&["error V001 items.json /0/t/2"]);
    for (policies, expected) in [
        (", on_missing = \"null\"", r#"["p",null,null,""]"#),
        (", on_absent = \"skip\", on_empty = \"skip\"", r#"["p"]"#),
        (", default = 7, on_empty = \"default\"", r#"["p",7,7,7]"#),
        (", on_missing = \"skip\", steps = [{ require = '^$' }], on_error = \"null\"", r#"[null,null,""]"#),
    ] {
        let ignored = "\n[ignore]\n\"t[*].n\" = \"elsewhere\"";
        let house = items(&format!("{}{ignored}", column(policies)), &value);
        house.lift(&[]).ends(0, "committed");
        assert_eq!(house.one("SELECT a FROM items"), expected, "{policies}");
    }
}

#[test]
fn a_condition_beside_an_expression_makes_it_missing_and_claims_nothing() {
    let value = json!([{"id": 1, "x": "a", "kind": "p"}, {"id": 2, "x": "b", "kind": "q"}, {"id": 3, "kind": null}]);
    let house = items(
        "a = [{ value = \"P\", when = { equals = { kind = \"p\" } } }, { from = \"x\", when = { members = [\"x\"] } }]\n\
         b = { object = { kind = { from = \"kind\", when = { members = [\"x\"] } } } }\nn = [{ value = 1, when = { not = { members = [\"x\"] } } }, 2]\n\
         [ignore]\nx = \"of p\"\nkind = \"of nobody\"",
        &value,
    );
    house.lift(&[]).ends(0, "committed").leaves("column 4, json 2, ignored 2").finds(&[]);
    assert_eq!(
        house.rows("SELECT coalesce(a, '-'), coalesce(b, '-'), n FROM items"),
        [["P", "{\"kind\":\"p\"}", "2"], ["b", "{\"kind\":\"q\"}", "2"], ["-", "-", "1"]]
    );
}

#[test]
fn a_bare_number_or_boolean_is_itself() {
    let house = items("n = 3\ndata = { object = { yes = true, size = 1.5, id = \"id\" } }", &json!([{"id": 1}]));
    house.lift(&[]).ends(0, "committed").finds(&[]);
    assert_eq!(house.rows("SELECT n, data FROM items"), [["3", "{\"yes\":true,\"size\":1.5,\"id\":1}"]]);
}

#[test]
fn an_id_of_several_parts_is_missing_if_one_is() {
    let values = json!([{"id": 1, "p": "x", "q": "y"}, {"id": 2, "q": "y"}, {"id": 3, "p": null, "q": "y"}]);
    for how in ["uuid5", "md5", "sha256"] {
        let columns = format!("a = {{ {how} = [\"p\", \"q\"] }}\nb = \"p\"\ndata = {{ object = {{ q = \"q\" }} }}");
        let house = items(&columns, &values);
        house.lift(&[]).ends(0, "committed").finds(&[]);
        assert_eq!(house.one("SELECT group_concat(a IS NULL) FROM items"), "0,1,1", "{how}");
        // A part with a default is always there.
        let part = format!(
            "a = {{ {how} = [[\"p\", {{ value = \"-\" }}], \"q\"] }}\nb = \"p\"\ndata = {{ object = {{ q = \"q\" }} }}"
        );
        let house = items(&part.replace("[[", "[{ from = [").replace("}], \"q\"", "}] }, \"q\""), &values);
        house.lift(&[]).ends(0, "committed").finds(&[]);
        assert_eq!(house.one("SELECT group_concat(a IS NULL) FROM items"), "0,0,0", "{how}");
        assert_eq!(house.one("SELECT count(DISTINCT a) FROM items"), "2", "{how}");
    }
}

#[test]
fn an_id_with_a_missing_part_rejects_the_record_where_it_is_needed() {
    let schema = "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, p TEXT);";
    let rules = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = { uuid5 = [{ value = \"item\" }, \"p\"] }\np = \"p\"\n";
    let house = House::new().schema(schema).list("items", "items.json", rules);
    let house = house.source("items.json", &json!([{"p": "x"}, {}, {}]));
    house.lift(&[]).ends(1, "rolled-back").finds(&["error V001 items.json /1", "error V001 items.json /2"]);
}

#[test]
fn matching_is_a_step_among_others_however_from_is_written() {
    let value = json!([{"id": 1, "x": "n/a", "y": " 12 "}, {"id": 2, "x": "34", "y": "56"}]);
    let column = |name: &str, from: &str| {
        format!("{name} = {{ from = {from}, steps = [{{ matching = '^[0-9]+$' }}, \"integer\"] }}\n")
    };
    let ignored = "[ignore]\nx = \"n/a means unknown\"\ny = \"blanks\"\n";
    let house = items(&format!("{}{}{ignored}", column("n", "\"x\""), column("m", "[\"x\"]")), &value);
    house.lift(&[]).ends(0, "committed").finds(&[]);
    assert_eq!(house.one("SELECT group_concat(coalesce(n, '-') || ' ' || coalesce(m, '-')) FROM items"), "- -,34 34");
    // An element's own steps come before what the list tests.
    let inner = "[{ from = \"y\", steps = [\"trim\"] }]";
    let house = items(
        &format!("{}{}{ignored}", column("n", inner), column("m", "{ from = \"y\", steps = [\"trim\"] }")),
        &value,
    );
    house.lift(&[]).ends(0, "committed").finds(&[]);
    assert_eq!(house.one("SELECT group_concat(n || ' ' || m) FROM items"), "12 12,56 56");
}

#[test]
fn what_steps_make_null_or_round_is_counted_with_its_value() {
    let value = json!([{"id": 1, "x": "unknown", "y": 52.520_006_6}, {"id": 2, "x": "", "y": 0.5}, {"id": 3, "x": "oak", "y": 3}]);
    let value = value.to_string().replace("52.5200066", "52.5200065999999987");
    let columns = "a = { from = \"x\", steps = [{ null_if = [\"\", \"unknown\"] }] }\nb = { from = \"y\", steps = [\"double\", \"text\"] }\n\
                   [ignore]\ny = \"digits below a millimetre\"\n";
    let house = items(columns, &json!([]));
    house.put("items.json", value);
    is_sound(&house);
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 6, ignored 3");
    let report = lifted.report();
    let told: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["message"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        [
            "\"unknown\" is NULL, as `null_if` says",
            "\"\" is NULL, as `null_if` says",
            "52.5200065999999987 is rounded to 52.5200066",
        ]
    );
    assert_eq!(house.rows("SELECT coalesce(a, '-'), b FROM items"), [["-", "52.5200066"], ["-", "0.5"], ["oak", "3"]]);
}

#[test]
fn to_json_writes_any_value_into_a_column_of_text() {
    let value =
        json!([{"id": 1, "x": "dark"}, {"id": 2, "x": 1}, {"id": 3, "x": {"k": [true, null]}}, {"id": 4, "x": {}}]);
    let house = items("a = { from = \"x\", steps = [\"to_json\"] }", &value);
    is_sound(&house);
    house.lift(&[]).ends(0, "committed").leaves("column 7, json 2");
    let expected = ["\"dark\"", "1", r#"{"k":[true,null]}"#, "{}"];
    assert_eq!(house.rows("SELECT a FROM items ORDER BY id").concat(), expected);
    house.lift(&[]).ends(0, "committed").counts("unchanged", "items 4");
}

#[test]
fn steps_beside_a_list_are_applied_until_an_alternative_is_present() {
    let value = json!([{"id": 1, "x": "no number", "y": "N-12"}, {"id": 2, "x": "7", "y": "8"}]);
    let column = "n = { from = [\"x\", \"y\"], steps = [{ extract = '[0-9]+' }, \"integer\"] }\n[ignore]\nx = \"a\"\ny = \"b\"\n";
    let house = items(column, &value);
    house.lift(&[]).ends(0, "committed").finds(&[]);
    assert_eq!(house.rows("SELECT n FROM items ORDER BY id").concat(), ["12", "7"]);
}

#[test]
fn a_value_that_became_null_by_on_error_is_ignored_and_counted() {
    for (column, value) in [
        ("a = { from = \"x\", steps = [{ require = '^y$' }], on_error = \"null\" }", json!("n")),
        ("n = { from = \"x\", on_error = \"null\" }", json!("the column's type refuses it")),
        ("n = { from = \"x\", on_error = \"null\" }", json!({"k": "v"})),
        ("n = { from = \"x\", steps = [\"integer\"], on_error = \"null\" }", json!(["v"])),
        ("n = { from = [\"none\", { from = \"x\", steps = [\"integer\"] }], on_error = \"null\" }", json!(true)),
    ] {
        let house = items(column, &json!([{"id": 1, "x": value}]));
        let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, ignored 1");
        let report = lifted.report();
        let name = &column[..1];
        let reason = format!("could not be read as {}", if name == "n" { "INTEGER" } else { "TEXT" });
        let reason = json!([{"what": format!("items.items.{name}"), "reason": reason, "files": 0, "leaves": 1}]);
        assert_eq!(report["ignored"], reason, "{column}");
        assert!(report["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == "V010"), "{column}");
        assert_eq!(house.one("SELECT count(*) FROM items WHERE a IS NULL AND n IS NULL"), "1", "{column}");
    }
}

#[test]
fn an_empty_string_ends_the_steps_where_a_policy_decides_it() {
    let values = json!([{"id": 1, "x": "Y"}, {"id": 2, "x": ""}, {"id": 3, "x": "  "}]);
    let steps = "steps = [\"trim\", { map = { Y = 1, N = 0 } }]";
    let house = items(&format!("n = {{ from = \"x\", {steps}, on_empty = \"null\" }}"), &values);
    house.lift(&[]).ends(0, "committed").leaves("column 6").finds(&[]);
    assert_eq!(house.one("SELECT group_concat(coalesce(n, '-')) FROM items"), "1,-,-");
    let house =
        items(&format!("n = {{ from = [{{ from = \"x\", {steps} }}], on_empty = \"default\", default = 7 }}"), &values);
    house.lift(&[]).ends(0, "committed");
    assert_eq!(house.one("SELECT group_concat(n) FROM items"), "1,7,7");
    // Without the policy it is a value like others.
    let house = items(&format!("n = {{ from = \"x\", {steps} }}"), &values);
    house.lift(&[]).ends(1, "rolled-back").finds(&["error V005 items.json /1/x", "error V005 items.json /2/x"]);
}

#[test]
fn the_excerpt_of_a_boolean_is_its_word() {
    let lifted = items("n = { from = \"x\", steps = [\"integer\"] }", &json!([{"id": 1, "x": false}])).lift(&[]);
    let message = lifted.report()["findings"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.ends_with("found \"false\""), "{message}");
}

#[test]
fn a_row_is_looked_up_by_the_first_of_several_ways_that_finds_one() {
    let schema = "CREATE TABLE people (id INTEGER PRIMARY KEY NOT NULL, name TEXT, code TEXT);\n\
        CREATE TABLE items (id INTEGER PRIMARY KEY NOT NULL, person INTEGER REFERENCES people (id), known TEXT, data JSON);";
    let people =
        "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\ncode = \"code\"\n";
    let by = "[{ id = \"who\" }, { name = { from = \"who\", ignore_case = true }, code = { from = \"code\", column_steps = [{ strip_prefix = \"c-\" }] } }]";
    let items = format!(
        "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\nperson = {{ lookup = \"people.id\", by = {by} }}\n\
         known = [{{ value = \"yes\", when = {{ exists = \"people\", by = {by} }} }}, {{ value = \"no\" }}]\ndata = {{ object = {{ who = \"who\", code = \"code\" }} }}\n"
    );
    let house = House::new().schema(schema).list("people", "people.json", people);
    let house = house.list("items", "items.json", &items);
    let house = house.source(
        "people.json",
        &json!([{"id": 7, "name": "Weiß", "code": "c-1"}, {"id": 8, "name": "weiss", "code": "2"}]),
    );
    let house = house.source(
        "items.json",
        &json!([
            {"id": 1, "who": 8}, {"id": 2, "who": "WEISS", "code": "1"}, {"id": 3, "who": "WEISS", "code": "2"},
            {"id": 4, "who": "weiss", "code": "c-1"}, {"id": 5, "who": "weiß"}, {"id": 6, "who": null},
        ]),
    );
    let lifted = house.lift(&[]).ends(0, "committed");
    lifted.finds(&["warning R013 items.json /3/who", "warning R013 items.json /4/who"]);
    assert_eq!(
        house.rows("SELECT coalesce(person, '-'), known FROM items ORDER BY id"),
        [["8", "yes"], ["7", "yes"], ["8", "yes"], ["-", "no"], ["-", "no"], ["-", "no"]]
    );
}

#[test]
fn a_text_without_its_empty_parts_is_not_kept_by_a_join() {
    let split = r#"{ from = "x", steps = [{ split = "," }] }"#;
    let lists =
        [split.to_owned(), format!("{{ each = {split}, item = \".\" }}"), format!("{{ from = [\"none\", {split}] }}")];
    for list in lists {
        let value = json!([{"id": 1, "x": "1,54"}, {"id": 2, "x": ",54"}]);
        let house = items(&format!("b = {{ join = {list}, with = \".\" }}\n"), &value);
        house.lift(&[]).ends(1, "rolled-back").finds(&["error S002 items.json /1/x"]);
        let house = items(&format!("b = {{ join = {list}, with = \".\", lossy = \"why\" }}\n"), &value);
        house.lift(&[]).ends(0, "committed").leaves("column 4");
        assert_eq!(house.rows("SELECT b FROM items ORDER BY id"), [["1.54"], ["54"]]);
    }
    // Empty elements are leaves of their own.
    let list = format!("{{ from = [\"x[*]\", {split}] }}");
    let house = items(&format!("b = {{ join = {list}, with = \".\" }}\n"), &json!([{"id": 1, "x": ["a", ""]}]));
    house.lift(&[]).ends(0, "committed").leaves("column 3").finds(&[]);
}

#[test]
fn an_empty_text_has_no_parts() {
    let split = |path: &str| format!("{{ from = \"{path}\", steps = [{{ split = \",\" }}] }}");
    let columns = format!("a = {0}\nb = {{ join = {0}, with = \"/\" }}\n", split("x"));
    let value = json!([{"id": 1, "x": ""}, {"id": 2, "x": ","}, {"id": 3, "x": "p"}]);
    let house = items(&columns, &value);
    // What `b` does not keep, the list does.
    house.lift(&[]).ends(0, "committed").leaves("column 5, json 1").finds(&[]);
    let rows = house.rows("SELECT coalesce(a, '-'), coalesce(b, '-') FROM items");
    assert_eq!(rows, [["[]", "-"], ["[\"\",\"\"]", "-"], ["[\"p\"]", "p"]]);

    let rules = format!("[table.words]\neach = {}\n[table.words.columns]\nword = \".\"\n", split("x"));
    let schema = "CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT);";
    let house = House::new().schema(schema).list("words", "words.json", &rules);
    let house = house.source("words.json", &json!([{"x": ","}, {"x": ""}, {"x": "p"}]));
    house.lift(&[]).ends(0, "committed").leaves("column 3").finds(&[]);
    assert_eq!(house.rows("SELECT word FROM words ORDER BY id"), [[""], [""], ["p"]]);
}
