//! What only a server does when a run is undone: triggers of its language, references that remove rows by themselves, keys
//! of its types, and other schemas.

use crate::commands::undo::{TABLES, house};
use crate::house::House;
use crate::house::site::Site;
use serde_json::{Value, json};

/// The house of [`house`] on a server, whose migration runs this as well.
fn site(more: &str) -> Site {
    let tables = TABLES.replace("notes (id INTEGER PRIMARY KEY", "notes (id SERIAL PRIMARY KEY");
    let sql = format!(
        "-- version: 001\n-- description: tables of a test\n{}\n{more}\n",
        tables.replace("DATETIME", "TIMESTAMP")
    );
    let house = house();
    house.file("set/schema/001_test.up.postgresql.sql", sql);
    Site::on_server_with(house)
}

fn trigger(name: &str, when: &str, does: &str) -> String {
    format!(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does} END $$;
         CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}();"
    )
}

#[test]
fn a_trigger_outside_the_set_blocks_the_undo() {
    for does in ["DELETE FROM tags; RETURN OLD;", "RETURN NULL;", "RAISE EXCEPTION 'no';"] {
        let site = site("");
        let run = site.imported();
        site.sql(&trigger("mine", "BEFORE DELETE ON notes FOR EACH ROW", does));
        site.refuses(&run, &["the trigger `mine` on `notes` is not part of the mapping set, so its effect is unknown"]);
    }
}

#[test]
fn a_trigger_of_the_set_may_refuse_the_undo() {
    let kept = "CREATE TABLE kept (id INTEGER PRIMARY KEY); INSERT INTO kept VALUES (1), (2);";
    let each = "BEFORE DELETE ON notes FOR EACH ROW";
    for (when, does, words) in [
        (
            each,
            "IF OLD.title = 'b' THEN RAISE EXCEPTION 'no'; END IF; RETURN OLD;",
            "refuses to undo the row 2 of `notes`",
        ),
        (each, "IF OLD.title = 'b' THEN RETURN NULL; END IF; RETURN OLD;", "refuses to undo the row 2 of `notes`"),
        (
            "AFTER DELETE ON people FOR EACH ROW",
            "DELETE FROM kept; RETURN NULL;",
            "2 rows of `kept` that the run did not write would be deleted too",
        ),
    ] {
        let site = site(&format!("{kept} {}", trigger("own", when, does)));
        let run = site.imported();
        site.refuses(&run, &[words]);
        assert_eq!(site.count("kept"), 2);
    }
    // Children go before their parents, so that a guard of the set is content.
    let guard =
        "IF EXISTS (SELECT 1 FROM notes WHERE owner = OLD.id) THEN RAISE EXCEPTION 'has notes'; END IF; RETURN OLD;";
    let site = site(&trigger("guard", "BEFORE DELETE ON people FOR EACH ROW", guard));
    let run = site.imported();
    site.undo(&run, &[]).status(0);
}

#[test]
fn what_the_server_would_refuse_at_the_commit_blocks_the_undo() {
    let does = "RAISE EXCEPTION 'no'; RETURN NULL;";
    let sql = trigger("late", "AFTER DELETE ON people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW", does);
    let site = site(&sql.replace("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER"));
    let run = site.imported();
    site.refuses(
        &run,
        &["blocked: the database refuses it: a deferred trigger rejected a row at the end of the transaction"],
    );
}

#[test]
fn rows_that_the_server_would_remove_by_itself_block_the_undo() {
    for more in ["", "CREATE SCHEMA aside;"] {
        let (place, shown) = if more.is_empty() { ("visits", "visits") } else { ("aside.visits", "aside.visits") };
        for action in ["CASCADE", "SET NULL", "RESTRICT"] {
            let site = site("");
            let run = site.imported();
            site.sql(&format!(
                "{more} CREATE TABLE {place} (id INTEGER PRIMARY KEY, guest TEXT REFERENCES people (id) ON DELETE {action});
                 INSERT INTO {place} VALUES (5, '1'), (6, NULL)"
            ));
            site.refuses(&run, &[&format!("1 row of `{shown}` would reference missing rows of `people` (")]);
            site.sql(&format!("DELETE FROM {place} WHERE id = 5"));
            site.undo(&run, &[]).status(0);
            assert_eq!((site.count("people"), site.count(place)), (0, 1));
        }
    }
}

