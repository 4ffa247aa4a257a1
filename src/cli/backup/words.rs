//! What the commands on backups print.

use crate::backup::Made;
use crate::backup::folder::{Entry, Folder, Shelf};
use crate::error::Error;
use crate::finding::printable;
use crate::report::table::table;
use crate::report::words::{bytes, count};

/// The words for a folder, or a shelf of it, without a backup of the database that can be taken.
pub(super) fn none_in(folder: &Folder, shelf: Option<Shelf>, entries: &[Entry], url: &str) -> Error {
    let on = shelf.map_or_else(String::new, |shelf| format!(" on the {} shelf", shelf.name()));
    let error = Error::environment(format!("there is no backup of {url}{on}"));
    let hint = if entries.is_empty() {
        "make one with `backup create`, or name the folder with `--backup-dir`, or a file with `--file`"
    } else {
        "`backup list` shows those that can be named with `--file`"
    };
    error.at(folder.root().display()).hint(hint)
}

/// What is said of a backup that was made.
pub(super) fn made_words(made: &Made) -> String {
    let content = &made.manifest.content;
    let proof = printable(&made.proof.words());
    let line = format!(
        "{proof}: {} ({}, {}, schema {})\n",
        printable(&made.path.display().to_string()),
        bytes(made.manifest.bytes),
        count(content.all_rows(), "row"),
        printable(content.schema.as_deref().unwrap_or("none"))
    );
    match &made.manifest.server {
        Some(server) => format!("made with {}\n{line}", printable(&server.program)),
        None => line,
    }
}

/// Backups in a list: newest last.
pub(super) fn list_words(entries: &[Entry], states: &[String]) -> String {
    let rows = entries.iter().zip(states).enumerate().map(|(at, (entry, state))| {
        let name = entry.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut row = vec![(at + 1).to_string(), entry.shelf.name().to_owned(), name];
        match &entry.manifest {
            Ok(manifest) => row.extend([
                manifest.made_at.split('.').next().unwrap_or_default().to_owned(),
                bytes(manifest.bytes),
                count(manifest.content.all_rows(), "row"),
                manifest.content.schema.clone().unwrap_or_default(),
                manifest.reason.clone(),
            ]),
            Err(_) => row.extend(std::iter::repeat_n(String::new(), 5)),
        }
        row.push(state.clone());
        row
    });
    table(&["", "shelf", "file", "made (UTC)", "size", "rows", "schema", "why", "state"], rows, usize::MAX, None)
}

/// What a listing says of a backup without opening it.
pub(super) fn state(entry: &Entry) -> String {
    match &entry.manifest {
        Err(why) => why.clone(),
        Ok(manifest) => match std::fs::metadata(&entry.path).map(|is| is.len()) {
            Ok(bytes) if bytes == manifest.bytes => "not opened".to_owned(),
            Ok(_) => "its size differs from the manifest".to_owned(),
            Err(error) => error.kind().to_string(),
        },
    }
}
