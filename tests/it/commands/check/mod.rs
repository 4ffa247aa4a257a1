//! `treelift check`: what is wrong with a set, and what of it a tree never used.

mod watching;

use crate::house::{House, copy_tree, edit, project, sample};
use serde_json::Value;
use std::fs;

#[test]
fn bundled_sets_are_sound() {
    let run = House::new().run(["check"]).status(0);
    assert!(run.stderr.contains("were not compared"), "{}", run.stderr);
    let entries = fs::read_dir(project("mappings")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut sets: Vec<String> = folders.map(|set| set.file_name().into_string().unwrap()).collect();
    sets.sort();
    let told: Vec<&str> = run
        .stdout
        .lines()
        .map(|line| line.strip_prefix("mappings/").unwrap().split_once(": valid (").unwrap().0)
        .collect();
    assert_eq!(told, sets);
}

#[test]
fn what_is_wrong_has_a_code_that_explain_knows() {
    let house = House::new();
    copy_tree(&project("mappings/fossawork"), &house.path("set"));
    let users = house.path("set/users.toml");
    edit(&users, "configured_email      =", "configured_emial      =");
    edit(&users, "into = \"user_preferences\"", "into = \"user_preferencse\"\nonduplicate = \"first\"");
    let run = house.run(["check", "set", "--json"]).status(2);
    let error = &run.json()["error"];
    let told = std::iter::once(error).chain(error["more"].as_array().unwrap());
    let codes: Vec<&str> = told.map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["M003", "M102", "M101"]);
    for code in codes {
        assert!(run.stderr.contains(&format!("error {code}: ")), "{}", run.stderr);
        house.run(["explain", code]).status(0);
    }
}