/// Tables whose rows reference each other, and themselves.
fn circle(rows: &Value, more: &str) -> Site {
    let tables = "CREATE TABLE teams (id INTEGER PRIMARY KEY, head INTEGER, above INTEGER REFERENCES teams (id));
                  CREATE TABLE people (id INTEGER PRIMARY KEY, team INTEGER REFERENCES teams (id));";
    let closed = "ALTER TABLE teams ADD CONSTRAINT head FOREIGN KEY (head) REFERENCES people (id);";
    let rules = "[table.teams]\nkey = [\"id\"]\n[table.teams.columns]\nid = \"id\"\nhead = \"head\"\nabove = \"above\"\n\
                 [table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"head\"\nteam = \"id\"\n";
    let house = House::new().schema(tables).list("teams", "teams.json", rules).source("teams.json", rows);
    let sql = format!("-- version: 001\n-- description: tables of a test\n{tables}{closed}{more}\n");
    house.file("set/schema/001_test.up.postgresql.sql", sql);
    Site::on_server_with(house)
}

#[test]
fn rows_that_reference_each_other_in_a_circle_go_together_and_one_that_is_refused_is_named() {
    let rows: Value = (1..=50).map(|id| json!({"id": id, "head": 100 + id, "above": 1 + id % 50})).collect();
    let site = circle(&rows, "");
    let run = site.imported();
    site.undo(&run, &["--dry-run"]).status(0);
    assert_eq!([site.count("teams"), site.count("people")], [50, 50]);
    site.undo(&run, &[]).status(0);
    assert_eq!([site.count("teams"), site.count("people")], [0, 0]);

    let guard = "IF OLD.id IN (137, 120, 144) THEN RAISE EXCEPTION 'no'; END IF; RETURN OLD;";
    let site = circle(&rows, &trigger("guard", "BEFORE DELETE ON people FOR EACH ROW", guard));
    let run = site.imported();
    site.refuses(&run, &["the database refuses to undo the row 120 of `people`"]);
}

#[test]
fn keys_of_every_type_find_their_rows() {
    let columns = [
        ("UUID", json!("0190163d-8694-739b-aea5-966c26f8ad91")),
        ("BIGINT", json!(7)),
        ("NUMERIC(10, 2)", json!(7.5)),
        ("BOOLEAN", json!(true)),
        ("DATE", json!("2025-05-07")),
        ("TIMESTAMPTZ", json!("2025-05-07T14:42:18.5Z")),
        ("TIMESTAMP", json!("2025-05-07T14:42:18Z")),
        ("DOUBLE PRECISION", json!(0.1)),
        ("VARCHAR(20)", json!("it's \"null\"")),
    ];
    let named = |column: &dyn Fn(usize, &str) -> String| {
        columns.iter().enumerate().map(|(at, (kind, _))| column(at, kind)).collect::<Vec<_>>()
    };
    let (tables, keys) = (named(&|at, kind| format!("c{at} {kind}")), named(&|at, _| format!("c{at}")));
    let singles = named(&|at, kind| format!("CREATE TABLE one{at} (id {kind} PRIMARY KEY, word TEXT);"));
    let all = format!("CREATE TABLE alls ({}, word TEXT, PRIMARY KEY ({}));", tables.join(", "), keys.join(", "));
    let sql = format!("{}{all}", singles.concat());
    let rule = |table: &str, key: &str, columns: &str| {
        format!("[table.{table}]\nkey = [{key}]\n[table.{table}.columns]\nword = \"word\"\n{columns}\n")
    };
    let rules = named(&|at, _| rule(&format!("one{at}"), "\"id\"", &format!("id = \"c{at}\""))).concat()
        + &rule(
            "alls",
            &named(&|at, _| format!("\"c{at}\"")).join(", "),
            &named(&|at, _| format!("c{at} = \"c{at}\"")).join("\n"),
        );
    let mut row = json!({ "word": "x" });
    columns.iter().enumerate().for_each(|(at, (_, value))| row[format!("c{at}")] = value.clone());
    let house = House::new().schema(&sql.replace("TIMESTAMPTZ", "DATETIME")).list("all", "all.json", &rules);
    let house = house.source("all.json", &json!([row]));
    house.file(
        "set/schema/001_test.up.postgresql.sql",
        format!("-- version: 001\n-- description: tables of a test\n{sql}\n"),
    );
    let site = Site::on_server_with(house);
    let run = site.imported();
    site.sql("UPDATE alls SET word = 'y'; UPDATE one3 SET word = 'y'");
    site.refuses(
        &run,
        &["1 row of `alls` was changed after the run ([", "1 row of `one3` was changed after the run (1)"],
    );
    site.sql("UPDATE alls SET word = 'x'; UPDATE one3 SET word = 'x'");
    let document = site.undo(&run, &["--json"]).status(0).json();
    let removed = document["tables"].as_array().unwrap().iter().map(|table| table["removed"].as_u64().unwrap());
    assert_eq!(removed.sum::<u64>(), columns.len() as u64 + 1, "{document:#}");
    // A key that is of another type by now is found by its text, or nowhere; nothing else goes.
    let run = site.imported();
    site.sql("ALTER TABLE one1 ALTER COLUMN id TYPE TEXT; ALTER TABLE one8 ALTER COLUMN id TYPE INTEGER USING 5");
    site.undo(&run, &[]).status(1);
    assert_eq!([site.count("one1"), site.count("one8"), site.count("one0")], [0, 1, 0]);
}

