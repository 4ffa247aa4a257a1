//! Undo: removes what an import wrote, if everything it wrote is as it left it.

use crate::backup::{self, Before};
use crate::config::{Phase, Ui};
use crate::credentials::earlier::PutBack;
use crate::database::audit::random_id;
use crate::database::catalog::Other;
use crate::database::changes::Changes;
use crate::database::history;
use crate::database::ledger::RunRecord;
use crate::database::reference::Reference;
use crate::database::undo::{Reseal, Undo, Undone, choose};
use crate::database::{self, Mode, schema};
use crate::error::{Error, Result};
use crate::migrations::{ManagedDatabase, Options};
use crate::report::words::count;
use crate::table::Schema;
use crate::validate::gather;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What came of it.
#[derive(Debug)]
pub struct Ended {
    /// The run to undo.
    pub run: RunRecord,
    /// What was undone, or what blocks it.
    pub undone: Undone,
    /// The id under which `treelift runs` lists the undo, if it was done.
    pub undo: Option<String>,
    /// The backup that was made before it and kept.
    pub backup: Option<PathBuf>,
}

/// Undoes a run, named by its id or the beginning of it: the rows it inserted are removed, the
/// columns it filled are NULL again, rows that it gave other values get their earlier ones back, and the ledger and the
/// audit trail remember that. Migrations and keys stay. With `force_edited` rows that were edited since are undone too.
///
/// First it is done on a private copy. What blocks it is in the answer, and then nothing was
/// changed. Else the person is asked, and a backup is made. A dry run needs the passphrase or key where the real one does.
///
/// # Errors
/// When there is no such import, when it was already undone, or when the work cannot be done.
pub fn undo(
    managed: &mut ManagedDatabase,
    run: &str,
    force_edited: bool,
    options: &Options<'_>,
    ui: &dyn Ui,
) -> Result<Ended> {
    if force_edited && options.before.skip && !options.dry {
        return Err(Error::request("`--force-edited` undoes edits too, and `--no-backup` would keep no copy of them")
            .hint("leave out `--no-backup`"));
    }
    managed.database_mut().wait_for_locks(options.lock_timeout);
    let schema = managed.catalog()?.schema; // there must be a database
    let run = choose(&managed.database().runs()?, run)?.clone();
    let Known { references, triggers, changes } = known(managed, &schema, &run)?;
    if run.set != managed.set().name {
        return Err(Error::request(format!("run {} is one of the mapping set `{}`", run.id, run.set))
            .hint(format!("name it with `--mappings`; `{}` does not know its references", managed.set().name)));
    }
    let (audit, run_id) = (managed.set().audit.clone(), random_id()?);
    let progress = |rows| {
        ui.advance(rows, 0);
        ui.interrupted().map_or(Ok(()), |signal| Err(Error::interrupted(signal)))
    };
    let order = |mode, reseal| Undo {
        mode,
        force_edited,
        reseal,
        run_id: &run_id,
        run: &run.id,
        started: database::now(),
        references: &references,
        changes: &changes,
        triggers: &triggers,
        audit: audit.as_ref(),
        progress: &progress,
    };
    ui.phase(Phase::Check, 0, 0);
    let planned = managed.database_mut().undo(&order(Mode::Dry, None))?;
    let nothing_done = |undone| Ended { run: run.clone(), undone, undo: None, backup: None };
    if !planned.obstacles.is_empty() || planned.rows() == 0 || options.dry && planned.secrets == 0 {
        return Ok(nothing_done(planned));
    }
    if options.dry {
        // What the real one would seal again is sealed here too: it needs the key, and may find what does not open.
        let put_back = PutBack::prepare(managed.database(), ui, planned.secrets)?;
        ui.phase(Phase::Check, 0, 0);
        return managed.database_mut().undo(&order(Mode::Dry, Some(&put_back))).map(nothing_done);
    }
    let before = Before { set: Some(&managed.set().name), ..options.before.clone() };
    backup::able(managed.database(), &before)?;
    let backup = options.before.in_words();
    if !ui.confirm(&format!("{}, {backup}?", question(&run, managed.database().url(), &planned)))? {
        return Err(Error::request("not confirmed, nothing was changed"));
    }
    let put_back = match planned.secrets {
        0 => None,
        secrets => Some(PutBack::prepare(managed.database(), ui, secrets)?),
    };
    let reseal = put_back.as_ref().map(|put_back| put_back as &dyn Reseal);
    let safety = backup::before(managed.database(), "undo", &before, ui)?;
    ui.phase(Phase::Finish, 0, 0);
    let done = managed.database_mut().undo(&order(Mode::Real, reseal));
    let unchanged = match &done {
        Ok(done) => done.rows() == 0,
        // The ledger says whether it was committed; where it cannot be read, that is unknown.
        Err(_) => managed.database().runs().is_ok_and(|runs| runs.iter().all(|run| run.id != run_id)),
    };
    let backup = if unchanged { None } else { safety.keep().map(|made| made.path) };
    Ok(Ended { run, undone: done?, undo: (!unchanged).then_some(run_id), backup })
}

/// What an undo must know of the set.
struct Known {
    /// The references that mappings follow.
    references: Vec<Reference>,
    /// The triggers that the applied migrations make, by name.
    triggers: BTreeMap<String, Other>,
    /// What migrations changed since the run.
    changes: Changes,
}

fn known(managed: &ManagedDatabase, live: &Schema, run: &RunRecord) -> Result<Known> {
    let (database, set) = (managed.database(), managed.set());
    let recorded = database.recorded()?;
    let standing = history::compare(&recorded, &set.migrations);
    let expected = schema::catalog(database, &gather::applied(&set.migrations, &standing))?;
    let triggers = expected.others.into_iter().filter(|(_, other)| other.kind == "trigger").collect();
    let (stages, _) = database.stages(&set.migrations, false)?;
    let changes = Changes::since(Some(run.finished), &set.migrations, &stages, &recorded);
    Ok(Known { references: gather::references(set, live), triggers, changes })
}

/// Names the database, and what happens to rows.
fn question(run: &RunRecord, url: &str, planned: &Undone) -> String {
    let sum = |of: fn(&database::undo::Taken) -> u64| planned.tables.iter().map(of).sum::<u64>();
    let (removed, emptied) = (count(sum(|table| table.removed), "row"), sum(|table| table.emptied));
    let mut question = format!("undo run {} in {url}: remove {removed}", run.id);
    if emptied > 0 {
        question += &format!(", empty columns of {}", count(emptied, "row"));
    }
    let restored = sum(|table| table.restored);
    if restored > 0 {
        question += &format!(", give {} earlier values back", count(restored, "row"));
    }
    for (rows, what) in [
        (sum(|table| table.edited), "edited since"),
        (sum(|table| table.gone), "already deleted"),
        (sum(|table| table.unfound), "not found by key: deleted, or given another key"),
        (sum(|table| table.resealed), "with sealed values that the run did not write"),
        (sum(|table| table.unjudged), "with database-generated values that cannot be checked"),
    ] {
        if rows > 0 {
            question += &format!(" ({} {what})", count(rows, "row"));
        }
    }
    question
}
