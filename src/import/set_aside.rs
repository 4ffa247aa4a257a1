//! What is set aside as a whole before it is read, where an import is to commit whatever can be imported: files that
//! nothing reads or that cannot be told apart, and what is no file.

use crate::config::ImportOptions;
use crate::error::{Error, Result};
use crate::finding::{FILE_CASE_TWINS, FileId, Finding, Severity};
use crate::import::files::Why;
use crate::import::plan::Disposition;
use crate::import::record::errors;
use crate::import::run::{Import, Parts};
use crate::report::{FileStatus, SetAsideReport};
use std::sync::Arc;

/// What is set aside is nowhere but in the reject folder.
pub(super) fn has_folder(options: &ImportOptions) -> Result<()> {
    if options.set_aside && options.rejects.is_none() && options.replay.is_none() {
        let error = Error::request("`--set-aside` needs a folder for what it sets aside");
        return Err(error.hint("name one with `--rejects DIR`; nothing was written"));
    }
    Ok(())
}

impl Import<'_> {
    /// Sets a file aside that no mapping reads.
    pub(super) fn set_file_aside(&mut self, file: usize, findings: Vec<Finding>) -> Result<()> {
        self.files[file].reject(findings.first().map(|finding| Arc::new(Why::rejected(finding.code.title))));
        self.rejects.count += 1;
        let Parts { rejects, cx, .. } = self.parts();
        rejects.keep_file(&cx, file, &findings)?;
        self.rejects.errors += errors(&findings);
        self.findings.extend(findings);
        Ok(())
    }

    /// Sets both of two files aside whose names differ in case only: it is not known which of them is the right one.
    pub(super) fn set_twins_aside(&mut self) -> Result<()> {
        if !self.options.set_aside || self.plan.set.strings.keep_case_twins {
            return Ok(());
        }
        let plan = self.plan;
        for finding in plan.tree.findings.iter().filter(|finding| finding.code == &FILE_CASE_TWINS) {
            for file in self.twins_of(finding) {
                let source = &plan.tree.files[file];
                let finding = finding.clone().at(source.place(0)).about("files");
                match plan.dispositions[file] {
                    _ if self.files[file].status.is_some() => {} // a twin of a third one
                    Disposition::Ignored(_) => {}
                    Disposition::Unmapped => {
                        let unmapped = self.unmapped(file);
                        self.set_file_aside(file, vec![finding, unmapped])?;
                    }
                    Disposition::Mapped { mapping, .. } => {
                        self.mapping = mapping;
                        self.reject_file(file, vec![finding])?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The two files that a finding of the walk says differ in case only.
    fn twins_of(&self, finding: &Finding) -> Vec<usize> {
        let is_it = |(file, _): &&(FileId, FileId)| finding.place.is_some_and(|place| place.file == *file);
        let pair = self.plan.tree.case_twins.iter().find(is_it);
        pair.map_or(Vec::new(), |(file, twin)| vec![file.0 as usize, twin.0 as usize])
    }

    /// Takes what the walk found. What is no file and cannot be imported is set aside, where that is asked for.
    pub(super) fn take_walked(&mut self, found: Vec<Finding>) -> Result<()> {
        for finding in found {
            if self.options.set_aside && finding.severity == Severity::Error {
                if finding.code == &FILE_CASE_TWINS
                    && self.twins_of(&finding).iter().any(|file| self.files[*file].status == Some(FileStatus::Rejected))
                {
                    continue; // told of each of them
                }
                if let Some(path) = finding.path.clone() {
                    let Parts { rejects, cx, .. } = self.parts();
                    rejects.keep_entry(&cx, &path, &finding)?;
                    rejects.count += 1;
                    rejects.entries += 1;
                    rejects.errors += 1;
                }
            }
            self.findings.push(finding);
        }
        Ok(())
    }

    /// How much was set aside, where that was asked for.
    pub(super) fn set_aside(&self) -> Option<SetAsideReport> {
        let states = || self.files.iter().map(|file| (file.status, file.counts().rejected));
        let records = states().filter(|(status, _)| *status != Some(FileStatus::Rejected)).map(|(_, count)| count);
        let files = states().filter(|(status, _)| *status == Some(FileStatus::Rejected)).count() as u64;
        let report = SetAsideReport { records: records.sum(), files: files + self.rejects.entries };
        self.options.set_aside.then_some(report)
    }
}
