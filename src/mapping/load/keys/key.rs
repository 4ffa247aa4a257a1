//! A key of the language, and those of one kind of table.

/// A key of a table, or one of the words that a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// Its meaning, in one sentence.
    pub what: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether this version has it.
    pub status: Status,
}

/// Whether a version has a key or word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has; this version introduced it.
    Since(&'static str),
    /// It was dropped; what to write instead, as a hint.
    Dropped(&'static str),
    /// It has not: others call by it what this word means here.
    Called(&'static str),
}

/// What a key takes, as editors are told; the loader decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any value; a word takes nothing.
    Any,
    /// A string.
    Text,
    /// A string that is not empty.
    Reason,
    /// A string of this form: a keyword of JSON Schema and its value.
    Formed(&'static str, &'static str),
    /// `true` or `false`.
    Flag,
    /// `true` alone.
    True,
    /// A positive integer.
    Number,
    /// One of these words.
    Words(&'static Keys),
    /// A table of these keys.
    Table(&'static Keys),
    /// What the definition of this name takes.
    Refer(&'static str),
    /// A list of such.
    List(&'static Takes),
    /// A table of free names with such values.
    Named(&'static Takes),
    /// One of these.
    OneOf(&'static [Takes]),
}

impl Key {
    /// Whether it can be used.
    pub fn is_built(&self) -> bool {
        matches!(self.status, Status::Since(_))
    }
}

const EXPRESSION: Takes = Takes::Refer("expression");
pub(super) const FROM: Takes = Takes::OneOf(&[Takes::Text, EXPRESSION, Takes::List(&EXPRESSION)]);
pub(super) const HASHED: Takes = Takes::OneOf(&[EXPRESSION, Takes::List(&EXPRESSION)]);
pub(super) const BY_TABLES: Takes = Takes::OneOf(&[Takes::Named(&BY), Takes::List(&Takes::Named(&BY))]);
const BY: Takes = Takes::Refer("by");
pub(super) const REASONS: Takes = Takes::Named(&Takes::Reason);
pub(super) const REGEX: Takes = Takes::Formed("format", "regex");
pub(super) const STEPS: Takes = Takes::Refer("steps");
pub(super) const TEXTS: Takes = Takes::List(&Takes::Text);

/// The keys of one kind of table, or the words of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// What has these keys, as a message names it.
    pub title: &'static str,
    /// The keys, in the order of the reference.
    pub keys: &'static [Key],
}

impl Keys {
    /// The key of this name, built or not.
    pub fn find(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The word for what others call by this name.
    pub fn called(&self, name: &str) -> Option<&'static str> {
        self.find(name).and_then(|key| if let Status::Called(word) = key.status { Some(word) } else { None })
    }

    /// The names that can be used.
    pub fn built(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.keys.iter().filter(|key| key.is_built()).map(|key| key.name)
    }
}

/// Tables of keys, and a list of them all under the name that stands first.
macro_rules! keys {
    ($all:ident; $($(#[$doc:meta])* $name:ident $title:literal: $($key:expr),*;)*) => {
        $($(#[$doc])* pub static $name: Keys = Keys { title: $title, keys: &[$($key),*] };)*
        /// Every table and list of words of this file.
        pub static $all: &[&Keys] = &[$(&$name),*];
    };
}
pub(super) use keys;

pub(super) const fn key(name: &'static str, takes: Takes, what: &'static str) -> Key {
    since("0.1.0", name, takes, what)
}

pub(super) const fn since(version: &'static str, name: &'static str, takes: Takes, what: &'static str) -> Key {
    Key { name, what, takes, status: Status::Since(version) }
}

/// What others call what is a word of ours here.
pub(super) const fn called(name: &'static str, word: &'static str) -> Key {
    Key { name, what: "", takes: Takes::Any, status: Status::Called(word) }
}

pub(super) const fn word(name: &'static str, what: &'static str) -> Key {
    key(name, Takes::Any, what)
}

/// A key or word of an earlier edition, refused by name; `instead` is the hint: "write `…`".
pub(super) const fn dropped(name: &'static str, instead: &'static str) -> Key {
    Key { name, what: "", takes: Takes::Any, status: Status::Dropped(instead) }
}