#[test]
fn an_undo_leaves_nothing_of_itself_and_defaults_are_judged_by_what_they_give() {
    let more = "ALTER TABLE people ADD COLUMN list JSON DEFAULT '[]', ADD COLUMN share NUMERIC(4, 2) DEFAULT 1.5,
                    ADD COLUMN day DATE DEFAULT CURRENT_DATE, ADD COLUMN at TIMESTAMPTZ DEFAULT now(),
                    ADD COLUMN word VARCHAR(9) DEFAULT lower('It''s'), ADD COLUMN mark UUID DEFAULT gen_random_uuid(),
                    ADD COLUMN counted SERIAL, ADD COLUMN said TEXT DEFAULT to_char(now(), 'YYYY');";
    let columns =
        [("list", "'[1]'"), ("share", "1.51"), ("day", "'2001-01-01'"), ("at", "'2001-01-01'"), ("word", "'It''s'")];
    for (column, value) in columns {
        let site = site(more);
        let run = site.imported();
        site.sql(&format!("UPDATE people SET {column} = {value} WHERE id = '2'"));
        site.refuses(&run, &["1 row of `people` was changed after the run (2)"]);
    }
    let site = site(more);
    let things = "SELECT relname::text FROM pg_class WHERE relname NOT LIKE 'pg\\_%' ORDER BY 1";
    let run = site.imported();
    let before = site.rows(things);
    let shown = site.undo(&run, &["--dry-run"]).status(0).stdout;
    assert!(shown.contains("2 rows with database-generated values that cannot be checked"), "{shown}");
    site.undo(&run, &[]).status(0);
    assert_eq!((site.rows(things), site.count("people")), (before, 0));
}

#[test]
fn many_filled_rows_are_emptied_in_sets() {
    let people: Vec<Value> = (0..12_000).map(|id| json!({"id": format!("p{id}"), "name": "x", "notes": []})).collect();
    let house = house().source("people.json", &json!(people));
    let site = Site::on_server_with(house);
    site.imported();
    let before = site.content();
    let mails: Vec<Value> = (0..12_000).map(|id| json!({"id": format!("p{id}"), "mail": "a@a.example"})).collect();
    site.house.put("mails.json", json!(mails).to_string());
    let run = site.imported();
    let document = site.undo(&run, &["--json"]).status(0).json();
    assert_eq!((document["tables"][0]["emptied"].as_u64(), site.content() == before), (Some(12_000), true));
}
