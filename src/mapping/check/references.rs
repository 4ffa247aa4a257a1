//! What a rule refers to is there: tables and columns it looks up, and the rows its foreign keys
//! point at.

use super::spot::{Spot, columns_of, tables};
use crate::mapping::model::{Expr, From, OnDuplicate, PathExpr, Root, Rule, Sought};
use crate::mapping::walk::{self, Read, Visit};
use crate::mapping::{codes, suggest};
use crate::table::{ForeignKey, Table};

pub(super) fn check(spot: &Spot<'_>) {
    walk::rule(spot.rule, &mut |visit| names(spot, &visit));
    foreign_keys(spot);
}

fn names(spot: &Spot<'_>, visit: &Visit<'_, '_>) {
    match visit.read {
        Read::Path(path) | Read::Test(path) | Read::Key(path) => path_names(spot, path, visit.line),
        Read::Row(Sought { table, column, by, .. }) => {
            let Some(known) = spot.schema.table(table) else {
                let message = format!("table `{table}` is looked up, and the schema does not have it");
                return spot.refuse(
                    &codes::TABLE_UNKNOWN,
                    visit.line,
                    message,
                    suggest::hint(table, tables(spot.schema)),
                );
            };
            let by = by.iter().map(|by| (by.column.as_str(), by.expr.line));
            for (name, line) in column.iter().map(|column| (column.as_str(), visit.line)).chain(by) {
                column_is_there(spot, known, name, line);
            }
        }
        Read::Selected(_) | Read::Each(_) | Read::Without(..) | Read::Steps(_) | Read::Namespace | Read::Lossy(_) => {}
    }
}

fn column_is_there(spot: &Spot<'_>, table: &Table, name: &str, line: u32) {
    if table.column(name).is_none() {
        let message = format!("column `{name}` is looked up, and table `{}` does not have it", table.name);
        return spot.refuse(&codes::COLUMN_UNKNOWN, line, message, suggest::hint(name, columns_of(table)));
    }
    is_seen(spot, table, name, line);
}

/// What a lookup sees of the rows of its own run is what their rules write, and no more: a default is the
/// database's, and nobody reads what is sealed. The next import would find something else there.
fn is_seen(spot: &Spot<'_>, table: &Table, name: &str, line: u32) {
    let is_left_out = table.integer_key() != Some(name) && table.column(name).is_some_and(|it| it.default.is_some());
    for (mapping, rule) in spot.set.rules().filter(|(_, rule)| rule.into == table.name) {
        let of = format!(
            "column `{name}` of table `{}` is looked up, and rule `{}.{}`",
            table.name, mapping.name, rule.name
        );
        let message = if rule.protected().any(|(column, _)| column.name == name) {
            format!("{of} seals or hashes it")
        } else if is_left_out && rule.column(name).is_none() && rule.on_duplicate != OnDuplicate::Fill {
            format!("{of} leaves it to its default in the schema, which this import does not see")
        } else {
            continue;
        };
        return spot.refuse(&codes::LOOKUP_UNSEEN, line, message, codes::LOOKUP_UNSEEN.help);
    }
}

/// `^col` and `#owner.col`.
fn path_names(spot: &Spot<'_>, path: &PathExpr, line: u32) {
    match &path.root {
        Root::Parent(name) => given_by(spot, spot.parent(), &format!("^{name}"), name, line),
        Root::Above { rule, column } => {
            let above = spot.mapping.rule(rule).map(|at| &spot.mapping.rules[at]);
            given_by(spot, above, &format!("^{rule}.{column}"), column, line);
        }
        Root::Context(name) => {
            let owners = spot.set.owners.as_ref().and_then(|owners| spot.schema.table(&owners.table));
            if let Some(table) = owners
                && let Some(column) = name.strip_prefix("owner.")
            {
                column_is_there(spot, table, column, line);
            }
        }
        Root::Element | Root::Record | Root::Frame | Root::Outside | Root::Column(_) => {}
    }
}

/// A column of a row above: its rule gives it, or the engine counts on.
fn given_by(spot: &Spot<'_>, rule: Option<&Rule>, shown: &str, column: &str, line: u32) {
    let Some((rule, table)) = rule.and_then(|rule| Some((rule, spot.schema.table(&rule.into)?))) else {
        return; // The loader reports an unknown rule, `check` its unknown table.
    };
    let given = rule.columns.iter().map(|column| column.name.as_str()).chain(table.integer_key());
    if !given.clone().any(|known| known == column) {
        let message = format!("`{shown}` is no column that the rule `{}` gives", rule.name);
        spot.refuse(&codes::COLUMN_UNKNOWN, line, message, suggest::hint(column, given.collect::<Vec<_>>()));
    }
}

