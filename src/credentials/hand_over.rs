//! Writes sealed values in the form that the application itself reads.

use super::Job;
use super::application::Application;
use super::cells::{Marks, altered, open, placed, sealed_columns};
use super::keyring::{self, Keyring};
use super::problem::{Problem, not_text};
use super::verify::stopped_by;
use crate::config::{Phase, SecretNeed};
use crate::database::cells::{FERNET, Registered, Stored};
use crate::database::{Mode, Transaction, now};
use crate::error::{Error, Result};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

/// What [`hand_over`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandedOver {
    /// The database.
    pub target: String,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// The form that the values have now.
    pub format: String,
    /// Values that were written in it.
    pub values: u64,
    /// How many of them were read back and opened to the same.
    pub opened_again: u64,
    /// Sealed values that are empty, and that the application keeps as an empty text.
    pub empty: u64,
    /// The columns, as `table.column`.
    pub columns: Vec<String>,
    /// The backup that was made first, which is as the database was.
    pub backup: Option<PathBuf>,
    /// What else the application needs.
    pub message: Option<String>,
}

/// Writes every sealed value in the application's form, in one transaction.
///
/// The first value that does not open aborts it. Afterwards the application's password protects
/// the values, and they are no longer bound to their cells.
pub fn hand_over(job: &Job<'_>, application: &Application) -> Result<HandedOver> {
    let rows = keyring::required(job.database)?;
    let backup = job.before.in_words();
    job.agree(&format!("write every sealed value as `{FERNET}`, which the application's password opens, {backup}"))?;
    let secret = job.ui.secret(SecretNeed::Open)?.ok_or_else(|| Error::bug("no secret was given"))?;
    let ring = Keyring::open_all(&rows, &secret)?;
    ring.check(&job.database.seal_record()?)?;
    let safety = job.keep_what_is_there("hand-over")?;

    let mut cells = job.change()?;
    keyring::unchanged(&rows, &cells.keys()?)?;
    ring.check(&cells.seal_record()?)?;
    let mut done = HandedOver {
        target: job.database.url().to_owned(),
        dry_run: job.mode == Mode::Dry,
        format: FERNET.to_owned(),
        values: 0,
        opened_again: 0,
        empty: 0,
        columns: Vec::new(),
        backup: None,
        message: application.message.clone(),
    };
    for registered in sealed_columns(&*cells)? {
        let Opened { values, empty } = column(job, &mut *cells, &registered, &ring, application)?;
        done.values += values;
        done.opened_again += values;
        done.empty += empty;
        done.columns.push(format!("{}.{}", registered.column.table, registered.column.column));
        cells.register(&Registered { format: FERNET.to_owned(), ..registered })?;
    }
    ring.prove(&mut *cells)?;
    let details =
        json!({ "to": FERNET, "values": done.values, "columns": done.columns.iter().collect::<BTreeSet<_>>() });
    let reason = "sealed values were written in the application's own form";
    job.note(&mut *cells, "hand-over", &keyring::active(&rows)?.id, reason, details)?;
    job.heed_signals()?;
    done.backup = safety.keep().map(|made| made.path);
    job.commit(cells)?;
    Ok(done)
}

/// What was read back and opened to the same.
#[derive(Default)]
struct Opened {
    values: u64,
    empty: u64,
}

/// Writes the values of a column, reads them back and opens them as the application does.
fn column(
    job: &Job<'_>,
    cells: &mut dyn Transaction,
    registered: &Registered,
    ring: &Keyring,
    application: &Application,
) -> Result<Opened> {
    let column = &registered.column;
    let (before, problems) = placed(cells, column)?;
    problems.into_iter().next().map_or(Ok(()), |problem| Err(problem.into_error()))?;
    job.ui.phase(Phase::Seal, before.len() as u64, 0);
    let (marks, mut expected) = (Marks::new()?, HashMap::new());
    for one in before {
        job.heed_signals()?;
        job.ui.advance(1, 0);
        let token = match &one.value {
            Stored::Null => continue,                                          // NULL stays NULL
            Stored::Text(text) if text.expose_secret().is_empty() => continue, // empty is no secret
            Stored::Text(text) => text.expose_secret(),
            Stored::Other(kind) => return Err(not_text(column, &one.texts, kind).into_error()),
        };
        let text = open(ring, column, &one.texts, token)
            .map_err(|problem| stopped_by(cells, ring, std::slice::from_ref(registered), problem))?;
        cells.write_cell(column, &one.key, &application.seal(&text, now())?)?;
        expected.insert(one.texts, marks.of(text.expose_secret()));
    }
    let mut opened = Opened::default();
    for one in placed(cells, column)?.0 {
        let (Some(mark), Stored::Text(token)) = (expected.get(&one.texts), &one.value) else { continue }; // as it was
        let text = application.open(column, &one.texts, token.expose_secret()).map_err(Problem::into_error)?;
        if marks.of(text.expose_secret()) != *mark {
            return Err(altered(&column.to_string()));
        }
        // An empty text that stays one is no value.
        if token.expose_secret().is_empty() {
            opened.empty += 1;
        } else {
            opened.values += 1;
        }
    }
    if opened.values + opened.empty != expected.len() as u64 {
        return Err(altered(&column.to_string()));
    }
    Ok(opened)
}
