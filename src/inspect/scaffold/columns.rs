//! Rules and tables made from records.

use super::words::{snake, toml_string, unique};
use crate::database::ddl::{NewColumn, create_table};
use crate::document::tape::{Segment, Selection};
use crate::inspect::look::Look;
use crate::inspect::profile::{At, Profile, Stats};
use crate::mapping::model::{Covering, Root, Rooted};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What stands beside a guess that a value is a secret.
const LOOKS_SECRET: &str = "# guess: it looks like a secret; if it is none, keep it in a column with `declassify`";

/// Objects in objects become columns down to this depth; deeper ones are kept as JSON.
const DEEPEST: usize = 3;

/// What rules are made of.
pub(super) struct Asked<'a> {
    pub(super) profile: &'a Profile,
    pub(super) record: At,
    pub(super) captures: &'a [String],
    /// Records are members whose name is data, known as `#name`.
    pub(super) by_name: bool,
    /// Some documents are records themselves.
    pub(super) one_record: bool,
    /// The mapping's name.
    pub(super) name: &'a str,
    /// Names of tables that are there already.
    pub(super) taken: BTreeSet<String>,
}

/// What was made of a type of files.
#[derive(Default)]
pub(super) struct Made {
    pub(super) tables: Vec<Table>,
    /// What JSON columns keep.
    pub(super) expected: Vec<String>,
    /// What holds secrets that no rule can name.
    pub(super) ignored: Vec<String>,
}

/// A table with the rule that fills it.
pub(super) struct Table {
    pub(super) name: String,
    each: Option<String>,
    key: Vec<String>,
    columns: Vec<Column>,
    secrets: Vec<Secret>,
    names: BTreeSet<String>,
}

#[derive(Clone)]
struct Column {
    name: String,
    sql: &'static str,
    /// The expression in TOML.
    expr: String,
    guess: Option<&'static str>,
}

struct Secret {
    name: String,
    path: String,
    seal: bool,
}

/// The member that identifies records.
struct Key<'a> {
    name: &'a str,
    stats: &'a Stats,
}

pub(super) fn tables(asked: &Asked<'_>) -> Made {
    let mut names = asked.taken.clone();
    let mut table = Table::new(unique(asked.name, &mut names));
    let key = if asked.by_name { None } else { key(asked.profile, asked.record) };
    let several = asked.one_record && !asked.captures.is_empty();
    let keyed = key.is_some() || asked.by_name || several;
    // Expressions of the key, as a rule for what lies in the record says them.
    let mut outer: Vec<(String, &'static str, String)> = Vec::new();
    for capture in asked.captures {
        outer.push((snake(capture), "TEXT", format!("#{capture}")));
    }
    if asked.by_name {
        outer.push(("name".to_owned(), "TEXT", "#name".to_owned()));
    }
    for (name, sql, expr) in &outer {
        let guess = if expr == "#name" { "the member's name identifies the record" } else { "identifies the file" };
        table.add(name, sql, toml_string(expr), Some(guess), keyed);
    }
    if let Some(key) = &key {
        let sql = if key.stats.integers > 0 { "INTEGER" } else { "TEXT" };
        let path = Selection(vec![Segment::Name(key.name.to_owned())]).to_string();
        let name =
            table.add(&snake(key.name), sql, toml_string(&path), Some("no two records of a file have the same"), true);
        outer.push((format!("{}_{name}", table.name), sql, format!("@.{path}")));
    }
    let mut fill = Fill {
        asked,
        made: Made::default(),
        key: key.map(|key| key.name),
        keyed,
        within: Vec::new(),
        lists: Vec::new(),
    };
    fill.record(&mut table);
    for (path, at) in std::mem::take(&mut fill.lists) {
        let name = path.iter().filter_map(name_of).map(snake).collect::<Vec<_>>().join("_");
        let mut child = Table::new(unique(&format!("{}_{name}", table.name), &mut names));
        for (name, sql, expr) in &outer {
            child.add(name, sql, toml_string(expr), None, true);
        }
        child.add("position", "INTEGER", toml_string("#position"), Some("the order in the list"), true);
        fill.within = path.iter().cloned().chain([Segment::Elements]).collect();
        child.each = Some(Selection(fill.within.clone()).to_string());
        fill.key = None;
        fill.object(&mut child, &mut Vec::new(), at);
        // Lists in a list are kept as JSON.
        for (path, at) in std::mem::take(&mut fill.lists) {
            fill.json(&mut child, &path, at);
        }
        let secrets = child.split_secrets(&mut names);
        fill.made.tables.push(child);
        fill.made.tables.extend(secrets);
    }
    let mut made = fill.made;
    made.tables.splice(0..0, table.split_secrets(&mut names));
    made.tables.insert(0, table);
    made
}

/// The member that identifies records: it is in all of them, never twice in a file, and named like an id.
fn key(profile: &Profile, record: At) -> Option<Key<'_>> {
    let stats = &profile.stats[record];
    let fits = |stats: &Stats, count: u64| {
        let scalar = stats.strings == count || stats.integers == count;
        scalar && stats.count == count && stats.empty_strings == 0 && !stats.repeats_in_file && !stats.secret
    };
    let rank = |name: &str| match snake(name).as_str() {
        "id" => Some(0),
        "uuid" | "guid" => Some(1),
        "key" | "slug" => Some(2),
        other if other.ends_with("_id") => Some(3),
        _ => None,
    };
    let found = stats.members.iter().filter(|(_, at)| fits(&profile.stats[*at], stats.objects));
    let found = found.filter_map(|(name, at)| Some((rank(name)?, name, *at)));
    let (_, name, at) = found.min_by_key(|(rank, _, _)| *rank)?;
    Some(Key { name, stats: &profile.stats[at] })
}

