//! What refers to what: folders to their owners, values to the rows whose keys they are.
//!
//! A column refers to a table if all of its values are keys of rows there, and if its name says so or the values are
//! too long to be equal by chance. Rules that would wait for each other get none.

use super::mapping::Mapping;
use super::names::{one_of, snake, unique};
use super::plan::position;
use super::table::{Column, Expr, Source, Table};
use super::words::Owners;
use crate::document::tape::{Segment, Selection};
use crate::inspect::profile::At;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Texts of so many characters are not equal by chance.
const LONG: u64 = 6;

/// A table whose rows are known by one column.
struct Target {
    mapping: usize,
    table: String,
    column: String,
    integer: bool,
    /// Where its values come from.
    at: Source,
}

/// Finds all references, and whose folders they are.
pub(super) fn link(mappings: &mut [Mapping<'_>], taken: &mut BTreeSet<String>) -> Option<Owners> {
    let targets = targets(mappings);
    let mut waits = Waits::of(mappings);
    let owners = owners(mappings, &targets, &mut waits);
    for at in 0..mappings.len() {
        for table in 0..mappings[at].made.tables.len() {
            refer(mappings, at, table, &targets, &mut waits);
            link_lists(mappings, at, table, &targets, &mut waits, taken);
        }
    }
    owners
}

fn targets(mappings: &[Mapping<'_>]) -> Vec<Target> {
    let mut found = Vec::new();
    for (mapping, of) in mappings.iter().enumerate() {
        // Rows that only hold secrets have the keys of those beside them.
        for table in of.made.tables.iter().filter(|table| table.secrets.iter().all(|secret| !secret.seal)) {
            let [key] = table.key.as_slice() else { continue };
            let Some(column) = table.columns.iter().find(|column| column.name == *key) else { continue };
            if let Some(at @ (Source::Path(_) | Source::NamesOf(_))) = &column.at {
                let integer = column.sql == "INTEGER";
                let (table, column) = (table.name.clone(), key.clone());
                found.push(Target { mapping, table, column, integer, at: at.clone() });
            }
        }
    }
    found
}

impl Target {
    fn keys<'m>(&self, mappings: &'m [Mapping<'_>]) -> Option<&'m HashSet<u64>> {
        let profile = &mappings[self.mapping].of.profile;
        match self.at {
            Source::Path(at) => profile.stats[at].facts.distinct.as_ref(),
            Source::NamesOf(at) => Some(&profile.stats[at].names),
            _ => None,
        }
    }

    /// Whether a name says that values are its keys: `authorId` of `authors`, `person` of `people`.
    fn is_meant(&self, name: &str) -> bool {
        let name = snake(name);
        let bare =
            ["_ids", "_id", "_uuid", "_key", "_ref"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        let one = one_of(&self.table).unwrap_or_else(|| self.table.clone());
        let bare = one_of(bare).unwrap_or_else(|| bare.to_owned());
        bare == one || bare.ends_with(&format!("_{one}")) || one.ends_with(&format!("_{bare}"))
    }
}

/// Which table's rules run after which.
#[derive(Default)]
struct Waits(BTreeMap<String, BTreeSet<String>>);

impl Waits {
    fn of(mappings: &[Mapping<'_>]) -> Self {
        let mut waits = Self::default();
        for table in mappings.iter().flat_map(|mapping| &mapping.made.tables) {
            if let Some(parent) = &table.parent {
                waits.0.entry(table.name.clone()).or_default().insert(parent.clone());
            }
        }
        waits
    }

    fn reaches(&self, from: &str, to: &str) -> bool {
        let (mut todo, mut seen) = (vec![from], BTreeSet::new());
        while let Some(at) = todo.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                todo.extend(self.0.get(at).into_iter().flatten().map(String::as_str));
            }
        }
        false
    }

    /// Lets a table's rules wait for another's, unless those wait for them.
    fn add(&mut self, table: &str, on: &str) -> bool {
        if self.reaches(on, table) {
            return false;
        }
        self.0.entry(table.to_owned()).or_default().insert(on.to_owned());
        true
    }
}

/// Folders whose names are all keys of one table.
fn owners(mappings: &mut [Mapping<'_>], targets: &[Target], waits: &mut Waits) -> Option<Owners> {
    let mut folders: BTreeMap<String, HashSet<u64>> = BTreeMap::new();
    for mapping in mappings.iter() {
        let segments: Vec<&str> = mapping.of.pattern.split('/').collect();
        for (name, values) in &mapping.of.captures {
            if segments[..segments.len() - 1].contains(&format!("{{{name}}}").as_str()) {
                folders.entry(name.clone()).or_default().extend(values);
            }
        }
    }
    let has = |mapping: &Mapping<'_>, name: &str| mapping.of.captures.iter().any(|(known, _)| known == name);
    let (name, target) = folders.iter().find_map(|(name, values)| {
        let fits = |target: &&Target| {
            let keys = target.keys(mappings);
            !target.integer
                && !has(&mappings[target.mapping], name)
                && mappings[target.mapping].of.captures.is_empty()
                && !values.is_empty()
                && keys.is_some_and(|keys| values.is_subset(keys))
        };
        targets.iter().find(fits).map(|target| (name.clone(), target))
    })?;
    let why = format!(
        "every folder {{{name}}} is called like the {} of a row of {}; they are {} of {}",
        target.column,
        target.table,
        folders[&name].len(),
        target.keys(mappings).map_or(0, HashSet::len)
    );
    let owner = Expr::Path(format!("#owner.{}", target.column));
    for mapping in mappings.iter_mut() {
        for table in &mut mapping.made.tables {
            let Table { name: table, columns, .. } = table;
            let is_its = |column: &&mut Column| column.at == Some(Source::Capture(name.clone()));
            for column in columns.iter_mut().filter(is_its) {
                if matches!(&column.expr, Expr::Path(path) if path.starts_with('#')) {
                    column.expr = owner.clone();
                }
                column.references = Some((target.table.clone(), target.column.clone()));
                waits.add(table, &target.table);
            }
        }
    }
    Some(Owners { capture: name, table: target.table.clone(), column: target.column.clone(), why })
}

/// How values refer to a table: all of them, and with what evidence.
fn fits<'t>(
    mappings: &[Mapping<'_>],
    at: usize,
    path: At,
    name: &str,
    targets: &'t [Target],
    table: &str,
    waits: &Waits,
) -> Option<(&'t Target, String)> {
    let stats = &mappings[at].of.profile.stats[path];
    let facts = &stats.facts;
    let values = facts.distinct.as_ref().filter(|values| !values.is_empty())?;
    let one_kind = facts.fractions == 0 && stats.booleans == 0 && facts.empty == 0 && stats.kinds() == 1;
    let long = facts.chars.is_some_and(|(least, _)| least >= LONG) && values.len() > 1;
    let mut found: Option<(bool, &Target)> = None;
    for target in targets.iter().filter(|target| one_kind && !stats.secret && target.integer == (facts.integers > 0)) {
        let meant = target.is_meant(name);
        let better = found.is_none_or(|(known, _)| meant && !known);
        if better
            && (meant || (long && !target.integer))
            && (target.mapping, &target.at) != (at, &Source::Path(path))
            && !waits.reaches(&target.table, table)
            && target.keys(mappings).is_some_and(|keys| values.is_subset(keys))
        {
            found = Some((meant, target));
        }
    }
    let (_, target) = found?;
    let why = match values.len() {
        1 => format!("its one value is the {} of a row of {}", target.column, target.table),
        many => format!("all {many} values are the {} of a row of {}", target.column, target.table),
    };
    Some((target, why))
}

/// Columns whose values are keys of another table.
fn refer(mappings: &mut [Mapping<'_>], at: usize, number: usize, targets: &[Target], waits: &mut Waits) {
    let table = &mappings[at].made.tables[number];
    let name = table.name.clone();
    for index in 0..table.columns.len() {
        let table = &mappings[at].made.tables[number];
        let column = &table.columns[index];
        let (Some(Source::Path(path)), Expr::Path(from)) = (&column.at, &column.expr) else { continue };
        if column.inherited || table.key.contains(&column.name) {
            continue; // a key of its own
        }
        let Some((target, why)) = fits(mappings, at, *path, &column.name, targets, &name, waits) else { continue };
        let expr = Expr::Lookup { table: target.table.clone(), column: target.column.clone(), from: from.clone() };
        if waits.add(&name, &target.table) {
            let column = &mut mappings[at].made.tables[number].columns[index];
            column.expr = expr;
            column.references = Some((target.table.clone(), target.column.clone()));
            column.guess = Some(why);
        }
    }
}

/// Lists of keys of another table: a table between the two.
fn link_lists(
    mappings: &mut [Mapping<'_>],
    at: usize,
    number: usize,
    targets: &[Target],
    waits: &mut Waits,
    taken: &mut BTreeSet<String>,
) {
    let mut index = 0;
    while index < mappings[at].made.tables[number].columns.len() {
        let table = &mappings[at].made.tables[number];
        let column = &table.columns[index];
        index += 1;
        let Some(Source::List { elements, way, expected }) = column.at.clone() else { continue };
        let Some((target, why)) = fits(mappings, at, elements, &column.name, targets, &table.name, waits) else {
            continue;
        };
        let one = one_of(&table.name).unwrap_or_else(|| table.name.clone());
        let mut between = Table::new(unique(&format!("{one}_{}", column.name), taken));
        between.shapes.clone_from(&table.shapes);
        between.parent = Some(table.name.clone());
        between.each = Some(Selection(way.iter().cloned().chain([Segment::Elements]).collect()));
        table.outer().into_iter().for_each(|outer| drop(between.add(outer, true)));
        let distinct = !mappings[at].of.profile.stats[elements].facts.repeats_in_list;
        let of = one_of(&target.table).unwrap_or_else(|| target.table.clone());
        let name =
            if target.column.starts_with(&of) { target.column.clone() } else { format!("{of}_{}", target.column) };
        let lookup = Expr::Lookup { table: target.table.clone(), column: target.column.clone(), from: ".".to_owned() };
        let column = Column::new(&name, if target.integer { "INTEGER" } else { "TEXT" }, lookup).guessed(why);
        let references = Some((target.table.clone(), target.column.clone()));
        between.add(Column { references, ..column }, distinct);
        if !distinct {
            between.add(position(), true);
        }
        between.why = Some("a pair of rows that belong together".to_owned());
        waits.add(&between.name, &table.name);
        if waits.add(&between.name, &target.table) {
            let made = &mut mappings[at].made;
            made.expected.retain(|entry| *entry != expected);
            index -= 1;
            made.tables[number].columns.remove(index);
            made.tables.push(between);
        }
    }
}
