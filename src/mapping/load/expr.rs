//! Expressions: what a value is made of.
//!
//! What cannot be parsed is reported and leaves a *broken* expression behind, which later checks
//! skip, so that one mistake gives one message.

use super::keys::{self, SOURCES};
pub(super) use super::parts::{coverings_of, parsed, path_of, rooted_of, steps};
use super::path;
use super::policies;
use super::tree::{Fields, Item};
use crate::document::tape::Selection;
use crate::mapping::model::{By, Condition, Digest, Each, Expr, Form, From, Lossy, Parts, Policies, Sought};
use crate::mapping::{codes, suggest};
use crate::step::Step;
use std::sync::Arc;

/// An expression that could not be parsed. A list of no alternatives cannot be written.
pub(super) fn broken(line: u32) -> Expr {
    Expr::bare(From::First(Vec::new()), line)
}

/// A path, a number or boolean, a list of alternatives, or a table.
pub(super) fn expr(item: Item<'_>) -> Expr {
    if item.is_table() {
        let fields = item.fields(&[&SOURCES, &keys::PROTECTION, &keys::COLUMN, &keys::EXPRESSION]);
        return fields.map_or_else(|| broken(item.line), |fields| nested(&fields));
    }
    Expr::bare(from(item), item.line)
}

/// The expression inside another one: policies are the column's own.
fn nested(fields: &Fields<'_>) -> Expr {
    for item in fields.any_of(&keys::COLUMN.built().chain(keys::PROTECTION.built()).collect::<Vec<_>>()) {
        item.refuse_with(
            format!("`{}` belongs to the column itself, not to an expression inside it", item.name),
            "write it beside the column's outermost key",
        );
    }
    of_fields(fields)
}

/// The expression that the keys of a table say, among others.
pub(super) fn of_fields(fields: &Fields<'_>) -> Expr {
    let line = fields.item.line;
    let names: Vec<_> = SOURCES.built().chain(keys::PROTECTION.built()).collect();
    let source = match fields.any_of(&names).as_slice() {
        [] => {
            // A word that was dropped is reported already.
            let entries = fields.item.entries().unwrap_or_default();
            if entries.iter().any(|entry| SOURCES.find(entry.name).is_some()) {
                return broken(line);
            }
            fields.item.refuse_with(
                format!("`{}` does not say where its value comes from", fields.item.name),
                "it takes `from`, `value`, `null`, `template`, `join`, `object`, `each`, `lookup` or a hash",
            );
            return broken(line);
        }
        [one] => *one,
        [first, second, ..] => {
            second.refuse(format!("`{}` and `{}` both say where the value comes from", first.name, second.name));
            return broken(line);
        }
    };
    check_beside(fields, source.name);
    let when = fields.get("when").and_then(condition).map(Box::new);
    let without = fields.texts("without").into_iter().filter_map(|item| parsed(item, path::selection(item.text()?)));
    let without: Vec<Selection> = without.collect();
    let lossy = fields.reason("lossy").map(|reason| Arc::new(Lossy { reason }));
    let Some(steps) = fields.get("steps").map_or(Some(Vec::new()), steps) else {
        of_source(fields, source); // what else is wrong is reported, too
        return broken(line);
    };
    if matches!(source.name, "from" | "seal" | "hash") && source.is_table() {
        let inner = expr(source);
        let outer = Expr { from: From::Null, when, without, steps, lossy, line };
        return if outer.is_bare() { inner } else { Expr { from: From::First(vec![inner]), ..outer } };
    }
    match of_source(fields, source) {
        // Beside a list they are applied to each alternative in turn, until one is present.
        Some(From::First(parts)) if source.is_list() && without.is_empty() => {
            let parts = parts.into_iter().map(|part| through(part, &steps)).collect();
            Expr { from: From::First(parts), when, without, steps: Vec::new(), lossy, line }
        }
        Some(from) => Expr { from, when, without, steps, lossy, line },
        None => broken(line),
    }
}

/// An expression with more steps behind its own.
fn through(part: Expr, steps: &[Step]) -> Expr {
    if steps.is_empty() {
        return part;
    }
    let (line, steps) = (part.line, steps.to_vec());
    let is_list = matches!(part.from, From::First(_));
    let from = if part.is_bare() && !is_list { part.from } else { From::First(vec![part]) };
    Expr { steps, ..Expr::bare(from, line) }
}

