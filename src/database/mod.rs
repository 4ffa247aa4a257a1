//! Databases that rows are written into.
//!
//! Every engine is a folder that implements the traits of `contract`: a [`Database`] is asked as a whole,
//! a [`Reader`] looks into it, and everything that a [`Transaction`] writes is committed together or not at all.
//! What an engine does without a database is its [`Dialect`]. Outside of its folder no engine is named but in
//! `dialect` and `url`. SQL text is only below this module and in mapping sets.

mod alter;
pub mod audit;
pub mod catalog;
mod cell;
pub mod cells;
pub mod changes;
mod clock;
mod contract;
pub mod ddl;
mod dialect;
pub mod done;
pub mod drift;
pub mod drift_sql;
pub mod drift_tables;
mod fill;
mod follow;
pub mod forget;
pub mod health;
pub mod history;
mod json;
pub mod kept;
pub mod ledger;
pub mod lines;
mod opening;
pub mod order;
mod ordered;
mod orphans;
mod own;
mod own_table;
#[cfg(feature = "postgres")]
mod postgres;
mod presence;
pub mod query;
pub mod reference;
pub mod rejection;
pub mod rows_back;
pub mod schema;
pub(crate) mod scratch;
pub mod sealed;
mod sealed_column;
pub mod sealing;
mod sqlite;
pub mod standing;
pub mod state;
pub mod tidy;
mod tokens;
pub mod traces;
mod unchanged;
pub mod undo;
pub mod upkeep;
mod url;
pub mod variants;

pub use crate::table::Migration;
pub use cell::Cell;
pub use contract::{Database, Reader, Stages, Transaction, dumps};
pub use dialect::Dialect;
pub use opening::{Mode, Opening};
pub use ordered::Ordered;
pub use orphans::TABLE_NAME as ORPHANS_TABLE;
pub use own::{KEYS_TABLE, is_own};
pub use scratch::remove_stale;
pub use sealed_column::{SealedColumn, SealedState};
pub use sqlite::Rehearsal;
pub use url::{engines, open, trial};

use jiff::Timestamp;

/// Now, to the microsecond: databases keep no more, and what is compared must be what is kept.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(jiff::Unit::Microsecond).unwrap_or(now)
}
