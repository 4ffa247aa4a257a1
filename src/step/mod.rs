//! Steps: named pure functions that a column applies to its value. A closed registry.
//!
//! [`REGISTRY`] lists them with their forms and examples; the table in `mappings/README.md` is
//! rendered from it. A step neither knows where a value comes from nor shows it: its errors say
//! what was expected, and the caller adds an excerpt where the value is not secret.

mod action;
mod argument;
mod bytes;
mod datum;
mod iso;
mod literal;
mod number;
mod registry;
mod structure;
mod text;
mod time;

pub use datum::{Datum, Look, OutputType};
pub use literal::Literal;
pub use registry::{REGISTRY, StepInfo, reference_table, successor};

use action::{Action, ToJson};
use argument::Argument;
use datum::TEXTUAL;
use number::NumberStep;
use structure::StructureStep;
use text::TextStep;
use time::TimeStep;

/// A step with its arguments.
#[derive(Debug, Clone)]
pub struct Step {
    info: &'static StepInfo,
    action: Action,
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
        let action = (info.parse)(Argument { step: info.name, form: info.argument, literal: argument })?;
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
        self.apply_to(value, false)
    }

    /// Applies the step to a value that comes from the run's start: the time is cut to what the step asks for.
    pub fn apply_to_start(&self, value: Datum) -> Result<Option<Datum>, String> {
        self.apply_to(value, true)
    }

    fn apply_to(&self, value: Datum, is_start: bool) -> Result<Option<Datum>, String> {
        if let Action::Json(ToJson) = &self.action {
            let mut document = String::new();
            value.write_json(&mut document);
            return Ok(Some(Datum::Json(document)));
        }
        let Datum::List(parts) = value else {
            return match &self.action {
                Action::Json(ToJson) => Ok(Some(value)), // answered above
                Action::Bytes(step) => step.apply(value).map(Some),
                Action::Text(step) => step.apply(value),
                Action::Number(step) => step.apply(value).map(Some),
                Action::Time(step) => step.apply(value, is_start).map(Some),
                Action::Structure(step) => step.apply(value),
            };
        };
        let count = parts.len();
        let applied = parts.into_iter().enumerate().map(|(index, part)| match self.apply_to(part, is_start) {
            Ok(Some(part)) => Ok(part),
            Ok(None) => Err(format!("part {} of {count}: `{}` found nothing", index + 1, self.name())),
            Err(error) => Err(format!("part {} of {count}: {error}", index + 1)),
        });
        applied.collect::<Result<_, _>>().map(|parts| Some(Datum::List(parts)))
    }

    /// What it makes of a text of the source without a copy of that; none where it needs one.
    pub fn look<'t>(&self, text: &'t str) -> Option<Look<'t>> {
        match &self.action {
            Action::Text(step) => step.look(text),
            _ => None,
        }
    }

    /// Whether it takes an array or object as a whole, and makes JSON of it.
    pub fn takes_containers(&self) -> bool {
        matches!(self.action, Action::Json(ToJson))
    }

    /// Whether it only tests the value, which is missing where it fails.
    pub fn is_test(&self) -> bool {
        matches!(self.action, Action::Text(TextStep::Matching(_)))
    }

    /// Whether what it changes is counted: values that it makes null, numbers that it rounds.
    pub fn is_counted(&self) -> bool {
        matches!(self.action, Action::Number(NumberStep::Double) | Action::Structure(StructureStep::NullIf(_)))
    }

    /// Whether it writes a time, so that it gives none.
    pub fn writes_time(&self) -> bool {
        matches!(&self.action, Action::Time(step) if step.writes())
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
            Action::Number(step) => step.keeps(),
            Action::Time(_) | Action::Json(ToJson) | Action::Bytes(_) => true,
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
            Action::Json(ToJson) => OutputType::Json,
            Action::Bytes(_) => OutputType::Bytes,
        }
    }

    /// What it takes. Lists need not be named: every step takes their parts one by one.
    pub fn accepts(&self) -> &'static [OutputType] {
        match &self.action {
            Action::Text(_) | Action::Bytes(_) => TEXTUAL,
            Action::Structure(step) => step.accepts(),
            Action::Json(ToJson) => &[OutputType::Same],
            Action::Number(step) => step.accepts(),
            Action::Time(_) => TimeStep::accepts(),
        }
    }
}

#[cfg(test)]
mod tests;
