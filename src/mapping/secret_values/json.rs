//! JSON in a string: its members are looked at as if they stood in the document.

use super::super::secret_words::{is_count, looks_secret, looks_secret_below};
use super::near::LONGEST_NAME;
use super::value;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// So many places of a text that is no JSON as a whole are tried as the beginning of some.
const ATTEMPTS: usize = 8;

/// What stands in JSON whose member has a name that looks like a secret.
const MEMBER: &str = "JSON with a member that looks like a secret";

/// Looks into a string of the JSON.
type Inner<'i> = &'i dyn Fn(&str) -> Option<&'static str>;

/// What a text was read as.
pub(super) enum Outcome {
    /// The whole text is JSON.
    Whole(Option<&'static str>),
    /// Only objects and lists in it, if any.
    Parts(Option<&'static str>),
}

/// What looks like a secret in a text that is JSON as a whole, or in the objects and lists that it contains.
pub(super) fn recognise(text: &str, inner: Inner<'_>) -> Outcome {
    let mut rest = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    let is_opened = rest.starts_with(['{', '[', '"']);
    for attempt in 0..ATTEMPTS {
        if attempt > 0 || !is_opened {
            let Some(start) = rest.find(['{', '[']) else { break };
            rest = &rest[start..];
        }
        let read = match look(rest, inner) {
            Looked::Found(found) => return Outcome::Parts(Some(found)),
            Looked::All if attempt == 0 && is_opened => return Outcome::Whole(None),
            Looked::All => break,
            Looked::Part => read_length(rest),
            Looked::Invalid => 1, // of the character that opens it
        };
        rest = &rest[read..];
    }
    Outcome::Parts(None)
}

enum Looked {
    Found(&'static str),
    /// Nothing, in a text that is JSON to its end.
    All,
    /// Nothing, in what is JSON at its beginning.
    Part,
    Invalid,
}

fn look(text: &str, inner: Inner<'_>) -> Looked {
    let mut found = None;
    let look = Look { found: &mut found, named: false, name: "", inner, listed: false };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = look.deserialize(&mut deserializer);
    match (found, read) {
        // The first find ends the reading as an error does.
        (Some(found), _) => Looked::Found(found),
        (None, Err(_)) => Looked::Invalid,
        (None, Ok(_)) if deserializer.end().is_ok() => Looked::All,
        (None, Ok(_)) => Looked::Part,
    }
}

/// How many bytes the JSON is that the text begins with; at least 1.
fn read_length(text: &str) -> usize {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next();
    values.byte_offset().max(1)
}

struct Look<'f, 'n> {
    found: &'f mut Option<&'static str>,
    /// Whether the member's name, or that of what it lies in, looks like a secret.
    named: bool,
    /// The nearest name.
    name: &'n str,
    inner: Inner<'n>,
    /// Whether it is an element of a list.
    listed: bool,
}

/// What a value is to its neighbours.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// A text that looks like a secret's name.
    names: bool,
    /// A text or number that is there.
    given: bool,
    /// With the form of a secret.
    formed: bool,
    /// It begins as an option of a command does.
    option: bool,
}

impl Seen {
    const NUMBER: Seen = Seen { names: false, given: true, formed: false, option: false };

    fn of(text: &str) -> Self {
        let names = (3..=LONGEST_NAME).contains(&text.len()) && looks_secret(text);
        Seen {
            names,
            given: value::is_given(text),
            formed: value::has_secret_form(text),
            option: text.starts_with('-'),
        }
    }
}

/// Members of one object, of which one may name what another one is: `{"name": "password", "value": …}`.
#[derive(Default)]
pub(crate) struct Labelled {
    names: bool,
    given: bool,
}

impl Labelled {
    /// Whether a member of this name tells what another one is.
    pub(crate) fn is_label(member: &str) -> bool {
        const LABELS: &[&str] = &[
            "name", "key", "id", "k", "field", "label", "property", "setting", "option", "variable", "param", "header",
            "env",
        ];
        LABELS.iter().any(|label| member.eq_ignore_ascii_case(label))
    }

    /// Whether a member of this name has the value that another one names.
    pub(crate) fn is_value(member: &str) -> bool {
        const VALUES: &[&str] = &["value", "val", "v"];
        VALUES.iter().any(|value| member.eq_ignore_ascii_case(value))
    }

    fn see(&mut self, member: &str, seen: Seen) {
        self.names |= seen.names && Self::is_label(member);
        self.given |= seen.given && Self::is_value(member);
    }
}

impl Look<'_, '_> {
    fn report<E: Error>(&mut self, what: Option<&'static str>) -> Result<(), E> {
        match what {
            Some(what) => {
                *self.found = Some(what);
                Err(E::custom("found"))
            }
            None => Ok(()),
        }
    }

    fn below<'m>(&'m mut self, name: &'m str) -> Look<'m, 'm> {
        let named = looks_secret(name) || (self.named && looks_secret_below(self.name_or("secret"), name));
        Look { found: self.found, named, name, inner: self.inner, listed: false }
    }

    fn name_or<'a>(&'a self, other: &'a str) -> &'a str {
        if looks_secret(self.name) { self.name } else { other }
    }

    fn number<E: Error>(mut self, number: &str) -> Result<Seen, E> {
        let what = (self.named && !is_count(self.name, number)).then_some(MEMBER);
        self.report(what).map(|()| Seen::NUMBER)
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_, '_> {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_, '_> {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Seen, E> {
        Ok(Seen::default())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Seen, E> {
        Ok(Seen::default())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Seen, E> {
        self.number(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Seen, E> {
        self.number(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Seen, E> {
        self.number(&number.to_string())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<Seen, E> {
        let what = if self.named && !text.is_empty() { Some(MEMBER) } else { (self.inner)(text) };
        self.report(what)?;
        let asked = self.listed || Labelled::is_label(self.name) || Labelled::is_value(self.name);
        Ok(if asked { Seen::of(text) } else { Seen::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<Seen, A::Error> {
        let in_list = self.listed;
        let (mut pair, mut before, mut count) = ([Seen::default(); 2], Seen::default(), 0);
        loop {
            let Look { named, name, inner, .. } = self;
            let element = Look { found: &mut *self.found, named, name, inner, listed: true };
            let Some(seen) = elements.next_element_seed(element)? else { break };
            if let Some(place) = pair.get_mut(count) {
                *place = seen;
            }
            // `["--password", …]`, the arguments of a command.
            let is_argument = before.names && before.option && seen.given && !seen.option;
            self.report(is_argument.then_some(MEMBER))?;
            before = seen;
            count += 1;
        }
        // `["password", …]`: two names look so too, unless it is one of a list of pairs.
        let [name, given] = pair;
        let is_pair = count == 2 && name.names && given.given && !given.names && (in_list || given.formed);
        self.report(is_pair.then_some(MEMBER))?;
        Ok(Seen::default())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Seen, A::Error> {
        let mut labelled = Labelled::default();
        while let Some(name) = members.next_key::<String>()? {
            let seen = members.next_value_seed(self.below(&name))?;
            labelled.see(&name, seen);
        }
        self.report((labelled.names && labelled.given).then_some(MEMBER))?;
        Ok(Seen::default())
    }
}
