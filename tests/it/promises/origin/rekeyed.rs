//! Migrations that rename tables and columns or give rows other keys: sealed values and the ledger follow, on every engine.

use crate::house::site::{Site, every};
use crate::house::{KEY_FILE, Ran};

const SET: &str = "name = \"game\"\nrecognise = { files = [\"people.json\"] }\n";

const PEOPLE: &str = r#"[
    {"id": 1, "name": "Ada", "pin": "first of them"},
    {"id": 2, "name": "Bob", "pin": "second of them"},
    {"id": 3, "name": "Cleo", "pin": "third of them"}
]"#;

const NOTES: &str = r#"[
    {"id": 7, "owner": 1, "text": "seven"},
    {"id": 8, "owner": 2, "text": "eight"},
    {"id": 9, "owner": 2, "text": "nine"}
]"#;

/// The tables of the first version, and what is imported into them.
const FIRST: [(&str, &str); 4] = [
    (
        "schema/001_tables.up.sql",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, pin TEXT);
         CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES people (id), text TEXT);",
    ),
    ("schema/001_tables.down.sql", "DROP TABLE notes; DROP TABLE people;"),
    (
        "people.toml",
        "description = \"People\"\n[source]\nfiles = [\"people.json\"]\nrecords = \"[*]\"\n[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\npin = { seal = \"pin\" }\n",
    ),
    (
        "notes.toml",
        "description = \"Notes\"\n[source]\nfiles = [\"notes.json\"]\nrecords = \"[*]\"\n[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nowner = { lookup = \"people.id\", by = { id = \"owner\" } }\ntext = \"text\"\n",
    ),
];

/// People get keys of text, and another table and column with them.
const REKEY: &str = "\
CREATE TABLE members (id TEXT PRIMARY KEY, name TEXT NOT NULL, code TEXT, legacy INTEGER);
INSERT INTO members SELECT 'p' || id, name, pin, id FROM people;
CREATE TABLE texts (id INTEGER PRIMARY KEY, owner TEXT NOT NULL REFERENCES members (id), text TEXT, seen INTEGER);
INSERT INTO texts SELECT id, 'p' || owner, text, 7 FROM notes;
DROP TABLE notes;
DROP TABLE people;
ALTER TABLE texts RENAME TO notes;
";

const BACK: &str = "\
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, pin TEXT);
INSERT INTO people SELECT CAST(substr(id, 2) AS INTEGER), name, code FROM members;
CREATE TABLE texts (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES people (id), text TEXT);
INSERT INTO texts SELECT id, CAST(substr(owner, 2) AS INTEGER), text FROM notes;
DROP TABLE notes;
DROP TABLE members;
ALTER TABLE texts RENAME TO notes;
";

const LINE: &str = "-- ledger: members from people SELECT CAST(substr(id, 2) AS INTEGER), id FROM members\n";
const LINE_BACK: &str = "-- ledger: people from members SELECT 'p' || id, id FROM people\n";

/// What an import into the second version says of people.
const SECOND: [(&str, &str); 2] = [
    (
        "people.toml",
        "description = \"People\"\n[source]\nfiles = [\"people.json\"]\nrecords = \"[*]\"\n[table.members]\nkey = [\"id\"]\n[table.members.columns]\nid = { template = \"p{id}\" }\nname = \"name\"\ncode = { seal = \"pin\" }\n",
    ),
    (
        "notes.toml",
        "description = \"Notes\"\n[source]\nfiles = [\"notes.json\"]\nrecords = \"[*]\"\n[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nowner = { lookup = \"members.id\", by = { id = { template = \"p{owner}\" } } }\ntext = \"text\"\n",
    ),
];

