//! Times in the form that the application itself reads: `[written]`, and what clocks that are defaults give.

use crate::house::House;
use crate::house::keeping::{URL, change};
use crate::language::times::{items, stored};
use serde_json::{Value, json};

const ISO: &str = "{ from = \"v\", steps = [{ time = \"iso\" }] }";

fn written(declared: &str, form: &str) -> String {
    format!("[written]\n\"{declared}\" = \"{form}\"\n")
}

#[test]
fn times_are_written_in_the_form_of_their_type_and_a_second_import_changes_nothing() {
    for (declared, form, expression, value, expected) in [
        ("DATETIME", "%Y-%m-%d %H:%M:%S", "\"v\"", "2025-05-07T16:42:18+02:00", "2025-05-07 14:42:18"),
        ("TIMESTAMP", "%Y-%m-%dT%H:%M:%S%.3fZ", "\"v\"", "2025-05-07T14:42:18.12Z", "2025-05-07T14:42:18.120Z"),
        ("timestamp", "%Y-%m-%d %H:%M:%S%.f", ISO, "2025-05-07T14:42:18", "2025-05-07 14:42:18"),
        ("timestamp", "%Y-%m-%d %H:%M:%S%.f", ISO, "2025-05-07T14:42:18.5", "2025-05-07 14:42:18.5"),
        ("TIMESTAMP", "%d/%m/%Y %I:%M %p", ISO, "2025-05-07T14:42", "07/05/2025 02:42 PM"),
        ("TIMESTAMP", "%Y-%m-%d %H:%M:%S%.6f", ISO, "2025-05-07T14:42:18", "2025-05-07 14:42:18.000000"),
        ("TIMESTAMPTZ", "rfc3339", "\"v\"", "2025-05-07T16:42:18.5+02:00", "2025-05-07T14:42:18.5Z"),
        (
            "TIMESTAMP WITH TIME ZONE",
            "%Y-%m-%d %H:%M:%S%:z",
            "\"v\"",
            "2025-05-07T14:42:18Z",
            "2025-05-07 14:42:18+00:00",
        ),
        ("DATE", "%d.%m.%Y", "\"v\"", "2025-05-07", "07.05.2025"),
        ("TIME", "%H:%M:%S", "\"v\"", "14:42", "14:42:00"),
        ("TIME", "%I:%M %p", "\"v\"", "14:42", "02:42 PM"),
    ] {
        let house = items(declared, expression, &written(declared, form), &[json!(value)]);
        assert_eq!(stored(&house), [expected], "{declared} {form}");
    }
}

#[test]
fn what_a_form_cannot_hold_is_an_error_of_the_value_at_its_place() {
    for (declared, form, expression, value, message) in [
        ("DATETIME", "%Y-%m-%d %H:%M:%S", "\"v\"", "2025-05-07T14:42:18.120Z", "a fraction of a second"),
        (
            "DATETIME",
            "%Y-%m-%dT%H:%M:%S%.3fZ",
            "\"v\"",
            "2025-05-07T14:42:18.1204Z",
            "that many digits behind the second",
        ),
        ("DATETIME", "%Y-%m-%d", "\"v\"", "2025-05-07T14:42:18Z", "a time of day"),
        ("TIME", "%H:%M", "\"v\"", "14:42:18", "seconds"),
    ] {
        let house = items(declared, expression, &written(declared, form), &[]);
        house.put("items.json", format!("[\n  {{\"id\": 1,\n   \"v\": \"{value}\"}}\n]\n"));
        let lifted = house.lift(&[]).ends(1, "rolled-back").finds(&["error V007 items.json /0/v"]);
        let report = lifted.report();
        let finding = &report["findings"][0];
        assert_eq!((finding["place"]["line"].as_u64(), finding["place"]["column"].as_u64()), (Some(3), Some(9)));
        let expected = format!("the column is written as `{form}`, which does not hold {message}");
        assert!(finding["message"].as_str().unwrap().contains(&expected), "{finding:#}");
    }
    let lenient = "{ from = \"v\", on_error = \"null\" }";
    let set = written("DATETIME", "%Y-%m-%d %H:%M:%S");
    let house = items("DATETIME", lenient, &set, &[json!("2025-05-07T14:42:18.120Z"), json!("2025-05-07T14:42:18Z")]);
    house.lift(&[]).ends(0, "committed").finds(&["warning V010 items.json /0/v"]);
    assert_eq!(house.rows("SELECT v FROM items ORDER BY id"), [["NULL"], ["2025-05-07 14:42:18"]]);
}

