//! Expressions: what a value is made of.
//!
//! What cannot be parsed is reported and leaves a *broken* expression behind, which later checks
//! skip, so that one mistake gives one message.

use super::keys::{self, SOURCES};
use super::path::{self, Wrong};
use super::tree::{Fields, Item};
use crate::document::tape::Selection;
use crate::mapping::model::{Covering, Digest, Expr, From, JsonExpr, Literal, PathExpr, Rooted, Sought};
use crate::mapping::{codes, suggest};
use crate::step::{self, Step};
use regex::Regex;

/// An expression that could not be parsed. A list of no alternatives cannot be written.
pub(super) fn broken(line: u32) -> Expr {
    bare(From::First(Vec::new()), line)
}

fn bare(from: From, line: u32) -> Expr {
    Expr { from, matching: None, steps: Vec::new(), line }
}

/// A path, a list of alternatives, or a table.
pub(super) fn expr(item: Item<'_>) -> Expr {
    if item.is_table() {
        let fields = item.fields(&[&SOURCES, &keys::COLUMN, &keys::EXPRESSION]);
        return fields.map_or_else(|| broken(item.line), |fields| nested(&fields));
    }
    bare(from(item), item.line)
}

/// The expression inside another one: policies are the column's own.
fn nested(fields: &Fields<'_>) -> Expr {
    for item in fields.any_of(&keys::COLUMN.built().collect::<Vec<_>>()) {
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
    let names: Vec<_> = SOURCES.built().collect();
    let source = match fields.any_of(&names).as_slice() {
        [] => {
            fields.item.refuse_with(
                format!("`{}` does not say where its value comes from", fields.item.name),
                "it takes `from`, `value`, `null`, `template`, `join`, `json`, `lookup`, `exists` or a hash",
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
    let matching = fields.get("matching").and_then(regex);
    let Some(steps) = fields.get("steps").map_or(Some(Vec::new()), steps) else {
        of_source(fields, source); // what else is wrong is reported, too
        return broken(line);
    };
    if source.name == "from" && source.is_table() {
        let inner = expr(source);
        if matching.is_none() && steps.is_empty() {
            return inner;
        }
        return Expr { from: From::First(vec![inner]), matching, steps, line };
    }
    match (of_source(fields, source), matching) {
        (Some(From::First(parts)), Some(regex)) if source.is_list() => {
            let parts = parts.into_iter().map(|part| also_matching(part, &regex)).collect();
            Expr { from: From::First(parts), matching: None, steps, line }
        }
        (Some(from), matching) => Expr { from, matching, steps, line },
        (None, _) => broken(line),
    }
}

/// `matching` beside a list is tested on each alternative, after its own steps: the first that it matches is chosen.
fn also_matching(part: Expr, regex: &Regex) -> Expr {
    if part.matching.is_none() && part.steps.is_empty() {
        return Expr { matching: Some(regex.clone()), ..part };
    }
    let line = part.line;
    Expr { from: From::First(vec![part]), matching: Some(regex.clone()), steps: Vec::new(), line }
}

/// Refuses keys that have no effect beside this source.
fn check_beside(fields: &Fields<'_>, source: &str) {
    for (name, sources) in [
        ("with", &["join"][..]),
        ("each", &["template", "join"]),
        ("without", &["json"]),
        ("by", &["lookup", "exists"]),
        ("ignore_case", &["lookup", "exists"]),
        ("then", &["exists"]),
        ("else", &["exists"]),
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
        "from" => from(source),
        "value" => From::Literal(source.literal()?),
        "null" => {
            if !source.flag()? {
                source.refuse_with("`null = false` has no effect", "leave the column out, or write `null = true`");
                return None;
            }
            From::Null
        }
        "template" => From::Template { pieces: parsed(source, path::template(source.text()?))?, each: each(fields) },
        "join" => From::Join {
            parts: source.list()?.into_iter().map(expr).collect(),
            with: fields.text("with").unwrap_or_default(),
            each: each(fields),
        },
        "json" => From::Json(Box::new(without(fields, outermost(source)))),
        "uuid5" => digest(Digest::Uuid5, source),
        "md5" => digest(Digest::Md5, source),
        "sha256" => digest(Digest::Sha256, source),
        "lookup" => {
            let text = source.text()?;
            let row = sought(fields, source);
            let Some((table, column)) = text.split_once('.') else {
                source.refuse_with(format!("`{text}` names no column"), "a lookup is written `table.column`");
                return None;
            };
            From::Lookup(Sought { table: table.to_owned(), column: Some(column.to_owned()), ..row? })
        }
        "exists" => {
            let literal = |name: &str, default: bool| match fields.get(name) {
                Some(item) => item.literal(),
                None => Some(Literal::Bool(default)),
            };
            From::Exists {
                row: sought(fields, source)?,
                then: literal("then", true)?,
                otherwise: literal("else", false)?,
            }
        }
        other => unreachable!("`{other}` is one of SOURCES"),
    })
}

/// A path, or alternatives. Without a path it is broken.
fn from(item: Item<'_>) -> From {
    if item.is_list() {
        let parts = item.list().unwrap_or_default();
        if parts.is_empty() {
            item.refuse(format!("`{}` is a list of no alternatives", item.name));
        }
        return From::First(parts.into_iter().map(expr).collect());
    }
    path_of(item).map_or_else(|| From::First(Vec::new()), From::Path)
}

fn digest(how: Digest, item: Item<'_>) -> From {
    From::Digest { how, of: item.one_or_more().into_iter().map(expr).collect(), list: item.is_list() }
}

/// The row of the table that an item names, by the `by` beside it.
pub(super) fn sought(fields: &Fields<'_>, item: Item<'_>) -> Option<Sought> {
    let (table, number) = (item.text()?.to_owned(), item.doc.next_lookup());
    Some(Sought { table, column: None, by: by(fields, item), ignore_case: fields.flag("ignore_case"), number })
}

/// `by = { column = expression }` beside a lookup.
fn by(fields: &Fields<'_>, beside: Item<'_>) -> Vec<(String, Expr)> {
    let Some(item) = fields.get("by") else {
        beside.refuse_with(
            format!("`{}` does not say which row", beside.name),
            "write `by = { column = expression }` beside it",
        );
        return Vec::new();
    };
    let entries = item.entries().unwrap_or_default();
    if entries.is_empty() {
        item.refuse("`by` names no column");
    }
    entries.into_iter().map(|entry| (entry.name.to_owned(), expr(entry))).collect()
}

fn each(fields: &Fields<'_>) -> Option<Rooted> {
    rooted_of(fields.get("each")?)
}

/// What stands under `json` itself. A literal needs no `json` around it, so that `{ value = PATH }`
/// alone is an object with this one member.
fn outermost(item: Item<'_>) -> JsonExpr {
    match item.is_table().then(|| item.entries().unwrap_or_default()) {
        Some(entries) if matches!(entries.as_slice(), [only] if only.name == "value") => members(&entries),
        _ => json(item),
    }
}

/// What stands under `json`.
fn json(item: Item<'_>) -> JsonExpr {
    let Some(entries) = item.is_table().then(|| item.entries().unwrap_or_default()) else {
        return value(expr(item));
    };
    let is = |name: &str| entries.iter().any(|entry| entry.name == name);
    if entries.len() == 3 && keys::JSON_EACH.built().all(is) {
        return object(item);
    }
    let of_expression = |entry: &Item<'_>| {
        [&SOURCES, &keys::EXPRESSION, &keys::COLUMN].iter().any(|keys| keys.find(entry.name).is_some())
    };
    if !SOURCES.built().any(is) {
        return members(&entries);
    }
    if entries.iter().all(of_expression) {
        return value(expr(item));
    }
    // `{ from = …, to = … }` is two members, `{ from = …, setps = … }` a typo.
    let words: Vec<_> = keys::EXPRESSION.built().collect();
    for entry in entries.iter().filter(|entry| !of_expression(entry)) {
        if let Some(meant) = suggest::nearest(entry.name, words.iter().copied()) {
            entry.refuse_with(
                format!(
                    "`{}` is not a key of an expression, and too similar to one to be a member beside `from` or the like",
                    entry.name
                ),
                format!("did you mean `{meant}`?"),
            );
        }
    }
    members(&entries)
}

/// A value; `{ json = … }` with nothing else is what stands in it.
fn value(of: Expr) -> JsonExpr {
    match of {
        Expr { from: From::Json(inner), matching: None, steps, .. } if steps.is_empty() => *inner,
        of => JsonExpr::Value { of, without: Vec::new() },
    }
}

fn members(entries: &[Item<'_>]) -> JsonExpr {
    JsonExpr::Table(entries.iter().map(|entry| (entry.name.to_owned(), json(*entry))).collect())
}

/// `{ each, key, value }`.
fn object(item: Item<'_>) -> JsonExpr {
    let Some(fields) = item.fields(&[&keys::JSON_EACH]) else {
        return value(broken(item.line));
    };
    let get = |name| fields.get(name).unwrap_or(item);
    let list = get("each");
    // `items[*]` and `items` both name the list itself.
    let each = match list.as_text().and_then(|text| text.strip_suffix("[*]")) {
        Some(text) => {
            let text = if text.is_empty() { "." } else { text };
            parsed(list, path::path(text)).map_or_else(|| broken(list.line), |path| bare(From::Path(path), list.line))
        }
        None => expr(list),
    };
    JsonExpr::Each { each, key: expr(get("key")), value: Box::new(json(get("value"))) }
}

fn without(fields: &Fields<'_>, json: JsonExpr) -> JsonExpr {
    let Some(item) = fields.get("without") else {
        return json;
    };
    let selections: Vec<Selection> =
        item.texts().into_iter().filter_map(|item| parsed(item, path::selection(item.text()?))).collect();
    match json {
        JsonExpr::Value { of, without } if without.is_empty() => JsonExpr::Value { of, without: selections },
        json => {
            item.refuse("`without` is used beside one value, not beside a table of members");
            json
        }
    }
}

/// `steps`.
///
/// All of them are parsed, so that every mistake is reported; with one there are no steps.
pub(super) fn steps(item: Item<'_>) -> Option<Vec<Step>> {
    let steps: Vec<Option<Step>> = item.list()?.into_iter().map(step).collect();
    steps.into_iter().collect()
}

fn step(item: Item<'_>) -> Option<Step> {
    let is_dropped = |item: &Item<'_>, name: &str| {
        let instead = step::successor(name);
        if let Some(instead) = instead {
            item.refuse_as(&codes::WORD_DROPPED, format!("`{name}` was dropped in 0.2.0"), instead);
        }
        instead.is_some()
    };
    let parsed = if let Some(name) = item.as_text() {
        if is_dropped(&item, name) {
            return None;
        }
        Step::parse(name, None)
    } else {
        let entries = if item.is_table() { item.entries()? } else { Vec::new() };
        let [entry] = entries.as_slice() else {
            item.refuse("a step is a name, or a table of one name with its argument");
            return None;
        };
        if is_dropped(entry, entry.name) {
            return None;
        }
        let argument = entry.literal()?;
        Step::parse(entry.name, Some(&argument))
    };
    parsed
        .map_err(|message| match message.rsplit_once(", did you mean ") {
            Some((message, meant)) => {
                item.refuse_as(&codes::STEP_WRONG, message, Some(format!("did you mean {meant}")));
            }
            None => item.refuse_as(&codes::STEP_WRONG, message, None),
        })
        .ok()
}

/// A regular expression.
pub(super) fn regex(item: Item<'_>) -> Option<Regex> {
    let text = item.text()?;
    Regex::new(text)
        .map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            item.refuse_as(
                &codes::REGEX_WRONG,
                format!("`{}` is an invalid regular expression: {why}", item.name),
                None,
            );
        })
        .ok()
}

/// A path.
pub(super) fn path_of(item: Item<'_>) -> Option<PathExpr> {
    parsed(item, path::path(item.text()?))
}

/// A selection with its prefix.
pub(super) fn rooted_of(item: Item<'_>) -> Option<Rooted> {
    parsed(item, path::rooted(item.text()?))
}

/// An entry of `expected`, `[ignore]` or `[declassify]`.
pub(super) fn covering_of(item: Item<'_>, text: &str) -> Option<Covering> {
    parsed(item, path::covering(text))
}

/// The value; an error is reported.
pub(super) fn parsed<T>(item: Item<'_>, result: Result<T, Wrong>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Wrong { message, hint }) => {
            item.refuse_as(&codes::PATH_WRONG, message, hint);
            None
        }
    }
}
