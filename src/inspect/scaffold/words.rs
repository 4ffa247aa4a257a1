//! The words of the mapping language and of SQL: what was decided, as text. No other file of the scaffold writes any.

use super::choose::DAY;
use super::fill::HOLDS_SECRETS;
use super::guess::{Out, Weight, one_line};
use super::names::unique;
use super::table::{Column, Expr, Secret, Step, Table};
use crate::database::ddl::{NewColumn, create_table, drop_table};
use crate::document::tape::Selection;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What is to be done about a broken file.
const MEND: &str = "the import refuses it; mend it, or name it under [ignore] with a reason";

/// A form of a document, and where its records are: it is for documents that have some there.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) records: Option<Selection>,
    pub(super) key_as: Option<String>,
    /// Why nothing is lost where no rule takes a record.
    pub(super) otherwise: Option<&'static str>,
    /// Why such files carry nothing.
    pub(super) ignore: Option<&'static str>,
}

/// What is said of one type of files.
pub(super) struct MappingText<'a> {
    pub(super) description: String,
    pub(super) patterns: Vec<&'a String>,
    /// Whether every line is a document.
    pub(super) lines: bool,
    pub(super) shapes: &'a [Shape],
    pub(super) tables: &'a [Table],
    pub(super) expected: &'a [String],
    /// Entries with their reasons.
    pub(super) ignored: &'a [(String, String)],
}

/// What is said of the set.
pub(super) struct SetText {
    pub(super) root: String,
    pub(super) name: String,
    pub(super) recognise: Vec<String>,
    /// Lines about owners, as they are.
    pub(super) owners: Option<Owners>,
    pub(super) ignored: Vec<(String, String)>,
    /// Entries of `[strings]`: key, word and why.
    pub(super) strings: Vec<[&'static str; 3]>,
    /// Files that are broken, which the import refuses: path and what is wrong.
    pub(super) broken: Vec<(String, String)>,
}

/// Whose folders they are.
pub(super) struct Owners {
    pub(super) capture: String,
    pub(super) table: String,
    pub(super) column: String,
    pub(super) why: String,
}

/// A basic string of TOML (TOML 1.0, "String").
pub(super) fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => _ = write!(out, "\\u{:04X}", u32::from(letter)),
            letter => out.push(letter),
        }
    }
    out + "\""
}

fn step(step: &Step) -> String {
    match step {
        Step::Time(forms) => match forms.as_slice() {
            [form] => format!("{{ time = {} }}", toml_string(form)),
            forms => {
                let forms: Vec<String> = forms.iter().map(|form| toml_string(form)).collect();
                format!("{{ time = [{}] }}", forms.join(", "))
            }
        },
        Step::Text => "\"text\"".to_owned(),
        Step::Number => "\"number\"".to_owned(),
        Step::Commas => "{ split = \",\" }".to_owned(),
        Step::Trim => "\"trim\"".to_owned(),
    }
}

/// What a path leads to, without these selections below it.
fn whole(from: &str, without: &[Selection]) -> String {
    let list: Vec<String> = without.iter().map(|selection| toml_string(&selection.to_string())).collect();
    match toml_string(from) {
        path if list.is_empty() => path,
        path => format!("{{ from = {path}, without = [{}] }}", list.join(", ")),
    }
}

