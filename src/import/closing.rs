//! The end of an import: what the whole of it, and not a single file, gives to report.

use crate::error::{Error, Result};
use crate::finding::Place;
use crate::import::early::Early;
use crate::import::readers::Readers;
use crate::import::run::{Import, Parts};
use crate::import::sweep::{self, Swept};
use crate::import::walked;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

impl<'p> Import<'p> {
    /// Reads, maps and writes the whole tree, and takes over what the database rejected of it.
    pub(crate) fn read(&mut self) -> Result<()> {
        let ui = self.ui;
        if self.is_written() {
            let Parts { rejects, mut cx, .. } = self.parts();
            rejects.report_triggers(&mut cx, ui)?;
        }
        let (plan, depth, threads) = (self.plan, self.options.max_depth, self.options.threads());
        std::thread::scope(|scope| {
            if threads > 1 {
                // One thread writes, and one decides.
                let early = self.early();
                self.readers = Readers::start(scope, threads.saturating_sub(2).max(1), plan, depth, early.as_ref());
            }
            let read = catch_unwind(AssertUnwindSafe(|| self.write_rows()));
            self.readers = Readers::default(); // so that the threads end, and are not waited for in vain
            read.unwrap_or_else(|panic| resume_unwind(panic))
        })?;
        if !self.writer.is_verifying() {
            let Parts { rejects, mut cx, .. } = self.parts();
            rejects.take_refused(&mut cx)?;
        }
        if self.is_written() {
            let Parts { rejects, mut cx, .. } = self.parts();
            self.orphans = rejects.take_orphans(&mut cx)?;
        }
        Ok(())
    }

    /// Whether what is read is written: neither ahead, nor to be compared.
    fn is_written(&self) -> bool {
        !self.ahead.is_it && !self.writer.is_verifying()
    }

    /// What rows are made with ahead; nothing where someone watches how that is done.
    fn early(&self) -> Option<Early<'p>> {
        let mut is_new = Vec::new();
        for rule in self.plan.rules.iter().flatten() {
            is_new.resize(is_new.len().max(rule.table_number + 1), false);
            is_new[rule.table_number] = self.writer.rows_before(&rule.table.name) == 0;
        }
        let search = Arc::clone(self.writer.vault.search());
        self.watch.is_none().then(|| Early::new(self.plan, self.started, search, is_new))
    }

    fn write_rows(&mut self) -> Result<()> {
        if !self.is_written() {
            return self.read_all();
        }
        self.writer.transaction()?.begin_rows()?;
        self.read_all()?;
        self.writer.transaction()?.end_rows()
    }

    /// Adds the place of the row at which a trigger rolled the transaction back.
    pub(crate) fn with_place(&mut self, error: Error) -> Error {
        let Parts { rejects, cx, .. } = self.parts();
        rejects.with_place(&cx, error)
    }

    /// Reports what is known once everything was read: `chain` has the first record that each attempt
    /// before this one rejected, `missing` the files that the set recognises a tree by and that are not
    /// there, `with_secrets` those in which secrets are stored in plaintext.
    pub(crate) fn report_all(&mut self, chain: &[Place], missing: &[String], with_secrets: &[usize]) -> Result<()> {
        let (options, most) = (self.options, self.options.max_rejects);
        let Parts { rejects, mut cx, .. } = self.parts();
        rejects.report_refused(&mut cx, most, chain);
        self.all_files_decided()?;
        let Parts { leaves, mut cx, .. } = self.parts();
        leaves.decide_copies(&mut cx);
        self.report_unmet()?;
        self.take_walked(walked::findings(self.plan, self.started))?;
        let before = self.left.before().filter(|_| self.left.is_any());
        let Parts { resolver, leaves, mut cx, .. } = self.parts();
        resolver.report_missing(&mut cx, options.only_mapping.is_empty() && options.only_owner.is_empty())?;
        resolver.report_forms_left(&mut cx);
        leaves.report_unused(&mut cx, options, &|unused| {
            before.is_none_or(|before| before.has_noted(unused.code.id, &unused.message))
        });
        self.findings.extend(Swept::warnings(with_secrets));
        let remaining = sweep::ignored(self, with_secrets)?;
        self.findings.extend(remaining);
        let Parts { rejects, mut cx, .. } = self.parts();
        rejects.report_unkept(&mut cx)?;
        self.report_coverage(missing);
        Ok(())
    }
}
