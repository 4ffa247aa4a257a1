//! The reject folder: each rejected record with its place, so that it can be fixed and imported again.

use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::import::rejects::render::found;
use crate::import::vault::Vault;
use crate::outputs::{self, Inputs, resolve, with_suffix};
use crate::platform;
use crate::source::SourceFile;
use crate::source::locate::{Located, Locator};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The file in the folder that holds the rejects, one JSON object per line.
pub const FILE_NAME: &str = "rejects.jsonl";

/// One rejected record, or a file that could not be parsed.
#[derive(Debug, Default, Serialize)]
pub struct Reject<'a> {
    /// The file below the source's root.
    pub file: &'a str,
    /// SHA-256 of the file, lower-case hex; of a file that cannot be parsed, of what was read.
    pub sha256: String,
    /// The record's number in the file, from 0; none for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// In a file of lines, the line's number from 1 among those that are not blank, where the record is a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_line: Option<u64>,
    /// Where the record is: JSON Pointer, line and column.
    pub pointer: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// Its bytes in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<u64>>,
    /// Its findings: code and message.
    pub findings: Vec<(&'static str, String)>,
    /// The record, each secret replaced by a pointer to its place; none for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<RawValue>>,
    /// SHA-256 of the value as it is written here: of one that was edited it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_sha256: Option<String>,
    /// The leaves around the records that were rejected with them: pointers, those of names with `#` behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Vec<String>>,
    /// The run.
    pub run: String,
    /// The tree.
    pub source: String,
}

impl<'a> Reject<'a> {
    /// Something of the tree that is no file.
    pub(super) fn of_entry(path: &'a str, finding: &Finding, vault: &Vault) -> Self {
        let findings = vec![(finding.code.id, vault.or_withheld(&finding.message).to_owned())];
        Self { file: path, findings, ..Self::default() }
    }

    /// Something at a place of a file. What holds the value of a secret is withheld.
    pub(super) fn at(source: &'a SourceFile, located: &Located, findings: &[Finding], vault: &Vault) -> Self {
        let shown = |text: &str| vault.or_withheld(text).to_owned();
        Self {
            file: &source.path,
            pointer: shown(&located.pointer),
            line: located.line,
            column: located.column,
            findings: findings.iter().map(|finding| (finding.code.id, shown(&finding.message))).collect(),
            ..Self::default()
        }
    }
}

/// The open reject folder.
#[derive(Debug)]
pub struct RejectFolder {
    out: BufWriter<File>,
    partial: PathBuf,
    done: PathBuf,
    count: u64,
    /// The run whose rejects these are, and its tree.
    run: String,
    source: String,
    locator: Locator,
    /// Whether the unfinished file could not be renamed, and stays.
    kept: bool,
}

impl RejectFolder {
    /// Checks the folder, and creates nothing: an input of the run, or a file in it that is not ours, is
    /// a usage error before any work.
    pub fn check(folder: &Path, inputs: &Inputs) -> Result<()> {
        inputs.check("--rejects", folder)?;
        if fs::metadata(folder).is_ok_and(|is| !is.is_dir()) {
            return Err(Error::request("the reject folder is not a directory").at(folder.display()));
        }
        let done = resolve(folder).join(FILE_NAME);
        inputs.check("--rejects", &done)?;
        if fs::symlink_metadata(&done).is_ok() && !holds_rejects(&done) {
            return Err(Error::request("the file exists and does not hold rejects")
                .at(folder.join(FILE_NAME).display())
                .hint("choose another folder, or move the file away; nothing was written"));
        }
        outputs::check_leftover(&with_suffix(&done, ".partial"), holds_rejects)
    }

    /// Opens the folder for the rejects of a run, and creates it if it does not exist.
    pub fn open(folder: &Path, run: &str, source: &str) -> Result<Self> {
        let failed = |error: &std::io::Error| {
            Error::environment(format!("the reject folder cannot be written: {}", error.kind())).at(folder.display())
        };
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let done = resolve(folder).join(FILE_NAME);
        let partial = with_suffix(&done, ".partial");
        let file = outputs::create(&partial, holds_rejects, failed)?;
        let (run, source, locator) = (run.to_owned(), source.to_owned(), Locator::default());
        Ok(Self { out: BufWriter::new(file), partial, done, count: 0, run, source, locator, kept: false })
    }

    /// Where a byte of a file is. Asked in the order of the records, it reads each file once.
    pub(super) fn locate(&mut self, source: &SourceFile, offset: u64) -> Located {
        found(self.locator.find(source, offset).ok(), offset)
    }

    /// Adds a reject.
    pub fn add(&mut self, reject: Reject) -> Result<()> {
        let reject = Reject { run: self.run.clone(), source: self.source.clone(), ..reject };
        self.add_text(serde_json::to_vec(&reject).map_err(|_| Error::bug("a reject cannot be written as JSON"))?)
    }

    /// Adds a line.
    pub(super) fn add_text(&mut self, mut line: Vec<u8>) -> Result<()> {
        line.push(b'\n');
        self.count += 1;
        self.out.write_all(&line).map_err(|error| self.failed(&error))
    }

    /// Writes everything to the disk, under the temporary name. Call it before the commit: a full disk is
    /// found while the run can still be rolled back.
    pub fn finish(&mut self) -> Result<()> {
        self.out.flush().and_then(|()| self.out.get_ref().sync_all()).map_err(|error| self.failed(&error))
    }

    /// Renames the finished file. The rejects of an earlier run, which may be the only copy of a record,
    /// are kept under a numbered name; if nothing was rejected there is no file of this name.
    pub fn publish(mut self) -> Result<()> {
        self.rename().map_err(|error| {
            let failed = Error::environment(format!("the reject file cannot be renamed: {}", error.kind()));
            let failed = failed.at(self.done.display());
            if self.count == 0 {
                return failed;
            }
            self.kept = true;
            failed.hint(format!("the rejects are complete in {}", self.partial.display()))
        })
    }

    /// `rejects.jsonl` becomes the first of `rejects.1.jsonl`, `rejects.2.jsonl`… that is free.
    fn rename(&self) -> std::io::Result<()> {
        if fs::symlink_metadata(&self.done).is_ok() {
            outputs::keep_numbered(&self.done)?;
        }
        if self.count == 0 { Ok(()) } else { platform::rename_without_replacing(&self.partial, &self.done) }
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::environment(format!("the reject folder cannot be written: {}", error.kind())).at(self.done.display())
    }
}

impl Drop for RejectFolder {
    fn drop(&mut self) {
        if !self.kept {
            // Gone already if it was published; else its name says that it is unfinished.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Whether a file holds rejects, finished or not: an empty file does too.
fn holds_rejects(path: &Path) -> bool {
    let mut line = String::new();
    let is_regular = fs::symlink_metadata(path).is_ok_and(|is| is.is_file());
    let read = File::open(path).and_then(|file| BufReader::new(file).read_line(&mut line));
    is_regular && read.is_ok() && (line.is_empty() || line.starts_with("{\"file\":") && line.contains("\"sha256\":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_ends_early_leaves_no_unfinished_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rejects = RejectFolder::open(folder.path(), "", "").expect("opens");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
        drop(rejects);
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
    }
}
