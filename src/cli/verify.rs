//! `treelift verify`

use super::args::VerifyArgs;
use super::database_url::DatabaseUrl;
use super::log;
use super::mapping_set;
use super::output::Output;
use super::secrets;
use super::terminal::{Manner, Terminal};
use crate::config::{ImportOptions, Ui};
use crate::database::Mode;
use crate::error::Result;
use crate::report::write::Form;
use serde_json::json;
use std::path::PathBuf;

/// Compares, prints the report, and returns its exit status.
pub(super) fn run(args: VerifyArgs, log_file: Option<PathBuf>, output: &Output) -> Result<u8> {
    args.reports.iter().try_for_each(|path| Form::of(path).map(drop))?;
    let secret = secrets::choose(args.secrets.clone(), std::env::var_os(secrets::VARIABLE))?;
    let database = DatabaseUrl::given(args.database.as_ref())?;
    let terminal = Terminal::new(Manner::of(false, output), secret)?;
    let mappings = mapping_set::given(args.mappings.as_deref())?;
    let options = ImportOptions { mappings, ..options(args, log_file, database.as_ref()) };
    let verified = crate::import::verify::verify(&options, &terminal);
    terminal.end();
    let report = verified?;
    log::done("verify", json!({ "run": report.run_id, "outcome": report.outcome, "verdict": report.verdict }));
    output.report(&report, None);
    Ok(report.status(terminal.interrupted()))
}

fn options(args: VerifyArgs, log_file: Option<PathBuf>, database: Option<&DatabaseUrl>) -> ImportOptions {
    let in_use = [
        ("the key file", args.secrets.key_file),
        ("the passphrase file", args.secrets.passphrase_file),
        ("the log file", log_file),
    ];
    ImportOptions {
        source: args.source,
        mappings: args.mappings,
        database: database.map(|database| database.url().to_owned()),
        mode: Mode::Dry,
        reports: args.reports,
        rejects: None,
        // What is bad is left out of the comparison, and reported.
        max_rejects: u64::MAX,
        set_aside: false,
        replay: None,
        verify: false,
        only_mapping: args.only_mapping,
        with: args.with,
        only_owner: args.only_owner,
        existing: None,
        reread: true,
        owner: args.owner,
        plan: None,
        no_backup: true,
        backup_dir: None,
        allow_empty: false,
        max_depth: args.max_depth,
        max_unpacked: args.max_unpacked,
        jobs: args.jobs,
        lock_timeout: args.locks.lock_timeout(),
        in_use: in_use.into_iter().filter_map(|(what, path)| Some((what, path?))).collect(),
    }
}