fn name_of(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Name(name) => Some(name),
        _ => None,
    }
}

/// Fills tables with columns.
struct Fill<'a> {
    asked: &'a Asked<'a>,
    made: Made,
    key: Option<&'a str>,
    keyed: bool,
    /// The way from the record to what the table's rows are made of.
    within: Vec<Segment>,
    /// Lists of objects that want tables of their own.
    lists: Vec<(Vec<Segment>, At)>,
}

impl Fill<'_> {
    fn stats(&self, at: At) -> &Stats {
        &self.asked.profile.stats[at]
    }

    fn record(&mut self, table: &mut Table) {
        let at = self.asked.record;
        let stats = self.stats(at);
        if stats.is_scalar() {
            self.scalar(table, &[], at);
        } else if stats.any_member.is_some() || stats.kinds() > 1 || stats.arrays > 0 {
            self.json(table, &[], at);
        } else {
            self.object(table, &mut Vec::new(), at);
        }
    }

    fn object(&mut self, table: &mut Table, way: &mut Vec<Segment>, at: At) {
        for (name, member) in self.stats(at).members.clone() {
            if way.is_empty() && self.key == Some(name.as_str()) {
                continue; // the key is a column already
            }
            way.push(Segment::Name(name));
            let stats = self.stats(member);
            let rows = stats.elements.is_some_and(|element| {
                let element = self.stats(element);
                element.objects == element.count && element.any_member.is_none() && !element.members.is_empty()
            });
            if stats.is_scalar() {
                self.scalar(table, way, member);
            } else if stats.kinds() == 1
                && stats.objects > 0
                && stats.any_member.is_none()
                && way.len() < DEEPEST
                && !stats.members.is_empty()
            {
                self.object(table, way, member);
            } else if stats.kinds() == 1 && rows && self.keyed {
                if let Some(element) = stats.elements {
                    self.lists.push((way.clone(), element));
                }
            } else {
                self.json(table, way, member);
            }
            way.pop();
        }
    }

    fn scalar(&mut self, table: &mut Table, way: &[Segment], at: At) {
        let stats = self.stats(at);
        let path = path_of(way);
        let name = name_for(way, "value");
        if stats.secret {
            let plain = stats.booleans == 0 && stats.kinds() == 1;
            return table.add_secret(&name, path, plain && self.keyed);
        }
        let numbers = stats.integers + stats.fractions;
        let with_step = |step: &str| format!("{{ from = {}, steps = [{step}] }}", toml_string(&path));
        let (sql, expr, guess) = match (stats.strings, numbers, stats.booleans) {
            (0, 0, 0) => ("TEXT", toml_string(&path), Some("it is always null here")),
            (_, 0, 0) if stats.empty_strings == 0 && stats.all_look(Look::Instant) => {
                ("DATETIME", toml_string(&path), Some("all of them are times with a zone"))
            }
            (_, 0, 0) if stats.empty_strings == 0 && stats.all_look(Look::Civil) => {
                ("DATETIME", with_step("{ time = \"iso\" }"), Some("all of them are times without a zone"))
            }
            (_, 0, 0) if stats.empty_strings == 0 && stats.all_look(Look::Date) => {
                ("DATETIME", with_step("{ time = \"%Y-%m-%d\" }"), Some("all of them are days"))
            }
            (_, 0, 0) if stats.all_look(Look::SlashDate) && stats.chars == Some((10, 10)) => {
                ("DATETIME", with_step("{ time = \"%m/%d/%Y\" }"), Some("the month comes first"))
            }
            (_, 0, 0) => ("TEXT", toml_string(&path), None),
            (0, _, 0) if stats.fractions == 0 => ("INTEGER", toml_string(&path), None),
            // Exact, whatever the digits; a double would refuse what it cannot keep.
            (0, _, 0) => ("TEXT", with_step("\"text\""), Some("REAL if the last digits do not matter")),
            (0, 0, _) => ("BOOLEAN", toml_string(&path), None),
            _ => ("JSON", format!("{{ object = {{ value = {} }} }}", toml_string(&path)), Some("it has several types")),
        };
        table.add(&name, sql, expr, guess, false);
    }

    /// A column that keeps all that is there; what holds secrets is skipped and needs manual action.
    fn json(&mut self, table: &mut Table, way: &[Segment], at: At) {
        let mut below = Vec::new();
        let mut whole: Vec<Segment> = self.within.iter().cloned().chain(way.iter().cloned()).collect();
        let secret = self.below(at, &mut whole, &mut below);
        let root = if self.within.is_empty() { Root::Element } else { Root::Record };
        let rooted = |selection: &Selection| Rooted { root: root.clone(), selection: selection.clone() };
        if secret || self.stats(at).secret {
            let all = Selection(whole);
            // A path must be there to be ignored, and a record is never ignored as a whole.
            if all.0.is_empty() {
                self.made.ignored.extend(self.outermost(at));
            } else {
                self.made.ignored.push(Covering { rooted: rooted(&all), below: true }.to_string());
            }
            return;
        }
        self.made.expected.extend(below.iter().map(|path| rooted(path).to_string()));
        let scalars = self.stats(at).kinds() > 1;
        let path = toml_string(&path_of(way));
        // Not every engine keeps a bare scalar exactly as a JSON document.
        let expr = if scalars { format!("{{ object = {{ value = {path} }} }}") } else { path };
        table.add(
            &name_for(way, "data"),
            "JSON",
            expr,
            Some("kept as it is; give it a table where rows are wanted"),
            false,
        );
    }

    /// Every path below; whether one of them is secret.
    fn below(&self, at: At, way: &mut Vec<Segment>, found: &mut Vec<Selection>) -> bool {
        let mut secret = false;
        for (segment, below) in self.stats(at).below() {
            way.push(segment);
            found.push(Selection(way.clone()));
            secret |= self.stats(below).secret | self.below(below, way, found);
            way.pop();
        }
        secret
    }

    fn outermost(&self, at: At) -> Vec<String> {
        self.stats(at)
            .below()
            .map(|(segment, at)| covering(Root::Element, segment, self.stats(at)).to_string())
            .collect()
    }
}

