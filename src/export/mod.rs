//! Export: rows of tables, written down for other programs to read.
//!
//! All tables are read at one moment, and their rows in an order that hangs on nothing but the rows: of the same rows the
//! same bytes are made. One row at a time is held in memory. Sealed values stay as they are.

mod cells;
mod choose;
mod csv;
mod jsonl;
mod lines;
mod odd;
mod places;
mod wanted;

use crate::config::{Phase, Ui};
use crate::database::{Database, Ordered, Reader};
use crate::error::{ErrorKind, Result};
use crate::interrupt;
use crate::outputs::Inputs;
use lines::Lines;
use odd::Odd;
use places::Places;
pub use places::To;
use serde::Serialize;
use std::path::PathBuf;
pub use wanted::{Form, Wanted};

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The database.
    pub database: String,
    /// The form.
    #[serde(rename = "as")]
    pub form: Form,
    /// The tables, in the order in which they were written.
    pub tables: Vec<ExportedTable>,
    /// What the rows do not say by themselves, in sentences.
    pub notes: Vec<String>,
}

/// A table that was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedTable {
    /// Its name.
    pub name: String,
    /// How many rows were written.
    pub rows: u64,
    /// The file that they are in, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

impl Exported {
    /// How many rows were written.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// So many rows are shown as progress at once.
const MANY: u64 = 1_000;

/// Exports rows. `None` where the reader of a stream has gone before the end, which is no fault.
///
/// # Errors
/// Where a table or column is not there or is treelift's own, and where something is in the place of a file: then nothing
/// was written.
pub fn export(
    database: &dyn Database,
    wanted: &Wanted,
    to: To<'_>,
    in_use: &[(&'static str, PathBuf)],
    ui: &dyn Ui,
) -> Result<Option<Exported>> {
    let reader = database.read()?.ok_or_else(|| database.missing())?;
    reader.hold()?;
    let (catalog, record) = (reader.catalog()?, reader.record_table()?.name);
    let chosen = choose::choose(&catalog, &record, wanted).map_err(|error| error.at(database.url()))?;
    let mut places = Places::open(to, wanted, &inputs(database, in_use))?;
    ui.phase(Phase::Export, 0, 0);
    let mut odd = Odd::default();
    let written = write(&*reader, &chosen, wanted.form, &mut places, &mut odd, ui);
    let published = written.and_then(|rows| Ok((rows, places.publish()?)));
    let (rows, files) = match published {
        Err(_) if places.is_gone() => return Ok(None),
        Err(mut error) if places.is_stream() && matches!(error.kind, ErrorKind::Interrupted(_)) => {
            error.message = "interrupted, the rows are not complete".to_owned();
            return Err(error);
        }
        published => published?,
    };
    let mut files = files.into_iter();
    let mut last = None;
    let tables = chosen.iter().zip(rows).map(|(rows, count)| {
        last = files.next().or_else(|| last.take());
        ExportedTable { name: rows.table.name.clone(), rows: count, file: last.clone() }
    });
    let tables = tables.collect();
    let notes = odd.words().chain(choose::notes(&chosen, wanted.form)).collect();
    Ok(Some(Exported { database: database.url().to_owned(), form: wanted.form, tables, notes }))
}

/// What must not be written to.
fn inputs(database: &dyn Database, in_use: &[(&'static str, PathBuf)]) -> Inputs {
    let mut inputs = Inputs::default();
    database.file().iter().for_each(|file| inputs.database(file, database.side_suffixes()));
    in_use.iter().for_each(|(what, path)| inputs.file(what, path));
    inputs
}

/// Writes the rows of all tables; how many each has.
fn write(
    reader: &dyn Reader,
    chosen: &[Ordered<'_>],
    form: Form,
    places: &mut Places<'_>,
    odd: &mut Odd,
    ui: &dyn Ui,
) -> Result<Vec<u64>> {
    let mut all = 0;
    let mut row = |places: &mut Places<'_>, text: &str| {
        interrupt::check()?;
        all += 1;
        if all % MANY == 0 {
            ui.advance(MANY, 0);
        }
        places.put(text)
    };
    if form == Form::Sql {
        return reader.script(chosen, &mut |text| row(places, text));
    }
    let several = chosen.len() > 1;
    let mut counts = Vec::with_capacity(chosen.len());
    for rows in chosen {
        places.begin(&rows.table.name)?;
        let mut lines: Box<dyn Lines + '_> = match form {
            Form::Csv => Box::new(csv::Csv::of(rows.table)),
            Form::Jsonl | Form::Sql => Box::new(jsonl::Jsonl::of(rows.table, several)),
        };
        places.put(&lines.header())?;
        let mut count = 0;
        reader.each_in_order(rows, &mut |cells| {
            count += 1;
            row(places, lines.row(cells, odd))
        })?;
        counts.push(count);
    }
    Ok(counts)
}
