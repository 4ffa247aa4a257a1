//! A new data key, and every value sealed again under it.

use super::Job;
use super::cells::{Marks, altered, open, place, placed, sealed_columns};
use super::erase::{Looked, Rewrite, Traces, erase, search_for};
use super::keyring::{self, Keyring};
use super::problem::{Problem, not_text};
use super::verify::stopped_by;
use crate::config::{Phase, SecretNeed};
use crate::database::cells::{Registered, Stored};
use crate::database::{Mode, Reader, Transaction, now};
use crate::error::{Error, Result};
use crate::secret::cipher::{FORMAT, Sealer, is_ours};
use crate::secret::kdf::Cost;
use crate::secret::keys::{KeyRow, create};
use secrecy::ExposeSecret;
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
    job.agree(&format!("seal every value again under a new data key, {}", job.before.in_words()))?;
    let secret = job.ui.secret(SecretNeed::Open)?.ok_or_else(|| Error::bug("no secret was given"))?;
    let old = Keyring::open_all(&old_rows, &secret)?;
    old.check(&job.database.seal_record()?)?;
    let safety = job.keep_what_is_there("rotate")?;

    let mut cells = job.change()?;
    keyring::unchanged(&old_rows, &cells.keys()?)?;
    old.check(&cells.seal_record()?)?;
    let (key, mut new_row) = create(&secret, Cost::default(), now())?;
    let mut sealer = Sealer::new(key, &new_row)?;
    let columns = sealed_columns(&*cells)?;
    let written = reseal(job, &mut *cells, &old, &mut sealer, &columns)?;
    new_row.seal_count = sealer.sealed_count();
    for row in &old_rows {
        cells.remove_key(&row.id)?;
    }
    cells.put_key(&new_row)?;
    for column in &columns {
        cells.register(&Registered { format: FORMAT.to_owned(), ..column.clone() })?;
    }
    Keyring::of_new(sealer).prove(&mut *cells)?;
    let opened_again = prove(job, &*cells, &new_row, &secret, &written)?;
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
        traces: erase(
            job,
            &Looked { search: &search, keys: &old_keys, backup: backup.as_deref() },
            &BTreeSet::new(),
            Rewrite::IfFound,
        ),
        old_keys,
        backup,
    })
}

/// What was written: for each column its values, as marks, in the order of its rows.
struct Written {
    marks: Marks,
    columns: Vec<(Registered, Vec<[u8; 32]>)>,
}

fn reseal(
    job: &Job<'_>,
    cells: &mut dyn Transaction,
    old: &Keyring,
    sealer: &mut Sealer,
    columns: &[Registered],
) -> Result<Written> {
    let mut written = Written { marks: Marks::new()?, columns: Vec::new() };
    for registered in columns {
        let column = &registered.column;
        let (placed, problems) = placed(cells, column)?;
        problems.into_iter().next().map_or(Ok(()), |problem| Err(problem.into_error()))?;
        job.ui.phase(Phase::Seal, placed.len() as u64, 0);
        let mut marks = Vec::with_capacity(placed.len());
        for one in placed {
            job.heed_signals()?;
            let token = match one.value {
                Stored::Null => continue,                                          // NULL stays NULL
                Stored::Text(text) if text.expose_secret().is_empty() => continue, // empty is no secret
                Stored::Text(token) => token,
                Stored::Other(kind) => return Err(not_text(column, &one.texts, kind).into_error()),
            };
            let text = open(old, column, &one.texts, token.expose_secret())
                .map_err(|problem| stopped_by(cells, old, columns, problem))?;
            marks.push(written.marks.of(text.expose_secret()));
            cells.write_cell(column, &one.key, &sealer.seal(&place(column, &one.texts), &text)?)?;
            job.ui.advance(1, 0);
        }
        written.columns.push((registered.clone(), marks));
    }
    Ok(written)
}

/// Reads everything back from the database and opens it, with the key as stored there.
fn prove(
    job: &Job<'_>,
    cells: &dyn Reader,
    row: &KeyRow,
    secret: &crate::secret::keys::Secret,
    written: &Written,
) -> Result<u64> {
    let ring = Keyring::open_all(&cells.keys()?, secret)?;
    ring.check(&cells.seal_record()?)?;
    if cells.keys()? != std::slice::from_ref(row) {
        return Err(Error::bug("the new key did not take the place of the old ones"));
    }
    let mut opened = 0;
    for (registered, marks) in &written.columns {
        let column = &registered.column;
        let mut marks = marks.iter();
        for one in placed(cells, column)?.0 {
            job.heed_signals()?;
            let Stored::Text(token) = &one.value else { continue }; // NULL, as it was
            if token.expose_secret().is_empty() {
                continue; // as it was
            }
            let text = open(&ring, column, &one.texts, token.expose_secret()).map_err(Problem::into_error)?;
            if marks.next() != Some(&written.marks.of(text.expose_secret())) {
                return Err(altered(&column.to_string()));
            }
            opened += 1;
        }
        if marks.next().is_some() {
            return Err(altered(&column.to_string()));
        }
    }
    Ok(opened)
}
