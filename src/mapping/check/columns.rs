//! Columns are there, and none that must have a value can end NULL.

use super::spot::{Spot, columns_of};
use crate::error::Error;
use crate::mapping::model::{ColumnRule, Expr, From, KeyPart, OnDuplicate, PathExpr, Policy, Root, Set};
use crate::mapping::schema_default::SchemaDefault;
use crate::mapping::{codes, suggest};
use crate::table::Schema;

pub(super) fn check(spot: &Spot<'_>) {
    let mut meant = Vec::new();
    for (name, line) in spot.rule.columns.iter().map(|column| (column.name.as_str(), column.line)) {
        if spot.table.column(name).is_none() {
            let message = format!(
                "rule `{}` names column `{name}`, which table `{}` does not have",
                spot.rule.name, spot.table.name
            );
            spot.refuse(&codes::COLUMN_UNKNOWN, line, message, suggest::hint(name, columns_of(spot.table)));
            meant.extend(suggest::nearest(name, columns_of(spot.table)));
        }
    }
    for column in &spot.rule.columns {
        default_is_known(spot, column);
        let Some(known) = spot.table.column(&column.name) else { continue };
        if spot.table.must_have_value(known) {
            never_null(spot, column);
        } else if known.default.is_none() && matches!(column.expr.from, From::Null) && column.expr.is_bare() {
            let name = format!("`{}.{}`", spot.table.name, column.name);
            let message = format!("`null = true` says nothing: {name} has no default, so it is NULL anyway");
            spot.refuse(&codes::NULL_IDLE, column.line, message, "leave the column out");
        }
    }
    if spot.rule.on_duplicate == OnDuplicate::Last {
        check_last(spot);
    }
    if spot.rule.on_duplicate != OnDuplicate::Fill {
        let given = |name: &str| spot.rule.column(name).is_some() || meant.contains(&name);
        let lacking = spot.table.columns_needed().filter(|column| !given(&column.name));
        let lacking: Vec<_> = lacking.map(|column| format!("`{}.{}`", spot.table.name, column.name)).collect();
        if !lacking.is_empty() {
            let are = if lacking.len() == 1 { "is NOT NULL and has" } else { "are NOT NULL and have" };
            let names = suggest::and(&lacking);
            let message = format!("rule `{}` gives no value for {names}, which {are} no default", spot.rule.name);
            spot.refuse(&codes::VALUE_NOT_GIVEN, spot.rule.line, message, codes::VALUE_NOT_GIVEN.help);
        }
    }
}

/// Whether an error of a rule's key follows from a column that is misspelt, which is told by itself: the key names the
/// column that was meant.
pub fn follows(error: &Error, set: &Set, schema: &Schema) -> bool {
    error.code == Some(codes::NAME_UNKNOWN.id)
        && set.rules().any(|(mapping, rule)| {
            let Some(table) = schema.table(&rule.into) else { return false };
            let is_meant = |name: &str| {
                rule.columns.iter().any(|column| {
                    table.column(&column.name).is_none()
                        && suggest::nearest(&column.name, columns_of(table)) == Some(name)
                })
            };
            let place = format!("{}:{}", mapping.file, rule.line_of("key"));
            error.place.as_ref() == Some(&place)
                && rule.key.iter().any(|part| match part {
                    KeyPart::Column(name) => error.message == rule.key_lacks(name) && is_meant(name),
                    KeyPart::Path(_) => false,
                })
        })
}

/// The word `"default"` has something to write.
fn default_is_known(spot: &Spot<'_>, column: &ColumnRule) {
    let mut words = column.policies.words().into_iter();
    let Some((word, _)) = words.find(|(_, policy)| *policy == Some(Policy::Default)) else { return };
    let Some(known) = spot.table.column(&column.name) else { return };
    if column.policies.default.is_some() || (column.protection.is_none() && SchemaDefault::of(known).is_some()) {
        return;
    }
    let name = format!("`{}.{}`", spot.table.name, column.name);
    let why = match (&known.default, column.protection) {
        (Some(sql), None) => format!("the default of {name} in the schema, `{sql}`, is no constant and no clock"),
        (_, Some(_)) => format!("{name} holds a secret, and no default in the schema is one"),
        (None, None) => format!("{name} has no default in the schema"),
    };
    let message = format!("`{word} = \"default\"` has nothing to write: {why}");
    spot.refuse(&codes::DEFAULT_UNKNOWN, column.line, message, codes::DEFAULT_UNKNOWN.help);
}

fn never_null(spot: &Spot<'_>, column: &ColumnRule) {
    let policies = &column.policies;
    let policy = policies
        .words()
        .into_iter()
        .find(|(_, policy)| *policy == Some(Policy::Null))
        .map(|(name, _)| format!("`{name} = \"null\"`"))
        .or_else(|| gives_null(&column.expr).then(|| "`null = true`".to_owned()));
    if let Some(policy) = policy {
        let message = format!("{policy} would leave `{}.{}` NULL, which is NOT NULL", spot.table.name, column.name);
        let hint = "use `reject`, `skip` or a `default`";
        spot.refuse(&codes::NULL_POSSIBLE, column.line, message, hint);
    }
}

/// SQL NULL on purpose, also as the last alternative.
fn gives_null(expr: &Expr) -> bool {
    match &expr.from {
        From::Null => true,
        From::First(parts) => parts.iter().any(gives_null),
        _ => false,
    }
}

/// The last record of a key is known before any row is made.
fn check_last(spot: &Spot<'_>) {
    let (rule, source) = (spot.rule, &spot.mapping.source);
    let refuse = |message: String, hint: &str| {
        spot.refuse(&codes::LAST_UNFIT, rule.line_of("on_duplicate"), message, Some(hint.to_owned()));
    };
    if !source.newest.is_empty() {
        let message =
            format!("rule `{}` keeps the last row of a key, and `newest` reads the newest file first", rule.name);
        refuse(message, "write `on_duplicate = \"first\"`: the newest one then counts");
    }
    for name in rule.key_columns().unwrap_or_default() {
        let is_parents = |expr: &Expr| match &expr.from {
            From::Path(PathExpr { root: Root::Parent(column), .. }) => {
                let parent = spot.mapping.parent_of(rule);
                parent.is_some_and(|parent| parent.column(column).is_none())
            }
            _ => false,
        };
        if rule.column(name).is_some_and(|column| is_parents(&column.expr)) {
            let message = format!("`{name}` in the key of rule `{}` is an id that the engine gives", rule.name);
            refuse(message, "make the key of what the source gives");
        }
    }
}
