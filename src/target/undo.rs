//! Taking a run back: what is asked of a database, and what stands in the way.

use super::Mode;
use super::audit::AuditTable;
use super::ledger::RunRecord;
use super::upkeep::Reference;
use crate::error::{Error, Result};
use crate::report::words::count;
use jiff::Timestamp;
use serde::Serialize;
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
    /// By table, those whose rows the run wrote.
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
}

/// Something that would be lost if the run were taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Obstacle {
    /// Rows are not as the run left them.
    Changed {
        /// The table.
        table: String,
        /// How many.
        rows: u64,
        /// The keys of the first of them.
        keys: Vec<String>,
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
        /// How many.
        rows: u64,
    },
    /// Something in the database, such as a trigger, removes further rows.
    Further {
        /// Their table.
        table: String,
        /// How many.
        rows: u64,
    },
    /// Something in the database, such as a trigger, does not allow it.
    Forbidden {
        /// The table.
        table: String,
        /// How many.
        rows: u64,
    },
    /// The table has no primary key that would tell its rows apart.
    Nameless {
        /// The table.
        table: String,
        /// How many rows of it the run wrote.
        rows: u64,
    },
}

impl Obstacle {
    /// So many keys of changed rows are named.
    pub const KEYS: usize = 5;
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { table, rows, keys } => {
                let more = if *rows > keys.len() as u64 { ", …" } else { "" };
                let (rows, were) = (count(*rows, "row"), if *rows == 1 { "was" } else { "were" });
                write!(f, "{rows} of `{table}` {were} changed after the run ({}{more})", keys.join(", "))
            }
            Self::Later { run, rows } => {
                write!(f, "run {run} wrote into {} of this one: take that run back first", count(*rows, "row"))
            }
            Self::Referred { table, parent, rows } => {
                write!(f, "{} of `{table}` would refer to rows of `{parent}` that are gone", count(*rows, "row"))
            }
            Self::Further { table, rows } => {
                write!(f, "{} of `{table}` that the run did not write would go as well", count(*rows, "row"))
            }
            Self::Forbidden { table, rows } => {
                write!(f, "the database does not let {} of `{table}` be taken back", count(*rows, "row"))
            }
            Self::Nameless { table, rows } => {
                write!(f, "`{table}` has no primary key that would tell {} of the run apart", count(*rows, "row"))
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
mod tests {
    use super::*;

    fn run(id: &str, kind: &str, undoes: Option<&str>) -> RunRecord {
        RunRecord {
            id: id.to_owned(),
            kind: kind.to_owned(),
            program: String::new(),
            set: String::new(),
            set_digest: String::new(),
            source: String::new(),
            started: Timestamp::UNIX_EPOCH,
            finished: Timestamp::UNIX_EPOCH,
            files: 0,
            leaves: 0,
            inserted: 0,
            updated: 0,
            unchanged: 0,
            rejected: 0,
            removed: 0,
            undoes: undoes.map(str::to_owned),
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
        let keys = |many: u32| (0..many).map(|at| at.to_string()).collect();
        let table = || "notes".to_owned();
        assert_eq!(
            Obstacle::Changed { table: table(), rows: 1, keys: keys(1) }.to_string(),
            "1 row of `notes` was changed after the run (0)"
        );
        assert_eq!(
            Obstacle::Changed { table: table(), rows: 9, keys: keys(2) }.to_string(),
            "9 rows of `notes` were changed after the run (0, 1, …)"
        );
    }
}
