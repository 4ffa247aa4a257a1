//! The rejected records of a run: which are known to be bad, which turned out to be, and what is written of them.

mod folder;
mod read;
mod render;

pub use folder::{FILE_NAME, Reject, RejectFolder};
pub(crate) use read::Folder;
pub(crate) use render::locate;
pub use render::render;

use crate::error::Result;
use crate::finding::{FileId, Finding, Place};
use crate::hex;
use crate::import::context::Context;
use crate::import::resolve::Cause;
use crate::import::taken::{Entry, digest_of};
use crate::mapping::declared::Declared;
use crate::source::Record;
use crate::source::locate::Located;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Records that are known to be bad before they are read, with their findings: an attempt that
/// detects one only after rows of it were written is restarted, knowing it.
pub type KnownRejects = HashMap<(FileId, u64), Vec<Finding>>;

/// Rows that are known to make their records bad, by place and table: only once all rows were written it was seen that they
/// reference a missing one.
pub(crate) type KnownRows = HashMap<(FileId, u64, String), Finding>;

/// So many findings are told of what is undecided around the records of one file.
const MOST_UNDECIDED: usize = 100;

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
    /// Documents of which something is undecided, to be set aside.
    undecided: KnownRejects,
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
    /// Those of them that are no files.
    pub entries: u64,
    /// The lines of rejects that come back whose records were found.
    pub(crate) met: HashSet<u64>,
    /// Their findings at error level.
    pub errors: u64,
    /// Where they are written, if they are.
    pub folder: Option<RejectFolder>,
}

impl Rejects {
    /// None so far but those that are bad, or rejected by what is known of other rows; that `may_change`.
    pub fn new(bad: KnownRejects, doubtful: KnownRejects, may_change: bool) -> Self {
        let (late, late_by_others, refused, for_target) = Default::default();
        let (count, entries, errors, folder, bad_rows, dangling, undecided, met) = Default::default();
        Self {
            bad,
            doubtful,
            may_change,
            late,
            late_by_others,
            undecided,
            refused,
            bad_rows,
            dangling,
            for_target,
            count,
            entries,
            met,
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

    /// Notes that something of a record, or with the largest offset of the file around them, is undecided.
    pub(crate) fn note_undecided(&mut self, document: (FileId, u64), mut findings: Vec<Finding>) {
        // A file may have as many documents as it has lines.
        let known = self.undecided.entry(document).or_default();
        findings.truncate(MOST_UNDECIDED.saturating_sub(known.len()));
        known.append(&mut findings);
    }

    /// Takes what is undecided for bad from now on.
    pub(crate) fn set_undecided_aside(&mut self) {
        learn(&mut self.late, std::mem::take(&mut self.undecided));
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

    /// Writes a rejected record into the reject folder, if one was asked for; `edited` is its reject, where it was edited
    /// there.
    pub(crate) fn keep(
        &mut self,
        cx: &Context<'_>,
        file: usize,
        declared: &Declared,
        record: &Record,
        (findings, edited): (&[Finding], Option<&Entry>),
    ) -> Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        let (source, vault) = (&cx.plan.tree.files[file], &cx.writer.vault);
        let located = folder.locate(source, record.span.start);
        let value = render(record.tape.root(), declared, &source.path, &located.pointer);
        // A record that holds a secret at an undeclared place is given by its place alone.
        let value = Some(value).filter(|value| !vault.finds_secret(value));
        // What was edited stays known as that.
        let value_sha256 = match edited {
            Some(edited) => edited.written.clone(),
            None => value.as_deref().map(digest_of),
        };
        folder.add(Reject {
            sha256: hex::encode(cx.files[file].sha256()),
            record: Some(record.position() - 1),
            in_line: record.in_line(),
            span: Some(record.span.clone()),
            value: value.and_then(|value| RawValue::from_string(value).ok()),
            value_sha256,
            ..Reject::at(source, &located, findings, vault)
        })
    }

    /// Names leaves around the records of a file that are rejected with them.
    pub(crate) fn keep_frame(&mut self, cx: &Context<'_>, file: usize, pointers: Vec<String>) -> Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        let (source, vault) = (&cx.plan.tree.files[file], &cx.writer.vault);
        let start = Located { offset: 0, pointer: String::new(), line: 1, column: 1 };
        let frame = pointers.into_iter().filter(|pointer| !vault.finds_secret(pointer)).collect();
        folder.add(Reject {
            sha256: hex::encode(cx.files[file].sha256()),
            frame: Some(frame),
            ..Reject::at(source, &start, &[], vault)
        })
    }

    /// Leaves a reject that came back in the folder as it is.
    pub(crate) fn keep_line_as_it_is(&mut self, text: &str) -> Result<()> {
        self.folder.as_mut().map_or(Ok(()), |folder| folder.add_text(text.as_bytes().to_vec()))
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
        folder.add(Reject {
            sha256: hex::encode(cx.files[file].sha256()),
            record: Some(number - 1),
            span: Some(span),
            ..Reject::at(source, &located, findings, vault)
        })
    }

    /// Names something that is no file in the reject folder, by its path.
    pub(crate) fn keep_entry(&mut self, cx: &Context<'_>, path: &str, finding: &Finding) -> Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        folder.add(Reject::of_entry(path, finding, &cx.writer.vault))
    }

    /// Names a file that cannot be read in the reject folder; it is never copied.
    pub(crate) fn keep_file(&mut self, cx: &Context<'_>, file: usize, findings: &[Finding]) -> Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        let source = &cx.plan.tree.files[file];
        let at = findings.iter().find_map(|finding| finding.place).map_or(0, |place| place.offset);
        let sha256 = crate::source::digest_of(source).map(hex::encode).unwrap_or_default();
        folder.add(Reject { sha256, ..Reject::at(source, &locate(source, at), findings, &cx.writer.vault) })
    }
}