/// A database of the first version that a run wrote into, and a set that has this second migration too.
fn imported(site: Site, up: &str, down: &str) -> Site {
    site.house.file("tree/people.json", PEOPLE);
    site.house.file("tree/notes.json", NOTES);
    site.house.file("set/set.toml", SET);
    FIRST.iter().for_each(|(name, text)| drop(site.house.file(&format!("set/{name}"), text)));
    import(&site).status(0);
    SECOND.iter().for_each(|(name, text)| drop(site.house.file(&format!("set/{name}"), text)));
    site.house.file("set/schema/002_members.up.sql", up);
    site.house.file("set/schema/002_members.down.sql", down);
    site
}

fn import(site: &Site) -> Ran {
    let url = site.url();
    site.house.run([
        "import",
        "--reread",
        "tree",
        "--mappings",
        "set",
        "--database",
        &url,
        "--yes",
        "--no-backup",
        "--key-file",
        KEY_FILE,
    ])
}

const WITH_KEY: [&str; 2] = ["--key-file", KEY_FILE];

fn up() -> String {
    format!("{LINE}{REKEY}")
}

fn down() -> String {
    format!("{LINE_BACK}{BACK}")
}

/// The keys under which the ledger knows rows.
fn known(site: &Site) -> Vec<Vec<String>> {
    site.rows(
        "SELECT t.name, r.row_key FROM treelift_rows r JOIN treelift_tables t ON t.id = r.\"table\" ORDER BY 1, 2",
    )
}

fn rows_of(site: &Site, tables: [&str; 2]) -> [String; 2] {
    tables.map(|table| site.one(&format!("SELECT count(*) FROM {table}")))
}

fn pairs(of: &[(&str, &str)]) -> Vec<Vec<String>> {
    of.iter().map(|(table, key)| vec![(*table).to_owned(), (*key).to_owned()]).collect()
}

#[test]
fn sealed_values_and_the_ledger_follow_rows_to_other_tables_columns_and_keys_and_back() {
    for site in every() {
        let site = imported(site, &up(), &down());
        let before = known(&site);
        let dry = site.schema("migrate", &["--dry-run", WITH_KEY[0], WITH_KEY[1]]).status(0);
        assert!(
            dry.stdout.contains("3 sealed values would be sealed again for another table, column or key"),
            "{}",
            dry.stdout
        );
        assert!(dry.stdout.contains("ledger: 3 rows would be known by another key"), "{}", dry.stdout);
        assert_eq!(known(&site), before);

        let done = site.schema("migrate", &WITH_KEY).status(0);
        assert!(
            done.stdout.contains("3 sealed values sealed again for another table, column or key"),
            "{}",
            done.stdout
        );
        assert!(done.stdout.contains("ledger: 3 rows known by another key"), "{}", done.stdout);
        let now =
            [("members", "p1"), ("members", "p2"), ("members", "p3"), ("notes", "7"), ("notes", "8"), ("notes", "9")];
        assert_eq!(known(&site), pairs(&now));
        let verified = site.credentials("verify", &WITH_KEY).status(0);
        assert!(verified.stdout.contains("3 values"), "{}", verified.stdout);
        site.schema("validate", &[]).status(0);

        // The tree says the same of the second version: nothing is new, nothing is otherwise.
        let again = import(&site).status(0);
        assert!(again.stdout.contains("unchanged"), "{}", again.stdout);
        assert_eq!(rows_of(&site, ["members", "notes"]), ["3", "3"]);
        let run = site.one("SELECT id FROM treelift_runs WHERE kind = 'import' ORDER BY number DESC LIMIT 1");
        undo(&site, &run).status(0);

        // There and back as often as one likes, rows are as their run left them.
        let first = site.one("SELECT id FROM treelift_runs WHERE kind = 'import' ORDER BY number LIMIT 1");
        may_be_undone(&site, &first);
        site.schema("rollback", &["--to", "001", WITH_KEY[0], WITH_KEY[1]]).status(0);
        may_be_undone(&site, &first);
        site.schema("migrate", &WITH_KEY).status(0);
        may_be_undone(&site, &first);
        site.schema("rollback", &["--to", "001", WITH_KEY[0], WITH_KEY[1]]).status(0);
        assert_eq!(known(&site), before);
        site.credentials("verify", &WITH_KEY).status(0);
        let run = site.one("SELECT id FROM treelift_runs WHERE kind = 'import' ORDER BY number LIMIT 1");
        undo(&site, &run).status(0);
        assert_eq!(rows_of(&site, ["people", "notes"]), ["0", "0"]);
    }
}

