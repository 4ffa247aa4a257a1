//! What treelift promises, a folder for each promise.

pub(crate) mod again;
pub(crate) mod errors;
mod origin;
mod rehearsal;
pub(crate) mod secrets;
pub(crate) mod sum;
mod transaction;
