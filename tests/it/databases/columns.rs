//! What columns take: by their declared types, to the last digit and the last second.

use crate::house::{House, findings};
use serde_json::{Value, json};

/// A list of items with an id and one more member `v`, for a column of this type.
fn items(declared: &str, expression: &str, values: &[Value]) -> House {
    let items: Vec<Value> = values.iter().enumerate().map(|(at, value)| json!({ "id": at + 1, "v": value })).collect();
    House::new()
        .schema(&format!("CREATE TABLE items (id INTEGER PRIMARY KEY, v {declared});"))
        .list("items", "items.json", &rule(expression))
        .source("items.json", &json!(items))
}

fn rule(expression: &str) -> String {
    format!("[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\nv = {expression}\n")
}

/// The same, with the values as they are written in JSON.
fn written(declared: &str, values: &[&str]) -> House {
    let house = items(declared, "\"v\"", &[]);
    let items: Vec<String> =
        values.iter().enumerate().map(|(at, value)| format!("{{\"id\":{},\"v\":{value}}}", at + 1)).collect();
    house.put("items.json", format!("[{}]", items.join(",\n")));
    house
}

/// Code and severity of the findings about values.
fn about_values(report: &Value) -> Vec<String> {
    let found = findings(report).into_iter().filter(|(code, ..)| code.starts_with('V'));
    found.map(|(code, severity, _)| format!("{code} {severity}")).collect()
}

#[test]
fn a_column_that_no_rule_writes_may_have_any_type() {
    let house = House::new()
        .schema(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, v TEXT, since DATE, icon, place GEOMETRY DEFAULT 'none');
             CREATE TABLE other (id INTEGER PRIMARY KEY, d DATE, t TINYINT(1), u UUID, j JSONB, z TIMESTAMPTZ, s SERIAL, e);",
        )
        .list("items", "items.json", &rule("\"v\""))
        .source("items.json", &json!([{ "id": 1, "v": "x" }]));
    house.run(["check", "set"]).status(0);
    house.lift(&[]).ends(0, "committed").leaves("column 2");
    assert_eq!(house.rows("SELECT id, v, place FROM items"), [["1", "x", "none"]]);
    house.lift(&[]).ends(0, "committed").counts("unchanged", "items 1");
}

#[test]
fn a_rule_that_writes_a_column_of_an_unknown_type_is_named_by_file_and_line() {
    const OTHER: &str =
        "declare one of the types that mappings/README.md lists, or leave the column to the application";
    let meant = |word: &str| format!("did the migration mean `{word}`? mappings/README.md lists the types");
    for (declared, hint) in [
        ("GEOMETRY", OTHER.to_owned()),
        ("STRING", OTHER.to_owned()),
        ("TXET", meant("TEXT")),
        ("varcahr(20)", meant("VARCHAR")),
        ("DOUBLE PRECISON", meant("DOUBLE PRECISION")),
        ("TEXT(20)", OTHER.to_owned()), // the word is right
    ] {
        let what = format!("`items.v` is `{declared}`, a type that treelift does not know, and a rule writes it");
        let house = items(declared, "\"v\"", &[json!("x")]);
        let checked = house.run(["check", "set"]).status(2);
        assert!(
            checked.stderr.contains(&format!("error M140: {what}\n  at set/items.toml:12\n")),
            "{}",
            checked.stderr
        );
        assert!(checked.stderr.ends_with(&format!("\nhint: {hint}\n")), "{}", checked.stderr);
        house.lift(&[]).refuses("M140");
    }
}

#[test]
fn usual_types_of_other_engines_are_written_by_their_affinity() {
    for (declared, value, kept) in [
        ("TINYINT(1)", json!(1), "1"),
        ("INTEGER UNSIGNED", json!(7), "7"),
        ("SERIAL", json!(3), "3"),
        ("LONGTEXT", json!("007"), "007"),
        ("DOUBLE", json!(1.5), "1.5"),
    ] {
        let house = items(declared, "\"v\"", &[value]);
        house.lift(&[]).ends(0, "committed");
        assert_eq!(house.rows("SELECT v FROM items"), [[kept]], "{declared}");
    }
}

