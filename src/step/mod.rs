//! Steps: named pure functions that a column applies to its value. A closed registry.
//!
//! [`REGISTRY`] lists them with their forms and examples; the table in `mappings/README.md` is
//! rendered from it. A step neither knows where a value comes from nor shows it: its errors say
//! what was expected, and the caller adds an excerpt where the value is not secret.

mod argument;
mod iso;
mod number;
mod registry;
mod structure;
mod text;
mod time;

pub use registry::{REGISTRY, StepInfo, reference_table};

use crate::instant::Instant;
use crate::mapping::model::Literal;
use argument::Argument;
use jiff::civil::DateTime;
use number::NumberStep;
use structure::StructureStep;
use text::TextStep;
use time::TimeStep;

/// A value between two steps. What comes from a source is text, a number as written, or a boolean.
#[derive(Clone, PartialEq)]
pub enum Datum {
    /// A boolean.
    Bool(bool),
    /// A number of the source, as it was written.
    Number(String),
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A date and time of no zone.
    Civil(DateTime),
    /// A moment.
    Instant(Instant),
    /// A list; steps apply to each part.
    List(Vec<Datum>),
    /// A compact JSON document.
    Json(String),
}

impl Datum {
    /// The kind in words: `a number`, `a string`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Datum::Bool(_) => "a boolean",
            Datum::Number(_) => "a number",
            Datum::Text(_) => "a string",
            Datum::Integer(_) => "an integer",
            Datum::Civil(_) => "a date and time without a zone",
            Datum::Instant(_) => "an instant",
            Datum::List(_) => "a list",
            Datum::Json(_) => "JSON",
        }
    }

    /// What a step works on that wants text: numbers give theirs as written.
    fn into_text(self) -> Result<String, String> {
        match self {
            Datum::Text(text) | Datum::Number(text) => Ok(text),
            Datum::Integer(number) => Ok(number.to_string()),
            Datum::Bool(_) => Err("expected a string, found a boolean (put `text` before this step)".to_owned()),
            other => Err(format!("expected a string, found {}", other.kind_name())),
        }
    }
}

/// What a step gives, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputType {
    /// Text.
    Text,
    /// A 64-bit integer.
    Integer,
    /// A number as it was written.
    Number,
    /// A boolean.
    Bool,
    /// A date and time of no zone.
    Civil,
    /// A moment.
    Instant,
    /// A list of texts, to each of which the following steps apply.
    List,
    /// Whatever it was given.
    Same,
}

/// What steps take that work on text.
const TEXTUAL: &[OutputType] = &[OutputType::Text, OutputType::Number, OutputType::Integer];

/// A step with its arguments.
#[derive(Debug, Clone)]
pub struct Step {
    info: &'static StepInfo,
    action: Action,
}

/// What a step does, by family.
#[derive(Debug, Clone)]
enum Action {
    Text(TextStep),
    Number(NumberStep),
    Time(TimeStep),
    Structure(StructureStep),
}

impl From<TextStep> for Action {
    fn from(step: TextStep) -> Self {
        Action::Text(step)
    }
}

impl From<NumberStep> for Action {
    fn from(step: NumberStep) -> Self {
        Action::Number(step)
    }
}

impl From<TimeStep> for Action {
    fn from(step: TimeStep) -> Self {
        Action::Time(step)
    }
}

impl From<StructureStep> for Action {
    fn from(step: StructureStep) -> Self {
        Action::Structure(step)
    }
}

impl Step {
    /// The step that a mapping names: a bare word has no argument, `{ name = argument }` has one.
    ///
    /// The error is a sentence for the place where the step is written.
    pub fn parse(name: &str, argument: Option<&Literal>) -> Result<Self, String> {
        let info = REGISTRY.iter().find(|info| info.name == name).ok_or_else(|| {
            let names: Vec<&str> = REGISTRY.iter().map(|info| info.name).collect();
            argument::unknown("step", name, "", &names)
        })?;
        let action = (info.parse)(Argument { info, literal: argument })?;
        Ok(Self { info, action })
    }

    /// Its name in the mapping language.
    pub fn name(&self) -> &'static str {
        self.info.name
    }

    /// Applies the step; `Ok(None)` means that what it looks for is not there.
    ///
    /// It applies to each part of a list, and a part that is then missing is an error. An error
    /// says what was expected and never shows the value.
    pub fn apply(&self, value: Datum) -> Result<Option<Datum>, String> {
        let Datum::List(parts) = value else {
            return match &self.action {
                Action::Text(step) => step.apply(value),
                Action::Number(step) => step.apply(value).map(Some),
                Action::Time(step) => step.apply(value).map(Some),
                Action::Structure(step) => step.apply(value),
            };
        };
        let count = parts.len();
        let applied = parts.into_iter().enumerate().map(|(index, part)| match self.apply(part) {
            Ok(Some(part)) => Ok(part),
            Ok(None) => Err(format!("part {} of {count}: `{}` found nothing", index + 1, self.name())),
            Err(error) => Err(format!("part {} of {count}: {error}", index + 1)),
        });
        applied.collect::<Result<_, _>>().map(|parts| Some(Datum::List(parts)))
    }

    /// The values that it lists, where it is a `map`.
    pub fn listed(&self) -> Vec<&str> {
        match &self.action {
            Action::Structure(step) => step.listed(),
            _ => Vec::new(),
        }
    }

    /// Whether the value can be got back from what the step gives, so that a column
    /// written with it claims its leaf.
    pub fn keeps(&self) -> bool {
        match &self.action {
            Action::Text(step) => step.keeps(),
            Action::Number(_) | Action::Time(_) => true,
            Action::Structure(step) => step.keeps(),
        }
    }

    /// What it gives for one value; for a list it gives a list of that.
    pub fn output(&self) -> OutputType {
        match &self.action {
            Action::Text(step) => step.output(),
            Action::Number(step) => step.output(),
            Action::Time(step) => step.output(),
            Action::Structure(step) => step.output(),
        }
    }

    /// What it takes. Lists need not be named: every step takes their parts one by one.
    pub fn accepts(&self) -> &'static [OutputType] {
        match &self.action {
            Action::Text(_) | Action::Structure(_) => TEXTUAL,
            Action::Number(step) => step.accepts(),
            Action::Time(step) => step.accepts(),
        }
    }
}

#[cfg(test)]
mod tests;
