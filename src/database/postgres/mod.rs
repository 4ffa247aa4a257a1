//! Databases of PostgreSQL.
//!
//! `address` reads a URL, `own_schema` and `own_tables` know where our own tables are, `line` is the way there, `connect` sends statements, `script` those of a migration, `opened` begins transactions, `blockers` says
//! who is in their way, `commit` ends them, `stages` learns what migrations make, `migrate` sets the tables up, `bench` and `fill`
//! test them, `undo` and `aside` take rows away, `reader` looks, `ordered` writes rows down, `find`, `load` and `write` carry rows, `cells`
//! works on what is sealed, `dump` makes backups, `form` knows how values are written, `ledger` keeps the record.

mod address;
mod alter;
mod aside;
mod assertion;
mod audit;
mod bench;
mod blockers;
mod catalog;
mod cells;
mod commit;
mod connect;
mod database;
mod dump;
mod earlier;
mod encode;
mod engine;
mod fill;
mod find;
pub(super) mod form;
mod held;
mod hold;
mod judged;
mod kept;
mod keys;
mod ledger;
mod ledger_tables;
mod line;
mod list;
mod load;
mod migrate;
mod numeric;
mod opened;
mod options;
mod ordered;
mod origins;
mod orphans;
mod own_schema;
mod own_tables;
mod place;
mod reach;
mod reader;
mod record;
mod rejection;
mod rows_back;
mod script;
mod sql;
mod stages;
mod state;
mod survey;
#[cfg(test)]
pub(super) mod tests;
mod tidy;
mod transaction;
pub(super) mod types;
mod undo;
mod unnamed;
mod update;
mod version;
mod watch;
mod words;
mod write;

pub(super) use database::PostgresDatabase;
pub(super) use engine::OLDEST;
