//! `treelift mappings`

use super::args::MappingsCommand;
use super::output::Output;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::bundled::{self, BundledSet};
use crate::mapping::{folder, load, suggest};
use crate::report::table::table;
use crate::report::words::count;
use serde_json::json;
use std::path::Path;

/// Lists the bundled sets, or writes one into a folder.
pub(super) fn run(command: &MappingsCommand, output: &Output) -> Result<u8> {
    match command {
        MappingsCommand::List => list(output)?,
        MappingsCommand::Export { set, folder } => export(set, folder, output)?,
    }
    Ok(0)
}

fn list(output: &Output) -> Result<()> {
    let (mut rows, mut documents) = (Vec::new(), Vec::new());
    for bundled in bundled::sets() {
        let set = load::load(&bundled.source())?;
        documents.push(json!({
            "name": bundled.name, "description": set.description, "mappings": set.mappings.len(), "digest": set.digest,
        }));
        rows.push(vec![bundled.name.to_owned(), set.description]);
    }
    let words = table(&["set", "description"], rows, 2, None);
    output.result(&words, &json!({ "sets": documents }))
}

fn export(name: &str, into: &Path, output: &Output) -> Result<()> {
    let set = bundled::sets().iter().find(|set| set.name == name).ok_or_else(|| {
        let names = bundled::sets().iter().map(|set| set.name);
        let error = Error::request(format!("no bundled mapping set is called `{}`", printable(name)));
        error.hint(suggest::hint(name, names).unwrap_or_else(|| "`treelift mappings list` lists them".to_owned()))
    })?;
    folder::write(set.files, into)?;
    output.outcome(&written(set, into), &json!({ "set": name, "folder": into, "files": names(set) }));
    Ok(())
}

fn names(set: &BundledSet) -> Vec<&str> {
    set.files.iter().map(|(name, _)| *name).collect()
}

fn written(set: &BundledSet, into: &Path) -> String {
    let folder = printable(&into.display().to_string());
    format!(
        "written: {folder} ({})\nhint: `treelift check {folder}` checks it, and `--mappings {folder}` uses it\n",
        count(set.files.len() as u64, "file"),
    )
}