#[test]
fn an_error_of_a_set_shows_its_line_with_the_place_underlined() {
    let house = House::new();
    for (file, from, to, expected) in [
        (
            "notes.toml",
            "[table.notes.columns]",
            "[table.notes.colums]",
            "error M003: a rule has no key `colums`
  at set/notes.toml:10
   |
10 | [table.notes.colums]
   |              ^^^^^^ did you mean `columns`?
",
        ),
        (
            "notes.toml",
            "key = [\"person_id\", \"number\"]",
            "key = [\"person_id\", \"number\"",
            "error M002: invalid TOML: `[` is not closed
  at set/notes.toml:8
  |
8 | key = [\"person_id\", \"number\"
  |       ^
hint: write `]` before line 10
",
        ),
        (
            "people.toml",
            "name  = \"name\"",
            "naem  = { value = \"\u{9b}2J\u{202e}\" }",
            "error M102: rule `people` names column `naem`, which table `people` does not have
  at set/people.toml:12
   |
12 | naem  = { value = \"\\u{9b}2J\\u{202e}\" }
   | ^^^^ did you mean `name`?
",
        ),
        ("schema/001_first.up.sql", "title VARCHAR(20)", "title VARCHAR(20", ""),
    ] {
        let _ = fs::remove_dir_all(house.path("set"));
        copy_tree(&project("tests/codes/set"), &house.path("set"));
        edit(&house.path("set").join(file), from, to);
        let said = house.run(["check", "set"]).status(2).stderr;
        if expected.is_empty() {
            assert!(said.contains("  at set/schema/001_first.up.sql:") && said.contains("^"), "{said}");
        } else {
            assert_eq!(said, expected);
        }
    }
}

#[test]
fn a_misspelt_column_that_stands_in_the_key_is_one_error() {
    let misspelt = |key: &str, column: &str| {
        let house = House::new();
        house.file("set/set.toml", "name = \"words\"\n");
        house.file("set/schema/001_words.up.sql", "CREATE TABLE words (word TEXT PRIMARY KEY, rank INTEGER);\n");
        let columns = format!("[table.words.columns]\n{column} = \"word\"\nrank = \"rank\"\n");
        let rule = format!("[table.words]\nkey = [\"{key}\"]\n{columns}");
        house.file("set/words.toml", format!("[source]\nfiles = [\"words.json\"]\nrecords = \"[*]\"\n{rule}"));
        house.run(["check", "set"]).status(2).stderr
    };
    let column = |name: &str| {
        let marks = "^".repeat(name.len());
        format!(
            "error M102: rule `words` names column `{name}`, which table `words` does not have\n  at set/words.toml:7\n  \
             |\n7 | {name} = \"word\"\n  | {marks} did you mean `word`?\n"
        )
    };
    assert_eq!(misspelt("word", "wrod"), column("wrod"));
    assert_eq!(misspelt("wrod", "wrod"), column("wrod"));
    let key =
        "error M015: the key of rule `words` names `wrod`, which is not one of its columns\n  at set/words.toml:5\n";
    let said = misspelt("wrod", "word");
    assert!(said.starts_with(key) && said.ends_with("did you mean `word`?\n"), "{said}");
    let said = misspelt("word", "entry");
    assert!(said.contains("names column `entry`") && said.contains("the key of rule `words` names `word`"), "{said}");
}

#[test]
fn whatever_loads_a_set_shows_the_line_as_check_does() {
    let house = House::new();
    let broken = |file: &str, from: &str, to: &str| {
        let _ = fs::remove_dir_all(house.path("set"));
        copy_tree(&project("tests/codes/set"), &house.path("set"));
        edit(&house.path("set").join(file), from, to);
        house.run(["check", "set"]).status(2).stderr
    };
    let at = ["--mappings", "set", "--database", "sqlite:///./x.db"];
    let run = |command: &str| house.run(command.split(' ').chain(at)).stderr;
    for (file, from, to) in [
        ("set.toml", "name  ", "naem  "),
        ("notes.toml", "[table.notes.columns]", "[table.notes.colums]"),
        ("notes.toml", "key = [\"person_id\", \"number\"]", "key = [\"person_id\", \"number\""),
        ("schema/001_first.up.sql", "-- description: people", "-- depens: 000\n-- description: people"),
        ("schema/001_first.up.sql", "-- description: people", "-- ids: people(id = x\n-- description: people"),
    ] {
        let checked = broken(file, from, to);
        assert!(checked.contains(" |\n") && checked.contains('^'), "{checked}");
        for command in ["schema migrate", "schema status", "schema validate", "undo 1", "credentials status"] {
            assert_eq!(run(command), checked, "{command}");
        }
        assert_eq!(house.run(["schema", "test", "--mappings", "set"]).stderr, checked);
        assert!(!house.path("x.db").exists());
    }
    let checked = broken("schema/001_first.up.sql", "title VARCHAR(20)", "title VARCHAR(20");
    let excerpt = "   |\n12 |     title VARCHAR(20 NOT NULL,\n   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^\n";
    let said = run("schema migrate");
    assert!(checked.contains(excerpt) && said.contains(excerpt), "{checked}\n{said}");
}

#[test]
fn what_migrations_make_leads_somewhere() {
    let house = House::new();
    for (statement, down, message, place) in [
        (
            "CREATE TABLE tags (note INTEGER REFERENCES noets (number));",
            "DROP TABLE tags;",
            "error M101: `tags.note` refers to table `noets`, which the schema does not have",
            "did you mean `notes`?",
        ),
        (
            "CREATE TABLE tags (person INTEGER REFERENCES people (name));",
            "DROP TABLE tags;",
            "error M135: `tags.person` refers to `people` (name), which is no key of it: neither the primary key nor UNIQUE",
            "hint: refer to the primary key",
        ),
        (
            "CREATE TABLE tags (person INTEGER REFERENCES people (nmae));",
            "DROP TABLE tags;",
            "error M102: `tags.person` refers to `people.nmae`, and the table does not have the column",
            "did you mean `name`?",
        ),
        (
            "CREATE TRIGGER log AFTER UPDATE ON notes BEGIN INSERT INTO changes VALUES (new.number); END;",
            "DROP TRIGGER log;",
            "error M135: trigger `log` cannot be used: no such table: changes",
            "hint: name what is there",
        ),
        (
            "CREATE TABLE treelift_runs (id INTEGER);",
            "DROP TABLE treelift_runs;",
            "error M136: migration `001_first` does more than create and fill tables",
            "",
        ),
        (
            "CREATE TABLE schema_migrations (id INTEGER);",
            "DROP TABLE schema_migrations;",
            "error M136: migration `001_first` does more than create and fill tables",
            "",
        ),
    ] {
        let _ = fs::remove_dir_all(house.path("set"));
        copy_tree(&project("tests/codes/set"), &house.path("set"));
        for (way, text) in [("up", statement), ("down", down)] {
            let file = house.path(&format!("set/schema/001_first.{way}.sql"));
            let before = fs::read_to_string(&file).unwrap();
            fs::write(&file, if way == "up" { format!("{before}\n{text}\n") } else { format!("{text}\n{before}") })
                .unwrap();
        }
        let said = house.run(["check", "set"]).status(2).stderr;
        assert!(said.starts_with(message) && said.contains(place), "{said}");
        assert_eq!(said.matches("error ").count(), 1, "{said}");
        assert!(said.contains("  at set/schema/001_first.up.sql:17\n"), "{said}");
    }
}

#[test]
fn what_a_tree_never_used_is_named_with_its_line() {
    let house = House::new();
    copy_tree(&project("mappings/fossawork"), &house.path("set"));
    let users = house.path("set/users.toml");
    edit(&users, "friendly_name         = \"friendlyName\"", "friendly_name         = \"freindlyName\"");
    let source = sample();
    let run = house.run(["check", "set", "--against", source.to_str().unwrap(), "--json"]).status(1);
    assert_eq!(run.json()["sets"][0]["undecided"][0]["subject"], "users: friendlyName");
    let unused = run.json()["sets"][0]["unused"].clone();
    let line = 1 + fs::read_to_string(&users).unwrap().lines().position(|line| line.contains("freindlyName")).unwrap();
    let message = "no file of the tree has a value for `users.friendly_name`, at `freindlyName`";
    let column = unused.as_array().unwrap().iter().find(|unused| unused["message"] == message).unwrap();
    assert_eq!(column["code"], "U004");
    assert_eq!(column["place"], format!("set/users.toml:{line}"));
    assert!(!house.path("treelift.db").exists());
}

/// `TREELIFT_BLESS=1` writes the schemas anew.
#[test]
fn the_editor_schemas_are_those_of_the_program_and_every_bundled_file_names_its_own() {
    for which in ["mapping", "set"] {
        let printed = House::new().run(["check", "--print-schema", which]).status(0).stdout;
        let path = project(&format!("mappings/{which}.schema.json"));
        if std::env::var_os("TREELIFT_BLESS").is_some() {
            fs::write(&path, &printed).unwrap();
        }
        assert_eq!(fs::read_to_string(path).unwrap(), printed);
    }
    for file in walkdir::WalkDir::new(project("mappings")).min_depth(2).into_iter().map(Result::unwrap) {
        if file.path().extension().is_some_and(|extension| extension == "toml") {
            let which = if file.file_name() == "set.toml" { "set" } else { "mapping" };
            let text = fs::read_to_string(file.path()).unwrap();
            assert!(text.starts_with(&format!("#:schema ../{which}.schema.json\n")), "{}", file.path().display());
        }
    }
}

/// A judge that knows as much of draft 7 as the schemas use.
fn fits(schema: &Value, root: &Value, value: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(root.pointer(&reference[1..]).unwrap(), root, value);
    }
    let all = |key: &str| schema[key].as_array().map(|all| all.iter().filter(|one| fits(one, root, value)).count());
    let lists = all("anyOf").is_none_or(|fit| fit > 0)
        && all("oneOf").is_none_or(|fit| fit == 1)
        && all("allOf").is_none_or(|fit| fit == schema["allOf"].as_array().unwrap().len());
    let kind = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64(),
        Some(other) => panic!("{other}"),
    };
    let members = value.as_object().is_none_or(|members| {
        members.iter().all(|(name, value)| match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => false,
            (Value::Null, Value::Null) => true,
            (Value::Null, other) => fits(other, root, value),
            (one, _) => fits(one, root, value),
        })
    });
    let elements = value
        .as_array()
        .is_none_or(|all| schema["items"].is_null() || all.iter().all(|one| fits(&schema["items"], root, one)));
    let constant = schema["const"].is_null() || schema["const"] == *value;
    lists && kind && members && elements && constant
}

