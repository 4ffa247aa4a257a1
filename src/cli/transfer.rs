//! `treelift transfer`

use super::args::transfer::TransferArgs;
use super::output::Output;
use super::{log, managed, mapping_set};
use crate::database::{self, Mode};
use crate::error::Result;
use crate::finding::printable;
use crate::migrations::ManagedDatabase;
use crate::report::table::table;
use crate::report::words::{count, thousands};
use crate::transfer::{Transferred, transfer};
use serde_json::json;

/// Copies a database into a new one.
pub(super) fn run(args: &TransferArgs, output: &Output) -> Result<u8> {
    let from = ManagedDatabase::open(mapping_set::given(args.mappings.as_deref())?.as_deref(), Some(&args.from))?;
    let mut to = database::open(&args.to)?;
    to.wait_for_locks(args.locks.lock_timeout());
    let terminal = managed::terminal(args.yes, output)?;
    let mode = if args.dry_run { Mode::Dry } else { Mode::Real };
    let done = transfer(&from, &mut *to, mode, &terminal);
    terminal.end();
    let done = done?;
    log::done("transfer", json!({ "rows": done.rows(), "dry_run": done.dry_run }));
    output.outcome(&words(&done), &json!(done));
    Ok(0)
}

fn words(done: &Transferred) -> String {
    let mut words = table(
        &["table", "rows"],
        done.tables.iter().map(|table| vec![table.name.clone(), thousands(table.rows)]),
        1,
        None,
    );
    for table in &done.tables {
        for (column, values) in &table.rewritten {
            let column = printable(&format!("{}.{column}", table.name));
            words += &format!("note: {} of `{column}` in another form of the same meaning\n", count(*values, "value"));
        }
    }
    let ledger = &done.ledger;
    words += &format!(
        "ledger: {}, {} of rows; {} edited since\n",
        count(ledger.runs, "run"),
        count(ledger.rows, "record"),
        count(ledger.edited, "row")
    );
    words += &format!("sealed: {}, {} as they are\n", count(done.keys, "key"), count(done.sealed_columns, "column"));
    let (rows, from, to) = (count(done.rows(), "row"), printable(&done.from), printable(&done.to));
    words
        + &if done.dry_run {
            format!("dry run: {rows} of {from} would be in {to}, read again and compared; nothing was changed\n")
        } else {
            format!("committed: {rows} of {from} are in {to}, read again and compared\n")
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::{TransferredLedger, TransferredTable};

    #[test]
    fn tables_ledger_and_what_is_written_otherwise_are_told() {
        let done = Transferred {
            from: "a.db".to_owned(),
            to: "b.db".to_owned(),
            tables: vec![TransferredTable {
                name: "notes".to_owned(),
                rows: 1_200,
                rewritten: [("meta".to_owned(), 3)].into(),
            }],
            ledger: TransferredLedger { runs: 1, rows: 1_200, edited: 1 },
            keys: 1,
            sealed_columns: 2,
            left: Vec::new(),
            dry_run: false,
        };
        assert_eq!(
            words(&done),
            "table   rows\nnotes  1,200\nnote: 3 values of `notes.meta` in another form of the same meaning\n\
             ledger: 1 run, 1,200 records of rows; 1 row edited since\nsealed: 1 key, 2 columns as they are\n\
             committed: 1,200 rows of a.db are in b.db, read again and compared\n"
        );
    }
}
