//! `treelift backup promote`

use crate::backup;
use crate::backup::folder::{Entry, Shelf};
use crate::backup::manifest::Manifest;
use crate::cli::args::backup::PromoteArgs;
use crate::cli::managed;
use crate::cli::output::Output;
use crate::error::Result;
use crate::finding::printable;
use serde_json::json;

/// Copies a backup onto another shelf.
pub(super) fn run(args: &PromoteArgs, output: &Output) -> Result<u8> {
    let selection = managed::selection(&args.place.managed)?;
    let folder = super::place::folder(selection.database(), &args.place)?;
    let entries = folder.own()?;
    let entry = match &args.file {
        Some(path) => {
            let manifest = Manifest::read(path)?;
            Entry { path: path.clone(), shelf: Shelf::Daily, manifest: Ok(manifest) }
        }
        None => backup::latest(&entries, None)
            .cloned()
            .ok_or_else(|| super::words::none_in(&folder, None, &entries, selection.database().url()))?,
    };
    let to = args.to;
    if args.dry_run {
        let path = printable(&entry.path.display().to_string());
        let words = format!("dry run: {path} would be copied onto the {} shelf\n", to.name());
        output.result(&words, &json!({ "dry_run": true, "backup": entry.path, "to": to }))?;
        return Ok(0);
    }
    let made = backup::promote(selection.database(), &folder, &entry, to)?;
    output.outcome(&super::words::made_words(&made), &json!({ "dry_run": false, "backup": made }));
    Ok(0)
}
