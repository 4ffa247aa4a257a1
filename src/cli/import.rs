//! `treelift import`

use super::args::ImportArgs;
use super::database_url::{self, DatabaseUrl};
use super::log;
use super::mapping_set;
use super::output::Output;
use super::scaffold;
use super::secrets;
use super::terminal::{Manner, Terminal};
use crate::config::{ImportOptions, Ui};
use crate::database::{self, Mode};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::inspect;
use crate::report::write::Form;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Imports, prints the report, and returns its exit status. With `--scaffold` the set is made first, and without `--yes`
/// nothing is committed.
pub(super) fn run(mut args: ImportArgs, log_file: Option<PathBuf>, output: &Output) -> Result<u8> {
    args.reports.iter().try_for_each(|path| Form::of(path).map(drop))?;
    let secret = secrets::choose(args.secrets.clone(), std::env::var_os(secrets::VARIABLE))?;
    let database = DatabaseUrl::given(args.database.as_ref())?;
    let terminal = Terminal::new(Manner::of(args.yes, output), secret)?;
    if let (Some(database), Some(_)) = (&database, &args.scaffold) {
        database::open(database.url())?.exists()?; // before the set is written
    }
    let (source, yes) = (args.source.clone(), args.yes);
    let scaffold = args.scaffold.take().map(|folder| scaffold(&args, &folder, output)).transpose()?;
    let mappings = match &scaffold {
        Some(made) => Some(made.set.clone()),
        None => mapping_set::given(args.mappings.as_deref())?,
    };
    args.dry_run |= scaffold.is_some() && !args.yes;
    let options = ImportOptions { mappings, ..options(args, log_file, database.as_ref())? };
    if let Some(DatabaseUrl::Environment(url)) = &database {
        confirm_environment(url, options.mode, &terminal)?;
    }
    let imported = crate::import::import(&options, &terminal);
    terminal.end();
    let report = imported.map_err(|error| match &scaffold {
        Some(made) => made.remembered(error, &source, yes),
        None => error,
    })?;
    log::done("import", json!({ "run": report.run_id, "outcome": report.outcome, "verdict": report.verdict }));
    output.report(&report, scaffold.as_ref().map(|made| &made.document));
    Ok(report.status(terminal.interrupted()))
}

/// A set that was made for this import.
struct Made {
    set: String,
    document: serde_json::Value,
}

impl Made {
    /// The error with how to go on: the set is there by now.
    fn remembered(&self, error: Error, source: &Path, yes: bool) -> Error {
        let (source, yes) = (printable(&source.display().to_string()), if yes { " --yes" } else { "" });
        let next = format!("the set is written: go on with `treelift import {source} --mappings {}{yes}`", self.set);
        let hint = error.hint.as_ref().map_or_else(|| next.clone(), |hint| format!("{hint}; {next}"));
        error.hint(hint)
    }
}

/// Writes a first set for the tree and says what was guessed.
fn scaffold(args: &ImportArgs, folder: &Path, output: &Output) -> Result<Made> {
    let set = folder.to_str().ok_or_else(|| Error::request("the folder's name is not UTF-8").at(folder.display()))?;
    let manner = inspect::Manner { show_values: false, depth: args.max_depth };
    let written = scaffold::write(&args.source, folder, manner)?;
    let next = if args.yes && !args.dry_run {
        String::new()
    } else {
        let (set, source) = (printable(set), printable(&args.source.display().to_string()));
        format!("hint: review the guesses in {set}, then run `treelift import {source} --mappings {set}`\n")
    };
    output.preamble(&format!("{}{}{next}\n", written.words(), written.guesses(output)))?;
    // A name alone might be that of a bundled set.
    let set = if set.contains('/') { set.to_owned() } else { format!("./{set}") };
    Ok(Made { set, document: written.document_with_guesses() })
}

