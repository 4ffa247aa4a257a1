//! Undo: takes an import back, if everything it wrote is as it left it.

use crate::backup;
use crate::config::{Companion, Phase};
use crate::error::{Error, Result};
use crate::report::words::count;
use crate::schema::{Keeper, Options};
use crate::target::audit::random_id;
use crate::target::ledger::RunRecord;
use crate::target::undo::{Undo, Undone, choose};
use crate::target::{self, Mode};
use crate::validate::gather;

/// Takes a run back, named by its id or the beginning of it: the rows it inserted are removed, the
/// columns it filled are NULL again, the ledger and the audit trail remember that. Migrations and
/// keys stay.
///
/// First it is done on a private copy. What stands in the way is in the answer, and then nothing was
/// changed. Else the person is asked, and a backup is made.
///
/// # Errors
/// When there is no such import, when it was taken back before, or when the work cannot be done.
pub fn undo(
    keeper: &mut Keeper,
    run: &str,
    options: &Options<'_>,
    companion: &dyn Companion,
) -> Result<(RunRecord, Undone)> {
    let schema = keeper.existing()?.catalog.schema;
    let run = choose(&keeper.target().runs()?, run)?.clone();
    let references = gather::references(keeper.set(), &schema);
    let audit = keeper.set().audit.clone();
    let run_id = random_id()?;
    let told = |rows| {
        companion.advance(rows, 0);
        companion.interrupted().map_or(Ok(()), |signal| Err(Error::interrupted(signal)))
    };
    let order = |mode| Undo {
        mode,
        run_id: &run_id,
        run: &run.id,
        started: target::now(),
        references: &references,
        audit: audit.as_ref(),
        told: &told,
    };
    companion.phase(Phase::Check, 0, 0);
    let planned = keeper.target_mut().undo(&order(Mode::Dry))?;
    if options.dry || !planned.obstacles.is_empty() || planned.rows() == 0 {
        return Ok((run, planned));
    }
    let (rows, url) = (count(planned.rows(), "row"), keeper.target().url().to_owned());
    if !companion.confirm(&format!("take run {} back in {url}, and remove or empty {rows}?", run.id))? {
        return Err(Error::request("not confirmed, nothing was changed"));
    }
    let before = backup::Before { set: Some(&keeper.set().name), ..options.before.clone() };
    let safety = backup::before(keeper.target(), "undo", &before, companion)?;
    companion.phase(Phase::Finish, 0, 0);
    let done = keeper.target_mut().undo(&order(Mode::Real));
    // After a fault nobody knows what a commit gave: then it is kept too.
    if done.as_ref().is_ok_and(|done| !done.obstacles.is_empty()) {
        drop(safety);
    } else {
        safety.keep();
    }
    Ok((run, done?))
}