fn may_be_undone(site: &Site, run: &str) {
    let url = site.url();
    site.house.run(["undo", run, "--mappings", "set", "--database", &url, "--dry-run"]).status(0);
}

fn undo(site: &Site, run: &str) -> Ran {
    let url = site.url();
    site.house.run(["undo", run, "--mappings", "set", "--database", &url, "--yes", "--no-backup"])
}

#[test]
fn rows_that_were_edited_before_they_got_other_keys_are_edited_ones_behind_it() {
    for site in every() {
        let site = imported(site, &up(), &down());
        site.sql("UPDATE notes SET text = 'otherwise' WHERE id = 8");
        site.schema("migrate", &WITH_KEY).status(0);
        let run = site.one("SELECT id FROM treelift_runs WHERE kind = 'import'");
        let refused = undo(&site, &run).status(1);
        let told = format!("{}{}", refused.stdout, refused.stderr);
        assert!(told.contains("1 row of `notes` was changed after the run (8)"), "{told}");
        assert!(!told.contains("`members`"), "{told}");

        site.schema("rollback", &["--to", "001", WITH_KEY[0], WITH_KEY[1]]).status(0);
        let refused = undo(&site, &run).status(1);
        let told = format!("{}{}", refused.stdout, refused.stderr);
        assert!(told.contains("1 row of `notes` was changed after the run (8)"), "{told}");
        assert!(!told.contains("`people`"), "{told}");
    }
}

#[test]
fn rows_that_were_deleted_before_are_forgotten_and_that_is_told() {
    for site in every() {
        let site = imported(site, &up(), &down());
        site.sql("DELETE FROM people WHERE id = 3");
        let done = site.schema("migrate", &WITH_KEY).status(0);
        assert!(
            done.stdout.contains("ledger: 1 row forgotten, which had been deleted since runs wrote them"),
            "{}",
            done.stdout
        );
        assert_eq!(known(&site).len(), 5);
        let again = import(&site).status(0);
        assert!(again.stdout.contains("unchanged"), "{}", again.stdout);
    }
}

#[test]
fn without_the_passphrase_or_the_ledger_line_nothing_is_changed() {
    for site in every() {
        let site = imported(site, &up(), &down());
        let before = site.state();
        let refused = site.schema("migrate", &[]).status(2);
        assert!(
            refused.stderr.contains("3 sealed values will have another table, column or key"),
            "{}",
            refused.stderr
        );
        assert_eq!(site.state(), before);

        site.house.file("set/schema/002_members.up.sql", REKEY);
        let before = site.state();
        let refused = site.schema("migrate", &WITH_KEY).status(3);
        for words in [
            "the ledger would lose sight of 3 rows of `people` that runs wrote",
            "002_members.up.sql",
            "-- ledger: members from people SELECT id, id FROM members",
        ] {
            assert!(refused.stderr.contains(words), "{}", refused.stderr);
        }
        assert_eq!(site.state(), before);
    }
}

#[test]
fn a_sealed_value_that_a_migration_loses_or_doubles_stops_it() {
    let lost = up().replace("name, pin, id FROM people", "name, CASE WHEN id = 1 THEN pin END, id FROM people");
    let doubled = format!("{}CREATE TABLE more (code TEXT); INSERT INTO more SELECT code FROM members;", up());
    for (up, words) in [
        (lost, "2 sealed values would be lost; nothing was changed\n  at people.pin, row 2"),
        (doubled, "a sealed value would stand in `"),
    ] {
        for site in every() {
            let site = imported(site, &up, &down());
            let before = site.state();
            let refused = site.schema("migrate", &WITH_KEY).status(3);
            assert!(refused.stderr.contains(words), "{}", refused.stderr);
            assert_eq!(site.state(), before);
        }
    }
}

