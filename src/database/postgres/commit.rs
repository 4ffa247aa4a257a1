//! The commit, and what became of it where the connection was lost meanwhile.

use super::connect::Session;
use super::place::{Place, Tried};
use super::{ledger, opened, state, words};
use crate::error::Result;

/// Commits what a run in the ledger tells of. Where the connection is lost meanwhile, the run's own row there tells whether
/// it was; never the number of the transaction, which may be used again.
pub(super) fn commit(session: &Session, run: &str) -> Tried<()> {
    match session.try_run("COMMIT") {
        Err(error) if words::is_lost(&error) => Ok(outcome(&session.place, run)?),
        ended => Ok(ended?),
    }
}

/// Commits a change of keys or sealed cells, whose digest of keys and registry was the first of these, and is the second.
pub(super) fn commit_change(session: &Session, proof: Option<&(Option<String>, String)>) -> Tried<()> {
    match session.try_run("COMMIT") {
        Err(error) if words::is_lost(&error) => Ok(outcome_of_change(&session.place, proof)?),
        ended => Ok(ended?),
    }
}

/// A look at what is there once the session that was lost is gone.
fn behind(place: &Place) -> Tried<Session> {
    opened::wait_for_lock(&Session::open(place)?)?;
    opened::look(place)
}

/// Whether a run was committed whose connection was lost at the commit.
fn outcome(place: &Place, run: &str) -> Result<()> {
    let asked = || -> Tried<bool> { ledger::has_run(&behind(place)?, run) };
    match asked() {
        Ok(true) => Ok(()),
        Ok(false) => Err(words::gone().at(place.shown())),
        Err(_) => Err(words::unknown()
            .at(place.shown())
            .hint(format!("when the server runs again, `treelift runs` lists run {run} if it was committed"))),
    }
}

/// Whether a change of keys or sealed cells was committed whose connection was lost at the commit: the digest of keys
/// and registry tells it, where the change made it another one.
fn outcome_of_change(place: &Place, proof: Option<&(Option<String>, String)>) -> Result<()> {
    let unknown = || {
        words::unknown().at(place.shown()).hint(
            "when the server runs again, `credentials verify` tells which passphrase or key file opens the values",
        )
    };
    let Some((before, now)) = proof.filter(|(before, now)| before.as_ref() != Some(now)) else { return Err(unknown()) };
    let asked = || -> Tried<Option<String>> { state::value(&behind(place)?, state::DIGEST_NAME) };
    match asked() {
        Ok(found) if found.as_ref() == Some(now) => Ok(()),
        Ok(found) if found == *before => Err(words::gone().at(place.shown())),
        // Another one has changed it since, or it cannot be asked.
        _ => Err(unknown()),
    }
}
