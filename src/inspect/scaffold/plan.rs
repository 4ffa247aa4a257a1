//! Rules and tables made from the documents of one type.
//!
//! Lists of objects and maps become tables of their own, at any depth, each with the key of the row around it. What
//! has no one form stays as JSON, and what looks like a secret is sealed.

use super::fill::{Fill, Filled, List, Rows, name_of};
use super::names::{one_of, snake, table_name, unique};
use super::shapes::Records;
use super::table::{Column, Expr, Source, Table, path_of};
use crate::document::tape::{Segment, Selection};
use crate::inspect::FileType;
use crate::inspect::profile::{At, Profile, Stats};
use std::collections::{BTreeSet, VecDeque};

/// So many tables are made of a type at most.
const MOST_TABLES: usize = 100;
/// Names of members that say nothing of what is in them.
const OF_ANYTHING: [&str; 8] = ["list", "items", "data", "entries", "records", "rows", "values", "all"];

/// What was made of a type of files.
#[derive(Default)]
pub(super) struct Made {
    pub(super) tables: Vec<Table>,
    /// What JSON columns keep.
    pub(super) expected: Vec<String>,
    /// What is left out, with the reason.
    pub(super) ignored: Vec<(String, String)>,
}

/// A table that is to be made.
struct Wanted {
    name: String,
    parent: Option<String>,
    /// From the row around it.
    each: Vec<Segment>,
    /// From the record.
    way: Vec<Segment>,
    outer: Vec<Column>,
    rows: Rows,
    at: At,
    /// The map whose names identify the rows.
    map: At,
    /// Whether they are records, which are known in the whole type.
    records: bool,
    only_objects: bool,
    only_scalars: bool,
    shapes: Vec<&'static str>,
}

