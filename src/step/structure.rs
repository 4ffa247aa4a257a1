//! Steps that split a string or replace it by a listed one.

use super::argument::{Argument, Members};
use super::datum::{Datum, OutputType, TEXTUAL};
use super::literal::Literal;
use crate::decimal::Decimal;
use std::collections::BTreeMap;

/// `split`, `map` and `null_if`.
#[derive(Debug, Clone)]
pub(super) enum StructureStep {
    Split {
        on: String,
        /// The index of the one part that is taken, from 0; all of them when absent.
        part: Option<usize>,
    },
    Map(Map),
    /// `null_if`: these are null.
    NullIf(Vec<Literal>),
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

    /// `{ null_if = [LITERAL, …] }`.
    pub(super) fn null_if(argument: Argument) -> Result<Self, String> {
        match argument.literal {
            Some(Literal::List(literals)) if literals.is_empty() => Err("the list of `null_if` is empty".to_owned()),
            Some(Literal::List(literals)) => {
                match literals.iter().find(|one| matches!(one, Literal::List(_) | Literal::Table(_))) {
                    Some(_) => Err("`null_if` lists strings, numbers and booleans".to_owned()),
                    None => Ok(StructureStep::NullIf(literals.clone())),
                }
            }
            _ => Err(argument.wrong()),
        }
    }

    /// The values that a `map` lists.
    pub(super) fn listed(&self) -> Vec<&str> {
        match self {
            StructureStep::Map(map) => map.values.keys().map(String::as_str).collect(),
            StructureStep::Split { .. } | StructureStep::NullIf(_) => Vec::new(),
        }
    }

    /// Whether the text can be got back.
    pub(super) fn keeps(&self) -> bool {
        match self {
            StructureStep::Split { part, .. } => part.is_none(),
            StructureStep::Map(map) => map.one_to_one && map.otherwise.is_none(),
            StructureStep::NullIf(_) => true,
        }
    }

    /// What it gives.
    pub(super) fn output(&self) -> OutputType {
        match self {
            StructureStep::Split { part: None, .. } => OutputType::List,
            StructureStep::Split { part: Some(_), .. } => OutputType::Text,
            StructureStep::Map(map) => map.gives,
            StructureStep::NullIf(_) => OutputType::Same,
        }
    }

    /// What it takes.
    pub(super) fn accepts(&self) -> &'static [OutputType] {
        use OutputType::{Bool, Integer, Number, Text};
        match self {
            StructureStep::Split { .. } => TEXTUAL,
            StructureStep::Map(_) | StructureStep::NullIf(_) => &[Text, Number, Integer, Bool],
        }
    }

    /// Applies it; `None` when there is no such part.
    pub(super) fn apply(&self, value: Datum) -> Result<Option<Datum>, String> {
        match self {
            StructureStep::Split { on, part: None } => {
                let text = value.into_text()?;
                let parts = text.split(on.as_str()).filter(|_| !text.is_empty());
                Ok(Some(Datum::List(parts.map(|part| Datum::Text(part.to_owned())).collect())))
            }
            StructureStep::Split { on, part: Some(part) } => {
                let text = value.into_text()?;
                Ok(text.split(on.as_str()).nth(*part).map(|part| Datum::Text(part.to_owned())))
            }
            StructureStep::Map(map) => {
                let text = if let Datum::Bool(value) = value { value.to_string() } else { value.into_text()? };
                map.look_up(&text).map(Some)
            }
            StructureStep::NullIf(literals) => {
                let is_null = literals.iter().any(|literal| is_literal(&value, literal));
                Ok(Some(if is_null { Datum::Null } else { value }))
            }
        }
    }
}

/// Whether a value is the literal: a number by what it says, however it is written.
fn is_literal(value: &Datum, literal: &Literal) -> bool {
    let number = |number: &str| match value {
        Datum::Number(text) => Decimal::of(text) == Decimal::of(number),
        Datum::Integer(value) => Decimal::of(&value.to_string()) == Decimal::of(number),
        _ => false,
    };
    match literal {
        Literal::Text(text) => *value == Datum::Text(text.clone()),
        Literal::Bool(truth) => *value == Datum::Bool(*truth),
        Literal::Integer(integer) => number(&integer.to_string()),
        Literal::Real(real) => number(&real.to_string()),
        Literal::List(_) | Literal::Table(_) => false,
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
