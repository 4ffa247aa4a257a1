//! JSON in a string: its members are looked at as if they stood in the document.

use super::super::secret_words::{looks_secret, looks_secret_below};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Whether the text begins as an object, list or string does.
pub(super) fn is_likely(text: &str) -> bool {
    matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'[' | b'"'))
}

/// What in the JSON looks like a secret; an error where the text as a whole is not JSON.
pub(super) fn recognise(text: &str, depth: u8) -> serde_json::Result<Option<&'static str>> {
    let mut found = None;
    let look = Look { found: &mut found, named: false, name: "", depth };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match look.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
        // The first find ends the reading as an error does.
        Err(error) if found.is_none() => Err(error),
        _ => Ok(found),
    }
}

/// What stands in JSON whose member has a name that looks like a secret.
const MEMBER: &str = "JSON with a member that looks like a secret";

struct Look<'f, 'n> {
    found: &'f mut Option<&'static str>,
    /// Whether the member's name, or that of what it lies in, looks like a secret.
    named: bool,
    /// The nearest name.
    name: &'n str,
    depth: u8,
}

impl<'f> Look<'f, '_> {
    fn report<E: Error>(&mut self, what: Option<&'static str>) -> Result<(), E> {
        match what {
            Some(what) => {
                *self.found = Some(what);
                Err(E::custom("found"))
            }
            None => Ok(()),
        }
    }

    fn below<'m>(&mut self, name: &'m str) -> Look<'_, 'm>
    where
        'f: 'm,
    {
        let named = looks_secret(name) || (self.named && looks_secret_below(self.name_or("secret"), name));
        Look { found: self.found, named, name, depth: self.depth }
    }

    fn name_or<'a>(&'a self, other: &'a str) -> &'a str {
        if looks_secret(self.name) { self.name } else { other }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        let what = self.named.then_some(MEMBER);
        self.report(what)
    }

    fn visit_u64<E: Error>(mut self, _: u64) -> Result<(), E> {
        let what = self.named.then_some(MEMBER);
        self.report(what)
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        let what = self.named.then_some(MEMBER);
        self.report(what)
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        let what =
            if self.named && !text.is_empty() { Some(MEMBER) } else { super::recognise_in(text, self.depth + 1) };
        self.report(what)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Look { found, named, name, depth } = self;
        while elements.next_element_seed(Look { found: &mut *found, named, name, depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            members.next_value_seed(self.below(&name))?;
        }
        Ok(())
    }
}
