//! The audit trail: one row for everything that was done to a database, written in the transaction
//! that does it.

use crate::error::{Error, Result};
pub use crate::table::{AuditPart, AuditTable};
use jiff::Timestamp;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// UUID text.
    pub id: String,
    /// `migrate`, `rollback`, `stamp`, `import`, `restore`, `rekey`, `rotate`, `undo`…
    pub action: &'static str,
    /// What it was done to: a table, `schema`, `database`.
    pub subject: String,
    /// Which one: a version, a run, a backup.
    pub record: Option<String>,
    /// A sentence for readers. Never the value of a secret, nor one of a row.
    pub reason: String,
    /// Counts and names for programs.
    pub details: serde_json::Value,
    /// When.
    pub at: Timestamp,
}

impl AuditEntry {
    /// An entry with an id of its own.
    pub fn new(
        action: &'static str,
        subject: impl Into<String>,
        reason: impl Into<String>,
        at: Timestamp,
    ) -> Result<Self> {
        let details = serde_json::json!({});
        Ok(Self { id: random_id()?, action, subject: subject.into(), record: None, reason: reason.into(), details, at })
    }

    /// Says which one.
    #[must_use]
    pub fn of(mut self, record: impl Into<String>) -> Self {
        self.record = Some(record.into());
        self
    }

    /// Adds counts and names.
    #[must_use]
    pub fn with(mut self, details: serde_json::Value) -> Self {
        self.details = details;
        self
    }
}

/// A random UUID (version 4).
pub fn random_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Error::environment("the system's random source failed"))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
