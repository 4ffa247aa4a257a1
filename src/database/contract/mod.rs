//! What an engine implements: a [`Database`] is asked as a whole, a [`Reader`] looks into it, a
//! [`Transaction`] reads and writes; all of them tell what migrations make ([`Stages`]).

mod database;
pub mod dumps;
mod reader;
mod stages;
#[cfg(test)]
pub(in crate::database) mod tests;
mod transaction;

pub use database::Database;
pub use reader::Reader;
pub use stages::Stages;
pub use transaction::Transaction;