/// Makes tables of the documents of one type.
pub(super) struct Planner<'a> {
    pub(super) profile: &'a Profile,
    /// Whether every line is a document.
    lines: bool,
    pub(super) captures: &'a [String],
    /// Whether the captures do not tell every file of the type from the others.
    pub(super) by_path: bool,
    /// The mapping's name.
    pub(super) name: &'a str,
    /// Names of tables that are there already.
    pub(super) taken: &'a mut BTreeSet<String>,
    /// Names of what `key_as` names.
    contexts: BTreeSet<String>,
    made: Made,
    wanted: VecDeque<Wanted>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        of: &'a FileType,
        captures: &'a [String],
        by_path: bool,
        name: &'a str,
        taken: &'a mut BTreeSet<String>,
    ) -> Self {
        let contexts = captures.iter().cloned().collect();
        let (profile, lines) = (&of.profile, of.lines);
        Self {
            profile,
            lines,
            captures,
            by_path,
            name,
            taken,
            contexts,
            made: Made::default(),
            wanted: VecDeque::new(),
        }
    }

    /// Makes the tables of the records of some shapes, and gives what `key_as` calls their names.
    pub(super) fn records(&mut self, of: &Records) -> Option<String> {
        let mut outer: Vec<Column> = Vec::new();
        for capture in self.captures {
            let column = Column::new(&snake(capture), "TEXT", Expr::Path(format!("#{capture}")));
            outer.push(Column { inherited: true, ..column.of(Source::Capture(capture.clone())) });
        }
        if self.by_path {
            let column = Column::new("file", "TEXT", Expr::Path("#file".to_owned()));
            outer.push(Column { inherited: true, ..column });
        }
        let rows = match of.records.last() {
            None if self.lines => Rows::Lines,
            None => Rows::Documents,
            Some(Segment::Members) => Rows::Members,
            Some(_) => Rows::Elements,
        };
        let key_as = (rows == Rows::Members).then(|| self.context(&of.records, of.at));
        let wanted = Wanted {
            name: unique(&table_name(self.name), self.taken),
            parent: None,
            each: Vec::new(),
            way: Vec::new(),
            outer,
            rows,
            at: of.at,
            map: of.map,
            records: true,
            only_objects: of.only_objects,
            only_scalars: of.only_scalars,
            shapes: of.shapes.clone(),
        };
        self.table(&wanted, key_as.as_deref());
        while let Some(wanted) = self.wanted.pop_front() {
            let key_as = (wanted.rows == Rows::Members).then(|| self.context(&wanted.each, wanted.at));
            self.table(&wanted, key_as.as_deref());
        }
        key_as
    }

    pub(super) fn made(self) -> Made {
        self.made
    }

    fn stats(&self, at: At) -> &'a Stats {
        &self.profile.stats[at]
    }

    /// A name for the names of a map's members, which none of their own members has.
    fn context(&mut self, way: &[Segment], at: At) -> String {
        let of = way.iter().rev().find_map(name_of).map_or_else(|| self.name.to_owned(), snake);
        let one = one_of(&of).unwrap_or_else(|| "name".to_owned());
        let is_member = |one: &str| self.stats(at).members.iter().any(|(member, _)| snake(member) == one);
        let one = match &*one {
            "owner" | "file" | "stem" | "started" | "index" | "position" => format!("{one}_name"),
            _ if is_member(&one) => "key".to_owned(),
            _ => one,
        };
        unique(&one, &mut self.contexts)
    }

    fn table(&mut self, of: &Wanted, key_as: Option<&str>) {
        let mut table = Table::new(of.name.clone());
        table.parent.clone_from(&of.parent);
        table.shapes.clone_from(&of.shapes);
        table.each = (!of.each.is_empty()).then(|| Selection(of.each.clone()));
        table.key_as = key_as.filter(|_| !of.records).map(str::to_owned);
        let own = if matches!(of.rows, Rows::Elements | Rows::Lines) { self.own_key(of) } else { None };
        let alone = own.as_ref().is_some_and(|own| own.alone);
        of.outer.iter().for_each(|outer| drop(table.add(outer.clone(), !alone)));
        let mut skip = None;
        match (&of.rows, own) {
            (Rows::Members, _) => {
                let name = key_as.unwrap_or("name");
                let column = Column::new(name, "TEXT", Expr::Path(format!("#{name}")));
                table.add(column.of(Source::NamesOf(of.map)), true);
                table.why = Some("the names of the members identify the rows".to_owned());
            }
            (Rows::Elements | Rows::Lines, Some(own)) => {
                let path = Expr::Path(path_of(&[Segment::Name(own.name.to_owned())]));
                table.add(Column::new(&snake(own.name), own.sql, path).of(Source::Path(own.at)), true);
                skip = Some(own.at);
                table.why = Some(own.why);
            }
            (Rows::Elements | Rows::Lines, None) => {
                table.add(position(), true);
                table.why = Some("no member identifies a row; its place in the list does".to_owned());
            }
            (Rows::Documents, _) if !table.key.is_empty() => {
                table.why = Some("a file is one row".to_owned());
            }
            (Rows::Documents, _) => {} // a key is added where it is needed
        }
        let keyed = !table.key.is_empty() || of.rows == Rows::Documents;
        let mut fill = Fill {
            profile: self.profile,
            way: &of.way,
            only_objects: of.only_objects,
            only_scalars: of.only_scalars,
            keyed,
            skip,
            room: MOST_TABLES.saturating_sub(self.made.tables.len() + self.wanted.len()),
            filled: Filled::default(),
        };
        fill.element(&mut table, of.at);
        let Filled { lists, expected, ignored } = fill.filled;
        self.made.expected.extend(expected);
        self.made.ignored.extend(ignored);
        // What has no columns needs no row: those below are known without it.
        let is_row = !table.columns.is_empty() || !table.secrets.is_empty() || lists.is_empty();
        let alone = of.rows == Rows::Documents && of.outer.is_empty();
        if alone && table.secrets.iter().any(|secret| secret.seal) {
            table.add(Column::new("file", "TEXT", Expr::Path("#file".to_owned())), true);
            table.why = Some("a secret needs a row with a key, and there is one file".to_owned());
        }
        // Below one document all rows are its own, which needs no words.
        let is_parent = is_row && !alone;
        let mine = if is_parent { table.outer() } else { of.outer.clone() };
        if !is_parent {
            self.taken.remove(&table.name);
        }
        let is_parent_of_some = !lists.is_empty();
        for List { each, rows, map, at } in lists {
            let mut name = plain_name(&each);
            if is_parent {
                let base = one_of(&table.name).unwrap_or_else(|| table.name.clone());
                name = format!("{base}_{}", if name.is_empty() { "items" } else { &name });
            } else if name.is_empty() {
                name.clone_from(&table.name);
            }
            self.wanted.push_back(Wanted {
                name: unique(&table_name(&name), self.taken),
                parent: is_parent.then(|| table.name.clone()),
                way: of.way.iter().chain(&each).cloned().collect(),
                each,
                outer: mine.clone(),
                rows,
                at,
                map,
                records: false,
                only_objects: false,
                only_scalars: false,
                shapes: of.shapes.clone(),
            });
        }
        if is_row {
            if !is_parent {
                let name =
                    if self.taken.contains(&table.name) { format!("{}_file", table.name) } else { table.name.clone() };
                table.name = unique(&name, self.taken);
            }
            // Rows of nothing but secrets need none beside them.
            let is_split = is_parent_of_some || table.columns.iter().any(|column| !table.key.contains(&column.name));
            let secrets = if is_split { table.split_secrets(self.taken) } else { None };
            self.made.tables.push(table);
            self.made.tables.extend(secrets);
        }
    }

    /// The member that identifies the rows: it is in all of them, and named like an id.
    fn own_key(&self, of: &Wanted) -> Option<Own<'a>> {
        let stats = self.stats(of.at);
        if stats.any_member.is_some() || stats.kinds() != 1 || stats.objects != stats.count {
            return None;
        }
        let one = one_of(&of.name).unwrap_or_else(|| of.name.clone());
        let rank = |name: &str| match snake(name).as_str() {
            "id" => Some(0),
            "uuid" | "guid" => Some(1),
            "key" | "slug" | "code" => Some(2),
            other if other.strip_suffix("_id").is_some_and(|of| one.ends_with(of)) => Some(3),
            "no" | "number" if stats.count > 1 => Some(4),
            _ => None,
        };
        let fits = |at: &At| {
            let member = self.stats(*at);
            let facts = &member.facts;
            let one_kind = facts.strings == stats.objects || facts.integers == stats.objects;
            let repeats = if of.records { facts.repeats_in_file } else { facts.repeats_in_list };
            let whole = facts.distinct.is_some() && facts.empty == 0 && facts.nuls == 0;
            one_kind && member.count == stats.objects && whole && !repeats && !member.secret
        };
        let members = stats.members.iter().filter(|(_, at)| fits(at));
        let ranked = members.filter_map(|(name, at)| Some((rank(name)?, name, *at)));
        let (_, name, at) = ranked.min_by_key(|(rank, _, _)| *rank)?;
        let facts = &self.stats(at).facts;
        let several = !of.outer.is_empty();
        let alone = of.records && (!several || !facts.repeats);
        let why = match (of.records, alone) {
            (_, true) => format!("no two of {} records have the same {name}", stats.count),
            (true, false) => format!("no two records of a file have the same {name}"),
            (false, _) => format!("no two elements of a list have the same {name}"),
        };
        Some(Own { name, at, sql: if facts.integers > 0 { "INTEGER" } else { "TEXT" }, alone, why })
    }
}

/// The member that identifies rows.
struct Own<'a> {
    name: &'a str,
    at: At,
    sql: &'static str,
    /// Without the columns of what is around.
    alone: bool,
    why: String,
}

/// The place in the list.
pub(super) fn position() -> Column {
    Column::new("position", "INTEGER", Expr::Path("#position".to_owned())).guessed("the order in the list")
}

/// What a list or map is called: its names from the row, without those that only say that it is one.
fn plain_name(each: &[Segment]) -> String {
    let names: Vec<String> = each.iter().filter_map(name_of).map(snake).collect();
    let telling: Vec<&str> = names.iter().map(String::as_str).filter(|name| !OF_ANYTHING.contains(name)).collect();
    if telling.is_empty() { names.join("_") } else { telling.join("_") }
}