/// Refuses keys that have no effect beside this source.
fn check_beside(fields: &Fields<'_>, source: &str) {
    for (name, sources) in [
        ("with", &["join"][..]),
        ("item", &["each"]),
        ("member", &["each"]),
        ("without", &["from"]),
        ("by", &["lookup"]),
    ] {
        if let Some(item) = fields.get(name)
            && !sources.contains(&source)
        {
            let beside: Vec<_> = sources.iter().map(|name| format!("`{name}`")).collect();
            item.refuse_with(
                format!("`{name}` has no effect beside `{source}`"),
                format!("it is used beside {}", suggest::and(&beside)),
            );
        }
    }
}

fn of_source(fields: &Fields<'_>, source: Item<'_>) -> Option<From> {
    Some(match source.name {
        "from" | "seal" | "hash" => from(source),
        "value" => From::Literal(source.literal()?),
        "null" => {
            if !source.flag()? {
                source.refuse_with("`null = false` has no effect", "leave the column out, or write `null = true`");
                return None;
            }
            From::Null
        }
        "template" => From::Template(parsed(source, path::template(source.text()?))?),
        "join" => From::Join {
            parts: if source.is_list() {
                Parts::Of(source.list()?.into_iter().map(expr).collect())
            } else {
                Parts::In(Box::new(expr(source)))
            },
            with: fields.text("with").unwrap_or_default(),
        },
        "object" => {
            From::Object(source.entries()?.into_iter().map(|entry| (entry.name.to_owned(), expr(entry))).collect())
        }
        "each" => From::Each(Box::new(each(fields, source)?)),
        "uuid5" => digest(Digest::Uuid5, source),
        "md5" => digest(Digest::Md5, source),
        "sha256" => digest(Digest::Sha256, source),
        "lookup" => {
            let text = source.text()?;
            let row = sought(fields, source);
            let Some((table, column)) = text.split_once('.') else {
                source.refuse_with(
                    format!("`{text}` names no column"),
                    "a lookup is written `table.column`; a whole row can have a name, under `[let]`",
                );
                return None;
            };
            let column = Some(column.to_owned());
            let named = |way| Sought { table: table.to_owned(), column: column.clone(), ..way };
            From::Lookup(row?.into_iter().map(named).collect())
        }
        other => unreachable!("`{other}` is one of SOURCES or PROTECTION"),
    })
}

/// A path, a number or boolean, or alternatives. Without any it is broken.
fn from(item: Item<'_>) -> From {
    if item.is_list() {
        let parts = item.list().unwrap_or_default();
        if parts.is_empty() {
            item.refuse(format!("`{}` is a list of no alternatives", item.name));
        }
        let parts: Vec<Expr> = parts.into_iter().map(expr).collect();
        if let Some((_, before)) = parts.split_last()
            && let Some(always) = before.iter().find(|part| is_always_there(part))
        {
            let message = "an alternative after one that is always there is never asked";
            item.doc.refuse(&codes::ALTERNATIVE_UNREACHABLE, always.line, message, "put the literal last");
        }
        return From::First(parts);
    }
    match item.as_text() {
        Some(text) => path_or_selection(item, text).unwrap_or_else(|| From::First(Vec::new())),
        None if item.is_scalar() => item.literal().map_or_else(|| From::First(Vec::new()), From::Literal),
        None => path_of(item).map_or_else(|| From::First(Vec::new()), From::Path), // a string is wanted
    }
}

/// A literal that no condition and no step makes missing.
fn is_always_there(expr: &Expr) -> bool {
    matches!(expr.from, From::Literal(_)) && expr.is_bare()
}

/// A path with stars gives a list.
fn path_or_selection(item: Item<'_>, text: &str) -> Option<From> {
    if path::has_stars(text) {
        return parsed(item, path::rooted(text)).map(From::Selected);
    }
    parsed(item, path::path(text)).map(From::Path)
}

/// `each`, `item`, `member`.
fn each(fields: &Fields<'_>, source: Item<'_>) -> Option<Each> {
    let (item, policies) = judged(fields.need_for("item", "`each`")?);
    Some(Each { each: expr(source), member: fields.get("member").map(expr), item, policies })
}

