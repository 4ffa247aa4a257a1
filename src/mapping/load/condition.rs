//! `when`.

use super::keys;
use super::parts::{parsed, path_of, regex};
use super::path;
use super::tree::{Fields, Item};
use crate::mapping::model::{Condition, PathExpr, Sought, TypeName};
use crate::mapping::{codes, suggest};

/// Reads the row that `exists` names, by the `by` beside it: expressions have conditions, and conditions expressions.
type ReadsRow = fn(&Fields<'_>, Item<'_>) -> Option<Vec<Sought>>;

/// The condition that a table says, where several words must all hold, or that has this name under `[when]`.
pub(super) fn condition(item: Item<'_>, sought: ReadsRow) -> Option<Condition> {
    let condition = |item| condition(item, sought);
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
    all.extend(existence(&fields, sought));
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

fn existence(fields: &Fields<'_>, sought: ReadsRow) -> Option<Condition> {
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

/// The condition of this name, where one may stand.
fn condition_named(item: Item<'_>, name: &str) -> Option<Condition> {
    let mut conditions = item.doc.conditions.borrow_mut();
    if let Some(named) = conditions.iter_mut().find(|named| named.name == name) {
        named.used = true;
        return named.condition.clone();
    }
    let message = format!("`{name}` is not the name of a condition under [when]");
    let hint = suggest::nearest(name, conditions.iter().map(|named| named.name.as_str())).map_or_else(
        || "a string where a condition may stand is such a name".to_owned(),
        |meant| format!("did you mean `{meant}`?"),
    );
    item.refuse_as(&codes::NAME_UNKNOWN, message, hint);
    None
}
