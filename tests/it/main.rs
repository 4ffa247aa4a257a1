//! Work: what stands in a database, and what stands nowhere, after runs of the real program.
//! Words are judged by `cmd.rs`, which replays the cases of `tests/cmd/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod house;
mod in_place;
mod independent;
mod inline;
mod keeping;
mod safe;
mod site;
#[path = "../../benches/v1_tree/mod.rs"]
mod v1_tree;

mod afterwards;
mod assertions;
mod assertions_around;
mod backups;
mod broken;
mod bundled_samples;
mod bundled_sets;
mod catalogue;
mod changed;
mod changed_rows;
mod check;
mod choice;
mod circles;
mod claims;
mod cmd;
mod code_pages;
mod columns;
mod credentials;
mod database_keeps;
mod database_rules;
mod dependencies;
mod differential;
mod docs;
mod dry_run;
mod embed;
mod empty;
mod empty_leaves;
mod engine_accounting;
mod engine_across;
mod engine_again;
mod engine_fill;
mod engine_last;
mod engine_laws;
mod engine_owners;
mod engine_rejects;
mod engine_rows;
mod engine_secrets;
mod engine_set_laws;
mod existing;
mod explain;
mod explain_law;
mod export;
mod export_places;
mod expressions;
mod faults;
mod flow;
mod formats;
mod from_json;
mod generated;
mod guide;
mod habits;
mod helps;
mod ignoring;
mod import;
mod inspect;
mod jobs;
mod kill;
mod kinds;
mod later;
mod life;
mod life_backup;
mod life_pairs;
mod life_rows;
mod life_validate;
mod lines;
mod lossy;
mod mappings;
mod old_importer;
mod optional;
mod outputs;
mod owners;
mod owners_again;
mod owners_made;
mod packed;
mod passwords;
mod paths;
mod plans;
mod policies;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod postgres_backup;
#[cfg(feature = "postgres")]
mod postgres_commands;
#[cfg(feature = "postgres")]
mod postgres_connect;
#[cfg(feature = "postgres")]
mod postgres_credentials;
#[cfg(feature = "postgres")]
mod postgres_drift;
#[cfg(feature = "postgres")]
mod postgres_ends;
#[cfg(feature = "postgres")]
mod postgres_ledger_schema;
#[cfg(feature = "postgres")]
mod postgres_partitions;
#[cfg(feature = "postgres")]
mod postgres_pooler;
#[cfg(feature = "postgres")]
mod postgres_proxy;
#[cfg(feature = "postgres")]
mod postgres_rejects;
#[cfg(feature = "postgres")]
mod postgres_rules;
#[cfg(feature = "postgres")]
mod postgres_schema;
#[cfg(feature = "postgres")]
mod postgres_types;
#[cfg(feature = "postgres")]
mod postgres_undo;
mod random_trees;
mod read_again;
mod readmes;
mod record_table;
mod registry;
mod rejects;
mod rekeyed;
mod repeat_laws;
mod repeats;
mod replay;
mod report_diff;
mod reseal;
mod reseal_backup;
mod reseal_kill;
mod reseal_triggers;
mod reseal_words;
mod rows_back;
mod runs;
mod scaffold_laws;
mod set_aside;
mod shapes;
mod signals;
mod strings;
mod tamper;
mod tidy;
mod times;
#[cfg(feature = "postgres")]
mod transfer;
mod undo;
mod unique;
mod unknown_trees;
mod unused;
mod used;
mod verify;
mod version_record;
mod watching;
mod words;
mod written;
