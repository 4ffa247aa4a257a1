//! Collects findings and groups them for the report; the number of places and groups is bounded.

use super::text::place_words;
use super::{FindingReport, PlaceReport};
use crate::finding::{Code, Finding, Place, SECRET_UNDECIDED, Severity};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How many places of a group are kept; the rest is counted.
pub const PLACES_KEPT: usize = 100;

/// What is decided by path and not by place: such a group keeps its first place with the whole count.
const BY_PATH: &[&Code] = &[&SECRET_UNDECIDED];

/// How many groups there may be; findings of further subjects are counted by code alone, so that a
/// hostile tree cannot exhaust the memory with subjects.
const MOST_GROUPS: usize = 2_000;

/// The subject of the groups past [`MOST_GROUPS`].
const OTHERS: &str = "…";

/// The findings of a run, grouped by code, subject and severity.
#[derive(Debug, Default)]
pub struct Findings {
    groups: BTreeMap<Key, Group>,
}

/// The key of a group; its order is that of the report: worst first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    severity: Reverse<Severity>,
    code: &'static str,
    subject: Box<str>,
}

#[derive(Debug)]
struct Group {
    code: &'static Code,
    kept: Vec<Kept>,
    count: u64,
}

/// Sorted by place, so that the kept ones do not depend on the order they were pushed in.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    place: Option<Place>,
    path: Option<Box<str>>,
    message: String,
    mapping: Option<Box<str>>,
    also: Option<Place>,
    help: &'static str,
}

