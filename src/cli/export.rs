//! `treelift export`

use super::args::export::ExportArgs;
use super::output::Output;
use super::{log, managed};
use crate::config::Quiet;
use crate::error::{Error, Result};
use crate::export::{Exported, To, Wanted, export};
use crate::finding::printable;
use crate::report::table::table;
use crate::report::words::{count, thousands};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Writes rows of tables.
pub(super) fn run(args: &ExportArgs, log_file: Option<PathBuf>, output: &Output) -> Result<u8> {
    let selection = managed::selection_without_set(&args.managed)?;
    let database = selection.database();
    let wanted = Wanted { tables: args.tables.clone(), form: args.form, order_by: args.order_by.clone() };
    let in_use: Vec<(&str, PathBuf)> = log_file.map(|path| ("the log file", path)).into_iter().collect();
    let Some(path) = &args.output else {
        if output.is_document() {
            return Err(Error::request("with `--json` standard output has one document, and no room for rows")
                .hint("name a file for the rows with `--output`"));
        }
        // Where nobody reads on, nothing is said either.
        let done = export(database, &wanted, To::Stream(&mut output.bytes()), &in_use, &Quiet)?;
        done.iter().for_each(|done| {
            logged(done);
            done.notes.iter().for_each(|note| output.note(&format!("note: {note}")));
            output.last(&last(done, None));
        });
        return Ok(0);
    };
    let terminal = managed::terminal(false, output)?;
    let done = export(database, &wanted, To::Path(path), &in_use, &terminal);
    terminal.end();
    if let Some(done) = done? {
        logged(&done);
        output.outcome(&words(&done, path), &json!(done));
    }
    Ok(0)
}

fn logged(done: &Exported) {
    log::done("export", json!({ "rows": done.rows(), "as": done.form, "tables": done.tables }));
}

/// What is said of rows that are in a file, or a folder.
fn words(done: &Exported, path: &Path) -> String {
    let mut words = String::new();
    if done.tables.len() > 1 {
        let rows = done.tables.iter().map(|table| vec![table.name.clone(), thousands(table.rows)]);
        words += &table(&["table", "rows"], rows, 1, None);
    }
    words.extend(done.notes.iter().map(|note| format!("note: {note}\n")));
    words + &last(done, Some(path))
}

fn last(done: &Exported, path: Option<&Path>) -> String {
    let of = match done.tables.as_slice() {
        [one] => format!("of `{}`", printable(&one.name)),
        several => format!("of {}", count(several.len() as u64, "table")),
    };
    let into = path.map(|path| format!(" into {}", printable(&path.display().to_string()))).unwrap_or_default();
    let (rows, database) = (count(done.rows(), "row"), printable(&done.database));
    format!("exported: {rows} {of} in {database} as {}{into}\n", done.form.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{ExportedTable, Form};

    #[test]
    fn one_table_is_named_and_several_are_listed() {
        let table = |name: &str, rows| ExportedTable { name: name.to_owned(), rows, file: None };
        let mut done = Exported {
            database: "x.db".to_owned(),
            form: Form::Jsonl,
            tables: vec![table("notes", 1)],
            notes: vec!["`notes.length` is left out: the database computes it".to_owned()],
        };
        assert_eq!(last(&done, None), "exported: 1 row of `notes` in x.db as jsonl\n");
        done.tables.push(table("people", 1_200));
        assert_eq!(
            words(&done, Path::new("all.jsonl")),
            "\
table    rows
notes       1
people  1,200
note: `notes.length` is left out: the database computes it
exported: 1,201 rows of 2 tables in x.db as jsonl into all.jsonl
"
        );
    }
}
