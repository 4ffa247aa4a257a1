//! `treelift runs`

use super::args::runs::RunsArgs;
use super::output::Output;
use super::{log, managed};
use crate::database::forget::Forgotten;
use crate::database::ledger::RunRecord;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::forget::Ended;
use crate::migrations::Selection;
use crate::report::words::{count, duration, thousands};
use crate::who::Who;
use jiff::Timestamp;
use serde_json::json;
use std::fmt::Write as _;

/// Lists the runs that the database's ledger holds, newest first; or forgets some of them.
pub(super) fn run(args: &RunsArgs, output: &Output) -> Result<u8> {
    let selection = managed::selection(&args.managed)?;
    if args.forget {
        return forget(args, selection, output);
    }
    let change = &args.change;
    if change.dry_run || change.backup.no_backup || change.backup.backup_dir.is_some() {
        let message = "`--dry-run`, `--no-backup` and `--backup-dir` are for what changes something";
        return Err(Error::request(message).hint("give `--forget` too, or leave them out"));
    }
    let database = selection.database();
    if !database.exists()? {
        return Err(database.missing());
    }
    let mut runs = database.runs()?;
    runs.reverse();
    output.result(&words(&runs, database.url()), &json!({ "target": database.url(), "runs": runs }))?;
    Ok(0)
}

/// Forgets runs, or says what needs them.
fn forget(args: &RunsArgs, mut selection: Selection, output: &Output) -> Result<u8> {
    if args.runs.is_empty() && !args.all {
        return Err(Error::request("no run is named").hint("name runs as `treelift runs` lists them, or give `--all`"));
    }
    if selection.database().exists()? {
        selection.learn(&selection.memory()?)?;
    }
    let url = selection.database().url().to_owned();
    let named = managed::named(&args.managed, selection.database(), selection.set_name())?;
    let Ended { forgotten, backup } = managed::change(&args.change, named.as_deref(), output, |options, ui| {
        crate::forget::forget(&mut selection, &args.runs, options, ui)
    })?;
    let outcome = match (forgotten.needed.is_empty(), forgotten.runs.is_empty(), args.change.dry_run) {
        (false, ..) => "refused",
        (true, true, _) => "nothing",
        (true, false, true) => "dry-run",
        (true, false, false) => "committed",
    };
    log::done("forget", json!({ "outcome": outcome, "runs": forgotten.runs }));
    let document = json!({
        "target": url,
        "outcome": outcome,
        "backup": backup,
        "runs": forgotten.runs,
        "needed": forgotten.needed,
    });
    output.outcome(&forgotten_words(&forgotten, &url, outcome), &document);
    Ok(u8::from(outcome == "refused"))
}

fn forgotten_words(forgotten: &Forgotten, url: &str, outcome: &str) -> String {
    let mut words = String::new();
    for run in &forgotten.runs {
        let tables = run.tables.iter().map(|table| format!("{} of {}", count(table.rows, "row"), table.table));
        let parts: Vec<String> = std::iter::once(count(run.files, "file")).chain(tables).collect();
        words += &format!("run {}: {}\n", printable(&run.run), printable(&parts.join(", ")));
    }
    for needed in &forgotten.needed {
        words += &format!("blocked: {}\n", printable(&needed.to_string()));
    }
    let (runs, url) = (count(forgotten.runs.len() as u64, "run"), printable(url));
    let (files, rows) = (count(forgotten.files(), "file"), count(forgotten.rows(), "row"));
    words
        + &match outcome {
            "refused" => format!("refused: nothing was changed in {url}\n"),
            "nothing" => format!("nothing to forget in {url}\n"),
            "dry-run" => {
                format!(
                    "dry run: the ledger of {runs} would be forgotten ({files}, {rows}), nothing was changed in {url}\n"
                )
            }
            _ => format!("committed: the ledger of {runs} is forgotten in {url} ({files}, {rows})\n"),
        }
}

fn words(runs: &[RunRecord], url: &str) -> String {
    if runs.is_empty() {
        return format!("no run is recorded in {}\n", printable(url));
    }
    runs.iter().map(|run| paragraph(run, runs)).collect::<Vec<_>>().join("\n")
}

