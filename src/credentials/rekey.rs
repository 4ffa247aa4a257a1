//! A new passphrase or key file for the keys there are. No value changes.

use super::Job;
use super::erase::{Looked, Rewrite, Traces, erase, search_for};
use super::keyring;
use crate::error::{Error, Result};
use crate::secret::kdf::Cost;
use crate::secret::keys::{rewrap, unlock};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;

/// What [`rekey`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rekeyed {
    /// The database.
    pub target: String,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// The keys that were rewrapped.
    pub keys: Vec<String>,
    /// What opens them now.
    pub opens_with: String,
    /// Where the old wrapping remains, and backups that hold one of the keys under an older secret.
    pub traces: Traces,
}

/// Rewraps every key.
///
/// The new wrapping is read back and opened before the old one is removed, in one
/// transaction, so a crash leaves the old or the new secret, never neither.
pub fn rekey(job: &Job<'_>) -> Result<Rekeyed> {
    let looked = keyring::required(job.database)?;
    job.agree("wrap its keys under a new passphrase or key file")?;
    let (_, ring) = job.open(&looked)?;
    // A key that does not open cannot be rewrapped, and its values would be lost with the old secret.
    if let Some((key, words)) = ring.first_refusal() {
        return Err(Error::environment(format!("key `{key}` does not open: {words}"))
            .hint("nothing was changed; restore its row from a backup"));
    }
    ring.check(&job.database.seal_record()?)?;
    let new = job.ui.new_secret()?;

    let mut cells = job.change(&looked, &ring, BTreeSet::new())?;
    let rows = cells.keys()?;
    for row in &rows {
        let sealer = ring.sealer(&row.id).ok_or_else(|| Error::bug("a key that was opened is not there"))?;
        cells.put_key(&rewrap(sealer.data_key(), row, &new, Cost::default())?)?;
    }
    for row in &cells.keys()? {
        unlock(row, &new)?;
    }
    ring.prove(&mut *cells)?;
    let opens_with = new.kind().to_string();
    let keys: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let details = json!({ "keys": &keys, "opens_with": &opens_with });
    let active = &keyring::active(&rows)?.id;
    job.note(&mut *cells, "rekey", active, "the keys were rewrapped under another passphrase or key file", details)?;
    job.heed_signals()?;
    job.commit(cells)?;
    let search = search_for(rows.iter().map(|row| row.wrapped_key.as_str()));
    Ok(Rekeyed {
        target: job.database.url().to_owned(),
        dry_run: job.mode == crate::database::Mode::Dry,
        traces: erase(job, &Looked::of_keys(&search, &keys, None), &BTreeSet::new(), Rewrite::IfFound),
        keys,
        opens_with,
    })
}
