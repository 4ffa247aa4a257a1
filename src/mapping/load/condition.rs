//! `when`.

use super::expr::{parsed, path_of, regex, sought};
use super::keys;
use super::named::condition_named;
use super::path;
use super::tree::{Fields, Item};
use crate::mapping::model::{Condition, PathExpr, TypeName};

/// The condition that a table says, where several words must all hold, or that has this name under `[when]`.
pub(super) fn condition(item: Item<'_>) -> Option<Condition> {
    if let Some(name) = item.as_text() {
        return condition_named(item, name);
    }
    let fields = item.fields(&[&keys::CONDITION])?;
    let mut all = Vec::new();
    if let Some(item) = fields.get("members") {
        all.push(Condition::Members(item.texts().into_iter().filter_map(path_of).collect()));
    }
    if let Some(item) = fields.get("equals") {
        all.push(Condition::Equals(by_path(item, |item| item.literal())));
    }
    if let Some(item) = fields.get("type") {
        all.extend(types(item).map(Condition::Type));
    }
    if let Some(item) = fields.get("matches") {
        all.push(Condition::Matches(by_path(item, regex)));
    }
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

/// The type of the element, or of paths.
fn types(item: Item<'_>) -> Option<Vec<(PathExpr, TypeName)>> {
    if item.is_table() {
        return Some(by_path(item, |item| item.variant(&keys::TYPES)));
    }
    Some(vec![(PathExpr::element(), item.variant(&keys::TYPES)?)])
}

fn existence(fields: &Fields<'_>) -> Option<Condition> {
    let Some(item) = fields.get("exists") else {
        if let Some(item) = fields.get("by") {
            item.refuse("`by` has no effect without `exists`");
        }
        return None;
    };
    Some(Condition::Exists(sought(fields, item)?))
}

fn by_path<T>(item: Item<'_>, parse: impl Fn(Item<'_>) -> Option<T>) -> Vec<(PathExpr, T)> {
    item.entries()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|entry| Some((parsed(entry, path::path(entry.name))?, parse(entry)?)))
        .collect()
}
