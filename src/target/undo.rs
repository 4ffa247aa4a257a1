//! Taking a run back: what is asked of a database, and what stands in the way.

use super::Mode;
use super::audit::AuditTable;
use super::drift::Other;
use super::ledger::RunRecord;
use super::upkeep::Reference;
use crate::error::{Error, Result};
use crate::report::words::count;
use jiff::Timestamp;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// An order to take a run back.
pub struct Undo<'a> {
    /// Commit, or work on a private copy and take it back.
    pub mode: Mode,
    /// This run's own id (UUID text); names temporary files.
    pub run_id: &'a str,
    /// The id of the run that is taken back.
    pub run: &'a str,
    /// When it was asked for.
    pub started: Timestamp,
    /// References that mappings follow and the database does not declare.
    pub references: &'a [Reference],
    /// The triggers that the applied migrations make, by name.
    pub triggers: &'a BTreeMap<String, Other>,
    /// The application's own audit table.
    pub audit: Option<&'a AuditTable>,
    /// Hears of so many rows that were looked at; an error ends the work.
    pub told: &'a dyn Fn(u64) -> Result<()>,
}

impl fmt::Debug for Undo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Undo({}, {:?})", self.run, self.mode)
    }
}

/// What was done, or what stands in the way; then nothing was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// By table, what is taken back; empty where something stands in the way.
    pub tables: Vec<Taken>,
    /// Why it cannot be.
    pub obstacles: Vec<Obstacle>,
}

impl Undone {
    /// How many rows are removed, or have columns emptied.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.removed + table.emptied).sum()
    }
}

/// What is taken back of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The table.
    pub name: String,
    /// Rows that the run inserted, and that are removed.
    pub removed: u64,
    /// Rows that were there before the run, and whose columns that it filled are NULL again.
    pub emptied: u64,
    /// Rows of the run that somebody has removed already.
    pub gone: u64,
    /// Rows among those removed that have a column which the database itself filled, with another value
    /// each time, so that nobody can say whether it was changed.
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
    /// So many keys are named.
    const NAMED: usize = 5;

    /// Counts a row, and names it if it is one of the first.
    pub fn add(&mut self, key: &str) {
        self.rows += 1;
        if self.keys.len() < Self::NAMED {
            self.keys.push(key.to_owned());
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

/// Something that would be lost if the run were taken back.
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
    /// A later run wrote into rows of this one.
    Later {
        /// The later run.
        run: String,
        /// Into how many.
        rows: u64,
    },
    /// Rows that stay would refer to rows that go.
    Referred {
        /// The table of the rows that stay.
        table: String,
        /// The table that they refer to.
        parent: String,
        /// Which.
        #[serde(flatten)]
        keys: Keys,
    },
    /// A trigger that is not the set's would hear of it.
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
    /// Rows have no key, or NULL in it, so that nothing tells them apart.
    Nameless {
        /// The table.
        table: String,
        /// How many the run wrote.
        rows: u64,
    },
    /// The table is not there any more, under this name at least.
    Missing {
        /// The table.
        table: String,
        /// How many rows of it the run wrote.
        rows: u64,
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
            Self::Later { run, rows: many } => {
                write!(f, "run {run} wrote into {} of this one: take that run back first", rows(*many))
            }
            Self::Referred { table, parent, keys } => {
                let (many, named) = (rows(keys.rows), keys.named());
                write!(f, "{many} of `{table}` would refer to rows of `{parent}` that are gone{named}")
            }
            Self::Trigger { name, table } => {
                write!(
                    f,
                    "the trigger `{name}` on `{table}` is none of the mapping set's: nobody knows what it would do"
                )
            }
            Self::Further { table, rows: many } => {
                write!(f, "{} of `{table}` that the run did not write would go as well", rows(*many))
            }
            Self::Forbidden { table, key } => {
                write!(f, "the database does not let the row {key} of `{table}` be taken back")
            }
            Self::Nameless { table, rows: many } => {
                write!(f, "no key tells {} of `{table}` apart that the run wrote", rows(*many))
            }
            Self::Missing { table, rows: many } => {
                write!(f, "`{table}` is not there any more, and with it {} that the run wrote", rows(*many))
            }
        }
    }
}

/// The import that a word means, by its id or the beginning of it, if it can be taken back.
///
/// # Errors
/// When there is none or more than one, when it is no import, or when it was taken back before.
pub fn choose<'r>(runs: &'r [RunRecord], word: &str) -> Result<&'r RunRecord> {
    let found: Vec<&RunRecord> = runs.iter().filter(|run| !word.is_empty() && run.id.starts_with(word)).collect();
    let run = match found.as_slice() {
        [] => {
            return Err(Error::request(format!("no run `{word}` is recorded")).hint("`treelift runs` lists them"));
        }
        [one] => *one,
        several => {
            let several = count(several.len() as u64, "run");
            return Err(Error::request(format!("`{word}` is the beginning of {several}")).hint("give more of the id"));
        }
    };
    if run.kind != "import" {
        return Err(Error::request(format!(
            "run {} is of the kind `{}`: only an import is taken back",
            run.id, run.kind
        )));
    }
    match runs.iter().find(|later| later.undoes.as_deref() == Some(&run.id)) {
        Some(later) => Err(Error::request(format!("run {} was taken back by run {} already", run.id, later.id))),
        None => Ok(run),
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
        assert_eq!(chosen("ab12"), Err("run ab12 was taken back by run cd56 already".to_owned()));
        assert_eq!(chosen("cd"), Err("run cd56 is of the kind `undo`: only an import is taken back".to_owned()));
    }

    #[test]
    fn an_obstacle_names_what_would_be_lost() {
        let told = |rows: u64| {
            let mut keys = Keys::default();
            (0..rows).for_each(|row| keys.add(&row.to_string()));
            Obstacle::Changed { table: "notes".to_owned(), keys }.to_string()
        };
        assert_eq!(told(1), "1 row of `notes` was changed after the run (0)");
        assert_eq!(told(9), "9 rows of `notes` were changed after the run (0, 1, 2, 3, 4, …)");
    }
}
