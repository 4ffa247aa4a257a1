//! The columns of one table: scalars and objects in objects become columns, what looks like a secret is sealed, lists
//! and maps are left to tables of their own, and what has no one form is kept as JSON.

use super::choose;
use super::names::snake;
use super::table::{Column, Expr, Secret, Source, Table, covering, path_of};
use crate::document::tape::{Segment, Selection};
use crate::inspect::profile::{At, Copies, Profile, Stats};
use crate::mapping::model::Root;

/// Objects in objects become columns down to this depth; deeper ones are kept as JSON.
const DEEPEST: usize = 3;
/// So many columns a table has at most; what is left is kept as JSON.
const MOST_COLUMNS: usize = 300;
/// What stands beside a guess that a value is a secret.
const LOOKS_SECRET: &str = "it looks like a secret; if it is none, keep it in a column with `declassify`";
/// Why what an id names may be kept, whatever the id looks like.
const BY_CHANCE: &str = "it is named by an id, which looks like the name of a secret by chance";
/// What is said of secrets in what is kept as JSON.
pub(super) const HOLDS_SECRETS: &str = "looks like a secret in what is kept as JSON";

/// What rows are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// Whole documents.
    Documents,
    /// Documents that are lines.
    Lines,
    /// Elements of a list.
    Elements,
    /// Members of a map.
    Members,
}

/// Fills a table with columns.
pub(super) struct Fill<'a> {
    pub(super) profile: &'a Profile,
    /// From the record to what the rows are made of.
    pub(super) way: &'a [Segment],
    /// Whether only objects are meant, although the path leads to more.
    pub(super) only_objects: bool,
    /// The same of scalars.
    pub(super) only_scalars: bool,
    /// Whether the rows have a key, or can have one.
    pub(super) keyed: bool,
    /// The member that is the key already.
    pub(super) skip: Option<At>,
    /// How many more tables may be made.
    pub(super) room: usize,
    pub(super) filled: Filled,
}

/// What was found beside columns.
#[derive(Default)]
pub(super) struct Filled {
    pub(super) lists: Vec<List>,
    /// What JSON columns keep.
    pub(super) expected: Vec<String>,
    /// What is left out, with the reason.
    pub(super) ignored: Vec<(String, String)>,
}

/// A list or map that wants a table of its own.
pub(super) struct List {
    /// From the row around it.
    pub(super) each: Vec<Segment>,
    pub(super) rows: Rows,
    /// The list or map.
    pub(super) map: At,
    /// Its elements or members.
    pub(super) at: At,
}

