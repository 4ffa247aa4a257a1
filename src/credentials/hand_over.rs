//! Writes sealed values in the form that the application itself reads.

use super::Job;
use super::application::Application;
use super::cells::sealed_columns;
use super::keyring;
use super::written::Written;
use crate::database::cells::{FERNET, Registered};
use crate::database::{Mode, is_own, now};
use crate::error::Result;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What [`hand_over`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
/// the values, and they are no longer bound to their cells. The application is asked for once the database is known
/// to have keys: what cannot be done at all is said before somebody looks a password up for it.
pub fn hand_over(job: &Job<'_>, application: &dyn Fn() -> Result<Application>) -> Result<HandedOver> {
    let rows = keyring::required(job.database)?;
    job.able()?;
    let application = application()?;
    let backup = job.before.in_words();
    job.agree(&format!("write every sealed value as `{FERNET}`, which the application's password opens, {backup}"))?;
    let (_, ring) = job.open(&rows)?;
    ring.check(&job.database.seal_record()?)?;
    let safety = job.keep_what_is_there("hand-over")?;

    let mut cells = job.change(&rows, &ring, BTreeSet::new())?;
    let mut done = HandedOver {
        target: job.database.url().to_owned(),
        dry_run: job.mode == Mode::Dry,
        format: FERNET.to_owned(),
        message: application.message.clone(),
        ..HandedOver::default()
    };
    let mut columns = sealed_columns(&*cells)?;
    // Values that treelift keeps for an undo are no application's.
    columns.retain(|one| !is_own(&one.column.table));
    let mut written = Written::new(true)?;
    for Registered { column, .. } in &columns {
        written.rewrite(job, &mut *cells, &ring, (column, &columns), &mut |_, text| application.seal(text, now()))?;
    }
    // Once all are written: a trigger on one of them may change another.
    for registered in columns {
        job.heed_signals()?;
        let column = &registered.column;
        let open = |key: &[String], token: &str| application.open(column, key, token);
        let (opened, empty) = written.prove(&*cells, column, &open)?;
        // An empty text that stays one is no value.
        done.values += opened - empty;
        done.opened_again += opened - empty;
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
