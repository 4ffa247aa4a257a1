//! `treelift undo`

use super::args::runs::UndoArgs;
use super::log;
use super::managed;
use super::output::Output;
use crate::database::undo::Undone;
use crate::error::Result;
use crate::finding::printable;
use crate::report::words::count;
use crate::undo::Ended;
use serde_json::json;

/// Undoes an import, or says what blocks it.
pub(super) fn run(args: &UndoArgs, output: &Output) -> Result<u8> {
    let mut managed = managed::open(&args.managed)?;
    let url = managed.database().url().to_owned();
    let named = managed::named(&args.managed, managed.database(), Some(&managed.set().name))?;
    let Ended { run, undone, undo, backup } =
        managed::change_sealed((&args.change, &args.secrets), named.as_deref(), output, |options, ui| {
            crate::undo::undo(&mut managed, &args.run, args.force_edited, options, ui)
        })?;
    let outcome = match (undone.obstacles.is_empty(), args.change.dry_run, undone.rows()) {
        (false, _, _) => "refused",
        (true, _, 0) => "nothing",
        (true, true, _) => "dry-run",
        (true, false, _) => "committed",
    };
    log::done("undo", json!({ "run": run.id, "outcome": outcome }));
    let document = json!({
        "target": url,
        "run": run.id,
        "outcome": outcome,
        "undo": undo,
        "backup": backup,
        "tables": undone.tables,
        "obstacles": undone.obstacles,
    });
    output.outcome(&words(&undone, &run.id, &url, outcome), &document);
    Ok(u8::from(!undone.obstacles.is_empty() || undone.unfound() > 0))
}

fn words(undone: &Undone, run: &str, url: &str, outcome: &str) -> String {
    let mut words = String::new();
    for table in &undone.tables {
        let (removed, emptied, restored) = if outcome == "committed" {
            ("removed", "emptied", "given earlier values back")
        } else {
            ("to remove", "to empty", "to give earlier values back")
        };
        let parts = [
            (table.removed, removed),
            (table.emptied, emptied),
            (table.restored, restored),
            (table.edited, "edited since"),
            (table.gone, "already deleted"),
            (table.unfound, "not found by key"),
            (table.resealed, "with sealed values that the run did not write"),
            (table.unjudged, "with database-generated values that cannot be checked"),
        ];
        let some = parts.iter().filter(|(rows, _)| *rows > 0);
        let parts: Vec<String> = some.map(|(rows, what)| format!("{} {what}", count(*rows, "row"))).collect();
        if !parts.is_empty() {
            words += &format!("{}: {}\n", printable(&table.name), parts.join(", "));
        }
    }
    for obstacle in &undone.obstacles {
        words += &format!("blocked: {}\n", printable(&obstacle.to_string()));
    }
    let (rows, url) = (count(undone.rows(), "row"), printable(url));
    let unfound = match undone.unfound() {
        0 => String::new(),
        rows => format!("; {} not found by key: deleted, or given another key", count(rows, "row")),
    };
    words
        + &match outcome {
            "refused" => format!("refused: run {run} cannot be undone, nothing was changed in {url}\n"),
            "dry-run" => {
                format!("dry run: {rows} of run {run} would be undone, nothing was changed in {url}{unfound}\n")
            }
            "nothing" if unfound.is_empty() => format!("nothing to undo: no row of run {run} is in {url}\n"),
            "nothing" => format!("nothing to undo: no row of run {run} was found in {url}{unfound}\n"),
            _ => format!("committed: {rows} of run {run} undone in {url}{unfound}\n"),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::undo::{Obstacle, Taken};

    #[test]
    fn what_is_undone_and_what_blocks_it_is_listed_by_table() {
        let table = |name: &str, removed, emptied, gone| Taken {
            name: name.to_owned(),
            removed,
            emptied,
            restored: emptied / 2,
            edited: 0,
            gone,
            unfound: emptied / 2,
            resealed: removed / 3,
            unjudged: 0,
        };
        let mut undone = Undone {
            tables: vec![table("notes", 3, 0, 1), table("people", 1, 2, 0), table("tags", 0, 0, 0)],
            obstacles: Vec::new(),
            secrets: 0,
        };
        assert_eq!(
            words(&undone, "ab12", "x.db", "committed"),
            "notes: 3 rows removed, 1 row already deleted, 1 row with sealed values that the run did not write\n\
             people: 1 row removed, 2 rows emptied, 1 row given earlier values back, 1 row not found by key\n\
             committed: 7 rows of run ab12 undone in x.db; 1 row not found by key: deleted, or given another key\n"
        );
        undone.tables.clear();
        undone.obstacles.push(Obstacle::Later { run: "cd34".to_owned(), rows: 2 });
        assert_eq!(
            words(&undone, "ab12", "x.db", "refused"),
            "blocked: run cd34 wrote into 2 rows of this one: undo that run first\n\
             refused: run ab12 cannot be undone, nothing was changed in x.db\n"
        );
    }
}
