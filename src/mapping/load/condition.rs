//! `when`.

use super::expr::{parsed, path_of, regex, sought};
use super::keys;
use super::path;
use super::tree::{Fields, Item};
use crate::mapping::model::{Condition, PathExpr};

/// The condition that a table says; several words must all hold.
pub(super) fn condition(item: Item<'_>) -> Option<Condition> {
    let fields = item.fields(&[&keys::CONDITION])?;
    let mut all = Vec::new();
    if let Some(item) = fields.get("members") {
        all.push(Condition::Members(item.texts().into_iter().filter_map(path_of).collect()));
    }
    if let Some(item) = fields.get("equals") {
        all.push(Condition::Equals(by_path(item, |item| item.literal())));
    }
    if let Some(item) = fields.get("type") {
        all.push(Condition::Type(by_path(item, |item| item.variant(&keys::TYPES))));
    }
    if let Some(item) = fields.get("matches") {
        all.push(Condition::Matches(by_path(item, regex)));
    }
    all.extend(fields.variant("root", &keys::TYPES).map(Condition::Root));
    all.extend(existence(&fields));
    if let Some(item) = fields.get("any") {
        all.push(Condition::Any(item.list().unwrap_or_default().into_iter().filter_map(condition).collect()));
    }
    if let Some(item) = fields.get("not") {
        all.extend(condition(item).map(|condition| Condition::Not(Box::new(condition))));
    }
    if item.entries().is_some_and(|entries| entries.is_empty()) {
        item.refuse(format!("`{}` has no condition", item.name));
    }
    if all.len() == 1 { all.pop() } else { Some(Condition::All(all)) }
}

fn existence(fields: &Fields<'_>) -> Option<Condition> {
    match fields.any_of(&["exists", "absent"]).as_slice() {
        [] => {
            if let Some(item) = fields.get("by") {
                item.refuse("`by` has no effect without `exists` or `absent`");
            }
            None
        }
        [one] => Some(Condition::Exists { row: sought(fields, *one)?, wanted: one.name == "exists" }),
        [_, second, ..] => {
            second.refuse_with("`exists` and `absent` share one `by`", "put one of them into `any` or `not`");
            None
        }
    }
}

fn by_path<T>(item: Item<'_>, parse: impl Fn(Item<'_>) -> Option<T>) -> Vec<(PathExpr, T)> {
    item.entries()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|entry| Some((parsed(entry, path::path(entry.name))?, parse(entry)?)))
        .collect()
}
