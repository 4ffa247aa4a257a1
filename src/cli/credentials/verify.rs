//! `treelift credentials verify`

use super::setting::Setting;
use crate::cli::args::credentials::VerifyArgs;
use crate::cli::mapping_set;
use crate::cli::output::Output;
use crate::cli::secrets;
use crate::credentials::application::{Application, form_of, set_of};
use crate::credentials::existing;
use crate::credentials::verify::{Verified, verify};
use crate::database::Database;
use crate::database::cells::FERNET;
use crate::error::Result;
use crate::finding::printable;
use crate::report::words::{count, thousands};
use serde_json::json;

/// How many problems are printed; the JSON document has all.
const SHOWN: usize = 100;

/// Opens every value. Exits 3 when one does not open, and 1 when there are values and none was opened.
pub(super) fn run(args: VerifyArgs, output: &Output) -> Result<u8> {
    let mappings = mapping_set::given(args.managed.mappings.as_deref())?;
    let setting = Setting::to_read(&args.managed, args.secrets, output)?;
    let application = application(&*setting.database, mappings.as_deref())?;
    let found = setting.work(|job| verify(job, application.as_ref()))?;
    output.result(&words(&found), &json!(found))?;
    Ok(if !found.problems.is_empty() { 3 } else { u8::from(found.opened == 0 && not_checked(&found) > 0) })
}

/// Values that only the application's password opens, which is not set.
fn not_checked(found: &Verified) -> u64 {
    found.columns.iter().map(|column| column.not_checked).sum()
}

/// The application's key, where values were handed over and its password is set.
fn application(database: &dyn Database, mappings: Option<&str>) -> Result<Option<Application>> {
    let handed_over = existing(database)?.registered()?.iter().any(|one| one.format == FERNET);
    if !handed_over {
        return Ok(None);
    }
    match set_of(database, mappings).and_then(|set| form_of(set.as_ref())) {
        Ok(form) => Application::new(&form, &secrets::variable),
        // Which application reads it is not known, so its values are counted, not opened.
        Err(_) if mappings.is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

fn words(found: &Verified) -> String {
    let mut words = String::new();
    for problem in found.problems.iter().take(SHOWN) {
        words.push_str(&format!(
            "error: {}\n  at {}\n",
            printable(&problem.message),
            printable(&problem.cell.to_string())
        ));
    }
    if found.problems.len() > SHOWN {
        words.push_str(&format!("and {} more\n", thousands((found.problems.len() - SHOWN) as u64)));
    }
    for column in found.columns.iter().filter(|column| column.not_checked > 0) {
        words.push_str(&format!(
            "warning: {} of {} not opened: the application's password is not set\n",
            count(column.not_checked, "value"),
            printable(&format!("{}.{}", column.table, column.column))
        ));
    }
    for difference in &found.differences {
        words.push_str(&format!("warning: {}\n", printable(&difference.to_string())));
    }
    let opened = count(found.opened, "value");
    let target = printable(&found.target);
    words.push_str(&match (found.problems.len(), not_checked(found)) {
        (0, 0) => format!("verified: {opened} of {target} opened\n"),
        (0, left) if found.opened == 0 => {
            format!("not verified: none of {} of {target} was opened\n", count(left, "value"))
        }
        (0, left) => format!("verified in part: {opened} of {target} opened, {} not\n", thousands(left)),
        (problems, _) => format!(
            "failed: {} of {} did not open, {} did\n",
            count(problems as u64, "value"),
            printable(&found.target),
            thousands(found.opened)
        ),
    });
    words
}
