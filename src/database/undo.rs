//! Undoing a run: what is asked of a database, and what blocks it.

mod earlier;
pub(super) mod engine;
pub(super) mod work;

use super::audit::AuditTable;
use super::catalog::Other;
use super::changes::Changes;
use super::ledger::RunRecord;
use super::opening::Mode;
use super::reference::Reference;
use super::sealed_column::SealedColumn;
use super::sealing::Sealing;
use crate::error::{Error, Result};
use crate::report::words::{count, is_zero};
use jiff::Timestamp;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// An order to undo a run.
pub struct Undo<'a> {
    /// Commit, or work on a private copy and roll back.
    pub mode: Mode,
    /// This run's own id (UUID text); names temporary files.
    pub run_id: &'a str,
    /// The id of the run to undo.
    pub run: &'a str,
    /// When it was asked for.
    pub started: Timestamp,
    /// References that mappings follow and the database does not declare.
    pub references: &'a [Reference],
    /// What migrations changed since the run.
    pub changes: &'a Changes,
    /// The triggers that the applied migrations make, by name.
    pub triggers: &'a BTreeMap<String, Other>,
    /// The application's own audit table.
    pub audit: Option<&'a AuditTable>,
    /// Whether rows that were edited since are undone too.
    pub force_edited: bool,
    /// Seals secrets that are put back for their own places; without it their places stay as they are for now.
    pub reseal: Option<&'a dyn Reseal>,
    /// Called with the number of rows looked at; an error ends the work.
    pub progress: &'a dyn Fn(u64) -> Result<()>,
}

/// A secret that a row had before a run gave it another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierSecret {
    /// The run's number, and that of the value in it: what it is sealed for.
    pub run: i64,
    /// See `run`.
    pub number: i64,
    /// It, sealed for its place among earlier values.
    pub token: String,
    /// Where it is to be put back.
    pub column: SealedColumn,
    /// The key of its row there.
    pub key: Vec<String>,
}

/// Seals secrets for the places that they are put back into.
pub trait Reseal {
    /// The tokens of these secrets, sealed for their places, in their order.
    ///
    /// # Errors
    /// When one does not open.
    fn reseal(&self, sealing: &mut dyn Sealing, secrets: &[EarlierSecret]) -> Result<Vec<String>>;
    /// Writes the proof of keys and registry as they are once everything is undone.
    ///
    /// # Errors
    /// Those of the database.
    fn prove(&self, sealing: &mut dyn Sealing) -> Result<()>;
}

impl fmt::Debug for Undo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Undo({}, {:?})", self.run, self.mode)
    }
}

/// What was done, or what blocks it; then nothing was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// How many secrets are put back.
    #[serde(skip_serializing_if = "is_zero")]
    pub secrets: u64,
    /// By table, what is undone; empty where something blocks it.
    pub tables: Vec<Taken>,
    /// Why it cannot be.
    pub obstacles: Vec<Obstacle>,
}

impl Undone {
    /// How many rows are removed, have columns emptied, or get earlier values back.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.removed + table.emptied + table.restored).sum()
    }

    /// How many rows of the run were not found and may be there under another key.
    pub fn unfound(&self) -> u64 {
        self.tables.iter().map(|table| table.unfound).sum()
    }
}

/// What is undone in a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The table.
    pub name: String,
    /// Rows that the run inserted, and that are removed.
    pub removed: u64,
    /// Rows that were there before the run, and whose columns that it filled are NULL again.
    pub emptied: u64,
    /// Rows that were there before the run, and that get the values back that they had then.
    #[serde(skip_serializing_if = "is_zero")]
    pub restored: u64,
    /// Rows among those removed, emptied or restored that were edited since.
    #[serde(skip_serializing_if = "is_zero")]
    pub edited: u64,
    /// Rows of the run that were already deleted: runs wrote all that their table has.
    pub gone: u64,
    /// Rows of the run that none of the table has the key of, while it has rows that no run wrote: they were deleted, or
    /// have another key.
    pub unfound: u64,
    /// Rows among those removed that have a column which the database itself filled, with another value
    /// each time, so that a change cannot be detected.
    pub unjudged: u64,
    /// Rows among those removed whose sealed values are not the ones that the run wrote: sealed again,
    /// handed over, or changed.
    pub resealed: u64,
}

/// Rows, and the keys of the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Keys {
    /// How many.
    pub rows: u64,
    /// The keys of the first of them, as the ledger writes them.
    pub keys: Vec<String>,
}

impl Keys {
    /// How many keys are named.
    const NAMED: usize = 5;

