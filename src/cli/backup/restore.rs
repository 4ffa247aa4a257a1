//! `treelift backup restore`

use crate::backup::folder::{Entry, Folder};
use crate::backup::manifest::Manifest;
use crate::backup::{self, Before, Proof, Restored, Restoring, TablesBack};
use crate::cli::args::backup::RestoreArgs;
use crate::cli::database_url::DatabaseUrl;
use crate::cli::output::Output;
use crate::cli::terminal::Terminal;
use crate::cli::{log, managed, mapping_set};
use crate::config::Ui as _;
use crate::database::history::Status;
use crate::database::rows_back::TableBack;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::migrations::Selection;
use crate::report::words::{count, thousands};
use crate::report::{CheckReport, CheckStatus};
use crate::validate;
use serde_json::json;
use std::path::PathBuf;

/// Replaces the database with a backup, and validates what is there then.
pub(super) fn run(args: &RestoreArgs, output: &Output) -> Result<u8> {
    let named = args.file.as_deref().map(Manifest::read).transpose()?;
    let mappings = mapping_set::given(args.place.managed.mappings.as_deref())?;
    let database = DatabaseUrl::given(args.place.managed.database.as_ref())?;
    let set_of_named = named.as_ref().and_then(|manifest| manifest.set.as_deref());
    let mut selection =
        Selection::for_backup(mappings.as_deref(), database.as_ref().map(DatabaseUrl::url), set_of_named)?;
    selection.database_mut().wait_for_locks(args.locks.lock_timeout());
    let folder = super::place::folder(selection.database(), &args.place)?;
    let terminal = managed::terminal(args.yes, output)?;
    managed::say_named(&args.place.managed, &selection, &terminal)?;
    let backup = choose(args, &folder, selection.database().url(), &terminal)?;
    // A database that cannot be read is what a restore is for: it remembers nothing.
    let memory = selection.memory().unwrap_or_default();
    selection.learn(&memory)?;
    let before = selection.set_name().map(str::to_owned);
    selection.believe(Manifest::read(&backup)?.set.as_deref())?;
    let (set, audit) = (selection.set_name().map(str::to_owned), selection.set().and_then(|set| set.audit.clone()));
    let restoring = Restoring {
        backup: &backup,
        set: set.as_deref(),
        audit: audit.as_ref(),
        dry: args.dry_run,
        before: Before { skip: args.no_backup, folder: Some(folder.root()), set: before.as_deref() },
    };
    if !args.table.is_empty() {
        return tables(&mut selection, &args.table, &restoring, &terminal, output);
    }
    let restored = backup::restore(selection.database_mut(), &restoring, &terminal);
    terminal.end();
    let restored = restored?;
    let is_adopted = restored.dry || selection.database().recorded()?.iter().any(|one| one.status == Status::Applied);
    let checks = match selection.set() {
        Some(set) if !restored.dry && is_adopted => validate::database(selection.database(), set, &[])?,
        _ => Vec::new(),
    };
    log::done("restore", json!({ "backup": restored.backup, "safety": restored.safety, "dry": restored.dry }));
    let url = selection.database().url();
    if selection.set().is_none() && !restored.dry && is_adopted {
        terminal.say("not validated: its mapping set is not available; run `schema validate --mappings SET|DIR`");
    }
    if !is_adopted {
        terminal.say("not validated: no migration is recorded in it; `schema validate` compares it with a mapping set");
    }
    let document = json!({ "target": url, "restored": restored, "checks": checks });
    output.outcome(&words(&restored, &checks, url), &document);
    Ok(u8::from(checks.iter().any(|check| check.status == CheckStatus::Failed)))
}

/// Makes only the rows of tables those of the backup again.
fn tables(
    selection: &mut Selection,
    tables: &[String],
    restoring: &Restoring<'_>,
    terminal: &Terminal,
    output: &Output,
) -> Result<u8> {
    if !selection.database().exists()? {
        return Err(selection.database().missing());
    }
    let done = selection.restore_tables(tables, restoring, terminal);
    terminal.end();
    let back = done?;
    log::done("restore", json!({ "backup": back.backup, "safety": back.safety, "dry": back.dry }));
    let url = selection.database().url();
    output.outcome(&tables_words(&back, url), &json!({ "target": url, "restored": back }));
    Ok(0)
}

fn tables_words(back: &TablesBack, url: &str) -> String {
    let mut words = String::new();
    if let Some(safety) = &back.safety {
        words += &format!("previous database: {}\n", printable(&safety.display().to_string()));
    }
    for TableBack { table, added, changed, removed } in &back.tables {
        let numbers = [(added, "added"), (changed, "changed"), (removed, "removed")];
        let numbers: Vec<String> = numbers.iter().map(|(rows, what)| format!("{} {what}", thousands(**rows))).collect();
        words += &format!("rows of {}: {}\n", printable(table), numbers.join(", "));
    }
    let (url, backup) = (printable(url), printable(&back.backup.display().to_string()));
    let names = count(back.tables.len() as u64, "table");
    words
        + &match (back.tables.iter().any(TableBack::is_change), back.dry) {
            (false, _) => format!("nothing to do in {url}: {names} as in {backup}\n"),
            (true, true) => format!("dry run: {names} could be restored, nothing was changed in {url}\n"),
            (true, false) => format!("committed: {names} of {backup} restored in {url}\n"),
        }
}

fn choose(args: &RestoreArgs, folder: &Folder, url: &str, terminal: &Terminal) -> Result<PathBuf> {
    if let Some(file) = &args.file {
        return Ok(file.clone());
    }
    let shelf = args.shelf;
    let mut entries = folder.own()?;
    if args.latest || shelf.is_some() {
        let latest = backup::latest(&entries, shelf).map(|entry| entry.path.clone());
        return latest.ok_or_else(|| super::words::none_in(folder, shelf, &entries, url));
    }
    if entries.is_empty() {
        return Err(super::words::none_in(folder, None, &entries, url));
    }
    if !terminal.is_attended() {
        return Err(Error::request("no backup is named").hint("give `--latest` or `--file FILE`"));
    }
    let states: Vec<String> = entries.iter().map(super::words::state).collect();
    for line in super::words::list_words(&entries, &states).lines() {
        terminal.say(line);
    }
    let at = terminal.choose("Which one (its number)?", entries.len())?;
    Ok(entries.swap_remove(at)).map(|entry: Entry| entry.path)
}

fn words(restored: &Restored, checks: &[CheckReport], url: &str) -> String {
    let content = &restored.manifest.content;
    let backup = printable(&restored.backup.display().to_string());
    let rows = count(content.all_rows(), "row");
    if restored.dry {
        let proof = match &restored.proof {
            Proof::Opened => "intact".to_owned(),
            proof => printable(&proof.words()),
        };
        return format!("dry run: {backup} is {proof} ({rows}), nothing was changed\n");
    }
    let mut words = String::new();
    if let Some(safety) = &restored.safety {
        words += &format!("previous database: {}\n", printable(&safety.display().to_string()));
    }
    for check in checks.iter().filter(|check| check.status == CheckStatus::Failed) {
        let detail = check.detail.as_deref().unwrap_or_default();
        words += &format!("failed: {}: {}\n", printable(&check.name), printable(detail));
    }
    words + &format!("committed: {backup} ({rows}) restored to {}\n", printable(url))
}
