//! `[table.NAME]`: rules, their columns and secrets.

use super::expr::{self, broken, path_of, rooted_of};
use super::keys;
use super::policies::policies;
use super::tree::{Fields, Item};
use crate::mapping::model::{Agreement, ColumnRule, KeyPart, Policies, Rule, SecretKind, SecretRule};

/// One rule.
pub(super) fn rule(item: Item<'_>) -> Option<Rule> {
    let fields = item.fields(&[&keys::RULE])?;
    let each = fields.get("each").map_or_else(Vec::new, |item| item.one_or_more());
    let rule = Rule {
        name: item.name.to_owned(),
        into: fields.text("into").unwrap_or_else(|| item.name.to_owned()),
        key: fields.get("key").map_or_else(Vec::new, key),
        each: each.into_iter().filter_map(rooted_of).collect(),
        key_as: fields.text("key_as"),
        parent: fields.text("parent"),
        when: fields.get("when").and_then(expr::condition),
        shapes: fields.get("shapes").map_or_else(Vec::new, |item| item.strings()),
        lets: Vec::new(), // the mapping's, once all that the rule uses is known
        on_duplicate: fields.variant("on_duplicate", &keys::ON_DUPLICATE).unwrap_or_default(),
        columns: fields.entries("columns").into_iter().map(column).collect(),
        secrets: fields.entries("secrets").into_iter().filter_map(secret).collect(),
        line: item.line,
    };
    if rule.columns.is_empty() && rule.secrets.is_empty() {
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
    if let Some(item) = fields.get("key_as")
        && rule.each.is_empty()
    {
        item.refuse("`key_as` has no effect without `each`");
    }
    Some(rule)
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
    let plain = |expr| ColumnRule { name: name.clone(), expr, agrees: None, policies: Policies::default(), line };
    if !item.is_table() {
        return plain(expr::expr(item));
    }
    let Some(fields) = item.fields(&[&keys::SOURCES, &keys::EXPRESSION, &keys::COLUMN]) else {
        return plain(broken(line));
    };
    ColumnRule { agrees: agrees(&fields), policies: policies(&fields), ..plain(expr::of_fields(&fields)) }
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

fn secret(item: Item<'_>) -> Option<SecretRule> {
    let fields = item.fields(&[&keys::SECRET])?;
    let title = format!("secret `{}`", item.name);
    let expr = fields.need_for("from", &title).map_or_else(|| broken(item.line), |_| expr::of_fields(&fields));
    let kind = match fields.need_for("kind", &title)?.word(&keys::SECRET_KIND)? {
        "drop" => SecretKind::Drop(fields.need_for("reason", &title)?.reason()?),
        _ => SecretKind::Seal,
    };
    let unfit: &[&str] = match kind {
        SecretKind::Seal => &["reason"],
        SecretKind::Drop(_) => &["need", "default"],
    };
    for item in fields.any_of(unfit) {
        item.refuse(format!("`{}` has no effect for a secret of this kind", item.name));
    }
    Some(SecretRule {
        name: item.name.to_owned(),
        expr,
        kind,
        need: fields.flag("need"),
        default: fields.text("default"),
        declassify: fields.reason("declassify"),
        line: item.line,
    })
}
