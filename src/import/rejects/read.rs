//! Reads the rejects of earlier runs, so that they can be imported again.

use super::folder::FILE_NAME;
use crate::error::{Error, Result};
use crate::import::taken::{Entry, compact, digest_of};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::ops::Range;
use std::path::Path;

/// A line, as far as it says what is to be imported again; today's form and that of before runs were named.
#[derive(Deserialize)]
struct Line {
    file: String,
    sha256: String,
    record: Option<u64>,
    in_line: Option<u64>,
    pointer: String,
    span: Option<Range<u64>>,
    frame: Option<Vec<String>>,
    value: Option<Box<RawValue>>,
    value_sha256: Option<String>,
    run: Option<String>,
    source: Option<String>,
}

/// What a folder says of one file.
#[derive(Debug, Default)]
pub(crate) struct OfPath {
    /// Whether it is rejected as a whole.
    pub(crate) is_whole: bool,
    /// Its digest when its records were rejected, lower-case hex.
    pub(crate) sha256: String,
    /// Its rejected records: with their number, and that of their line where they are a part of it.
    pub(crate) records: Vec<(Entry, u64, Option<u64>)>,
    /// The leaves around its records that were rejected with them.
    pub(crate) frame: BTreeSet<String>,
    /// The lines that say so.
    pub(crate) others: Vec<String>,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// By path.
    pub(crate) files: BTreeMap<String, OfPath>,
    /// The runs that rejected it, where the lines say so.
    pub(crate) runs: BTreeSet<String>,
    /// The source trees that it is of, where the lines say so.
    pub(crate) sources: BTreeSet<String>,
}

impl Folder {
    /// Reads a folder. One in which nothing is left is empty.
    ///
    /// # Errors
    /// When it is no folder of rejects, or a line of it cannot be read; the value of a line is never told.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let failed = |error: &std::io::Error| {
            Error::environment(format!("the rejects cannot be read: {}", error.kind())).at(path.display())
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound && had_rejects(folder) => return Ok(Self::default()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(Error::request(format!("there is no {FILE_NAME} to import again"))
                    .at(folder.display())
                    .hint("give the folder that `--rejects` named; nothing was written"));
            }
            Err(error) => return Err(failed(&error)),
        };
        let mut read = Self::default();
        for (at, text) in BufReader::new(file).lines().enumerate() {
            let (number, text) = (at as u64 + 1, text.map_err(|error| failed(&error))?);
            let wrong = |what: &str| {
                Error::request(what.to_owned())
                    .at(format!("{}:{number}", path.display()))
                    .hint("a line is one JSON object, as `--rejects` wrote it; nothing was written")
            };
            if text.trim().is_empty() {
                continue; // an editor left it
            }
            let line: Line = serde_json::from_str(&text).map_err(|error| {
                let column = error.column();
                wrong(&format!("this line of the rejects is not one of treelift: column {column}"))
            })?;
            read.add(line, number, text).map_err(|why| wrong(&format!("the value of this reject: {why}")))?;
        }
        Ok(read)
    }

    fn add(&mut self, line: Line, number: u64, text: String) -> Result<(), &'static str> {
        let is_of_run = line.run.is_some();
        self.runs.extend(line.run);
        self.sources.extend(line.source);
        let of = self.files.entry(line.file).or_default();
        let Some(record) = line.record else {
            match line.frame {
                Some(frame) => {
                    of.frame.extend(frame);
                    of.others.push(text);
                    of.sha256 = line.sha256;
                }
                None => of.is_whole = true,
            }
            return Ok(());
        };
        of.sha256 = line.sha256;
        let value = line.value.map(|value| compact(value.get())).transpose()?;
        let as_written = |value: &String| line.value_sha256.as_ref().is_some_and(|sha256| *sha256 == digest_of(value));
        // Of a line that names no run it is not known what was written.
        let is_edited = is_of_run && value.as_ref().is_some_and(|value| !as_written(value));
        let (pointer, span, written) = (line.pointer, line.span, line.value_sha256);
        let entry = Entry { line: number, text, pointer, span, number: 0, value, written, is_edited };
        of.records.push((entry, record, line.in_line));
        Ok(())
    }
}

/// Whether rejects were in a folder of which all came in.
fn had_rejects(folder: &Path) -> bool {
    let (stem, ending) = FILE_NAME.split_once('.').unwrap_or((FILE_NAME, ""));
    let is_kept = |name: &str| {
        let number = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(ending));
        number.is_some_and(|number| number.trim_matches('.').parse::<u32>().is_ok())
    };
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.into_iter().any(|entry| entry.file_name().to_str().is_some_and(is_kept))
}
