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

use super::{Inspection, Unread};
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
    let (mut mappings, mut ignored, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    for of in &inspection.types {
        broken.extend(of.broken.iter().cloned());
        let not_json = of.unread.iter().filter(|(_, why)| *why == Unread::NotJson);
        if of.is_unread() && of.broken.is_empty() {
            ignored.push((of.pattern.clone(), NOT_JSON.to_owned()));
            continue; // nothing is known of what is in it
        }
        // What is broken stays for the import to refuse.
        let named = not_json.filter(|(path, _)| can_be_named(path));
        ignored.extend(named.map(|(path, _)| (path.clone(), NOT_JSON.to_owned())));
        if of.is_unread() {
            continue;
        }
        let mapping = unique(&snake(stem(&of.pattern)), &mut taken);
        mappings.push(Mapping::new(of, mapping, &mut tables));
    }
    let owners = links::link(&mut mappings, &mut tables);
    let all: Vec<&Table> = mappings.iter().flat_map(|mapping| &mapping.made.tables).collect();
    let (up, down) = words::schema(&ordered(all));
    let texts = std::iter::once(words::set(&set_text(inspection, &name, owners, [ignored, broken])));
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

/// Why a file is left out.
const NOT_JSON: &str = "not JSON";

/// Whether an entry of `[ignore]` can name a file: no pattern says some characters.
fn can_be_named(path: &str) -> bool {
    !path.contains(['{', '}', '*', '\\'])
}

fn set_text(
    inspection: &Inspection,
    name: &str,
    owners: Option<words::Owners>,
    [ignored, broken]: [Vec<(String, String)>; 2],
) -> SetText {
    let fixed = inspection.types.iter().filter(|of| !of.pattern.contains(['{', '*']) && !of.is_unread());
    let half = inspection.types.iter().any(|of| of.half_characters);
    let half = half.then_some([
        "lone_surrogate",
        "replace",
        "some strings end in half a character, which no database keeps; U+FFFD takes its place",
    ]);
    let twins = inspection.case_twins.then_some(["case_twins", "keep", "the names of some files differ in case only"]);
    SetText {
        strings: half.into_iter().chain(twins).collect(),
        root: inspection.root.clone(),
        name: name.to_owned(),
        recognise: fixed.take(2).map(|of| of.pattern.clone()).collect(),
        owners,
        ignored,
        broken,
    }
}
