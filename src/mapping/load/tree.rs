//! A TOML file as a tree whose keys and values know their lines, with the errors found in it.

use super::keys::{Key, Keys, Status};
use super::known::Named;
use crate::error::{Error, Hint};
use crate::finding::Code;
use crate::mapping::codes;
use crate::mapping::model::Literal;
use crate::mapping::suggest;
use serde::de::value::Error as NoVariant;
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is said where more than one thing is no TOML.
const HIDDEN_ERRORS: &str =
    "the errors behind it are not shown: a bracket or quote that is missing before it makes an error of each line";

/// One file with its errors so far. Parsing goes on after an error, so that all are reported.
pub(super) struct Doc {
    shown: String,
    starts: Vec<usize>,
    errors: RefCell<Vec<(u32, Error)>>,
    /// How many rows the set's files look for so far.
    lookups: Rc<Cell<usize>>,
    /// The conditions of `[when]`.
    pub(super) conditions: RefCell<Vec<Named>>,
}

impl Doc {
    pub(super) fn new(shown: String, text: &str, lookups: &Rc<Cell<usize>>) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let (errors, conditions) = Default::default();
        Self { shown, starts, errors, lookups: Rc::clone(lookups), conditions }
    }

    /// Parses the text; invalid TOML gives errors and no table.
    pub(super) fn parse<'t>(&self, text: &'t str) -> Option<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        // What is wrong behind the first error mostly follows from it: a missing bracket makes an error of each line.
        let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        if let Some(first) = errors.iter().min_by_key(|error| start(error)) {
            let message = first.message().lines().next().unwrap_or_default();
            let hint = (errors.len() > 1).then(|| HIDDEN_ERRORS.to_owned());
            self.refuse(&codes::NO_TOML, self.line(start(first)), format!("invalid TOML: {message}"), hint);
        }
        errors.is_empty().then(|| table.into_inner())
    }

    /// The number of the next row that is looked for.
    pub(super) fn next_lookup(&self) -> usize {
        self.lookups.replace(self.lookups.get() + 1)
    }

    fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    pub(super) fn refuse(&self, code: &Code, line: u32, message: impl Into<String>, hint: impl Hint) {
        let error = Error::request(message).coded(code.id).at(format_args!("{}:{line}", self.shown));
        self.errors.borrow_mut().push((line, error.hint(hint)));
    }

    /// The errors in the order of their lines.
    pub(super) fn into_errors(self) -> Vec<Error> {
        let mut errors = self.errors.into_inner();
        errors.sort_by_key(|(line, _)| *line);
        // What several rules take over is wrong once.
        let mut known = HashSet::new();
        errors.retain(|(line, error)| known.insert((*line, error.message.clone())));
        errors.into_iter().map(|(_, error)| error).collect()
    }
}

/// A value under a name, with its line.
#[derive(Clone, Copy)]
pub(super) struct Item<'d> {
    pub(super) doc: &'d Doc,
    /// The key it stands under (an element of an array: the array's).
    pub(super) name: &'d str,
    pub(super) line: u32,
    value: &'d DeValue<'d>,
}

/// A table whose keys are all known.
pub(super) struct Fields<'d> {
    /// The table itself.
    pub(super) item: Item<'d>,
    /// What has these keys, as a message names it.
    title: &'static str,
    entries: Vec<Item<'d>>,
    /// Entries of its tables of free names that it takes over, with the table's name.
    taken_over: Vec<(&'d str, Item<'d>)>,
}

impl<'d> Item<'d> {
    /// The whole of a file.
    pub(super) fn top(doc: &'d Doc, value: &'d DeValue<'d>) -> Self {
        Self { doc, name: "", line: 1, value }
    }

    /// Reports an error.
    pub(super) fn refuse(&self, message: impl Into<String>) {
        self.refuse_as(&codes::SAYING_EMPTY, message, None);
    }

    /// Reports an error under a code of its own.
    pub(super) fn refuse_as(&self, code: &Code, message: impl Into<String>, hint: impl Hint) {
        self.doc.refuse(code, self.line, message, hint);
    }

    /// Reports an error with a hint.
    pub(super) fn refuse_with(&self, message: impl Into<String>, hint: impl Hint) {
        self.refuse_as(&codes::SAYING_EMPTY, message, hint);
    }

    fn wrong_type(&self, wanted: &str) {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.refuse_as(&codes::TYPE_WRONG, format!("`{}` takes {wanted}, not {found}", self.name), None);
    }

