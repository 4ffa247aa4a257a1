//! treelift lifts a legacy tree of JSON files into a relational database, once, provably.
//!
//! An application imports a tree by [`import::import`], which takes its options ([`config::ImportOptions`]) and an interface
//! to its user ([`config::Ui`]). [`embed::Callbacks`] is one that is made of functions: for progress, questions, secrets
//! and a flag to cancel. `examples/embed.rs` does that in about ten lines; no terminal is needed.
//!
//! Read [`import`] first: it is the whole job as a paragraph. The layers, each importing only from
//! those below it:
//!
//! - `cli`: words, prompts, progress, exit status
//! - jobs: [`import`], [`judge`](mod@judge), [`validate`], [`migrations`], [`credentials`], [`backup`], [`undo`], [`forget`], [`tidy`], [`transfer`], [`export`], [`explain`], [`inspect`], what they are asked for ([`config`], [`embed`], [`progress`]), and their parts
//! - edges: [`source`] (files in), [`database`] (rows out), [`secret`] (keys)
//! - logic: [`mapping`], [`step`], [`report`]; pure but for loading mapping files
//! - values: [`document`], [`row`], [`table`], [`finding`], [`decimal`], `decode`, [`fold`], [`instant`], `strptime`, [`written`], [`hex`], [`outputs`], [`plan_id`], [`shared`], [`who`]
//! - [`error`], [`excerpt`], `interrupt`, `platform` (what differs between operating systems)

pub mod against;
pub mod backup;
pub mod cli;
pub mod config;
pub mod credentials;
pub mod database;
pub mod decimal;
mod decode;
pub mod document;
pub mod embed;
pub mod error;
pub mod excerpt;
pub mod explain;
pub mod export;
pub mod finding;
pub mod fold;
pub mod forget;
pub mod hex;
pub mod import;
pub mod inspect;
pub mod instant;
mod interrupt;
pub mod judge;
pub mod mapping;
pub mod migrations;
pub mod outputs;
pub mod plan_id;
mod platform;
pub mod progress;
pub mod report;
pub mod row;
pub mod secret;
pub mod shared;
pub mod source;
pub mod step;
mod strptime;
pub mod table;
pub mod tidy;
pub mod transfer;
pub mod undo;
pub mod validate;
pub mod who;
pub mod written;
