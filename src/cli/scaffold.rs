//! A first mapping set for a tree: written into a folder, with what was guessed.

use super::output::Output;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::inspect::scaffold::{self, Guess, Weight};
use crate::inspect::{self, Manner};
use crate::judge::judge;
use crate::mapping::folder;
use crate::mapping::load::SetSource;
use crate::outputs::Inputs;
use crate::report::words::{count, thousands};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// So many guesses are shown on a screen.
const MOST_SHOWN: usize = 40;

/// A set that was written.
pub(super) struct Written {
    folder: PathBuf,
    /// Its files, each with its lines.
    files: Vec<(String, u64)>,
    guesses: Vec<Guess>,
    mappings: u64,
    tables: u64,
    /// Lines that are marked.
    marked: u64,
}

/// Looks at a tree and writes a set for it into a folder that is new or empty; the set passes `check`.
pub(super) fn write(source: &Path, folder: &Path, manner: Manner) -> Result<Written> {
    let mut inputs = Inputs::default();
    inputs.folder("the source tree", source);
    inputs.check("--scaffold", folder)?;
    folder::is_free(folder)?;
    let inspection = inspect::inspect(source, manner)?;
    if inspection.types.iter().all(inspect::FileType::is_unread) {
        return Err(Error::request("no file of the tree is JSON that can be read, so there is nothing to map")
            .at(source.display())
            .hint("`treelift inspect` shows what is in it"));
    }
    let name = std::path::absolute(folder)
        .ok()
        .and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    let scaffold = scaffold::scaffold(&inspection, &name.unwrap_or_default());
    folder::write(&scaffold.files, folder)?;
    // The new set is checked like any other.
    let (set, schema) = judge(&SetSource::Folder(folder.to_owned()))?;
    let lines = |text: &str| text.lines().count() as u64;
    let marked = |text: &str| text.lines().filter(|line| line.contains("guess: ")).count() as u64;
    Ok(Written {
        folder: folder.to_owned(),
        files: scaffold.files.iter().map(|(file, text)| (file.clone(), lines(text))).collect(),
        marked: scaffold.files.iter().map(|(_, text)| marked(text)).sum(),
        guesses: scaffold.guesses,
        mappings: set.mappings.len() as u64,
        tables: schema.tables.len() as u64,
    })
}

impl Written {
    /// What was written.
    pub(super) fn words(&self) -> String {
        let mut said = format!("written: {}\n", printable(&self.folder.display().to_string()));
        for (file, lines) in &self.files {
            let _ = writeln!(said, "  {file} ({})", count(*lines, "line"));
        }
        let _ = writeln!(
            said,
            "passes `check`: {}, {} and {}",
            count(self.mappings, "mapping"),
            count(self.tables, "table"),
            count(self.marked, "guess"),
        );
        said
    }

    /// What was guessed, the weightiest first.
    pub(super) fn guesses(&self, output: &Output) -> String {
        let is_weighty = |guess: &&Guess| output.is_verbose() || guess.weight < Weight::Words;
        let most = if output.is_verbose() { usize::MAX } else { MOST_SHOWN };
        let shown: Vec<&Guess> = self.guesses.iter().filter(is_weighty).take(most).collect();
        let mut said = "guesses, the weightiest first:\n".to_owned();
        let place = |guess: &Guess| format!("{}:{}", guess.file, guess.line);
        let width = shown.iter().map(|guess| place(guess).len()).max().unwrap_or(0);
        for guess in &shown {
            let (kind, what, why) = (guess.weight.word(), printable(&guess.what), printable(&guess.why));
            let _ = writeln!(said, "  {kind:9}  {:width$}  {what}: {why}", place(guess));
        }
        let more = self.marked.saturating_sub(shown.len() as u64);
        if more > 0 {
            let _ = writeln!(said, "  and {} more; each line is marked `guess:`", thousands(more));
        }
        said
    }

    /// It as a document, in brief.
    pub(super) fn document(&self) -> Value {
        let files: Vec<&String> = self.files.iter().map(|(file, _)| file).collect();
        json!({ "folder": self.folder, "files": files, "guesses": self.marked })
    }

    /// It as a document with every guess.
    pub(super) fn document_with_guesses(&self) -> Value {
        let mut document = self.document();
        let of = |guess: &Guess| {
            json!({
                "kind": guess.weight.word(), "file": guess.file, "line": guess.line,
                "what": printable(&guess.what), "why": printable(&guess.why),
            })
        };
        document["guesses"] = self.guesses.iter().map(of).collect();
        document
    }
}
