//! A key of the language, and those of one kind of table.

/// A key of a table, or one of the words that a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// Its meaning, in one sentence.
    pub what: &'static str,
    /// The version that introduced it; `None` for a reserved word that is not supported yet.
    pub since: Option<&'static str>,
}

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

    /// The names that can be used.
    pub fn built(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.keys.iter().filter(|key| key.since.is_some()).map(|key| key.name)
    }
}

pub(super) const fn key(name: &'static str, what: &'static str) -> Key {
    Key { name, what, since: Some("0.1.0") }
}

pub(super) const fn later(name: &'static str, what: &'static str) -> Key {
    Key { name, what, since: None }
}
