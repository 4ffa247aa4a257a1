//! What of the mapping set the files of a run never used, as notes of its report.

use super::Leaves;
use crate::config::ImportOptions;
use crate::document::tape::Tape;
use crate::finding::{Finding, MAPPING_UNUSED};
use crate::import::context::Context;
use crate::import::files::FileState;
use crate::import::plan::Disposition;
use crate::mapping::declared::Doc;
use crate::mapping::usage::{Found, Met, Unused, unused};
use std::collections::BTreeSet;

impl Leaves<'_> {
    /// Notes which paths of a shape a document really has.
    pub(crate) fn meet(&mut self, cx: &mut Context<'_>, shape: usize, doc: Doc, tape: &Tape) {
        let met = self.met.entry((cx.mapping, shape)).or_default();
        tape.nodes().for_each(|node| met.note(doc, node.path()));
    }

    /// What of the set was never used, once everything was read.
    pub(crate) fn unused(&mut self, files: &[FileState], options: &ImportOptions) -> Vec<Unused> {
        let nothing = Met::default();
        let found: Vec<Found<'_>> = self
            .shapes_found(files)
            .into_iter()
            .filter_map(|(mapping, shape)| {
                let (table, frame) = self.paths.known(mapping, shape)?;
                let met = self.met.get(&(mapping, shape)).unwrap_or(&nothing);
                Some(Found { mapping, shape, paths: [&table.record, frame], met })
            })
            .collect();
        let mapped = std::mem::take(&mut self.entries).into_inner();
        let mut all = unused(&self.plan.set, &found, Some(&mapped));
        all.retain(|unused| unused.code.id != MAPPING_UNUSED.id || self.lacks_files(options, &unused.mapping));
        all
    }

    /// Takes in what of the set was never used, as far as it `may_be`: what is not read may use it.
    pub(crate) fn report_unused(
        &mut self,
        cx: &mut Context<'_>,
        options: &ImportOptions,
        may_be: &dyn Fn(&Unused) -> bool,
    ) {
        if self.plan.taken.is_replay() {
            return; // the rest of the tree has them
        }
        let notes: Vec<Finding> = self
            .unused(cx.files, options)
            .into_iter()
            .filter(may_be)
            .map(|unused| {
                let Unused { code, message, mapping, place } = unused;
                Finding { mapping: Some(place.into()), ..Finding::new(code, message).about(mapping) }
            })
            .collect();
        cx.findings.extend(notes);
    }

    /// Whether the tree has no file of a mapping. One that was excluded, or whose files could not be
    /// read, does have files.
    fn lacks_files(&self, options: &ImportOptions, name: &str) -> bool {
        let only = &options.only_mapping;
        let mappings = &self.plan.set.mappings;
        let reads = |disposition: &Disposition| matches!(disposition, Disposition::Mapped { mapping, .. } if mappings[*mapping].name == name);
        (only.is_empty() || only.iter().any(|chosen| chosen == name)) && !self.plan.dispositions.iter().any(reads)
    }

    /// The mappings and shapes that files have, ignored ones included.
    fn shapes_found(&self, states: &[FileState]) -> BTreeSet<(usize, usize)> {
        let files = self.plan.dispositions.iter().zip(states);
        let of_lines = self.line_shapes.iter().copied();
        files
            .filter_map(|(disposition, state)| match disposition {
                Disposition::Mapped { mapping, .. } => Some((*mapping, state.shape()?)),
                Disposition::Ignored(_) | Disposition::Unmapped => None,
            })
            .chain(of_lines)
            .collect()
    }
}
