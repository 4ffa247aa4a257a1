//! An import that somebody watches, into a database that keeps nothing.

use super::ahead::Known;
use super::attempt::MOST_ATTEMPTS;
use super::begin::Beginning;
use super::sweep::sweep;
use super::watch::Watch;
use crate::config::{ImportOptions, Ui};
use crate::database::audit::random_id;
use crate::database::{self, Database, Mode};
use crate::error::{Error, Result};
use crate::import::plan::Plan;
use crate::import::run::Import;
use crate::import::vault::KeySource;
use crate::secret::proof::LeakSearch;
use crate::who::Who;
use jiff::Timestamp;

/// Imports a tree as into a new database, every reject allowed, and asks the last attempt for an answer.
///
/// The database has the set's tables and rules, so that its verdicts are those of a real one. It is private, in the
/// temporary folder, and gone at the end. `watcher` makes who watches an attempt, from the search for the secrets of
/// the tree.
pub(crate) fn rehearse<W: Watch, T>(
    plan: &Plan,
    depth: u32,
    started: Timestamp,
    ui: &dyn Ui,
    watcher: impl Fn(LeakSearch) -> W,
    answer: impl FnOnce(&mut Import<'_>, &W) -> Result<T>,
) -> Result<T> {
    let options = options(plan, depth);
    let key = if plan.set.seals() { KeySource::ThrowAway } else { KeySource::None };
    let who = Who::default(); // nothing of it is kept
    let beginning = Beginning {
        plan,
        options: &options,
        ui,
        key: &key,
        started,
        who: &who,
        approval: None,
        is_backed_up: false,
        is_verification: false,
        apart: None,
        before: None,
    };
    let mut known = Known::default();
    for number in 1.. {
        let secrets = sweep(plan, depth, ui)?.secrets;
        let watch = watcher(secrets.freeze());
        let (id, mut database) = nowhere(plan)?;
        let is_last = number == MOST_ATTEMPTS;
        let (mut run, read_ahead) = beginning.begin(&id, &mut *database, secrets, known, Some(&watch))?;
        read_ahead.and_then(|()| run.read()).map_err(|error| run.with_place(error))?;
        if !run.must_begin_anew(is_last) {
            let answered = answer(&mut run, &watch)?;
            run.writer.roll_back()?;
            return Ok(answered);
        }
        known = run.learned();
        run.writer.roll_back()?;
    }
    Err(Error::bug("the attempts at an import did not end"))
}

/// A new database of a name that nothing has; a dry run makes no file of that name either.
fn nowhere(plan: &Plan) -> Result<(String, Box<dyn Database>)> {
    let id = random_id()?;
    let path = std::env::temp_dir().join(format!("{id}.db"));
    let url = path.to_str().ok_or_else(|| Error::environment("the temporary folder's name is not UTF-8"))?;
    let mut database = database::open(url)?;
    database.wish(plan.set.wishes());
    Ok((id, database))
}

fn options(plan: &Plan, depth: u32) -> ImportOptions {
    ImportOptions {
        mode: Mode::Dry,
        reread: true,
        max_rejects: u64::MAX,
        no_backup: true,
        allow_empty: true,
        max_depth: depth,
        max_unpacked: u64::MAX,
        ..ImportOptions::of(plan.tree.root.clone())
    }
}