    /// The string, if it is one.
    pub(super) fn as_text(&self) -> Option<&'d str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    /// A number, a boolean, or a date, which nothing takes.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self.value, DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_))
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub(super) fn text(&self) -> Option<&'d str> {
        let text = self.as_text();
        if text.is_none() {
            self.wrong_type("a string");
        }
        text
    }

    /// A reason that is not empty.
    pub(super) fn reason(&self) -> Option<String> {
        let text = self.text()?;
        if text.trim().is_empty() {
            let hint = "the report shows the reason to whoever signs it off";
            self.refuse_as(&codes::REASON_EMPTY, format!("`{}` gives no reason", self.name), hint);
        }
        Some(text.to_owned())
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(value) => Some(*value),
            _ => {
                self.wrong_type("`true` or `false`");
                None
            }
        }
    }

    /// The elements, each with its own line.
    pub(super) fn list(&self) -> Option<Vec<Item<'d>>> {
        let DeValue::Array(elements) = self.value else {
            self.wrong_type("a list");
            return None;
        };
        Some(elements.iter().map(|element| self.element(element)).collect())
    }

    /// The elements of a list, or the item itself.
    pub(super) fn one_or_more(&self) -> Vec<Item<'d>> {
        if self.is_list() { self.list().unwrap_or_default() } else { vec![*self] }
    }

    fn element(&self, element: &'d Spanned<DeValue<'d>>) -> Item<'d> {
        Item { line: self.doc.line(element.span().start), value: element.get_ref(), ..*self }
    }

    /// The texts of a list.
    pub(super) fn texts(&self) -> Vec<Item<'d>> {
        let elements = self.list().unwrap_or_default();
        elements.into_iter().filter(|element| element.text().is_some()).collect()
    }

    /// The texts of a list, without their lines.
    pub(super) fn strings(&self) -> Vec<String> {
        self.texts().iter().filter_map(Item::as_text).map(str::to_owned).collect()
    }

    /// The entries of a table of free names, in the order of the file.
    pub(super) fn entries(&self) -> Option<Vec<Item<'d>>> {
        let DeValue::Table(table) = self.value else {
            self.wrong_type("a table");
            return None;
        };
        Some(entries(self.doc, table))
    }

    /// The entries of a table whose keys must be among the known ones.
    pub(super) fn fields(&self, tables: &[&Keys]) -> Option<Fields<'d>> {
        Some(Fields::new(*self, self.entries()?, tables))
    }

    /// One of a closed list of words, which are the names of a type's variants.
    pub(super) fn variant<T: DeserializeOwned>(&self, words: &Keys) -> Option<T> {
        let word = IntoDeserializer::<NoVariant>::into_deserializer(self.word(words)?);
        Some(T::deserialize(word).expect("a test reads every word of the lists as a variant"))
    }

    /// One of a closed list of words.
    pub(super) fn word(&self, words: &Keys) -> Option<&'static str> {
        let text = self.text()?;
        match words.find(text) {
            Some(key) => self.is_built(key).then_some(key.name),
            None => {
                let message = format!("`{}` does not take the word `{text}`", self.name);
                self.refuse_as(&codes::WORD_UNKNOWN, message, suggest::hint(text, words.built()));
                None
            }
        }
    }

    /// Whether a key or word that stands here can be used; else it is refused.
    fn is_built(&self, key: &Key) -> bool {
        match key.status {
            Status::Since(_) => return true,
            Status::Dropped(instead) => {
                let message = format!("`{}` was dropped in 0.2.0", key.name);
                self.refuse_as(&codes::WORD_DROPPED, message, instead);
            }
        }
        false
    }

    /// A plain value.
    pub(super) fn literal(&self) -> Option<Literal> {
        Some(match self.value {
            DeValue::String(text) => Literal::Text(text.to_string()),
            DeValue::Boolean(value) => Literal::Bool(*value),
            DeValue::Integer(value) => match i64::from_str_radix(value.as_str(), value.radix()) {
                Ok(value) => Literal::Integer(value),
                Err(_) => {
                    self.refuse_as(&codes::TYPE_WRONG, format!("`{value}` is not a 64-bit integer"), None);
                    return None;
                }
            },
            DeValue::Float(value) => match value.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Literal::Real(number),
                _ => {
                    let message = format!("`{value}` is not a number that a database can store");
                    self.refuse_as(&codes::TYPE_WRONG, message, None);
                    return None;
                }
            },
            DeValue::Datetime(_) => {
                let hint = "write it in quotes; a column of times reads it, elsewhere the step `time`";
                let message = format!("`{}` takes no TOML date or time: there is no literal of that kind", self.name);
                self.refuse_as(&codes::TYPE_WRONG, message, hint);
                return None;
            }
            DeValue::Array(_) => Literal::List(self.list()?.iter().map(Item::literal).collect::<Option<Vec<_>>>()?),
            DeValue::Table(_) => Literal::Table(
                self.entries()?
                    .iter()
                    .map(|entry| Some((entry.name.to_owned(), entry.literal()?)))
                    .collect::<Option<Vec<_>>>()?,
            ),
        })
    }
}