fn foreign_keys(spot: &Spot<'_>) {
    for key in spot.table.foreign_keys.iter().filter(|key| !is_found_whole(spot, key)) {
        for (name, to) in key.columns.iter().zip(&key.to) {
            let Some(column) = spot.rule.column(name) else {
                continue; // A column that no rule names is the schema's default's affair.
            };
            let target = Target { table: &key.table, column: to };
            if !leads(spot, &column.expr, &target, 0) {
                let message = format!(
                    "`{}.{name}` refers to `{}.{to}`, and nothing makes sure that such a row is there",
                    spot.table.name, key.table
                );
                let hint = format!(
                    "find the row with `lookup = \"{}.{to}\"`, or take the column from the owner or the parent",
                    key.table
                );
                spot.refuse(&codes::REFERENCE_OPEN, column.line, message, hint);
            }
        }
    }
}

/// Whether one column of a key of several is looked up among the rows that have the values of the others.
fn is_found_whole(spot: &Spot<'_>, key: &ForeignKey) -> bool {
    let of_key = || key.columns.iter().zip(&key.to);
    key.columns.len() > 1
        && of_key().any(|(name, to)| {
            let others = || of_key().filter(|(other, _)| *other != name);
            let finds = |row: &Sought| {
                row.table == key.table
                    && row.column.as_ref() == Some(to)
                    && others().all(|(other, to)| {
                        row.by
                            .iter()
                            .any(|by| by.column == *to && by.form.is_plain() && is_value_of(spot, other, &by.expr))
                    })
            };
            spot.rule.named(name).is_some_and(|expr| is_looked_up(expr, &finds))
        })
}

/// Whether all that a value can be is given by such lookups.
fn is_looked_up(expr: &Expr, finds: &dyn Fn(&Sought) -> bool) -> bool {
    expr.steps.is_empty()
        && match &expr.from {
            From::Lookup(ways) => ways.iter().all(finds),
            From::First(parts) => parts.iter().all(|part| is_looked_up(part, finds)),
            From::Null => true,
            _ => false,
        }
}

/// Whether an expression is what a column of the rule is.
fn is_value_of(spot: &Spot<'_>, column: &str, expr: &Expr) -> bool {
    let From::Path(path) = &expr.from else { return false };
    let is_it = matches!(&path.root, Root::Column(name) if name == column) && path.steps.is_empty();
    let same =
        || spot.rule.named(column).is_some_and(|of| of.is_bare() && matches!(&of.from, From::Path(own) if own == path));
    expr.is_bare() && (is_it || same())
}

struct Target<'t> {
    table: &'t str,
    column: &'t str,
}

/// Whether a value is one of the target column, as far as that can be seen without data: it was
/// looked up there, it is the owner's or the parent's, or the same mapping feeds that table too. The
/// run checks the rows themselves.
fn leads(spot: &Spot<'_>, expr: &Expr, target: &Target<'_>, depth: u32) -> bool {
    if depth > 16 {
        return true; // The loader reports a cycle of columns.
    }
    let fed_here = || spot.mapping.rules.iter().any(|rule| rule.into == target.table);
    match &expr.from {
        From::Null => true,
        From::First(parts) => parts.iter().all(|part| leads(spot, part, target, depth + 1)),
        From::Lookup(ways) => ways
            .first()
            .is_some_and(|row| row.column.as_ref().is_some_and(|column| same(spot, &row.table, column, target))),
        From::Path(path) => match &path.root {
            Root::Parent(column) => spot.parent().is_none_or(|parent| same(spot, &parent.into, column, target)),
            Root::Column(name) => spot.rule.named(name).is_none_or(|expr| leads(spot, expr, target, depth + 1)),
            Root::Context(name) => match (name.strip_prefix("owner."), &spot.set.owners) {
                (Some(column), Some(owners)) => same(spot, &owners.table, column, target),
                _ => fed_here(),
            },
            Root::Above { rule, column } => {
                spot.mapping.rule(rule).is_none_or(|at| same(spot, &spot.mapping.rules[at].into, column, target))
            }
            Root::Element | Root::Record | Root::Frame | Root::Outside => fed_here(),
        },
        From::Literal(literal) => spot.set.rules().filter(|(_, rule)| rule.into == target.table).any(|(_, rule)| {
            let column = rule.column(target.column);
            column.is_some_and(|column| matches!(&column.expr.from, From::Literal(other) if other == literal))
        }),
        _ => fed_here(),
    }
}

/// Whether a column of the target database is the target column, or refers to it.
fn same(spot: &Spot<'_>, table: &str, column: &str, target: &Target<'_>) -> bool {
    let refers = |table: &Table| {
        table.foreign_keys.iter().any(|key| {
            key.table == target.table
                && key.columns.iter().zip(&key.to).any(|(from, to)| from == column && to == target.column)
        })
    };
    (table == target.table && column == target.column) || spot.schema.table(table).is_none_or(refers)
}
