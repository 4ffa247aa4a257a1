//! A second import of the same tree, with rejects allowed, changes nothing and reports the same rejects: what the first
//! one rejected does not count as there because another record made a row like it.

use crate::house::{DATABASE, House, application_dump, open, tables};
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, mail TEXT UNIQUE, \
                          town TEXT CHECK (town <> 'bad'));
                      CREATE TABLE cities (id TEXT PRIMARY KEY NOT NULL, name TEXT);
                      CREATE TABLE homes (id TEXT PRIMARY KEY NOT NULL, city TEXT REFERENCES cities (id));
                      CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id), note TEXT);";

/// People with these words about records of one key.
fn people(words: &str) -> String {
    format!(
        "[table.people]\nkey = [\"name\"]\n{words}\n[table.people.columns]\nname = \"name\"\nmail = \"mail\"\ntown = \"town\"\n"
    )
}

const NOTES: &str = "[table.notes]\nparent = \"people\"\neach = \"notes[*]\"\n[table.notes.columns]\n\
                     person = \"^id\"\nnote = \".\"\n";
/// A home needs its city, which a later file names: it is read when the person is written already.
const HOMES: &str = "[table.homes]\nkey = [\"id\"]\n[table.homes.columns]\nid = \"home\"\n\
                     city = { lookup = \"cities.id\", by = { name = \"city\" }, on_dangling = \"reject\" }\n";
const CITIES: &str = "[table.cities]\nkey = [\"id\"]\n[table.cities.columns]\nid = \"id\"\nname = \"name\"\n";

fn house(rules: &str, people: &Value) -> House {
    House::new().schema(TABLES).list("people", "people.json", rules).source("people.json", people)
}

fn with_cities(house: House) -> House {
    let cities = json!([{"id": "c", "name": "Bonn"}]);
    house.list("cities", "cities.json", CITIES).source("cities.json", &cities)
}

/// The errors of a report: code, message and place.
pub(crate) fn errors(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    let mut errors: Vec<String> = findings
        .map(|finding| format!("{} {} {}", finding["code"], finding["message"], finding["place"]["pointer"]))
        .collect();
    errors.sort();
    errors
}

/// Imports twice, with so many rejects allowed: the second import changes nothing, and says what the first one said.
#[track_caller]
fn repeats(house: &House, most: &str, codes: &[&str]) {
    let lift = || {
        let lifted = house.lift(&["--max-rejects", most, "--rejects", "rejects"]).ends(1, "committed");
        (lifted.report(), application_dump(&open(&house.path(DATABASE))))
    };
    let rejects = || house.rejects();
    let (first, rows) = lift();
    let kept = rejects();
    let found: Vec<String> = errors(&first).iter().map(|error| error[1..5].to_owned()).collect();
    assert_eq!(found, codes, "{:#}", first["findings"]);
    let (second, rows_after) = lift();
    assert_eq!(errors(&second), errors(&first));
    assert_eq!(rejects(), kept);
    assert_eq!(rows_after, rows);
    assert_eq!((tables(&second, "inserted"), tables(&second, "updated")), Default::default());
    assert_eq!(tables(&second, "rejected"), tables(&first, "rejected"));
    assert_eq!(second["leaves"], first["leaves"]);
    assert_eq!(second["findings"], first["findings"]);
}

fn person(name: &str, mail: &str, town: &str) -> Value {
    json!({"name": name, "mail": mail, "town": town})
}

#[test]
fn a_record_that_a_check_rejects_though_a_later_one_has_its_key() {
    for words in ["", "on_duplicate = \"first\""] {
        let house =
            house(&people(words), &json!([person("a", "m", "bad"), person("a", "n", "x"), person("b", "o", "y")]));
        repeats(&house, "1", &["R009"]);
        assert_eq!(house.rows("SELECT name, mail FROM people"), [["a", "n"], ["b", "o"]]);
    }
}

#[test]
fn the_last_record_of_a_key_that_a_check_rejects() {
    let house = house(&people("on_duplicate = \"last\""), &json!([person("a", "m", "x"), person("a", "n", "bad")]));
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT name, mail FROM people"), [["a", "m"]]);
}

#[test]
fn a_record_that_a_check_rejects_though_a_later_one_has_a_unique_value_of_it() {
    let house = house(&people(""), &json!([person("a", "m", "bad"), person("b", "m", "x")]));
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT name, mail FROM people"), [["b", "m"]]);
}

#[test]
fn a_record_that_a_trigger_rejects_once_it_is_there_though_a_later_one_has_its_key() {
    let schema = TABLES.replace(" CHECK (town <> 'bad')", "")
        + "CREATE TRIGGER guard AFTER INSERT ON people WHEN NEW.town = 'bad' BEGIN SELECT RAISE(ABORT, 'not today'); END;";
    let house = house(&people(""), &json!([person("a", "m", "bad"), person("a", "n", "x")])).schema(&schema);
    repeats(&house, "1", &["R010"]);
}