    /// Counts a row, and names it if it is one of the first.
    pub fn add(&mut self, key: &str) {
        self.rows += 1;
        if self.keys.len() < Self::NAMED {
            self.keys.push(key.to_owned());
        }
    }

    /// The same for rows that come in any order: the first in the order of their keys are named.
    pub fn add_in_order(&mut self, key: &str) {
        self.rows += 1;
        let at = self.keys.partition_point(|known| known.as_str() < key);
        if at < Self::NAMED {
            self.keys.insert(at, key.to_owned());
            self.keys.truncate(Self::NAMED);
        }
    }

    fn named(&self) -> String {
        match (self.keys.len() as u64).cmp(&self.rows) {
            _ if self.keys.is_empty() => String::new(),
            Ordering::Less => format!(" ({}, …)", self.keys.join(", ")),
            _ => format!(" ({})", self.keys.join(", ")),
        }
    }
}

/// Something that would be lost if the run were undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Obstacle {
    /// Rows are not as the run left them.
    Changed {
        /// The table.
        table: String,
        /// Which.
        #[serde(flatten)]
        keys: Keys,
    },
    /// Secrets that rows had before are to be put back, and their column was handed over to the application.
    HandedOver {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// How many.
        rows: u64,
    },
    /// A later run wrote into rows of this one.
    Later {
        /// The later run.
        run: String,
        /// Into how many.
        rows: u64,
    },
    /// Rows that stay would reference deleted rows.
    Referred {
        /// The table of the rows that stay.
        table: String,
        /// The table that they refer to.
        parent: String,
        /// Which.
        #[serde(flatten)]
        keys: Keys,
    },
    /// A trigger that is not the set's would fire.
    Trigger {
        /// The trigger.
        name: String,
        /// The table that it is on.
        table: String,
    },
    /// A trigger of the set removes further rows.
    Further {
        /// Their table.
        table: String,
        /// How many.
        rows: u64,
    },
    /// The database refuses it, or a trigger of the set keeps the row.
    Forbidden {
        /// The table.
        table: String,
        /// The row's key.
        key: String,
    },
    /// The database refuses it, and does not say of which row.
    Refused {
        /// Why, in words.
        why: String,
    },
    /// Rows have no key, or NULL in it, so that nothing identifies them.
    Nameless {
        /// The table.
        table: String,
        /// How many the run wrote.
        rows: u64,
    },
    /// The table no longer exists under this name.
    Missing {
        /// The table.
        table: String,
        /// How many rows of it the run wrote.
        rows: u64,
        /// What took it away, in a sentence, if a migration did.
        by: Option<String>,
    },
    /// Columns in which the run wrote no longer exist under these names.
    Narrowed {
        /// The table.
        table: String,
        /// The columns.
        columns: Vec<String>,
        /// How many rows of it the run wrote.
        rows: u64,
        /// What took the first of them away, in words, if a migration did.
        by: Option<String>,
    },
    /// The table has another primary key than the one by which the ledger knows the rows.
    Rekeyed {
        /// The table.
        table: String,
        /// The primary key that it has.
        key: Vec<String>,
        /// How many rows of it the run wrote.
        rows: u64,
        /// What changed it, in words, if a migration did.
        by: Option<String>,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = |rows: u64| count(rows, "row");
        match self {
            Self::Changed { table, keys } => {
                let was = if keys.rows == 1 { "was" } else { "were" };
                write!(f, "{} of `{table}` {was} changed after the run{}", rows(keys.rows), keys.named())
            }
            Self::HandedOver { table, column, rows: many } => write!(
                f,
                "`{table}.{column}` is not sealed by treelift any more, and {} had sealed values in it that would be put back: \
                 `credentials encrypt --from` undoes a hand-over",
                rows(*many)
            ),
            Self::Later { run, rows: many } => {
                write!(f, "run {run} wrote into {} of this one: undo that run first", rows(*many))
            }
            Self::Referred { table, parent, keys } => {
                let (many, named) = (rows(keys.rows), keys.named());
                write!(f, "{many} of `{table}` would reference missing rows of `{parent}`{named}")
            }
            Self::Trigger { name, table } => {
                write!(f, "the trigger `{name}` on `{table}` is not part of the mapping set, so its effect is unknown")
            }
            Self::Further { table, rows: many } => {
                write!(f, "{} of `{table}` that the run did not write would be deleted too", rows(*many))
            }
            Self::Forbidden { table, key } => {
                write!(f, "the database refuses to undo the row {key} of `{table}`")
            }
            Self::Refused { why } => write!(f, "the database refuses it: {why}"),
            Self::Nameless { table, rows: many } => {
                write!(f, "no key identifies {} of `{table}` that the run wrote", rows(*many))
            }
            Self::Missing { table, rows: many, by } => write!(
                f,
                "`{table}`, into which the run wrote {}, is no longer there: {}",
                rows(*many),
                by.as_deref().unwrap_or(NO_MIGRATION)
            ),
            Self::Narrowed { table, columns, rows: many, by } => write!(
                f,
                "`{table}` no longer has {} of the {} that the run wrote: {}",
                named_columns(columns),
                rows(*many),
                by.as_deref().map_or_else(|| NO_MIGRATION.to_owned(), |by| format!("{by} took that away"))
            ),
            Self::Rekeyed { table, key, rows: many, by } => write!(
                f,
                "the {} of `{table}` that the run wrote cannot be found by the primary key ({}): {}",
                rows(*many),
                key.join(", "),
                by.as_deref().map_or_else(|| NO_MIGRATION.to_owned(), |by| format!("{by} made it another one"))
            ),
        }
    }
}