#[test]
fn a_form_that_says_a_zone_takes_moments_alone() {
    let set = written("DATETIME", "%Y-%m-%dT%H:%M:%SZ");
    let refused = items("DATETIME", ISO, &set, &[]).run(["check", "set"]).status(2).stderr;
    let words =
        "`items.v` is `DATETIME`, written as `%Y-%m-%dT%H:%M:%SZ`, and this gives a date and time without a zone";
    assert!(refused.contains(words), "{refused}");
    assert!(refused.contains("hint: say whose clocks are meant"), "{refused}");
    let berlin = "{ from = \"v\", steps = [{ time = { forms = \"iso\", zone = \"Europe/Berlin\" } }] }";
    assert_eq!(stored(&items("DATETIME", berlin, &set, &[json!("2025-05-07T14:42:18")])), ["2025-05-07T12:42:18Z"]);
    // What a lookup gives may be of either kind, so the value is judged.
    let house = items("DATETIME", "{ lookup = \"days.at\", by = { id = \"v\" } }", &set, &[json!(7)])
        .schema("CREATE TABLE items (id INTEGER PRIMARY KEY, v DATETIME); CREATE TABLE days (id INTEGER PRIMARY KEY, at TIMESTAMP);")
        .list("days", "days.json", &format!("[table.days]\nkey = [\"id\"]\n[table.days.columns]\nid = \"id\"\nat = {}\n", ISO.replace("\"v\"", "\"at\"")))
        .source("days.json", &json!([{"id": 7, "at": "2025-05-07T14:42:18"}]));
    let report = house.lift(&[]).ends(1, "rolled-back").finds(&["error V007 items.json /0/v"]).report();
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("which does not hold a time without a zone"), "{message}");
}

#[test]
fn written_is_for_types_of_times_that_there_are_and_for_forms_that_read_back() {
    let set = "[written]\nDATETME = \"%Y\"\nINTEGER = \"%Y-%m-%d\"\nDATETIME = \"%Y%m%d%H%M%S\"\n";
    let refused = items("DATETIME", "\"v\"", set, &[]).run(["check", "set"]).status(2).stderr;
    for words in [
        "error M176: no column is declared as `DATETME`",
        "at set/set.toml:5",
        "did you mean `DATETIME`?",
        "error M177: `INTEGER` keeps no time as text",
        "error M178: `%Y%m%d%H%M%S` writes `20120101000000`, which the database would keep as a number",
    ] {
        assert!(refused.contains(words), "{refused}");
    }
    for (declared, form, why) in [
        (
            "DATETIME",
            "yyyy-mm-dd",
            "`yyyy-mm-dd` is no form: write one with `%`, as `strptime` has them, `iso` or `rfc3339`",
        ),
        ("DATETIME", "%Y-%m-%d %I:%M", "`%Y-%m-%d %I:%M` does not give"),
        ("DATE", "%Y-%m-%d %H:%M", "`%Y-%m-%d %H:%M` has a time of day, and a day has none"),
        ("TIMESTAMPTZ", "%Y-%m-%d %H:%M", "`%Y-%m-%d %H:%M` has no zone, and a moment is kept with one"),
    ] {
        let refused = items(declared, "\"v\"", &written(declared, form), &[]).run(["check", "set"]).status(2).stderr;
        assert!(refused.contains(&format!("error M178: {why}")), "{refused}");
    }
}

#[test]
fn a_literal_that_a_form_cannot_hold_is_refused_without_data() {
    for (declared, form, literal, message) in [
        ("DATETIME", "%Y-%m-%d %H:%M:%S", "2025-05-07T14:42:18.5Z", "a fraction of a second"),
        ("TIME", "%H:%M", "14:42:18", "seconds"),
    ] {
        let house =
            items(declared, &format!("{{ from = \"v\", default = \"{literal}\" }}"), &written(declared, form), &[]);
        let refused = house.run(["check", "set"]).status(2).stderr;
        let words =
            format!("is `{declared}`, and `{literal}` cannot be written as `{form}`, which does not hold {message}");
        assert!(refused.contains(&words), "{refused}");
    }
}

