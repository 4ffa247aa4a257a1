//! A difference between a live database and its migrations, written as a migration.

mod columns;

use super::catalog::{Catalog, Other};
use super::ddl::name;
use super::drift::Leave;
use super::drift_tables::table_differences;
use crate::table::Table;
use std::collections::{BTreeMap, BTreeSet};

/// The start of a comment for what needs manual action.
pub const BY_HAND: &str = "-- manual action: ";

/// The SQL that turns `expected` into `live`, and the SQL that undoes it; empty where nothing differs.
/// What no statement can do, or only by losing data, is a comment that asks for manual action.
///
/// Objects are dropped before what they depend on and created after it; the down file is the reverse.
pub fn migration(expected: &Catalog, live: &Catalog, leave: Leave<'_>) -> (String, String) {
    let mut drift = Drift { expected, live, leave, hands: BTreeSet::new(), pair: Pair::default() };
    let renamed = drift.renamed();
    let mut changes = Vec::new();
    for (made, there) in expected.schema.tables.values().filter_map(|made| Some((made, live.schema.table(&made.name)?)))
    {
        let sql = live.made.get(&made.name).map(String::as_str).unwrap_or_default();
        let change = columns::judge(made, there, sql);
        if !change.by_hand.is_empty() {
            drift.hands.insert(&made.name);
        }
        changes.push(change);
    }
    drift.hands.extend(renamed.iter().flat_map(|(old, new)| [*old, *new]));

    drift.others_that_go();
    drift.indexes_that_go();
    for change in &changes {
        change.gone.iter().for_each(|(up, down)| drift.pair.both(up, down));
    }
    drift.tables();
    for change in &changes {
        change.new.iter().for_each(|(up, down)| drift.pair.both(up, down));
    }
    drift.indexes_that_come();
    drift.others_that_come();
    for (old, new) in renamed {
        let rename = format!("ALTER TABLE {} RENAME TO {};", name(old), name(new));
        drift.pair.by_hand(&format!(
            "table `{old}` is missing, and `{new}` has its columns; if it was renamed, write: {rename}"
        ));
    }
    for told in changes.iter().flat_map(|change| change.by_hand.iter().chain(&change.others)) {
        drift.pair.by_hand(told);
    }
    drift.pair.finish()
}

/// The two sides, and what is written so far.
struct Drift<'a> {
    expected: &'a Catalog,
    live: &'a Catalog,
    leave: Leave<'a>,
    /// Tables that need manual action: so does what depends on them.
    hands: BTreeSet<&'a str>,
    pair: Pair,
}

impl<'a> Drift<'a> {
    fn went(&self) -> impl Iterator<Item = &'a Table> + use<'a> {
        let live = &self.live.schema;
        self.expected.schema.tables.values().filter(|table| live.table(&table.name).is_none())
    }

    fn came(&self) -> impl Iterator<Item = &'a Table> + use<'a> {
        let (expected, leave) = (&self.expected.schema, self.leave);
        let tables = self.live.schema.tables.values();
        tables.filter(move |table| expected.table(&table.name).is_none() && !leave.knows(&table.name))
    }

    /// Tables that went while another came with the same columns: to drop the one would lose its rows.
    fn renamed(&self) -> Vec<(&'a str, &'a str)> {
        let mut taken = BTreeSet::new();
        let mut found = Vec::new();
        for old in self.went() {
            let same = self.came().find(|new| new.columns == old.columns && !taken.contains(&new.name));
            if let Some(new) = same {
                taken.insert(&new.name);
                found.push((old.name.as_str(), new.name.as_str()));
            }
        }
        found
    }

