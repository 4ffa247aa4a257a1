//! Pairs that are written from two schemas, and run.

use super::*;
use crate::database::Dialect;
use crate::database::drift::differences;
use crate::database::schema::{catalog, tests::migration as made_by};

const NOTES: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT);";

fn of(sql: &str) -> Catalog {
    catalog(&Dialect::default(), &[made_by("001", sql)]).expect("valid SQL")
}

/// The pair, which makes the one of the other and takes it back, with nothing left to a person.
#[track_caller]
fn pair(before: &str, after: &str) -> (String, String) {
    let (up, down) = migration(&of(before), &of(after), Leave::default());
    assert!(!up.contains(BY_HAND) && !down.contains(BY_HAND), "{up}{down}");
    let there = of(&format!("{before}{up}"));
    assert_eq!(differences(&of(after), &there, Leave::default()), [], "{up}");
    let back = of(&format!("{before}{up}{down}"));
    assert_eq!(differences(&of(before), &back, Leave::default()), [], "{up}{down}");
    (up, down)
}

/// What is left to a person, in a pair that runs all the same.
#[track_caller]
fn left(before: &str, after: &str) -> Vec<String> {
    let (up, down) = migration(&of(before), &of(after), Leave::default());
    let back = of(&format!("{before}{up}{down}"));
    assert_eq!(differences(&of(before), &back, Leave::default()), [], "{up}{down}");
    let left = |text: &str| text.lines().filter_map(|line| line.strip_prefix(BY_HAND).map(str::to_owned)).collect();
    let (left, back): (Vec<String>, Vec<String>) = (left(&up), left(&down));
    assert!(back.iter().rev().eq(left.iter().map(|told| format!("the reverse of: {told}")).collect::<Vec<_>>().iter()));
    left
}

#[test]
fn a_migration_written_from_drift_makes_the_drift_and_undoes_it() {
    let (up, _) = pair(
        &format!("{NOTES} CREATE INDEX notes_title ON notes (title);"),
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, colour VARCHAR(9) DEFAULT 'red');
         CREATE TABLE \"order\" (name TEXT PRIMARY KEY); CREATE INDEX order_name ON \"order\" (name DESC);",
    );
    assert_eq!(
        up,
        "DROP INDEX \"notes_title\";\n\
         CREATE TABLE \"order\" (name TEXT PRIMARY KEY);\n\
         ALTER TABLE \"notes\" ADD COLUMN \"colour\" VARCHAR(9) DEFAULT 'red';\n\
         CREATE INDEX order_name ON \"order\" (name DESC);\n"
    );
    assert_eq!(migration(&of(NOTES), &of(NOTES), Leave::default()), (String::new(), String::new()));
}

#[test]
fn a_table_that_went_comes_back_with_its_indexes_and_triggers() {
    let log = "CREATE TABLE log (n INTEGER NOT NULL, at DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE (n));
         CREATE INDEX log_n ON log (n) WHERE n > 0; CREATE INDEX log_low ON log (abs(n));
         CREATE TRIGGER log_more AFTER INSERT ON log BEGIN DELETE FROM notes WHERE id = new.n; END;
         CREATE VIEW logged AS SELECT n FROM log;
         CREATE TRIGGER logged_in INSTEAD OF INSERT ON logged BEGIN INSERT INTO log (n) VALUES (new.n); END;";
    let (up, down) = pair(&format!("{NOTES}{log}"), NOTES);
    assert_eq!(up, "DROP TRIGGER \"logged_in\";\nDROP VIEW \"logged\";\nDROP TABLE \"log\";\n");
    assert!(down.starts_with("CREATE TABLE log "), "{down}");
    pair(NOTES, &format!("{NOTES}{log}"));
    pair(
        &format!("{NOTES}{log}"),
        &format!("{NOTES}{log}")
            .replace("SELECT n", "SELECT n, at")
            .replace("n > 0", "n > 1")
            .replace("= new.n;", "> new.n;"),
    );
}