const DEFAULTED: &str = "{ from = \"v\", on_absent = \"default\" }";

#[test]
fn a_default_of_the_schema_is_a_moment_where_the_form_says_a_zone() {
    for (declared, form, default, expected) in [
        ("DATETIME", "%Y-%m-%dT%H:%M:%S%.3fZ", "2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
        ("DATETIME", "%Y-%m-%dT%H:%M:%S%.3fZ", "2025-01-01 02:00:00+02:00", "2025-01-01T00:00:00.000Z"),
        ("DATETIME", "%Y-%m-%dT%H:%M:%SZ", "2025-01-01 00:00:00", "2025-01-01T00:00:00Z"),
        ("TIMESTAMPTZ", "%d.%m.%Y %H:%M:%S%:z", "01.02.2003 04:05:06+00:00", "01.02.2003 04:05:06+00:00"),
        ("DATETIME", "%d.%m.%Y %H:%M", "01.02.2003 04:05", "01.02.2003 04:05"),
    ] {
        let column = format!("{declared} NOT NULL DEFAULT '{default}'");
        let house = items(&column, DEFAULTED, &written(declared, form), &[Value::Null]);
        assert_eq!(stored(&house), [expected], "{declared} {form} {default}");
    }
}

#[test]
fn a_default_of_the_schema_that_a_form_cannot_hold_is_refused_without_data() {
    for (declared, form, default, why) in [
        (
            "DATETIME",
            "%Y-%m-%d %H:%M:%S",
            "2025-05-07T14:42:18.5Z",
            "cannot be written as `%Y-%m-%d %H:%M:%S`, which does not hold a fraction of a second",
        ),
        ("TIMESTAMPTZ", "rfc3339", "soon", "cannot be read as that: expected a time like"),
        ("TIME", "%H:%M", "14:42:18", "cannot be written as `%H:%M`, which does not hold seconds"),
    ] {
        let column = format!("{declared} DEFAULT '{default}'");
        let refused = items(&column, DEFAULTED, &written(declared, form), &[]).run(["check", "set"]).status(2).stderr;
        let words = format!(
            "error M105: `items.v` is `{declared}`, and the default that it has in the schema, `{default}`, {why}"
        );
        assert!(refused.contains(&words), "{refused}");
        // Nothing asks for it there.
        items(&column, "\"v\"", &written(declared, form), &[]).run(["check", "set"]).status(0);
    }
}

/// Days that are keys, and notes that look them up.
fn diary(set: &str) -> House {
    let days = "[table.days]\nkey = [\"at\"]\non_duplicate = \"first\"\n[table.days.columns]\nat = \"at\"\nday = \"day\"\n\
                opens = \"opens\"\ntitle = \"title\"\n";
    let notes = "[table.notes]\nkey = [\"day\", \"opens\"]\n[table.notes.columns]\nday = \"day\"\nopens = \"opens\"\n\
                 at = { lookup = \"days.at\", by = { day = \"day\", opens = \"opens\" } }\n\
                 title = { lookup = \"days.title\", by = { at = \"at\" } }\n";
    House::new()
        .schema(
            "CREATE TABLE days (at DATETIME PRIMARY KEY NOT NULL, day DATE UNIQUE, opens TIME, title TEXT);
             CREATE TABLE notes (day DATE NOT NULL, opens TIME NOT NULL, at DATETIME REFERENCES days (at), title TEXT,
                 PRIMARY KEY (day, opens));",
        )
        .set(set)
        .list("days", "days.json", days)
        .list("notes", "notes.json", notes)
        .source(
            "days.json",
            &json!([
                {"at": "2025-05-07T14:42:18Z", "day": "2025-05-07", "opens": "08:30", "title": "Wed"},
                {"at": "2025-05-07T16:42:18+02:00", "day": "2025-05-09", "opens": "08:30", "title": "the same"},
                {"at": "2025-05-08T14:42:18Z", "day": "2025-05-08", "opens": "09:00:00", "title": "Thu"},
            ]),
        )
        .source("notes.json", &json!([{"day": "2025-05-08", "opens": "09:00", "at": "2025-05-08T14:42:18.000Z"}]))
}

const FORMS: &str = "[written]\nDATETIME = \"%d/%m/%Y %H:%M:%S\"\nDATE = \"%d.%m.%Y\"\nTIME = \"%H:%M:%S\"\n";

fn days(house: &House) -> Vec<Vec<String>> {
    house.rows("SELECT at, day, opens, title FROM days ORDER BY day")
}

#[test]
fn a_time_in_a_key_is_found_again_in_whatever_form_it_stands() {
    let house = diary(FORMS);
    house.lift(&[]).ends(0, "committed").counts("inserted", "days 2, notes 1");
    let written = [
        ["07/05/2025 14:42:18", "07.05.2025", "08:30:00", "Wed"],
        ["08/05/2025 14:42:18", "08.05.2025", "09:00:00", "Thu"],
    ];
    assert_eq!(days(&house), written);
    let note = ["08.05.2025", "09:00:00", "08/05/2025 14:42:18", "Thu"];
    assert_eq!(house.rows("SELECT day, opens, at, title FROM notes"), [note]);
    house.lift(&[]).ends(0, "committed").counts("unchanged", "days 2, notes 1").counts("inserted", "");
    // As the application, or a database that was filled before, may have them.
    change(
        &house,
        "PRAGMA foreign_keys = OFF;
             UPDATE notes SET day = '2025-05-08', opens = '09:00', at = '2025-05-08 14:42:18.000000';
             UPDATE days SET at = '2025-05-08T16:42:18+02:00', day = '2025-05-08', opens = '09:00' WHERE title = 'Thu';
             UPDATE days SET at = '2025-05-07 14:42:18' WHERE title = 'Wed';
             UPDATE notes SET at = '2025-05-08T16:42:18+02:00';",
    );
    house.lift(&[]).ends(0, "committed").counts("unchanged", "days 2, notes 1").counts("inserted", "");
    house.put(
        "days.json",
        json!([{"at": "2025-05-07T14:42:18Z", "day": "2025-05-07", "opens": "08:31", "title": "Wed"}]).to_string(),
    );
    house.put("notes.json", "[]");
    let found = ["error R003 days.json /0", "warning R018 notes.json"];
    let report = house.lift(&[]).ends(1, "rolled-back").finds(&found).report();
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("`opens` (database \"08:30:00\", source \"08:31:00\")"), "{message}");
}

