//! The text of a file, with the errors found in it.

use super::known::Named;
use super::slip::{self, Slip};
use crate::error::{Error, Hint};
use crate::excerpt::Excerpt;
use crate::finding::Code;
use crate::mapping::codes;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use toml::de::DeTable;

/// Where an error is.
#[derive(Debug, Clone, Copy)]
pub(super) enum At {
    /// In the file as a whole.
    Top,
    /// In a line: the message names what of it.
    Line(u32),
    /// At these bytes of the file, or at what the message names from there on, but not behind `within`.
    Part { line: u32, start: usize, end: usize, within: usize },
}

impl From<u32> for At {
    fn from(line: u32) -> Self {
        Self::Line(line)
    }
}

/// One file with its errors so far. Parsing goes on after an error, so that all are reported.
pub(super) struct Doc {
    shown: String,
    text: String,
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
        Self { shown, text: text.to_owned(), starts, errors, lookups: Rc::clone(lookups), conditions }
    }

    /// Parses the text; invalid TOML gives errors and no table.
    pub(super) fn parse<'t>(&self, text: &'t str) -> Option<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        // What is wrong behind the first error mostly follows from it: a missing bracket makes an error of each line.
        let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        if let Some(first) = errors.iter().min_by_key(|error| start(error)) {
            let span = first.span().unwrap_or_default();
            let slip = slip::find(text, span.end).unwrap_or_else(|| {
                let message = first.message().lines().next().unwrap_or_default().to_owned();
                let is_again = message.starts_with("duplicate key");
                let given = is_again.then(|| slip::first_given(text, &span)).flatten();
                let hint = match given {
                    Some(line) => Some(format!("line {line} gives it already: put the two together, or rename one")),
                    None => is_again.then(|| "write it once: put the two together, or rename one".to_owned()),
                };
                Slip { message, span, hint }
            });
            let Slip { message, span, hint } = slip;
            let at = At::Part { line: self.line(span.start), start: span.start, end: span.end, within: span.start };
            self.refuse(&codes::NO_TOML, at, format!("invalid TOML: {message}"), hint);
        }
        errors.is_empty().then(|| table.into_inner())
    }

    /// The number of the next row that is looked for.
    pub(super) fn next_lookup(&self) -> usize {
        self.lookups.replace(self.lookups.get() + 1)
    }

    pub(super) fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    pub(super) fn refuse(&self, code: &Code, at: impl Into<At>, message: impl Into<String>, hint: impl Hint) {
        let message = message.into();
        let (line, excerpt) = match at.into() {
            At::Top => (1, None),
            At::Line(line) => (line, Excerpt::of_line(&self.text, line, &message)),
            At::Part { line, start, end, within } => {
                let excerpt = Excerpt::of_span(&self.text, start..end).naming(&message, within.saturating_sub(start));
                (line, Some(excerpt))
            }
        };
        let error = Error::request(message).coded(code.id).at(format_args!("{}:{line}", self.shown));
        self.errors.borrow_mut().push((line, error.hint(hint).showing(excerpt)));
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