    /// Tables that went or came as a whole. The indexes and triggers of one that went, went with it.
    fn tables(&mut self) {
        // A table is made behind those that it references, and dropped before them.
        let ranks = |catalog: &'a Catalog| -> BTreeMap<&'a str, usize> {
            catalog.schema.parents_first().into_iter().map(|table| table.name.as_str()).zip(0..).collect()
        };
        let (of_expected, of_live) = (ranks(self.expected), ranks(self.live));
        let mut went: Vec<&Table> = self.went().filter(|table| !self.hands.contains(table.name.as_str())).collect();
        went.sort_by_key(|table| std::cmp::Reverse(of_expected.get(table.name.as_str())));
        let mut came: Vec<&Table> = self.came().filter(|table| !self.hands.contains(table.name.as_str())).collect();
        came.sort_by_key(|table| of_live.get(table.name.as_str()));
        for table in went {
            self.pair.both(&format!("DROP TABLE {};", name(&table.name)), made(self.expected, table));
        }
        for table in came {
            self.pair.both(made(self.live, table), &format!("DROP TABLE {};", name(&table.name)));
        }
    }

    /// Whether a table is there when the up file is run, and still is when what goes has gone.
    fn stays(&self, table: &str) -> bool {
        self.live.schema.table(table).is_some() || self.hands.contains(table)
    }

    fn indexes_that_go(&mut self) {
        let (expected, live) = (self.expected, self.live);
        for (index, made) in &expected.indexes {
            match live.indexes.get(index) {
                Some(there) if made.same_as(there) => {}
                Some(there) if self.is_left(&there.table, "") => {}
                _ if self.stays(&made.table) => self.pair.both(&format!("DROP INDEX {};", name(index)), &made.sql),
                _ => self.pair.down(&made.sql),
            }
        }
    }

    fn indexes_that_come(&mut self) {
        let (expected, live) = (self.expected, self.live);
        for (index, there) in live.indexes.iter().filter(|(_, there)| !self.leave.knows(&there.table)) {
            if expected.indexes.get(index).is_some_and(|made| made.same_as(there)) {
                continue; // Nothing came.
            }
            if self.is_left(&there.table, "") {
                self.pair.by_hand(&format!("index `{index}` differs: {}", line(&there.sql)));
            } else {
                self.pair.both(&there.sql, &format!("DROP INDEX {};", name(index)));
            }
        }
    }

    fn others_that_go(&mut self) {
        let (expected, live) = (self.expected, self.live);
        let mut gone: Vec<(&String, &Other)> = expected.others.iter().collect();
        gone.retain(|(other, made)| match live.others.get(*other) {
            Some(there) => self.is_another(made, there) && self.obstacle(made, there).is_none(),
            None => !calls_a_function(made),
        });
        gone.sort_by_key(|(_, made)| std::cmp::Reverse(rank(made)));
        for (other, made) in gone {
            let went_with_its_table = made.kind == "trigger" && !self.stays(&made.table) && self.was_table(&made.table);
            if went_with_its_table {
                self.pair.down(&made_again(other, made));
            } else {
                self.pair.both(&dropped(other, made), &made_again(other, made));
            }
        }
    }

    fn others_that_come(&mut self) {
        let (expected, live) = (self.expected, self.live);
        let mut new: Vec<(&String, &Other)> = live.others.iter().collect();
        new.sort_by_key(|(_, there)| rank(there));
        for (other, there) in new {
            let obstacle = match expected.others.get(other) {
                Some(made) if !self.is_another(made, there) => continue, // It is as it was.
                Some(made) => self.obstacle(made, there),
                None if calls_a_function(there) => Some(CALLS),
                None => {
                    self.is_left(&there.table, &there.sql).then_some("it depends on something that needs manual action")
                }
            };
            match obstacle {
                None => self.pair.both(&made_again(other, there), &dropped(other, there)),
                Some(why) => self.pair.by_hand(&format!("{} `{other}` differs; {why}", there.kind)),
            }
        }
    }

    /// Whether a view, a trigger or a virtual table is not as it was made. A trigger of a view goes with
    /// it, and so has to come again with it.
    fn is_another(&self, made: &Other, there: &Other) -> bool {
        let views = || Some((self.expected.others.get(&made.table)?, self.live.others.get(&there.table)?));
        !made.same_as(there)
            || (made.kind == "trigger" && views().is_some_and(|(made, there)| self.is_another(made, there)))
    }