#[test]
fn the_last_moments_of_9999_are_kept() {
    let never = ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.9999990Z", "9999-12-31T21:00:00-02:00"];
    let house = items("DATETIME", "\"v\"", &never.map(|text| json!(text)));
    house.lift(&[]).ends(0, "committed");
    let kept = [["9999-12-31 23:59:59.000000"], ["9999-12-31 23:59:59.999999"], ["9999-12-31 23:00:00.000000"]];
    assert_eq!(house.rows("SELECT v FROM items ORDER BY id"), kept);
    house.lift(&[]).ends(0, "committed").counts("unchanged", "items 3");
}

#[test]
fn a_format_with_a_year_of_two_digits_is_refused_without_data() {
    for (step, letter) in [("{ time = \"%d.%m.%y\" }", "%y"), ("{ time = \"%D\" }", "%D")] {
        let house = items("DATETIME", &format!("{{ from = \"v\", steps = [{step}] }}"), &[]);
        let checked = house.run(["check", "set"]).status(2);
        let words = format!("reads a year of two digits (`{letter}`), whose century would be a guess");
        assert!(checked.stderr.contains("M012") && checked.stderr.contains(&words), "{}", checked.stderr);
    }
}

#[test]
fn minus_zero_is_zero_and_counted() {
    for (declared, values, kept) in [
        ("REAL", ["-0.0", "-0", "-0e5", "0.0"], "0.0"),
        ("INTEGER", ["-0", "-0", "-0", "0"], "0"),
        ("DECIMAL(4,2)", ["-0.00", "-0", "-0.0", "0"], "0"),
        ("TINYINT(1)", ["-0", "-0", "-0", "0"], "0"),
        ("", ["-0", "-0", "-0", "0"], "0"),
    ] {
        let house = written(declared, &values);
        let lifted = house.lift(&[]).ends(0, "committed").leaves("column 8");
        assert_eq!(about_values(&lifted.report()), ["V017 note"; 3], "{declared}");
        assert_eq!(house.rows("SELECT DISTINCT quote(v) FROM items"), [[kept]], "{declared}");
        house.lift(&[]).ends(0, "committed").counts("unchanged", "items 4");
    }
    let house = items("INTEGER", "{ from = \"v\", steps = [\"integer\"] }", &[json!("-0")]);
    assert_eq!(about_values(&house.lift(&[]).ends(0, "committed").report()), ["V017 note"]);
}

#[test]
fn a_number_of_17_digits_is_kept_where_its_double_gives_it_back() {
    let house = written("REAL", &["0.10000000000000001", "19.989999999999998", "0.1", "1e-7"]);
    house.lift(&[]).ends(0, "committed");
    assert_eq!(house.one("SELECT v = 19.99 FROM items WHERE id = 2"), "1");
    house.lift(&[]).ends(0, "committed").counts("unchanged", "items 4");

    let house = written("REAL", &["52.520008123456789", "9007199254740993"]);
    house.lift(&[]).ends(1, "rolled-back").finds(&["error V007 items.json /0/v", "error V007 items.json /1/v"]);
}

#[test]
fn a_declared_precision_and_scale_are_held_by_value() {
    let house = written("DECIMAL(10,2)", &["12.50", "0.5", "-99999999.99", "1.000"]);
    house.lift(&[]).ends(0, "committed");
    let house = written("DECIMAL(10,2)", &["0.125", "100000000"]);
    house.lift(&[]).ends(1, "rolled-back").finds(&["error V007 items.json /0/v", "error V007 items.json /1/v"]);
    let house = written("DECIMAL(20,18)", &["0.465601865839674"]);
    house.lift(&[]).ends(0, "committed");
    assert_eq!(house.rows("SELECT v FROM items"), [["0.465601865839674"]]);
}