#[test]
fn a_ledger_line_that_does_not_fit_is_refused_with_its_place() {
    for (line, words) in [
        ("-- ledger: members from people SELECT id FROM members\n", "its query gives 1 column"),
        ("-- ledger: member from people SELECT 1, id FROM members\n", "there is no table `member`"),
        ("-- ledger: members from people SELECT 1, id FROM members\n", "its query gives the key 1 more than once"),
        ("-- ledger: members from people SELECT NULL, id FROM members\n", "its query gives a NULL"),
    ] {
        for site in every() {
            let site = imported(site, &format!("-- description: a line that does not fit\n{line}{REKEY}"), &down());
            let before = site.state();
            let refused = site.schema("migrate", &WITH_KEY).status(3);
            assert!(
                refused.stderr.contains(words) && refused.stderr.contains("002_members.up.sql:2"),
                "{}",
                refused.stderr
            );
            assert_eq!(site.state(), before);
        }
    }
}

#[test]
fn an_import_does_not_give_rows_of_earlier_runs_other_keys() {
    for site in every() {
        let site = imported(site, &up(), &down());
        let before = site.state();
        let refused = import(&site).status(2);
        assert!(refused.stderr.contains("the pending migrations change keys or tables of rows"), "{}", refused.stderr);
        assert_eq!(site.state(), before);
    }
}

#[test]
fn a_key_that_keeps_its_name_and_gets_another_type_is_followed() {
    let up = "\
-- ledger: people SELECT substr(id, 2), id FROM people
CREATE TABLE members (id TEXT PRIMARY KEY, name TEXT NOT NULL, pin TEXT);
INSERT INTO members SELECT 'p' || id, name, pin FROM people;
CREATE TABLE texts (id INTEGER PRIMARY KEY, owner TEXT NOT NULL REFERENCES members (id), text TEXT);
INSERT INTO texts SELECT id, 'p' || owner, text FROM notes;
DROP TABLE notes; DROP TABLE people;
ALTER TABLE texts RENAME TO notes; ALTER TABLE members RENAME TO people;
";
    for site in every() {
        let site = imported(site, up, "SELECT 1;");
        site.schema("migrate", &WITH_KEY).status(0);
        let keys: Vec<String> = known(&site).into_iter().map(|row| row[1].clone()).collect();
        assert_eq!(keys, ["7", "8", "9", "p1", "p2", "p3"]);
        site.credentials("verify", &WITH_KEY).status(0);
        let run = site.one("SELECT id FROM treelift_runs WHERE kind = 'import'");
        undo(&site, &run).status(0);
    }
}

#[test]
fn ids_that_are_made_in_place_are_those_that_an_import_makes() {
    let map = "CREATE TABLE id_map (tab TEXT, old INTEGER, new TEXT);";
    let up = "\
-- ids: id_map(tab, old, new) = { uuid5 = [\"tab\", \"old\"] } FROM SELECT 'people', id FROM people
-- ledger: people SELECT old, new FROM id_map WHERE tab = 'people'
CREATE TABLE members (id TEXT PRIMARY KEY, name TEXT NOT NULL, pin TEXT);
INSERT INTO members SELECT m.new, p.name, p.pin FROM people p JOIN id_map m ON m.old = p.id;
CREATE TABLE texts (id INTEGER PRIMARY KEY, owner TEXT NOT NULL REFERENCES members (id), text TEXT);
INSERT INTO texts SELECT n.id, m.new, n.text FROM notes n JOIN id_map m ON m.old = n.owner;
DROP TABLE notes; DROP TABLE people;
ALTER TABLE texts RENAME TO notes; ALTER TABLE members RENAME TO people;
";
    let second = |text: &str| {
        text.replace(
            "id = { template = \"p{id}\" }",
            "id = { uuid5 = [{ value = \"people\" }, \"id\"], lossy = \"id_map keeps the number\" }",
        )
        .replace(
            "{ template = \"p{owner}\" }",
            "{ uuid5 = [{ value = \"people\" }, \"owner\"], lossy = \"id_map keeps the number\" }",
        )
        .replace("members.id", "people.id")
        .replace("table.members", "table.people")
        .replace("code = ", "pin = ")
    };
    for site in every() {
        let site = imported(site, map, "DROP TABLE id_map;");
        site.house.file("set/set.toml", format!("{SET}namespace = \"6d1f6a3e-5f0b-4b52-9d0c-1f6f3a1e7c55\"\n"));
        SECOND.iter().for_each(|(name, text)| drop(site.house.file(&format!("set/{name}"), second(text))));
        site.house.file("set/schema/003_uuids.up.sql", up);
        site.schema("migrate", &WITH_KEY).status(0);
        site.credentials("verify", &WITH_KEY).status(0);
        // An import of the same tree finds every row under the id that it makes.
        let again = import(&site).status(0);
        assert_eq!(
            site.one("SELECT inserted + updated FROM treelift_runs ORDER BY number DESC LIMIT 1"),
            "0",
            "{}",
            again.stdout
        );
        assert_eq!(site.one("SELECT unchanged FROM treelift_runs ORDER BY number DESC LIMIT 1"), "6");
    }
}

