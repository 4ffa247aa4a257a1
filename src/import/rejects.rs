//! The reject folder: each rejected record with its place, so that it can be fixed and imported again.

use crate::document::json::write_json_string;
use crate::document::tape::{Kind, NodeRef};
use crate::error::{Error, Result};
use crate::finding::{FileId, Finding, Place};
use crate::hex;
use crate::import::context::Context;
use crate::import::resolve::Cause;
use crate::import::vault::Vault;
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::secret_values::may_be_secret;
use crate::outputs::{self, Inputs, resolve, with_suffix};
use crate::source::locate::{Located, Locator};
use crate::source::{Record, SourceFile};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The file in the folder that holds the rejects, one JSON object per line.
pub const FILE_NAME: &str = "rejects.jsonl";

/// One rejected record, or a file that could not be parsed.
#[derive(Debug, Serialize)]
pub struct Reject<'a> {
    /// The file below the source's root.
    pub file: &'a str,
    /// SHA-256 of the file, lower-case hex; of a file that cannot be parsed, of what was read.
    pub sha256: String,
    /// The record's number in the file, from 0; none for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
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
}

impl<'a> Reject<'a> {
    /// Something at a place of a file. What holds the value of a secret is withheld.
    fn at(source: &'a SourceFile, located: &Located, findings: &[Finding], vault: &Vault) -> Self {
        let shown = |text: &str| vault.or_withheld(text).to_owned();
        Self {
            file: &source.path,
            sha256: String::new(),
            record: None,
            pointer: shown(&located.pointer),
            line: located.line,
            column: located.column,
            span: None,
            findings: findings.iter().map(|finding| (finding.code.id, shown(&finding.message))).collect(),
            value: None,
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

    /// Opens the folder, and creates it if it does not exist.
    pub fn open(folder: &Path) -> Result<Self> {
        let failed = |error: &std::io::Error| {
            Error::environment(format!("the reject folder cannot be written: {}", error.kind())).at(folder.display())
        };
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let done = resolve(folder).join(FILE_NAME);
        let partial = with_suffix(&done, ".partial");
        let file = outputs::create(&partial, holds_rejects, failed)?;
        Ok(Self { out: BufWriter::new(file), partial, done, count: 0, locator: Locator::default(), kept: false })
    }

    /// Where a byte of a file is. Asked in the order of the records, it reads each file once.
    fn locate(&mut self, source: &SourceFile, offset: u64) -> Located {
        found(self.locator.find(source, offset).ok(), offset)
    }

    /// Adds a reject.
    pub fn add(&mut self, reject: &Reject) -> Result<()> {
        let mut line = serde_json::to_vec(reject).map_err(|_| Error::bug("a reject cannot be written as JSON"))?;
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
        if self.count == 0 { Ok(()) } else { outputs::rename_without_replacing(&self.partial, &self.done) }
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

/// Records that are known to be bad before they are read, with their findings: an attempt that
/// detects one only after rows of it were written is restarted, knowing it.
pub type KnownRejects = HashMap<(FileId, u64), Vec<Finding>>;

/// Rows that are known to make their records bad, by place and table: only once all rows were written it was seen that they
/// reference a missing one.
pub(crate) type KnownRows = HashMap<(FileId, u64, String), Finding>;

/// Takes in what became known of further records.
pub(super) fn learn(known: &mut KnownRejects, more: KnownRejects) {
    for (record, mut findings) in more {
        let before = known.entry(record).or_default();
        findings.retain(|finding| !before.iter().any(|one| one.says_the_same(finding)));
        before.append(&mut findings);
    }
}

/// The rejected records of a run.
#[derive(Debug)]
pub struct Rejects {
    /// Records that are known to be bad before they are read.
    bad: KnownRejects,
    /// Records that are rejected by what is known of other rows so far.
    doubtful: KnownRejects,
    /// Whether what is known of other rows may change, so that a record which they make bad may turn out to be good.
    may_change: bool,
    /// Bad records that were detected too late.
    late: KnownRejects,
    /// Records that were rejected too late, and that what is known of other rows made bad.
    late_by_others: KnownRejects,
    /// Records with rows that the database rejected.
    pub refused: KnownRejects,
    /// Rows that are known to make their records bad.
    bad_rows: KnownRows,
    /// Rows that turned out to reference a missing row. Only where nothing else makes the run begin again is that known.
    pub(crate) dangling: KnownRows,
    /// Records that were rejected for rows of the target alone that an earlier import made of this tree.
    pub for_target: HashSet<(FileId, u64)>,
    /// Records, and broken files, that were rejected.
    pub count: u64,
    /// Their findings at error level.
    pub errors: u64,
    /// Where they are written, if they are.
    pub folder: Option<RejectFolder>,
}

impl Rejects {
    /// None so far but those that are bad, or rejected by what is known of other rows; that `may_change`.
    pub fn new(bad: KnownRejects, doubtful: KnownRejects, may_change: bool) -> Self {
        let (late, late_by_others, refused, for_target) = Default::default();
        let (count, errors, folder, bad_rows, dangling) = Default::default();
        Self {
            bad,
            doubtful,
            may_change,
            late,
            late_by_others,
            refused,
            bad_rows,
            dangling,
            for_target,
            count,
            errors,
            folder,
        }
    }

    /// Beside the records, the rows that are known to make theirs bad.
    pub(crate) fn knowing(self, bad_rows: KnownRows) -> Self {
        Self { bad_rows, ..self }
    }

    /// What is known to be wrong with rows of a file: their offsets and tables.
    pub(crate) fn known_of_rows<'r>(
        &self,
        file: FileId,
        rows: impl Iterator<Item = (u64, &'r String)>,
    ) -> Vec<Finding> {
        if self.bad_rows.is_empty() {
            return Vec::new();
        }
        rows.filter_map(|(at, table)| self.bad_rows.get(&(file, at, table.clone())).cloned()).collect()
    }

    /// The findings of a record that is known to be bad. While it is read ahead that is not known of doubtful ones.
    pub(crate) fn known(&self, place: Place, is_ahead: bool) -> Option<&Vec<Finding>> {
        let record = (place.file, place.offset);
        self.bad.get(&record).or_else(|| self.doubtful.get(&record).filter(|_| !is_ahead))
    }

    /// The findings of a file that is known to be bad.
    pub(crate) fn known_file(&self, file: FileId) -> Option<&Vec<Finding>> {
        self.bad.get(&(file, u64::MAX))
    }

    /// Whether what is known of other rows rejects a record.
    pub(crate) fn is_doubtful(&self, place: Place) -> bool {
        self.doubtful.contains_key(&(place.file, place.offset))
    }

    /// Whether none is known.
    pub(crate) fn is_none_known(&self) -> bool {
        self.bad.is_empty() && self.doubtful.is_empty() && self.bad_rows.is_empty()
    }

    /// Notes that a record is rejected, after rows of it were decided.
    pub(crate) fn note_late(&mut self, place: Place, mut findings: Vec<Finding>, cause: Cause) {
        let record = (place.file, place.offset);
        let is_by_others = self.may_change && cause == Cause::Record;
        if let Some(before) = self.doubtful.get(&record).filter(|_| is_by_others) {
            // What was not found before may only follow from that the record's own rows are not there.
            let stays = |finding: &Finding| before.iter().any(|one| one.says_the_same(finding));
            if findings.iter().any(stays) {
                findings.retain(stays);
            }
        }
        let late = if is_by_others { &mut self.late_by_others } else { &mut self.late };
        late.insert(record, findings);
    }

    /// Notes that a file turned out to be bad after rows of it were decided.
    pub(crate) fn note_late_file(&mut self, file: FileId, findings: Vec<Finding>) {
        self.late.insert((file, u64::MAX), findings);
    }

    /// Notes that a later turn rejects a record, too, that was rejected for rows of the target: an earlier import made
    /// them after it had rejected the record for what is found now, and the next attempt says so.
    pub(crate) fn note_again(&mut self, place: Place, findings: Vec<Finding>, cause: Cause) {
        if self.for_target.remove(&(place.file, place.offset)) {
            self.note_late(place, findings, cause);
        }
    }

    /// Whether every record was known to be bad that was rejected too late.
    pub(crate) fn is_none_late(&self) -> bool {
        self.late.is_empty() && self.late_by_others.is_empty()
    }

    /// Whether records turned out to be bad only after rows of theirs were written, and the rest may
    /// be committed without them: then the run is restarted, knowing them.
    pub fn must_begin_anew(&self, most: u64) -> bool {
        // What other rows make bad may turn out to be good: only the end tells how many there are.
        !self.refused.is_empty() || !self.late_by_others.is_empty() || (!self.late.is_empty() && self.count <= most)
    }

    /// Whether a reading ahead rejected too late those that were doubtful before, and no others.
    pub(crate) fn are_as_known(&self) -> bool {
        let is_alike = self.late_by_others.len() == self.doubtful.len()
            && self.doubtful.keys().all(|record| self.late_by_others.contains_key(record));
        is_alike && self.late.is_empty() && self.refused.is_empty()
    }

    /// The records that were rejected too late.
    pub(crate) fn found_late(&self) -> impl Iterator<Item = Place> {
        let records = self.late.keys().chain(self.late_by_others.keys()).chain(self.refused.keys());
        let rows = self.dangling.keys().map(|(file, offset, _)| (*file, *offset));
        records.copied().chain(rows).map(|(file, offset)| Place { file, offset })
    }

    /// The first record that is rejected by what is known of other rows.
    pub(crate) fn first_doubtful(&self) -> Option<Place> {
        let records = self.doubtful.keys().chain(self.late_by_others.keys());
        records.min().map(|(file, offset)| Place { file: *file, offset: *offset })
    }

    /// The records that are known to be bad for the next reading, and those that are doubtful: after one ahead, which
    /// asked these again, no others than it found.
    pub(crate) fn learned(&mut self, is_ahead: bool) -> (KnownRejects, KnownRejects, KnownRows) {
        let mut bad = std::mem::take(&mut self.bad);
        learn(&mut bad, std::mem::take(&mut self.late));
        learn(&mut bad, std::mem::take(&mut self.refused));
        let mut doubtful = std::mem::take(&mut self.late_by_others);
        if !is_ahead {
            learn(&mut doubtful, std::mem::take(&mut self.doubtful));
        }
        let mut rows = std::mem::take(&mut self.bad_rows);
        rows.extend(std::mem::take(&mut self.dangling));
        (bad, doubtful, rows)
    }

    /// Writes a rejected record into the reject folder, if one was asked for.
    pub(crate) fn keep(
        &mut self,
        cx: &Context<'_>,
        file: usize,
        declared: &Declared,
        record: &Record,
        findings: &[Finding],
    ) -> Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        let (source, vault) = (&cx.plan.tree.files[file], &cx.writer.vault);
        let located = folder.locate(source, record.span.start);
        let value = render(record.tape.root(), declared, &source.path, &located.pointer);
        // A record that holds a secret at an undeclared place is given by its place alone.
        let value = Some(value).filter(|value| !vault.finds_secret(value));
        folder.add(&Reject {
            sha256: hex::encode(cx.files[file].sha256()),
            record: Some(record.position() - 1),
            span: Some(record.span.clone()),
            value: value.and_then(|value| RawValue::from_string(value).ok()),
            ..Reject::at(source, &located, findings, vault)
        })
    }

    /// Names a line that cannot be read in the reject folder; it is never copied.
    pub(crate) fn keep_line(
        &mut self,
        cx: &Context<'_>,
        file: usize,
        (number, span): (u64, Range<u64>),
        findings: &[Finding],
    ) -> Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        let (source, vault) = (&cx.plan.tree.files[file], &cx.writer.vault);
        let located = folder.locate(source, span.start);
        folder.add(&Reject {
            sha256: hex::encode(cx.files[file].sha256()),
            record: Some(number - 1),
            span: Some(span),
            ..Reject::at(source, &located, findings, vault)
        })
    }

    /// Names a file that cannot be read in the reject folder; it is never copied.
    pub(crate) fn keep_file(&mut self, cx: &Context<'_>, file: usize, findings: &[Finding]) -> Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        let source = &cx.plan.tree.files[file];
        let at = findings.iter().find_map(|finding| finding.place).map_or(0, |place| place.offset);
        let sha256 = crate::source::digest_of(source).map(hex::encode).unwrap_or_default();
        folder.add(&Reject { sha256, ..Reject::at(source, &locate(source, at), findings, &cx.writer.vault) })
    }
}

pub(crate) fn locate(source: &SourceFile, offset: u64) -> Located {
    found(Locator::default().find(source, offset).ok(), offset)
}

/// A file that cannot be read again has no lines.
fn found(located: Option<Located>, offset: u64) -> Located {
    located.unwrap_or(Located { offset, pointer: String::new(), line: 0, column: 0 })
}

/// A record as a reject shows it: each secret replaced by `{"secret_at": "FILE#/pointer"}` below the
/// record's own pointer.
pub fn render(record: NodeRef, declared: &Declared, file: &str, pointer: &str) -> String {
    let mut out = String::new();
    write(record, declared, file, pointer, &mut out);
    out
}

fn write(node: NodeRef, declared: &Declared, file: &str, pointer: &str, out: &mut String) {
    let facts = declared.facts(Doc::Record, node.path());
    // A container is looked into member by member.
    let may_be = || node.kind() == Kind::String && may_be_secret(node.name(), node.text());
    if facts.is_hidden() || (!facts.declassified && may_be()) {
        out.push_str("{\"secret_at\":");
        write_json_string(out, &format!("{file}#{pointer}"));
        out.push('}');
        return;
    }
    match node.kind() {
        kind @ (Kind::Array | Kind::Object) => {
            let (open, close) = if kind == Kind::Array { ('[', ']') } else { ('{', '}') };
            out.push(open);
            for (i, child) in node.children().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                let step =
                    child.name().map_or_else(|| i.to_string(), |name| name.replace('~', "~0").replace('/', "~1"));
                // Elements have none.
                if let Some(name) = child.name() {
                    write_json_string(out, name);
                    out.push(':');
                }
                write(child, declared, file, &format!("{pointer}/{step}"), out);
            }
            out.push(close);
        }
        _ => node.write_json(out, &|_| false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_ends_early_leaves_no_unfinished_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rejects = RejectFolder::open(folder.path()).expect("opens");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
        drop(rejects);
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
    }
}