    /// Why a view, a trigger or a virtual table cannot be dropped and made as it is now.
    fn obstacle(&self, made: &Other, there: &Other) -> Option<&'static str> {
        if calls_a_function(made) || calls_a_function(there) {
            return Some(CALLS);
        }
        if self.is_left(&there.table, &there.sql) || self.is_left(&made.table, &made.sql) {
            return Some("it depends on something that needs manual action");
        }
        let keeps_rows = |other: &Other| other.kind == "virtual table" && content(&other.sql).is_none();
        (keeps_rows(made) || keeps_rows(there)).then_some("recreating it would lose its rows")
    }

    fn was_table(&self, table: &str) -> bool {
        self.expected.schema.table(table).is_some()
    }

    /// Whether something belongs to a table that needs manual action, or its SQL names one.
    fn is_left(&self, table: &str, sql: &str) -> bool {
        let names = |word: &str| self.hands.iter().any(|hand| hand.eq_ignore_ascii_case(word));
        names(table) || sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(names)
    }
}

/// The SQL that made a table; every table in a catalog was made by some.
fn made<'c>(catalog: &'c Catalog, table: &Table) -> &'c str {
    catalog.made.get(&table.name).map_or("", String::as_str)
}

fn line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Why a trigger that calls a function is not written.
const CALLS: &str = "`pg_dump --schema-only` writes it with its function";

/// Whether a trigger calls a function, which no catalog has.
fn calls_a_function(other: &Other) -> bool {
    other.kind == "trigger" && other.sql.contains("EXECUTE FUNCTION")
}

/// A virtual table may read a view, and a trigger may be of one.
fn rank(other: &Other) -> u8 {
    match other.kind {
        "view" => 0,
        "virtual table" => 1,
        _ => 2,
    }
}

fn dropped(other: &str, made: &Other) -> String {
    let word = match made.kind {
        "view" => "VIEW",
        "trigger" => "TRIGGER",
        _ => "TABLE",
    };
    format!("DROP {word} {};", name(other))
}

/// The SQL of a view, a trigger or a virtual table. A full-text index over the rows of another table
/// is empty until it is told to read them.
fn made_again(other: &str, made: &Other) -> String {
    if is_over_another(made) {
        let name = name(other);
        format!("{}\nINSERT INTO {name} ({name}) VALUES ('rebuild');", ended(&made.sql))
    } else {
        made.sql.clone()
    }
}

/// Whether it is a full-text index over the rows of another table.
pub(super) fn is_over_another(made: &Other) -> bool {
    made.kind == "virtual table" && content(&made.sql).is_some_and(|table| !table.is_empty())
}

/// Whose rows a full-text table is an index of: the `content` of its declaration; an empty text for one
/// that keeps no text at all. None for a table that has rows of its own.
fn content(sql: &str) -> Option<&str> {
    let (head, arguments) = sql.split_once('(')?;
    let module = head.split_whitespace().next_back()?.to_ascii_lowercase();
    if module != "fts5" && module != "fts4" {
        return None;
    }
    let options = arguments.trim_end().trim_end_matches(';').strip_suffix(')')?.split(',');
    let content = options.filter_map(|option| option.split_once('=')).find(|(key, _)| key.trim() == "content")?;
    Some(content.1.trim().trim_matches(['\'', '"']))
}

/// Two scripts that grow from opposite ends.
#[derive(Default)]
struct Pair {
    up: Vec<String>,
    down: Vec<String>,
}

impl Pair {
    fn both(&mut self, up: &str, down: &str) {
        self.up.push(ended(up));
        self.down(down);
    }

    fn down(&mut self, sql: &str) {
        self.down.push(ended(sql));
    }

    fn by_hand(&mut self, told: &str) {
        self.up.push(format!("{BY_HAND}{told}"));
        self.down.push(format!("{BY_HAND}the reverse of: {told}"));
    }

    fn finish(mut self) -> (String, String) {
        self.down.reverse();
        let text = |lines: Vec<String>| lines.into_iter().map(|line| line + "\n").collect();
        (text(self.up), text(self.down))
    }
}

fn ended(sql: &str) -> String {
    if sql.trim_end().ends_with(';') { sql.to_owned() } else { format!("{sql};") }
}

#[cfg(test)]
mod tests;
