//! What an engine implements.

mod database;

pub use database::Database;
