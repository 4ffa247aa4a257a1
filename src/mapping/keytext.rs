//! A key as text.

use crate::row::Value;

/// The texts of a key's values, each preceded by its length so that no two keys have the same text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyText(String);

impl KeyText {
    /// Adds the next part.
    pub fn push(&mut self, part: &str) {
        let mut digits = itoa::Buffer::new();
        let length = digits.format(part.len());
        self.0.reserve(length.len() + 1 + part.len());
        self.0.push_str(length);
        self.0.push(':');
        self.0.push_str(part);
    }

    /// Its parts.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_once(':')?;
            let (part, more) = after.split_at_checked(length.parse().ok()?)?;
            rest = more;
            Some(part)
        })
    }

    /// Each part changed by a function.
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let mut changed = Self::default();
        self.parts().for_each(|part| changed.push(&change(part)));
        changed
    }

    /// Whether all of it is ASCII, so that it has one form only.
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }

    /// The key of these values; `None` when one of them is NULL.
    pub fn of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Option<Self> {
        let mut key = Self::default();
        for value in values {
            key.push(&value.as_key_text()?);
        }
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_key_cannot_be_mistaken_for_each_other() {
        let key = |parts: &[&str]| {
            let mut key = KeyText::default();
            parts.iter().for_each(|part| key.push(part));
            key
        };
        assert_ne!(key(&["a", "bc"]), key(&["ab", "c"]));
        assert_ne!(key(&["1:a"]), key(&["1", "a"]));
    }
}
