//! Forgetting runs: what the ledger says of their files and rows goes, their lines stay.

use super::Cell;
use super::audit::{AuditEntry, AuditTable};
use super::ledger::RunRecord;
use super::opening::Mode;
use super::undo::engine::{Undoing, number, text_of};
use super::undo::named;
use crate::error::{Error, Result};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// An order to forget runs.
#[derive(Debug)]
pub struct Forget<'a> {
    /// Commit, or work on a private copy and roll back.
    pub mode: Mode,
    /// This order's own id (UUID text); names temporary files.
    pub id: &'a str,
    /// The ids of the runs.
    pub runs: &'a [String],
    /// When it was asked for.
    pub at: Timestamp,
    /// By whom.
    pub by: &'a str,
    /// The application's own audit table.
    pub audit: Option<&'a AuditTable>,
}

/// What goes, or why it stays; then nothing goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// What goes, by run.
    pub runs: Vec<ForgottenRun>,
    /// Runs that are kept and need what would go.
    pub needed: Vec<Needed>,
}

impl Forgotten {
    /// How many rows of the ledger go.
    pub fn rows(&self) -> u64 {
        self.runs.iter().flat_map(|run| &run.tables).map(|table| table.rows).sum()
    }

    /// How many files of the ledger go.
    pub fn files(&self) -> u64 {
        self.runs.iter().map(|run| run.files).sum()
    }
}

/// What the ledger says of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForgottenRun {
    /// Its id.
    pub run: String,
    /// How many files.
    pub files: u64,
    /// How many rows, by the table that they are in.
    pub tables: Vec<ForgottenRows>,
}

/// Rows of the ledger about rows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForgottenRows {
    /// The table.
    pub table: String,
    /// How many.
    pub rows: u64,
}

/// A run that is kept and wrote into rows of one that would be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// The run that would be forgotten.
    pub run: String,
    /// The one that is kept.
    pub by: String,
    /// Into how many rows both wrote.
    pub rows: u64,
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = crate::report::words::count(self.rows, "row");
        write!(f, "run {}, which is kept, wrote into {rows} of run {}: forget both, or neither", self.by, self.run)
    }
}

/// The imports that words mean, by their ids or the beginnings of them; all that can be forgotten where there is no word.
///
/// # Errors
/// When a word means none or more than one, or one of which nothing is in the ledger.
pub fn choose<'r>(runs: &'r [RunRecord], words: &[String]) -> Result<Vec<&'r RunRecord>> {
    if words.is_empty() {
        return Ok(runs.iter().filter(|run| run.is_import() && run.forgotten.is_none()).collect());
    }
    let mut chosen: Vec<&RunRecord> = Vec::new();
    for word in words {
        let run = named(runs, word)?;
        if !run.is_import() {
            let message = format!("run {} is of the kind `{}`: only of an import something is kept", run.id, run.kind);
            return Err(Error::request(message).hint("its line in `treelift runs` stays in any case"));
        }
        if let Some(words) = run.forgotten_in_words() {
            return Err(Error::request(words));
        }
        if !chosen.iter().any(|one| one.id == run.id) {
            chosen.push(run);
        }
    }
    Ok(chosen)
}

/// Carries an order out. Nothing is committed yet; where a run is needed, nothing may be.
pub(super) fn forget<E: Undoing>(engine: &mut E, order: &Forget<'_>) -> Result<Forgotten, E::Fault> {
    engine.set_up()?;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let ids = order.runs.iter().map(|id| quoted(id)).collect::<Vec<_>>().join(", ");
    let files =
        format!("SELECT f.id FROM treelift_files f JOIN treelift_runs u ON u.number = f.run WHERE u.id IN ({ids})");
    let needed = needed(engine, &ids, &files)?;
    if !needed.is_empty() {
        return Ok(Forgotten { runs: Vec::new(), needed });
    }
    let runs = order.runs.iter().map(|id| known(engine, id, &quoted(id))).collect::<Result<_, E::Fault>>()?;
    engine.run(&format!("DELETE FROM treelift_rows WHERE file IN ({files})"))?;
    engine.run(&format!(
        "DELETE FROM treelift_seen WHERE run IN (SELECT number FROM treelift_runs WHERE id IN ({ids}))"
    ))?;
    engine.run(&format!(
        "DELETE FROM treelift_earlier WHERE run IN (SELECT number FROM treelift_runs WHERE id IN ({ids}))"
    ))?;
    engine.run(&format!(
        "DELETE FROM treelift_files WHERE run IN (SELECT number FROM treelift_runs WHERE id IN ({ids}))"
    ))?;
    let (at, by) = (order.at.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string(), quoted(order.by));
    engine.run(&format!("UPDATE treelift_runs SET forgotten = '{at}', forgotten_by = {by} WHERE id IN ({ids})"))?;
    let done = Forgotten { runs, needed };
    for run in &done.runs {
        let details = serde_json::json!({ "files": run.files, "tables": run.tables });
        let entry = AuditEntry::new("forget", "database", "the ledger of an import was removed", order.at)?;
        engine.note(&entry.of(&run.run).with(details), order.audit)?;
    }
    Ok(done)
}

