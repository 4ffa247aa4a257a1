//! Times in columns of every kind that takes them, and values that are read by the type of their column.

use crate::house::House;
use serde_json::{Value, json};

pub(crate) fn items(declared: &str, expression: &str, set: &str, values: &[Value]) -> House {
    let items: Vec<Value> = values.iter().enumerate().map(|(at, value)| json!({ "id": at + 1, "v": value })).collect();
    let rule = format!("[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\nv = {expression}\n");
    House::new()
        .schema(&format!("CREATE TABLE items (id INTEGER PRIMARY KEY, v {declared});"))
        .set(set)
        .list("items", "items.json", &rule)
        .source("items.json", &json!(items))
}

/// What is stored, after an import that a second one leaves as it is.
pub(crate) fn stored(house: &House) -> Vec<String> {
    house.run(["check", "set"]).status(0);
    house.lift(&[]).ends(0, "committed").finds(&[]);
    let rows = house.rows("SELECT v FROM items ORDER BY id").concat();
    house.lift(&[]).ends(0, "committed").counts("unchanged", &format!("items {}", rows.len()));
    rows
}

#[test]
fn a_column_of_times_reads_strings_by_itself_and_what_reads_says() {
    let by_itself =
        items("TIMESTAMP", "\"v\"", "", &[json!("2025-05-07T14:42:18+02:00"), json!("2025-05-07T14:42:18.5Z")]);
    assert_eq!(stored(&by_itself), ["2025-05-07 12:42:18.000000", "2025-05-07 14:42:18.500000"]);
    let reads = "[reads]\nTIMESTAMP = [{ time = [\"epoch_s\", \"rfc3339\"] }]\n";
    let both = items("TIMESTAMP", "\"v\"", reads, &[json!(1_690_000_000), json!("2025-05-07T14:42:18Z")]);
    assert_eq!(stored(&both), ["2023-07-22 04:26:40.000000", "2025-05-07 14:42:18.000000"]);
    // Each alternative is read by itself, and what is a time already stays as it is.
    let day = "[\"none\", { from = \"v\", steps = [{ time = \"%d.%m.%Y\" }] }]";
    assert_eq!(stored(&items("DATETIME", day, "", &[json!("07.05.2025")])), ["2025-05-07 00:00:00.000000"]);
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_the_type() {
    let house = items("DATETIME", "\"v\"", "", &[json!("2025-05-07T14:42:18")]);
    let lifted = house.lift(&[]).ends(1, "rolled-back").finds(&["error V005 items.json /0/v"]);
    let message = "the value cannot be read as DATETIME: expected a time like `2025-01-31T08:05:00Z`, with `Z` or an offset \
                   (without one, use the form `iso`)";
    assert!(lifted.report()["findings"][0]["message"].as_str().unwrap().starts_with(message), "{:#}", lifted.report());
}

#[test]
fn columns_of_text_and_numbers_take_times_as_they_are_written() {
    let at = [json!("2023-07-22T06:26:40.125+02:00")];
    for (declared, step, expected) in [
        ("TEXT", "\"time\"", "2023-07-22T04:26:40.125Z"),
        ("TEXT", "{ time = { zone = \"none\" } }", "2023-07-22T06:26:40.125"),
        ("TEXT", "{ time = { zone = \"Asia/Tokyo\", as = \"rfc3339\" } }", "2023-07-22T13:26:40.125+09:00"),
        ("TEXT", "{ time = { as = \"%d.%m.%Y %H:%M:%S%.f\" } }", "22.07.2023 04:26:40.125"),
        ("INTEGER", "{ time = { as = \"epoch_ms\" } }", "1690000000125"),
        ("REAL", "{ time = { as = \"epoch_s\" } }", "1690000000.125"),
    ] {
        let house = items(declared, &format!("{{ from = \"v\", steps = [{step}] }}"), "", &at);
        assert_eq!(stored(&house), [expected], "{declared} {step}");
    }
    let whole = items("INTEGER", "{ from = \"v\", steps = [{ time = { as = \"epoch_s\" } }] }", "", &at);
    whole.lift(&[]).ends(1, "rolled-back").finds(&["error V007 items.json /0/v"]);
    let refused =
        items("INTEGER", "{ from = \"v\", steps = [\"time\"] }", "", &[]).run(["check", "set"]).status(2).stderr;
    assert!(refused.contains("`items.v` is `INTEGER`, and this gives a date and time"), "{refused}");
    assert!(refused.contains("say how it is written: `{ time = { as = \"epoch_ms\" } }`"), "{refused}");
}

#[test]
fn captures_and_member_names_are_read_by_columns_of_integers() {
    let rule = "[table.days]\nkey = [\"year\", \"day\"]\neach = \".*\"\nkey_as = \"day\"\n[table.days.columns]\nyear = \
                \"#year\"\nday = \"#day\"\nv = \".\"\n";
    let house = |member: &str| {
        House::new()
            .schema("CREATE TABLE days (year INTEGER, day INTEGER, v INTEGER, PRIMARY KEY (year, day));")
            .mapping("days", &format!("[source]\nfiles = [\"{{year}}.json\"]\n{rule}"))
            .source("2025.json", &json!({ "127": 1, member: 2 }))
    };
    let days = house("128");
    days.lift(&[]).ends(0, "committed").finds(&[]);
    assert_eq!(days.rows("SELECT year, day, v FROM days ORDER BY day"), [["2025", "127", "1"], ["2025", "128", "2"]]);
    days.lift(&[]).ends(0, "committed").counts("unchanged", "days 2");
    house("x").lift(&[]).ends(1, "rolled-back");
    // A string of the source is no number.
    items("INTEGER", "\"v\"", "", &[json!("12")])
        .lift(&[])
        .ends(1, "rolled-back")
        .finds(&["error V004 items.json /0/v"]);
}

#[test]
fn what_by_compares_is_read_as_the_column_it_is_compared_with() {
    let schema = "CREATE TABLE days (id INTEGER PRIMARY KEY, at DATETIME UNIQUE);
                  CREATE TABLE notes (id INTEGER PRIMARY KEY, day_id INTEGER REFERENCES days (id));";
    let house = House::new()
        .schema(schema)
        .list("days", "days.json", "[table.days]\nkey = [\"id\"]\n[table.days.columns]\nid = \"id\"\nat = \"at\"\n")
        .list(
            "notes",
            "notes.json",
            "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nday_id = { lookup = \"days.id\", by = { at = \"on\" } }\n",
        )
        .source("days.json", &json!([{ "id": 7, "at": "2025-05-07T12:00:00.000Z" }]))
        .source("notes.json", &json!([{ "id": 1, "on": "2025-05-07T14:00:00+02:00" }]));
    house.lift(&[]).ends(0, "committed").finds(&[]);
    assert_eq!(house.one("SELECT day_id FROM notes"), "7");
    house.lift(&[]).ends(0, "committed").counts("unchanged", "days 1, notes 1");
}

#[test]
fn a_row_that_no_rule_writes_is_found_by_a_moment_or_by_a_time_without_a_zone() {
    let schema = "CREATE TABLE slots (at TIMESTAMP PRIMARY KEY, name TEXT);
         INSERT INTO slots VALUES ('2025-05-07 14:42:18.000000', 'late');
         CREATE TABLE items (id INTEGER PRIMARY KEY, slot TEXT);";
    let iso = "{ from = \"at\", steps = [{ time = \"iso\" }] }";
    for (at, time) in [("\"at\"", "2025-05-07T16:42:18+02:00"), (iso, "2025-05-07T14:42:18")] {
        let rule = format!(
            "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\nslot = {{ lookup = \"slots.name\", by = {{ at = {at} }} }}\n"
        );
        let house = House::new()
            .schema(schema)
            .list("items", "items.json", &rule)
            .source("items.json", &json!([{ "id": 1, "at": time }]));
        house.lift(&[]).ends(0, "committed").finds(&[]);
        assert_eq!(house.rows("SELECT slot FROM items"), [["late"]], "{at}");
        house.lift(&[]).ends(0, "committed").counts("unchanged", "items 1");
    }
}

#[test]
fn reads_is_for_types_that_there_are_and_for_steps_that_keep() {
    let house = items("DATETIME", "\"v\"", "[reads]\nDATETME = [\"time\"]\nDATETIME = [\"lower\", \"time\"]\n", &[]);
    let refused = house.run(["check", "set"]).status(2).stderr;
    assert!(refused.contains("error M151: no column is declared as `DATETME`"), "{refused}");
    assert!(refused.contains("did you mean `DATETIME`?"), "{refused}");
    assert!(
        refused.contains("error M012: step `lower` does not keep the value, so it is not for [reads]"),
        "{refused}"
    );
}

#[test]
fn each_type_of_time_takes_what_it_holds_and_nothing_else() {
    let berlin = "{ from = \"v\", steps = [{ time = { forms = \"epoch_ms\", zone = \"Europe/Berlin\" } }] }";
    for (declared, expression, value, expected) in [
        ("DATE", "\"v\"", json!("2025-05-07"), "2025-05-07"),
        ("DATE", "{ from = \"v\", steps = [\"time\"] }", json!("2025-05-07T00:00:00Z"), "2025-05-07"),
        ("DATE", berlin, json!(1_746_568_800_000_i64), "2025-05-07"),
        ("TIMESTAMPTZ", "\"v\"", json!("2025-05-07T14:42:18+02:00"), "2025-05-07 12:42:18.000000+00:00"),
        ("TIMESTAMP WITH TIME ZONE", berlin, json!(0), "1970-01-01 00:00:00.000000+00:00"),
        ("TIME", "\"v\"", json!("14:42:18.5"), "14:42:18.5"),
        (
            "TIMESTAMP",
            "{ from = \"v\", steps = [{ time = \"%Y-%m-%d\" }] }",
            json!("2025-05-07"),
            "2025-05-07 00:00:00.000000",
        ),
    ] {
        assert_eq!(stored(&items(declared, expression, "", &[value])), [expected], "{declared} {expression}");
    }
    for (declared, expression, value, code) in [
        ("DATE", "{ from = \"v\", steps = [\"time\"] }", json!("2025-05-07T14:42:18Z"), "V007"),
        ("DATE", "\"v\"", json!("2025-05-07T14:42:18Z"), "V005"),
        ("TIME", "\"v\"", json!("24:00"), "V004"),
        ("TIME", "\"v\"", json!("14"), "V004"),
    ] {
        let finding = format!("error {code} items.json /0/v");
        items(declared, expression, "", &[value]).lift(&[]).ends(1, "rolled-back").finds(&[&finding]);
    }
    let zoneless = items("TIMESTAMPTZ", "{ from = \"v\", steps = [{ time = \"iso\" }] }", "", &[]);
    let refused = zoneless.run(["check", "set"]).status(2).stderr;
    assert!(refused.contains("`items.v` is `TIMESTAMPTZ`, and this gives a date and time without a zone"), "{refused}");
}

#[test]
fn bytes_uuids_flags_and_columns_without_a_type_keep_what_they_are_given() {
    for (declared, expression, value, expected) in [
        ("BLOB", "{ from = \"v\", steps = [\"base64\"] }", json!("AP8="), "x'00ff'"),
        ("BYTEA", "{ from = \"v\", steps = [\"hex\"] }", json!("3132"), "x'3132'"),
        ("UUID", "\"v\"", json!("5C5E7A52-6d0b-5d8e-9b1c-2f6f0a3d4e11"), "5C5E7A52-6d0b-5d8e-9b1c-2f6f0a3d4e11"),
        ("TINYINT(1)", "\"v\"", json!(true), "1"),
        ("TINYINT(1)", "\"v\"", json!(2), "2"),
        ("", "\"v\"", json!("007"), "007"),
        ("", "\"v\"", json!(7), "7"),
        ("", "\"v\"", json!(1.5), "1.5"),
        ("", "\"v\"", json!(false), "0"),
    ] {
        assert_eq!(stored(&items(declared, expression, "", &[value])), [expected], "{declared} {expression}");
    }
    let bad = items("UUID", "\"v\"", "", &[json!("5c5e7a526d0b5d8e9b1c2f6f0a3d4e11")]);
    bad.lift(&[]).ends(1, "rolled-back").finds(&["error V004 items.json /0/v"]);
}
