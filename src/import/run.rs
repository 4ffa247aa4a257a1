//! An import in progress: its parts, each of which knows only what it needs.

use crate::config::{ImportOptions, Ui};
use crate::database::upkeep::Orphan;
use crate::error::{Error, Result};
use crate::import::context::Context;
use crate::import::files::{FileState, file_id};
use crate::import::leaves::Leaves;
use crate::import::left::Left;
use crate::import::looked::LookedAhead;
use crate::import::plan::Plan;
use crate::import::readers::Readers;
use crate::import::rejects::Rejects;
use crate::import::resolve::{Foreknown, Resolver};
use crate::import::shelf::Shelf;
use crate::import::watch::Watch;
use crate::import::writer::Writer;
use crate::mapping::apart::Apart;
use crate::mapping::apply::Owner;
use crate::report::OwnerReport;
use crate::report::findings::Findings;
use jiff::Timestamp;
use std::sync::Arc;

/// An import in progress.
pub struct Import<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// The options.
    pub options: &'p ImportOptions,
    /// Progress and signals.
    pub ui: &'p dyn Ui,
    /// The one start time.
    pub started: Timestamp,
    /// What becomes of rows.
    pub(crate) resolver: Resolver<'p>,
    /// What became of leaves.
    pub(crate) leaves: Leaves<'p>,
    /// Rejected records.
    pub rejects: Rejects,
    /// Rows on their way, in the open transaction.
    pub writer: Writer,
    /// Findings.
    pub findings: Findings,
    /// Files, by their number.
    pub files: Vec<FileState>,
    /// Directories and their owners.
    pub directories: Vec<OwnerReport>,
    /// Sealed values that were opened again.
    pub opened_again: u64,
    /// Those who look at files ahead.
    pub(crate) readers: Readers<'p>,
    /// What was read and is read again.
    pub(crate) shelf: Shelf,
    /// The mapping that is being read.
    pub(crate) mapping: usize,
    /// Who watches.
    pub(crate) watch: Option<&'p dyn Watch>,
    /// What a reading ahead found out.
    pub(crate) ahead: LookedAhead,
    /// The SHA-256 of each file, by its number, where they are wanted; zeros until it is known.
    pub(crate) digests: Vec<[u8; 32]>,
    /// The rows with a broken reference, once all are written.
    pub(crate) orphans: Vec<Orphan>,
    /// What stands apart, where it is noted.
    pub(crate) apart: Option<&'p Apart>,
    /// What is as an earlier run read it.
    pub(crate) left: Left<'p>,
    /// What stands apart of each owner and is read.
    pub(crate) of_owners: Vec<(Arc<Owner>, Vec<usize>)>,
}

/// The parts of an import that work together on a record.
pub(crate) struct Parts<'i, 'p> {
    pub(crate) resolver: &'i mut Resolver<'p>,
    pub(crate) leaves: &'i mut Leaves<'p>,
    pub(crate) rejects: &'i mut Rejects,
    pub(crate) cx: Context<'i>,
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Import({} files)", self.files.len())
    }
}

impl<'p> Import<'p> {
    /// Begins: the key index learns what the database already has.
    pub(crate) fn begin(
        plan: &'p Plan,
        options: &'p ImportOptions,
        ui: &'p dyn Ui,
        started: Timestamp,
        writer: Writer,
        rejects: Rejects,
        known: Foreknown,
    ) -> Result<Self> {
        let mut import = Self {
            plan,
            options,
            ui,
            started,
            resolver: Resolver::new(plan, known),
            leaves: Leaves::new(plan, options.set_aside),
            rejects,
            writer,
            findings: Findings::new(),
            files: plan.tree.files.iter().map(|_| FileState::default()).collect(),
            directories: Vec::new(),
            opened_again: 0,
            readers: Readers::default(),
            shelf: Shelf::default(),
            mapping: 0,
            watch: None,
            ahead: LookedAhead::default(),
            digests: if options.is_planned() { vec![[0; 32]; plan.tree.files.len()] } else { Vec::new() },
            orphans: Vec::new(),
            apart: None,
            left: Left::default(),
            of_owners: Vec::new(),
        };
        let Parts { resolver, mut cx, .. } = import.parts();
        resolver.existing = options.existing;
        resolver.learn_target(&mut cx)?;
        resolver.learn_owners(&mut cx)?;
        Ok(import)
    }

    /// The parts, each for itself.
    pub(crate) fn parts(&mut self) -> Parts<'_, 'p> {
        let watch = self.watching();
        let Self { plan, resolver, leaves, rejects, writer, findings, files, mapping, .. } = self;
        Parts { resolver, leaves, rejects, cx: Context { plan, mapping: *mapping, files, writer, findings, watch } }
    }

    /// Who watches; nobody while everything is read ahead.
    pub(crate) fn watching(&self) -> Option<&'p dyn Watch> {
        self.watch.filter(|_| !self.ahead.is_it)
    }

    /// Notes the digest of a file that is read.
    pub(crate) fn note_digest(&mut self, file: usize, sha256: [u8; 32]) {
        self.resolver.note_digest(file_id(file), sha256);
        self.digests.get_mut(file).into_iter().for_each(|digest| *digest = sha256);
    }

    /// Checks that every file has a status, once everything was read.
    pub fn all_files_decided(&self) -> Result<()> {
        match self.files.iter().filter(|file| file.status.is_none()).count() {
            0 => Ok(()),
            count => Err(Error::bug(format!("nothing became of {count} files that a mapping should have read"))),
        }
    }

    /// Whether there are no errors but rejects, and no more of those than allowed.
    pub fn is_acceptable(&self) -> bool {
        self.findings.errors() == self.rejects.errors
            && self.rejects.count <= self.options.max_rejects
            && self.rejects.is_none_late()
            && self.rejects.refused.is_empty()
            && self.rejects.dangling.is_empty()
            && self.files.iter().all(|file| file.counts().leaves.unmapped == 0)
    }

    /// Ends the import early when a signal asked for it.
    pub fn heed_signals(&self) -> Result<()> {
        match self.ui.interrupted() {
            Some(signal) => Err(Error::interrupted(signal)),
            None => Ok(()),
        }
    }
}