/// The entries of a table in the order of the file (the parser sorts them by name).
fn entries<'d>(doc: &'d Doc, table: &'d DeTable<'d>) -> Vec<Item<'d>> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let at = key.span().start;
            (at, Item { doc, name: key.get_ref(), line: doc.line(at), value: value.get_ref() })
        })
        .collect();
    entries.sort_by_key(|(at, _)| *at);
    entries.into_iter().map(|(_, item)| item).collect()
}

impl<'d> Fields<'d> {
    /// The top of a file.
    pub(super) fn top(doc: &'d Doc, value: &'d DeValue<'d>, keys: &Keys) -> Option<Self> {
        Item::top(doc, value).fields(&[keys])
    }

    fn new(item: Item<'d>, entries: Vec<Item<'d>>, tables: &[&Keys]) -> Self {
        let known = |name: &str| tables.iter().find_map(|table| table.find(name));
        let title = tables.last().map_or("this table", |table| table.title);
        let entries = entries
            .into_iter()
            .filter(|entry| match known(entry.name) {
                Some(key) => entry.is_built(key),
                None => {
                    let names: Vec<_> = tables.iter().flat_map(|table| table.built()).collect();
                    let message = format!("{title} has no key `{}`", entry.name);
                    entry.refuse_as(&codes::KEY_UNKNOWN, message, suggest::hint(entry.name, names));
                    false
                }
            })
            .collect();
        Self { item, title, entries, taken_over: Vec::new() }
    }

    pub(super) fn get(&self, name: &str) -> Option<Item<'d>> {
        self.entries.iter().find(|entry| entry.name == name).copied()
    }

    /// The first of these keys that is there.
    pub(super) fn any_of(&self, names: &[&str]) -> Vec<Item<'d>> {
        self.entries.iter().filter(|entry| names.contains(&entry.name)).copied().collect()
    }

    /// A key that must be there.
    pub(super) fn need(&self, name: &str) -> Option<Item<'d>> {
        self.need_for(name, self.title)
    }

    /// As [`Fields::need`]; `title` says what needs it.
    pub(super) fn need_for(&self, name: &str, title: &str) -> Option<Item<'d>> {
        let item = self.get(name);
        if item.is_none() {
            self.item.refuse_as(&codes::KEY_MISSING, format!("{title} needs `{name}`"), None);
        }
        item
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        Some(self.get(name)?.text()?.to_owned())
    }

    /// The texts of a list; none where the key is not there.
    pub(super) fn texts(&self, name: &str) -> Vec<Item<'d>> {
        self.get(name).map_or_else(Vec::new, |item| item.texts())
    }

    /// The entries of a table of free names; none where the key is not there.
    pub(super) fn entries(&self, name: &str) -> Vec<Item<'d>> {
        let mut entries = self.get(name).and_then(|item| item.entries()).unwrap_or_default();
        entries.extend(self.taken_over.iter().filter(|(table, _)| *table == name).map(|(_, entry)| *entry));
        entries
    }

    /// The same with the keys of another table that it does not have itself. Of these tables of free names it takes
    /// over those that are named last, entry by entry.
    pub(super) fn taking_over(mut self, of: &Self, tables: &[&'d str], by_entry: &[&'d str]) -> Self {
        let own: Vec<&str> = by_entry.iter().flat_map(|table| self.entries(table)).map(|entry| entry.name).collect();
        for table in by_entry {
            let entries = of.entries(table).into_iter().filter(|entry| !own.contains(&entry.name));
            self.taken_over.extend(entries.map(|entry| (*table, entry)));
        }
        let keys = of.entries.iter().filter(|entry| !tables.contains(&entry.name));
        let missing: Vec<_> = keys.filter(|entry| self.get(entry.name).is_none()).copied().collect();
        self.entries.extend(missing);
        self
    }

    /// A table with keys of its own.
    pub(super) fn table(&self, name: &str, keys: &Keys) -> Option<Self> {
        self.get(name)?.fields(&[keys])
    }

    /// One of a closed list of words, which are the names of a type's variants.
    pub(super) fn variant<T: DeserializeOwned>(&self, name: &str, words: &Keys) -> Option<T> {
        self.get(name)?.variant(words)
    }

    pub(super) fn reason(&self, name: &str) -> Option<String> {
        self.get(name)?.reason()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(|item| item.flag()).unwrap_or(false)
    }
}
