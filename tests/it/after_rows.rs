//! What a migration makes after the rows of a new database.

use crate::house::House;
use serde_json::json;

const FOUND: &str = "CREATE INDEX notes_title ON notes (title);
CREATE VIRTUAL TABLE found USING fts5 (title, content = 'notes', content_rowid = 'id');
CREATE TRIGGER fill AFTER INSERT ON notes BEGIN INSERT INTO found (rowid, title) VALUES (new.id, new.title); END;
INSERT INTO found (found) VALUES ('rebuild');
";
const GONE: &str = "DROP TRIGGER fill;\nDROP TABLE found;\nDROP INDEX notes_title;\n";

/// A set whose second of three migrations only serves reading, and one file of notes.
fn house(header: &str) -> House {
    let rules = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\ntitle = \"title\"\n";
    let house = House::new()
        .schema("CREATE TABLE notes (id INTEGER NOT NULL PRIMARY KEY, title TEXT NOT NULL);")
        .list("notes", "notes/*.json", rules)
        .source("notes/a.json", &json!([{ "id": 1, "title": "the first" }, { "id": 2, "title": "the second" }]));
    house.file("set/schema/002_found.up.sql", format!("{header}{FOUND}"));
    house.file("set/schema/002_found.down.sql", GONE);
    house.file("set/schema/003_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    house.file("set/schema/003_more.down.sql", "DROP TABLE more;\n");
    house
}

/// The order in which an index and the table of the migration behind it were made, and the notes with a word.
fn made(house: &House, word: &str) -> (String, String) {
    let order = "SELECT group_concat(name) FROM
                 (SELECT name FROM sqlite_schema WHERE name IN ('notes_title', 'more') ORDER BY rowid)";
    (house.one(order), house.one(&format!("SELECT count(*) FROM found WHERE found MATCH '{word}'")))
}

#[test]
fn a_new_database_gets_it_after_its_rows_and_an_old_one_keeps_it() {
    for (header, order) in [("-- after: rows\n", "more,notes_title"), ("", "notes_title,more")] {
        let house = house(header);
        house.lift(&[]).ends(0, "committed");
        assert_eq!(made(&house, "second"), (order.to_owned(), "1".to_owned()));
        let third = json!([{ "id": 3, "title": "the third" }]);
        let house = house.source("notes/b.json", &third);
        house.lift(&[]).ends(0, "committed").counts("inserted", "notes 1");
        assert_eq!(made(&house, "third"), (order.to_owned(), "1".to_owned()));
        assert_eq!(house.one("SELECT count(*) FROM found WHERE found MATCH 'the'"), "3");
    }
}

#[test]
fn one_that_does_more_is_refused_before_anything_is_read() {
    let house = house("-- after: rows\n");
    house.file("set/schema/002_found.up.sql", "-- after: rows\nCREATE UNIQUE INDEX notes_title ON notes (title);\n");
    house.file("set/schema/002_found.down.sql", "DROP INDEX notes_title;\n");
    house.lift(&[]).refuses("its index `notes_title` refuses a value twice");
    house.run(["check", "set"]).status(2);
}
