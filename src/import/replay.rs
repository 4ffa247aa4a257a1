//! Rejects that come back: of the tree only what the reject folder names, into the database that has the rest.

use crate::config::ImportOptions;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::finding::{FileId, Finding, Place, REJECT_EDITED, REJECT_GONE, REJECT_UNSURE, printable};
use crate::hex;
use crate::import::files::file_id;
use crate::import::plan::{Disposition, Plan};
use crate::import::rejects::Folder;
use crate::import::run::{Import, Parts};
use crate::import::taken::{Entry, How, OfFile, Replays, Take, Taken, overlaid};
use crate::mapping::model::{Format, Shape};
use crate::report::FileStatus;
use crate::source::walk::{self, Tree};
use crate::source::{self, Record};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The folder whose rejects are to be imported again, if it is asked for.
pub(super) fn folder(options: &ImportOptions) -> Result<Option<Folder>> {
    let Some(path) = &options.replay else { return Ok(None) };
    let alone = [
        ("--rejects", options.rejects.is_some()),
        ("--only-mapping", !options.only_mapping.is_empty()),
        ("--only-owner", !options.only_owner.is_empty()),
    ];
    if let Some((flag, _)) = alone.iter().find(|(_, is_given)| *is_given) {
        let error = Error::request(format!("`{flag}` cannot be given beside `--replay`"));
        return Err(error.hint("what is still wrong stays in the folder of `--replay`"));
    }
    Folder::read(path).map(Some)
}

/// The source as lines of rejects name it.
pub(super) fn name_of(root: &Path) -> String {
    walk::readable(root).unwrap_or_else(|_| root.to_owned()).display().to_string()
}

/// Refuses rejects of another source, or of a run whose other records are not in the database.
pub(super) fn is_of(folder: &Folder, root: &Path, database: &dyn Database) -> Result<()> {
    let own = name_of(root);
    if let Some(other) = folder.sources.iter().find(|source| **source != own) {
        let message = format!("the rejects are of the source {}, not of {}", printable(other), printable(&own));
        return Err(Error::request(message).hint("give the source that they came from; nothing was written"));
    }
    let runs = database.runs()?;
    for run in &folder.runs {
        let hint = "import the source again: it rejects again what is still wrong; nothing was written";
        if !runs.iter().any(|known| known.id == *run) {
            let message = format!("the rejects are of run {run}, which {} does not have", database.url());
            return Err(Error::request(message).hint(hint));
        }
        if let Some(undo) = runs.iter().find(|later| later.undoes.as_deref() == Some(run)) {
            let message = format!("the rejects are of run {run}, which run {} undid", undo.id);
            return Err(Error::request(message).hint(hint));
        }
    }
    Ok(())
}

/// The plan of what a folder names of a tree; `make` makes that of a tree.
pub(super) fn plan(folder: Folder, tree: &Tree, make: impl FnOnce(Tree) -> Result<Plan>) -> Result<Plan> {
    let (part, gone) = part(&folder, tree);
    let mut plan = make(part)?;
    plan.taken = taken(folder, gone, &plan);
    Ok(plan)
}

/// The tree as far as a folder names it, and what it names that is not there.
fn part(folder: &Folder, tree: &Tree) -> (Tree, Vec<String>) {
    let is_named = |path: &str| with_those_above(path).any(|path| folder.files.contains_key(path));
    let files: Vec<usize> = (0..tree.files.len()).filter(|at| is_named(&tree.files[*at].path)).collect();
    let mut part = tree.part(&files);
    part.skipped.retain(|skipped| is_named(&skipped.path));
    let paths = part.files.iter().map(|file| &*file.path).chain(part.skipped.iter().map(|skipped| &*skipped.path));
    let there: HashSet<&str> = paths.flat_map(with_those_above).collect();
    let gone = folder.files.keys().filter(|path| !there.contains(path.as_str())).cloned().collect();
    (part, gone)
}

/// A path, and those of the folders that it lies in.
fn with_those_above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end]).chain([path])
}

/// What is taken of the files of the plan's tree.
fn taken(folder: Folder, gone: Vec<String>, plan: &Plan) -> Taken {
    let Folder { mut files, runs, .. } = folder;
    let mut taken = HashMap::new();
    for (number, source) in plan.tree.files.iter().enumerate() {
        let Disposition::Mapped { mapping, .. } = plan.dispositions[number] else { continue }; // as a whole
        let Some(of) = files.remove(&*source.path).filter(|of| !of.is_whole) else { continue }; // as a whole
        let is_same = source::digest_of(source).is_some_and(|digest| hex::encode(digest) == of.sha256);
        let mut part = OfFile::new(is_same);
        let has_lines = plan.set.mappings[mapping].source.format == Format::Lines;
        for (entry, record, in_line) in of.records {
            let number = match in_line {
                Some(line) => Record::of_line(line, record + 1),
                None if has_lines => Record::of_line(record + 1, 0),
                None => record + 1,
            };
            part.add(Entry { number, ..entry });
        }
        (part.frame, part.others) = (of.frame, of.others);
        taken.insert(file_id(number), part);
    }
    Taken::of_rejects(taken, Replays { runs: runs.into_iter().collect(), gone })
}