impl Findings {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        let Finding { code, severity, message, place, path, also, subject, mapping, help } = finding;
        let mut key = Key { severity: Reverse(severity), code: code.id, subject };
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&key) {
            key.subject = OTHERS.into();
        }
        let group = self.groups.entry(key).or_insert_with(|| Group { code, kept: Vec::new(), count: 0 });
        group.push(Kept { place, path, message, mapping, also, help: help.unwrap_or(code.help) });
    }

    /// Every place that the report will show.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.groups.values().flat_map(|group| &group.kept).flat_map(|kept| [kept.place, kept.also]).flatten()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The number of errors.
    pub fn errors(&self) -> u64 {
        self.count(Severity::Error)
    }

    /// The number of warnings.
    pub fn warnings(&self) -> u64 {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> u64 {
        self.groups.iter().filter(|(key, _)| key.severity.0 == severity).map(|(_, group)| group.count).sum()
    }

    /// The report's entries: worst first, then by code, subject and place. Each kept place is an
    /// entry; the rest of a group is one more entry without a place, with its count.
    pub fn into_reports(self, resolve: &mut dyn FnMut(&Place) -> PlaceReport) -> Vec<FindingReport> {
        let mut reports = Vec::new();
        for (key, group) in self.groups {
            let (each, rest) = match group.most() {
                1 => (group.count, 0),
                _ => (1, group.count - group.kept.len() as u64),
            };
            let entry = |message, place, mapping, help: &str, count| FindingReport {
                code: key.code.to_owned(),
                severity: key.severity.0,
                message,
                place,
                help: Some(help.to_owned()),
                count,
                subject: key.subject.clone().into(),
                mapping,
            };
            let first = group.kept.first().map_or(group.code.help, |kept| kept.help);
            for kept in group.kept {
                let path = kept.path.map(|file| PlaceReport { file: file.into(), ..PlaceReport::default() });
                let place = kept.place.as_ref().map(&mut *resolve).or(path);
                let message = match kept.also.as_ref().map(&mut *resolve) {
                    Some(other) => format!("{} (the other is {})", kept.message, place_words(&other)),
                    None => kept.message,
                };
                reports.push(entry(message, place, kept.mapping.map(Into::into), kept.help, each));
            }
            if rest > 0 {
                reports.push(entry(format!("more places: {}", group.code.title), None, None, first, rest));
            }
        }
        reports
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

impl Group {
    /// How many places are kept.
    fn most(&self) -> usize {
        if BY_PATH.contains(&self.code) { 1 } else { PLACES_KEPT }
    }

    fn push(&mut self, kept: Kept) {
        self.count += 1;
        let at = self.kept.partition_point(|other| *other <= kept);
        let most = self.most();
        if at < most {
            self.kept.truncate(most - 1);
            self.kept.insert(at, kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{FILE_FOLDED, FILE_SYMLINK, FileId, VALUE_MISSING, VALUE_TYPE};

    fn at(file: u32, offset: u64) -> Place {
        Place { file: FileId(file), offset }
    }

    fn shown(findings: Findings) -> Vec<String> {
        let mut resolve = |place: &Place| PlaceReport {
            file: format!("{}:{}", place.file.0, place.offset),
            ..PlaceReport::default()
        };
        findings
            .into_reports(&mut resolve)
            .into_iter()
            .map(|report| {
                let place = report.place.map_or_else(|| "-".to_owned(), |place| place.file);
                format!("{} {} {} {place} {}", report.severity, report.code, report.subject, report.count)
            })
            .collect()
    }

    #[test]
    fn groups_come_worst_first_and_places_in_the_order_of_the_source() {
        let mut findings = Findings::new();
        findings.extend([
            Finding::new(&FILE_FOLDED, "n").at(at(0, 0)),
            Finding::new(&VALUE_TYPE, "b").about("notes.title").at(at(2, 5)),
            Finding::new(&FILE_SYMLINK, "w"),
            Finding::new(&VALUE_TYPE, "a").about("notes.title").at(at(2, 1)),
            Finding::new(&VALUE_TYPE, "c").about("notes.body").at(at(9, 9)),
            Finding::new(&VALUE_MISSING, "d").about("notes.title").at(at(3, 0)),
            Finding::new(&VALUE_TYPE, "w").about("notes.title").at(at(1, 0)).weighing(Severity::Warning),
        ]);
        assert_eq!((findings.errors(), findings.warnings()), (4, 2));
        assert_eq!(
            shown(findings),
            [
                "error V001 notes.title 3:0 1",
                "error V004 notes.body 9:9 1",
                "error V004 notes.title 2:1 1",
                "error V004 notes.title 2:5 1",
                "warning F007  - 1",
                "warning V004 notes.title 1:0 1",
                "note F013  0:0 1",
            ]
        );
    }

    #[test]
    fn a_hundred_places_are_kept_and_the_rest_is_counted_whatever_the_order() {
        let finding = |offset| Finding::new(&VALUE_TYPE, "m").about("s").at(at(0, offset));
        let mut upwards = Findings::new();
        upwards.extend((0..250).map(finding));
        let mut downwards = Findings::new();
        downwards.extend((0..250).rev().map(finding));
        assert_eq!(upwards.errors(), 250);

        let upwards = shown(upwards);
        assert_eq!(upwards, shown(downwards));
        assert_eq!(upwards.len(), 101);
        assert_eq!(upwards[99], "error V004 s 0:99 1");
        assert_eq!(upwards[100], "error V004 s - 150");
    }

    #[test]
    fn what_is_decided_by_path_is_one_finding_with_its_first_place_and_its_count() {
        let mut findings = Findings::new();
        findings.extend([7, 3, 5].map(|offset| Finding::new(&SECRET_UNDECIDED, "m").about("a: pin").at(at(0, offset))));
        findings.push(Finding::new(&SECRET_UNDECIDED, "m").about("a: token").at(at(0, 1)));
        assert_eq!(findings.errors(), 4);
        assert_eq!(shown(findings), ["error X001 a: pin 0:3 3", "error X001 a: token 0:1 1"]);
    }

    #[test]
    fn what_is_not_a_file_has_its_path_as_its_place() {
        let mut findings = Findings::new();
        findings.extend(["b", "a"].map(|path| Finding::new(&FILE_SYMLINK, "a link").at_path(path)));
        assert_eq!(shown(findings), ["warning F007  a 1", "warning F007  b 1"]);
    }

    #[test]
    fn findings_of_one_place_are_all_kept() {
        let mut findings = Findings::new();
        findings.extend((0..2).map(|_| Finding::new(&VALUE_TYPE, "m").at(at(0, 1))));
        assert_eq!(shown(findings).len(), 2);
    }

    #[test]
    fn excess_subjects_are_counted_by_code() {
        let mut findings = Findings::new();
        findings.extend((0..3_000).map(|n| Finding::new(&VALUE_TYPE, "m").about(format!("s{n}")).at(at(0, n))));
        assert_eq!(findings.errors(), 3_000);
        assert_eq!(findings.groups.len(), MOST_GROUPS + 1);
    }
}
