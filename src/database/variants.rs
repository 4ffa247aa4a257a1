//! In what tables differ that two engines make of the same migrations. Pure: both were read before.
//!
//! Types, defaults and conditions are each engine's own words. What is compared decides which rows there can be: tables,
//! columns, NULL, keys, what is unique, and references.

use super::catalog::{Catalog, Index};
use crate::table::{ForeignKey, Table};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that two engines make otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variance {
    /// The table.
    pub table: String,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// What one of them makes, in words that follow its name.
    pub one: String,
    /// What the other makes.
    pub other: String,
}

/// Everything that two engines make otherwise, table by table.
pub fn variances(one: &Catalog, other: &Catalog) -> Vec<Variance> {
    let names: BTreeSet<&String> = one.schema.tables.keys().chain(other.schema.tables.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let (Some(left), Some(right)) = (one.schema.table(name), other.schema.table(name)) else {
            let words = |catalog: &Catalog| {
                if catalog.schema.table(name).is_some() { "makes it" } else { "makes no such table" }.to_owned()
            };
            found.push(Variance { table: name.clone(), column: None, one: words(one), other: words(other) });
            continue;
        };
        let names = |table: &Table| -> Vec<String> {
            table.columns.iter().map(|column| column.name.clone()).chain(table.computed.iter().cloned()).collect()
        };
        let columns: BTreeSet<String> = names(left).into_iter().chain(names(right)).collect();
        found.extend(columns.into_iter().filter_map(|column| of_column(left, right, column)));
        found.extend(of_table(left, right, [unique(one, left, other), unique(other, right, one)]));
    }
    found
}

fn of_column(left: &Table, right: &Table, column: String) -> Option<Variance> {
    let state = |table: &Table| match table.column(&column) {
        _ if table.computed.contains(&column) => Some("computes it"),
        // A column of the primary key refuses NULL in every engine, whether that is said or not.
        Some(known) if known.not_null || known.primary_key > 0 => Some("refuses NULL"),
        Some(_) => Some("takes NULL"),
        None => None,
    };
    let (one, other) = match (state(left), state(right)) {
        (one, other) if one == other => return None,
        (Some(one), Some(other)) => (one, other),
        (None, _) => ("has no such column", "has it"),
        (_, None) => ("has it", "has no such column"),
    };
    let [one, other] = [one, other].map(str::to_owned);
    Some(Variance { table: left.name.clone(), column: Some(column), one, other })
}

/// What is said of a table as a whole: its key, what is unique in it, and what it refers to.
fn of_table(left: &Table, right: &Table, unique: [BTreeSet<String>; 2]) -> Vec<Variance> {
    let variance = |one: String, other: String| Variance { table: left.name.clone(), column: None, one, other };
    let mut found = Vec::new();
    let key = |table: &Table| match table.primary_key().as_slice() {
        [] => "has no primary key".to_owned(),
        columns => format!("has the primary key ({})", columns.join(", ")),
    };
    if left.primary_key() != right.primary_key() {
        found.push(variance(key(left), key(right)));
    }
    let references = |table: &Table| table.foreign_keys.iter().map(reference).collect::<BTreeSet<String>>();
    let [left_unique, right_unique] = unique;
    for (left, right, has, lacks) in [
        (left_unique, right_unique, "keeps unique", "does not"),
        (references(left), references(right), "has the foreign key", "has none like it"),
    ] {
        let words = |what: &String| (format!("{has} {what}"), lacks.to_owned());
        found.extend(left.difference(&right).map(words).map(|(has, lacks)| variance(has, lacks)));
        found.extend(right.difference(&left).map(words).map(|(has, lacks)| variance(lacks, has)));
    }
    found
}

/// The unique indexes of a table, by name.
fn unique_indexes<'c>(catalog: &'c Catalog, table: &str) -> BTreeMap<&'c str, &'c Index> {
    let unique = catalog.indexes.iter().filter(|(_, index)| index.unique && index.table == table);
    unique.map(|(name, index)| (name.as_str(), index)).collect()
}

/// The columns that an index is over; `None` where it is over expressions or over some rows.
fn columns<'c>(index: &'c Index) -> Option<BTreeSet<&'c str>> {
    let name = |part: &'c str| {
        let part = part.strip_suffix(" DESC").unwrap_or(part);
        part.split_once(" COLLATE ").map_or(part, |(name, _)| name)
    };
    let names: BTreeSet<&str> = index.over.split(", ").map(name).collect();
    (!index.over.contains('(')).then_some(names)
}

