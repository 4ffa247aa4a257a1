//! `treelift backup restore`

use super::{keeper, log};
use crate::backup::folder::{Entry, Folder};
use crate::backup::{self, Before, Restored, Restoring};
use crate::cli::backup_args::RestoreArgs;
use crate::cli::output::Output;
use crate::cli::terminal::Terminal;
use crate::config::Companion as _;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::report::words::count;
use crate::report::{CheckReport, CheckStatus};
use crate::schema::Keeper;
use serde_json::json;
use std::path::PathBuf;

/// Puts a backup in the place of the database, and validates what is there then.
pub(super) fn run(args: &RestoreArgs, output: &Output) -> Result<u8> {
    let mut keeper = keeper::open(&args.keeper)?;
    let folder = super::folder(&keeper, &args.folder)?;
    let terminal = keeper::terminal(args.yes, output)?;
    let backup = choose(args, &folder, &keeper, &terminal)?;
    let (set, audit) = (keeper.set().name.clone(), keeper.set().audit.clone());
    let restoring = Restoring {
        backup: &backup,
        set: Some(&set),
        audit: audit.as_ref(),
        dry: args.dry_run,
        before: Before { skip: args.no_backup, folder: Some(folder.root()), set: Some(&set) },
    };
    let restored = backup::restore(keeper.target_mut(), &restoring, &terminal);
    terminal.end();
    let restored = restored?;
    let checks = if restored.dry { Vec::new() } else { keeper.validate(&[])? };
    log::done("restore", json!({ "backup": restored.backup, "safety": restored.safety, "dry": restored.dry }));
    let url = keeper.target().url();
    let document = json!({ "target": url, "restored": restored, "checks": checks });
    output.result(&words(&restored, &checks, url), &document)?;
    Ok(u8::from(checks.iter().any(|check| check.status == CheckStatus::Failed)))
}

fn choose(args: &RestoreArgs, folder: &Folder, keeper: &Keeper, terminal: &Terminal) -> Result<PathBuf> {
    if let Some(file) = &args.file {
        return Ok(file.clone());
    }
    let shelf = args.shelf.map(super::shelf);
    let mut entries = folder.own()?;
    if args.latest || shelf.is_some() {
        let latest = backup::latest(&entries, shelf).map(|entry| entry.path.clone());
        return latest.ok_or_else(|| super::none_in(folder, shelf, &entries, keeper));
    }
    if entries.is_empty() {
        return Err(super::none_in(folder, None, &entries, keeper));
    }
    if !terminal.is_attended() {
        return Err(Error::request("it is not said which backup to restore").hint("say `--latest` or `--file FILE`"));
    }
    let states: Vec<String> = entries.iter().map(super::state).collect();
    for line in super::list_words(&entries, &states).lines() {
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
        return format!("dry run: {backup} is whole ({rows}), nothing was changed\n");
    }
    let mut words = String::new();
    if let Some(safety) = &restored.safety {
        words += &format!("what was there: {}\n", printable(&safety.display().to_string()));
    }
    for check in checks.iter().filter(|check| check.status == CheckStatus::Failed) {
        let detail = check.detail.as_deref().unwrap_or_default();
        words += &format!("failed: {}: {}\n", printable(&check.name), printable(detail));
    }
    words + &format!("committed: {backup} ({rows}) is {} now\n", printable(url))
}
