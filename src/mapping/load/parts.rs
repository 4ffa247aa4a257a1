//! The parts of expressions and conditions: paths, selections, regular expressions, steps.

use super::path::{self, Wrong};
use super::tree::Item;
use crate::mapping::codes;
use crate::mapping::model::{Covering, PathExpr, Rooted};
use crate::step::{self, Step};
use regex::Regex;

/// `steps`.
///
/// All of them are parsed, so that every mistake is reported; with one there are no steps.
pub(super) fn steps(item: Item<'_>) -> Option<Vec<Step>> {
    let steps: Vec<Option<Step>> = item.list()?.into_iter().map(step).collect();
    steps.into_iter().collect()
}

fn step(item: Item<'_>) -> Option<Step> {
    let is_dropped = |item: &Item<'_>, name: &str| {
        let instead = step::successor(name);
        if let Some(instead) = instead {
            item.refuse_as(&codes::WORD_DROPPED, format!("`{name}` was dropped in 0.2.0"), instead);
        }
        instead.is_some()
    };
    let parsed = if let Some(name) = item.as_text() {
        if is_dropped(&item, name) {
            return None;
        }
        Step::parse(name, None)
    } else {
        let entries = if item.is_table() { item.entries()? } else { Vec::new() };
        let [entry] = entries.as_slice() else {
            item.refuse("a step is a name, or a table of one name with its argument");
            return None;
        };
        if is_dropped(entry, entry.name) {
            return None;
        }
        let argument = entry.literal()?;
        Step::parse(entry.name, Some(&argument))
    };
    parsed
        .map_err(|message| match message.rsplit_once(", did you mean ") {
            Some((message, meant)) => {
                item.refuse_as(&codes::STEP_WRONG, message, Some(format!("did you mean {meant}")));
            }
            None => item.refuse_as(&codes::STEP_WRONG, message, None),
        })
        .ok()
}

/// A regular expression.
pub(super) fn regex(item: Item<'_>) -> Option<Regex> {
    let text = item.text()?;
    Regex::new(text)
        .map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            item.refuse_value(&codes::REGEX_WRONG, format!("invalid regular expression `{text}`: {why}"), None);
        })
        .ok()
}

/// A path.
pub(super) fn path_of(item: Item<'_>) -> Option<PathExpr> {
    parsed(item, path::path(item.text()?))
}

/// A selection with its prefix.
pub(super) fn rooted_of(item: Item<'_>) -> Option<Rooted> {
    parsed(item, path::rooted(item.text()?))
}

/// An entry of `expected` or `[ignore]`: one for each choice of its unions.
pub(super) fn coverings_of(item: Item<'_>, text: &str) -> Vec<Covering> {
    parsed(item, path::coverings(text)).unwrap_or_default()
}

/// The value; an error is reported.
pub(super) fn parsed<T>(item: Item<'_>, result: Result<T, Wrong>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Wrong { message, hint }) => {
            item.refuse_as(&codes::PATH_WRONG, message, hint);
            None
        }
    }
}
