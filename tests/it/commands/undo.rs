//! An import is taken back whole, or not at all.

use crate::house::keeping::{URL, change};
use crate::house::safe::Dice;
use crate::house::site::{Content, on_every_engine};
use crate::house::{DATABASE, House, KEY_FILE, Ran, application_dump, listing, open, sample};
use crate::sets::generated::tree;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::time::Instant;

pub(crate) const TABLES: &str = "
    CREATE TABLE people (
        id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, mail TEXT, state TEXT DEFAULT 'new', old BOOLEAN DEFAULT FALSE,
        made TIMESTAMP DEFAULT CURRENT_TIMESTAMP, paid DECIMAL(10, 2)
    );
    CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL REFERENCES people (id), title TEXT);
    CREATE TABLE tags (person TEXT, name TEXT, seen DATETIME, PRIMARY KEY (person, seen));";

const PEOPLE: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    name = "name"
    mail = "mail"
    paid = "paid"
    [table.notes]
    each = "notes[*]"
    parent = "people"
    [table.notes.columns]
    owner = "^id"
    title = ".""#;

/// It does not give the name, which is NOT NULL: it cannot start a row.
const MAILS: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "fill"
    [table.people.columns]
    id = "id"
    mail = "mail""#;

const TAGS: &str = r#"
    [table.tags]
    key = ["person", "seen"]
    [table.tags.columns]
    person = "person"
    name = "name"
    seen = "seen""#;

/// A house whose tree has two people with notes, and nobody's mail yet.
pub(crate) fn house() -> House {
    House::new()
        .schema(TABLES)
        .set("[precedence]\npeople = [\"people\", \"mails\"]\n")
        .list("people", "people.json", PEOPLE)
        .list("mails", "mails.json", MAILS)
        .list("tags", "tags.json", TAGS)
        .source("people.json", &json!([{"id": "1", "name": "Ann", "paid": 2.5, "notes": ["a", "b"]}, {"id": "2", "name": "Bob", "notes": ["a"]}]))
        .source("tags.json", &json!([{"person": "1", "name": "x", "seen": "2025-05-07T14:42:18Z"}]))
}

/// Imports the house's tree as it is, and gives the run's id.
pub(crate) fn imported(house: &House) -> String {
    house.lift(&["--no-backup"]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned()
}

pub(crate) fn undo(house: &House, run: &str, more: &[&str]) -> Ran {
    let backups = house.backups();
    let mut arguments = vec!["undo", run, "--database", URL, "--yes", "--backup-dir", backups.to_str().unwrap()];
    if house.path("set").exists() {
        arguments.extend(["--mappings", "set"]);
    }
    arguments.extend(more);
    house.run(arguments)
}

/// The application's tables, without the audit trail: it tells of the undo itself.
fn content(house: &House) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut tables = application_dump(&open(&house.path(DATABASE)));
    tables.remove("audit_trail");
    tables
}

/// The undo is refused in these words, and nothing is changed, nor left behind.
#[track_caller]
pub(crate) fn refused(house: &House, run: &str, words: &[&str]) {
    let before = listing(&house.work());
    let ran = undo(house, run, &[]).status(1);
    for word in words {
        assert!(ran.stdout.contains(word), "{}", ran.stdout);
    }
    assert!(ran.stdout.contains("refused: run "), "{}", ran.stdout);
    assert_eq!(listing(&house.work()), before);
    assert!(!house.backups().exists());
}

