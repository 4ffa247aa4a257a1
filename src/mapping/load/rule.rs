//! `[table.NAME]`: rules, their columns, and the secrets that they drop.

use super::expr::{self, broken, parsed, path_of, rooted_of};
use super::key_as::{check_key_as, names_of};
use super::keys;
use super::like::{RuleFields, rule_fields};
use super::path;
use super::policies::policies;
use super::tree::{Fields, Item};
use crate::mapping::model::{
    Agreement, ColumnRule, Dropped, Elements, KeyPart, OnDuplicate, Policies, Protection, Rule,
};

/// One rule of those of a mapping.
pub(super) fn rule<'d>(item: Item<'d>, rules: &[Item<'d>]) -> Option<Rule> {
    let RuleFields { fields, into, is_whole } = rule_fields(item, rules, &mut Vec::new())?;
    let each_of = fields.get("each").map_or_else(Vec::new, |item| item.one_or_more());
    let rule = Rule {
        name: item.name.to_owned(),
        into,
        key: fields.get("key").map_or_else(Vec::new, key),
        each: each_of.into_iter().filter_map(each).collect(),
        recurse: fields.get("recurse").and_then(|item| parsed(item, path::selection(item.text()?))),
        key_as: fields.get("key_as").map_or_else(Vec::new, names_of),
        parent: fields.text("parent"),
        when: fields.get("when").and_then(expr::condition),
        shapes: fields.get("shapes").map_or_else(Vec::new, |item| item.strings()),
        lets: Vec::new(), // the mapping's, once all that the rule uses is known
        on_duplicate: fields.variant("on_duplicate", &keys::ON_DUPLICATE).unwrap_or_default(),
        on_existing: fields.variant("on_existing", &keys::ON_EXISTING),
        delete: fields.get("delete").and_then(expr::condition),
        columns: fields.entries("columns").into_iter().map(column).collect(),
        drops: fields.entries("drop").into_iter().filter_map(dropped).collect(),
        line: item.line,
        lines: fields.lines(),
    };
    if is_whole && rule.columns.is_empty() {
        item.refuse(format!("rule `{}` writes no column", rule.name));
    }
    if let Some(item) = fields.get("key")
        && rule.key.is_empty()
    {
        item.refuse("`key` has no part");
    }
    if let Some(item) = fields.get("on_duplicate")
        && rule.key.is_empty()
        && fields.get("key").is_none()
    {
        item.refuse_with("`on_duplicate` has no effect without a `key`", "name the columns that identify a row");
    }
    if let Some(item) = fields.get("delete")
        && rule.on_duplicate != OnDuplicate::Last
    {
        item.refuse_with(
            "`delete` has no effect without `on_duplicate = \"last\"`",
            "a row is removed by a later record of its key",
        );
    }
    if let Some(item) = fields.get("key_as") {
        if rule.each.is_empty() && rule.recurse.is_none() {
            item.refuse("`key_as` has no effect without `each`");
        } else {
            let selections: Vec<_> = rule.selections().map(|each| &each.selection).chain(&rule.recurse).collect();
            check_key_as(item, &rule.key_as, &selections);
        }
    }
    Some(rule)
}

/// A path with stars, or an expression.
fn each(item: Item<'_>) -> Option<Elements> {
    match item.as_text() {
        Some(text) if path::is_selection(text) => rooted_of(item).map(Elements::Selection),
        _ => Some(Elements::Expr(expr::expr(item))),
    }
}

/// Bare texts are columns, texts with a prefix are paths.
fn key(item: Item<'_>) -> Vec<KeyPart> {
    item.texts()
        .into_iter()
        .filter_map(|item| {
            let text = item.as_text()?;
            let prefixed = text.starts_with(['.', '@', '$', '^', '=', '#', '[']);
            Some(if prefixed { KeyPart::Path(path_of(item)?) } else { KeyPart::Column(text.to_owned()) })
        })
        .collect()
}

fn column(item: Item<'_>) -> ColumnRule {
    let name = item.name.to_owned();
    let line = item.line;
    let plain = |expr| ColumnRule {
        name: name.clone(),
        expr,
        protection: None,
        declassify: None,
        agrees: None,
        policies: Policies::default(),
        line,
    };
    if !item.is_table() {
        return plain(expr::expr(item));
    }
    let known = [&keys::SOURCES, &keys::PROTECTION, &keys::EXPRESSION, &keys::COLUMN];
    let Some(fields) = item.fields(&known) else {
        return plain(broken(line));
    };
    ColumnRule {
        protection: protection(&fields),
        declassify: fields.reason("declassify"),
        agrees: agrees(&fields),
        policies: policies(&fields),
        ..plain(expr::of_fields(&fields))
    }
}

/// `seal` or `hash`, beside which an empty string is no secret, and nothing else is compared.
fn protection(fields: &Fields<'_>) -> Option<Protection> {
    let mut known = [Protection::Seal, Protection::Hash].into_iter();
    let protection = known.find(|one| fields.get(one.word()).is_some())?;
    if let Some(item) = fields.get("on_empty") {
        let message = format!("`on_empty` has no effect beside `{}`: an empty secret is absent", protection.word());
        item.refuse_with(message, "write `on_absent`");
    }
    if let Some(item) = fields.get("agrees_with") {
        item.refuse(format!("`agrees_with` has no effect beside `{}`", protection.word()));
    }
    if let Some(item) = fields.get("default")
        && item.as_text().is_none()
    {
        item.refuse("what is kept in the place of a secret is a string");
    }
    Some(protection)
}

/// An entry of `drop`: a selection with its reason.
fn dropped(item: Item<'_>) -> Option<Dropped> {
    let selection = parsed(item, path::rooted(item.name));
    let reason = item.reason();
    Some(Dropped { selection: selection?, reason: reason?, line: item.line })
}

fn agrees(fields: &Fields<'_>) -> Option<Agreement> {
    let Some(other) = fields.get("agrees_with") else {
        if let Some(after) = fields.get("after") {
            after.refuse("`after` has no meaning without `agrees_with`");
        }
        return None;
    };
    Some(Agreement { expr: expr::expr(other), after: fields.get("after").and_then(|item| item.reason()) })
}
