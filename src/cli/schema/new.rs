//! `treelift schema new`

use super::keeper;
use crate::cli::output::Output;
use crate::cli::schema_args::NewArgs;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::schema::new_pair;
use serde_json::json;

/// Writes a new pair of migration files.
pub(super) fn run(args: &NewArgs, output: &Output) -> Result<u8> {
    let keeper = keeper::open(&args.keeper)?;
    let folder = keeper.folder().ok_or_else(|| {
        Error::request(format!("the mapping set `{}` is bundled, so nothing can be added to it", keeper.set().name))
            .hint("name a folder with `--mappings DIR`")
    })?;
    let content = args.from_drift.then(|| keeper.drift_as_migration()).transpose()?;
    let pair = new_pair(&folder, &keeper.set().migrations, &args.name, content, args.dry_run)?;
    let (up, down) = (printable(&pair.up.display().to_string()), printable(&pair.down.display().to_string()));
    let words = match args.dry_run {
        true => format!("would write {up}:\n{}\nwould write {down}:\n{}", pair.up_sql, pair.down_sql),
        false => format!("written: {up}\nwritten: {down}\n"),
    };
    output.result(&words, &json!({ "dry_run": args.dry_run, "pair": pair }))?;
    Ok(0)
}