#[test]
fn the_sample_is_undone_and_imported_again() {
    on_every_engine(House::new, |site| {
        let house = &site.house;
        let import = |more: &[&str]| {
            house.import(&sample(), &[&["--database", site.name(), "--no-backup"], more].concat()).status(0)
        };
        house.run(["schema", "migrate", "--mappings", "fossawork", "--database", site.name()]).status(0);
        let empty = site.content();
        let report = import(&["--json"]).json();
        let (run, full) = (report["run_id"].as_str().unwrap(), site.content());
        let dry = site.undo(run, &["--json", "--dry-run"]).status(0).json();
        assert_eq!(site.content(), full);
        let document = site.undo(&run[..8], &["--json"]).status(0).json();
        assert_eq!((document["run"].as_str(), document["outcome"].as_str()), (Some(run), Some("committed")));
        assert_eq!(document["tables"], dry["tables"]);
        if site.is_file() {
            assert!(std::path::Path::new(document["backup"].as_str().unwrap()).exists(), "{document:#}");
        }
        let undo = "SELECT id FROM treelift_runs WHERE kind = 'undo'";
        assert_eq!(site.rows(undo), [[document["undo"].as_str().unwrap()]]);
        assert_eq!(site.content(), empty);
        assert_eq!(site.count("treelift_rows"), 0);
        assert_eq!(
            site.rows("SELECT action, CAST(record_id AS TEXT) FROM audit_trail WHERE action = 'undo'"),
            [["undo".to_owned(), run.to_owned()]]
        );
        house.run(["schema", "validate", "--database", site.name()]).status(0);

        let again = site.undo(run, &[]).status(2);
        assert!(again.stderr.contains("was already undone by run "), "{}", again.stderr);
        import(&[]);
        let rows = |content: Content| content.into_iter().map(|(name, rows)| (name, rows.len())).collect::<Vec<_>>();
        assert_eq!(rows(site.content()), rows(full), "the same rows, under other given ids, times and seals");
        let runs = house.run(["runs", "--database", site.name()]).status(0).stdout;
        assert!(runs.contains("import, undone") && runs.contains(&format!("undo of {}", &run[..8])), "{runs}");
    });
}

#[test]
fn runs_are_undone_one_by_one_and_filled_columns_are_null_again() {
    on_every_engine(house, |site| {
        let house = &site.house;
        let first = site.imported();
        let between = site.content();
        house.put("people.json", json!([{"id": "1", "name": "Ann", "paid": 2.5, "notes": ["a", "b"]}, {"id": "2", "name": "Bob", "notes": ["a"]}, {"id": "3", "name": "Cid", "notes": []}]).to_string());
        house.put(
            "mails.json",
            json!([{"id": "1", "mail": "ann@a.example"}, {"id": "3", "mail": "cid@a.example"}]).to_string(),
        );
        let second = site.imported();
        assert_eq!(site.rows("SELECT mail FROM people ORDER BY id"), [["ann@a.example"], ["NULL"], ["cid@a.example"]]);

        site.refuses(
            &first,
            &[
                &format!("blocked: run {second} wrote into 1 row of this one: undo that run first"),
                "blocked: 1 row of `people` was changed after the run (1)",
            ],
        );
        let document = site.undo(&second, &["--json", "--no-backup"]).status(0).json();
        assert_eq!(
            document["tables"],
            json!([{"name": "people", "removed": 1, "emptied": 1, "gone": 0, "unfound": 0, "unjudged": 0, "resealed": 0}])
        );
        assert_eq!(site.content(), between);
        site.undo(&first, &["--no-backup"]).status(0);
        assert_eq!(["people", "notes", "tags"].map(|table| site.count(table)), [0, 0, 0]);
        assert_eq!(
            site.rows("SELECT kind, CAST(removed AS TEXT), CAST(updated AS TEXT) FROM treelift_runs ORDER BY number"),
            [["import", "0", "0"], ["import", "0", "1"], ["undo", "1", "1"], ["undo", "6", "0"]]
        );
    });
}

#[test]
fn a_row_changed_since_blocks_the_undo_and_is_named() {
    let cases = [
        ("UPDATE people SET name = 'Anne' WHERE id = '1'", "1 row of `people` was changed after the run (1)"),
        ("UPDATE people SET paid = 2.51 WHERE id = '1'", "1 row of `people` was changed after the run (1)"),
        // Columns that no mapping writes hold what the database gave them.
        ("UPDATE people SET state = 'seen'", "2 rows of `people` were changed after the run (1, 2)"),
        ("UPDATE people SET old = TRUE WHERE id = '2'", "1 row of `people` was changed after the run (2)"),
        (
            "UPDATE people SET made = '2001-01-01 00:00:00' WHERE id = '2'",
            "1 row of `people` was changed after the run (2)",
        ),
        (
            "ALTER TABLE tags ADD COLUMN more TEXT; UPDATE tags SET more = 'x'",
            "1 row of `tags` was changed after the run",
        ),
        (
            "ALTER TABLE tags RENAME COLUMN name TO word",
            "`tags` no longer has the column `name` of the 1 row that the run wrote: no migration of the set did that",
        ),
    ];
    for (sql, words) in cases {
        on_every_engine(house, |site| {
            let run = site.imported();
            site.sql(sql);
            site.refuses(&run, &[words]);
        });
    }
}