fn expr(expr: &Expr) -> String {
    match expr {
        Expr::Path(path) => toml_string(path),
        Expr::Steps { from, steps, empty_is_null } => {
            // A column of times reads the usual form by itself, and one of days, too.
            let by_itself = *steps == [Step::Time(vec!["rfc3339"])] || *steps == [Step::Time(vec![DAY])];
            let steps: Vec<String> = steps.iter().filter(|_| !by_itself).map(step).collect();
            let on_empty = if *empty_is_null { ", on_empty = \"null\"" } else { "" };
            match (toml_string(from), steps.join(", ")) {
                (from, steps) if steps.is_empty() && on_empty.is_empty() => from,
                (from, steps) if steps.is_empty() => format!("{{ from = {from}{on_empty} }}"),
                (from, steps) => format!("{{ from = {from}, steps = [{steps}]{on_empty} }}"),
            }
        }
        Expr::Json { from, without } => whole(from, without),
        // Not every engine keeps a bare scalar exactly as a JSON document.
        Expr::AnyJson { from, without } => format!("{{ object = {{ value = {} }} }}", whole(from, without)),
        Expr::Lookup { table, column, from } => {
            let name = toml_string(&format!("{table}.{column}"));
            format!("{{ lookup = {name}, by = {{ {column} = {} }} }}", toml_string(from))
        }
    }
}

/// The rule in TOML.
fn rule(out: &mut Out, table: &Table) {
    let _ = write!(out, "\n[table.{}]\n", table.name);
    match &table.like {
        Some(like) => _ = writeln!(out, "into = {}\nlike = {}", toml_string(&table.name), toml_string(like)),
        None => elements(out, table),
    }
    let (sealed, dropped): (Vec<&Secret>, Vec<&Secret>) = table.secrets.iter().partition(|secret| secret.seal);
    if !table.columns.is_empty() || !sealed.is_empty() {
        let _ = write!(out, "\n[table.{}.columns]\n", table.name);
    }
    table.columns.iter().for_each(|of| column(out, table, of));
    for secret in sealed {
        let what = format!("{}.{} is sealed", table.name, secret.name);
        let why = out.guess(Weight::Secret, what, secret.why);
        let _ = writeln!(out, "{} = {{ seal = {} }}{why}", secret.name, toml_string(&secret.path));
    }
    if !dropped.is_empty() {
        let _ = write!(out, "\n[table.{}.drop]\n", table.name);
    }
    for secret in dropped {
        let reason = toml_string("say why it may be skipped, or seal it");
        let why = out.guess(Weight::Secret, format!("{}: {} is left out", table.name, secret.path), secret.why);
        let _ = writeln!(out, "{} = {reason}{why}", toml_string(&secret.path));
    }
}

/// The keys of a rule that say what its rows are made of.
fn elements(out: &mut Out, table: &Table) {
    if !table.shapes.is_empty() {
        let shapes: Vec<String> = table.shapes.iter().map(|shape| toml_string(shape)).collect();
        let _ = writeln!(out, "shapes = [{}]", shapes.join(", "));
    }
    if let Some(parent) = &table.parent {
        let _ = writeln!(out, "parent = {}", toml_string(parent));
    }
    if let Some(each) = &table.each {
        let _ = writeln!(out, "each = {}", toml_string(&each.to_string()));
    }
    if let Some(name) = &table.key_as {
        let _ = writeln!(out, "key_as = {}", toml_string(name));
    }
    if table.key.is_empty() {
        let why = out.guess(Weight::Key, &table.name, "no key; a second import compares whole rows");
        let _ = writeln!(out, "{}", why.trim_start());
    } else {
        let key: Vec<String> = table.key.iter().map(|name| toml_string(name)).collect();
        let what = format!("{} ({})", table.name, table.key.join(", "));
        let why = out.guess(Weight::Key, what, table.why.as_deref().unwrap_or("this identifies a row"));
        let _ = writeln!(out, "key = [{}]{why}", key.join(", "));
    }
}

