//! Work: what stands in a database, and what stands nowhere, after runs of the real program.
//! Words are judged by `cmd.rs`, which replays the cases of `tests/cmd/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod house;
mod independent;
mod inline;
mod keeping;
mod safe;
#[path = "../../benches/v1_tree/mod.rs"]
mod v1_tree;

mod assertions;
mod backups;
mod broken;
mod catalogue;
mod check;
mod choice;
mod cmd;
mod credentials;
mod database_keeps;
mod database_rules;
mod docs;
mod dry_run;
mod empty_leaves;
mod engine_accounting;
mod engine_across;
mod engine_again;
mod engine_fill;
mod engine_laws;
mod engine_owners;
mod engine_rejects;
mod engine_rows;
mod engine_secrets;
mod engine_set_laws;
mod existing;
mod explain;
mod expressions;
mod generated;
mod guide;
mod ignoring;
mod import;
mod inspect;
mod kill;
mod life;
mod life_backup;
mod life_pairs;
mod life_rows;
mod life_validate;
mod mappings;
mod old_importer;
mod outputs;
mod owners;
mod registry;
mod rejects;
mod reseal;
mod reseal_backup;
mod reseal_kill;
mod reseal_triggers;
mod reseal_words;
mod shapes;
mod signals;
mod small;
mod tamper;
mod undo;
mod unique;
mod unused;
mod words;
