//! Tidy: statistics, files and indexes of a database are put in order. No row changes, so no backup is made; what is done
//! is done statement by statement, and the database is sound between any two.

use crate::config::Ui;
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::tidy::{Chore, Chores};
use crate::database::{self, Database};
use crate::error::{Error, ErrorKind, Result};
use crate::report::words::count;
use serde::Serialize;
use serde_json::json;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tidied {
    /// The database.
    pub target: String,
    /// The statements.
    pub chores: Vec<Chore>,
    /// What was left out, and why, in sentences.
    pub left: Vec<String>,
    /// How many bytes the database had before.
    pub before: u64,
    /// How many it has now; nothing where nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// Puts a database in order. Asks first. With `dry` it says what would be done.
///
/// # Errors
/// Where a statement fails, or a signal comes between two: those before it are done.
pub fn tidy(
    database: &mut dyn Database,
    wanted: Chores,
    audit: Option<&AuditTable>,
    dry: bool,
    ui: &dyn Ui,
) -> Result<Tidied> {
    let plan = database.chores(wanted)?.ok_or_else(|| database.missing())?;
    let target = database.url().to_owned();
    let mut tidied = Tidied { target, chores: plan.chores, left: plan.left, before: plan.bytes, after: None };
    let all = tidied.chores.len() as u64;
    if dry || all == 0 {
        return Ok(tidied);
    }
    let question = format!("{}: run {} that change no row, without a backup?", tidied.target, count(all, "statement"));
    if !ui.confirm(&question)? {
        return Err(Error::request("not confirmed, nothing was changed"));
    }
    let started = database::now();
    let mut done = 0_usize;
    database
        .tidy(&tidied.chores, &mut |chore| {
            done += 1;
            ui.say(&format!("done: {}", chore.statement));
        })
        .map_err(|error| ended(error, done, &tidied.chores))?;
    tidied.after = Some(database.bytes()?);
    // A database that treelift has never written into gets no table of its own for this.
    if database.state()?.is_some_and(|state| state.id.is_some()) {
        let noted = entry(&tidied, started).and_then(|entry| database.note(&entry, audit));
        noted.err().iter().for_each(|fault| ui.warn(fault));
    }
    Ok(tidied)
}

/// The error that came behind so many statements.
fn ended(mut error: Error, done: usize, chores: &[Chore]) -> Error {
    let left = match chores.get(done).filter(|next| next.is_owed) {
        Some(next) => format!("but `{}` must follow: run it again", next.statement),
        None => "and the database is sound".to_owned(),
    };
    let said = format!("{done} of {} done, {left}", count(chores.len() as u64, "statement"));
    if let ErrorKind::Interrupted(_) = error.kind {
        error.message = format!("interrupted: {said}");
        return error.hint("run it again for the rest");
    }
    let hint = error.hint.as_ref().map_or_else(|| said.clone(), |hint| format!("{hint}; {said}"));
    error.hint(hint)
}

fn entry(tidied: &Tidied, at: jiff::Timestamp) -> Result<AuditEntry> {
    let reason = "statistics, files and indexes were put in order";
    let statements: Vec<&str> = tidied.chores.iter().map(|chore| chore.statement.as_str()).collect();
    let details = json!({ "statements": statements, "before": tidied.before, "after": tidied.after });
    Ok(AuditEntry::new("tidy", "database", reason, at)?.with(details))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_in_the_middle_says_how_far_it_came() {
        let chore = |is_owed| Chore { statement: "S".to_owned(), table: None, is_owed, is_alone: true };
        let chores = [false, false, true].map(chore);
        let interrupted = ended(Error::interrupted(2), 1, &chores);
        assert_eq!(interrupted.status(), 130);
        assert_eq!(
            interrupted.to_string(),
            "interrupted: 1 of 3 statements done, and the database is sound\nhint: run it again for the rest"
        );
        let failed = ended(Error::environment("the disk is full").hint("make room, then run again"), 0, &chores);
        assert_eq!(
            failed.to_string(),
            "the disk is full\nhint: make room, then run again; 0 of 3 statements done, and the database is sound"
        );
        let owed = ended(Error::environment("the disk is full"), 2, &chores);
        assert_eq!(
            owed.to_string(),
            "the disk is full\nhint: 2 of 3 statements done, but `S` must follow: run it again"
        );
    }
}