/// A column in TOML.
fn column(out: &mut Out, table: &Table, column: &Column) {
    let mut value = expr(&column.expr);
    if let Some(reason) = column.declassify {
        let inner = value.strip_prefix("{ ").and_then(|inner| inner.strip_suffix(" }"));
        let inner = inner.map_or_else(|| format!("from = {value}"), str::to_owned);
        value = format!("{{ {inner}, declassify = {} }}", toml_string(reason));
    }
    let name = format!("{}.{}", table.name, column.name);
    let why = match (column.declassify, column.guess.as_deref()) {
        (Some(_), why) => {
            out.guess(Weight::Secret, format!("{name} is not sealed"), why.unwrap_or("the id is no secret's name"))
        }
        (None, Some(why)) => match &column.expr {
            Expr::Lookup { table, column, .. } => {
                out.guess(Weight::Reference, format!("{name} refers to {table}.{column}"), why)
            }
            Expr::Json { .. } | Expr::AnyJson { .. } => out.guess(Weight::Json, name, why),
            Expr::Path(_) | Expr::Steps { .. } => out.guess(Weight::Type, format!("{name} {}", column.sql), why),
        },
        (None, None) => String::new(),
    };
    let _ = writeln!(out, "{} = {value}{why}", column.name);
}

/// The keys of a shape, which stand under `[source]` where it is the only one.
fn shape(out: &mut Out, shape: &Shape) {
    if let Some(records) = &shape.records {
        let why = out.guess(Weight::Key, format!("the records are {records}"), "these make the rows");
        let _ = writeln!(out, "records = {}{why}", toml_string(&records.to_string()));
    }
    if let Some(name) = &shape.key_as {
        let _ = writeln!(out, "key_as  = {}", toml_string(name));
    }
    if let Some(reason) = shape.ignore {
        let _ = writeln!(out, "when    = {{ type = \"array\" }}");
        let why = out.guess(Weight::LeftOut, "empty lists", "an empty list has no rows");
        let _ = writeln!(out, "ignore  = {}{why}", toml_string(reason));
    }
    if let Some(reason) = shape.otherwise {
        let why = out.guess(Weight::LeftOut, "empty documents", "an empty document is no row");
        let _ = writeln!(out, "otherwise = {}{why}", toml_string(reason));
    }
}

/// `[source]`, with the keys of the one shape, or with a table for each of several.
fn source(out: &mut Out, patterns: &[&String], lines: bool, shapes: &[Shape]) {
    let patterns: Vec<String> = patterns.iter().map(|pattern| toml_string(pattern)).collect();
    let _ = write!(out, "\n[source]\nfiles   = [{}]\n", patterns.join(", "));
    if lines {
        let _ = writeln!(out, "format  = \"lines\"");
    }
    match shapes {
        [only] => shape(out, only),
        several => several.iter().for_each(|one| {
            let _ = write!(out, "\n[[source.shape]]\nname    = {}\n", toml_string(one.name));
            shape(out, one);
        }),
    }
}

fn ignore(out: &mut Out, ignored: &[(String, String)]) {
    for (at, (what, why)) in ignored.iter().enumerate() {
        let _ = write!(out, "{}", if at == 0 { "\n[ignore]\n" } else { "" });
        let reason = toml_string(&format!("{why}; say why it may be skipped"));
        let weight = if *why == HOLDS_SECRETS { Weight::Secret } else { Weight::LeftOut };
        let why = out.guess_and_show(weight, format!("{what} is left out"), why, "not needed");
        let _ = writeln!(out, "{} = {reason}{why}", toml_string(what));
    }
}

/// A mapping file.
pub(super) fn mapping(file: &str, of: &MappingText<'_>) -> Out {
    let mut out = Out::new(file);
    let why = out.guess(Weight::Words, "the description", "say what the files hold");
    let _ = writeln!(out, "description = {}{why}", toml_string(&of.description));
    if !of.expected.is_empty() {
        let _ =
            writeln!(out, "# What the JSON columns are known to keep; anything else gives a warning.\nexpected = [");
        for path in of.expected {
            let _ = writeln!(out, "  {},", toml_string(path));
        }
        let _ = writeln!(out, "]");
    }
    source(&mut out, &of.patterns, of.lines, of.shapes);
    of.tables.iter().for_each(|table| rule(&mut out, table));
    ignore(&mut out, of.ignored);
    out
}

