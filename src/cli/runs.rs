//! `treelift runs`

use super::args::runs::RunsArgs;
use super::database_url::DatabaseUrl;
use super::output::Output;
use crate::database::{self, ledger::RunRecord};
use crate::error::Result;
use crate::finding::printable;
use crate::report::table::table;
use crate::report::words::thousands;
use serde_json::json;

/// Lists the runs that the database's ledger holds, oldest first.
pub(super) fn run(args: &RunsArgs, output: &Output) -> Result<u8> {
    let database = database::open(DatabaseUrl::needed(args.database.as_ref())?.url())?;
    if !database.exists()? {
        return Err(database.missing());
    }
    let runs = database.runs()?;
    output.result(&words(&runs, database.url()), &json!({ "target": database.url(), "runs": runs }))?;
    Ok(0)
}

fn words(runs: &[RunRecord], url: &str) -> String {
    if runs.is_empty() {
        return format!("no run is recorded in {}\n", printable(url));
    }
    let rows = runs.iter().map(|run| {
        let started = run.started.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let counts = [run.inserted, run.updated, run.removed, run.rejected].map(thousands);
        [run.id.clone(), started, kind(run, runs), run.set.clone()].into_iter().chain(counts).collect()
    });
    table(&["run", "started", "kind", "set", "inserted", "updated", "removed", "rejected"], rows, 4, None)
}

/// What a run did, and whether another took that back.
fn kind(run: &RunRecord, runs: &[RunRecord]) -> String {
    let is_undone = runs.iter().any(|later| later.undoes.as_ref() == Some(&run.id));
    match &run.undoes {
        Some(other) => format!("{} of {}", run.kind, other.get(..8).unwrap_or(other)),
        None if is_undone => format!("{}, undone", run.kind),
        None => run.kind.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, inserted: u64) -> RunRecord {
        let at = |text: &str| text.parse().expect("a time");
        RunRecord {
            id: id.to_owned(),
            kind: "import".to_owned(),
            program: "0.1.0".to_owned(),
            set: "notes".to_owned(),
            set_digest: "00".to_owned(),
            set_folder: None,
            source: "./old".to_owned(),
            started: at("2026-01-02T03:04:05.678Z"),
            finished: at("2026-01-02T03:04:09Z"),
            files: 3,
            leaves: 12_354,
            inserted,
            updated: 0,
            unchanged: 0,
            rejected: 2,
            removed: 0,
            undoes: None,
            ..RunRecord::default()
        }
    }

    #[test]
    fn runs_are_listed_as_a_table() {
        let undo = RunRecord {
            kind: "undo".to_owned(),
            removed: 1_201,
            updated: 3,
            undoes: Some("0e8f6c1e-1".to_owned()),
            ..record("ab12", 0)
        };
        assert_eq!(
            words(&[record("0e8f6c1e-1", 1_201), record("7b1d\u{1b}[2J", 7), undo], "x.db"),
            "\
run            started               kind              set    inserted  updated  removed  rejected
0e8f6c1e-1     2026-01-02 03:04:05Z  import, undone    notes     1,201        0        0         2
7b1d\\u{1b}[2J  2026-01-02 03:04:05Z  import            notes         7        0        0         2
ab12           2026-01-02 03:04:05Z  undo of 0e8f6c1e  notes         0        3    1,201         2
"
        );
    }

    #[test]
    fn no_run_is_said_in_words() {
        assert_eq!(words(&[], "sqlite:///./x.db"), "no run is recorded in sqlite:///./x.db\n");
    }
}
