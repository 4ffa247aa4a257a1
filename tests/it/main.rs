//! Work: what stands in a database, and what stands nowhere, after runs of the real program.
//! Words are judged by `cmd.rs`, which replays the cases of `tests/cmd/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod house;
mod independent;
#[path = "../../benches/v1_tree/mod.rs"]
mod v1_tree;

mod broken;
mod cmd;
mod credentials;
mod docs;
mod dry_run;
mod existing;
mod generated;
mod import;
mod kill;
mod life;
mod mappings;
mod old_importer;