/// An entry that covers all that a member or the elements of a root hold.
pub(super) fn covering(root: Root, segment: Segment, stats: &Stats) -> Covering {
    let below = stats.below().next().is_some();
    Covering { rooted: Rooted { root, selection: Selection(vec![segment]) }, below }
}

fn path_of(way: &[Segment]) -> String {
    Selection(way.to_vec()).to_string()
}

fn name_for(way: &[Segment], alone: &str) -> String {
    let names: Vec<String> = way.iter().filter_map(name_of).map(snake).collect();
    if names.is_empty() { alone.to_owned() } else { names.join("_") }
}

impl Table {
    fn new(name: String) -> Self {
        Self { name, each: None, key: Vec::new(), columns: Vec::new(), secrets: Vec::new(), names: BTreeSet::new() }
    }

    fn add(&mut self, name: &str, sql: &'static str, expr: String, guess: Option<&'static str>, key: bool) -> String {
        let name = unique(name, &mut self.names);
        if key {
            self.key.push(name.clone());
        }
        self.columns.push(Column { name: name.clone(), sql, expr, guess });
        name
    }

    /// A table for what is sealed: one whose secrets are all empty makes no row, which must not cost
    /// the other values theirs.
    fn split_secrets(&mut self, names: &mut BTreeSet<String>) -> Option<Table> {
        let (sealed, dropped) = std::mem::take(&mut self.secrets).into_iter().partition(|secret: &Secret| secret.seal);
        self.secrets = dropped;
        let mut table = Table::new(unique(&format!("{}_secrets", self.name), names));
        table.each.clone_from(&self.each);
        table.secrets = sealed;
        for column in self.columns.iter().filter(|column| self.key.contains(&column.name)) {
            table.key.push(column.name.clone());
            table.columns.push(Column { guess: None, ..column.clone() });
        }
        (!table.secrets.is_empty()).then_some(table)
    }