impl<'a> Fill<'a> {
    fn stats(&self, at: At) -> &'a Stats {
        &self.profile.stats[at]
    }

    /// Makes columns of what a path leads to.
    pub(super) fn element(&mut self, table: &mut Table, at: At) {
        let stats = self.stats(at);
        if stats.is_scalar() || self.only_scalars {
            self.scalar(table, &[], at);
        } else if (stats.kinds() == 1 || self.only_objects)
            && stats.objects > 0
            && stats.any_member.is_none()
            && has_members(self.profile, stats)
        {
            self.object(table, &mut Vec::new(), at);
        } else if let Some(list) = self.rows_of(at, &[]) {
            self.filled.lists.push(list);
        } else {
            self.json(table, &[], at);
        }
    }

    fn object(&mut self, table: &mut Table, way: &mut Vec<Segment>, at: At) {
        let claims = |this: &Self, table: &Table| {
            (table.columns.len(), this.filled.lists.len(), table.secrets.iter().filter(|secret| secret.seal).count())
        };
        let before = claims(self, table);
        self.members(table, way, at);
        let stats = self.stats(at);
        // Nothing names an object of which nothing is kept.
        if claims(self, table) == before && stats.nulls + stats.empties > 0 {
            let whole: Vec<Segment> = self.way.iter().chain(&*way).cloned().collect();
            if whole.is_empty() {
                self.json(table, &[], at);
            } else {
                let entry = covering(self.root(), &whole, false);
                self.filled.ignored.push((entry, "nothing is in it but what is left out".to_owned()));
            }
        }
    }

    fn root(&self) -> Root {
        if self.way.is_empty() { Root::Element } else { Root::Record }
    }

    fn members(&mut self, table: &mut Table, way: &mut Vec<Segment>, at: At) {
        for (name, member) in &self.stats(at).members {
            let stats = self.stats(*member);
            if self.skip == Some(*member) || stats.count == 0 {
                continue; // the key is a column already
            }
            way.push(Segment::Name(name.clone()));
            let full = table.columns.len() + table.secrets.len() >= MOST_COLUMNS;
            if stats.is_scalar() && !full {
                self.scalar(table, way, *member);
            } else if let Some(list) = self.rows_of(*member, way) {
                self.filled.lists.push(list);
            } else if stats.kinds() == 1
                && stats.objects > 0
                && stats.any_member.is_none()
                && way.len() < DEEPEST
                && !full
                && has_members(self.profile, stats)
            {
                self.object(table, way, *member);
            } else {
                self.json(table, way, *member);
            }
            way.pop();
        }
    }

    /// What makes rows of its own: a list of objects, a map, a list of secrets.
    fn rows_of(&self, at: At, way: &[Segment]) -> Option<List> {
        let stats = self.stats(at);
        // Rows must be told apart by the row around them.
        if stats.kinds() != 1 || self.filled.lists.len() >= self.room || !self.keyed || stats.odd_names {
            return None;
        }
        let (segment, rows, element) = match (stats.any_member, stats.elements) {
            (Some(any), None) if stats.arrays == 0 => (Segment::Members, Rows::Members, any),
            (None, Some(element)) if stats.objects == 0 => (Segment::Elements, Rows::Elements, element),
            _ => return None,
        };
        let of = self.stats(element);
        let objects = of.objects + of.nulls == of.count && of.any_member.is_none() && has_members(self.profile, of);
        let sealed = of.secret && of.is_scalar() && of.kinds() == 1 && of.booleans == 0;
        let fits = match rows {
            Rows::Members => true,
            _ => objects || sealed,
        };
        let each = way.iter().cloned().chain([segment]).collect();
        (fits && of.count > 0).then_some(List { each, rows, map: at, at: element })
    }

    fn scalar(&mut self, table: &mut Table, way: &[Segment], at: At) {
        let stats = self.stats(at);
        let path = path_of(way);
        let name = name_for(way, "value");
        let whole: Vec<Segment> = self.way.iter().chain(way).cloned().collect();
        // What only `.*` names is in plaintext as if nothing named it.
        let is_any = whole.iter().rev().find(|segment| **segment != Segment::Elements) == Some(&Segment::Members);
        let copies = if is_any { stats.copies } else { Copies::Nothing };
        if stats.secret || copies == Copies::Secret {
            let plain = stats.booleans == 0 && stats.kinds() == 1 && stats.facts.nuls == 0;
            let why = if stats.secret { LOOKS_SECRET } else { "one of the values is a secret elsewhere" };
            return table.add_secret(&name, path, plain && self.keyed, why);
        }
        if copies == Copies::Neighbour {
            self.filled.expected.push(covering(self.root(), &whole, false));
        }
        let member = way.last().and_then(name_of).unwrap_or("");
        let choice = choose::scalar(member, &path, stats);
        let at = matches!(choice.expr, Expr::Path(_)).then_some(Source::Path(at));
        let declassify = stats.by_chance.then_some(BY_CHANCE);
        let column = Column { guess: choice.guess, at, declassify, ..Column::new(&name, &choice.sql, choice.expr) };
        table.add(column, false);
    }

    /// A column that keeps all that is there but what looks like a secret.
    fn json(&mut self, table: &mut Table, way: &[Segment], at: At) {
        let whole: Vec<Segment> = self.way.iter().chain(way).cloned().collect();
        let root = self.root();
        let mut secret = Vec::new();
        let by_chance = self.secrets_below(at, &mut Vec::new(), &mut secret);
        // A path must be there to be ignored, and a record is never ignored as a whole.
        let all_secret = self.stats(at).secret || secret.iter().any(Vec::is_empty);
        if all_secret && !whole.is_empty() {
            self.ignore(covering(root, &whole, true));
            return;
        }
        if self.stats(at).secret {
            for (segment, _) in self.stats(at).below() {
                self.ignore(covering(root.clone(), &[segment], true));
            }
            table.secrets.push(Secret {
                name: name_for(way, "data"),
                path: path_of(way),
                seal: false,
                why: LOOKS_SECRET,
            });
            return;
        }
        for path in &secret {
            let way: Vec<Segment> = whole.iter().chain(path).cloned().collect();
            self.ignore(covering(root.clone(), &way, true));
        }
        let expected = covering(root, &whole, true);
        self.filled.expected.push(expected.clone());
        let without: Vec<Selection> = secret.into_iter().map(Selection).collect();
        let stats = self.stats(at);
        let from = path_of(way);
        let scalars = stats.kinds() > 1;
        let expr = if scalars { Expr::AnyJson { from, without } } else { Expr::Json { from, without } };
        let guess = match (scalars, stats.kinds()) {
            (true, _) => "it has several types, and is kept as it is",
            (_, 0) => "it is always empty here",
            _ => "kept as it is; give it a table where rows are wanted",
        };
        let of_scalars = |elements: &At| {
            let of = self.stats(*elements);
            of.is_scalar() && of.kinds() == 1 && of.nulls == 0 && of.booleans == 0
        };
        let list = stats.elements.filter(|_| !scalars && self.keyed).filter(of_scalars);
        let at = list.map(|elements| Source::List { elements, way: way.to_vec(), expected });
        let declassify = by_chance.then_some(BY_CHANCE);
        let column = Column::new(&name_for(way, "data"), "JSON", expr).guessed(guess);
        let column = Column { at, declassify, ..column };
        table.add(column, false);
    }

    fn ignore(&mut self, entry: String) {
        let entry = (entry, HOLDS_SECRETS.to_owned());
        if !self.filled.ignored.contains(&entry) {
            self.filled.ignored.push(entry);
        }
    }

    /// The outermost secret paths below one, and whether others there are named like secrets by chance.
    fn secrets_below(&self, at: At, way: &mut Vec<Segment>, found: &mut Vec<Vec<Segment>>) -> bool {
        let mut by_chance = self.stats(at).by_chance;
        for (segment, below) in self.stats(at).below() {
            way.push(segment);
            let stats = self.stats(below);
            if stats.secret || stats.copies == Copies::Secret {
                found.push(way.clone());
            } else {
                by_chance |= self.secrets_below(below, way, found);
            }
            way.pop();
        }
        by_chance
    }
}

/// The name, if it is one.
pub(super) fn name_of(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Name(name) => Some(name),
        _ => None,
    }
}

/// Whether one of its members was ever met.
fn has_members(profile: &Profile, stats: &Stats) -> bool {
    stats.members.iter().any(|(_, at)| profile.stats[*at].count > 0)
}

fn name_for(way: &[Segment], alone: &str) -> String {
    let names: Vec<String> = way.iter().filter_map(name_of).map(snake).collect();
    if names.is_empty() { alone.to_owned() } else { names.join("_") }
}
