//! `treelift credentials hand-over`

use super::setting::Setting;
use super::words::{backup_hint, ending};
use crate::cli::args::credentials::{Format, HandOverArgs};
use crate::cli::mapping_set;
use crate::cli::output::Output;
use crate::cli::secrets;
use crate::credentials::application::{Application, form_of};
use crate::credentials::hand_over::{HandedOver, hand_over};
use crate::error::Result;
use crate::finding::printable;
use crate::report::words::{count, thousands};
use serde_json::json;

/// Writes the sealed values in the application's own form.
pub(super) fn run(args: HandOverArgs, output: &Output) -> Result<u8> {
    let Format::Fernet = args.to;
    let mappings = mapping_set::given(args.managed.mappings.as_deref())?;
    let setting = Setting::to_change_by(mappings.as_deref(), args.change, &args.managed, args.backup, output)?;
    let application = || Application::needed(&form_of(setting.set.as_ref())?, &secrets::variable);
    let done = setting.work(|job| hand_over(job, &application))?;
    output.outcome(&words(&done), &json!(done));
    Ok(0)
}

fn words(done: &HandedOver) -> String {
    let (values, opened) = (count(done.values, "value"), thousands(done.opened_again));
    let empty = if done.empty == 0 { String::new() } else { format!(", {} empty", thousands(done.empty)) };
    let mut words = ending(
        done.dry_run,
        &format!("{values} of {} written as {}, {opened} opened again{empty}", printable(&done.target), done.format),
    );
    if let Some(message) = &done.message {
        words.push_str(&format!("hint: {}\n", printable(message)));
    }
    words.push_str(&backup_hint(
        done.backup.as_deref(),
        "made before the hand-over still opens with the passphrase or key file",
    ));
    words
}
