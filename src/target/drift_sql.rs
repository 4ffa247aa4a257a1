//! A difference between a live database and its migrations, written as a migration.

use super::drift::{Catalog, Leave};
use crate::table::{Column, Table};
use std::fmt::Write as _;

/// The SQL that makes of `expected` what `live` is, and the SQL that takes it back. What cannot be
/// said in a statement (a changed type, a key) stands there as a comment for a person.
pub fn migration(expected: &Catalog, live: &Catalog, leave: Leave<'_>) -> (String, String) {
    let mut pair = Pair::default();
    for (name, table) in &live.schema.tables {
        match expected.schema.table(name) {
            None if !leave.knows(name) => pair.new_table(live, name),
            Some(made) => pair.columns(made, table),
            None => {}
        }
    }
    for name in expected.schema.tables.keys().filter(|name| live.schema.table(name).is_none()) {
        pair.up(&format!("DROP TABLE {name};"));
        pair.down(expected.made.get(name).map_or("-- its columns are not known", String::as_str));
    }
    for (name, index) in &live.indexes {
        if expected.indexes.get(name).is_none_or(|made| made.over != index.over || made.unique != index.unique)
            && !leave.knows(&index.table)
        {
            if expected.indexes.contains_key(name) {
                pair.up(&format!("DROP INDEX {name};"));
            }
            pair.up(&index.sql);
            pair.down(&format!("DROP INDEX {name};"));
        }
    }
    let dropped = |name: &String| !live.indexes.contains_key(name);
    for (name, index) in
        expected.indexes.iter().filter(|(name, index)| dropped(name) && live.schema.table(&index.table).is_some())
    {
        pair.up(&format!("DROP INDEX {name};"));
        pair.down(&index.sql);
    }
    for (name, other) in live.others.iter().filter(|(name, _)| !expected.others.contains_key(*name)) {
        pair.up(&other.sql);
        pair.down(&format!("DROP {} {name};", statement_word(other.kind)));
    }
    for (name, other) in expected.others.iter().filter(|(name, _)| !live.others.contains_key(*name)) {
        pair.up(&format!("DROP {} {name};", statement_word(other.kind)));
        pair.down(&other.sql);
    }
    pair.finish()
}

fn statement_word(kind: &str) -> &'static str {
    match kind {
        "view" => "VIEW",
        "trigger" => "TRIGGER",
        _ => "TABLE",
    }
}

/// Two scripts that grow from opposite ends.
#[derive(Default)]
struct Pair {
    up: Vec<String>,
    down: Vec<String>,
}

impl Pair {
    fn up(&mut self, sql: &str) {
        self.up.push(ended(sql));
    }

    fn down(&mut self, sql: &str) {
        self.down.push(ended(sql));
    }

    fn new_table(&mut self, live: &Catalog, name: &str) {
        self.up(live.made.get(name).map_or("-- its SQL is not known", String::as_str));
        self.down(&format!("DROP TABLE {name};"));
    }

    fn columns(&mut self, made: &Table, live: &Table) {
        for column in live.columns.iter().filter(|column| made.column(&column.name).is_none()) {
            self.up(&format!("ALTER TABLE {} ADD COLUMN {};", made.name, declaration(column)));
            self.down(&format!("ALTER TABLE {} DROP COLUMN {};", made.name, column.name));
        }
        for column in made.columns.iter().filter(|column| live.column(&column.name).is_none()) {
            self.up(&format!("ALTER TABLE {} DROP COLUMN {};", made.name, column.name));
            self.down(&format!("ALTER TABLE {} ADD COLUMN {};", made.name, declaration(column)));
        }
        for (_, told) in super::schema::table_differences(made, live) {
            if !(told.ends_with("is missing") || told.ends_with("is not expected")) {
                self.up(&format!("-- by hand: {told}"));
            }
        }
    }

    fn finish(mut self) -> (String, String) {
        self.down.reverse();
        let text = |lines: Vec<String>| match lines.is_empty() {
            true => "-- Nothing differs.\n".to_owned(),
            false => lines.join("\n") + "\n",
        };
        (text(self.up), text(self.down))
    }
}

fn ended(sql: &str) -> String {
    match sql.starts_with("--") || sql.trim_end().ends_with(';') {
        true => sql.to_owned(),
        false => format!("{sql};"),
    }
}

fn declaration(column: &Column) -> String {
    let mut text = format!("{} {}", column.name, column.declared);
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        let _infallible = write!(text, " DEFAULT {default}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::schema::{catalog, tests::migration as made_by};

    #[test]
    fn a_migration_written_from_drift_makes_the_drift_and_takes_it_back() {
        let before =
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT); CREATE INDEX notes_title ON notes (title);";
        let after = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, colour VARCHAR(9) DEFAULT 'red');
            CREATE TABLE tags (name TEXT PRIMARY KEY); CREATE INDEX tags_name ON tags (name DESC);";
        let of = |sql: &str| catalog(&[made_by("001", sql)]).expect("valid SQL");
        let (up, down) = migration(&of(before), &of(after), Leave::default());
        assert_eq!(
            up,
            "ALTER TABLE notes ADD COLUMN colour VARCHAR(9) DEFAULT 'red';\n\
             CREATE TABLE tags (name TEXT PRIMARY KEY);\n\
             CREATE INDEX tags_name ON tags (name DESC);\n\
             DROP INDEX notes_title;\n"
        );
        let there = of(&format!("{before}{up}"));
        assert_eq!(super::super::drift::differences(&of(after), &there, Leave::default()), []);
        let back = of(&format!("{before}{up}{down}"));
        assert_eq!(super::super::drift::differences(&of(before), &back, Leave::default()), []);
    }

    #[test]
    fn what_no_statement_says_is_left_to_a_person() {
        let of = |sql: &str| catalog(&[made_by("001", sql)]).expect("valid SQL");
        let (up, down) = migration(
            &of("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT)"),
            &of("CREATE TABLE notes (id INTEGER PRIMARY KEY, title VARCHAR(9))"),
            Leave::default(),
        );
        assert_eq!(up, "-- by hand: column `notes.title` is declared `VARCHAR(9)`, expected `TEXT`\n");
        assert_eq!(down, "-- Nothing differs.\n");
    }
}
