//! `treelift backup prune`

use crate::backup::folder::{self, Shelf};
use crate::backup::keep::{Rules, prunable};
use crate::cli::args::backup::PruneArgs;
use crate::cli::output::Output;
use crate::cli::{log, managed};
use crate::config::Ui as _;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::report::words::count;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// Removes what the rules let go, having asked.
pub(super) fn run(args: &PruneArgs, output: &Output) -> Result<u8> {
    let selection = managed::selection(&args.place.managed)?;
    let folder = super::place::folder(selection.database(), &args.place)?;
    let entries = folder.own()?;
    let paths: Vec<_> = prunable(&entries, &rules(args)?).into_iter().map(|entry| entry.path.clone()).collect();
    let removed = count(paths.len() as u64, "backup");
    if !args.dry_run && !paths.is_empty() {
        let terminal = managed::terminal(args.yes, output)?;
        managed::say_named(&args.place.managed, &selection, &terminal)?;
        let (url, root) = (selection.database().url(), folder.root().display());
        if !terminal.confirm(&format!("remove {removed} of the {} of {url} in {root}?", entries.len()))? {
            return Err(Error::request("not confirmed, nothing was removed"));
        }
        paths.iter().try_for_each(|path| folder::remove(path))?;
        log::done("prune", json!({ "removed": paths }));
    }
    let list: String = paths.iter().map(|path| format!("{}\n", printable(&path.display().to_string()))).collect();
    let last = match (paths.is_empty(), args.dry_run) {
        (true, _) => format!("nothing to remove of {}\n", count(entries.len() as u64, "backup")),
        (false, true) => format!("dry run: {removed} would be removed\n"),
        (false, false) => format!("removed: {removed}\n"),
    };
    output.outcome(&(list + &last), &json!({ "dry_run": args.dry_run, "removed": paths }));
    Ok(0)
}

fn rules(args: &PruneArgs) -> Result<Rules> {
    let since = args
        .older_than
        .map(|days| {
            let back = SignedDuration::from_hours(i64::from(days) * 24);
            Timestamp::now()
                .checked_sub(back)
                .map(|since| since.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string())
                .map_err(|_| Error::request(format!("{days} days ago is out of range")))
        })
        .transpose()?;
    let newest = BTreeMap::from([
        (Shelf::Daily, args.keep_daily),
        (Shelf::Weekly, args.keep_weekly),
        (Shelf::Monthly, args.keep_monthly),
    ]);
    Ok(Rules { newest, since })
}
