//! `treelift import`

use super::args::ImportArgs;
use super::database_url::{self, DatabaseUrl};
use super::log;
use super::mapping_set;
use super::output::Output;
use super::secrets;
use super::terminal::{Manner, Terminal};
use crate::config::{ImportOptions, Ui};
use crate::database::{self, Mode};
use crate::error::{Error, Result};
use crate::report::write::Form;
use serde_json::json;
use std::path::PathBuf;

/// Imports, prints the report, and returns its exit status.
pub(super) fn run(args: ImportArgs, log_file: Option<PathBuf>, output: &Output) -> Result<u8> {
    args.reports.iter().try_for_each(|path| Form::of(path).map(drop))?;
    let secret = secrets::choose(args.secrets.clone(), std::env::var_os(secrets::VARIABLE))?;
    let database = DatabaseUrl::given(args.database.as_ref())?;
    let terminal = Terminal::new(Manner { yes: args.yes, quiet: output.is_quiet() }, secret)?;
    let mappings = mapping_set::given(args.mappings.as_deref())?;
    let options = ImportOptions { mappings, ..options(args, log_file, database.as_ref()) };
    if let Some(DatabaseUrl::Environment(url)) = &database {
        confirm_environment(url, options.mode, &terminal)?;
    }
    let imported = crate::import::import(&options, &terminal);
    terminal.end();
    let report = imported?;
    log::done("import", json!({ "run": report.run_id, "outcome": report.outcome, "verdict": report.verdict }));
    output.report(&report);
    Ok(report.status(terminal.interrupted()))
}

fn options(args: ImportArgs, log_file: Option<PathBuf>, database: Option<&DatabaseUrl>) -> ImportOptions {
    let in_use = [
        ("the key file", args.secrets.key_file),
        ("the passphrase file", args.secrets.passphrase_file),
        ("the log file", log_file),
    ];
    ImportOptions {
        source: args.source,
        mappings: args.mappings,
        database: database.map(|database| database.url().to_owned()),
        mode: if args.dry_run { Mode::Dry } else { Mode::Real },
        reports: args.reports,
        rejects: args.rejects,
        max_rejects: args.max_rejects,
        only_mapping: args.only_mapping,
        with: args.with,
        only_owner: args.only_owner,
        owner: args.owner,
        no_backup: args.backup.no_backup,
        backup_dir: args.backup.backup_dir,
        allow_empty: args.allow_empty,
        max_depth: args.max_depth,
        max_unpacked: args.max_unpacked,
        jobs: args.jobs,
        in_use: in_use.into_iter().filter_map(|(what, path)| Some((what, path?))).collect(),
    }
}

/// The variable may have been set for another program: the database it names is shown, and on a
/// terminal the user is asked before anything is written.
fn confirm_environment(url: &str, mode: Mode, terminal: &Terminal) -> Result<()> {
    let database = database::open(url)?;
    terminal.say(&format!("target: {} (from {})", database.url(), database_url::VARIABLE));
    let asked = mode == Mode::Real && terminal.is_attended();
    if asked && !terminal.confirm(&format!("import into {}?", database.url()))? {
        return Err(
            Error::request("not confirmed, nothing was written").hint("name the database with `--database URL`")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::args::{Cli, Command};
    use super::*;
    use clap::Parser;

    fn parsed(line: &str) -> ImportOptions {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"));
        let Command::Import(args) = cli.command else { panic!("not an import: {line}") };
        let database = DatabaseUrl::choose(args.database.clone(), None).expect("chosen");
        options(*args, Some("x.log".into()), database.as_ref())
    }

    #[test]
    fn an_import_of_a_source_alone_is_real_and_allows_nothing() {
        assert_eq!(
            format!("{:?}", parsed("treelift import ./old")),
            "ImportOptions { source: \"./old\", mappings: None, database: None, mode: Real, reports: [], rejects: None, \
             max_rejects: 0, only_mapping: [], with: [], only_owner: [], owner: None, no_backup: false, backup_dir: None, allow_empty: false, max_depth: 64, max_unpacked: 4294967296, jobs: None, \
             in_use: [(\"the log file\", \"x.log\")] }"
        );
    }

    #[test]
    fn every_flag_reaches_its_option() {
        let line = "treelift import ./old --mappings notes --database x.db --dry-run --report a.json --report b.html \
                    --rejects r --max-rejects 3 --only-mapping m --only-mapping n --with w --only-owner o --owner p --no-backup \
                    --allow-empty --max-depth 127 --jobs 2 --key-file k";
        assert_eq!(
            format!("{:?}", parsed(line)),
            "ImportOptions { source: \"./old\", mappings: Some(\"notes\"), database: Some(\"x.db\"), mode: Dry, \
             reports: [\"a.json\", \"b.html\"], rejects: Some(\"r\"), max_rejects: 3, only_mapping: [\"m\", \"n\"], \
             with: [\"w\"], only_owner: [\"o\"], owner: Some(\"p\"), no_backup: true, backup_dir: None, allow_empty: true, max_depth: 127, max_unpacked: 4294967296, jobs: Some(2), \
             in_use: [(\"the key file\", \"k\"), (\"the log file\", \"x.log\")] }"
        );
    }
}
