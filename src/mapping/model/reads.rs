//! How values are read on their way into columns.

use crate::step::{Datum, Literal, Step};
use crate::table::{Column, ColumnType, declares};

/// An entry of `[reads]`.
#[derive(Debug, Clone)]
pub struct Reads {
    /// The declared type.
    pub declared: String,
    /// What is applied.
    pub steps: Vec<Step>,
    /// Its line in set.toml.
    pub line: u32,
}

/// How a value that reaches a column, and is not of its type yet, is read.
#[derive(Debug, Clone)]
pub struct ReadAs {
    /// The declared type, as messages name it.
    pub declared: String,
    /// What it means.
    pub kind: ColumnType,
    /// What is applied.
    pub steps: Vec<Step>,
    /// Whether captures and member names alone are read, which are always texts.
    pub names_only: bool,
}

impl ReadAs {
    /// How columns of a declared type read values: as an entry says, else as the type does by itself.
    pub fn of(entries: &[Reads], declared: &str, kind: ColumnType) -> Option<Self> {
        let read_as = |steps, names_only| ReadAs { declared: declared.to_owned(), kind, steps, names_only };
        if let Some(reads) = entries.iter().find(|reads| declares(declared, &reads.declared)) {
            return Some(read_as(reads.steps.clone(), false));
        }
        let built_in = |name: &str, argument: Option<&Literal>| {
            Step::parse(name, argument).map(|step| vec![step]).unwrap_or_default()
        };
        match kind {
            ColumnType::Time(_) | ColumnType::Zoned(_) => Some(read_as(built_in("time", None), false)),
            ColumnType::Date(_) => Some(read_as(built_in("time", Some(&Literal::Text("%Y-%m-%d".to_owned()))), false)),
            // It stays a text, in the form of the column.
            ColumnType::Clock(Some(_)) => Some(read_as(Vec::new(), false)),
            ColumnType::Integer | ColumnType::Flag => Some(read_as(built_in("integer", None), true)),
            _ => None,
        }
    }
}

impl ReadAs {
    /// How values are compared with a column of numbers: a number by its value, however it is written.
    pub fn of_numbers(column: &Column) -> Option<Self> {
        let is_number = matches!(column.kind, ColumnType::Real | ColumnType::Numeric(_));
        let declared = column.declared.clone();
        is_number.then(|| Self { declared, kind: column.kind, steps: Vec::new(), names_only: false })
    }

    /// Whether a value is of the type already.
    pub fn holds(&self, datum: &Datum) -> bool {
        match self.kind {
            ColumnType::Time(_) | ColumnType::Date(_) | ColumnType::Zoned(_) => {
                matches!(datum, Datum::Civil(_) | Datum::Day(_) | Datum::Instant(..))
            }
            ColumnType::Text { .. } | ColumnType::Clock(_) | ColumnType::Uuid => {
                matches!(datum, Datum::Text(_) | Datum::Json(_))
            }
            ColumnType::Boolean => matches!(datum, Datum::Bool(_)),
            ColumnType::Flag => matches!(datum, Datum::Integer(_) | Datum::Number(_) | Datum::Bool(_)),
            ColumnType::Blob => matches!(datum, Datum::Bytes(_)),
            ColumnType::Integer | ColumnType::Real | ColumnType::Numeric(_) => {
                matches!(datum, Datum::Integer(_) | Datum::Number(_))
            }
            ColumnType::Json
            | ColumnType::JsonValue
            | ColumnType::List(_)
            | ColumnType::Untyped
            | ColumnType::Unknown => false,
        }
    }

    /// Reads a value that is written in the set or stands alone; `None` where a step finds nothing.
    ///
    /// # Errors
    ///
    /// What the step that refuses it says.
    pub fn apply(&self, datum: Datum) -> Result<Option<Datum>, String> {
        if self.names_only || self.holds(&datum) {
            return Ok(Some(datum));
        }
        self.steps.iter().try_fold(Some(datum), |datum, step| datum.map_or(Ok(None), |datum| step.apply(datum)))
    }
}