#[test]
fn a_row_that_would_dangle_blocks_the_undo() {
    let words = ["1 row of `notes` would reference missing rows of `people` (77)"];
    on_every_engine(house, |site| {
        let run = site.imported();
        site.sql("INSERT INTO notes (id, owner, title) VALUES (77, '1', 'mine')");
        site.refuses(&run, &words);
        if site.is_file() {
            // A note of the run leads nowhere already, and would go with it: that is no room for another.
            site.sql("PRAGMA foreign_keys = OFF; DELETE FROM people WHERE id = '2'");
            site.refuses(&run, &words);
        }
    });
    on_every_engine(mapped_house, |site| {
        let run = site.imported();
        site.sql("INSERT INTO visits (id, guest) VALUES ('mine', '1')");
        site.refuses(&run, &["1 row of `visits` would reference missing rows of `people` (mine)"]);
        site.sql("DELETE FROM visits WHERE id = 'mine'");
        site.undo(&run, &[]).status(0);
    });
}

/// A house whose visits refer to people by the mapping alone; the database declares nothing.
fn mapped_house() -> House {
    let visits = "[table.visits]\nkey = [\"id\"]\n[table.visits.columns]\nid = \"id\"\n\
                  guest = { lookup = \"people.id\", by = { name = \"name\" } }\n";
    House::new()
        .schema("CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT UNIQUE); CREATE TABLE visits (id TEXT PRIMARY KEY, guest TEXT);")
        .list("people", "people.json", "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\n")
        .list("visits", "visits.json", visits)
        .source("people.json", &json!([{"id": "1", "name": "Ann"}]))
        .source("visits.json", &json!([{"id": "a", "name": "Ann"}]))
}

#[test]
fn a_trigger_outside_the_set_blocks_the_undo() {
    let does = [
        "UPDATE people SET name = 'x' WHERE id = '2'",
        "DELETE FROM tags",
        "SELECT RAISE(IGNORE)",
        "SELECT RAISE(ROLLBACK, 'no')",
        "SELECT unknown_function(1)",
    ];
    for does in does {
        let house = house();
        let run = imported(&house);
        change(&house, &format!("CREATE TRIGGER mine BEFORE DELETE ON notes BEGIN {does}; END"));
        refused(
            &house,
            &run,
            &["the trigger `mine` on `notes` is not part of the mapping set, so its effect is unknown"],
        );
    }
}

#[test]
fn a_trigger_of_the_set_may_refuse_the_undo() {
    let cases = [
        (
            "BEFORE DELETE ON notes WHEN old.title = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END",
            "refuses to undo the row 2 of `notes`",
        ),
        (
            "BEFORE DELETE ON notes WHEN old.title = 'b' BEGIN SELECT RAISE(IGNORE); END",
            "refuses to undo the row 2 of `notes`",
        ),
        (
            "BEFORE DELETE ON notes WHEN old.title = 'b' BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
            "refuses to undo the row 2 of `notes`",
        ),
        (
            "AFTER DELETE ON people BEGIN DELETE FROM kept; END",
            "2 rows of `kept` that the run did not write would be deleted too",
        ),
    ];
    for (trigger, words) in cases {
        let kept = "CREATE TABLE kept (id INTEGER PRIMARY KEY); INSERT INTO kept VALUES (1), (2);";
        let house = house().schema(&format!("{TABLES} {kept} CREATE TRIGGER own {trigger};"));
        let run = imported(&house);
        refused(&house, &run, &[words]);
    }
    // Children go before their parents, so that a guard of the set is content.
    let guard = "CREATE TRIGGER guard BEFORE DELETE ON people WHEN EXISTS (SELECT 1 FROM notes WHERE owner = old.id)
                 BEGIN SELECT RAISE(ABORT, 'has notes'); END;";
    let house = house().schema(&format!("{TABLES} {guard}"));
    let run = imported(&house);
    undo(&house, &run, &[]).status(0);
}

