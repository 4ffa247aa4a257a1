//! What the migrations make leads somewhere: SQLite takes a reference to nothing, and fails with the first row.

use super::spot::{Errors, tables};
use crate::finding::Code;
use crate::mapping::model::Set;
use crate::mapping::{codes, suggest};
use crate::table::{ForeignKey, Migration, Schema, Table};

pub(super) fn check(set: &Set, schema: &Schema, errors: &Errors) {
    for table in schema.tables.values() {
        let is_others =
            |key: &&ForeignKey| set.other_tables.iter().any(|(name, _)| name.eq_ignore_ascii_case(&key.table));
        for key in table.foreign_keys.iter().filter(|key| !is_others(key)) {
            if let Some((code, message, hint)) = wrong(schema, table, key) {
                let (path, line) = place(&set.migrations, &table.name, &key.table);
                errors.refuse(code, path, line, message, hint);
            }
        }
    }
}

/// Why a reference of a table leads nowhere.
fn wrong(schema: &Schema, table: &Table, key: &ForeignKey) -> Option<(&'static Code, String, Option<String>)> {
    let from = match &key.columns[..] {
        [column] => format!("`{}.{column}` refers", table.name),
        columns => format!("({}) of `{}` refer", columns.join(", "), table.name),
    };
    let Some(parent) = schema.tables.values().find(|other| other.name.eq_ignore_ascii_case(&key.table)) else {
        let message = format!("{from} to table `{}`, which the schema does not have", key.table);
        return Some((&codes::TABLE_UNKNOWN, message, suggest::hint(&key.table, tables(schema))));
    };
    let has = |name: &str| parent.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    if let Some(unknown) = key.to.iter().find(|name| has(name).is_none()) {
        let message = format!("{from} to `{}.{unknown}`, and the table does not have the column", parent.name);
        let names = parent.columns.iter().map(|column| column.name.as_str());
        return Some((&codes::COLUMN_UNKNOWN, message, suggest::hint(unknown, names)));
    }
    let is_key = |unique: &[&str]| {
        unique.len() == key.to.len() && key.to.iter().all(|to| unique.iter().any(|name| name.eq_ignore_ascii_case(to)))
    };
    let mut unique = parent.unique.iter().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
    let is_met =
        key.to.len() == key.columns.len() && (is_key(&parent.primary_key()) || unique.any(|list| is_key(&list)));
    (!is_met).then(|| {
        let to = if key.to.is_empty() { String::new() } else { format!(" ({})", key.to.join(", ")) };
        let message =
            format!("{from} to `{}`{to}, which is no key of it: neither the primary key nor UNIQUE", parent.name);
        let hint = "refer to the primary key, or declare the columns UNIQUE there: no row could be written";
        (&codes::MIGRATION_SQL, message, Some(hint.to_owned()))
    })
}

/// The line in which the last migration that makes or changes a table has a reference to another one.
fn place<'m>(migrations: &'m [Migration], table: &str, parent: &str) -> (&'m str, u32) {
    let has = |line: &str, name: &str| line.to_ascii_lowercase().contains(&name.to_ascii_lowercase());
    let begins = |line: &&str| has(line, "table") && has(line, table) && (has(line, "create") || has(line, "alter"));
    let found = migrations.iter().rev().find_map(|one| {
        let lines: Vec<&str> = one.up.lines().collect();
        let begin = lines.iter().rposition(begins)?;
        let refers = |line: &&str| has(line, "references") && has(line, parent);
        let at = lines[begin..].iter().position(refers)?;
        Some((one.path.as_str(), u32::try_from(begin + at + 1).ok()?))
    });
    found.unwrap_or_else(|| (migrations.last().map_or("", |last| last.path.as_str()), 1))
}
