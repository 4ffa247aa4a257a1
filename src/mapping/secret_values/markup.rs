//! Secrets in XML and HTML: as the content of an element, in an attribute beside one that names it, or
//! in the element behind it.

use super::super::secret_words::looks_secret;
use super::near::{LONGEST_NAME, start_of};
use super::settings::is_named;
use super::value;

/// Attributes that tell what the value beside them is.
const LABELS: &[&str] = &["key", "name", "id", "property", "n", "param", "setting", "field", "label"];
/// Elements that name what the element behind them holds; `label` is HTML's, for people.
const NAMING: &[&str] = &["key", "name", "n", "property", "param", "setting"];
const VALUES: &[&str] = &["value", "val", "content", "data", "default", "v"];
/// Elements with a label among their attributes whose content is the value; in HTML it is a text to read.
const HOLDERS: &[&str] = &[
    "property", "entry", "string", "setting", "param", "item", "field", "env", "var", "variable", "option", "prop",
    "data",
];

/// Whether an element holds what its name, an attribute or the element before it calls a secret.
pub(super) fn has_secret(text: &str) -> bool {
    memchr::memchr_iter(b'<', text.as_bytes()).any(|at| {
        let near = start_of(&text[at + 1..]);
        let Some((tag, content)) = near.split_once('>') else { return false };
        if !tag.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return false;
        }
        let is_empty = tag.ends_with('/');
        let (element, attributes) = tag.trim_end_matches('/').split_once(char::is_whitespace).unwrap_or((tag, ""));
        let element = element.rsplit(':').next().unwrap_or_default();
        let content = content.strip_prefix("<![CDATA[").unwrap_or(content);
        let inside = content.split(['<', ']']).next().unwrap_or_default().trim();
        let is_one_of = |list: &[&str]| list.iter().any(|other| element.eq_ignore_ascii_case(other));
        if is_empty || inside.is_empty() {
            return is_labelled(attributes, None);
        }
        (is_named(element) && value::is_given(inside))
            || (is_one_of(NAMING) && is_named(inside) && is_filled(content))
            || is_labelled(attributes, is_one_of(HOLDERS).then_some(inside))
    })
}

/// Whether the element behind this one has a value.
fn is_filled(content: &str) -> bool {
    let next = content.split_once("</").and_then(|(_, rest)| rest.split_once('<')).map_or("", |(_, rest)| rest);
    next.split_once('>').is_some_and(|(tag, content)| {
        !tag.starts_with('/') && !tag.ends_with('/') && {
            let inside = content.split('<').next().unwrap_or_default().trim();
            value::is_given(inside)
        }
    })
}

/// Whether an attribute names a secret and another one, or the content, is its value.
fn is_labelled(attributes: &str, content: Option<&str>) -> bool {
    let mut named = false;
    let mut filled = content.is_some_and(value::is_given);
    for (before, given) in pairs(attributes) {
        let is_one_of = |list: &[&str]| list.iter().any(|other| before.eq_ignore_ascii_case(other));
        named |= is_one_of(LABELS) && given.len() <= LONGEST_NAME && looks_secret(given);
        filled |= is_one_of(VALUES) && value::is_given(given);
    }
    named && filled
}

/// The attributes of a tag with their values.
fn pairs(attributes: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = attributes;
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_once('=')?;
        let given = value::read(behind);
        rest = given.rest;
        Some((name.trim(), given.text))
    })
}
