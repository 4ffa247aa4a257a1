//! The commands, each with what only it does.

mod backup;
mod check;
mod choice;
mod credentials;
mod explain;
mod export;
mod habits;
mod import;
mod inspect;
mod report;
mod runs;
mod schema;
#[cfg(feature = "postgres")]
mod transfer;
pub(crate) mod undo;
mod verify;
