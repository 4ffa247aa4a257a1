//! What is left unread of a tree because it is as an earlier run read it, and what of a report is of that run.

use super::signed::Signed;
use crate::finding::{FILE_AS_BEFORE, Severity};
use crate::report::words::count;
use crate::report::{self, AsInReport, FileReport, FileStatus, FindingReport, Report};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the last import read of the tree, as far as that is as it was.
#[derive(Debug)]
pub(crate) struct Before {
    /// That import.
    pub(super) run: String,
    /// How many warnings it had.
    pub(super) warnings: u64,
    /// By the number of the file, whether it is as it was.
    pub(super) is_same: Vec<bool>,
    /// The files among them that stand apart, by their numbers, and what was said of them.
    pub(super) numbers: Vec<usize>,
    pub(super) files: report::Files,
    /// The owners' directories that files are gone from which stand apart.
    pub(super) gone: BTreeSet<Option<String>>,
    /// What the sign-off list has of each owner.
    pub(super) signed: Vec<Signed>,
    /// What was found; in which file, if it is as it was and not always read.
    pub(super) findings: Vec<(Option<usize>, FindingReport)>,
}

impl Before {
    /// What was said of a file that stands apart and is as it was.
    fn file(&self, file: usize) -> Option<FileReport> {
        self.files.get(self.numbers.binary_search(&file).ok()?)
    }

    /// Whether that import noted this, too, of something that no file has.
    pub(super) fn has_noted(&self, code: &str, message: &str) -> bool {
        self.findings.iter().any(|(_, finding)| finding.code == code && finding.message == message)
    }

    /// Whether a file is as it was, and was of this owner if of anybody.
    pub(super) fn is_of(&self, file: usize, owner: &str) -> bool {
        self.file(file).is_some_and(|then| match then.status {
            FileStatus::Imported => then.owner.as_deref() == Some(owner),
            FileStatus::Ignored => true,
            FileStatus::Unmapped | FileStatus::Rejected | FileStatus::Unread => false,
        })
    }
}

/// What of a run is as an earlier one left it.
#[derive(Debug, Default)]
pub(crate) struct Left<'p> {
    before: Option<&'p Before>,
    /// By the number of the file, whether it is not read.
    files: Vec<bool>,
    /// The ids of the owners of whom what stands apart is not read.
    owners: HashSet<String>,
}

impl<'p> Left<'p> {
    /// Nothing yet, of what may be.
    pub(super) fn of(before: Option<&'p Before>) -> Self {
        let files = before.map_or_else(Vec::new, |before| vec![false; before.is_same.len()]);
        Self { before, files, owners: HashSet::new() }
    }

    /// What the earlier run read, if anything of it may be left as it was.
    pub(crate) fn before(&self) -> Option<&'p Before> {
        self.before
    }

    /// Leaves files of an owner unread.
    pub(super) fn leave(&mut self, owner: &str, files: &[usize]) {
        self.owners.insert(owner.to_owned());
        files.iter().for_each(|file| self.files[*file] = true);
    }

    /// Whether a file is not read.
    pub(super) fn has(&self, file: usize) -> bool {
        self.files.get(file).is_some_and(|is_left| *is_left)
    }

    /// Whether any is not.
    pub(super) fn is_any(&self) -> bool {
        !self.owners.is_empty()
    }

    /// Whether what is ignored is as it was, and was looked into then.
    pub(super) fn is_known(&self, file: usize) -> bool {
        self.is_any() && self.before.is_some_and(|before| before.is_same[file])
    }

    /// What was said of a file that is not read.
    pub(super) fn file(&self, file: usize) -> Option<FileReport> {
        if self.has(file) { self.before?.file(file) } else { None }
    }

    /// What the sign-off list has of owners of whom files are not read.
    pub(super) fn signed(&self) -> impl Iterator<Item = &'p Signed> {
        let signed = self.before.into_iter().flat_map(|before| &before.signed);
        signed.filter(|signed| self.owners.contains(&signed.owner))
    }

    /// Completes the report of a run that did not read everything.
    pub(super) fn complete(&self, report: &mut Report, mapped: u64) {
        let Some(before) = self.before.filter(|_| self.is_any()) else { return };
        let left = self.files.iter().filter(|is_left| **is_left).count() as u64;
        let known: HashSet<(&str, &str, Option<&str>)> = report.findings.iter().map(named).collect();
        let is_known = |file: usize| self.has(file) || before.file(file).is_none();
        let of_left = before.findings.iter().filter(|(file, _)| file.is_some_and(is_known)).map(|(_, finding)| finding);
        let told: Vec<FindingReport> = of_left.filter(|finding| !known.contains(&named(finding))).cloned().collect();
        let (files, owners) = (count(left, "file"), count(self.owners.len() as u64, "owner"));
        let (are, were) = if left == 1 { ("is", "was") } else { ("are", "were") };
        report.findings.push(note(format!(
            "{files} of {owners} {are} {} and {were} not read again: rows, columns and what only a catch-all kept are \
             counted of what was read",
            as_in(&before.run)
        )));
        take_in(&mut report.findings, told);
        let (run, warnings) = (before.run.clone(), before.warnings);
        report.as_in = Some(AsInReport { run, files_read: mapped - left, warnings });
    }
}

/// What tells findings apart.
fn named(finding: &FindingReport) -> (&str, &str, Option<&str>) {
    (&finding.code, &finding.message, finding.place.as_ref().map(|place| place.file.as_str()))
}

/// Takes findings in among others: worst first, then by code and subject, and so many of a kind as a report has places.
fn take_in(findings: &mut Vec<FindingReport>, told: Vec<FindingReport>) {
    findings.extend(told);
    findings.sort_by(|one, other| order(one).cmp(&order(other)));
    let mut more: HashMap<(String, String), FindingReport> = HashMap::new();
    let mut kept: Vec<FindingReport> = Vec::new();
    for finding in std::mem::take(findings) {
        let of_kind = |other: &&FindingReport| order(other) == order(&finding);
        let places = kept.iter().rev().take_while(of_kind).count();
        if finding.place.is_some() && places >= report::findings::PLACES_KEPT {
            let kind = (finding.code.clone(), finding.subject.clone());
            let rest = more.entry(kind).or_insert_with(|| FindingReport {
                message: format!("more places: {}", finding.message),
                place: None,
                count: 0,
                ..finding.clone()
            });
            rest.count += finding.count;
        } else {
            kept.push(finding);
        }
    }
    kept.extend(more.into_values());
    kept.sort_by(|one, other| order(one).cmp(&order(other)));
    *findings = kept;
}

fn order(finding: &FindingReport) -> (Reverse<Severity>, &str, &str) {
    (Reverse(finding.severity), &finding.code, &finding.subject)
}

/// That something is as in an earlier run.
pub(super) fn as_in(run: &str) -> String {
    format!("as in run {}", run.get(..8).unwrap_or(run))
}

/// That files were not read again.
pub(super) fn note(message: String) -> FindingReport {
    FindingReport {
        code: FILE_AS_BEFORE.id.to_owned(),
        severity: FILE_AS_BEFORE.severity,
        message,
        place: None,
        help: Some(FILE_AS_BEFORE.help.to_owned()),
        count: 1,
        subject: "files".to_owned(),
        mapping: None,
    }
}
