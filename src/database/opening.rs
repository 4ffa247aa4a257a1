//! What a run says when it opens a database.

use super::audit::AuditTable;
use crate::table::{Migration, Schema, VersionRecord};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Whether the last statement will be COMMIT or ROLLBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Commit.
    Real,
    /// Work on a private copy, then roll back and leave no trace.
    Dry,
}

/// What a run needs to open its transaction.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// Real or dry.
    pub mode: Mode,
    /// The run's id (UUID text); names temporary files.
    pub run_id: &'a str,
    /// The set's migrations, in order.
    pub migrations: &'a [Migration],
    /// The tables those migrations make, as [`super::schema::expected`] read them.
    pub schema: &'a Schema,
    /// The tables that the set's mappings write into.
    pub written: &'a BTreeSet<String>,
    /// About how many bytes the import will add, to check the free disk space.
    pub bytes: u64,
    /// The run's start time, written as applied_at and the like.
    pub started: Timestamp,
    /// The application's own audit table.
    pub audit: Option<&'a AuditTable>,
    /// The application's own record of its version.
    pub version: Option<&'a VersionRecord>,
}
