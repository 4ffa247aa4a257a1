//! What a database did with a row instead of keeping it as it was written.

use crate::finding::{Code, Place, ROW_CHECK, ROW_CONSTRAINT, ROW_NOT_KEPT, ROW_TRIGGER, ROW_UNIQUE, printable};

/// Why a row is not in the database as it was written. No text of it holds a value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// A unique index has the row's value already.
    Unique {
        /// The index's columns or name.
        index: String,
        /// The key of the row that has the value, as the ledger writes it, where it is known.
        other: Option<String>,
    },
    /// A CHECK constraint, by its name or condition.
    Check(String),
    /// A trigger raised an error.
    Trigger {
        /// The triggers that raise such an error, as far as they are known.
        names: Vec<String>,
        /// Its message, if it is written out in the trigger; one that is computed may hold values.
        message: Option<String>,
    },
    /// A trigger rolled the whole transaction back: nothing can be written any more.
    RolledBack {
        /// The triggers that do so.
        names: Vec<String>,
    },
    /// Another constraint, or an error that the database reported for this row.
    Constraint(String),
    /// The statement succeeded, and wrote or changed nothing.
    Discarded,
    /// The row was written, and is not there when it is read back.
    Gone,
    /// The statement changed so many rows where one was to be changed.
    Several(usize),
    /// The row has other values than those written in these columns.
    Altered(Vec<String>),
}

/// A row of a batch that is not in the database as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its number in the batch, from 0.
    pub row: usize,
    /// What became of it.
    pub why: Rejection,
}

/// A row that was taken in, and that the database rejected only later: it had to wait for the rows that it references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLate {
    /// The table.
    pub table: String,
    /// Where the row came from.
    pub place: Place,
    /// Where its record begins in the same file, in bytes.
    pub record: u64,
    /// What became of it.
    pub why: Rejection,
}

impl Rejection {
    /// Whether it shows only when rows are read back: a later row may be to blame.
    pub fn is_found_later(&self) -> bool {
        matches!(self, Self::Gone | Self::Altered(_))
    }

    /// The code of the finding.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::Unique { .. } => &ROW_UNIQUE,
            Self::Check(_) => &ROW_CHECK,
            Self::Trigger { .. } | Self::RolledBack { .. } => &ROW_TRIGGER,
            Self::Constraint(_) => &ROW_CONSTRAINT,
            Self::Discarded | Self::Gone | Self::Several(_) | Self::Altered(_) => &ROW_NOT_KEPT,
        }
    }

    /// In words, for a row of this table.
    pub fn message(&self, table: &str) -> String {
        match self {
            Self::Unique { index, .. } => {
                format!("`{table}` ({index}) is unique in the database, and another row has the same value")
            }
            Self::Check(check) => format!("CHECK constraint `{check}` rejected a row of `{table}`"),
            Self::Trigger { names, message } => {
                let why = match message {
                    Some(message) => format!(": {}", printable(message)),
                    None => "; its message is computed and not shown, because it may hold values".to_owned(),
                };
                format!("{} rejected a row of `{table}`{why}", trigger(names))
            }
            Self::RolledBack { names } => {
                format!("{} rolled the whole transaction back at a row of `{table}`", trigger(names))
            }
            Self::Constraint(what) => format!("{what} rejected a row of `{table}`"),
            Self::Discarded | Self::Gone => format!("the database discarded a row of `{table}` without an error"),
            Self::Several(rows) => {
                format!("the key of a row of `{table}` matches {rows} rows in the database, expected 1")
            }
            Self::Altered(columns) => {
                let columns: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
                format!("the database changed a row of `{table}` as it was written: {}", columns.join(", "))
            }
        }
    }
}

fn trigger(names: &[String]) -> String {
    match names {
        [] => "a trigger".to_owned(),
        [name] => format!("trigger `{name}`"),
        several => format!("one of the triggers `{}`", several.join("`, `")),
    }
}