#[test]
fn a_full_text_index_over_another_table_is_filled_again() {
    let index = "CREATE VIRTUAL TABLE found USING fts5 (title, content = 'notes', content_rowid = 'id');";
    let filled = "INSERT INTO \"found\" (\"found\") VALUES ('rebuild');\n";
    let (up, down) = pair(NOTES, &format!("{NOTES}{index}"));
    assert!(up.ends_with(filled) && down == "DROP TABLE \"found\";\n", "{up}{down}");
    let (_, down) = pair(&format!("{NOTES}{index}"), NOTES);
    assert!(down.ends_with(filled), "{down}");
    let (up, down) =
        pair(&format!("{NOTES}{index}"), &format!("{NOTES}{}", index.replace("(title,", "(title, prefix = '2',")));
    assert!(up.ends_with(filled) && down.ends_with(filled), "{up}{down}");
    for own in [
        "CREATE VIRTUAL TABLE found USING fts5 (title);",
        "CREATE VIRTUAL TABLE found USING fts5 (title, content = '');",
    ] {
        let (up, _) = pair(NOTES, &format!("{NOTES}{own}"));
        assert!(!up.contains("rebuild"), "{up}");
    }
    let own = "CREATE VIRTUAL TABLE found USING fts5 (title);";
    assert_eq!(
        left(own, &own.replace("title", "title, body")),
        ["virtual table `found` differs; recreating it would lose its rows"]
    );
}

#[test]
fn what_no_statement_says_or_what_would_lose_rows_is_needs_manual_action() {
    let notes = |columns: &str| format!("CREATE TABLE notes (id INTEGER PRIMARY KEY, {columns});");
    assert_eq!(
        left(&notes("title TEXT"), &notes("title VARCHAR(9)")),
        ["column `notes.title` is declared `VARCHAR(9)`, expected `TEXT`"]
    );
    assert_eq!(
        left(&notes("title TEXT NOT NULL"), &notes("heading TEXT NOT NULL")),
        [
            "column `notes.title` is missing, and its rows may hold data; if it was renamed to `heading`, write: \
             ALTER TABLE \"notes\" RENAME COLUMN \"title\" TO \"heading\";",
            "column `notes.heading` is new: \"heading\" TEXT NOT NULL",
        ]
    );
    let with = |column: &str| left(NOTES, &notes(&format!("title TEXT, {column}")));
    let obstacles = [
        ("a TEXT NOT NULL", "it is NOT NULL and has no default for existing rows"),
        ("a DATETIME DEFAULT CURRENT_TIMESTAMP", "its default is computed for each row"),
        ("a TEXT DEFAULT ('x' || hex(1))", "its default is computed for each row"),
        ("a TEXT DEFAULT ('x' || 'y')", "its default is computed for each row"),
        ("a TEXT UNIQUE", "it must be unique"),
        ("a INTEGER REFERENCES notes (id)", "it references another table"),
        ("a INTEGER CHECK (a > 0)", "a CHECK uses it"),
    ];
    for (column, why) in obstacles {
        let told = format!("column `notes.a` is new; {why}");
        assert!(with(column).contains(&told), "{column}");
        let gone = told.replace("is new", "is missing");
        assert!(left(&notes(&format!("title TEXT, {column}")), NOTES).contains(&gone), "{column}");
    }
    for column in
        ["a INTEGER DEFAULT -1", "a TEXT NOT NULL DEFAULT 'it''s'", "a BLOB DEFAULT x'00'", "a BOOLEAN DEFAULT TRUE"]
    {
        pair(NOTES, &notes(&format!("title TEXT, {column}")));
    }
}

#[test]
fn what_hangs_on_a_renamed_column_or_table_is_left_with_it() {
    let named = |column: &str| {
        format!(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, {column} TEXT); CREATE INDEX by_it ON notes ({column});
             CREATE VIEW all_of_it AS SELECT {column} FROM notes;
             CREATE TRIGGER noted AFTER INSERT ON notes BEGIN DELETE FROM notes WHERE {column} = ''; END;"
        )
    };
    assert_eq!(
        left(&named("title"), &named("heading")),
        [
            "index `by_it` differs: CREATE INDEX by_it ON notes (heading)",
            "view `all_of_it` differs; it depends on something that needs manual action",
            "trigger `noted` differs; it depends on something that needs manual action",
            "column `notes.title` is missing, and its rows may hold data; if it was renamed to `heading`, write: \
             ALTER TABLE \"notes\" RENAME COLUMN \"title\" TO \"heading\";",
            "column `notes.heading` is new: \"heading\" TEXT",
        ]
    );
    assert_eq!(
        left(NOTES, &NOTES.replace("notes", "pages")),
        ["table `notes` is missing, and `pages` has its columns; if it was renamed, write: \
          ALTER TABLE \"notes\" RENAME TO \"pages\";"]
    );
}