impl Plan {
    /// The record as it was edited in the folder of rejects.
    ///
    /// # Errors
    /// A finding where it cannot be made.
    pub(super) fn edited(
        &self,
        (file, mapping, depth): (usize, usize, u32),
        shape: &Shape,
        entry: &Entry,
        record: &Record,
    ) -> Result<Record, Finding> {
        let how = How {
            file: file_id(file),
            limits: self.limits(mapping, depth),
            from_json: &self.set.mappings[mapping].source.from_json,
            is_whole: shape.records.is_none(),
            path: &self.tree.files[file].path,
        };
        overlaid(entry, record, &how).map_err(|why| {
            let message = format!("the value in line {} of the rejects: {why}", entry.line);
            Finding::new(&REJECT_UNSURE, message)
        })
    }
}

impl Import<'_> {
    /// What becomes of a record of a file of which not all are taken: as it is to be read, with its reject; none where it
    /// is not read. What is to be said of it is told where `is_told`.
    pub(super) fn take_part(
        &mut self,
        (file, shape, is_told): (usize, usize, bool),
        part: &OfFile,
        record: Record,
    ) -> Result<Option<(Record, std::sync::Arc<Entry>)>> {
        let (number, depth) = (self.mapping, self.options.max_depth);
        let place = Place { file: file_id(file), offset: record.span.start };
        let (entry, told) = match part.take(&record) {
            Take::Not => return Ok(None),
            Take::Taken(entry, told) => (entry, told),
            Take::Stays(entry, finding) => return self.leave(file, &entry, finding.at(place), is_told).map(|()| None),
        };
        self.rejects.met.insert(entry.line);
        if !entry.is_edited {
            self.findings.extend(told.filter(|_| is_told).map(|told| told.at(place).about("rejects")));
            return Ok(Some((record, entry)));
        }
        let shape = &self.plan.set.mappings[number].source.shapes[shape];
        match self.plan.edited((file, number, depth), shape, &entry, &record) {
            Ok(edited) => {
                if is_told {
                    let message = format!("taken as it stands in line {} of the rejects", entry.line);
                    self.findings.push(Finding::new(&REJECT_EDITED, message).at(place).about("rejects"));
                }
                Ok(Some((edited, entry)))
            }
            Err(finding) => self.leave(file, &entry, finding.at(place), is_told).map(|()| None),
        }
    }

    /// Leaves a reject in the folder as it is.
    fn leave(&mut self, file: usize, entry: &Entry, finding: Finding, is_told: bool) -> Result<()> {
        self.rejects.met.insert(entry.line);
        if is_told {
            self.rejects.count += 1;
            self.rejects.errors += 1;
            self.files[file].count(|counts| counts.rejected += 1);
            self.findings.push(finding.about("rejects"));
            self.rejects.keep_line_as_it_is(&entry.text)?;
        }
        Ok(())
    }

    /// Reports the rejects whose record is not in its file, and those whose file is not in the source.
    pub(super) fn report_unmet(&mut self) -> Result<()> {
        let plan = self.plan;
        let Some(replays) = &plan.taken.replays else { return Ok(()) };
        for path in &replays.gone {
            let path = printable(path);
            let message = format!("`{path}` is not in the source any more: what was rejected of it is not imported");
            self.findings.push(Finding::new(&REJECT_GONE, message).at_path(path).about("rejects"));
        }
        for file in 0..plan.tree.files.len() {
            let Some(part) = plan.taken.part_of(file) else { continue }; // it is read as a whole
            if self.files[file].status != Some(FileStatus::Imported) {
                continue; // it is told what became of it
            }
            for entry in
                part.entries().filter(|entry| !self.rejects.met.contains(&entry.line)).cloned().collect::<Vec<_>>()
            {
                let message = format!("the file has no record like that of line {} of the rejects", entry.line);
                let place = Place { file: FileId(file_id(file).0), offset: 0 };
                self.leave(file, &entry, Finding::new(&REJECT_UNSURE, message).at(place), true)?;
            }
        }
        Ok(())
    }

    /// Keeps what the folder says of a file that turned out to be broken by now; whether it said anything.
    pub(super) fn keep_part(&mut self, file: usize) -> Result<bool> {
        let Some(part) = self.plan.taken.part_of(file) else { return Ok(false) };
        for text in part.entries().map(|entry| &entry.text).chain(&part.others) {
            self.rejects.keep_line_as_it_is(text)?;
        }
        Ok(true)
    }

    /// The pointers of leaves around the records of a file that are rejected with them, for the folder.
    pub(super) fn keep_frame(&mut self, file: usize, pointers: Vec<String>) -> Result<()> {
        if pointers.is_empty() {
            return Ok(());
        }
        let Parts { rejects, cx, .. } = self.parts();
        rejects.keep_frame(&cx, file, pointers)
    }
}
