//! `treelift backup create`

use crate::backup::manifest::Packing;
use crate::backup::{self, Making};
use crate::cli::args::backup::CreateArgs;
use crate::cli::output::Output;
use crate::cli::{log, managed};
use crate::error::Result;
use crate::finding::printable;
use serde_json::json;

/// Makes a backup and proves it.
pub(super) fn run(args: &CreateArgs, output: &Output) -> Result<u8> {
    let mut selection = managed::selection(&args.place.managed)?;
    selection.learn(&selection.memory()?)?;
    let packing = if args.compress { Packing::Gzip } else { Packing::None };
    if args.dry_run {
        if !selection.database().exists()? {
            return Err(selection.database().missing());
        }
        let root = super::place::folder(selection.database(), &args.place)?.root().display().to_string();
        let words = format!("dry run: a backup would be made below {}\n", printable(&root));
        output.result(&words, &json!({ "dry_run": true, "folder": root }))?;
        return Ok(0);
    }
    let making = Making {
        folder: args.place.backup_dir.as_deref(),
        packing,
        reason: "asked for",
        set: selection.set_name(),
        is_changed_next: false,
    };
    let made = backup::create(selection.database(), &making)?;
    log::done("backup", json!({ "path": made.path, "sha256": made.manifest.sha256 }));
    output.outcome(&super::words::made_words(&made), &json!({ "dry_run": false, "backup": made }));
    Ok(0)
}
