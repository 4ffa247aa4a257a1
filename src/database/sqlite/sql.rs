//! SQL text that is put together: the one place where names become identifiers; and what is asked with it.

use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row};

/// A name as an identifier. Names come from mappings and are known to the live schema.
pub(super) use crate::database::ddl::name;

/// Names as identifiers, with commas.
pub(super) fn names<S: AsRef<str>>(list: &[S]) -> String {
    list.iter().map(|one| name(one.as_ref())).collect::<Vec<_>>().join(", ")
}

/// `"a" = ?1 AND "b" = ?2`, counting from `first`.
pub(super) fn equal<S: AsRef<str>>(list: &[S], first: usize) -> String {
    terms(list, first, "=", " AND ")
}

/// `"a" IS ?1 AND "b" IS ?2`, counting from `first`: a NULL equals a NULL.
pub(super) fn is<S: AsRef<str>>(list: &[S], first: usize) -> String {
    terms(list, first, "IS", " AND ")
}

/// `CAST("a" AS TEXT) IS ?1` for each name, counting from `first`: how a row filter is compared, whose values
/// are texts whatever the column holds.
pub(super) fn texts_are<'n>(names: impl Iterator<Item = &'n String>, first: usize) -> Vec<String> {
    names.enumerate().map(|(at, one)| format!("CAST({} AS TEXT) IS ?{}", name(one), first + at)).collect()
}

/// `"a" = ?1, "b" = ?2`, counting from `first`.
pub(super) fn set<S: AsRef<str>>(list: &[S], first: usize) -> String {
    terms(list, first, "=", ", ")
}

fn terms<S: AsRef<str>>(list: &[S], first: usize, sign: &str, between: &str) -> String {
    list.iter()
        .enumerate()
        .map(|(i, one)| format!("{} {sign} ?{}", name(one.as_ref()), first + i))
        .collect::<Vec<_>>()
        .join(between)
}

/// SQL text in one line, with one blank between words.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An INSERT with a bound value for each column.
pub(super) fn insert<S: AsRef<str>>(table: &str, columns: &[S]) -> String {
    insert_or("", table, columns)
}

/// An INSERT that says what a conflict does: ` OR ABORT`, ` OR REPLACE`, or nothing.
pub(super) fn insert_or<S: AsRef<str>>(conflict: &str, table: &str, columns: &[S]) -> String {
    if columns.is_empty() {
        return format!("INSERT{conflict} INTO {} DEFAULT VALUES", name(table));
    }
    let values = vec!["?"; columns.len()].join(", ");
    format!("INSERT{conflict} INTO {} ({}) VALUES ({values})", name(table), names(columns))
}

/// Statements that insert, update and delete rows of a table, which has these columns.
pub(super) fn changes<'c>(table: &str, columns: impl Iterator<Item = &'c str>) -> [String; 3] {
    let table = name(table);
    let same: Vec<String> = columns.map(name).map(|column| format!("{column} = {column}")).collect();
    [
        format!("INSERT INTO {table} DEFAULT VALUES"),
        format!("UPDATE {table} SET {}", same.join(", ")),
        format!("DELETE FROM {table}"),
    ]
}

/// All rows of a query, each as the tuple of its columns.
pub(super) fn all<T>(conn: &Connection, text: &str, bound: impl Params) -> rusqlite::Result<Vec<T>>
where
    T: for<'r> TryFrom<&'r Row<'r>, Error = rusqlite::Error>,
{
    conn.prepare_cached(text)?.query_map(bound, |row| T::try_from(row))?.collect()
}

/// The one column of all rows of a query.
pub(super) fn column<T: FromSql>(conn: &Connection, text: &str, bound: impl Params) -> rusqlite::Result<Vec<T>> {
    conn.prepare_cached(text)?.query_map(bound, |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(insert("a\"b; DROP", &["c d", "e"]), r#"INSERT INTO "a""b; DROP" ("c d", "e") VALUES (?, ?)"#);
        assert_eq!(equal(&["a", "b"], 3), r#""a" = ?3 AND "b" = ?4"#);
        assert_eq!(set(&["a", "b"], 1), r#""a" = ?1, "b" = ?2"#);
    }
}
