//! Whether rows are as earlier imports left them, asked about many rows of a table at once.

use super::follow::Following;
use super::unchanged::Disposition;
use super::undo::engine::{Listed, number, numbers, text_of};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the ledger says of a row that the database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// An import wrote it, and nobody has edited it since.
    Untouched,
    /// Only its sealed values are not those that the import wrote.
    Resealed,
    /// It is not as an import left it.
    Edited,
    /// No import wrote it.
    Foreign,
    /// It is not there any more.
    Absent,
}

/// The lines of the ledger about a table, by the keys of its rows: made once, when the first row is asked about.
const LINES: &str = "treelift_lines";

/// Makes the lines of a table be found by the keys of its rows, before this file.
pub(super) fn index<E: Following>(engine: &mut E, table: i64, before: i64) -> Result<(), E::Fault> {
    let temporary = E::TEMPORARY;
    engine.run(&format!(
        "CREATE TEMP TABLE {LINES}_{table}{temporary} AS
             SELECT r.row_key, r.file, r.number FROM treelift_rows r WHERE r.\"table\" = {table} AND r.file < {before};
         CREATE INDEX {LINES}_{table}_key ON {LINES}_{table} (row_key)"
    ))
}

/// How the rows of these keys stand, in their order. Nothing is left behind but what [`index`] made.
pub(super) fn left<E: Following>(engine: &mut E, listed: Listed<'_>, keys: &[String]) -> Result<Vec<Left>, E::Fault> {
    let runs = engine.runs()?;
    let columns = engine.columns(listed.number, &listed.table.name)?;
    let whole: Vec<i64> = columns.iter().filter(|(_, list)| !list.filled).map(|(number, _)| *number).collect();
    let by_run = inserted(engine, listed, keys, &whole)?;
    let mut found: HashMap<String, Left> = HashMap::new();
    for (run, keys) in by_run {
        let Some(run) = runs.get(usize::try_from(run).unwrap_or(usize::MAX)) else { continue }; // it is foreign, then
        note(engine, listed.number, &keys)?;
        engine.list(listed)?;
        engine.judge(listed, &columns, Some(run), &mut |_, key, _, fate| {
            let standing = match fate {
                Disposition::Remove { sealed_alike: true, .. } | Disposition::Restore { sealed_alike: true } => {
                    Left::Untouched
                }
                Disposition::Remove { .. } | Disposition::Restore { .. } => Left::Resealed,
                Disposition::Gone => Left::Absent,
                Disposition::Changed | Disposition::Empty | Disposition::Nameless => Left::Edited,
            };
            found.insert(key.to_owned(), standing);
            Ok(())
        })?;
        forget(engine, listed)?;
    }
    Ok(keys.iter().map(|key| found.get(key).copied().unwrap_or(Left::Foreign)).collect())
}

/// The keys of the rows by the run that inserted them, by its place among the runs; those that no run inserted are left out.
fn inserted<E: Following>(
    engine: &mut E,
    listed: Listed<'_>,
    keys: &[String],
    whole: &[i64],
) -> Result<BTreeMap<i64, Vec<String>>, E::Fault> {
    note(engine, listed.number, keys)?;
    let numbers = numbers(whole);
    let text = format!(
        "SELECT k.row_key, (SELECT count(*) FROM treelift_runs u WHERE u.number < k.run) FROM (
             SELECT t.row_key, max(t.run) AS run FROM treelift_taken t
             WHERE t.columns IN ({numbers}) AND NOT t.updated GROUP BY t.row_key
         ) k"
    );
    let mut by_run: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for row in engine.ask(&text)? {
        by_run.entry(number(&row[1])).or_default().push(text_of(&row[0]));
    }
    forget_noted(engine)?;
    Ok(by_run)
}

/// The number of the file from which each of the rows of these keys was written last, in the order of the keys.
pub(super) fn last_files<E: Following>(
    engine: &mut E,
    listed: Listed<'_>,
    keys: &[String],
) -> Result<Vec<Option<i64>>, E::Fault> {
    let columns = engine.columns(listed.number, &listed.table.name)?;
    let whole: Vec<i64> = columns.iter().filter(|(_, list)| !list.filled).map(|(number, _)| *number).collect();
    note(engine, listed.number, keys)?;
    let text = format!(
        "SELECT t.row_key, t.file FROM treelift_taken t WHERE t.columns IN ({}) ORDER BY t.run, t.number",
        numbers(&whole)
    );
    let last: HashMap<String, i64> = engine.ask(&text)?.iter().map(|row| (text_of(&row[0]), number(&row[1]))).collect();
    forget_noted(engine)?;
    Ok(keys.iter().map(|key| last.get(key).copied()).collect())
}

/// Takes the lines of these rows, each once: two records may ask about the same row.
fn note<E: Following>(engine: &mut E, table: i64, keys: &[String]) -> Result<(), E::Fault> {
    let temporary = E::TEMPORARY;
    engine.run(&format!("CREATE TEMP TABLE treelift_asked (row_key text){temporary}"))?;
    let once: BTreeSet<&String> = keys.iter().collect();
    engine.put("treelift_asked", &["text"], once.into_iter().map(|key| vec![Some(key.clone())]).collect())?;
    engine.note_lines(&format!(
        "JOIN {LINES}_{table} l ON l.file = r.file AND l.number = r.number
         JOIN treelift_asked a ON a.row_key = l.row_key WHERE r.\"table\" = {table}"
    ))
}

fn forget<E: Following>(engine: &mut E, listed: Listed<'_>) -> Result<(), E::Fault> {
    engine.run(&format!("DROP TABLE {}", listed.name()))?;
    forget_noted(engine)
}

fn forget_noted<E: Following>(engine: &mut E) -> Result<(), E::Fault> {
    engine.run(
        "DROP TABLE treelift_asked; DROP TABLE treelift_files_taken; DROP TABLE treelift_taken; DROP TABLE treelift_apart",
    )
}
