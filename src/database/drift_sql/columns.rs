//! Columns that were added or removed: which a statement can change, and which need manual action.

use super::{name, table_differences};
use crate::table::{Column, Table};
use std::fmt::Write as _;

/// What is to be done about the columns of a table.
pub(super) struct Change {
    /// Statements that drop a column, each with the one that undoes it.
    pub(super) gone: Vec<(String, String)>,
    /// Statements that add a column, each with the one that undoes it.
    pub(super) new: Vec<(String, String)>,
    /// Columns that are left to a person.
    pub(super) by_hand: Vec<String>,
    /// What else differs and no statement can change.
    pub(super) others: Vec<String>,
}

/// Compares a table as migrations made it with what it is; `sql` is what made the live one.
pub(super) fn judge(made: &Table, live: &Table, sql: &str) -> Change {
    let new: Vec<&Column> = live.columns.iter().filter(|column| made.column(&column.name).is_none()).collect();
    let gone: Vec<&Column> = made.columns.iter().filter(|column| live.column(&column.name).is_none()).collect();
    let mut change = Change { gone: Vec::new(), new: Vec::new(), by_hand: Vec::new(), others: Vec::new() };
    let table = &made.name;
    if !new.is_empty() && !gone.is_empty() {
        // One of them may be the other under a new name: to drop it would lose what rows hold in it.
        change.by_hand.extend(gone.iter().map(|gone| {
            let hint = rename(table, gone, &new).unwrap_or_default();
            format!("column `{table}.{}` is missing, and its rows may hold data{hint}", gone.name)
        }));
        change
            .by_hand
            .extend(new.iter().map(|new| format!("column `{table}.{}` is new: {}", new.name, declaration(new))));
    } else {
        for column in new {
            match obstacle(live, column).or_else(|| names_collation(sql)) {
                Some(why) => change.by_hand.push(format!("column `{table}.{}` is new; {why}", column.name)),
                None => change.new.push((added(table, column), dropped(table, column))),
            }
        }
        for column in gone {
            match obstacle(made, column) {
                Some(why) => change.by_hand.push(format!("column `{table}.{}` is missing; {why}", column.name)),
                None => change.gone.push((dropped(table, column), added(table, column))),
            }
        }
    }
    let computed = made.computed.iter().chain(&live.computed);
    let computed = computed.filter(|name| made.computed.contains(name) != live.computed.contains(name));
    change
        .by_hand
        .extend(computed.map(|name| format!("column `{table}.{name}` is computed, and was added or removed")));
    let others = table_differences(made, live).into_iter().map(|(_, told)| told);
    let is_reported = |told: &String| {
        told.ends_with("is missing") || told.ends_with("is not expected") || told.contains(" a computed column ")
    };
    change.others.extend(others.filter(|told| !is_reported(told)));
    change
}

/// The statement that renames a column, where one came that could be it.
fn rename(table: &str, gone: &Column, new: &[&Column]) -> Option<String> {
    let same =
        |new: &&&Column| (&new.declared, new.not_null, &new.default) == (&gone.declared, gone.not_null, &gone.default);
    let new = new.iter().find(same)?;
    let (table, from, to) = (name(table), name(&gone.name), name(&new.name));
    Some(format!("; if it was renamed to `{}`, write: ALTER TABLE {table} RENAME COLUMN {from} TO {to};", new.name))
}

/// Why SQLite can neither add this column to a table with rows nor drop it again.
fn obstacle(table: &Table, column: &Column) -> Option<&'static str> {
    let is_it = |name: &String| *name == column.name;
    let is_condition = |check: &String| {
        let mut words = check.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.any(|word| word.eq_ignore_ascii_case(&column.name))
    };
    if column.primary_key > 0 {
        Some("it is part of the primary key")
    } else if table.unique.iter().any(|list| list.iter().any(is_it)) {
        Some("it must be unique")
    } else if table.foreign_keys.iter().any(|key| key.columns.iter().any(is_it)) {
        Some("it references another table")
    } else if table.checks.iter().any(is_condition) {
        Some("a CHECK uses it")
    } else if column.not_null && column.default.as_ref().is_none_or(|default| default.eq_ignore_ascii_case("NULL")) {
        Some("it is NOT NULL and has no default for existing rows")
    } else if !column.default.as_deref().is_none_or(is_literal) {
        Some("its default is computed for each row")
    } else {
        None
    }
}

/// Collations are not seen here: where the table has one, it may be the column's.
fn names_collation(sql: &str) -> Option<&'static str> {
    let mut words = sql.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words
        .any(|word| word.eq_ignore_ascii_case("COLLATE"))
        .then_some("its table names a collation, which may be its own")
}

/// Whether a default is a number, a text, bytes or one of the few words that stand for a value.
fn is_literal(default: &str) -> bool {
    let text = default.trim_start_matches(['x', 'X']).strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    let is_text = text.is_some_and(|text| !text.replace("''", "").contains('\''));
    let is_word = ["NULL", "TRUE", "FALSE"].iter().any(|word| default.eq_ignore_ascii_case(word));
    is_text || is_word || (default.parse::<f64>().is_ok() && !default.chars().any(char::is_alphabetic))
}

fn added(table: &str, column: &Column) -> String {
    format!("ALTER TABLE {} ADD COLUMN {};", name(table), declaration(column))
}

fn dropped(table: &str, column: &Column) -> String {
    format!("ALTER TABLE {} DROP COLUMN {};", name(table), name(&column.name))
}

fn declaration(column: &Column) -> String {
    let mut text = format!("{} {}", name(&column.name), column.declared);
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        let _infallible = write!(text, " DEFAULT {default}");
    }
    text
}
