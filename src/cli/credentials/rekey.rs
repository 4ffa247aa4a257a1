//! `treelift credentials rekey`

use super::setting::Setting;
use super::words::rekeyed_words;
use crate::cli::args::credentials::RekeyArgs;
use crate::cli::args::shared::{BackupArgs, NewSecretArgs};
use crate::cli::output::Output;
use crate::cli::secrets;
use crate::credentials::rekey::rekey;
use crate::error::Result;
use serde_json::json;

/// Rewraps the keys under another passphrase or key file.
pub(super) fn run(args: RekeyArgs, output: &Output) -> Result<u8> {
    let new = NewSecretArgs { weak_passphrase: args.change.secrets.weak_passphrase, ..args.new };
    let new = secrets::choose_new(new)?;
    let setting = Setting::to_change(args.change, &args.managed, BackupArgs::default(), output)?;
    let done = setting.with_new_secret(new).work(rekey)?;
    output.outcome(&rekeyed_words(&done), &json!(done));
    Ok(u8::from(!done.traces.own.is_empty()))
}