/// An item, or an entry of `[let]`, with policies of its own.
pub(super) fn judged(item: Item<'_>) -> (Expr, Policies) {
    if !item.is_table() {
        return (expr(item), Policies::default());
    }
    let Some(fields) = item.fields(&[&SOURCES, &keys::EXPRESSION, &keys::COLUMN]) else {
        return (broken(item.line), Policies::default());
    };
    for item in fields.any_of(&["agrees_with", "after", "declassify"]) {
        item.refuse_with(
            format!("`{}` belongs to the column itself, not to an item of a list or a `[let]`", item.name),
            "write it beside the column's outermost key",
        );
    }
    (of_fields(&fields), policies::inside(&fields))
}

/// Whether it is a row of a table, of which paths name columns.
pub(super) fn is_row(item: Item<'_>) -> bool {
    let table = |entry: &Item<'_>| entry.name == "lookup" && entry.as_text().is_some_and(|text| !text.contains('.'));
    item.is_table() && item.entries().unwrap_or_default().iter().any(table)
}

/// The column of such a row that a path names.
pub(super) fn column_of_row(item: Item<'_>, column: &str) -> (Expr, Policies) {
    let fields = item.fields(&[&SOURCES, &keys::EXPRESSION, &keys::COLUMN]);
    let Some((fields, source)) = fields.and_then(|fields| fields.get("lookup").map(|source| (fields, source))) else {
        return (broken(item.line), Policies::default());
    };
    let beside = ["lookup", "by", "when", "default"];
    let policies = policies::inside(&fields);
    for entry in item.entries().unwrap_or_default() {
        if !beside.contains(&entry.name) && !entry.name.starts_with("on_") {
            entry.refuse_with(
                format!("`{}` has no effect beside a row", entry.name),
                format!("write it where a column of the row is used: `{{ from = \"={}.{column}\", … }}`", item.name),
            );
        }
    }
    let of_row = |way| Sought { column: Some(column.to_owned()), ..way };
    let ways = sought(&fields, source).unwrap_or_default().into_iter().map(of_row).collect();
    let when = fields.get("when").and_then(condition).map(Box::new);
    (Expr { when, ..Expr::bare(From::Lookup(ways), item.line) }, policies)
}

/// What `when` says.
pub(super) fn condition(item: Item<'_>) -> Option<Condition> {
    super::condition::condition(item, sought)
}

fn digest(how: Digest, item: Item<'_>) -> From {
    From::Digest { how, of: item.one_or_more().into_iter().map(expr).collect(), list: item.is_list() }
}

/// The row of the table that an item names, by the `by` beside it: the first that is there.
pub(super) fn sought(fields: &Fields<'_>, item: Item<'_>) -> Option<Vec<Sought>> {
    let table = item.text()?;
    let Some(by) = fields.get("by") else {
        item.refuse_with(
            format!("`{}` does not say which row", item.name),
            "write `by = { column = expression }` beside it",
        );
        return None;
    };
    let way = |by| Sought { table: table.to_owned(), column: None, by, number: item.doc.next_lookup() };
    Some(ways(by).into_iter().map(way).collect())
}

/// `by = { COLUMN = EXPRESSION }`, or a list of such tables.
pub(super) fn ways(item: Item<'_>) -> Vec<Vec<By>> {
    let of_table = |item: Item<'_>| {
        let entries = item.entries().unwrap_or_default();
        if entries.is_empty() && item.is_table() {
            item.refuse("`by` names no column");
        }
        entries.into_iter().map(compared).collect()
    };
    item.one_or_more().into_iter().map(of_table).collect()
}

/// A column, and what it is compared with.
fn compared(entry: Item<'_>) -> By {
    let column = entry.name.to_owned();
    if !entry.is_table() {
        return By { column, expr: expr(entry), form: Form::default() };
    }
    match entry.fields(&[&keys::BY, &SOURCES, &keys::COLUMN, &keys::EXPRESSION]) {
        Some(fields) => {
            let column_steps = fields.get("column_steps").and_then(steps).unwrap_or_default();
            By { column, expr: nested(&fields), form: Form { ignore_case: fields.flag("ignore_case"), column_steps } }
        }
        None => By { column, expr: broken(entry.line), form: Form::default() },
    }
}
