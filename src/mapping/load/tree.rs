//! A TOML file as a tree whose keys and values know their lines.

use super::doc::{At, Doc};
use super::keys::{Key, Keys, Status};
use crate::error::Hint;
use crate::finding::Code;
use crate::mapping::codes;
use crate::mapping::model::Literal;
use crate::mapping::suggest;
use serde::de::value::Error as NoVariant;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value under a name, with its line.
#[derive(Clone, Copy)]
pub(super) struct Item<'d> {
    pub(super) doc: &'d Doc,
    /// The key it stands under (an element of an array: the array's).
    pub(super) name: &'d str,
    pub(super) line: u32,
    /// Where its name is, or an element itself.
    at: At,
    /// Where its value begins and ends.
    value_at: (usize, usize),
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
        Self { doc, name: "", line: 1, at: At::Top, value_at: (0, 0), value }
    }

    /// Reports an error.
    pub(super) fn refuse(&self, message: impl Into<String>) {
        self.refuse_as(&codes::SAYING_EMPTY, message, None);
    }

    /// Reports an error under a code of its own.
    pub(super) fn refuse_as(&self, code: &Code, message: impl Into<String>, hint: impl Hint) {
        self.doc.refuse(code, self.at, message, hint);
    }

    /// As [`Item::refuse_as`], where it is the value that is wrong.
    pub(super) fn refuse_value(&self, code: &Code, message: impl Into<String>, hint: impl Hint) {
        let (start, end) = self.value_at;
        let is_beside = end > start && self.doc.line(start) == self.line;
        let at = if is_beside { At::Part { line: self.line, start, end, within: start } } else { self.at };
        self.doc.refuse(code, at, message, hint);
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
        self.refuse_value(&codes::TYPE_WRONG, format!("`{}` takes {wanted}, not {found}", self.name), None);
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
            self.refuse_value(&codes::REASON_EMPTY, format!("`{}` gives no reason", self.name), hint);
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
        let (start, end) = (element.span().start, element.span().end);
        let line = self.doc.line(start);
        let at = At::Part { line, start, end, within: end };
        Item { line, at, value_at: (start, end), value: element.get_ref(), ..*self }
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
            Some(key) if !matches!(key.status, Status::Called(_)) => self.is_built(key).then_some(key.name),
            _ => {
                let message = format!("`{}` does not take the word `{text}`", self.name);
                let meant = words.called(text).or_else(|| suggest::nearest(text, words.built()));
                let hint = match meant {
                    Some(meant) => suggest::meant(meant),
                    None => suggest::hint(text, words.built()).unwrap_or_default(),
                };
                self.refuse_value(&codes::WORD_UNKNOWN, message, hint);
                meant.and_then(|name| words.find(name)).map(|key| key.name)
            }
        }
    }

    /// Whether a key or word that stands here can be used; else it is refused.
    fn is_built(&self, key: &Key) -> bool {
        match key.status {
            Status::Since(_) => return true,
            Status::Called(_) => {} // only words are called otherwise
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
                    self.refuse_value(&codes::TYPE_WRONG, format!("`{value}` is not a 64-bit integer"), None);
                    return None;
                }
            },
            DeValue::Float(value) => match value.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Literal::Real(number),
                _ => {
                    let message = format!("`{value}` is not a number that a database can store");
                    self.refuse_value(&codes::TYPE_WRONG, message, None);
                    return None;
                }
            },
            DeValue::Datetime(_) => {
                let hint = "write it in quotes; a column of times reads it, elsewhere the step `time`";
                let message = format!("`{}` takes no TOML date or time: there is no literal of that kind", self.name);
                self.refuse_value(&codes::TYPE_WRONG, message, hint);
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
            let (start, end) = (key.span().start, key.span().end);
            let value_at = (value.span().start, value.span().end);
            let line = doc.line(start);
            let at = At::Part { line, start, end, within: value_at.1.max(end) };
            (start, Item { doc, name: key.get_ref(), line, at, value_at, value: value.get_ref() })
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
        let written: Vec<&str> = entries.iter().map(|entry| entry.name).collect();
        let entries = entries
            .into_iter()
            .filter_map(|entry| match known(entry.name) {
                Some(key) => entry.is_built(key).then_some(entry),
                None => {
                    let names: Vec<_> = tables.iter().flat_map(|table| table.built()).collect();
                    let message = format!("{title} has no key `{}`", entry.name);
                    entry.refuse_as(&codes::KEY_UNKNOWN, message, suggest::hint(entry.name, names.iter().copied()));
                    // A slip of the pen is read as what was meant: nothing else is wrong because of it.
                    let meant = suggest::nearest(entry.name, names).filter(|meant| !written.contains(meant));
                    meant.map(|name| Item { name, ..entry })
                }
            })
            .collect();
        Self { item, title, entries, taken_over: Vec::new() }
    }

    pub(super) fn get(&self, name: &str) -> Option<Item<'d>> {
        self.entries.iter().find(|entry| entry.name == name).copied()
    }

    /// The lines of its keys.
    pub(super) fn lines(&self) -> Vec<(String, u32)> {
        self.entries.iter().map(|entry| (entry.name.to_owned(), entry.line)).collect()
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