#[test]
fn rows_without_a_key_block_the_undo() {
    let house = |table: &str| {
        House::new()
            .schema(&format!("CREATE TABLE words ({table})"))
            .list("words", "words.json", "[table.words]\n[table.words.columns]\nword = \"w\"\nat = \"a\"")
            .source("words.json", &json!([{"w": "a", "a": 1}, {"w": "b", "a": null}]))
    };
    let cases = [("word TEXT, at INTEGER", 2), ("word TEXT, at INTEGER, PRIMARY KEY (word, at)", 1)];
    for (table, rows) in cases {
        let house = house(table);
        let run = imported(&house);
        refused(&house, &run, &[&format!("no key identifies {rows} row")]);
    }
}

#[test]
fn a_table_that_cannot_be_judged_is_named_beside_one_whose_columns_are_emptied() {
    on_every_engine(house, |site| {
        site.imported();
        site.house.put("mails.json", json!([{"id": "1", "mail": "ann@a.example"}]).to_string());
        let more = json!([{"person": "2", "name": "y", "seen": "2025-05-07T14:42:18Z"}]);
        site.house.put("tags.json", more.to_string());
        let run = site.imported();
        site.sql("ALTER TABLE tags RENAME COLUMN name TO word");
        let words =
            "`tags` no longer has the column `name` of the 1 row that the run wrote: no migration of the set did that";
        site.refuses(&run, &[words]);
    });
}

#[test]
fn generated_and_sealed_columns_are_checked_too() {
    let rules = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nmade = \"#started\"\n\
                 pin = { seal = \"pin\" }\n";
    let house = || {
        House::new()
            .schema("CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, made DATETIME, pin TEXT)")
            .list("people", "people.json", rules)
            .source("people.json", &json!([{"id": "1", "pin": "4711-secret"}, {"id": "2", "pin": "0815-secret"}]))
    };
    on_every_engine(house, |site| {
        let run = site.imported();
        site.sql("UPDATE people SET made = '2031-01-01 00:00:00.000000' WHERE id = '2'");
        site.refuses(&run, &["1 row of `people` was changed after the run (2)"]);
    });
    on_every_engine(house, |site| {
        let run = site.imported();
        site.sql("UPDATE people SET pin = 'of the application' WHERE id = '2'");
        let before = if site.is_file() { &[][..] } else { &["--no-backup"] };
        let asked = ["undo", &run, "--database", site.name(), "--mappings", "set"];
        let asked = site.house.run(asked.iter().chain(before)).status(2);
        let how = site.either("after a backup", "without a backup");
        let question = format!("remove 2 rows (1 row with sealed values that the run did not write), {how}?");
        assert!(asked.stderr.contains(&question), "{}", asked.stderr);
        let ran = site.undo(&run, &[]).status(0);
        assert!(
            ran.stdout.starts_with("people: 2 rows removed, 1 row with sealed values that the run did not write\n"),
            "{}",
            ran.stdout
        );
    });
}

#[test]
fn columns_that_the_run_filled_in_its_own_rows_are_undone_with_them() {
    on_every_engine(House::new, |site| {
        let tree = site.house.sample_copy();
        let list = tree.join("users/users.json");
        let mut people: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&list).unwrap()).unwrap();
        let first = match &mut people {
            serde_json::Value::Array(all) => all[0].as_object_mut(),
            all => all["users"][0].as_object_mut(),
        };
        first.unwrap().remove("lastUsed").unwrap();
        std::fs::write(&list, people.to_string()).unwrap();
        let report = site.house.import(&tree, &["--json", "--database", site.name()]).json();
        assert_eq!(report["outcome"], "committed", "{:#}", report["findings"]);
        site.undo(report["run_id"].as_str().unwrap(), &["--no-backup"]).status(0);
        assert_eq!(site.count("users"), 0);
    });
}

