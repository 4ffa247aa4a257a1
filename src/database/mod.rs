//! Databases that rows are written into.
//!
//! A [`Database`] opens a [`Transaction`]; everything a run writes goes through it and is committed
//! together or not at all. SQL text is only below this module and in mapping sets.

pub mod audit;
pub mod catalog;
mod cell;
pub mod cells;
mod contract;
pub mod ddl;
mod dialect;
pub mod drift;
pub mod drift_sql;
pub mod drift_tables;
pub mod health;
pub mod history;
pub mod kept;
pub mod ledger;
mod opening;
pub mod query;
pub mod reference;
pub mod rejection;
pub mod schema;
pub(crate) mod scratch;
pub mod sealed;
mod sealed_column;
pub mod sqlite;
pub mod state;
pub mod traces;
pub(crate) mod types;
pub mod undo;
pub mod upkeep;
mod url;

pub use crate::table::Migration;
pub use cell::Cell;
pub use contract::{Database, Orphan, Reader, Transaction};
pub use dialect::Dialect;
pub use opening::{Mode, Opening};
pub use scratch::remove_stale;
pub use sealed_column::{SealedColumn, SealedState};
pub use url::{open, trial};

use jiff::Timestamp;

/// Now, to the microsecond: databases keep no more, and what is compared must be what is kept.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(jiff::Unit::Microsecond).unwrap_or(now)
}