/// The file `set.toml`.
pub(super) fn set(of: &SetText) -> Out {
    let mut out = Out::new("set.toml");
    let _ = writeln!(out, "# A first mapping set, made from {}.", one_line(&of.root));
    let _ = writeln!(out, "# Every line with `guess:` needs review: correct it, then remove the word.\n");
    let _ = writeln!(out, "name        = {}", toml_string(&of.name));
    let description = toml_string(&format!("{} into a database", of.name));
    let why = out.guess(Weight::Words, "the description", "say what it moves into what");
    let _ = writeln!(out, "description = {description}{why}");
    if of.recognise.is_empty() {
        let why = "no file has the same path in every tree; with one, `recognise` could identify such trees";
        let why = out.guess(Weight::Words, "no `recognise`", why);
        let _ = writeln!(out, "{}", why.trim_start());
    } else {
        let files: Vec<String> = of.recognise.iter().map(|path| toml_string(path)).collect();
        let why = out.guess(Weight::Words, "`recognise`", "these are in every such tree");
        let _ = writeln!(out, "recognise   = {{ files = [{}], below = [\"\", \"data\"] }}{why}", files.join(", "));
    }
    let _ = writeln!(out, "database    = {}", toml_string(&format!("sqlite:///./{}.db", of.name)));
    if let Some(owners) = &of.owners {
        let _ = writeln!(out);
        let why =
            out.guess(Weight::Owner, format!("{} has the owners of {{{}}}", owners.table, owners.capture), &owners.why);
        let _ = write!(out, "{}\n[owners]\n", why.trim_start());
        let _ = writeln!(out, "capture = {}", toml_string(&owners.capture));
        let _ = writeln!(out, "table   = {}", toml_string(&owners.table));
        let _ = writeln!(out, "find    = [{{ by = {{ {} = \"#owner\" }} }}]", owners.column);
    }
    for (at, [key, word, why]) in of.strings.iter().enumerate() {
        let _ = write!(out, "{}", if at == 0 { "\n[strings]\n" } else { "" });
        let why = out.guess(Weight::LeftOut, format!("{key} = {word}"), why);
        let _ = writeln!(out, "{key} = {}{why}", toml_string(word));
    }
    for (path, wrong) in &of.broken {
        let what = one_line(&format!("{path} is broken ({wrong})"));
        let why = out.guess_and_show(Weight::LeftOut, &what, MEND, &format!("{what}: {MEND}"));
        let _ = writeln!(out, "{}", why.trim_start());
    }
    ignore(&mut out, &of.ignored);
    out
}

/// The migration that makes the tables, and the one that drops them.
pub(super) fn schema(tables: &[&Table]) -> (String, String) {
    let mut up = String::from("-- description: guess: the tables that the mappings write into\n");
    tables.iter().for_each(|table| up += &create(table));
    let down = tables.iter().rev().map(|table| drop_table(&table.name)).collect();
    (up, down)
}

fn create(table: &Table) -> String {
    let is_key = |name: &String| table.key.contains(name);
    let sealed = table.secrets.iter().filter(|secret| secret.seal).map(|secret| NewColumn {
        name: secret.name.clone(),
        declared: "TEXT".to_owned(),
        not_null: false,
        references: None,
    });
    let of = |of: &Column| NewColumn {
        name: of.name.clone(),
        declared: of.sql.clone(),
        not_null: is_key(&of.name),
        references: of.references.clone(),
    };
    let columns: Vec<NewColumn> = table.columns.iter().map(of).chain(sealed).collect();
    let given = unique("row_id", &mut table.columns.iter().map(|column| column.name.clone()).collect::<BTreeSet<_>>());
    format!("\n{}", create_table(&table.name, &columns, &table.key, &given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_back() {
        for text in ["plain", "a \"b\"", "back\\slash", "tab\t and \n", "ü\u{7f}\u{1}"] {
            let toml: toml::Table = format!("x = {}", toml_string(text)).parse().expect("it is TOML");
            assert_eq!(toml["x"].as_str(), Some(text));
        }
    }
}
