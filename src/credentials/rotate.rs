//! A new data key, and every value sealed again under it.

use super::Job;
use super::cells::{open, place, sealed_columns};
use super::erase::{Looked, Rewrite, Traces, erase, search_for};
use super::keyring::{self, Keyring};
use super::written::Written;
use crate::database::cells::Registered;
use crate::database::{Mode, now};
use crate::error::{Error, Result};
use crate::secret::cipher::{FORMAT, Sealer, is_ours};
use crate::secret::kdf::Cost;
use crate::secret::keys::create;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What [`rotate`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// The database.
    pub target: String,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// The keys that were destroyed.
    pub old_keys: Vec<String>,
    /// The key that every value is sealed under now.
    pub new_key: String,
    /// How many values were sealed again.
    pub values: u64,
    /// How many of them were read back and opened to the same.
    pub opened_again: u64,
    /// Columns that were handed over to the application and so are under no key of treelift.
    pub handed_over: Vec<String>,
    /// The backup that was made first, which is as the database was.
    pub backup: Option<PathBuf>,
    /// Where the old wrapped keys remain, apart from that backup.
    pub traces: Traces,
}

/// Makes a new data key under the same secret, seals every value again, destroys the old keys.
///
/// All in one transaction: the first value that does not open aborts it.
pub fn rotate(job: &Job<'_>) -> Result<Rotated> {
    let old_rows = keyring::required(job.database)?;
    job.able()?;
    job.agree(&format!("seal every value again under a new data key, {}", job.before.in_words()))?;
    let (secret, old) = job.open(&old_rows)?;
    old.check(&job.database.seal_record()?)?;
    let safety = job.keep_what_is_there("rotate")?;

    let mut cells = job.change(&old_rows, &old, BTreeSet::new())?;
    let (key, mut new_row) = create(&secret, Cost::default(), now())?;
    let mut sealer = Sealer::new(key, &new_row)?;
    let columns = sealed_columns(&*cells)?;
    let mut written = Written::new(true)?;
    for Registered { column, .. } in &columns {
        let mut seal = |key: &[String], text: &_| sealer.seal(&place(column, key), text);
        written.rewrite(job, &mut *cells, &old, (column, &columns), &mut seal)?;
    }
    new_row.seal_count = sealer.sealed_count();
    for row in &old_rows {
        cells.remove_key(&row.id)?;
    }
    cells.put_key(&new_row)?;
    for column in &columns {
        cells.register(&Registered { format: FORMAT.to_owned(), ..column.clone() })?;
    }
    Keyring::of_new(sealer).prove(&mut *cells)?;
    let rows = cells.keys()?;
    let ring = Keyring::open_all(&rows, &secret)?;
    ring.check(&cells.seal_record()?)?;
    if rows != [new_row.clone()] {
        return Err(Error::bug("the new key did not take the place of the old ones"));
    }
    let mut opened_again = 0;
    for Registered { column, .. } in &columns {
        job.heed_signals()?;
        opened_again += written.prove(&*cells, column, &|key, token| open(&ring, column, key, token))?.0;
    }
    let handed_over = cells.registered()?.into_iter().filter(|one| !is_ours(&one.format));
    let handed_over = handed_over.map(|one| format!("{}.{}", one.column.table, one.column.column)).collect();
    let old_keys: Vec<String> = old_rows.iter().map(|row| row.id.clone()).collect();
    let details = json!({ "old_keys": &old_keys, "values": opened_again });
    job.note(&mut *cells, "rotate", &new_row.id, "every sealed value was sealed again under a new key", details)?;
    job.heed_signals()?;
    let backup = safety.keep().map(|made| made.path);
    job.commit(cells)?;
    let search = search_for(old_rows.iter().map(|row| row.wrapped_key.as_str()));
    Ok(Rotated {
        target: job.database.url().to_owned(),
        dry_run: job.mode == Mode::Dry,
        new_key: new_row.id,
        values: opened_again,
        opened_again,
        handed_over,
        traces: erase(job, &Looked::of_keys(&search, &old_keys, backup.as_deref()), &BTreeSet::new(), Rewrite::IfFound),
        old_keys,
        backup,
    })
}
