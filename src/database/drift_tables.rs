//! How a live table differs from what the migrations make. Pure: both sides were read before.

use crate::table::{Column, ForeignKey, Schema, Table};

/// The first thing in which `live` is not as expected, as far as it decides what may be written;
/// further tables in `live` are ignored.
pub fn first_difference(expected: &Schema, live: &Schema) -> Option<String> {
    expected.tables.values().find_map(|table| match live.table(&table.name) {
        None => Some(format!("table `{}` is missing", table.name)),
        Some(found) => {
            let mut differences = table_differences(table, found).into_iter();
            differences.find(|(aspect, _)| *aspect != Aspect::Condition).map(|(_, difference)| difference)
        }
    })
}

/// What kind of thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// A table, a column, its type or default, a key, a view or a trigger.
    Form,
    /// An index.
    Index,
    /// What the database refuses: NULL, a value twice, a dangling reference.
    Constraint,
    /// What it asks of rows besides, or does when another goes: `CHECK`, `ON DELETE`. Whoever writes
    /// rows meets the live ones anyway.
    Condition,
}

/// Everything in which a table is not as expected.
pub(crate) fn table_differences(expected: &Table, live: &Table) -> Vec<(Aspect, String)> {
    let name = &expected.name;
    let names = |table: &Table| table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let alone = one_sided(&names(expected), &names(live)).into_iter().map(|(column, is)| {
        let is = if is == LACKS { "is missing" } else { "is not expected" };
        (Aspect::Form, format!("column `{name}.{column}` {is}"))
    });
    let columns = expected
        .columns
        .iter()
        .filter_map(|column| Some((column, live.column(&column.name)?)))
        .flat_map(|(column, found)| column_differences(name, column, found));
    let bare = |keys: &[ForeignKey]| -> Vec<ForeignKey> {
        keys.iter().map(|key| ForeignKey { on_update: None, on_delete: None, ..key.clone() }).collect()
    };
    let foreign_keys = one_sided(&bare(&expected.foreign_keys), &bare(&live.foreign_keys))
        .into_iter()
        .map(|(key, is)| (Aspect::Constraint, format!("table `{name}` {is} a foreign key {}", show_foreign_key(&key))));
    let actions = expected.foreign_keys.iter().filter_map(|key| {
        let same = |other: &&ForeignKey| bare(&[(*other).clone()]) == bare(std::slice::from_ref(key));
        let found = live.foreign_keys.iter().find(same).filter(|found| *found != key)?;
        let message = format!(
            "table `{name}` has the foreign key {}, expected{}",
            show_foreign_key(found),
            Some(actions(key)).filter(|does| !does.is_empty()).unwrap_or_else(|| " no action".to_owned())
        );
        Some((Aspect::Condition, message))
    });
    let unique = one_sided(&sorted(&expected.unique), &sorted(&live.unique)).into_iter().map(|(columns, is)| {
        (Aspect::Constraint, format!("table `{name}` {is} a UNIQUE constraint ({})", columns.join(", ")))
    });
    let checks = one_sided(&expected.checks, &live.checks)
        .into_iter()
        .map(|(check, is)| (Aspect::Condition, format!("table `{name}` {is} CHECK ({check})")));
    let computed = one_sided(&expected.computed, &live.computed)
        .into_iter()
        .map(|(column, is)| (Aspect::Form, format!("table `{name}` {is} a computed column `{column}`")));
    alone.chain(columns).chain(computed).chain(foreign_keys).chain(unique).chain(actions).chain(checks).collect()
}

fn column_differences(table: &str, expected: &Column, live: &Column) -> Vec<(Aspect, String)> {
    let name = format!("column `{table}.{}`", expected.name);
    let mut differences = Vec::new();
    if !expected.declared.eq_ignore_ascii_case(&live.declared) {
        let message = format!("{name} is declared `{}`, expected `{}`", live.declared, expected.declared);
        differences.push((Aspect::Form, message));
    }
    if expected.not_null != live.not_null {
        let words = |not_null| if not_null { "NOT NULL" } else { "NULL allowed" };
        let message = format!("{name} is {}, expected {}", words(live.not_null), words(expected.not_null));
        differences.push((Aspect::Constraint, message));
    }
    if !same_default(expected.default.as_deref(), live.default.as_deref()) {
        let words = |default: &Option<String>| default.as_ref().map_or("none".to_owned(), |text| format!("`{text}`"));
        let message =
            format!("{name} has another default: {}, expected {}", words(&live.default), words(&expected.default));
        differences.push((Aspect::Form, message));
    }
    if expected.primary_key != live.primary_key {
        let (live, expected) = (live.primary_key, expected.primary_key);
        let message = format!("{name} is column {live} of the primary key, expected {expected}");
        differences.push((Aspect::Form, message));
    }
    differences
}

/// Words such as CURRENT_TIMESTAMP may be written in any case, what is quoted may not.
fn same_default(expected: Option<&str>, live: Option<&str>) -> bool {
    match (expected, live) {
        (Some(one), Some(other)) => one == other || (!one.contains('\'') && one.eq_ignore_ascii_case(other)),
        (one, other) => one == other,
    }
}

/// The order of the columns in a unique list does not matter.
fn sorted(lists: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut lists = lists.to_vec();
    lists.iter_mut().for_each(|list| list.sort_unstable());
    lists
}

/// What is said of a table without something.
const LACKS: &str = "lacks";

fn one_sided<T: PartialEq + Clone>(expected: &[T], live: &[T]) -> Vec<(T, &'static str)> {
    let missing = expected.iter().filter(|one| !live.contains(one)).map(|one| (one.clone(), LACKS));
    let added = live.iter().filter(|one| !expected.contains(one)).map(|one| (one.clone(), "unexpectedly has"));
    missing.chain(added).collect()
}

fn show_foreign_key(key: &ForeignKey) -> String {
    let columns = key.columns.join(", ");
    format!("({columns}) → `{}` ({}){}", key.table, key.to.join(", "), actions(key))
}

/// ` ON UPDATE CASCADE ON DELETE SET NULL`, or nothing.
fn actions(key: &ForeignKey) -> String {
    let follows = [(" ON UPDATE ", &key.on_update), (" ON DELETE ", &key.on_delete)];
    follows.iter().filter_map(|(on, does)| does.as_ref().map(|does| format!("{on}{does}"))).collect()
}
