//! Rules of the database that only the database can check, and rows that it had before.

use crate::house::House;
use crate::house::inline::told;
use rusqlite::Connection;

#[test]
fn a_unique_index_that_folds_letters_refuses_the_run_at_the_record() {
    let unique = [
        "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT UNIQUE COLLATE NOCASE);",
        "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT); CREATE UNIQUE INDEX lower_title ON notes (lower(title));",
        "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT COLLATE NOCASE); CREATE UNIQUE INDEX some ON notes (title) WHERE id <> 'x';",
    ];
    let names = ["notes.title", "index 'lower_title'", "notes.title"];
    for (schema, name) in unique.into_iter().zip(names) {
        let house = House::new()
            .schema(schema)
            .list(
                "notes",
                "notes.json",
                "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\ntitle = \"title\"\n",
            )
            .text("notes.json", r#"[{"id": "a", "title": "One"}, {"id": "b", "title": "ONE"}]"#);
        let report = house.report(1, &[]);
        assert_eq!(
            told(&report),
            [format!(
                "error R002 `notes` ({name}) is unique in the database, and another row has the same value \
                 (the other is notes.json:1:2 /0)"
            )]
        );
        assert_eq!(report["findings"][0]["place"]["pointer"], "/1", "{schema}");
        assert!(!house.path("target.db").exists());
        let report = house.report(1, &["--max-rejects", "1"]);
        assert_eq!(report["outcome"], "committed");
        assert_eq!(house.rows("SELECT id FROM notes"), [["a"]]);
    }
}

#[test]
fn dangling_references_of_the_run_are_reported_before_those_that_the_database_had() {
    let house = House::new()
        .schema(
            "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, next TEXT REFERENCES notes (id));
         CREATE TABLE tags (id INTEGER PRIMARY KEY, note TEXT REFERENCES notes (id));",
        )
        .list("notes", "notes.json", "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\n")
        .text("notes.json", r#"[{"id": "a"}]"#);
    house.report(0, &[]);
    let database = Connection::open(house.path("target.db")).unwrap();
    database
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) INSERT INTO tags SELECT i, 'gone' FROM n;
             CREATE TRIGGER broken AFTER INSERT ON notes BEGIN UPDATE notes SET next = 'nowhere' WHERE id = new.id; END;",
        )
        .unwrap();
    drop(database);
    house.put("notes.json", r#"[{"id": "a"}, {"id": "b"}]"#);
    let report = house.report(1, &[]);
    assert!(told(&report)[0].starts_with("error R004"), "{:?}", told(&report)[0]);
    assert_eq!(report["findings"][0]["place"]["pointer"], "/1");
}

#[test]
fn a_dangling_row_of_a_table_without_row_numbers_is_of_the_run_where_that_was_empty() {
    let house = House::new()
        .schema("CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, next TEXT REFERENCES notes (id)) WITHOUT ROWID;")
        .list(
            "notes",
            "notes.json",
            "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nnext = \"next\"\n",
        )
        .text("notes.json", r#"[{"id": "a", "next": "gone"}]"#);
    let report = house.report(1, &[]);
    assert_eq!((report["outcome"].as_str(), told(&report).len()), (Some("rolled-back"), 1));
    assert!(told(&report)[0].starts_with("error R004"), "{:?}", told(&report));
}

#[test]
fn a_dry_run_without_the_passphrase_reports_what_it_could_not_compare() {
    let house = House::new()
        .schema("CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, door TEXT NOT NULL);")
        .list(
            "logins",
            "logins.json",
            "[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\n\
             door = { seal = \"doorPin\" }\n",
        )
        .text("logins.json", r#"[{"id": "a", "doorPin": "open-sesame"}]"#);
    house.report(0, &[]);
    let line = "import tree --mappings set --json --dry-run --database sqlite:///./target.db --reread";
    let report = house.run(line.split(' ')).status(0).json();
    let message = "warning X006 not compared with the source: 1 sealed value of the database, because no passphrase or key was given";
    assert!(told(&report).contains(&message.to_owned()), "{:?}", told(&report));
}