    fn add_secret(&mut self, name: &str, path: String, seal: bool) {
        let name = unique(name, &mut self.names);
        self.secrets.push(Secret { name, path, seal });
    }

    /// The rule in TOML.
    pub(super) fn rule(&self) -> String {
        if self.columns.is_empty() {
            // Nothing but secrets without a key: they are dropped elsewhere.
            return String::new();
        }
        let mut out = format!("\n[table.{}]\n", self.name);
        if let Some(each) = &self.each {
            let _ = writeln!(out, "each = {}", toml_string(each));
        }
        if self.key.is_empty() {
            out += "# guess: no key; a second import compares whole rows\n";
        } else {
            let key: Vec<String> = self.key.iter().map(|name| toml_string(name)).collect();
            let _ = writeln!(out, "key = [{}] # guess: this identifies a row", key.join(", "));
        }
        let _ = write!(out, "\n[table.{}.columns]\n", self.name);
        for column in &self.columns {
            let guess = column.guess.map_or_else(String::new, |guess| format!(" # guess: {guess}"));
            let _ = writeln!(out, "{} = {}{guess}", column.name, column.expr);
        }
        for secret in self.secrets.iter().filter(|secret| secret.seal) {
            let _ = writeln!(out, "{} = {{ seal = {} }} {LOOKS_SECRET}", secret.name, toml_string(&secret.path));
        }
        let dropped: Vec<_> = self.secrets.iter().filter(|secret| !secret.seal).collect();
        if !dropped.is_empty() {
            let _ = write!(out, "\n[table.{}.drop]\n", self.name);
        }
        for secret in dropped {
            let path = toml_string(&secret.path);
            let _ = writeln!(out, "{path} = \"say why it may be skipped, or seal it\" {LOOKS_SECRET}");
        }
        out
    }

    /// The table in SQL.
    pub(super) fn create(&self) -> String {
        let column = |name: &String, declared: &str| NewColumn {
            name: name.clone(),
            declared: declared.to_owned(),
            not_null: self.key.contains(name),
        };
        let sealed = self.secrets.iter().filter(|secret| secret.seal).map(|secret| column(&secret.name, "TEXT"));
        let columns: Vec<NewColumn> = self.columns.iter().map(|of| column(&of.name, of.sql)).chain(sealed).collect();
        let given = unique("row_id", &mut self.names.clone());
        format!("\n{}", create_table(&self.name, &columns, &self.key, &given))
    }
}
