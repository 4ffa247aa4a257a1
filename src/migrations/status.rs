//! Where a database stands, and how it is to be changed.

use crate::backup;
use crate::database::history::Standing;
use std::time::Duration;

/// The state of a database's schema.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// The set's name.
    pub set: String,
    /// The database as it may be shown.
    pub target: String,
    /// Whether it is there.
    pub exists: bool,
    /// The last applied migration.
    pub current: Option<String>,
    /// How many migrations are not applied.
    pub pending: usize,
    /// The migrations one by one, and what does not fit.
    #[serde(flatten)]
    pub standing: Standing,
    /// What the application's own record says of its version, where that is not what the migrations say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_note: Option<String>,
    /// How the database differs from what the applied migrations make.
    pub drift: Vec<String>,
    /// How long all recorded migrations took.
    pub took_ms: i64,
    /// The table that records migrations.
    pub record_table: String,
    /// What is said of that table, where it is not the one that the set lets expect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_note: Option<String>,
}

impl Status {
    /// Whether there is something to migrate.
    pub fn is_needed(&self) -> bool {
        self.pending > 0
    }
}

/// How a change is made.
#[derive(Debug, Clone, Default)]
pub struct Options<'a> {
    /// Work on a private copy and roll everything back.
    pub dry: bool,
    /// What is done about a backup before it.
    pub before: backup::Before<'a>,
    /// Whether the database must pass its validation before the commit.
    pub verify: bool,
    /// Whether a backup is made behind it as well, once it is committed.
    pub backup_behind: bool,
    /// How long locks of other programs are waited for, where not as long as always; zero is without end.
    pub lock_timeout: Option<Duration>,
}
