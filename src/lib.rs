//! treelift lifts a legacy tree of JSON files into a relational database, once, provably.
//!
//! Read [`import`] first: it is the whole job as a paragraph. The layers, each importing only from
//! those below it:
//!
//! - `cli`: words, prompts, progress, exit status
//! - jobs: [`import`], [`plan`], [`pipeline`], [`reseal`], what they are asked for ([`config`]), and their parts
//! - edges: [`source`] (files in), [`target`] (databases), [`secret`] (keys)
//! - logic: [`mapping`], [`step`], [`report`], [`account`]; pure but for loading mapping files
//! - values: [`record`], [`path`], [`row`], [`table`], [`keyindex`], [`finding`], [`decimal`], `decode`, [`fold`], [`instant`], [`hex`], [`outputs`]
//! - [`error`], `interrupt`

pub mod account;
pub mod against;
mod aliases;
pub mod backup;
pub mod cli;
pub mod compare;
pub mod config;
pub mod coverage;
pub mod decimal;
mod decode;
mod dropped;
mod earlier;
pub mod error;
pub mod explain;
pub mod finding;
pub mod fold;
pub mod followup;
pub mod hex;
pub mod import;
pub mod inspect;
pub mod instant;
mod interrupt;
pub mod keyindex;
mod leak;
pub mod leaves;
mod leftover;
pub mod mapping;
pub mod outputs;
pub mod owners;
pub mod path;
pub mod pipeline;
pub mod plan;
pub mod probe;
pub mod reading;
pub mod record;
pub mod refused;
pub mod rejects;
pub mod report;
pub mod reseal;
pub mod row;
pub mod run;
pub mod schema;
pub mod secret;
pub mod settle;
pub mod shaping;
pub mod source;
pub mod step;
pub mod summary;
pub mod sweep;
pub mod table;
pub mod target;
pub mod undo;
pub mod unused;
pub mod validate;
pub mod vault;
pub mod writer;