#[test]
fn after_a_hand_over_and_an_undo_the_tree_may_be_imported_again() {
    let house = House::new();
    let report = house.import(&sample(), &["--json"]).status(0).json();
    let hand_over = [
        "credentials",
        "hand-over",
        "--to",
        "fernet",
        "--key-file",
        KEY_FILE,
        "--yes",
        "--no-backup",
        "--database",
        URL,
    ];
    Ran::of(house.command(hand_over).env("SECRET_KEY", "the application's")).status(0);
    let asked = undo(&house, report["run_id"].as_str().unwrap(), &["--no-backup", "--dry-run"]).status(0);
    assert!(
        asked
            .stdout
            .contains("user_credentials: 9 rows to remove, 9 rows with sealed values that the run did not write"),
        "{}",
        asked.stdout
    );
    undo(&house, report["run_id"].as_str().unwrap(), &["--no-backup"]).status(0);
    house.import(&sample(), &["--no-backup"]).status(0);
    house.run(["credentials", "verify", "--key-file", KEY_FILE, "--database", URL]).status(0);
}

#[test]
fn a_column_with_a_volatile_default_is_counted() {
    let more = "chosen TEXT DEFAULT 'unknown', mark TEXT DEFAULT (hex(randomblob(4))), ";
    let house = || house().schema(&TABLES.replacen("id TEXT", &format!("{more} id TEXT"), 1));
    on_every_engine(house, |site| {
        let run = site.imported();
        let shown = site.undo(&run, &["--dry-run"]).status(0).stdout;
        assert!(
            shown.contains("people: 2 rows to remove, 2 rows with database-generated values that cannot be checked"),
            "{shown}"
        );
        // What only looks like that in a text is judged.
        site.sql("UPDATE people SET chosen = 'known' WHERE id = '2'");
        site.refuses(&run, &["1 row of `people` was changed after the run (2)"]);
    });
}

#[test]
fn uncheckable_references_matter_only_where_they_reach_the_runs_rows() {
    let house = house();
    let run = imported(&house);
    change(
        &house,
        "PRAGMA foreign_keys = OFF; CREATE TABLE p (a TEXT); CREATE TABLE l (n TEXT REFERENCES p (a)); INSERT INTO l VALUES ('x')",
    );
    undo(&house, &run, &["--dry-run"]).status(0);
    change(&house, "CREATE TABLE m (n TEXT REFERENCES people (name))");
    let told = undo(&house, &run, &["--dry-run"]).status(3).stderr;
    assert!(
        told.contains("the foreign keys of `m` cannot be checked: one references columns that are not unique"),
        "{told}"
    );
}

#[test]
fn the_set_must_be_the_one_of_the_run() {
    let house = house();
    let run = imported(&house);
    let ran = house.run(["undo", &run, "--database", URL, "--yes", "--mappings", "notes"]).status(2);
    assert!(ran.stderr.contains("inline"), "{}", ran.stderr);
}

#[test]
fn more_rows_than_one_page_holds_are_undone() {
    let many: Vec<_> = (0..2_500)
        .map(|at| json!({"person": "1", "name": "x", "seen": format!("2025-05-07T14:42:18.{at:06}Z")}))
        .collect();
    on_every_engine(
        || house().source("tags.json", &json!(many)),
        |site| {
            let run = site.imported();
            site.sql("UPDATE tags SET name = 'y' WHERE seen > '2025-05-07 14:42:18.002000'");
            let words = "499 rows of `tags` were changed after the run ([\"1\",\"2025-05-07 14:42:18.002001\"], ";
            site.refuses(&run, &[words]);
            site.sql("UPDATE tags SET name = 'x'");
            site.undo(&run, &[]).status(0);
            assert_eq!(site.count("tags"), 0);
        },
    );
}

#[test]
fn rows_already_deleted_are_counted_and_the_rest_is_removed() {
    on_every_engine(house, |site| {
        let (run, url) = (site.imported(), site.name());
        site.sql("DELETE FROM notes WHERE title = 'b'; DELETE FROM tags");
        let shown = site.undo(&run, &["--dry-run"]).status(0);
        let words =
            "notes: 2 rows removed, 1 row already deleted\npeople: 2 rows removed\ntags: 1 row already deleted\n";
        assert_eq!(
            shown.stdout,
            format!(
                "{}dry run: 4 rows of run {run} would be undone, nothing was changed in {url}\n",
                words.replace("removed", "to remove")
            )
        );
        assert_eq!(
            site.undo(&run, &[]).status(0).stdout,
            format!("{words}committed: 4 rows of run {run} undone in {url}\n")
        );
        assert_eq!(site.count("people"), 0);
    });
}

