//! A first mapping set for a tree, made from its contents. It passes `check`; every guess in it is
//! marked for review.
//!
//! [`shapes`] finds the records of a type of files, [`plan`] makes tables of them, [`choose`] their columns, [`links`]
//! finds what refers to what, and [`words`] writes all of it.

mod choose;
mod fill;
mod guess;
mod links;
mod mapping;
mod names;
mod plan;
mod shapes;
mod table;
mod words;

use super::{FileType, Inspection, Unread};
use mapping::{Mapping, stem};
use names::{snake, unique};
use std::collections::BTreeSet;
use table::Table;
use words::SetText;

pub use guess::{Guess, Weight};

/// A first mapping set.
#[derive(Debug)]
pub struct Scaffold {
    /// Its files: relative name and text.
    pub files: Vec<(String, String)>,
    /// What was guessed, the weightiest first.
    pub guesses: Vec<Guess>,
}

/// A first mapping set of this name.
pub fn scaffold(inspection: &Inspection, name: &str) -> Scaffold {
    let name = snake(name);
    let mut taken = BTreeSet::from(["set".to_owned()]);
    let mut tables = BTreeSet::new();
    let (mut mappings, mut ignored) = (Vec::new(), Vec::new());
    for of in &inspection.types {
        if of.is_unread() || !can_be_left_out(of) {
            let what = if of.broken.is_empty() { "not JSON" } else { "invalid JSON" };
            ignored.push((of.pattern.clone(), what.to_owned()));
            continue; // nothing is known of what is in it
        }
        ignored.extend(of.unread.iter().map(|(path, why)| (path.clone(), why_unread(*why).to_owned())));
        let mapping = unique(&snake(stem(&of.pattern)), &mut taken);
        mappings.push(Mapping::new(of, mapping, &mut tables));
    }
    let owners = links::link(&mut mappings, &mut tables);
    let all: Vec<&Table> = mappings.iter().flat_map(|mapping| &mapping.made.tables).collect();
    let (up, down) = words::schema(&ordered(all));
    let texts = std::iter::once(words::set(&set_text(inspection, &name, owners, ignored)));
    let (mut files, mut guesses) = (Vec::new(), Vec::new());
    for text in texts.chain(mappings.iter().map(Mapping::text)) {
        files.push((text.file, text.text));
        guesses.extend(text.guesses);
    }
    files.push(("schema/001_first.up.sql".to_owned(), up));
    files.push(("schema/001_first.down.sql".to_owned(), down));
    guesses.sort_by_key(|guess| guess.weight);
    Scaffold { files, guesses }
}

/// Tables behind those that they refer to.
fn ordered(mut tables: Vec<&Table>) -> Vec<&Table> {
    let mut out: Vec<&Table> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    while !tables.is_empty() {
        let ready = |table: &&Table| {
            let mut references = table.columns.iter().filter_map(|column| column.references.as_ref());
            references.all(|(of, _)| known.contains(of.as_str()) || *of == table.name)
        };
        let (now, later): (Vec<&Table>, Vec<&Table>) = tables.iter().copied().partition(ready);
        if now.is_empty() {
            out.extend(later);
            break; // in a circle, which nothing makes
        }
        known.extend(now.iter().map(|table| table.name.as_str()));
        out.extend(now);
        tables = later;
    }
    out
}

/// Whether its files that are not read can be named one by one: no pattern says some characters.
fn can_be_left_out(of: &FileType) -> bool {
    of.unread.iter().all(|(path, _)| !path.contains(['{', '}', '*', '\\']))
}

fn why_unread(why: Unread) -> &'static str {
    match why {
        Unread::NotJson => "not JSON",
        Unread::Broken => "invalid JSON",
    }
}

fn set_text(
    inspection: &Inspection,
    name: &str,
    owners: Option<words::Owners>,
    ignored: Vec<(String, String)>,
) -> SetText {
    let fixed = inspection.types.iter().filter(|of| !of.pattern.contains(['{', '*']) && !of.is_unread());
    SetText {
        root: inspection.root.clone(),
        name: name.to_owned(),
        recognise: fixed.take(2).map(|of| of.pattern.clone()).collect(),
        owners,
        ignored,
    }
}
