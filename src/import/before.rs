//! Files that are as the last import read them, where others changed: those of an owner of whom none did are not read, as
//! far as they stand apart ([`Apart`]).
//!
//! Whatever changed of what does not stand apart, everything is read, and so it is where anything goes wrong: what is said of
//! a tree that is refused is said of the whole of it.

use super::again::{Beside, Kept};
use super::left::{Before, as_in};
use super::summary::printable_path;
use crate::finding::Severity;
use crate::import::plan::{Disposition, Plan};
use crate::mapping::apart::Apart;
use crate::report::{self, FileStatus, FindingReport, Report};
use std::collections::BTreeSet;

/// What was kept of the last import, where not everything is to be read.
pub(super) fn before(kept: Kept, plan: &Plan, apart: &Apart) -> Option<Before> {
    if !apart.is_any() {
        return None;
    }
    let is_apart = |mapping: usize| apart.has(mapping);
    let (mut is_same, mut numbers, mut files) =
        (vec![false; plan.tree.files.len()], Vec::new(), report::Files::default());
    let (mut gone, mut is_possible) = (BTreeSet::new(), true);
    let said = as_in(&kept.report.run_id);
    let said = report::Shared::from(said.as_str());
    let is_sorted = kept.beside(plan, |Beside { then, now }| match (then, now) {
        (then, Some(at)) => {
            let mapping = match plan.dispositions[at] {
                Disposition::Mapped { mapping, .. } => Some(mapping),
                Disposition::Ignored(_) | Disposition::Unmapped => None,
            };
            is_same[at] = then.is_some();
            match then {
                // What it says of rows of other files, and which it does not give any more, is known once it is read.
                Some(file) if kept.aside.read_again.contains(&*file.path) => is_same[at] = false,
                Some(mut file) if mapping.is_some_and(is_apart) => {
                    if file.status == FileStatus::Imported {
                        file.reason.get_or_insert_with(|| said.clone());
                    }
                    numbers.push(at);
                    files.push(file);
                }
                Some(_) => {}
                None => is_possible &= mapping.is_none_or(is_apart),
            }
        }
        (then, None) => match then.as_ref().and_then(|file| plan.reader_of(&file.path)) {
            Some((mapping, directory)) => {
                is_possible &= is_apart(mapping);
                gone.insert(directory);
            }
            // Signs may be written otherwise than they were.
            None => is_possible &= then.is_none_or(|file| file.mapping.is_none()),
        },
    });
    if !is_sorted || !is_possible || numbers.is_empty() {
        return None;
    }
    let Report { run_id: run, findings, .. } = &kept.report;
    let same_file = |finding: &FindingReport| {
        let path = &finding.place.as_ref()?.file;
        let number = plan.tree.files.binary_search_by(|file| (*printable_path(&file.path)).cmp(path)).ok()?;
        let is_unread =
            matches!(plan.dispositions[number], Disposition::Ignored(_)) || numbers.binary_search(&number).is_ok();
        Some(number).filter(|number| is_same[*number] && is_unread)
    };
    let findings = findings.iter().map(|finding| (same_file(finding), finding.clone())).collect();
    let (run, warnings) = (run.clone(), kept.report.found(Severity::Warning));
    Some(Before { run, warnings, is_same, numbers, files, gone, signed: kept.aside.signed, findings })
}
