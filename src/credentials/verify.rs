//! Opens every sealed value, and changes nothing.

use super::application::Application;
use super::cells::{open, place, placed};
use super::keyring::{self, Keyring};
use super::problem::{Problem, not_text, problem};
use super::{Job, existing};
use crate::config::Phase;
use crate::database::cells::{FERNET, Registered, Stored};
use crate::database::sealed::CountDifference;
use crate::database::{Reader, SealedColumn};
use crate::error::{Error, Result};
use crate::secret::cipher::is_ours;
use secrecy::ExposeSecret;
use serde::Serialize;

/// How many other places a value that does not open is tried at, to distinguish a moved one from a
/// damaged one.
const MOST_TRIALS: usize = 2_000_000;

/// What [`verify`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The database.
    pub target: String,
    /// Values that opened.
    pub opened: u64,
    /// Cells that are NULL or empty.
    pub empty: u64,
    /// By column.
    pub columns: Vec<VerifiedColumn>,
    /// Tables with another number of sealed values than when treelift last sealed.
    pub differences: Vec<CountDifference>,
    /// Values that do not open, and other problems.
    pub problems: Vec<Problem>,
}

/// What [`verify`] found in a column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifiedColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// `tl2`, `tl1`, or the application's form.
    pub format: String,
    /// Values that opened.
    pub opened: u64,
    /// Cells that are NULL or empty.
    pub empty: u64,
    /// Values in the application's form, which were not opened because its password was not given.
    pub not_checked: u64,
}

/// Opens every value. Those of columns that were handed over open with the application's own key.
pub fn verify(job: &Job<'_>, application: Option<&Application>) -> Result<Verified> {
    let rows = keyring::required(job.database)?;
    let cells = existing(job.database)?;
    let (_, ring) = job.open(&rows)?;
    let record = cells.seal_record()?;
    ring.check_registry(&record)?;
    let registered = cells.registered()?;
    let mut verified =
        Verified { target: job.database.url().to_owned(), differences: record.differences(), ..Verified::default() };
    for one in &registered {
        let (found, problems) = column(job, &*cells, one, &ring, application)?;
        verified.opened += found.opened;
        verified.empty += found.empty;
        verified.columns.push(found);
        verified.problems.extend(problems);
    }
    find_moved(&*cells, &ring, &registered, &mut verified.problems)?;
    Ok(verified)
}

fn column(
    job: &Job<'_>,
    cells: &dyn Reader,
    registered: &Registered,
    ring: &Keyring,
    application: Option<&Application>,
) -> Result<(VerifiedColumn, Vec<Problem>)> {
    let Registered { column, format } = registered;
    let mut found = VerifiedColumn {
        table: column.table.clone(),
        column: column.column.clone(),
        format: format.clone(),
        ..VerifiedColumn::default()
    };
    let (placed, mut problems) = placed(cells, column)?;
    job.ui.phase(Phase::Seal, placed.len() as u64, 0);
    for one in placed {
        job.heed_signals()?;
        job.ui.advance(1, 0);
        let text = match &one.value {
            Stored::Null => "",
            Stored::Text(text) => text.expose_secret(),
            Stored::Other(kind) => {
                problems.push(not_text(column, &one.texts, kind));
                continue; // reported
            }
        };
        let opened = match (format.as_str(), application) {
            _ if text.is_empty() => {
                found.empty += 1;
                continue; // counted
            }
            (format, _) if is_ours(format) => open(ring, column, &one.texts, text).map(drop),
            (FERNET, Some(application)) => application.open(column, &one.texts, text).map(drop),
            _ => {
                found.not_checked += 1;
                continue; // counted
            }
        };
        match opened {
            Ok(()) => found.opened += 1,
            Err(problem) => problems.push(problem),
        }
    }
    Ok((found, problems))
}

/// The error of a job that stops at a value that does not open, damaged or moved.
pub(super) fn stopped_by(cells: &dyn Reader, ring: &Keyring, registered: &[Registered], problem: Problem) -> Error {
    let mut problems = [problem];
    if let Err(error) = find_moved(cells, ring, registered, &mut problems) {
        return error;
    }
    let [problem] = problems;
    problem.into_error()
}

/// Tries the values that do not open in every other place, and names the place they were sealed for.
fn find_moved(cells: &dyn Reader, ring: &Keyring, registered: &[Registered], problems: &mut [Problem]) -> Result<()> {
    const NOT_AUTHENTIC: &str = "not-authentic";
    if !problems.iter().any(|problem| problem.reason == NOT_AUTHENTIC) {
        return Ok(());
    }
    let columns: Vec<&SealedColumn> =
        registered.iter().filter(|one| is_ours(&one.format)).map(|one| &one.column).collect();
    let mut places = Vec::new();
    for column in &columns {
        places.push((*column, placed(cells, column)?.0));
    }
    let mut trials = 0;
    for suspect in problems.iter_mut().filter(|problem| problem.reason == NOT_AUTHENTIC) {
        let here = places
            .iter()
            .filter(|(column, _)| column.table == suspect.cell.table && column.column == suspect.cell.column);
        let cell = here.flat_map(|(_, cells)| cells).find(|one| one.texts == suspect.cell.key);
        let Some(Stored::Text(token)) = cell.map(|one| &one.value) else { continue }; // reported as it is
        let elsewhere = places.iter().flat_map(|(column, cells)| cells.iter().map(move |one| (*column, one)));
        let from = elsewhere.take(MOST_TRIALS - trials).find(|(column, one)| {
            trials += 1;
            ring.open(&place(column, &one.texts), token.expose_secret()).is_ok()
        });
        let (reason, message) = match from {
            Some((column, one)) => {
                let from = problem(column, one.texts.clone(), "", String::new()).cell;
                ("moved", format!("a value was moved here: it was sealed for {from}"))
            }
            None => ("damaged", "a value is damaged: it was changed since it was sealed".to_owned()),
        };
        (suspect.reason, suspect.message) = (reason.to_owned(), message);
    }
    Ok(())
}
