//! Tables that are not the application's: treelift's own, and the record of migrations.

use super::history::{OWN_RECORD, RECORD};

/// The table of the keys.
pub const KEYS_TABLE: &str = "treelift_keys";
/// The table of the columns that hold sealed values.
pub(super) const COLUMNS_TABLE: &str = "treelift_sealed_columns";

/// Whether a table is the record of migrations (`record`, or one that has a usual name) or one that
/// treelift keeps for itself.
pub(super) fn is_records(table: &str, record: &str) -> bool {
    is_own(table) || [record, RECORD, OWN_RECORD].iter().any(|name| table.eq_ignore_ascii_case(name))
}

/// Whether a table is one that treelift keeps for itself: ledger, keys, audit trail, orphans.
pub fn is_own(table: &str) -> bool {
    table.to_ascii_lowercase().starts_with("treelift_") && !table.eq_ignore_ascii_case(OWN_RECORD)
}
