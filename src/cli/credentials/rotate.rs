//! `treelift credentials rotate`

use super::setting::Setting;
use super::words::rotated_words;
use crate::cli::args::credentials::RotateArgs;
use crate::cli::output::Output;
use crate::credentials::rotate::rotate;
use crate::error::Result;
use serde_json::json;

/// Seals every value again under a new data key.
pub(super) fn run(args: RotateArgs, output: &Output) -> Result<u8> {
    let done = Setting::to_change(args.change, &args.managed, args.backup, output)?.work(rotate)?;
    output.outcome(&rotated_words(&done), &json!(done));
    Ok(u8::from(!done.traces.own.is_empty()))
}
