//! Whose directory is whose.

use crate::keyindex::KeyText;
use crate::mapping::apply::{Current, FileContext, Got, Owner, Scope, evaluate};
use crate::mapping::declared::Declared;
use crate::mapping::model::{Find, Owners, Set};
use crate::record::{Kind, Tape};
use crate::row::Value;
use crate::step::Datum;
use std::collections::HashMap;
use std::rc::Rc;

/// How the owner of a directory was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The owner's primary key.
    pub id: String,
    /// `by id`, `by friendly_name (alias)`.
    pub how: String,
    /// Whether the directory is another name for an owner that may have one under its id.
    pub alias: bool,
}

/// The owners of a run: rows of the owner table, from this run and from the target.
#[derive(Debug, Default)]
pub struct OwnerTable {
    rows: Vec<Owner>,
    by_id: HashMap<String, usize>,
}

impl OwnerTable {
    /// Adds an owner; the first of an id stays.
    pub fn add(&mut self, owner: Owner) {
        if !self.by_id.contains_key(&owner.id) {
            self.by_id.insert(owner.id.clone(), self.rows.len());
            self.rows.push(owner);
        }
    }

    /// The owner of this id.
    pub fn get(&self, id: &str) -> Option<&Owner> {
        self.by_id.get(id).map(|at| &self.rows[*at])
    }

    /// The only owner, if there is exactly one.
    pub fn only(&self) -> Option<&Owner> {
        match self.rows.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// How many owners there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Finds the owners of directories, by the rules of the set; each rule's values are worked out once.
#[derive(Debug)]
pub struct Resolver<'s> {
    owners: &'s Owners,
    set: &'s Set,
    values: Vec<HashMap<KeyText, String>>,
}

impl<'s> Resolver<'s> {
    /// Works out, for each rule, what directory name would find which owner.
    pub fn new(set: &'s Set, owners: &'s Owners, table: &OwnerTable) -> Self {
        let values = owners
            .find
            .iter()
            .map(|find| {
                let mut found = HashMap::new();
                for row in &table.rows {
                    if let Some(text) = column_text(find, row) {
                        // Two owners of one name: the first stays, ids tell them apart.
                        found.entry(key(&text)).or_insert_with(|| row.id.clone());
                    }
                }
                found
            })
            .collect();
        Self { owners, set, values }
    }

    /// The owner of a directory.
    pub fn find(&self, directory: &str) -> Option<Found> {
        self.owners.find.iter().zip(&self.values).find_map(|(find, values)| {
            let wanted = match &find.from {
                None => directory.to_owned(),
                Some(expr) => match evaluate_name(self.set, expr, directory) {
                    Some(text) => text,
                    None => return None,
                },
            };
            values.get(&key(&wanted)).map(|id| Found {
                id: id.clone(),
                how: format!("by {}{}", find.by, if find.alias { " (alias)" } else { "" }),
                alias: find.alias,
            })
        })
    }
}

fn key(text: &str) -> KeyText {
    let mut key = KeyText::default();
    key.push(text);
    key
}

/// The value of the rule's column, after its steps.
fn column_text(find: &Find, row: &Owner) -> Option<String> {
    let (_, value) = row.columns.iter().find(|(name, _)| *name == find.by)?;
    let Value::Text(text) = value else { return value.as_key_text() };
    let mut datum = Datum::Text(text.clone());
    for step in &find.column_steps {
        datum = step.apply(datum).ok()??;
    }
    match datum {
        Datum::Text(text) => Some(text),
        _ => None,
    }
}

/// What an expression over `#owner` alone makes of a directory's name.
fn evaluate_name(set: &Set, expr: &crate::mapping::model::Expr, directory: &str) -> Option<String> {
    let mut tape = Tape::new(false);
    tape.push(Kind::Null, None, "", 0, 0);
    let file = FileContext {
        id: crate::finding::FileId(0),
        path: String::new(),
        captures: Vec::new(),
        directory: Some(directory.to_owned()),
        owner: None,
        started: jiff::Timestamp::UNIX_EPOCH,
        namespace: set.namespace,
    };
    let declared = Declared::none();
    let index = crate::keyindex::KeyIndex::default();
    let scope = Scope {
        file: &file,
        declared: &declared,
        index: &index,
        record: tape.root(),
        frame: tape.root(),
        whole: true,
        element: Current::Node(tape.root()),
        position: 1,
        names: Rc::default(),
    };
    match evaluate(expr, &scope) {
        Ok(Got::Datum(Datum::Text(text))) => Some(text),
        _ => None,
    }
}