#[test]
fn a_run_that_wrote_forms_is_undone_by_what_is_stored_and_a_row_leads_back() {
    let house = diary(FORMS);
    let run = house.lift(&["--no-backup"]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned();
    let told = house
        .run([
            "explain",
            "--row",
            "days",
            "08/05/2025 14:42:18",
            "--source",
            "tree",
            "--mappings",
            "set",
            "--database",
            URL,
            "--json",
        ])
        .status(0)
        .json();
    assert_eq!(told["origin"]["pointer"], "/2");
    let house = house.set(""); // it knows no form any more
    house.run(["undo", &run, "--database", URL, "--yes", "--no-backup"]).status(0);
    assert_eq!(house.one("SELECT (SELECT count(*) FROM days) + (SELECT count(*) FROM notes)"), "0");
}

#[test]
fn a_column_is_written_in_one_form_until_what_was_written_is_undone() {
    let house = diary("");
    let run = house.lift(&["--no-backup"]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned();
    let house = house.set(FORMS);
    let refused = house.lift(&["--no-backup"]);
    assert_eq!(refused.status(), Some(3), "{}", refused.words());
    for words in [
        "an earlier import wrote `days.at` as `%Y-%m-%d %H:%M:%S%.6f`, and the set now writes it as `%d/%m/%Y %H:%M:%S`",
        "undo that import first",
    ] {
        assert!(refused.words().contains(words), "{}", refused.words());
    }
    house.run(["undo", &run, "--database", URL, "--yes", "--no-backup"]).status(0);
    house.lift(&["--no-backup"]).ends(0, "committed").counts("inserted", "days 2, notes 1");
    house.lift(&["--no-backup"]).ends(0, "committed").counts("unchanged", "days 2, notes 1");
}

#[test]
fn what_is_damaged_of_the_written_forms_is_refused_and_stays() {
    let house = diary(FORMS);
    let run = house.lift(&["--no-backup"]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned();
    let undo = |house: &House| house.run(["undo", &run, "--database", URL, "--yes", "--no-backup"]).status(3).stderr;
    let refused = |house: &House| {
        let lifted = house.lift(&["--no-backup"]);
        assert_eq!(lifted.status(), Some(3), "{}", lifted.words());
        lifted.words().to_owned()
    };
    let kept = house.one("SELECT value FROM treelift_state WHERE name = 'written_forms'");
    for damage in ["", "{\"days\":", "[\"days\"]"] {
        change(&house, &format!("UPDATE treelift_state SET value = '{damage}' WHERE name = 'written_forms'"));
        for said in [refused(&house), undo(&house)] {
            let words = "`treelift_state` is damaged: `written_forms` does not name the form of each column";
            assert!(said.contains(words) && said.contains("hint: restore the database from a backup"), "{said}");
        }
        assert_eq!(house.one("SELECT value FROM treelift_state WHERE name = 'written_forms'"), damage);
    }
    change(&house, &format!("UPDATE treelift_state SET value = '{kept}' WHERE name = 'written_forms'"));
    house.lift(&["--no-backup"]).ends(0, "committed").counts("unchanged", "days 2, notes 1");
    // Which columns were written is not known any more, and the set has other forms.
    let house = house.set("");
    change(&house, "UPDATE treelift_columns SET digested = 'at'");
    for said in [refused(&house), undo(&house)] {
        assert!(said.contains("`treelift_columns` is damaged: its columns of `"), "{said}");
        assert!(said.contains("` are no list of names"), "{said}");
    }
}

#[test]
fn rows_without_a_key_and_rows_that_are_filled_are_found_again() {
    let logs = "[table.logs]\n[table.logs.columns]\nat = \"at\"\n";
    let seen = "[table.days]\nkey = [\"day\"]\non_duplicate = \"fill\"\n[table.days.columns]\nday = \"day\"\nseen = \"seen\"\n";
    let house = House::new()
        .schema("CREATE TABLE logs (id INTEGER PRIMARY KEY, at DATETIME); CREATE TABLE days (day DATE PRIMARY KEY NOT NULL, n INTEGER NOT NULL, seen DATETIME);")
        .set(&format!("[precedence]\ndays = [\"days\", \"seen\"]\n{}", FORMS.replace("\nTIME = \"%H:%M:%S\"", "")))
        .list("logs", "logs.json", logs)
        .list("days", "days.json", "[table.days]\nkey = [\"day\"]\n[table.days.columns]\nday = \"day\"\nn = \"n\"\n")
        .list("seen", "seen.json", seen)
        .source("logs.json", &json!([{"at": "2025-05-07T14:42:18Z"}, {"at": "2025-05-07T14:42:18Z"}]))
        .source("days.json", &json!([{"day": "2025-05-07", "n": 1}]))
        .source("seen.json", &json!([{"day": "2025-05-07", "seen": "2025-05-07T14:42:18Z"}]));
    let run = house.lift(&["--no-backup"]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned();
    assert_eq!(house.rows("SELECT day, seen FROM days"), [["07.05.2025", "07/05/2025 14:42:18"]]);
    house.lift(&["--no-backup"]).ends(0, "committed").counts("inserted", "").counts("updated", "");
    house.run(["undo", &run, "--database", URL, "--yes", "--no-backup"]).status(0);
    assert_eq!(house.one("SELECT (SELECT count(*) FROM days) + (SELECT count(*) FROM logs)"), "0");
}

const CLOCKS: &str = "CREATE TABLE items (
    id INTEGER PRIMARY KEY, v TEXT,
    made DATETIME DEFAULT CURRENT_TIMESTAMP, day DATE DEFAULT CURRENT_DATE, hour TIME DEFAULT CURRENT_TIME,
    text TEXT DEFAULT CURRENT_TIMESTAMP, iso TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    epoch INTEGER DEFAULT (unixepoch()));";

#[test]
fn clocks_that_are_defaults_give_the_start_of_the_run_in_the_written_form() {
    let values: Vec<Value> = (0..3).map(|at| json!(at.to_string())).collect();
    for forms in ["", FORMS] {
        let house = items("TEXT", "\"v\"", forms, &values).schema(CLOCKS);
        let run = house.lift(&["--no-backup"]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned();
        let columns = "made, day, hour, text, iso, epoch";
        let rows = house.rows(&format!("SELECT DISTINCT {columns} FROM items"));
        assert_eq!(rows.len(), 1, "{rows:?}");
        let started = house.one("SELECT started FROM treelift_runs"); // 2025-05-07 14:42:18.123456
        let (day, hour) = (&started[..10], &started[11..19]);
        let turned = format!("{}.{}.{}", &day[8..], &day[5..7], &day[..4]);
        let expected = if forms.is_empty() {
            [started.clone(), day.to_owned(), hour.to_owned()]
        } else {
            [format!("{} {hour}", turned.replace('.', "/")), turned, hour.to_owned()]
        };
        assert_eq!(rows[0][..3], expected);
        assert_eq!(rows[0][3..5], [format!("{day} {hour}"), format!("{day}T{}Z", &started[11..23])]);
        assert_eq!(rows[0][5], house.one(&format!("SELECT unixepoch('{started}')")));
        house.lift(&["--no-backup"]).ends(0, "committed").counts("unchanged", "items 3");
        house.run(["undo", &run, "--database", URL, "--yes", "--no-backup"]).status(0);
        assert_eq!(house.one("SELECT count(*) FROM items"), "0");
        // A value that another program wrote there since keeps the run from being undone.
        let run = house.lift(&["--no-backup"]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned();
        change(&house, "UPDATE items SET made = '2001-01-01 00:00:00' WHERE id = 1");
        house.run(["undo", &run, "--database", URL, "--yes", "--no-backup"]).status(1);
    }
}

#[test]
fn the_start_of_the_run_and_the_word_default_are_cut_to_the_form() {
    let schema = "CREATE TABLE items (id INTEGER PRIMARY KEY, v DATETIME NOT NULL, made DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        hour TIME NOT NULL DEFAULT CURRENT_TIME, born DATE NOT NULL DEFAULT '01.02.2003');";
    let more = "\nmade = { from = \"none\", on_absent = \"default\" }\nhour = { from = \"none\", on_absent = \"default\" }\n\
                born = { from = \"none\", on_absent = \"default\" }";
    let house = items("DATETIME", &format!("\"#started\"{more}"), FORMS, &[]).schema(schema);
    house.put("items.json", "[{\"id\": 1}]");
    house.lift(&[]).ends(0, "committed");
    let started =
        house.one("SELECT strftime('%d/%m/%Y %H:%M:%S', started) || '|' || substr(started, 12, 8) FROM treelift_runs");
    let (time, hour) = started.split_once('|').unwrap();
    assert_eq!(house.rows("SELECT v, made, hour, born FROM items"), [[time, time, hour, "01.02.2003"]]);
    house.lift(&[]).ends(0, "committed").counts("unchanged", "items 1");
}

#[test]
fn the_audit_trail_of_the_application_has_times_in_their_form_and_seals_are_not_bound_to_one() {
    let audit = "[audit]\ntable = \"trail\"\ncolumns = { id = \"id\", at = \"time\", what = \"action\" }\n";
    let schema = "CREATE TABLE items (id INTEGER PRIMARY KEY, v DATETIME);
                  CREATE TABLE trail (id TEXT PRIMARY KEY, at DATETIME, what TEXT);";
    let house = items(
        "DATETIME",
        "\"v\"",
        &format!("{audit}{}", written("DATETIME", "%d/%m/%Y %H:%M:%S")),
        &[json!("2025-05-07T14:42:18Z")],
    );
    let house = house.schema(schema);
    house.lift(&[]).ends(0, "committed");
    let odd = house.rows("SELECT at FROM trail WHERE at NOT GLOB '[0-3][0-9]/[01][0-9]/2[0-9][0-9][0-9] ??:??:??'");
    assert_eq!((odd.len(), house.one("SELECT count(*) > 0 FROM trail").as_str()), (0, "1"), "{odd:?}");
    let sealed =
        "[table.items]\nkey = [\"at\"]\n[table.items.columns]\nat = \"at\"\npassword = { seal = \"password\" }\n";
    let house = House::new()
        .schema("CREATE TABLE items (at DATETIME PRIMARY KEY NOT NULL, password TEXT);")
        .set(&written("DATETIME", "%d/%m/%Y %H:%M:%S"))
        .list("items", "items.json", sealed);
    let refused = house.run(["check", "set"]).status(2).stderr;
    assert!(refused.contains("rule `items` seals values under `at`, which is no text or integer"), "{refused}");
}
