//! How a live database differs from what the migrations make: tables, indexes, views and triggers,
//! each by name. Pure: both sides were read before.

use super::catalog::Catalog;
use super::drift_tables::{Aspect, table_differences};
use std::collections::BTreeSet;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What kind of thing differs.
    pub aspect: Aspect,
    /// In a sentence, with its name.
    pub message: String,
}

/// What may differ without being reported.
#[derive(Debug, Clone, Copy, Default)]
pub struct Leave<'a> {
    /// Tables that are not checked; a trailing `*` matches anything.
    pub tables: &'a [(String, String)],
    /// Everything that is there and not expected.
    pub additions: bool,
}

impl Leave<'_> {
    pub(super) fn knows(&self, table: &str) -> bool {
        self.tables.iter().any(|(pattern, _)| match pattern.strip_suffix('*') {
            Some(start) => table.starts_with(start),
            None => table == pattern,
        })
    }
}

/// As [`differences`], in words alone.
pub fn messages(expected: &Catalog, live: &Catalog, leave: Leave<'_>) -> Vec<String> {
    differences(expected, live, leave).into_iter().map(|difference| difference.message).collect()
}

/// Everything in which `live` is not as expected.
pub fn differences(expected: &Catalog, live: &Catalog, leave: Leave<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut report = |aspect, message| found.push(Difference { aspect, message });
    for table in expected.schema.tables.values() {
        match live.schema.table(&table.name) {
            None => report(Aspect::Form, format!("table `{}` is missing", table.name)),
            Some(there) => {
                table_differences(table, there).into_iter().for_each(|(aspect, message)| report(aspect, message));
            }
        }
    }
    if !leave.additions {
        let names = live.schema.tables.keys().filter(|name| expected.schema.table(name).is_none());
        for name in names.filter(|name| !leave.knows(name)) {
            report(Aspect::Form, format!("table `{name}` is not expected"));
        }
    }
    for (name, index) in &expected.indexes {
        let said = format!("`{name}` on `{}`", index.table);
        match live.indexes.get(name) {
            // The table is reported already.
            None if live.schema.table(&index.table).is_none() => {}
            None => report(Aspect::Index, format!("index {said} is missing")),
            Some(there) if !index.same_as(there) => {
                report(Aspect::Index, format!("index {said} is over ({}), expected ({})", there.over, index.over));
            }
            Some(_) => {}
        }
    }
    for (name, index) in live.indexes.iter().filter(|(name, _)| !expected.indexes.contains_key(*name)) {
        if !leave.additions && expected.schema.table(&index.table).is_some() {
            report(Aspect::Index, format!("index `{name}` on `{}` is not expected", index.table));
        }
    }
    let names: BTreeSet<&String> = expected.others.keys().chain(live.others.keys()).collect();
    for name in names {
        match (expected.others.get(name), live.others.get(name)) {
            (Some(other), None) => report(Aspect::Form, format!("{} `{name}` is missing", other.kind)),
            (None, Some(other)) if !leave.additions => {
                report(Aspect::Form, format!("{} `{name}` is not expected", other.kind));
            }
            (Some(other), Some(there)) if !other.same_as(there) => {
                report(Aspect::Form, format!("{} `{name}` differs from the expected one", other.kind));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Dialect;
    use crate::database::schema::{catalog, tests::migration};

    const NOTES: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title VARCHAR(80) NOT NULL, at DATETIME);
        CREATE INDEX notes_at ON notes (at DESC); CREATE VIEW titles AS SELECT title FROM notes;";

    fn told(live: &str, leave: Leave<'_>) -> Vec<String> {
        let of = |sql: &str| catalog(&Dialect::default(), &[migration("001", sql)]).expect("valid SQL");
        messages(&of(NOTES), &of(live), leave)
    }

    #[test]
    fn the_same_differs_in_nothing_however_it_is_written() {
        let written = NOTES.replace("notes (at DESC)", "\"notes\"  (\"at\"   desc)");
        assert_eq!(told(&written, Leave::default()), [] as [&str; 0]);
    }

    #[test]
    fn every_difference_is_reported_by_name() {
        let live = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title VARCHAR(90), at DATETIME);
            CREATE TABLE more (a TEXT); CREATE TABLE other_1 (a TEXT);
            CREATE INDEX notes_title ON notes (title);
            CREATE VIEW titles AS SELECT id FROM notes;";
        let other = [("other_*".to_owned(), "made elsewhere".to_owned())];
        assert_eq!(
            told(live, Leave { tables: &other, additions: false }),
            [
                "column `notes.title` is declared `VARCHAR(90)`, expected `VARCHAR(80)`",
                "column `notes.title` is NULL allowed, expected NOT NULL",
                "table `more` is not expected",
                "index `notes_at` on `notes` is missing",
                "index `notes_title` on `notes` is not expected",
                "view `titles` differs from the expected one",
            ]
        );
    }

    #[test]
    fn additions_can_be_left_alone() {
        let live = format!("{NOTES} CREATE TABLE more (a TEXT); CREATE INDEX notes_title ON notes (title);");
        assert_eq!(told(&live, Leave { tables: &[], additions: true }), [] as [&str; 0]);
        let live = NOTES.replace("(at DESC)", "(at)");
        assert_eq!(
            told(&live, Leave { tables: &[], additions: true }),
            ["index `notes_at` on `notes` is over (at), expected (at DESC)"]
        );
    }
}
