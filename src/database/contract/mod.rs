//! What an engine implements: a [`Database`] is asked as a whole, a [`Reader`] looks into it, a
//! [`Transaction`] reads and writes: it finds ([`FindRows`]) and writes rows ([`WriteRows`]) and sealed values
//! ([`WriteSeals`]), and remembers in the [`Ledger`] what it wrote.

mod database;
mod ledger;
mod reader;
mod rows;
mod seals;
#[cfg(test)]
pub(in crate::database) mod tests;
mod transaction;

pub use database::Database;
pub use ledger::Ledger;
pub use reader::Reader;
pub use rows::{FindRows, Orphan, WriteRows};
pub use seals::WriteSeals;
pub use transaction::Transaction;
