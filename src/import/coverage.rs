//! Whether a run imported anything at all: an empty folder, an unmounted disk or the wrong folder must not
//! end like a clean import.

use crate::finding::{Finding, OWNERS_WITHOUT_FILES, RUN_EMPTY, SOURCE_UNRECOGNISED, Severity, printable};
use crate::import::plan::Disposition;
use crate::import::run::Import;
use crate::mapping::model::Mapping;
use crate::report::words::count;
use crate::report::{CoverageReport, FileStatus};
use std::collections::HashSet;

impl Import<'_> {
    /// Adds the findings of a run that imported nothing, or nothing of any owner. They are errors unless
    /// `--allow-empty`; `missing` are the files that the set recognises a tree by and that are not there.
    pub fn report_coverage(&mut self, missing: &[String]) {
        if self.plan.taken.is_replay() {
            return; // it is a part of the source, or nothing where all came in
        }
        let set = &self.plan.set.name;
        let mut findings: Vec<Finding> = missing
            .iter()
            .map(|file| {
                let message = format!("`{}` is missing; the set `{set}` recognises a tree by it", printable(file));
                Finding::new(&SOURCE_UNRECOGNISED, message)
            })
            .collect();
        let severity = if self.options.allow_empty { Severity::Warning } else { Severity::Error };
        let empty = self.nothing_imported().map(|message| Finding::new(&RUN_EMPTY, message));
        let ownerless = self.no_owner_has_files().map(|message| Finding::new(&OWNERS_WITHOUT_FILES, message));
        // It is given already.
        let help = self.options.allow_empty.then_some("check that the source is the right folder and complete");
        let found = empty.into_iter().chain(ownerless);
        findings.extend(found.map(|finding| finding.weighing(severity).helped_by(help)));
        self.findings.extend(findings.into_iter().map(|finding| finding.about("source")));
    }

    /// How much of the mapping set and of the owners had files.
    pub fn coverage(&self) -> CoverageReport {
        let plan = self.plan;
        let taking_part = || plan.set.mappings.iter().enumerate().filter(|(_, mapping)| self.takes_part(mapping));
        let with_files: HashSet<usize> = plan
            .dispositions
            .iter()
            .filter_map(|disposition| match disposition {
                Disposition::Mapped { mapping, .. } => Some(*mapping),
                Disposition::Ignored(_) | Disposition::Unmapped => None,
            })
            .collect();
        CoverageReport {
            mappings: taking_part().count() as u64,
            mappings_without_files: taking_part().filter(|(at, _)| !with_files.contains(at)).count() as u64,
            owners: self.resolver.owners.of_source().count() as u64,
            owners_without_files: self.owners_without_files().count() as u64,
        }
    }

    /// Why no row came of the run, if none did.
    fn nothing_imported(&self) -> Option<String> {
        if self.left.is_any() {
            return None; // what was left as it was made rows
        }
        let rows = |table: &crate::report::TableReport| table.inserted + table.updated + table.unchanged + table.kept;
        if self.writer.counts().iter().map(rows).sum::<u64>() > 0 {
            return None;
        }
        let root = printable(&self.plan.tree.root.display().to_string());
        let files = self.plan.tree.files.len() as u64;
        let imported = self.files.iter().filter(|file| file.status == Some(FileStatus::Imported)).count() as u64;
        match (files, self.plan.mapped_files(), imported) {
            (0, ..) => Some(format!("there is no file in `{root}`, so nothing was imported")),
            (_, 0, _) => Some(format!("no mapping reads a file of `{root}`, which has {}", count(files, "file"))),
            // It is refused for something else, which is reported.
            (..) if !self.is_acceptable() => None,
            _ => Some(format!("no row came of {}", count(imported, "imported file"))),
        }
    }

    /// Why no owner has a file, if the set has owners and none has.
    fn no_owner_has_files(&self) -> Option<String> {
        self.plan.set.owners.as_ref()?;
        let mut mappings = self.plan.set.mappings.iter().enumerate();
        mappings.find(|(at, mapping)| self.plan.owned(*at) && self.takes_part(mapping))?;
        // The files of a rejected or unread owner are reported with it.
        let is_reported = |how: &str| matches!(how, "rejected" | "unread");
        let has_files = self.directories.iter().any(|owner| owner.id.is_some() || is_reported(&owner.how));
        if has_files || self.plan.mapped_files() == 0 || !self.is_acceptable() {
            return None;
        }
        let known = self.resolver.owners.of_source().count() as u64;
        let folders = self.plan.owner_folders();
        let below = folders.first().filter(|folder| !folder.is_empty());
        let place = below.map_or_else(String::new, |folder| format!(" below `{}`", printable(folder)));
        Some(match known {
            0 => format!("the source has no owner and no file of one{place}"),
            1 => format!("the only owner has no file{place}"),
            _ => format!("none of the {} has a file{place}", count(known, "owner")),
        })
    }

    /// Owners that the source names and that no file belongs to.
    fn owners_without_files(&self) -> impl Iterator<Item = &str> {
        let with_files: HashSet<&str> = self.directories.iter().filter_map(|owner| owner.id.as_deref()).collect();
        self.resolver.owners.of_source().filter(move |id| !with_files.contains(id))
    }

    /// Whether a mapping takes part in the run: `--only-mapping`, and `--with` for an optional one.
    fn takes_part(&self, mapping: &Mapping) -> bool {
        let only = &self.options.only_mapping;
        (only.is_empty() || only.contains(&mapping.name))
            && (mapping.source.optional.is_none() || self.options.with.contains(&mapping.name))
    }
}