#[test]
fn a_child_that_a_check_rejects_though_its_parent_is_like_another() {
    let schema = TABLES.replace("note TEXT", "note TEXT CHECK (note <> 'bad')");
    let rules = format!("{}{NOTES}", people(""));
    let note = |mail: &str, notes: &[&str]| json!({"name": "a", "mail": mail, "town": "x", "notes": notes});
    let house = house(&rules, &json!([note("m", &["good", "bad"]), note("n", &["good"])])).schema(&schema);
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT note FROM notes"), [["good"]]);
}

#[test]
fn a_record_that_a_later_turn_rejects_though_a_later_one_has_its_key() {
    let person = |mail: &str, home: &str, city: &str| json!({"name": "a", "mail": mail, "town": "x", "home": home, "city": city});
    for (words, rejects) in [("on_duplicate = \"first\"", "1"), ("on_duplicate = \"last\"", "1"), ("", "2")] {
        let mut all = vec![person("m", "h", "Ulm"), person("n", "i", "Bonn")];
        if words.contains("last") {
            all.reverse();
        }
        let house = with_cities(house(&format!("{}{HOMES}", people(words)), &Value::from(all)));
        repeats(&house, rejects, &["V001"]);
        assert_eq!(house.rows("SELECT name, mail FROM people"), [["a", "n"]], "{words}");
    }
}

#[test]
fn a_record_that_a_later_turn_rejects_though_a_later_one_has_a_unique_value_of_it() {
    let person = |name: &str, city: &str| json!({"name": name, "mail": "m", "town": "x", "home": name, "city": city});
    let house =
        with_cities(house(&format!("{}{HOMES}", people("")), &json!([person("a", "Ulm"), person("b", "Bonn")])));
    repeats(&house, "2", &["V001"]);
}

#[test]
fn a_record_of_a_fill_rule_that_would_have_started_the_row_of_a_later_one() {
    let rules = format!("{}{NOTES}", people("on_duplicate = \"fill\""));
    let person =
        |mail: &str, town: Option<&str>, note: &str| json!({"name": "a", "mail": mail, "town": town, "notes": [note]});
    for other in [Some("x"), None] {
        let house = house(&rules, &json!([person("m", Some("bad"), "of nobody"), person("n", other, "of a")]));
        repeats(&house, "1", &["R009"]);
        assert_eq!(house.rows("SELECT p.mail, note FROM notes JOIN people p ON p.id = person"), [["n", "of a"]]);
    }
}

#[test]
fn a_record_of_a_fill_rule_that_a_later_turn_rejects() {
    let rules = format!("{}{HOMES}", people("on_duplicate = \"fill\""));
    let person = |mail: &str, home: &str, city: &str| json!({"name": "a", "mail": mail, "town": "x", "home": home, "city": city});
    let house = with_cities(house(&rules, &json!([person("m", "h", "Ulm"), person("n", "i", "Bonn")])));
    repeats(&house, "1", &["V001"]);
}

#[test]
fn a_row_that_differs_and_that_the_database_would_take_is_still_one_that_differs() {
    let house = house(&people(""), &json!([person("a", "m", "x")]));
    house.lift(&[]).ends(0, "committed");
    house.put("people.json", json!([person("a", "n", "y"), person("a", "m", "x")]).to_string());
    house.lift(&[]).ends(1, "rolled-back").finds(&["error R003 people.json /0"]);
}

/// A table `t` and one rule of it, with these words about records of one key.
fn rows_of_t(columns: &str, words: &str, given: &str, records: &Value) -> House {
    let rules = format!("[table.t]\n{words}\n[table.t.columns]\n{given}\n[ignore]\n\"*\" = \"looked up\"\n");
    let schema = format!("CREATE TABLE t ({columns});");
    House::new().schema(&schema).list("t", "t.json", &rules).source("t.json", records)
}

#[test]
fn a_record_of_a_fill_rule_that_had_a_unique_value_of_another_row_before_its_own_row_was_there() {
    let columns = "id INTEGER PRIMARY KEY, k TEXT NOT NULL UNIQUE, v INTEGER UNIQUE, w TEXT";
    let records = json!([{"k": "e", "v": 3}, {"k": "f", "v": 3, "w": "u"}, {"k": "f", "v": 1}]);
    let words = "key = [\"k\"]\non_duplicate = \"fill\"";
    let house = rows_of_t(columns, words, "k = \"k\"\nv = \"v\"\nw = \"w\"", &records);
    repeats(&house, "1", &["R002"]);
    assert_eq!(house.rows("SELECT k, v, w FROM t"), [["e", "3", "NULL"], ["f", "1", "NULL"]]);
}