/// What is unique in a table beside its key. What an index is over that is of a collation, over expressions or over some
/// rows is in each engine's own words: such indexes are the same if they have one name, and are told by that.
fn unique(catalog: &Catalog, table: &Table, beside: &Catalog) -> BTreeSet<String> {
    let (own, theirs) = (unique_indexes(catalog, &table.name), unique_indexes(beside, &table.name));
    let is_odd = |index: &Index| columns(index).is_none() || index.over.contains(" COLLATE ");
    let is_same = |name: &str, index: &Index| theirs.get(name).is_some_and(|other| is_odd(index) || is_odd(other));
    let same: Vec<BTreeSet<&str>> =
        own.iter().filter(|(name, index)| is_same(name, index)).filter_map(|(_, index)| columns(index)).collect();
    let key: BTreeSet<&str> = table.primary_key().into_iter().collect();
    let lists = table.unique.iter().map(|list| list.iter().map(String::as_str).collect::<BTreeSet<&str>>());
    // The key is told by itself.
    let lists = lists.filter(|list| (key.is_empty() || *list != key) && !same.contains(list));
    let mut unique: BTreeSet<String> =
        lists.map(|list| format!("({})", list.into_iter().collect::<Vec<_>>().join(", "))).collect();
    let odd = own.iter().filter(|(name, index)| columns(index).is_none() && !is_same(name, index));
    unique.extend(odd.map(|(name, _)| format!("what the index `{name}` is over")));
    unique
}

/// `(owner) → people (id) ON DELETE CASCADE`
fn reference(key: &ForeignKey) -> String {
    let follows = [(" ON UPDATE ", &key.on_update), (" ON DELETE ", &key.on_delete)];
    let actions: String =
        follows.iter().filter_map(|(on, does)| does.as_ref().map(|does| format!("{on}{does}"))).collect();
    format!("({}) → `{}` ({}){actions}", key.columns.join(", "), key.table, key.to.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Dialect;
    use crate::database::schema::{catalog, tests::migration};

    const NOTES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT UNIQUE);
        CREATE TABLE notes (id TEXT PRIMARY KEY, title VARCHAR(80) NOT NULL, owner INTEGER REFERENCES people (id) ON DELETE CASCADE);
        CREATE UNIQUE INDEX notes_title ON notes (lower(title));";

    fn told(from: &str, to: &str) -> Vec<String> {
        let of = |sql: &str| catalog(&Dialect::default(), &[migration("001", sql)]).expect("valid SQL");
        let told = |found: &Variance| {
            let Variance { table, column, one, other } = found;
            format!("{table}{} {one} | {other}", column.as_ref().map_or(String::new(), |name| format!(".{name}")))
        };
        assert!(from.is_empty() || NOTES.contains(from), "{from}");
        variances(&of(NOTES), &of(&NOTES.replace(from, to))).iter().map(told).collect()
    }

    #[test]
    fn types_defaults_order_and_names_of_keys_may_differ() {
        for (from, to) in [
            ("VARCHAR(80)", "TEXT"),
            ("mail TEXT", "mail VARCHAR(9) DEFAULT 'x'"),
            ("id TEXT PRIMARY KEY", "id TEXT NOT NULL PRIMARY KEY"),
            ("id INTEGER PRIMARY KEY, mail TEXT UNIQUE", "mail TEXT CONSTRAINT one UNIQUE, id INTEGER PRIMARY KEY"),
            ("(lower(title))", "(title COLLATE NOCASE)"),
            ("(lower(title))", "(title)"),
        ] {
            assert_eq!(told(from, to), [] as [&str; 0], "{to}");
        }
    }

    #[test]
    fn what_decides_which_rows_there_can_be_is_told_with_both_sides() {
        for (from, to, said) in [
            (
                "CREATE TABLE notes",
                "CREATE TABLE more (a TEXT); CREATE TABLE notes",
                &["more makes no such table | makes it"][..],
            ),
            ("title VARCHAR(80) NOT NULL", "title TEXT", &["notes.title refuses NULL | takes NULL"]),
            ("mail TEXT UNIQUE", "mail TEXT UNIQUE, name TEXT", &["people.name has no such column | has it"]),
            ("mail TEXT UNIQUE", "mail TEXT AS (id || 'a') UNIQUE", &["people.mail takes NULL | computes it"]),
            ("mail TEXT UNIQUE", "mail TEXT", &["people keeps unique (mail) | does not"]),
            ("id TEXT PRIMARY KEY", "id TEXT NOT NULL", &["notes has the primary key (id) | has no primary key"]),
            (
                " ON DELETE CASCADE",
                "",
                &[
                    "notes has the foreign key (owner) → `people` (id) ON DELETE CASCADE | has none like it",
                    "notes has none like it | has the foreign key (owner) → `people` (id)",
                ],
            ),
            (
                "INDEX notes_title",
                "INDEX title",
                &[
                    "notes keeps unique what the index `notes_title` is over | does not",
                    "notes does not | keeps unique what the index `title` is over",
                ],
            ),
        ] {
            assert_eq!(told(from, to), said, "{to}");
        }
    }
}