/// What the ledger says of a run.
fn known<E: Undoing>(engine: &E, id: &str, quoted: &str) -> Result<ForgottenRun, E::Fault> {
    let of_run = "treelift_runs u JOIN treelift_files f ON f.run = u.number";
    let files = engine.ask(&format!("SELECT count(*) FROM {of_run} WHERE u.id = {quoted}"))?;
    let tables = engine.ask(&format!(
        "SELECT t.name, count(*) FROM {of_run} JOIN treelift_rows r ON r.file = f.id
         JOIN treelift_tables t ON t.id = r.\"table\" WHERE u.id = {quoted} GROUP BY t.name ORDER BY t.name"
    ))?;
    let table = |row: &Vec<Cell>| ForgottenRows { table: text_of(&row[0]), rows: number(&row[1]).unsigned_abs() };
    Ok(ForgottenRun {
        run: id.to_owned(),
        files: files.first().map_or(0, |row| number(&row[0]).unsigned_abs()),
        tables: tables.iter().map(table).collect(),
    })
}

/// The runs that are kept and wrote into the same rows: an undo or a comparison of theirs would take for an edit what a
/// forgotten one did.
fn needed<E: Undoing>(engine: &E, ids: &str, files: &str) -> Result<Vec<Needed>, E::Fault> {
    if engine.ask(&format!("SELECT 1 FROM treelift_rows WHERE file NOT IN ({files}) LIMIT 1"))?.is_empty() {
        return Ok(Vec::new());
    }
    let found = engine.ask(&format!(
        "SELECT a.id, b.id, count(DISTINCT r.\"table\" || ' ' || r.row_key)
         FROM treelift_runs a JOIN treelift_files fa ON fa.run = a.number JOIN treelift_rows r ON r.file = fa.id
         JOIN treelift_rows s ON s.\"table\" = r.\"table\" AND s.row_key = r.row_key
         JOIN treelift_files fb ON fb.id = s.file JOIN treelift_runs b ON b.number = fb.run
         WHERE a.id IN ({ids}) AND b.id NOT IN ({ids}) AND r.row_key <> '[]'
         GROUP BY a.number, a.id, b.number, b.id ORDER BY a.number, b.number"
    ))?;
    let needed =
        |row: &Vec<Cell>| Needed { run: text_of(&row[0]), by: text_of(&row[1]), rows: number(&row[2]).unsigned_abs() };
    Ok(found.iter().map(needed).collect())
}

#[cfg(test)]
mod tests {
    use super::super::undo::tests::run;
    use super::*;

    #[test]
    fn only_imports_that_are_not_forgotten_are_chosen() {
        let gone = RunRecord {
            forgotten: "2026-01-02T03:04:05Z".parse().ok(),
            forgotten_by: Some("ann on mill".to_owned()),
            ..run("ef12", "import", None)
        };
        let runs = [run("ab12", "import", None), run("cd34", "undo", None), gone];
        let chosen = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            choose(&runs, &words)
                .map(|runs| runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>())
                .map_err(|error| error.message)
        };
        assert_eq!(chosen(&[]), Ok(vec!["ab12"]));
        assert_eq!(chosen(&["ab", "ab12"]), Ok(vec!["ab12"]));
        assert_eq!(
            chosen(&["cd"]),
            Err("run cd34 is of the kind `undo`: only of an import something is kept".to_owned())
        );
        assert_eq!(
            chosen(&["ef"]),
            Err("the ledger of run ef12 was forgotten on 2026-01-02 03:04:05Z by ann on mill".to_owned())
        );
        assert_eq!(chosen(&["x"]), Err("no run `x` is recorded".to_owned()));
    }
}