#[test]
fn every_bundled_file_fits_its_editor_schema_and_a_slip_of_the_pen_does_not() {
    let schema = |which: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(project(&format!("mappings/{which}.schema.json"))).unwrap()).unwrap()
    };
    let schemas = [schema("mapping"), schema("set")];
    for file in walkdir::WalkDir::new(project("mappings")).min_depth(2).into_iter().map(Result::unwrap) {
        if file.path().extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let schema = &schemas[usize::from(file.file_name() == "set.toml")];
        let text = fs::read_to_string(file.path()).unwrap();
        let mut value: Value = toml::from_str(&text).unwrap();
        assert!(fits(schema, schema, &value), "{}", file.path().display());
        value["descriptoin"] = Value::from("a slip");
        assert!(!fits(schema, schema, &value));
    }
}

#[test]
fn a_tree_that_no_set_recognises_is_checked_against_a_set_that_check_can_be_given() {
    let house = House::new();
    house.file("tree/notes.json", "[]");
    let ran = house.run(["check", "--against", "tree"]).status(2);
    assert!(ran.stderr.contains("a set with `treelift check SET|DIR --against SOURCE`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("--mappings"), "{}", ran.stderr);
    let ran = house.run(["explain", "tree/notes.json#/0", "--source", "tree"]);
    assert!(ran.stderr.contains("a set with `--mappings SET|DIR`"), "{}", ran.stderr);
}