fn options(args: ImportArgs, log_file: Option<PathBuf>, database: Option<&DatabaseUrl>) -> Result<ImportOptions> {
    let plan = args.plan.as_deref().map(str::parse).transpose()?;
    let in_use = [
        ("the key file", args.secrets.key_file),
        ("the passphrase file", args.secrets.passphrase_file),
        ("the log file", log_file),
    ];
    Ok(ImportOptions {
        source: args.source,
        mappings: args.mappings,
        database: database.map(|database| database.url().to_owned()),
        mode: if args.dry_run { Mode::Dry } else { Mode::Real },
        reports: args.reports,
        rejects: args.rejects,
        max_rejects: args.max_rejects.unwrap_or(if args.set_aside { u64::MAX } else { 0 }),
        set_aside: args.set_aside,
        verify: args.verify,
        replay: args.replay,
        only_mapping: args.only_mapping,
        with: args.with,
        only_owner: args.only_owner,
        existing: args.existing,
        reread: args.reread,
        owner: args.owner,
        plan,
        no_backup: args.backup.no_backup,
        backup_dir: args.backup.backup_dir,
        allow_empty: args.allow_empty,
        max_depth: args.max_depth,
        max_unpacked: args.max_unpacked,
        jobs: args.jobs,
        lock_timeout: args.locks.lock_timeout(),
        in_use: in_use.into_iter().filter_map(|(what, path)| Some((what, path?))).collect(),
    })
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
        let database = DatabaseUrl::choose(args.database.clone(), "", None).expect("chosen");
        options(*args, Some("x.log".into()), database.as_ref()).expect("they fit")
    }

    #[test]
    fn an_import_of_a_source_alone_is_real_and_allows_nothing() {
        assert_eq!(
            format!("{:?}", parsed("treelift import ./old")),
            "ImportOptions { source: \"./old\", mappings: None, database: None, mode: Real, reports: [], rejects: None, \
             max_rejects: 0, set_aside: false, verify: false, replay: None, only_mapping: [], with: [], only_owner: [], existing: None, reread: false, owner: None, plan: None, no_backup: false, backup_dir: None, allow_empty: false, max_depth: 64, max_unpacked: 4294967296, jobs: None, \
             lock_timeout: None, in_use: [(\"the log file\", \"x.log\")] }"
        );
    }

    #[test]
    fn every_flag_reaches_its_option() {
        let line = "treelift import ./old --mappings notes --database x.db --dry-run --report a.json --report b.html \
                    --rejects r --max-rejects 3 --set-aside --verify --only-mapping m --only-mapping n --with w --only-owner o --existing keep --reread --owner p --plan p1-1a2b3c4d-0123456789abcdef-0123456789ab-0123456789ab-1a2b3c-1a2b3c --no-backup \
                    --allow-empty --max-depth 127 --jobs 2 --lock-timeout 30 --key-file k";
        assert_eq!(
            format!("{:?}", parsed(line)),
            "ImportOptions { source: \"./old\", mappings: Some(\"notes\"), database: Some(\"x.db\"), mode: Dry, \
             reports: [\"a.json\", \"b.html\"], rejects: Some(\"r\"), max_rejects: 3, set_aside: true, verify: true, replay: None, only_mapping: [\"m\", \"n\"], \
             with: [\"w\"], only_owner: [\"o\"], existing: Some(Keep), reread: true, owner: Some(\"p\"), plan: Some(PlanId([\"1a2b3c4d\", \"0123456789abcdef\", \"0123456789ab\", \"0123456789ab\", \"1a2b3c\", \"1a2b3c\"])), no_backup: true, backup_dir: None, allow_empty: true, max_depth: 127, max_unpacked: 4294967296, jobs: Some(2), \
             lock_timeout: Some(30s), in_use: [(\"the key file\", \"k\"), (\"the log file\", \"x.log\")] }"
        );
    }

    #[test]
    fn short_flags_say_the_same_as_the_long_ones() {
        let said = |line: &str| format!("{:?}", parsed(line));
        assert_eq!(
            said("treelift import ./old -n -y -o a.json -o b.html"),
            said("treelift import ./old --dry-run --yes --report a.json --report b.html")
        );
        let takes = |line: &str| Cli::try_parse_from(line.split(' ')).map(drop).map_err(|error| error.to_string());
        for line in
            ["schema migrate -n -y", "backup restore --latest -n -y", "credentials rotate -n -y", "undo 1 -n -y"]
        {
            assert_eq!(takes(&format!("treelift {line}")), Ok(()), "{line}");
        }
    }
}
