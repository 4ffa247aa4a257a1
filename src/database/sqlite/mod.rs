//! Databases of SQLite.
//!
//! `open` decides which file a run works on, `migrate` sets its tables up, `reader` looks, `ordered` writes
//! rows down, `session` is an
//! open transaction, `find` and `write` carry its rows, `cells` works on what is sealed, `form` knows how
//! values are written, `forms` remembers how times were, `ledger` keeps the record.

mod after_rows;
mod alter;
mod assertion;
mod astray;
mod audit;
mod bodies;
mod catalog;
mod cells;
mod checks;
mod connect;
mod database;
mod declared;
mod earlier;
mod file;
mod fill;
mod find;
pub(super) mod form;
mod forms;
mod functions;
mod given;
mod health;
mod kept;
mod keys;
mod ledger;
mod ledger_tables;
mod location;
mod locks;
mod made;
mod migrate;
mod open;
mod ordered;
mod origins;
mod orphans;
mod read;
mod reader;
mod record;
mod references;
pub(super) mod rehearsal;
mod rejection;
mod replace;
mod rows_back;
mod script;
mod session;
mod sql;
mod state;
mod survey;
#[cfg(test)]
mod tests;
mod tidy;
mod times;
mod transaction;
pub(super) mod types;
mod unchanged;
mod undo;
mod unnamed;
mod url;
mod version;
mod way;
mod way_back;
mod words;
mod write;

pub(super) use database::SqliteDatabase;
pub use rehearsal::Rehearsal;
pub(super) use url::FORMS;

/// The version of SQLite that is built in.
pub(super) fn engine_version() -> &'static str {
    rusqlite::version()
}
