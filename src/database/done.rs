//! What is done with migrations, and what came of it.

use super::audit::AuditEntry;
pub use super::follow::Followed;
use crate::error::Result;
use crate::table::Migration;
use jiff::Timestamp;
use std::time::Instant;

/// When and for how long something was done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) at: Timestamp,
    pub(super) took_ms: i64,
}

/// How long it has been.
pub(super) fn millis(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// One thing to do with a migration, named by its position in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Run it; if its tables are there already and no record says so, record it alone.
    Up(usize),
    /// Roll it back.
    Down(usize),
    /// Record it as applied without running it.
    Stamp(usize),
    /// Forget that it is recorded as applied, without rolling it back.
    Unstamp(usize),
}

/// What was done with a migration.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// The version.
    pub version: String,
    /// What was done.
    pub what: What,
    /// How long it took.
    pub took_ms: i64,
    /// The SQL that was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
}

impl Done {
    /// The table that a migration is for is not there.
    pub(super) fn not_needed(migration: &Migration) -> Self {
        Self { version: migration.version.clone(), what: What::NotNeeded, took_ms: 0, sql: None }
    }

    /// What the audit trail says of it.
    pub fn audit_entry(&self, at: Timestamp) -> Result<AuditEntry> {
        let (action, reason) = match self.what {
            What::Applied => ("migrate", "migration applied"),
            What::Found => ("migrate", "migration recorded: its tables already existed"),
            What::RolledBack => ("rollback", "migration rolled back"),
            What::Stamped => ("stamp", "migration recorded as applied without running it"),
            What::NotNeeded => ("migrate", "migration not needed: the table that it is for is not there"),
            What::Unstamped => ("stamp", "migration recorded as not applied without rolling it back"),
        };
        let details = serde_json::json!({ "took_ms": self.took_ms });
        Ok(AuditEntry::new(action, "schema", reason, at)?.of(&self.version).with(details))
    }
}

/// What was done with a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It ran.
    Applied,
    /// Its tables were there already; it was recorded.
    Found,
    /// It was rolled back.
    RolledBack,
    /// It was recorded without running.
    Stamped,
    /// Its record was removed without running anything.
    Unstamped,
    /// The table that it is for is not there, which was recorded.
    NotNeeded,
}

/// What came of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Altered {
    /// Step by step.
    pub steps: Vec<Done>,
    /// What became of the ledger's rows.
    pub ledger: Followed,
}
