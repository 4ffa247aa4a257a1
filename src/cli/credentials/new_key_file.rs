//! `treelift credentials new-key-file`

use crate::cli::args::credentials::NewKeyFileArgs;
use crate::cli::output::Output;
use crate::error::Result;
use crate::finding::printable;
use crate::secret::key_file::new_key_file;
use serde_json::json;

/// Makes a key file, and warns of losing it.
pub(super) fn run(args: &NewKeyFileArgs, output: &Output) -> Result<u8> {
    new_key_file(&args.path)?;
    let path = args.path.display().to_string();
    let words = format!(
        "written: {}\nhint: keep a copy in a safe place; without it, the values sealed under it cannot be opened\n",
        printable(&path)
    );
    output.outcome(&words, &json!({ "key_file": path }));
    Ok(0)
}
