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

/// treelift's own table, where the application has none.
pub const OWN: &str = "treelift_audit";
/// Its column that counts its rows.
pub const NUMBER: &str = "number";

/// What its columns hold.
pub(super) const OWN_COLUMNS: [(&str, AuditPart); 8] = [
    ("id", AuditPart::Id),
    ("at", AuditPart::Time),
    ("program", AuditPart::Program),
    ("action", AuditPart::Action),
    ("subject", AuditPart::Subject),
    ("record", AuditPart::Record),
    ("reason", AuditPart::Reason),
    ("details", AuditPart::Details),
];

/// treelift's own table, with what its columns hold.
pub fn own_table() -> AuditTable {
    let columns = OWN_COLUMNS.map(|(column, part)| (column.to_owned(), part)).to_vec();
    AuditTable { table: OWN.to_owned(), columns, written: Vec::new() }
}

/// A part of an entry, as a column takes it; `time` is that of the entry.
pub(super) fn part_of(entry: &AuditEntry, part: AuditPart, time: impl FnOnce() -> String) -> Option<String> {
    Some(match part {
        AuditPart::Id => entry.id.clone(),
        AuditPart::Action => entry.action.to_owned(),
        AuditPart::Subject => entry.subject.clone(),
        AuditPart::Record => return entry.record.clone(),
        AuditPart::Reason => entry.reason.clone(),
        AuditPart::Details => entry.details.to_string(),
        AuditPart::Program => concat!("treelift ", env!("CARGO_PKG_VERSION")).to_owned(),
        AuditPart::Time => time(),
    })
}

/// A random UUID (version 4).
pub fn random_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Error::environment("the system's random source failed"))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