#[test]
fn a_record_that_a_check_rejects_and_whose_values_a_later_one_has_otherwise() {
    let rules = people("on_duplicate = \"fill\"");
    let house = house(&rules, &json!([person("a", "m", "bad"), person("a", "n", "x")]));
    repeats(&house, "1", &["R009"]);
}

#[test]
fn a_record_with_a_bad_child_says_nothing_of_the_row_that_a_later_one_made() {
    let columns = "id INTEGER PRIMARY KEY, k TEXT NOT NULL UNIQUE, w TEXT";
    let rules = "[table.t]\nkey = [\"k\"]\n[table.t.columns]\nk = \"k\"\nw = \"w\"\n\
                 [table.parts]\nkey = [\"n\"]\n[table.parts.columns]\nn = \"n\"\n";
    let schema = format!("CREATE TABLE t ({columns}); CREATE TABLE parts (n INTEGER PRIMARY KEY);");
    let records = json!([{"k": "a", "w": "u", "n": 1}, {"k": "b", "w": "v", "n": 1}, {"k": "b", "w": "x", "n": 2}]);
    let house = House::new().schema(&schema).list("t", "t.json", rules).source("t.json", &records);
    repeats(&house, "1", &["R001"]);
}

const CYCLES: &str = "id INTEGER PRIMARY KEY, k TEXT, up INTEGER REFERENCES t (id), up2 INTEGER REFERENCES t (id)";

fn in_cycles(words: &str, records: &Value) -> House {
    let given = "k = \"k\"\nup = { lookup = \"t.id\", by = { k = \"up\" }, on_dangling = \"skip\" }\n\
                 up2 = { lookup = \"t.id\", by = { k = \"up2\" } }";
    rows_of_t(CYCLES, words, given, records)
}

#[test]
fn rows_without_a_key_in_a_cycle_that_refer_to_a_row_which_is_not_made() {
    let to_nobody = json!([{"k": "a", "up": "a", "up2": "x"}, {"k": "x", "up": "nobody"}]);
    let longer = json!([
        {"k": "a", "up": "b", "up2": "x"}, {"k": "b", "up": "c", "up2": "y"}, {"k": "c", "up": "a", "up2": "a"},
        {"k": "x", "up": "y"}, {"k": "y", "up": "nobody"}
    ]);
    for records in [to_nobody, longer] {
        for words in ["", "key = [\"k\"]"] {
            let house = in_cycles(words, &records);
            house.lift(&[]).ends(0, "committed");
            let rows = application_dump(&open(&house.path(DATABASE)));
            house.lift(&[]).ends(0, "committed").counts("inserted", "").counts("updated", "");
            assert_eq!(application_dump(&open(&house.path(DATABASE))), rows, "{words}");
        }
    }
}

#[test]
fn rows_without_a_key_in_a_cycle_that_were_changed_are_told() {
    let house = in_cycles("", &json!([{"k": "a", "up": "a", "up2": "x"}, {"k": "x", "up": "nobody"}]));
    house.lift(&[]).ends(0, "committed");
    // As long as before.
    house.put("t.json", json!([{"k": "b", "up": "b", "up2": "x"}, {"k": "x", "up": "nobody"}]).to_string());
    house.lift(&[]).ends(1, "rolled-back").finds(&["error R003 t.json", "warning R013 t.json /0/up2"]);
    // What was added finds the rows that were there, and these are found again.
    house.put(
        "t.json",
        json!([{"k": "a", "up": "a", "up2": "x"}, {"k": "x", "up": "nobody"}, {"k": "c", "up": "a"}]).to_string(),
    );
    house.lift(&[]).ends(0, "committed").counts("inserted", "t 1").counts("unchanged", "t 1");
}

#[test]
fn two_rows_that_need_each_other_of_which_a_column_takes_only_one() {
    let given = "k = \"k\"\nv = \"v\"\nup = { lookup = \"t.id\", by = { k = \"up\" }, on_dangling = \"reject\" }";
    let columns = "id INTEGER PRIMARY KEY, k TEXT NOT NULL UNIQUE, v INTEGER UNIQUE, up INTEGER REFERENCES t (id)";
    let records = json!([{"k": "a", "v": 1, "up": "b"}, {"k": "b", "v": 1, "up": "a"}, {"k": "c", "v": 2, "up": "c"}]);
    let house = rows_of_t(columns, "key = [\"k\"]", given, &records);
    repeats(&house, "2", &["V001", "V001"]);
    assert_eq!(house.rows("SELECT k FROM t"), [["c"]]);
}

