//! `treelift backup list`

use crate::backup::{self, How};
use crate::cli::args::backup::ListArgs;
use crate::cli::managed;
use crate::cli::output::Output;
use crate::error::Result;
use crate::finding::printable;
use crate::report::words::count;
use serde_json::json;

/// Lists the backups; with `--verify` each is opened.
pub(super) fn run(args: &ListArgs, output: &Output) -> Result<u8> {
    let selection = managed::selection(&args.place.managed)?;
    let folder = super::place::folder(selection.database(), &args.place)?;
    let entries = folder.own()?;
    let mut failed = false;
    let states: Vec<String> = entries
        .iter()
        .map(|entry| {
            if args.verify {
                match backup::verify(selection.database(), &entry.path, How::TryOut) {
                    Ok(verified) => verified.proof.words(),
                    Err(error) => {
                        failed = true;
                        error.message
                    }
                }
            } else {
                super::words::state(entry)
            }
        })
        .collect();
    let words = if entries.is_empty() {
        let (url, root) = (selection.database().url(), folder.root().display().to_string());
        format!("no backup of {} in {}\n", printable(url), printable(&root))
    } else {
        super::words::list_words(&entries, &states)
    };
    let others = folder.others()?;
    let words = match others {
        0 => words,
        others => format!("{words}{} of other databases not shown\n", count(others as u64, "backup")),
    };
    let documents: Vec<_> = entries
        .iter()
        .zip(&states)
        .map(|(entry, state)| {
            json!({ "path": entry.path, "shelf": entry.shelf, "manifest": entry.manifest.as_ref().ok(), "state": state })
        })
        .collect();
    output.result(&words, &json!({ "folder": folder.root(), "backups": documents, "others": others }))?;
    Ok(u8::from(failed))
}