/// A run in a few lines.
fn paragraph(run: &RunRecord, runs: &[RunRecord]) -> String {
    let who = Who::of(run.user.as_deref(), run.host.as_deref()).words();
    let who = who.map_or_else(String::new, |who| format!(", by {who}"));
    let took = run.finished.duration_since(run.started).as_millis();
    let took = duration(u64::try_from(took).unwrap_or_default());
    let digest = run.set_digest.get(..12).unwrap_or(&run.set_digest);
    let folder = run.set_folder.as_ref().map_or_else(String::new, |folder| format!(" in {folder}"));
    let mut text = format!("run {}: {}\n", printable(&run.id), printable(&kind(run, runs)));
    let mut line = |name: &str, said: &str| {
        let _infallible = writeln!(text, "  {name:7} {}", printable(said));
    };
    line("ran", &format!("{} to {} ({took}){who}", time(run.started), time(run.finished)));
    if !run.source.is_empty() {
        let read = format!("{}, {}", count(run.files, "file"), count(run.leaves, "leaf"));
        line("source", &if run.files > 0 { format!("{} ({read})", run.source) } else { run.source.clone() });
    }
    line("set", &format!("{} ({digest}){folder}, treelift {}", run.set, run.program));
    let counts = [
        (run.inserted, "inserted"),
        (run.updated, "updated"),
        (run.unchanged, "unchanged"),
        (run.removed, "removed"),
        (run.rejected, "rejected"),
    ];
    let some = counts.iter().filter(|(rows, _)| *rows > 0).map(|(rows, what)| format!("{} {what}", thousands(*rows)));
    let some: Vec<String> = some.collect();
    line("rows", if some.is_empty() { "none".to_owned() } else { some.join(", ") }.as_str());
    run.plan.iter().for_each(|plan| line("plan", plan));
    if let Some(at) = run.forgotten {
        let by = run.forgotten_by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
        line("ledger", &format!("forgotten {}{by}", time(at)));
    }
    text
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
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
    use crate::database::forget::{ForgottenRows, ForgottenRun, Needed};

    fn record(id: &str, inserted: u64) -> RunRecord {
        let at = |text: &str| text.parse().expect("a time");
        RunRecord {
            id: id.to_owned(),
            kind: "import".to_owned(),
            program: "0.1.0".to_owned(),
            set: "notes".to_owned(),
            set_digest: "0123456789abcdef".to_owned(),
            source: "./old".to_owned(),
            started: at("2026-01-02T03:04:05.678Z"),
            finished: at("2026-01-02T03:04:09Z"),
            files: 3,
            leaves: 12_354,
            inserted,
            rejected: 2,
            ..RunRecord::default()
        }
    }

    #[test]
    fn runs_are_listed_with_where_when_and_by_whom() {
        let undo = RunRecord {
            kind: "undo".to_owned(),
            removed: 1_201,
            updated: 3,
            files: 0,
            host: Some("mill".to_owned()),
            user: Some("ann".to_owned()),
            undoes: Some("0e8f6c1e-1".to_owned()),
            rejected: 0,
            ..record("ab12", 0)
        };
        let other = RunRecord {
            set_folder: Some("/sets/notes".to_owned()),
            plan: Some("p1-00".to_owned()),
            forgotten: "2026-02-01T00:00:00Z".parse().ok(),
            forgotten_by: Some("ann on mill".to_owned()),
            rejected: 0,
            ..record("7b1d\u{1b}[2J", 0)
        };
        assert_eq!(
            words(&[undo, other, record("0e8f6c1e-1", 1_201)], "x.db"),
            "\
run ab12: undo of 0e8f6c1e
  ran     2026-01-02 03:04:05Z to 2026-01-02 03:04:09Z (3.3 s), by ann on mill
  source  ./old
  set     notes (0123456789ab), treelift 0.1.0
  rows    3 updated, 1,201 removed

run 7b1d\\u{1b}[2J: import
  ran     2026-01-02 03:04:05Z to 2026-01-02 03:04:09Z (3.3 s)
  source  ./old (3 files, 12,354 leaves)
  set     notes (0123456789ab) in /sets/notes, treelift 0.1.0
  rows    none
  plan    p1-00
  ledger  forgotten 2026-02-01 00:00:00Z by ann on mill

run 0e8f6c1e-1: import, undone
  ran     2026-01-02 03:04:05Z to 2026-01-02 03:04:09Z (3.3 s)
  source  ./old (3 files, 12,354 leaves)
  set     notes (0123456789ab), treelift 0.1.0
  rows    1,201 inserted, 2 rejected
"
        );
    }

    #[test]
    fn what_is_forgotten_and_what_needs_it_is_said() {
        let rows = |table: &str, rows| ForgottenRows { table: table.to_owned(), rows };
        let run =
            ForgottenRun { run: "ab12".to_owned(), files: 1, tables: vec![rows("notes", 1_200), rows("tags", 1)] };
        let mut forgotten = Forgotten { runs: vec![run], needed: Vec::new() };
        assert_eq!(
            forgotten_words(&forgotten, "x.db", "committed"),
            "run ab12: 1 file, 1,200 rows of notes, 1 row of tags\n\
             committed: the ledger of 1 run is forgotten in x.db (1 file, 1,201 rows)\n"
        );
        forgotten.runs.clear();
        forgotten.needed.push(Needed { run: "ab12".to_owned(), by: "cd34".to_owned(), rows: 2 });
        assert_eq!(
            forgotten_words(&forgotten, "x.db", "refused"),
            "blocked: run cd34, which is kept, wrote into 2 rows of run ab12: forget both, or neither\n\
             refused: nothing was changed in x.db\n"
        );
    }

    #[test]
    fn no_run_is_said_in_words() {
        assert_eq!(words(&[], "sqlite:///./x.db"), "no run is recorded in sqlite:///./x.db\n");
    }
}