/// A table `t` that two mappings feed, of which the second one fills.
fn filled_later(columns: &str, records: &Value, fills: &Value) -> House {
    let fill =
        "[table.t]\nkey = [\"k\"]\non_duplicate = \"fill\"\n[table.t.columns]\nk = \"k\"\nv = \"v\"\nw = \"w\"\n";
    let house = rows_of_t(columns, "key = [\"k\"]", "k = \"k\"\nv = \"v\"\nw = \"w\"", records);
    house.set("[precedence]\nt = [\"t\", \"fill\"]\n").list("fill", "fill.json", fill).source("fill.json", fills)
}

const FILLED: &str = "id INTEGER PRIMARY KEY, k TEXT NOT NULL UNIQUE, v INTEGER UNIQUE, w TEXT CHECK (w <> 'bad')";

#[test]
fn a_record_that_fills_what_a_check_rejects_and_a_later_one_gives_otherwise() {
    let fills = json!([{"k": "a", "w": "bad"}, {"k": "a", "v": 1}, {"k": "a", "w": "x"}]);
    let house = filled_later(FILLED, &json!([{"k": "a"}]), &fills);
    // Only that one is to blame.
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT k, v, w FROM t"), [["a", "1", "x"]]);
}

#[test]
fn a_record_that_fills_a_unique_value_of_another_row_in_the_last_of_seventy_columns() {
    let names: Vec<String> = (0..70).map(|number| format!("c{number:02}")).collect();
    let (last, others) = names.split_last().unwrap();
    let columns =
        format!("k = \"k\"\n{}", names.iter().map(|name| format!("{name} = \"{name}\"\n")).collect::<String>());
    let types = others.iter().map(|name| format!(", {name} TEXT")).collect::<String>();
    let types = format!("id INTEGER PRIMARY KEY, k TEXT NOT NULL UNIQUE{types}, {last} INTEGER UNIQUE");
    let fill = format!("[table.t]\nkey = [\"k\"]\non_duplicate = \"fill\"\n[table.t.columns]\n{columns}");
    let house = rows_of_t(&types, "key = [\"k\"]", &columns, &json!([{"k": "a"}, {"k": "b", last: 3}]));
    let house = house.set("[precedence]\nt = [\"t\", \"fill\"]\n").list("fill", "fill.json", &fill);
    let house = house.source("fill.json", &json!([{"k": "a", last: 3}, {"k": "a", last: 4}, {"k": "b", last: 4}]));
    repeats(&house, "1", &["R002"]);
    assert_eq!(house.rows(&format!("SELECT k, {last} FROM t")), [["a", "4"], ["b", "3"]]);
}

#[test]
fn a_record_that_fills_a_unique_value_of_another_row_before_a_later_one_fills_another_value() {
    let fills = json!([{"k": "a", "v": 3}, {"k": "a", "v": 4}, {"k": "b", "v": 4}]);
    let house = filled_later(FILLED, &json!([{"k": "a"}, {"k": "b", "v": 3}]), &fills);
    let warnings = house.lift(&["--max-rejects", "9", "--dry-run"]);
    warnings.finds(&["error R002 fill.json /0", "warning R008 fill.json /2"]);
    repeats(&house, "1", &["R002"]);
    assert_eq!(house.rows("SELECT k, v, w FROM t"), [["a", "4", "NULL"], ["b", "3", "NULL"]]);
}

#[test]
fn a_record_that_a_check_rejects_and_whose_unique_value_a_row_before_it_is_given_later() {
    let records = json!([{"k": "a"}, {"k": "b", "v": 2, "w": "bad"}, {"k": "c", "v": 3, "w": "x"}]);
    let house = filled_later(FILLED, &records, &json!([{"k": "a", "v": 2}]));
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT k, v FROM t"), [["a", "2"], ["c", "3"]]);
}

#[test]
fn a_record_that_fills_what_a_check_rejects_and_whose_unique_value_a_later_row_has() {
    let fills = json!([{"k": "a", "v": 2, "w": "bad"}, {"k": "b", "v": 2}]);
    let house = filled_later(FILLED, &json!([{"k": "a"}, {"k": "b"}]), &fills);
    repeats(&house, "1", &["R009"]);
    assert_eq!(house.rows("SELECT k, v FROM t"), [["a", "NULL"], ["b", "2"]]);
}

#[test]
fn a_record_of_two_turns_that_a_check_rejects_is_told_once() {
    let person =
        |name: &str, town: &str| json!({"name": name, "mail": name, "town": town, "home": name, "city": "Bonn"});
    let rules = format!("{}up = {{ lookup = \"people.mail\", by = {{ name = \"up\" }} }}\n{HOMES}", people(""));
    let schema = TABLES.replace("mail TEXT UNIQUE,", "mail TEXT UNIQUE, up TEXT,");
    let house = with_cities(house(&rules, &json!([person("a", "bad"), person("b", "x")])).schema(&schema));
    repeats(&house, "1", &["R009"]);
}