const NO_MIGRATION: &str = "no migration of the set did that";

fn named_columns(columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    format!("{} {}", if names.len() == 1 { "the column" } else { "the columns" }, names.join(", "))
}

/// The run that a word means, by its id or the beginning of it.
///
/// # Errors
/// When there is none, or more than one.
pub(super) fn named<'r>(runs: &'r [RunRecord], word: &str) -> Result<&'r RunRecord> {
    let found: Vec<&RunRecord> = runs.iter().filter(|run| !word.is_empty() && run.id.starts_with(word)).collect();
    match found.as_slice() {
        [] => Err(Error::request(format!("no run `{word}` is recorded")).hint("`treelift runs` lists them")),
        [one] => Ok(*one),
        several => {
            let several = count(several.len() as u64, "run");
            Err(Error::request(format!("`{word}` is the beginning of {several}")).hint("give more of the id"))
        }
    }
}

/// The import that a word means, if it can be undone.
///
/// # Errors
/// When there is none or more than one, when it is not an import, when it was already undone, or when the ledger no
/// longer says what it wrote.
pub fn choose<'r>(runs: &'r [RunRecord], word: &str) -> Result<&'r RunRecord> {
    let run = named(runs, word)?;
    if !run.is_import() {
        return Err(Error::request(format!(
            "run {} is of the kind `{}`: only an import can be undone",
            run.id, run.kind
        )));
    }
    match runs.iter().find(|later| later.undoes.as_deref() == Some(&run.id)) {
        Some(later) => Err(Error::request(format!("run {} was already undone by run {}", run.id, later.id))),
        None => match run.forgotten_in_words() {
            Some(words) => Err(Error::request(format!("run {} cannot be undone: {words}", run.id))
                .hint("a backup of the database from before that still knows what the run wrote")),
            None => Ok(run),
        },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run of this id and kind.
    pub(crate) fn run(id: &str, kind: &str, undoes: Option<&str>) -> RunRecord {
        RunRecord {
            id: id.to_owned(),
            kind: kind.to_owned(),
            undoes: undoes.map(str::to_owned),
            ..RunRecord::default()
        }
    }

    #[test]
    fn a_run_is_chosen_by_the_beginning_of_its_id() {
        let runs = [run("ab12", "import", None), run("ab34", "import", None), run("cd56", "undo", Some("ab12"))];
        let chosen = |word: &str| choose(&runs, word).map(|run| run.id.as_str()).map_err(|error| error.message);
        assert_eq!(chosen("ab3"), Ok("ab34"));
        assert_eq!(chosen("ab"), Err("`ab` is the beginning of 2 runs".to_owned()));
        for none in ["x", "", "ab345"] {
            assert_eq!(chosen(none), Err(format!("no run `{none}` is recorded")));
        }
        assert_eq!(chosen("ab12"), Err("run ab12 was already undone by run cd56".to_owned()));
        assert_eq!(chosen("cd"), Err("run cd56 is of the kind `undo`: only an import can be undone".to_owned()));
    }

    #[test]
    fn an_obstacle_names_what_would_be_lost() {
        let told = |rows: u64, add: fn(&mut Keys, &str)| {
            let mut keys = Keys::default();
            (0..rows).rev().for_each(|row| add(&mut keys, &row.to_string()));
            Obstacle::Changed { table: "notes".to_owned(), keys }.to_string()
        };
        assert_eq!(told(1, Keys::add), "1 row of `notes` was changed after the run (0)");
        assert_eq!(told(9, Keys::add), "9 rows of `notes` were changed after the run (8, 7, 6, 5, 4, …)");
        assert_eq!(told(9, Keys::add_in_order), "9 rows of `notes` were changed after the run (0, 1, 2, 3, 4, …)");
    }
}