#[test]
fn rows_of_tables_without_rowids_are_known_by_their_keys() {
    let schema = TABLES.replace("paid DECIMAL(10, 2)\n    )", "paid DECIMAL(10, 2)\n    ) WITHOUT ROWID");
    let schema = schema.replace("PRIMARY KEY (person, seen))", "PRIMARY KEY (person, seen)) WITHOUT ROWID");
    assert_eq!(schema.matches("WITHOUT ROWID").count(), 2);
    let changed = house().schema(&schema);
    let run = imported(&changed);
    change(&changed, "UPDATE people SET name = 'Anne' WHERE id = '1'; UPDATE tags SET name = 'y'");
    let words =
        ["1 row of `people` was changed after the run (1)", "1 row of `tags` was changed after the run ([\"1\","];
    refused(&changed, &run, &words);

    let gone = house().schema(&schema);
    let run = imported(&gone);
    change(&gone, "DELETE FROM notes; DELETE FROM people WHERE id = '2'; DELETE FROM tags");
    let words =
        "notes: 3 rows already deleted\npeople: 1 row removed, 1 row already deleted\ntags: 1 row already deleted\n";
    assert_eq!(
        undo(&gone, &run, &[]).status(0).stdout,
        format!("{words}committed: 1 row of run {run} undone in {URL}\n")
    );
    assert_eq!(gone.one("SELECT count(*) FROM people"), "0");
}

#[test]
fn a_rehearsal_and_a_question_without_an_answer_leave_no_trace() {
    let house = house();
    let run = imported(&house);
    let before = listing(&house.work());
    undo(&house, &run, &["--dry-run"]).status(0);
    let asked = house.run(["undo", &run, "--database", URL, "--mappings", "set"]).status(2);
    assert!(
        asked.stderr.contains(&format!("undo run {run} in {URL}: remove 6 rows, after a backup?")),
        "{}",
        asked.stderr
    );
    assert_eq!(listing(&house.work()), before);
}

#[test]
fn a_run_that_changed_nothing_has_nothing_to_undo() {
    on_every_engine(house, |site| {
        site.imported();
        let second = site.imported();
        for more in [&[][..], &["--dry-run"]] {
            let ran = site.undo(&second, more).status(0);
            let url = site.name();
            assert_eq!(ran.stdout, format!("nothing to undo: no row of run {second} is in {url}\n"));
        }
        assert_eq!(site.count("treelift_runs"), 2);
        site.undo("nobody", &[]).status(2);
    });
}

#[test]
fn a_killed_undo_is_all_or_nothing() {
    kill(3, 1);
}

#[test]
#[ignore = "thirty kills take about 1 minute"]
fn thirty_kills_of_an_undo() {
    kill(30, 2);
}

fn kill(times: u32, seed: u64) {
    let house = House::new();
    let people = tree(&house, 20, 3);
    let report = house.import(&people, &["--json"]).status(0).json();
    let run = report["run_id"].as_str().unwrap();
    let full = content(&house);
    let made = std::fs::read(house.path(DATABASE)).unwrap();
    let started = Instant::now();
    undo(&house, run, &["--no-backup"]).status(0);
    let (length, empty) = (started.elapsed(), content(&house));
    let mut dice = Dice(seed);
    for number in 0..times {
        std::fs::write(house.path(DATABASE), &made).unwrap();
        let mut child = house.command(["undo", run, "--database", URL, "--yes", "--no-backup"]).spawn().unwrap();
        std::thread::sleep(length.mul_f64(dice.roll(1_000) as f64 / 1_000.0));
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
        // Whoever opens it next takes back what the journal says.
        change(&house, "PRAGMA user_version");
        let left = content(&house);
        assert!(left == full || left == empty, "seed {seed}, kill {number}");
    }
}
