//! What an engine implements: a [`Database`] is asked as a whole, a [`Reader`] looks into it, a
//! [`Transaction`] reads and writes.

mod database;
mod reader;
#[cfg(test)]
pub(in crate::database) mod tests;
mod transaction;

pub use database::Database;
pub use reader::Reader;
pub use transaction::Transaction;
