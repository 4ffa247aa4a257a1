//! Tables that are not the application's: treelift's own, and the record of migrations.

use super::history::{OWN_RECORD, RECORD};
use crate::error::Error;

/// The table of the keys.
pub const KEYS_TABLE: &str = "treelift_keys";
/// The table of the columns that hold sealed values.
pub(super) const COLUMNS_TABLE: &str = "treelift_sealed_columns";

/// Whether a table is the record of migrations (`record`, or one that has a usual name) or one that
/// treelift keeps for itself.
pub(super) fn is_records(table: &str, record: &str) -> bool {
    is_own(table) || [record, RECORD, OWN_RECORD].iter().any(|name| table.eq_ignore_ascii_case(name))
}

/// That a database has no ledger, so that nothing is known of what imports wrote.
pub(super) fn no_ledger(place: &str) -> Error {
    Error::request("no import is recorded in the database: treelift wrote nothing into it that could be compared")
        .at(place)
        .hint("check the URL; `treelift runs` lists the imports of a database")
}

/// Whether a table is one that treelift keeps for itself: ledger, keys, audit trail, orphans.
pub fn is_own(table: &str) -> bool {
    table.to_ascii_lowercase().starts_with("treelift_") && !table.eq_ignore_ascii_case(OWN_RECORD)
}
