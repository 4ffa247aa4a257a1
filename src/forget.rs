//! Forgetting runs after their sign-off: the ledger of their files and rows goes, their lines in it stay.

use crate::backup::{self, Before};
use crate::config::{Phase, Ui};
use crate::database::audit::random_id;
use crate::database::forget::{Forget, Forgotten, choose};
use crate::database::{self, Mode};
use crate::error::{Error, Result};
use crate::migrations::{Options, Selection};
use crate::report::words::count;
use crate::who::Who;
use std::path::PathBuf;

/// What came of it.
#[derive(Debug)]
pub struct Ended {
    /// What was forgotten, or why nothing was.
    pub forgotten: Forgotten,
    /// The backup that was made before it and kept.
    pub backup: Option<PathBuf>,
}

/// Removes what the ledger says of the files and rows of these imports, named by their ids or the beginnings of them; of
/// all where none is named. Their lines stay, and say when and by whom. Rows, keys and the registry of sealed columns are
/// not touched.
///
/// First it is done on a private copy. What needs a run is in the answer, and then nothing was changed. Else the person
/// is asked, and a backup is made.
///
/// # Errors
/// When there is no such import, or the work cannot be done.
pub fn forget(selection: &mut Selection, runs: &[String], options: &Options<'_>, ui: &dyn Ui) -> Result<Ended> {
    let set = selection.set_name().map(str::to_owned);
    let audit = selection.set().and_then(|set| set.audit.clone());
    let database = selection.database_mut();
    if !database.exists()? {
        return Err(database.missing());
    }
    database.wait_for_locks(options.lock_timeout);
    let recorded = database.runs()?;
    let chosen: Vec<String> = choose(&recorded, runs)?.into_iter().map(|run| run.id.clone()).collect();
    let (id, by, at) = (random_id()?, Who::runs_this().to_string(), database::now());
    let order = |mode| Forget { mode, id: &id, runs: &chosen, at, by: &by, audit: audit.as_ref() };
    ui.phase(Phase::Check, 0, 0);
    let planned = if chosen.is_empty() { Forgotten::default() } else { database.forget(&order(Mode::Dry))? };
    if options.dry || planned.runs.is_empty() {
        return Ok(Ended { forgotten: planned, backup: None });
    }
    let before = Before { set: set.as_deref(), ..options.before.clone() };
    backup::able(database, &before)?;
    let question = format!(
        "forget the ledger of {} in {}: {}, {}, {}? `undo`, `verify` and `explain --row` cannot tell of them any more",
        count(chosen.len() as u64, "run"),
        database.url(),
        count(planned.files(), "file"),
        count(planned.rows(), "row"),
        options.before.in_words()
    );
    if !ui.confirm(&question)? {
        return Err(Error::request("not confirmed, nothing was changed"));
    }
    let safety = backup::before(database, "forget", &before, ui)?;
    ui.phase(Phase::Finish, 0, 0);
    let done = database.forget(&order(Mode::Real));
    let unchanged = match &done {
        Ok(done) => done.runs.is_empty(),
        Err(_) => database.runs().is_ok_and(|now| now == recorded),
    };
    let backup = if unchanged { None } else { safety.keep().map(|made| made.path) };
    Ok(Ended { forgotten: done?, backup })
}
