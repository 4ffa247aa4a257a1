//! The beginning of an attempt: a transaction, the key, and what is known before anything is read.

use crate::config::{ImportOptions, Ui};
use crate::database::ledger::RunRecord;
use crate::database::{Database, Opening};
use crate::error::Result;
use crate::import::ahead::{Known, Start};
use crate::import::approval::Approval;
use crate::import::left::{Before, Left};
use crate::import::plan::Plan;
use crate::import::run::Import;
use crate::import::vault::{KeySource, Vault};
use crate::import::watch::Watch;
use crate::import::writer::Writer;
use crate::mapping::apart::Apart;
use crate::secret::proof::SecretSet;
use crate::who::Who;
use jiff::Timestamp;

/// What every attempt begins with.
#[derive(Clone, Copy)]
pub(super) struct Beginning<'p> {
    pub(super) plan: &'p Plan,
    pub(super) options: &'p ImportOptions,
    pub(super) ui: &'p dyn Ui,
    pub(super) key: &'p KeySource,
    pub(super) started: Timestamp,
    pub(super) who: &'p Who,
    /// What it is held to, or prints.
    pub(super) approval: Option<&'p Approval>,
    /// Whether a backup was made in the transaction that the first attempt goes on in.
    pub(super) is_backed_up: bool,
    /// Whether nothing is written, and what is there is compared.
    pub(super) is_verification: bool,
    /// What stands apart, where it is noted for the next import.
    pub(super) apart: Option<&'p Apart>,
    /// What an earlier import read, where what is as it was need not be read.
    pub(super) before: Option<&'p Before>,
}

impl<'p> Beginning<'p> {
    /// Begins an attempt under this id, with what is `known` from those before it; `secrets` are those of the tree. Beside
    /// it, whether reading ahead failed or was interrupted.
    pub(super) fn begin(
        &self,
        id: &str,
        database: &mut dyn Database,
        secrets: SecretSet,
        known: Known,
        watch: Option<&'p dyn Watch>,
    ) -> Result<(Import<'p>, Result<()>)> {
        let Self { plan, options, ui, key, started, .. } = *self;
        let bytes = plan.mapped_bytes();
        let written = plan.written_tables();
        let opening = Opening {
            mode: options.mode,
            run_id: id,
            migrations: &plan.set.migrations,
            schema: &plan.schema,
            written: &written,
            bytes,
            started,
            audit: plan.set.audit.as_ref(),
            version: plan.set.version.as_ref(),
        };
        let mut transaction = if self.is_verification {
            database.view(&opening)?.ok_or_else(|| database.missing())?
        } else {
            database.begin(&opening)?
        };
        let vault = Vault::open(key, &transaction.seal_record()?, secrets, started)?.of(&plan.set);
        if !self.is_verification {
            transaction.begin_run(&self.record(id))?;
        }
        let writer = Writer::new(transaction, vault, &plan.set, options.threads());
        let writer = if self.is_verification { writer.verifying() } else { writer };
        let (mut run, read_ahead) = Start { plan, options, ui, started, watch }.begin(writer, known)?;
        (run.apart, run.left) = (self.apart, Left::of(self.before));
        run.resolver.apart = self.apart;
        Ok((run, read_ahead))
    }

    /// What the ledger knows of the run before it has an outcome.
    pub(super) fn record(&self, id: &str) -> RunRecord {
        let Self { plan, started, .. } = *self;
        RunRecord {
            id: id.to_owned(),
            kind: if plan.taken.is_replay() { "replay" } else { "import" }.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            set: plan.set.name.clone(),
            set_digest: plan.set.digest.clone(),
            set_folder: plan.set.lies_in.as_ref().map(|folder| folder.display().to_string()),
            source: plan.tree.root.display().to_string(),
            started,
            finished: started,
            host: self.who.host.clone(),
            user: self.who.user.clone(),
            plan: self.options.plan.as_ref().map(ToString::to_string),
            ..RunRecord::default()
        }
    }
}
