//! Steps that split a string or replace it by a listed one.

use super::argument::{Argument, Members};
use super::datum::{Datum, OutputType};
use super::literal::Literal;
use std::collections::BTreeMap;

/// `split` and `map`.
#[derive(Debug, Clone)]
pub(super) enum StructureStep {
    Split {
        on: String,
        /// The index of the one part that is taken, from 0; all of them when absent.
        part: Option<usize>,
    },
    Map(Map),
}

/// A list of strings, each with its replacement.
#[derive(Debug, Clone)]
pub(super) struct Map {
    values: BTreeMap<String, Literal>,
    otherwise: Option<Literal>,
    one_to_one: bool,
    gives: OutputType,
}

impl StructureStep {
    /// `{ split = TEXT }` or `{ split = { on = TEXT, part = N } }`.
    pub(super) fn split(argument: Argument) -> Result<Self, String> {
        let Some(Literal::Table(_)) = argument.literal else {
            return Ok(StructureStep::Split { on: argument.text()?, part: None });
        };
        let members = argument.table(&["on", "part"])?;
        let on = members.need("on")?.text()?;
        match members.need("part")?.literal {
            Some(Literal::Integer(number)) if *number >= 1 => {
                let part = usize::try_from(*number - 1).map_err(|_| "`part` is too large".to_owned())?;
                Ok(StructureStep::Split { on, part: Some(part) })
            }
            _ => Err("`part` is an integer, and the first part is 1".to_owned()),
        }
    }

    /// `{ map = { FROM = TO, … } }` or `{ map = { values = { FROM = TO, … }, otherwise = TO } }`.
    pub(super) fn map(argument: Argument) -> Result<Self, String> {
        let Some(Literal::Table(entries)) = argument.literal else {
            return Err(argument.wrong());
        };
        // No entry's value can be a table, so a table under `values` marks the long form.
        let long = entries.iter().any(|(name, value)| name == "values" && matches!(value, Literal::Table(_)));
        if !long {
            return Map::new(entries, None).map(StructureStep::Map);
        }
        let members: Members = argument.table(&["values", "otherwise"])?;
        match members.get("values") {
            Some(Literal::Table(entries)) => Map::new(entries, members.get("otherwise")).map(StructureStep::Map),
            _ => Err(argument.wrong()),
        }
    }

    /// The values that a `map` lists.
    pub(super) fn listed(&self) -> Vec<&str> {
        match self {
            StructureStep::Map(map) => map.values.keys().map(String::as_str).collect(),
            StructureStep::Split { .. } => Vec::new(),
        }
    }

    /// Whether the text can be got back.
    pub(super) fn keeps(&self) -> bool {
        match self {
            StructureStep::Split { part, .. } => part.is_none(),
            StructureStep::Map(map) => map.one_to_one && map.otherwise.is_none(),
        }
    }

    /// What it gives.
    pub(super) fn output(&self) -> OutputType {
        match self {
            StructureStep::Split { part: None, .. } => OutputType::List,
            StructureStep::Split { part: Some(_), .. } => OutputType::Text,
            StructureStep::Map(map) => map.gives,
        }
    }

    /// Applies it; `None` when there is no such part.
    pub(super) fn apply(&self, value: Datum) -> Result<Option<Datum>, String> {
        let text = value.into_text()?;
        match self {
            StructureStep::Split { on, part: None } => {
                let parts = text.split(on.as_str()).map(|part| Datum::Text(part.to_owned()));
                Ok(Some(Datum::List(parts.collect())))
            }
            StructureStep::Split { on, part: Some(part) } => {
                Ok(text.split(on.as_str()).nth(*part).map(|part| Datum::Text(part.to_owned())))
            }
            StructureStep::Map(map) => map.look_up(&text).map(Some),
        }
    }
}

impl Map {
    fn new(entries: &[(String, Literal)], otherwise: Option<&Literal>) -> Result<Self, String> {
        let mut gives = None;
        for literal in entries.iter().map(|(_, literal)| literal).chain(otherwise) {
            let kind = match literal {
                Literal::Text(_) => OutputType::Text,
                Literal::Integer(_) => OutputType::Integer,
                Literal::Bool(_) => OutputType::Bool,
                _ => return Err("`map` gives a string, an integer or a boolean".to_owned()),
            };
            if *gives.get_or_insert(kind) != kind {
                return Err("all values that one `map` gives must be of one type".to_owned());
            }
        }
        if entries.is_empty() {
            return Err("`map` lists no values".to_owned());
        }
        let one_to_one = entries
            .iter()
            .enumerate()
            .all(|(index, (_, to))| entries[..index].iter().all(|(_, earlier)| earlier != to));
        Ok(Self {
            values: entries.iter().cloned().collect(),
            otherwise: otherwise.cloned(),
            one_to_one,
            gives: gives.unwrap_or(OutputType::Text),
        })
    }

    fn look_up(&self, text: &str) -> Result<Datum, String> {
        match self.values.get(text).or(self.otherwise.as_ref()) {
            Some(Literal::Text(text)) => Ok(Datum::Text(text.clone())),
            Some(Literal::Integer(number)) => Ok(Datum::Integer(*number)),
            Some(Literal::Bool(value)) => Ok(Datum::Bool(*value)),
            _ => Err(self.expected()),
        }
    }

    /// The listed values in a sentence, at most eight of them.
    fn expected(&self) -> String {
        const MOST: usize = 8;
        let names: Vec<&str> = self.values.keys().take(MOST).map(String::as_str).collect();
        match self.values.len() {
            1 => format!("expected `{}`", names[0]),
            all if all > MOST => format!("expected one of `{}` and {} more", names.join("`, `"), all - MOST),
            _ => format!("expected one of `{}`", names.join("`, `")),
        }
    }
}
