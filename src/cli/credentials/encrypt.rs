//! `treelift credentials encrypt`

use super::setting::{Setting, column_names};
use super::words::{backup_hint, ending, trace_words};
use crate::cli::args::credentials::EncryptArgs;
use crate::cli::output::Output;
use crate::cli::secrets;
use crate::credentials::application::{Application, form_of};
use crate::credentials::choice::Choice;
use crate::credentials::encrypt::{Encrypted, encrypt};
use crate::error::Result;
use crate::finding::printable;
use crate::report::words::{count, thousands};
use serde_json::json;

/// Seals plaintext. Exits 1 when some remains, in a column or in a file.
pub(super) fn run(args: EncryptArgs, output: &Output) -> Result<u8> {
    let (columns, except) = (column_names(&args.column)?, column_names(&args.except)?);
    // Which columns are sealed is said here alone: a variable that names a set chooses none.
    let mappings = args.managed.mappings.as_deref();
    let setting = Setting::to_change_by(mappings, args.change, &args.managed, args.backup, output)?;
    let from = match args.from {
        Some(_) => Some(Application::needed(&form_of(setting.set.as_ref())?, &secrets::variable)?),
        None => None,
    };
    let set = setting.set.as_ref().filter(|_| mappings.is_some() && from.is_none());
    let choice = Choice { columns, key: args.key, except, set, from, with_triggers: args.with_triggers };
    let done = setting.work(|job| encrypt(job, &choice))?;
    output.outcome(&words(&done), &json!(done));
    Ok(u8::from(!done.is_clean()))
}

fn words(done: &Encrypted) -> String {
    let mut words = String::new();
    for column in done.columns.iter().filter(|column| column.sealed > 0) {
        words.push_str(&format!(
            "{}: {} sealed, {} sealed before, {} empty; rows identified by {}\n",
            printable(&format!("{}.{}", column.table, column.column)),
            thousands(column.sealed),
            thousands(column.already),
            thousands(column.empty),
            printable(&column.key_columns.join(", "))
        ));
    }
    for left in &done.left {
        words.push_str(&format!(
            "warning: {} of {} skipped: {}\n",
            count(left.values, "value"),
            printable(&format!("{}.{}", left.table, left.column)),
            printable(&left.reason)
        ));
    }
    for one in &done.triggers {
        words.push_str(&format!("warning: the trigger {} ran on what was sealed\n", printable(one)));
    }
    for one in &done.elsewhere {
        words.push_str(&format!(
            "warning: a sealed value is also stored in plaintext in {} of {}\n",
            count(one.cells, "cell"),
            printable(&format!("{}.{}", one.table, one.column))
        ));
    }
    words.push_str(&trace_words(&done.traces, "plaintext"));
    if done.should_rotate {
        words.push_str(
            "warning: the key has sealed more than a billion values: `treelift credentials rotate` makes a new one\n",
        );
    }
    words.push_str(&match &done.key {
        None => format!("nothing to seal in {}\n", printable(&done.target)),
        Some(key) => {
            let (made, opened) = (if done.key_is_new { "the new key" } else { "key" }, thousands(done.opened_again));
            let sealed = count(done.sealed, "value");
            ending(
                done.dry_run,
                &format!("{sealed} of {} sealed under {made} {key}, {opened} opened again", printable(&done.target)),
            )
        }
    });
    if done.key.is_some() && !done.dry_run {
        words.push_str(
            "hint: older copies of the database hold the plaintext, and free disk blocks may too; change the secrets that matter\n",
        );
        let what = "made before the encryption still holds the plaintext; delete it when you no longer need it";
        words.push_str(&backup_hint(done.backup.as_deref(), what));
    }
    words
}
