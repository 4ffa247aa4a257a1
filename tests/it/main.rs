//! Work: what stands in a database, and what stands nowhere, after runs of the real program.
//! Words are judged by `project/cmd.rs`, which replays the cases of `tests/cmd/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod commands;
mod databases;
mod house;
mod language;
#[cfg(feature = "postgres")]
mod postgres;
mod project;
mod promises;
mod sets;