#[test]
fn a_copy_that_somebody_made_before_is_no_reason_to_change_nothing() {
    for site in every() {
        let site = imported(site, &up(), &down());
        site.sql("CREATE TABLE people_backup AS SELECT * FROM people");
        site.schema("migrate", &WITH_KEY).status(0);
        site.credentials("verify", &WITH_KEY).status(0);
        site.schema("rollback", &["--to", "001", WITH_KEY[0], WITH_KEY[1]]).status(0);
        site.credentials("verify", &WITH_KEY).status(0);
    }
}

#[test]
fn a_value_is_lost_where_its_row_stays_whatever_else_goes() {
    let cleared = "DELETE FROM people WHERE pin IS NULL; UPDATE people SET pin = NULL WHERE id = 1;";
    for site in every() {
        let site = imported(site, cleared, "SELECT 1;");
        site.sql("INSERT INTO people (id, name) VALUES (10, 'Dan'), (11, 'Eve')");
        let before = site.state();
        let refused = site.schema("migrate", &WITH_KEY).status(3);
        assert!(refused.stderr.contains("1 sealed value would be lost; nothing was changed"), "{}", refused.stderr);
        assert_eq!(site.state(), before);

        // On the way back too.
        let more = "CREATE TABLE more (id INTEGER PRIMARY KEY);";
        let site = imported(again(&site), more, "DROP TABLE more; UPDATE people SET pin = NULL WHERE id = 2;");
        site.schema("migrate", &WITH_KEY).status(0);
        let refused = site.schema("rollback", &["--to", "001", WITH_KEY[0], WITH_KEY[1]]).status(3);
        let words = "1 sealed value would be lost; nothing was changed\n  at people.pin, row 2";
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}

/// Another one of the same engine.
fn again(site: &Site) -> Site {
    every().into_iter().find(|other| other.is_file() == site.is_file()).unwrap()
}

#[test]
fn rows_that_are_merged_into_one_count_as_edited_if_one_of_them_was() {
    let up = "\
-- ledger: notes SELECT id, 1 FROM (SELECT 7 AS id UNION ALL SELECT 8 UNION ALL SELECT 9) merged
DELETE FROM notes WHERE id > 7;
UPDATE notes SET id = 1;
";
    for site in every() {
        let site = imported(site, up, "SELECT 1;");
        site.sql("UPDATE notes SET text = 'otherwise' WHERE id = 9");
        site.schema("migrate", &WITH_KEY).status(0);
        let run = site.one("SELECT id FROM treelift_runs WHERE kind = 'import'");
        let refused = undo(&site, &run).status(1);
        assert!(refused.stdout.contains("1 row of `notes` was changed after the run (1)"), "{}", refused.stdout);
    }
}
