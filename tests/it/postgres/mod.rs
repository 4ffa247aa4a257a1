//! PostgreSQL: what a server is that a file is not.

mod backup;
mod commands;
mod connect;
mod credentials;
mod drift;
mod ends;
mod import;
mod ledger_schema;
mod partitions;
mod pooler;
mod rejects;
mod rules;
mod schema;
mod types;
mod undo;
